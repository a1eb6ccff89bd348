package command_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/command"
)

// TestWord has a shell read what was written for one.
func TestWord(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "mesh.yaml", "our meshes/mesh.yaml", "it's", "$HOME", "a;b", "a\nb", "*", "admin@west", `"`} {
		out, err := exec.Command("sh", "-c", "printf %s "+command.Word(text)).Output()
		require.NoError(t, err)
		assert.Equal(t, text, string(out))
	}
	assert.Equal(t, "admin@west", command.Word("admin@west"), "no quotes where none are needed")
}

func TestLines(t *testing.T) {
	t.Parallel()
	hub := command.HubContext("admin@east")
	for want, line := range map[string]string{
		"sightline seal west --topology mesh.yaml":                                     command.Seal("west", "mesh.yaml", string(command.Again)),
		"sightline seal --all --topology 'a b.yaml' --hub-context admin@east --rekey":  command.Seal(command.All, "a b.yaml", hub, string(command.Rekey)),
		"sightline seal west --topology FILE --hub-context admin@east":                 command.Seal("west", "", hub),
		"kubectl --context 'a b' -n kiali get secrets":                                 command.Kubectl("a b", "kiali", "get secrets"),
		"kubectl --context west annotate namespace istio-system topology.istio.io/x=a": command.Annotate("west", "istio-system", "topology.istio.io/x", "a"),
		"git rm 'sealed/our mesh/west.yaml'":                                           command.Remove("sealed/our mesh/west.yaml"),
	} {
		assert.Equal(t, want, line)
	}
}
