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
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// TestValues shows that every value is documented, follows from a field of the
// topology, and is used by a template; and that every field of shape is
// documented.
func TestValues(t *testing.T) {
	used := map[string]bool{}
	for _, pair := range synthetic(t) {
		clusters, err := Clusters(pair[0], SourcesOf(pair[0]))
		require.NoError(t, err)
		for i := range clusters {
			for _, r := range clusters[i].Resources {
				for _, hole := range r.Body.Holes() {
					used[hole] = true
				}
			}
		}
	}
	known, fields := map[string]bool{}, topology.Fields()
	for _, v := range values {
		known[v.hole] = true
		assert.Equal(t, v.chart != "", v.doc != "", "%s is told about where users of the chart read it", v.hole)
		assert.True(t, used[v.hole], "no template uses %s", v.hole)
		assert.NotEmpty(t, Origins(v.hole))
		for _, from := range Origins(v.hole) {
			_, hint := topology.Lookup(fields, strings.ReplaceAll(from, "[hub]", "[]"))
			assert.Empty(t, hint, "%s follows from %s, which no topology has", v.hole, from)
		}
	}
	for hole := range used {
		scope, _, _ := strings.Cut(hole, ".")
		_, isItem := itemHoles()[scope]
		assert.True(t, known[hole] || isItem, "%s has no row in values", hole)
	}
	for name := range shapeFields(overlaid{}) {
		assert.Contains(t, shapeDocs, name)
	}
}

// TestChartDoesNotGrowWithClusters shows that a cluster with a known shape adds
// its file of values and changes nothing else.
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

// TestChartHasNothingThatCannotBeRepeated refuses functions whose result
// differs from one rendering to the next, or from `helm template`.
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

// actions returns the parts of a template inside braces.
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

// TestChartMergesAsTheTreeDoes tests values that merges often treat in a
// special way: empty and false ones, large numbers, other types.
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
		// Set directly, because the text of a topology may not set all of this.
		top := everyExample(t)["east-west"]
		top.Spec.Kiali.Spec = theirs.(map[string]any)
		top.Spec.Clusters[1].Kiali.Spec = top.Spec.Kiali.Spec
		requireLaw(t, top, SourcesOf(top))
	}
}
