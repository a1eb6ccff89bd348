package topology

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestApplication shows that the names of Applications are valid object names,
// short enough for a label, and different for different clusters.
func TestApplication(t *testing.T) {
	top := &Topology{Metadata: Metadata{Name: "mesh"}}
	name := func(cluster string) string { return top.Application(&Cluster{Name: cluster}) }
	assert.Equal(t, "mesh-east", name("east"))
	assert.Equal(t, "mesh-west-1-eu", name("West_1.eu"))

	long := strings.Repeat("a", 58)
	assert.Equal(t, "mesh-"+long, name(long), "63 characters")
	a, b := name(long+"b"), name(long+"c")
	assert.NotEqual(t, a, b)
	for _, name := range []string{a, b, name(strings.Repeat("a", 48) + "____" + long)} {
		assert.LessOrEqual(t, len(name), 63)
		assert.Regexp(t, `^mesh-a+-[0-9a-f]{8}$`, name)
	}
}
