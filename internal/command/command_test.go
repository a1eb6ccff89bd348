package command_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/command"
)

// TestWord makes a shell read quoted words.
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
		"kubectl --context a version":                                                  command.Kubectl("a", "", "version"),
		"--cert 'a b.pem'":                                                             command.SealedWith("a b.pem", "east", "", ""),
		"--hub-context east --controller-name x":                                       command.SealedWith("", "east", "x", ""),
		"sightline diff a.yaml --live --context 'west=a b'":                            command.Live("a.yaml", command.Context("west", "a b"), command.Kubeconfig("")),
		"sightline status 'a b.yaml' --rights":                                         command.Rights("a b.yaml"),
		"git rm 'sealed/our mesh/west.yaml'":                                           command.Remove("sealed/our mesh/west.yaml"),
	} {
		assert.Equal(t, want, line)
	}
}

// TestOneOwner reads the code. Only this package makes a command line with a context, or
// one of seal. Scripts for a shell and the examples of help are texts that people edit.
func TestOneOwner(t *testing.T) {
	t.Parallel()
	line := regexp.MustCompile("[\"`][^\"`]*(kubectl --context [%\"]|sightline (seal|status|diff|verify) [%\"]|--hub-context \")")
	for _, root := range []string{"..", "../../cmd"} {
		require.NoError(t, filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
				return err
			}
			if filepath.Base(filepath.Dir(file)) == "command" || filepath.Base(file) == "script.go" {
				return nil
			}
			code, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			for n, text := range strings.Split(string(code), "\n") {
				if !strings.HasPrefix(strings.TrimSpace(text), "//") && line.MatchString(text) {
					t.Errorf("%s:%d: write it with this package: %s", file, n+1, strings.TrimSpace(text))
				}
			}
			return nil
		}))
	}
}
