package check

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// TestPlaced shows which line of a topology a part of an object comes from.
func TestPlaced(t *testing.T) {
	t.Parallel()
	top, findings := Parse("mesh.yaml", []byte(`apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  kiali: {hub: a}
  metrics:
    interval: 15s
    labels: {team: mesh}
  clusters:
    - {name: a, domain: apps.a.test}
    - {name: b, server: "https://b.test:6443", metrics: {interval: 1m}}
`))
	require.Empty(t, findings)
	origins := map[string]string{
		"cluster.interval": "spec.clusters[].metrics.interval spec.metrics.interval",
		"cluster.callback": "spec.clusters[hub].domain",
		"topology.mesh.id": "spec.mesh.id",
		"topology.labels":  "spec.metrics.labels",
	}
	body, err := resource.NewBody(resource.Object{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "x", "labels": resource.MergeHole(map[string]any{"ours": "1"}, resource.Hole("topology.labels"))},
		"data": map[string]any{
			"interval": resource.Hole("cluster.interval"),
			"text":     "id=" + resource.Hole("topology.mesh.id") + ";",
			"uris":     []any{resource.Hole("cluster.callback")},
			"literal":  "x",
		},
	})
	require.NoError(t, err)
	m := &mesh{Topology: top, origins: func(value string) []string { return strings.Fields(origins[value]) }}
	for _, test := range []struct {
		cluster int
		path    fieldPath
		want    string // "": no value is placed there
	}{
		{0, fieldPath{"data", "interval"}, "mesh.yaml:8:15"},
		{1, fieldPath{"data", "interval"}, "mesh.yaml:12:68"},
		{0, fieldPath{"data", "text"}, "mesh.yaml:5:14"},
		{1, fieldPath{"data", "uris"}, "mesh.yaml:11:25"},
		{1, fieldPath{"data", "uris", 0}, "mesh.yaml:11:25"},
		{0, fieldPath{"data", "literal"}, ""},
		{0, fieldPath{"data"}, ""},
		{0, fieldPath{"data", "absent", "below"}, ""},
		{0, fieldPath{"metadata", "labels", "team"}, "mesh.yaml:9:20"},
		{0, fieldPath{"metadata", "labels", "ours"}, ""},
	} {
		o := &object{mesh: m, cluster: test.cluster, body: body}
		got := ""
		for _, in := range o.placed(test.path, true) {
			if got == "" && top.Has(in...) {
				got = top.At(in...).String()
			}
		}
		assert.Equal(t, test.want, got, "%v", test.path)
	}
}
