package compare_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/compare"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
	"github.com/sightline-mesh/sightline/templates"
)

// base is the topology that the cases change. west has a sealed link.
const base = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  kiali: {hub: east, version: v2.27, instanceName: kiali, links: {format: single}, operator: {channel: stable}}
  metrics: {interval: 30s, userWorkloadMonitoring: {manage: true, config: {enableUserWorkload: true}}}
  namespaces: [sample]
  delivery: {repoURL: "https://git.example.com/mesh.git", argocd: {sync: {prune: false}}}
  clusters:
    - {name: east, server: "https://api.east.example.com:6443", domain: apps.east.example.com}
    - {name: west, server: "https://api.west.example.com:6443", domain: apps.west.example.com, kiali: {}}
`

const west = "    - {name: west, server: \"https://api.west.example.com:6443\", domain: apps.west.example.com, kiali: {}}\n"

// change replaces text of the topology: pairs of old and new text. If the first text
// begins with "link", the pair changes the link to west: its sealed data or its
// tokens.
type change []string

// effectCases has a change with the effect for each rule, and a near miss without it.
var effectCases = []struct {
	rule         string
	before       change // of both sides
	mutant, near change
	says         string
}{
	{rule: "KC14", mutant: change{"hub: east", "hub: west"}, near: change{"instanceName: kiali,", "instanceName: mesh,"}, says: "deployment.remote_cluster_resources_only was false and would be true"},
	{rule: "EF01", mutant: change{"instanceName: kiali,", "instanceName: kiali, viewOnly: true,"}, near: change{"namespaces: [sample]", "namespaces: [sample, shop]"}, says: "Kiali on east restarts"},
	{rule: "EF02", mutant: change{"domain: apps.east.example.com", "domain: apps.new.example.com"}, near: change{"interval: 30s", "interval: 15s"}, says: "users log in to west with another redirect URI"},
	{rule: "EF03", mutant: change{"format: single", "format: perCluster"}, near: change{"link sealed", "other"}, says: "away from istio-system/kiali-multi-cluster-secret: nothing removes them"},
	{rule: "EF04", mutant: change{"link sealed", "other"}, near: change{"format: single", "format: perCluster"}, says: "the link to west is sealed again; Kiali on east restarts"},
	{rule: "EF05", mutant: change{"link tokens", "2"}, near: change{"link tokens", "1, 2"}, says: "a token of Kiali's account on west ends as soon as somebody deletes the Secret"},
	{rule: "EF06", mutant: change{"namespaces: [sample]", "namespaces: [shop]"}, near: change{"interval: 30s", "interval: 15s"}, says: "the namespace sample on 2 clusters (east, west) leaves the graph"},
	{rule: "EF07", mutant: change{"kiali: {}}", "kiali: {}}\n    - {name: north, server: \"https://api.north.example.com:6443\"}"}, near: change{"namespaces: [sample]", "namespaces: [shop]"}, says: "cluster north joins"},
	{rule: "EF08", mutant: change{"interval: 30s", "interval: 15s"}, near: change{"interval: 30s", "labels: {team: mesh}"}, says: "each proxy of 2 clusters (east, west) is scraped 4 times a minute instead of 2 times"},
	{rule: "EF09", mutant: change{"namespaces: [sample]", "namespaces: []"}, near: change{"namespaces: [sample]", "namespaces: [sample, shop]"}, says: "2 objects are no longer rendered on 2 clusters (east, west), but no engine deletes them there"},
	{rule: "EF10", mutant: change{"argocd: {sync", "argocd: {applicationsSync: sync, sync", "name: west,", "name: west2,"}, near: change{"namespaces: [sample]", "namespaces: [shop]"}, says: "1 Application is new in Argo CD: mesh-west2"},
	{rule: "EF11", mutant: change{"channel: stable", "channel: candidate"}, near: change{"interval: 30s", "interval: 15s"}, says: "channel changes from stable to candidate"},
	{rule: "EF12", mutant: change{"{enableUserWorkload: true}", "{enableUserWorkload: true, prometheusK8s: {retention: 7d}}"}, near: change{"interval: 30s", "interval: 15s"}, says: "the monitoring operator of 2 clusters (east, west) applies a new configuration, and restarts the Prometheus of the platform"},
	{rule: "EF13", mutant: change{"id: mesh1", "id: mesh2"}, near: change{"interval: 30s", "interval: 15s"}, says: `{"mesh_id":"mesh2"} instead of {"mesh_id":"mesh1"}`},
}

// TestEffects shows that each rule reports its mutant, but not its near miss and not
// an empty change.
func TestEffects(t *testing.T) {
	for _, c := range effectCases {
		t.Run(c.rule, func(t *testing.T) {
			effects := effectsOf(t, nil, c.mutant)
			i := slices.IndexFunc(effects, func(e compare.Effect) bool { return e.Rule == c.rule && strings.Contains(e.Text, c.says) })
			assert.GreaterOrEqual(t, i, 0, "%s: %q is not said; effects:\n%s", c.rule, c.says, lines(effects))
			for _, e := range effectsOf(t, nil, c.near) {
				assert.NotEqual(t, c.rule, e.Rule, "a near miss: %s", e)
			}
			assert.Empty(t, effectsOf(t, c.mutant, c.mutant))
		})
	}
}

// TestMoreEffects shows further effects of some rules.
func TestMoreEffects(t *testing.T) {
	prunes := change{"prune: false", "prune: true"}
	flux := change{"argocd: {sync: {prune: false}}", "flux: {}"}
	store := change{"format: single", "source: externalSecrets, externalSecrets: {store: {name: vault}}"}
	byACM := change{"format: single", "source: acm"}
	sops := change{"format: single", "source: sops"}
	noOperator := change{"channel: stable", "channel: stable, remotes: none"}
	anonymous := change{"instanceName: kiali,", "instanceName: kiali, auth: {strategy: anonymous},"}
	with := func(edits ...change) change { return slices.Concat(edits...) }
	for _, c := range []struct {
		name       string
		before, to change
		says       string
	}{
		{"another namespace", nil, change{"instanceName: kiali,", "namespace: kiali,"}, "KC14: the operator on 2 clusters (east, west) refuses the Kiali resource: it would be in the namespace kiali"},
		{"another instance", nil, change{"instanceName: kiali,", "instanceName: mesh,"}, "EF01: on 2 clusters (east, west) there is Kiali istio-system/mesh in place of Kiali istio-system/kiali; both run"},
		{"reconciled only", nil, change{"kiali: {}}", "kiali: {spec: {deployment: {logger: {log_level: debug}}}}}"}, "EF01: the operator reconciles the Kiali resource of west; no Kiali runs there"},
		{"the strategy", nil, change{"instanceName: kiali,", "instanceName: kiali, auth: {strategy: anonymous},"}, "EF02: the login to Kiali on 2 clusters (east, west) changes"},
		{"the address", nil, change{"domain: apps.east.example.com", "domain: apps.east.example.com, kiali: {webRoot: /mesh}"}, "EF02: Kiali on east has another address"},
		{"the old Secret, pruned", prunes, with(prunes, change{"format: single", "format: perCluster"}), "info EF03: the links to west move"},
		{"a link that is gone", nil, change{"format: single", "source: external"}, "EF04: the link to west is no longer rendered, but no engine deletes the SealedSecret"},
		{"a link that is gone, pruned", prunes, with(prunes, change{"format: single", "source: external"}), "EF04: the hub loses its link to west: Kiali no longer shows it"},
		{"a link that a store brings now", nil, store, "warning EF04: the link to west moves from the SealedSecret to the ExternalSecret; the Secret stays with the SealedSecret"},
		{"a link that a store brings now, pruned", prunes, with(prunes, store), "the engine deletes the SealedSecret and the Secret with it"},
		{"a link that is sealed again", store, nil, "warning EF04: the link to west moves from the ExternalSecret to the SealedSecret"},
		{"a link that ACM makes now", nil, byACM, "warning EF04: the link to west moves from the SealedSecret to the Policy; the Secret stays with the SealedSecret"},
		{"a link that ACM makes no more", byACM, store, "warning EF04: the link to west moves from the Policy to the ExternalSecret; the Policy writes the Secret as long"},
		{"a link that SOPS encrypts now", nil, sops, "warning EF04: the link to west moves from the SealedSecret to the Secret of SOPS; the Secret stays with the SealedSecret"},
		{"a link that SOPS encrypts no more", with(flux, sops), with(flux, store), "warning EF04: the link to west moves from the Secret of SOPS to the ExternalSecret; the Secret stays as it is"},
		{"a link that SOPS encrypts no more, pruned", with(prunes, sops), with(prunes, store), "the engine deletes the Secret: Kiali is without the cluster"},
		{"a link that SOPS encrypts anew", sops, with(sops, change{"link sealed", "other"}), "info EF04: the link to west is sealed again"},
		{"a link more from a store", with(store, change{west, ""}), store, "EF04: the hub gets a link to west"},
		{"a link less from a store", store, with(store, change{west, ""}), "EF04: the link to west is no longer rendered, but no engine deletes the ExternalSecret"},
		{"a link less from a store, pruned", with(prunes, store), with(prunes, store, change{west, ""}), "EF04: the hub loses its link to west"},
		{"a link that is new", change{"format: single", "source: external"}, nil, "EF04: the hub gets a link to west"},
		{"a token, pruned", prunes, with(prunes, change{"link tokens", "2"}), "EF05: a token of Kiali's account on west ends when the engine deletes the Secret"},
		{"another line", nil, change{"version: v2.27", "version: v2.22"}, "EF05: every token of Kiali's account on west ends"},
		{"remotes without an operator", nil, noOperator, "EF05: every token of Kiali's account on west ends, because the operator removes the account"},
		{"remotes with an operator again", with(prunes, noOperator), prunes, "EF05: every token of Kiali's account on west ends, because the engine deletes the account"},
		{"another role for the account", with(noOperator, anonymous), with(noOperator, anonymous, change{"kiali: {hub: east,", "kiali: {hub: east, viewOnly: true,"}),
			"error KC14: the API server of west refuses the ClusterRoleBinding kiali: its role was kiali and would be kiali-viewer"},
		{"another line, the operator", nil, change{"version: v2.27", "version: v2.22"}, "EF11: the release line of Kiali on 2 clusters (east, west) changes from v2.27 to v2.22"},
		{"no operator", nil, change{"operator: {channel", "operator: {install: none, channel"}, "EF11: the Subscription of the operator kiali-ossm is removed on 2 clusters (east, west)"},
		{"the operator's chart", change{"operator: {channel: stable}", "operator: {install: helm, chart: {version: 2.27.0}}"}, change{"operator: {channel: stable}", "operator: {install: helm, chart: {version: 2.28.0}}"},
			"EF11: the version of the operator's chart changes from 2.27.0 to 2.28.0"},
		{"a namespace, pruned", prunes, with(prunes, change{"namespaces: [sample]", "namespaces: []"}), "the engine deletes it, and then Prometheus no longer scrapes the proxies there"},
		{"objects that Argo CD's project permits no more", prunes, with(prunes, change{"namespaces: [sample]", "namespaces: []"}), "EF09: Argo CD cannot delete the objects in sample on 2 clusters"},
		{"objects, pruned", prunes, with(prunes, change{"namespaces: [sample]", "namespaces: []", "argocd: {sync", "argocd: {permit: {namespaces: [sample]}, sync"}), "EF09: the engine deletes 2 objects on 2 clusters"},
		{"a config that no engine deletes", prunes, with(prunes, change{", userWorkloadMonitoring: {manage: true, config: {enableUserWorkload: true}}", ""}), "EF09: 2 objects are no longer rendered"},
		{"a cluster leaves Argo CD", nil, change{west, ""}, "EF07: cluster west leaves: its Application and its objects stay"},
		{"a cluster leaves Flux", flux, with(flux, change{west, ""}), "EF07: cluster west leaves: Flux deletes its Kustomizations, and their objects stay"},
		{"Kustomizations of Flux", flux, with(flux, change{west, ""}), "EF10: 5 Kustomizations are no longer made: mesh-east-link, mesh-west-kiali"},
		{"Applications under other names", nil, change{"metadata: {name: mesh}", "metadata: {name: fleet}"}, "EF10: 2 Applications are renamed: mesh-east to fleet-east, mesh-west to fleet-west"},
	} {
		var all []string
		for _, e := range effectsOf(t, c.before, c.to) {
			all = append(all, e.Severity.String()+" "+e.Rule+": "+e.Text)
		}
		assert.Contains(t, strings.Join(all, "\n"), c.says, c.name)
	}
}

// TestSwitchedOff shows changes that only an overlay or a cluster can make.
func TestSwitchedOff(t *testing.T) {
	config := func(text string) compare.Fleet {
		return compare.Fleet{Clusters: []compare.Cluster{{Name: "east", Objects: []compare.Object{{
			ID:      resource.ID{APIVersion: "v1", Kind: "ConfigMap", Namespace: "openshift-monitoring", Name: "cluster-monitoring-config"},
			Content: &compare.Content{Object: decoded(t, `{"data":{"config.yaml":"`+text+`"}}`)},
		}}}}}
	}
	for _, c := range []struct{ old, new, says string }{
		{"enableUserWorkload: true", "a: b", "warning: EF12: user workload monitoring on east is turned off: Prometheus scrapes no proxy there"},
		{"a: b", "enableUserWorkload: true", "EF12: user workload monitoring on east is turned on"},
	} {
		d, err := compare.Fleets(config(c.old), config(c.new))
		require.NoError(t, err)
		assert.Equal(t, c.says, d.Effects(compare.Facts{})[0].String())
	}
}

// TestLost shows changes that only clusters can have.
func TestLost(t *testing.T) {
	fleet := func(clusters ...string) (f compare.Fleet) {
		for i := 0; i < len(clusters); i += 2 {
			f.Clusters = append(f.Clusters, compare.Cluster{Name: clusters[i], Objects: []compare.Object{{
				ID:      resource.ID{APIVersion: "v1", Kind: "ConfigMap", Namespace: "n", Name: "c"},
				Content: &compare.Content{Object: decoded(t, clusters[i+1])},
			}}})
		}
		return f
	}
	const mine, more, theirs = `{"data":{"config.yaml":"a: 1"}}`, `{"data":{"config.yaml":"a: 1\nretention: 7d"}}`, `{"data":{"config.yaml":"a: 1","theirs":"x"}}`
	d, err := compare.Live(fleet("east", more, "west", more, "north", theirs), fleet("east", mine, "west", mine, "north", mine))
	require.NoError(t, err)
	assert.Equal(t, "warning: EF14: applying removes settings that are on 2 clusters (east, west) but not rendered: ConfigMap n/c: data[config.yaml].retention\n", lines(d.Effects(compare.Facts{})))
	d, err = compare.Live(fleet("north", theirs), fleet("north", mine))
	require.NoError(t, err)
	assert.True(t, d.Empty(), "a near miss")
}

// TestEveryEffectHasItsCase also shows that each effect has a page and each page has
// a rule.
func TestEveryEffectHasItsCase(t *testing.T) {
	with, pages := []string{compare.EffectLost}, []string{} // TestLost
	for _, c := range effectCases {
		with = append(with, c.rule)
	}
	for _, r := range check.Rules() {
		if r.FoundBy == "compare" {
			pages = append(pages, r.ID)
		}
	}
	assert.ElementsMatch(t, compare.EffectRules(), with)
	assert.ElementsMatch(t, compare.EffectRules(), pages)
}

// TestSeverities shows that each effect has the severity of its page.
func TestSeverities(t *testing.T) {
	for _, c := range effectCases {
		rule, _ := check.Lookup(c.rule)
		for _, e := range effectsOf(t, nil, c.mutant) {
			if e.Rule == c.rule {
				assert.Contains(t, rule.Severities(), e.Severity.String(), "%s", e)
			}
		}
	}
}

func lines(effects []compare.Effect) string {
	var b strings.Builder
	for _, e := range effects {
		b.WriteString(e.String() + "\n")
	}
	return b.String()
}

func effectsOf(t *testing.T, before, after change) []compare.Effect {
	t.Helper()
	return reportOf(t, before, after).Effects
}

// reportOf compares the base with two changes.
func reportOf(t *testing.T, before, after change) *compare.Report {
	t.Helper()
	_, old := treeOf(t, before)
	top, new := treeOf(t, after)
	report, err := render.Compare(top, "before", old, new, nil)
	require.NoError(t, err)
	return report
}

// parsed are the parsed templates, which all cases share.
var parsed = render.NewTemplates(templates.FS)

func treeOf(t *testing.T, made change) (*topology.Topology, []tree.File) {
	t.Helper()
	text, sealed, tokens := base, "sealed", "1"
	for i := 0; i < len(made); i += 2 {
		switch made[i] {
		case "link sealed":
			sealed = made[i+1]
		case "link tokens":
			tokens = made[i+1]
		default:
			require.Contains(t, text, made[i])
			text = strings.Replace(text, made[i], made[i+1], 1)
		}
	}
	top, findings := topology.Parse("mesh.yaml", []byte(text))
	require.Empty(t, findings)
	from := render.Sources{Templates: parsed, Links: render.Links{}}
	for i := range top.Spec.Clusters {
		if c := &top.Spec.Clusters[i]; c.Name == "west" {
			from.Links[c.Name] = link(t, top, c, sealed, tokens)
		}
	}
	files, err := render.Tree(top, from, render.Kustomize)
	require.NoError(t, err)
	return top, files
}

func link(t *testing.T, top *topology.Topology, c *topology.Cluster, sealed, tokens string) *topology.SealedLink {
	t.Helper()
	secret := top.SealedFor(c)
	data := make([]byte, 2+256+1000)
	data[0] = 1
	copy(data[2:], sealed)
	text := strings.NewReplacer("$name", c.Name, "$server", c.Server, "$namespace", secret.Namespace, "$secret", secret.Name, "$key", secret.Key,
		"$tokens", tokens, "$last", tokens[len(tokens)-1:], "$data", base64.StdEncoding.EncodeToString(data), "$fingerprint", strings.Repeat("ab", 32)).Replace(
		`apiVersion: sightline.dev/v1alpha1
kind: SealedLink
metadata: {name: $name}
spec:
  server: "$server"
  secret: {namespace: $namespace, name: $secret, key: $key}
  generation: $last
  tokens: [$tokens]
  certificate: {fingerprint: $fingerprint, notAfter: "2126-01-01T00:00:00Z"}
  caExpires: "2126-01-01T00:00:00Z"
  encryptedData: $data
`)
	if top.Spec.Kiali.Links.Source == "sops" {
		text = strings.Replace(text, "certificate: {fingerprint: "+strings.Repeat("ab", 32)+", notAfter: \"2126-01-01T00:00:00Z\"}",
			"sops: {age: [{recipient: age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj, enc: x}], "+
				"lastModified: \"2126-01-01T00:00:00Z\", mac: ENC, keys: [west]}", 1)
	}
	parsed, findings := topology.ParseSealedLink("sealed/mesh/west.yaml", []byte(text))
	require.Empty(t, findings)
	return parsed
}
