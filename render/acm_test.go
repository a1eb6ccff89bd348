package render

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// acmChoices lists what a topology may say about the store acm, in the form of
// choices: ACM on the hub or on a remote, each release and collector, and each
// way to read the store.
func acmChoices(x string) map[string][]string {
	lines := map[string]string{"a": "v2.22", "b": "v2.27"}
	acm := func(fields string, more ...string) []string {
		own := ", domain: acm-" + x + ".test, interval: 1" + digit(x) + "m, retention: 1" + digit(x) + "d, policyNamespace: pol-" + x
		return append([]string{"metrics.store=acm", "metrics.acm={" + fields + own + "}", "kiali.version=" + lines[x]}, more...)
	}
	placed := ", placement: set-" + x + "/all-" + x
	return map[string][]string{
		"acm": acm("hub: hub."+x+", release: '2.16'"+placed, "remote.managedCluster=m-"+x),
		"acm-one": acm("hub: hub."+x+", release: '5.0', rules: {namespace: rules-"+x+", manage: true, config: {prometheus: {retention: 1"+digit(
			x)+"d}}}"+placed, "kiali.ca="+strconv.Quote(authority[x]), "mesh.dataPlane=ambient"),
		"acm-on":  acm("hub: own-"+x+", release: '5.0'"+placed, "hub.managedCluster=m-"+x, "kiali.ca="+strconv.Quote(authority[x])),
		"acm-raw": acm("hub: own-"+x+", release: '2.15', aggregate: false"+placed, "hub.managedCluster=m-"+x),
		"acm-list": {"metrics.store=acm", "metrics.acm={hub: hub." + x + ", release: '2.14', access: internal, interval: 1" + digit(x) +
			"m, retention: 1" + digit(x) + "d, allowList: {in: hub, more: {names: [own_" + x + "]}}}"},
		"acm-links": acm("hub: hub."+x+", release: '5.0'"+placed, "remote.managedCluster=m-"+x,
			"kiali.links={source: acm, acm: {validity: 1"+digit(x)+"h}}"),
		"acm-each": acm("hub: own-"+x+", release: '2.13'", "hub.managedCluster=m-"+x),
	}
}

// TestAllowListOfTheDocs compares the allow-list in docs/metrics.md, which its
// owner must add, with the list that is rendered if the topology owns it.
func TestAllowListOfTheDocs(t *testing.T) {
	page, err := os.ReadFile("../docs/metrics.md")
	require.NoError(t, err)
	_, block, found := strings.Cut(string(page), "<!-- allow-list -->\n```yaml\n")
	require.True(t, found)
	block, _, _ = strings.Cut(block, "```\n")
	top, findings := check.Parse("mesh.yaml", []byte(classic))
	require.Empty(t, findings)
	assert.Equal(t, acmAllowList(top)["uwl_metrics_list.yaml"], block)
}

const classic = `
apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  kiali: {hub: a, version: v2.27}
  metrics: {store: acm, acm: {hub: a, release: "2.14", allowList: {in: hub}}}
  clusters: [{name: a, domain: apps.example.com}]
`

// outsideKinds are the kinds that only ACM brings to the test's remote.
var outsideKinds = map[string]bool{
	"ConfigMap": true, "ManagedClusterSetBinding": true, "Namespace": true, "Placement": true, "PlacementBinding": true, "Policy": true,
	"PrometheusRule": true, "Role": true, "RoleBinding": true, "ScrapeConfig": true, "ServiceAccount": true,
}

// TestACMTree shows that an ACM hub outside the topology gets the same objects
// as an ACM hub that is a remote, except the objects of every remote; and that
// kustomize builds them.
func TestACMTree(t *testing.T) {
	text := strings.Replace(classic, "release: \"2.14\", allowList: {in: hub}", "RELEASE", 1)
	text = strings.Replace(text, "clusters: [{name: a, domain: apps.example.com}]",
		`clusters: [{name: a, domain: apps.a.example.com}, {name: b, server: "https://api.b.example.com:6443"}]`, 1)
	for release, more := range map[string]string{"2.13": ", allowList: {in: hub}", "2.16": "", "5.0": ""} {
		parse := func(hub string) *Rendering {
			top, findings := check.Parse("mesh.yaml", []byte(strings.Replace(text, "hub: a, RELEASE",
				hub+"domain: apps.example.com, release: \""+release+"\""+more, 1)))
			require.Empty(t, findings)
			r, err := Open(top, SourcesOf(top))
			require.NoError(t, err)
			return r
		}
		inside, outside := parse("hub: b, "), parse("")
		clusters, err := inside.Clusters()
		require.NoError(t, err)
		var want []resource.Object
		for id, o := range filledObjects(t, &clusters[1]) {
			if outsideKinds[id.Kind] {
				want = append(want, o)
			}
		}
		require.NotEmpty(t, want)
		files, err := outside.ACM()
		require.NoError(t, err)
		files, err = tree.New(files)
		require.NoError(t, err)
		built, err := kustomize.Load(files)
		require.NoError(t, err)
		objects, err := built.Build("acm")
		require.NoError(t, err)
		assert.Equal(t, len(want), len(objects), release)
		assert.Nil(t, compareSets(want, objects), release)
		none, err := inside.ACM()
		require.NoError(t, err)
		assert.Empty(t, none)
	}
}
