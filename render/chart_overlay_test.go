package render

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Overlays to try in a chart, in addition to the shipped ones.
const (
	teamLabels = `function(resource, cluster) resource { metadata+: { labels+: { team: 'mesh' } } }`
	moreMemory = `function(resource, cluster) if resource.kind != 'Kiali' then resource else resource {
  spec+: { deployment+: { resources: { limits: { memory: '2Gi' } } } },
}`
)

// chartedWith returns overlays, also shipped ones, on a topology that merges
// values into monitors and Kiali resources.
func chartedWith(t *testing.T) (*topology.Topology, Sources) {
	t.Helper()
	shipped, err := os.ReadFile("../overlays/drop-size-buckets/overlay.jsonnet")
	require.NoError(t, err)
	l := over("function(resource, cluster) resource", teamLabels, moreMemory).
		matching("o1", "labels: {env: prod}").matching("o2", "labels: {env: prod}").matching("o3", "names: [hub, two]")
	l.texts["o1"] = "function(resource, cluster) (" + string(shipped) + ")(resource, cluster)"
	top, from := l.parse(t)
	top.Spec.Metrics.Labels = map[string]string{"release": "prom"}
	top.Spec.Kiali.Spec = map[string]any{"deployment": map[string]any{"replicas": 2}}
	return top, from
}

// TestChartWithOverlays shows that a chart has the objects as Jsonnet overlays
// change them, on the clusters that they match and on no other.
func TestChartWithOverlays(t *testing.T) {
	top, from := chartedWith(t)
	requireLaw(t, top, from)
	files, err := Tree(top, from, Helm)
	require.NoError(t, err)
	content := map[string]string{}
	for _, f := range files {
		content[f.Path] = string(f.Content)
	}
	assert.Contains(t, content["chart/templates/podmonitor.yaml"], ".Values.shape.overlays")
	assert.Contains(t, content["chart/values.yaml"], shapeDocs[fieldOverlays])
	for cluster, overlays := range map[string]string{"hub": "o1,o2,o3", "one": "o1,o2", "two": "o3"} {
		assert.Contains(t, content["clusters/"+cluster+".yaml"]+content["chart/values.yaml"], "overlays: "+overlays+"\n", cluster)
	}
	reversed := *top
	reversed.Spec.Clusters = slices.Clone(top.Spec.Clusters)
	slices.Reverse(reversed.Spec.Clusters)
	again, err := Tree(&reversed, from, Helm)
	require.NoError(t, err)
	assert.Equal(t, files, again, "the order of the clusters does not show")
}

// TestProgramHelmsRenderOverlays shows the same with the programs.
func TestProgramHelmsRenderOverlays(t *testing.T) {
	top, from := chartedWith(t)
	for version, helm := range helms(t) {
		t.Run(version, func(t *testing.T) { helm.requireTree(t, top, from) })
	}
}

// TestChartWithoutEffect shows that overlays that change nothing leave the
// chart as it is.
func TestChartWithoutEffect(t *testing.T) {
	top, from := over("function(resource, cluster) resource").matching("o1", "names: [one]").parse(t)
	with, err := Tree(top, from, Helm)
	require.NoError(t, err)
	top.Spec.Overlays = nil
	without, err := Tree(top, from, Helm)
	require.NoError(t, err)
	assert.Equal(t, without, with)
}

// TestOverlaysThatMakeNoChart shows that an overlay which breaks the law is
// found, and that its author reads what to do.
func TestOverlaysThatMakeNoChart(t *testing.T) {
	for _, test := range []struct{ name, text, path, says string }{
		{"looks at the cluster", `function(resource, cluster) resource { metadata+: { labels+: { on: cluster.name } } }`, "",
			`mesh.yaml:10:38: overlay "o1" looks at the cluster, which a chart for all clusters does not know (operator kiali-operator-subscription)`},
		{"branches on a value", `function(resource, cluster) if resource.kind == 'Kiali' && resource.metadata.name == 'kiali' then resource { spec+: { deployment+: { x: 1 } } } else resource`,
			"spec.deployment.x", ""},
		{"branches on a value of one cluster only", `function(resource, cluster) if std.get(resource.metadata, 'namespace', '') == 'two' then resource { spec+: { sampleLimit: 7 } } else resource`,
			"spec.sampleLimit", `cluster "two": monitoring.coreos.com/v1 PodMonitor two/`},
		{"computes", `function(resource, cluster) resource { metadata+: { labels+: { upper: std.asciiUpper(resource.metadata.name) } } }`, "",
			`mesh.yaml:10:38: overlay "o1" cannot be in a chart, because only Helm knows the values: operator kiali-operator-subscription: it makes ⟦TOPOLOGY.`},
		{"parses a value", `function(resource, cluster) if resource.kind == 'PodMonitor' then resource { spec+: { podMetricsEndpoints: [e { interval: std.parseInt(std.rstripChars(e.interval, 's')) * 2 + 's' } for e in super.podMetricsEndpoints] } } else resource`, "",
			`overlay "o1" cannot be in a chart, because only Helm knows the values: monitoring `},
		{"makes a key of a value", `function(resource, cluster) resource { metadata+: { annotations+: { [resource.metadata.name]: 'x' } } }`, "",
			"would differ between clusters"},
		{"has a mark of its own", `function(resource, cluster) resource { metadata+: { labels+: { mark: '⟦cluster.name⟧' } } }`,
			"", "it makes ⟦cluster.name⟧, which is not a value of the resource"},
		{"has a mark of the resource", `function(resource, cluster) if resource.kind != 'Kiali' then resource else resource { spec+: { mark: '⟦cluster.version⟧' } }`,
			"spec.mark", ""},
		{"has a merge of its own", `function(resource, cluster) if resource.kind != 'Kiali' then resource else resource { spec+: { x: { '⟦merge⟧': {}, '⟦over⟧': {} } } }`, "",
			`mesh.yaml:10:38: overlay "o1" cannot be in a chart`},
		{"sets what the topology merges", `function(resource, cluster) if resource.kind != 'Kiali' then resource else resource { spec+: { deployment+: { replicas: 7 } } }`,
			"spec.deployment.replicas", ""},
		{"replaces what the topology merges into", `function(resource, cluster) if resource.kind != 'Kiali' then resource else resource { spec: { x: 1 } }`,
			"spec.deployment", ""},
		{"leaves nothing to merge into", `function(resource, cluster) if resource.kind != 'Kiali' then resource else resource { spec: 'none' }`, "",
			"spec is no object any more"},
		{"maps the keys of what is merged", `function(resource, cluster) resource { metadata+: { labels: std.mapWithKey(function(k, v) k, super.labels) } }`,
			"metadata.labels.release", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			top, from := over(test.text).parse(t)
			top.Spec.Metrics.Labels = map[string]string{"release": "prom"}
			top.Spec.Kiali.Spec = map[string]any{"deployment": map[string]any{"replicas": 2}}
			_, err := Tree(top, from, Helm)
			require.Error(t, err)
			var refused *finding.Refusal
			require.True(t, errors.As(err, &refused), "%v", err)
			if test.path != "" {
				assert.ErrorContains(t, err, ": "+test.path+": ")
				assert.Contains(t, refused.Hint, "overlay (o1)")
			}
			assert.ErrorContains(t, err, test.says)
		})
	}
}

// TestShippedOverlaysInChart shows that the documentation of the shipped
// overlays is true.
func TestShippedOverlaysInChart(t *testing.T) {
	shipped := func(name string) error {
		top, findings := check.Parse("../topologies/test.yaml", []byte(`
apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  kiali: {hub: hub}
  overlays: [{name: own, match: {labels: {env: prod}}, jsonnet: ../overlays/`+name+`/overlay.jsonnet}]
  clusters:
    - {name: hub, domain: apps.hub.test, labels: {env: prod}}
    - {name: one, server: "https://one.test:6443"}
`))
		require.Empty(t, findings)
		_, err := Tree(top, SourcesOf(top), Helm)
		return err
	}
	require.NoError(t, shipped("drop-size-buckets"))
	var refused *finding.Refusal
	require.True(t, errors.As(shipped("scrape-limits"), &refused))
	assert.Contains(t, refused.Message, "looks at the cluster")
}
