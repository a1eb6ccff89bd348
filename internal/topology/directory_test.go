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

func TestDirectoryFindings(t *testing.T) {
	head := Source{"topology.yaml", []byte(headDocument)}
	east := clusterSource("east.yaml", "east", "domain: apps.east.example.com")
	for name, c := range map[string]struct {
		sources []Source
		want    string
	}{
		"no topology": {[]Source{east}, "dir:1:1: SY02: the directory has no document of kind Topology\nhint: add a file with it; the clusters can stay in files of their own"},
		"two topologies": {[]Source{head, east, {"z.yaml", []byte(headDocument)}},
			"z.yaml:1:1: SY02: found a second topology in the directory; first at topology.yaml:1:1\nhint: keep one of the two"},
		"no clusters": {[]Source{head}, "topology.yaml:5:3: SY07: spec.clusters is missing\nhint: add it, such as clusters: [{name: cluster1}]"},
		"the right file": {[]Source{head, east, clusterSource("west.yaml", "west", "sever: https://west.test")},
			"west.yaml:5:3: SY03: spec has no key \"sever\"\nhint: did you mean \"server\"?"},
		"same name": {[]Source{head, east, clusterSource("west.yaml", "East", "server: https://west.test")},
			"east.yaml:3:18: ID01: the cluster names \"East\" and \"east\" differ by letter case only; first at west.yaml:3:18\nhint: give each cluster a name of its own; letter case does not tell names apart"},
		"missing": {[]Source{head, east, clusterSource("west.yaml", "west", "domain: apps.west.test")},
			"west.yaml:1:1: SY07: cluster \"west\": server is missing; the hub's Kiali reaches a remote by it\nhint: give the URL of the API server as the hub's pods reach it, such as https://api.west.example.com:6443"},
		"name in spec": {[]Source{head, clusterSource("east.yaml", "east", "name: east")},
			"east.yaml:5:3: SY03: spec has no key \"name\"\nhint: name belongs below metadata"},
		"another kind": {[]Source{head, east, {"k.yaml", []byte("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n")}},
			"k.yaml:1:13: SY02: expected a topology, found kind: Kustomization of apiVersion: kustomize.config.k8s.io/v1beta1; a topology has apiVersion: sightline.dev/v1alpha1 and kind: Topology or Cluster\nhint: this may be the wrong file; name that of a topology"},
		"empty file": {[]Source{head, east, {"e.yaml", nil}},
			"e.yaml:1:1: SY01: the file is empty; expected a topology\nhint: the smallest topology is about ten lines: see the README, or topologies/east-west.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			_, findings := ParseDirectory("dir", c.sources)
			require.Len(t, findings, 1)
			assert.Equal(t, c.want, findings[0].String())
		})
	}
}

func TestAClusterIsNoTopology(t *testing.T) {
	_, findings := Parse("east.yaml", clusterSource("", "east", "domain: apps.east.example.com").Data)
	require.Len(t, findings, 1)
	assert.Equal(t, "east.yaml:2:7: SY02: found one cluster of a topology, expected the topology\nhint: name the directory that has the topology and its clusters", findings[0].String())
}

// BenchmarkDirectory parses a topology of a thousand files.
func BenchmarkDirectory(b *testing.B) {
	sources := []Source{{"topology.yaml", []byte(headDocument)}, clusterSource("east.yaml", "east", "domain: apps.east.example.com")}
	for i := range 1000 {
		sources = append(sources, clusterSource(fmt.Sprintf("c%d.yaml", i), fmt.Sprintf("c%d", i), fmt.Sprintf("server: https://c%d.test:6443", i)))
	}
	for b.Loop() {
		_, findings := ParseDirectory("dir", sources)
		require.Empty(b, findings)
	}
}
