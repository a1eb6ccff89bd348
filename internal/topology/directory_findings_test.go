package topology_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	. "github.com/sightline-mesh/sightline/internal/topology"
)

func TestDirectoryFindings(t *testing.T) {
	head := Source{"topology.yaml", []byte(HeadDocument)}
	east := ClusterSource("east.yaml", "east", "domain: apps.east.example.com")
	for name, c := range map[string]struct {
		sources []Source
		want    string
	}{
		"no topology": {[]Source{east}, "dir:1:1: error: SY02: the directory has no document of kind Topology\nhint: add a file with kind Topology; the clusters can stay in other files"},
		"two topologies": {[]Source{head, east, {"z.yaml", []byte(HeadDocument)}},
			"z.yaml:1:1: error: SY02: found a second topology in the directory; first at topology.yaml:1:1\nhint: keep one of the two"},
		"no clusters": {[]Source{head}, "topology.yaml:5:3: error: SY07: spec.clusters is missing\nhint: add it, such as clusters: [{name: cluster1}]"},
		"the right file": {[]Source{head, east, ClusterSource("west.yaml", "west", "sever: https://west.test")},
			"west.yaml:5:3: error: SY03: spec has no key \"sever\"\nhint: did you mean \"server\"?"},
		"same name": {[]Source{head, east, ClusterSource("west.yaml", "East", "server: https://west.test")},
			"east.yaml:3:18: error: ID01: the cluster names \"East\" and \"east\" differ only in letter case; first at west.yaml:3:18\nhint: give each cluster a different name; names that differ only in letter case are the same"},
		"missing": {[]Source{head, east, ClusterSource("west.yaml", "west", "domain: apps.west.test")},
			"west.yaml:1:1: error: SY07: cluster \"west\": server is missing; the hub's Kiali reaches a remote at this address\nhint: write the URL at which the hub's pods reach the API server, such as https://api.west.example.com:6443"},
		"name in spec": {[]Source{head, ClusterSource("east.yaml", "east", "name: east")},
			"east.yaml:5:3: error: SY03: spec has no key \"name\"\nhint: name belongs below metadata"},
		"another kind": {[]Source{head, east, {"k.yaml", []byte("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n")}},
			"k.yaml:1:13: error: SY02: expected a topology, found kind: Kustomization of apiVersion: kustomize.config.k8s.io/v1beta1; a topology has apiVersion: sightline.dev/v1alpha1 and kind: Topology or Cluster\nhint: this may be the wrong file; name the file of a topology"},
		"empty file": {[]Source{head, east, {"e.yaml", nil}},
			"e.yaml:1:1: error: SY01: the file is empty; expected a topology\nhint: a topology can have about ten lines: sightline example single prints one, and sightline example lists more"},
	} {
		t.Run(name, func(t *testing.T) {
			_, findings := check.ParseDirectory("dir", c.sources)
			require.Len(t, findings, 1)
			assert.Equal(t, c.want, findings[0].String())
		})
	}
}

func TestAClusterIsNoTopology(t *testing.T) {
	_, findings := check.Parse("east.yaml", ClusterSource("", "east", "domain: apps.east.example.com").Data)
	require.Len(t, findings, 1)
	assert.Equal(t, "east.yaml:2:7: error: SY02: found one cluster of a topology, expected the topology\nhint: name the directory with the topology and its clusters", findings[0].String())
}

// BenchmarkDirectory parses a topology of a thousand files.
func BenchmarkDirectory(b *testing.B) {
	sources := []Source{{"topology.yaml", []byte(HeadDocument)}, ClusterSource("east.yaml", "east", "domain: apps.east.example.com")}
	for i := range 1000 {
		sources = append(sources, ClusterSource(fmt.Sprintf("c%d.yaml", i), fmt.Sprintf("c%d", i), fmt.Sprintf("server: https://c%d.test:6443", i)))
	}
	for b.Loop() {
		_, findings := check.ParseDirectory("dir", sources)
		require.Empty(b, findings)
	}
}
