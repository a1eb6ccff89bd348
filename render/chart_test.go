package render

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// TestChartKnowsEveryValue finds a value that a template may place and a chart
// would not have, and a field of shape that nobody could read about.
func TestChartKnowsEveryValue(t *testing.T) {
	known := map[string]bool{
		"topology.metrics.interval": true, // in a chart the default of cluster.interval
		"topology.monitoringConfig": true, // of cluster.monitoringConfig

		"topology.mesh.controlPlaneNamespace": true, // of cluster.controlPlaneNamespace
	}
	for _, v := range chartValues() {
		assert.NotEmpty(t, v.doc, v.path)
		known[v.hole] = true
	}
	for _, pair := range synthetic(t) {
		for path := range topologyValues(pair[0]) {
			assert.True(t, known[resource.ScopeTopology+"."+path], "topology.%s", path)
		}
		for i := range pair[0].Spec.Clusters {
			for path := range clusterValues(pair[0], &pair[0].Spec.Clusters[i], callback(pair[0]), linksOf(pair[0])) {
				assert.True(t, known[resource.ScopeCluster+"."+path], "cluster.%s", path)
			}
		}
	}
	for name := range shapeFields(overlaid{}) {
		assert.Contains(t, shapeDocs, name)
	}
}

// TestChartDoesNotGrowWithClusters shows that a cluster like others adds its
// file of values and changes nothing else.
func TestChartDoesNotGrowWithClusters(t *testing.T) {
	const head = "apiVersion: sightline.dev/v1alpha1\nkind: Topology\nmetadata: {name: mesh}\nspec:\n  mesh: {id: mesh1}\n  kiali: {hub: a}\n  namespaces: [sample]\n  clusters:\n" +
		"  - {name: a, domain: a.test}\n  - {name: b, server: 'https://b.test:6443'}\n"
	before := chartFiles(t, head)
	after := chartFiles(t, head+"  - {name: c, server: 'https://c.test:6443', gateways: [gw], metrics: {interval: 1m}, kiali: {version: v2.27, spec: {x: 1}}}\n")
	after = slices.DeleteFunc(after, func(f tree.File) bool { return f.Path == "clusters/c.yaml" })
	assert.Equal(t, before, after)
}

func chartFiles(t *testing.T, text string) []tree.File {
	t.Helper()
	top, findings := check.Parse("test.yaml", []byte(text))
	require.Empty(t, findings)
	files, err := Tree(top, Sources{Templates: shippedTemplates}, Helm)
	require.NoError(t, err)
	return files
}

// TestChartHasNothingThatCannotBeRepeated keeps out what makes a chart differ
// from one rendering to the next, or from `helm template`.
func TestChartHasNothingThatCannotBeRepeated(t *testing.T) {
	for name, top := range everyExample(t) {
		files, err := charted(top, SourcesOf(top), nil)
		require.NoError(t, err)
		for _, f := range files {
			if !strings.HasPrefix(f.Path, "chart/templates/") {
				continue
			}
			for _, word := range []string{"lookup", "rand", "tpl ", "now", "helm.sh/hook", ".Capabilities", ".Release", "genCA", "uuid"} {
				assert.NotContains(t, actions(string(f.Content)), word, "%s: %s", name, f.Path)
			}
		}
	}
}

// actions is what a template has between its braces.
func actions(text string) string {
	var all strings.Builder
	for {
		_, rest, ok := strings.Cut(text, "{{")
		if !ok {
			return all.String()
		}
		action, after, _ := strings.Cut(rest, "}}")
		all.WriteString(action + "\n")
		text = after
	}
}

// TestChartMergesAsTheTreeDoes shows the merge of values that a merge is known
// to treat in its own way: empty and false ones, large numbers, other types.
func TestChartMergesAsTheTreeDoes(t *testing.T) {
	for _, spec := range []string{
		"{external_services: {grafana: {enabled: true}}, deployment: {instance_name: ''}}",
		"{external_services: {prometheus: {thanos_proxy: {enabled: false, scrape_interval: 0}}}}",
		"{external_services: {}, deployment: {}, kubernetes_config: {cluster_name: {}}}",
		"{external_services: [], deployment: false, kubernetes_config: text, version: {of: text}}",
		"{n: [0, 1, -1, 1000000, 10000000, 9007199254740992, 0.1, 1.5e-7, 1.0, 123456789.125]}",
		"{auth: {openshift: {redirect_uris: []}}, nested: {a: {b: {c: false, d: 0, e: '', f: [], g: {}}}}}",
	} {
		data, err := yaml.YAMLToJSON([]byte(spec))
		require.NoError(t, err)
		theirs, err := resource.DecodeJSON(data)
		require.NoError(t, err)
		// Not by way of a topology's text, which may not set all of this.
		top := everyExample(t)["east-west"]
		top.Spec.Kiali.Spec = theirs.(map[string]any)
		top.Spec.Clusters[1].Kiali.Spec = top.Spec.Kiali.Spec
		requireLaw(t, top, SourcesOf(top))
	}
}
