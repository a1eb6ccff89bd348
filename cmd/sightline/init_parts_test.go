package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// wholeMesh is the topology over which the parts in testdata/init are merged.
const wholeMesh = `
apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: parts}
spec:
  mesh: {id: mesh1}
  kiali: {hub: east, version: v2.27}
  namespaces: [sample]
  clusters:
  - {name: east, server: 'https://api.east.example.com:6443', domain: apps.east.example.com}
  - {name: west, server: 'https://api.west.example.com:6443', domain: apps.west.example.com}
`

// initParts returns specs by their subject. They set the fields that no random topology
// sets.
func initParts(t testing.TB) map[string]map[string]any {
	t.Helper()
	text, err := os.ReadFile("testdata/init/parts.yaml")
	require.NoError(t, err)
	var parts map[string]map[string]any
	require.NoError(t, yaml.Unmarshal(text, &parts))
	return parts
}

// partTopology returns a topology with one of the parts.
func partTopology(t testing.TB, spec map[string]any) []byte {
	t.Helper()
	var whole map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(wholeMesh), &whole))
	text, err := yaml.Marshal(resource.Merge(whole, map[string]any{"spec": spec}))
	require.NoError(t, err)
	return text
}

// TestInitParts does with each part what TestInitProperty does with random topologies.
func TestInitParts(t *testing.T) {
	t.Parallel()
	for name, part := range initParts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := partTopology(t, part)
			_, findings := check.Parse("part.yaml", text)
			if assert.Empty(t, findings, "%s", text) {
				assertComesBack(t, text)
			}
		})
	}
}
