package topology

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const headDocument = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: fleet}
spec:
  mesh: {id: mesh1}
  kiali: {hub: east}
`

func clusterSource(file, name, spec string) Source {
	return Source{file, fmt.Appendf(nil, "apiVersion: sightline.dev/v1alpha1\nkind: Cluster\nmetadata: {name: %s}\nspec:\n  %s\n", name, spec)}
}

func TestDirectory(t *testing.T) {
	sources := []Source{
		clusterSource("z.yaml", "east", "domain: apps.east.example.com"),
		{"topology.yaml", []byte(headDocument + "  clusters: [{name: inline, server: \"https://inline.test\"}]\n")},
		clusterSource("a.yaml", "west", "server: https://west.test"),
		{"two.yaml", slices.Concat(clusterSource("", "north", "server: https://north.test").Data, []byte("---\n"), clusterSource("", "south", "server: https://south.test").Data)},
	}
	top, findings := ParseDirectory("dir", sources)
	require.Empty(t, findings)
	names := func(top *Topology) (names []string) {
		for _, c := range top.Spec.Clusters {
			names = append(names, c.Name)
		}
		return names
	}
	assert.Equal(t, []string{"inline", "east", "north", "south", "west"}, names(top))
	assert.Equal(t, "https://west.test", top.Spec.Clusters[4].Server)
	assert.Equal(t, "30s", top.Spec.Clusters[4].Metrics.Interval, "defaults are resolved")
	assert.Equal(t, "a.yaml:5:11", top.At("spec", "clusters", 4, "server").String())
	assert.Equal(t, "a.yaml:3:18", top.At("spec", "clusters", 4, "name").String())
	assert.Equal(t, "a.yaml:5:3", top.At("spec", "clusters", 4, "kiali", "host").String())
	assert.Equal(t, "two.yaml:11:11", top.At("spec", "clusters", 3, "server").String())
	assert.Equal(t, "topology.yaml:7:37", top.At("spec", "clusters", 0, "server").String())

	slices.Reverse(sources)
	again, findings := ParseDirectory("dir", sources)
	require.Empty(t, findings)
	assert.Equal(t, names(top), names(again), "the order of files does not matter")
}
