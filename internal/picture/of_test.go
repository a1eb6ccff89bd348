package picture

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/status"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// mesh parses a topology with additional fields in kiali and in spec.
func mesh(t *testing.T, kiali, spec, clusters string) *topology.Topology {
	t.Helper()
	text := "apiVersion: sightline.dev/v1alpha1\nkind: Topology\nmetadata: {name: mesh}\nspec:\n  mesh: {id: mesh1}\n  namespaces: [b, a]\n" +
		"  kiali: {hub: east, version: v2.27" + kiali + "}\n" + spec +
		"  clusters:\n    - {name: east, domain: apps.east.example.com}\n" + clusters
	parsed, findings := topology.Parse("mesh.yaml", []byte(text))
	require.Empty(t, findings, text)
	return parsed
}

const west = "    - {name: west, server: \"https://api.west.example.com:6443\", namespaces: [a, c]}\n"

func TestLinks(t *testing.T) {
	sealed := func(token, ca string) *topology.SealedLink {
		return &topology.SealedLink{Spec: topology.SealedLinkSpec{TokenExpires: token, CAExpires: ca}}
	}
	for _, c := range []struct {
		links string
		link  *topology.SealedLink
		want  Link
	}{
		{"", nil, Link{Text: "no link", None: true}},
		{"", sealed("", ""), Link{Text: "sealed, no expiry"}},
		{"", sealed("", "2031-02-03T04:05:06Z"), Link{Text: "sealed until 2031-02-03"}},
		{"", sealed("2030-02-03T04:05:06Z", "2031-02-03T04:05:06Z"), Link{Text: "sealed until 2030-02-03"}},
		{", links: {source: external}", nil, Link{Text: "link made elsewhere"}},
		{", links: {source: externalSecrets, externalSecrets: {store: {name: vault}}}", nil, Link{Text: "link from the store vault"}},
		{", links: {source: sops}", nil, Link{Text: "no link", None: true}},
		{", links: {source: sops}", sealed("2030-02-03T04:05:06Z", ""), Link{Text: "encrypted until 2030-02-03"}},
	} {
		p := Of(mesh(t, c.links, "", west), Facts{Links: map[string]*topology.SealedLink{"west": c.link}})
		assert.Equal(t, c.want, p.Remotes[0].Link, c.links)
	}
}

func TestWays(t *testing.T) {
	p := Of(mesh(t, "", "", west), Facts{})
	assert.Equal(t, "OpenShift login on each cluster", p.Login)
	assert.Equal(t, Backend{Name: "thanos-querier", Place: "on east"}, p.Store)
	assert.True(t, p.Hub.Series)
	assert.False(t, p.Remotes[0].Series, "the hub's own store has no series of remotes")
	assert.Equal(t, []string{"a", "b", "c"}, p.Remotes[0].Namespaces)
	assert.Empty(t, p.Traces.Name)
	assert.Empty(t, p.Delivery)

	for spec, want := range map[string]Backend{
		"  metrics: {store: prometheus, prometheus: {url: \"http://prometheus.monitoring:9090\"}}\n": {"Prometheus", "prometheus.monitoring:9090", "metrics by other means"},
		"  metrics: {store: thanos, thanos: {url: \"https://thanos.example.com\", remoteWrite: {url: \"https://receive.example.com\"}}}\n": {
			"Thanos", "thanos.example.com", "metrics by remote write"},
		"  metrics: {store: acm, acm: {release: \"2.15\", domain: apps.acm.example.com}}\n": {"ACM", "on an ACM hub outside", "series collected by ACM"},
		"  metrics: {store: acm, acm: {release: \"2.15\", hub: west}}\n":                    {"ACM", "on west", "series collected by ACM"},
	} {
		p := Of(mesh(t, "", spec, west), Facts{})
		assert.Equal(t, want, p.Store, spec)
		assert.True(t, p.Remotes[0].Series, spec)
	}
	for spec, want := range map[string]string{
		"argocd: {}":               "Argo CD on east",
		"argocd: {cluster: west}":  "Argo CD on west",
		"flux: {}":                 "Flux on east",
		"flux: {mode: standalone}": "Flux on each cluster",
		"argocd: {applications: {annotations: {apps.open-cluster-management.io/ocm-managed-cluster: \"{cluster}\"}}}": "Argo CD on each cluster, by ACM",
	} {
		p := Of(mesh(t, "", "  delivery: {repoURL: \"https://git.example.com/mesh.git\", "+spec+"}\n", west), Facts{})
		assert.Equal(t, want, p.Delivery, spec)
	}
	for spec, want := range map[string]Backend{
		"{jaeger: {url: \"http://jaeger.tracing:16686\"}}": {"Jaeger", "jaeger.tracing:16686", "traces by other means"},
		"{tempo: {url: \"http://tempo.tracing:3200\"}}":    {"Tempo", "tempo.tracing:3200", "traces by other means"},
		"{}": {"TempoStack", "tempo/mesh on east", "traces by collectors"},
	} {
		p := Of(mesh(t, "", "  tracing: "+spec+"\n", west), Facts{})
		assert.Equal(t, want, p.Traces, spec)
		assert.True(t, p.Remotes[0].Spans, spec)
	}
	planes := Of(mesh(t, "", "", strings.ReplaceAll(west, "namespaces", "controlPlane: {mode: remote, primary: east}, namespaces")+
		"    - {name: apart, server: \"https://api.apart.example.com:6443\", controlPlane: {mode: none}}\n"+
		"    - {name: outside, server: \"https://api.outside.example.com:6443\", platform: kubernetes, labels: {region: eu}, controlPlane: {mode: external}}\n"), Facts{})
	assert.Equal(t, "istiod of east", planes.Remotes[0].ControlPlane)
	assert.Equal(t, "not in the mesh", planes.Remotes[1].ControlPlane)
	assert.Empty(t, planes.Remotes[1].Namespaces)
	assert.Equal(t, "istiod outside", planes.Remotes[2].ControlPlane)
	assert.Equal(t, "eu", planes.Remotes[2].Region)
	assert.Equal(t, "Kubernetes", planes.Remotes[2].Platform)
	for login, want := range map[string]string{
		"openid": "OpenID Connect", "anonymous": "no login", "token": "a token that users paste", "header": "a proxy in front of Kiali",
	} {
		assert.Equal(t, want, Of(mesh(t, ", auth: {strategy: "+login+"}", "", ""), Facts{}).Login)
	}
}

// TestNotes shows which notes findings and results of status become.
func TestNotes(t *testing.T) {
	at := func(rule, message string, s finding.Severity) finding.Finding {
		return finding.Finding{Rule: rule, Message: message, Hint: "hint", Severity: s}
	}
	p := Of(mesh(t, "", "", west), Facts{
		Findings: []check.About{
			{Finding: at("PM13", "of the mesh", finding.Warning)},
			{Finding: at("KC19", "info", finding.Info), Cluster: "west"},
			{Finding: at("RS01", "wrong", finding.Error), Cluster: "west"},
			{Finding: at("RS01", "wrong", finding.Error), Cluster: "west"},
		},
		Results: []status.Result{
			{Check: "ST01", Cluster: "west", Mark: status.Good}, {Check: "ST02", Cluster: "west", Mark: status.Unchecked},
			{Check: "ST03", Cluster: "west", Mark: status.Bad, Found: "found", Next: "next"}, {Check: "ST04", Mark: status.Warning, Found: "warned"},
		},
	})
	assert.True(t, p.Asked)
	assert.Equal(t, []Note{{Grade: Warning, Rule: "PM13", Text: "of the mesh", Advice: "hint"}, {Grade: Warning, Rule: "ST04", Text: "warned", Seen: true}}, p.Notes)
	assert.Equal(t, []Note{{Grade: Error, Rule: "RS01", Text: "wrong", Advice: "hint"}, {Grade: Error, Rule: "ST03", Text: "found", Advice: "next", Seen: true},
		{Grade: Information, Rule: "KC19", Text: "info", Advice: "hint"}}, p.Remotes[0].Notes)
	assert.Equal(t, Error, Worst(p.Remotes[0].Notes))
	assert.Equal(t, 1, p.Remotes[0].Good)
	assert.Equal(t, 1, p.Remotes[0].Unchecked)
	assert.Equal(t, Fine, Worst(p.Hub.Notes))
}
