package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/render"
	"github.com/sightline-mesh/sightline/templates"
)

// resourceWords has the names of resources in a field's "Changes:", by the beginning of
// the name of their file or folder.
var resourceWords = map[string]string{
	"argocd/":         "delivery objects",
	"flux/":           "delivery objects",
	"certificate_":    "Certificate",
	"clusterrole":     "ClusterRoleBinding", // includes the role that it binds
	"acm/":            "objects on the ACM hub",
	"-allowlist.yaml": "allow-lists",
	"configmap_openshift-monitoring_cluster-monitoring-config":                     "cluster-monitoring-config",
	"configmap_openshift-user-workload-monitoring_user-workload-monitoring-config": "user-workload-monitoring-config",
	"-cabundle.yaml":          "ConfigMap with the CAs",
	"externalsecret_":         "ExternalSecret",
	"oauthclient_":            "OAuthClient",
	"pushsecret_":             "PushSecret",
	"serviceaccount_":         "ServiceAccount",
	"kiali_":                  "Kiali resource",
	"0-namespace_":            "Namespace",
	"opentelemetrycollector_": "collectors of traces",
	"podmonitor_":             "PodMonitor",
	"prometheusrule_":         "PrometheusRule",
	"route_":                  "Route",
	"sealedsecret_":           "SealedSecret",
	"secret_":                 "token Secret",
	"servicemonitor_":         "ServiceMonitor",
	"subscription_":           "Subscription",
	"telemetry_":              "Telemetry",
	"tempostack_":             "TempoStack",
}

// meshes has enough kinds of meshes that every field can change something.
var meshes = map[string]string{
	"openshift": `{metrics: {userWorkloadMonitoring: {manage: true, config: {enableUserWorkload: true}}},
		clusters: [{}, {userWorkloadMonitoring: {manage: true, config: {enableUserWorkload: true}}}]}`,
	"mixed": `{kiali: {auth: {strategy: anonymous}}, metrics: {userWorkloadMonitoring: {manage: true, config: {enableUserWorkload: true}}},
		clusters: [{}, {platform: kubernetes}]}`,
	"kubernetes": `{kiali: {auth: {strategy: anonymous}, operator: {install: olm}}, clusters: [{platform: kubernetes}, {platform: kubernetes}],
		metrics: {prometheus: {url: "http://p:9090", auth: {type: basic, username: "secret:a:b", password: "secret:a:c"}}}}`,
	"mixed the other way": `{kiali: {auth: {strategy: anonymous}}, clusters: [{platform: kubernetes}, {}], metrics: {prometheus: {url: "http://p:9090"}}}`,
	"old":                 `{kiali: {version: v2.11}}`,
	"trusted":             `{kiali: {ca: ` + strconv.Quote(trustedCA) + `}, metrics: {alerts: {manage: true}}}`,
	"traced":              `{tracing: {tempo: {manage: true, storage: {secretName: s3}}, collectors: {certificates: {certManager: {issuer: ca}}}}}`,
	"traced by secrets":   `{tracing: {collectors: {certificates: {secrets: {server: a, client: b}}}}, kiali: {version: v2.17}}`,
	"traced by URL":       `{tracing: {tempo: {url: "http://tempo:3200"}}}`,
	"traced by Jaeger":    `{tracing: {jaeger: {url: "http://jaeger:16686"}}}`,
	"trusted by v2.4":     `{kiali: {version: v2.4, ca: ` + strconv.Quote(trustedCA) + `}, metrics: {store: thanos, thanos: {url: "https://thanos.example.com"}}}`,
	"acting":              `{kiali: {auth: {impersonation: {enabled: true}}}}`,
	"program":             `{kiali: {auth: {strategy: anonymous}}, clusters: [{}, {access: {exec: {command: login, subject: {name: reader}}}}]}`,
	"external":            `{clusters: [{}, {controlPlane: {mode: external}}]}`,
	"istiod elsewhere":    `{clusters: [{}, {controlPlane: {mode: external, namespace: second}}]}`,
	"second istiod":       `{clusters: [{}, {controlPlane: {mode: external, primary: east, namespace: second}}]}`,
	"prometheus":          `{mesh: {dataPlane: ambient}, metrics: {store: prometheus, prometheus: {url: "http://p:9090", auth: {type: bearer, token: "secret:a:b"}}}}`,
	"thanos": `{metrics: {store: thanos, thanos: {url: "http://thanos:9090", auth: {type: basic, username: "secret:a:b", password: "secret:a:c"},
		remoteWrite: {url: "http://receive:9090"}}}}`,
	"argocd": `{delivery: {repoURL: "https://git.example.com/mesh.git", argocd: {rollout: [{clusters: [east]}]}},
		kiali: {auth: {strategy: anonymous}, operator: {install: helm, chart: {version: 1.2.3}}}}`,
	"argocd by git":   `{delivery: {repoURL: "https://git.example.com/mesh.git", argocd: {generator: git}}, clusters: [{}, {argocd: {name: west}}]}`,
	"argocd's plugin": `{delivery: {repoURL: "https://git.example.com/mesh.git", argocd: {source: plugin}}}`,
	"argocd by ACM":   `{delivery: {repoURL: "https://git.example.com/mesh.git", argocd: {generator: acm, placement: mesh}}}`,
	"no operator":     `{kiali: {operator: {remotes: none}}}`,
	"store":           `{kiali: {links: {source: externalSecrets, externalSecrets: {store: {name: vault}}}}}`,
	"created":         `{createNamespaces: [made]}`,
	"argocd by URL":   `{delivery: {repoURL: "https://git.example.com/mesh.git", argocd: {}}, clusters: [{}, {argocd: {server: "https://w.example.com"}}]}`,
	"flux": `{delivery: {repoURL: "https://git.example.com/mesh.git", flux: {}}, kiali: {auth: {strategy: anonymous},
		operator: {install: helm, chart: {version: 1.2.3}}}, clusters: [{}, {flux: {kubeConfigSecret: west}}]}`,
	"sops by Flux": `{delivery: {repoURL: "https://git.example.com/mesh.git", flux: {}}, kiali: {links: {source: sops}}}`,
	"links by ACM": `{kiali: {links: {source: acm}}}`,
	// Every visitor has the rights of the account.
	"links by ACM for all": `{kiali: {auth: {strategy: anonymous}, links: {source: acm}}}`,
	"flux on the hub":      `{delivery: {repoURL: "https://git.example.com/mesh.git", flux: {}}}`,
	"flux by SSH":          `{delivery: {repoURL: "git@git.example.com:mesh.git", flux: {mode: standalone, secretRef: key}}}`,
	"acm":                  `{kiali: {version: v2.27, ca: ` + strconv.Quote(trustedCA) + `}, metrics: {store: acm, acm: {hub: east, release: "2.16"}}}`,
	"acm on a remote":      `{kiali: {version: v2.27}, metrics: {store: acm, acm: {hub: west, release: "5.0", rules: {namespace: rules, manage: true, config: {prometheus: {}}}}}}`,
	"acm apart": `{kiali: {version: v2.27}, metrics: {store: acm, acm: {domain: apps.acm.example.com, release: "2.15", argocd: {name: acm}}},
		delivery: {repoURL: "https://git.example.com/mesh.git", argocd: {}}}`,
	"acm apart by Flux": `{kiali: {version: v2.27}, metrics: {store: acm, acm: {domain: apps.acm.example.com, release: "2.15"}},
		delivery: {repoURL: "https://git.example.com/mesh.git", flux: {}}}`,
	"acm by lists":               `{kiali: {version: v2.27}, metrics: {store: acm, acm: {hub: east, release: "2.14", allowList: {in: hub, more: {names: [a]}}}}}`,
	"acm by lists of namespaces": `{kiali: {version: v2.27}, metrics: {store: acm, acm: {hub: east, release: "2.14", access: internal}}}`,
	"acm of an ambient mesh":     `{mesh: {dataPlane: ambient}, kiali: {version: v2.27}, metrics: {store: acm, acm: {hub: east, release: "2.16", aggregate: false}}}`,
	"linked":                     `{kiali: {links: {format: perCluster}}}`,
	"thanos by token":            `{metrics: {store: thanos, thanos: {url: "http://thanos:9090", auth: {type: bearer, token: "secret:a:b"}}}}`,
}

const commonMesh = `{apiVersion: sightline.dev/v1alpha1, kind: Topology, metadata: {name: mesh}, spec: {mesh: {id: mesh1}, kiali: {hub: east}, clusters: [
	{name: east, server: "https://east.example.com:6443", domain: apps.east.example.com},
	{name: west, server: "https://west.example.com:6443", domain: apps.west.example.com}]}}`

// leavesWith has the paths of fields that may have to go when a field changes.
var leavesWith = map[string][]string{
	"spec.kiali.operator.install":                   {"spec.kiali.operator.chart"},
	"spec.tracing.tempo.manage":                     {"spec.tracing.tempo.storage"},
	"spec.tracing.tempo.url":                        {"spec.tracing.tempo.manage", "spec.tracing.tempo.storage", "spec.tracing.collectors"},
	"spec.tracing.collectors.manage":                {"spec.tracing.collectors.certificates"},
	"spec.kiali.hub":                                {"spec.metrics.prometheus"},
	"spec.clusters[].platform":                      {"spec.metrics.prometheus"},
	"spec.metrics.store":                            {"spec.metrics.thanos", "spec.metrics.prometheus", "spec.metrics.acm"},
	"spec.metrics.acm.argocd.server":                {"spec.metrics.acm.argocd.name"},
	"spec.metrics.acm.collector":                    {"spec.metrics.acm.allowList", "spec.metrics.acm.rules"},
	"spec.metrics.acm.release":                      {"spec.metrics.acm.allowList", "spec.metrics.acm.rules"},
	"spec.metrics.acm.aggregate":                    {"spec.metrics.acm.rules"},
	"spec.metrics.acm.allowList.in":                 {"spec.metrics.acm.allowList.more"},
	"spec.metrics.acm.rules.manage":                 {"spec.metrics.acm.rules.config"},
	"spec.metrics.prometheus.auth.type":             {"spec.metrics.prometheus.auth.username", "spec.metrics.prometheus.auth.password"},
	"spec.metrics.thanos.auth.type":                 {"spec.metrics.thanos.auth.username", "spec.metrics.thanos.auth.password"},
	"spec.metrics.userWorkloadMonitoring.manage":    {"spec.metrics.userWorkloadMonitoring.config"},
	"spec.clusters[].userWorkloadMonitoring.manage": {"spec.clusters[].userWorkloadMonitoring.config"},
}

// shippedTemplates returns the templates of the program, for all tests of this package
// that render. So each shape is evaluated once.
var shippedTemplates = render.NewTemplates(templates.FS)

// shared gives a run these templates.
func shared(ctx context.Context) context.Context { return withTemplates(ctx, shippedTemplates) }

// TestWholeChanges gives every field other values in every mesh, renders, and compares
// what changed with what explain says of the field. The sample of tier 0 goes on with a
// field until all that explain says has changed, and then with every eighth mesh.
func TestWholeChanges(t *testing.T) {
	t.Parallel()
	changed, said := map[string]map[string]bool{}, map[string]map[string]bool{}
	fields := topology.Fields()
	for _, f := range fields {
		changed[f.Path], said[f.Path] = map[string]bool{}, map[string]bool{}
		for _, word := range resourceWords {
			if strings.Contains(f.Changes, word) || strings.HasPrefix(f.Changes, "every resource") {
				said[f.Path][word] = true
			}
		}
	}
	for m, name := range slices.Sorted(maps.Keys(meshes)) {
		known := map[string]map[string]string{}
		base := decoded(t, commonMesh)
		lay(base["spec"].(map[string]any), decoded(t, meshes[name]))
		before, findings := rendered(t, base, known)
		require.Empty(t, findings, name)
		for i, f := range fields {
			if f.Section || !delivers(base, f.Path) || !whole() && (m+i)%8 > 0 && maps.Equal(changed[f.Path], said[f.Path]) {
				continue
			}
			accepted := 0
			for _, value := range otherValues(&f) {
				if accepted > 1 && !whole() && len(f.Values) == 0 {
					break
				}
				for cluster := range 1 + strings.Count(f.Path, "clusters[]") {
					doc := decoded(t, string(encoded(t, base)))
					put(doc, f.Path, cluster, value)
					after, findings := rendered(t, doc, known)
					if len(findings) > 0 {
						// With another value, another field may be wrong.
						for _, path := range leavesWith[f.Path] {
							put(doc, path, cluster, nil)
						}
						after, findings = rendered(t, doc, known)
					}
					if len(findings) > 0 {
						continue // this mesh does not permit the value either
					}
					accepted++
					for file := range union(before, after) {
						if before[file] != after[file] {
							changed[f.Path][wordFor(t, file)] = true
						}
					}
				}
			}
		}
	}
	for _, f := range fields {
		if f.Section || strings.HasPrefix(f.Path, "spec.overlays[]") {
			continue // an overlay decides itself what it changes
		}
		assert.Equal(t, slices.Sorted(maps.Keys(changed[f.Path])), slices.Sorted(maps.Keys(said[f.Path])), "%s changes %s", f.Path, f.Changes)
	}
}

// delivers tells whether the mesh has the engine of a field. Without it, the engine would
// change more than the field.
func delivers(mesh map[string]any, path string) bool {
	if tracing, _ := mesh["spec"].(map[string]any)["tracing"].(map[string]any); strings.HasPrefix(path, "spec.tracing.") {
		return tracing != nil && (!strings.HasPrefix(path, "spec.tracing.jaeger.") || tracing["jaeger"] != nil)
	}
	rest, ok := strings.CutPrefix(path, "spec.delivery.")
	engine, _, below := strings.Cut(rest, ".")
	if !ok || !below {
		return true
	}
	delivery, _ := mesh["spec"].(map[string]any)["delivery"].(map[string]any)
	return delivery[engine] != nil
}

// otherValues returns values that a field may have; some may be wrong.
func otherValues(f *topology.Field) []any {
	if len(f.Values) > 0 {
		values := make([]any, len(f.Values))
		for i, v := range f.Values {
			values[i] = v
		}
		return values
	}
	switch f.Type {
	case "true or false":
		return []any{true, false}
	case "list of strings":
		return []any{[]any{"other"}, []any{"west"}}
	case "object with free keys":
		return []any{map[string]any{"enableUserWorkload": true, "other": "value"}}
	case "object with free keys and string values":
		return []any{map[string]any{"other": "value"}}
	case "URL":
		return []any{"https://other.example.com:6443"}
	case "duration":
		return []any{"7m"}
	case "certificates in PEM":
		return []any{trustedCA}
	case "host name":
		return []any{"other.example.com"}
	case "path":
		return []any{"/other"}
	case "reference secret:<name>:<key>":
		return []any{"secret:other:key"}
	}
	if strings.HasPrefix(f.Path, "spec.tracing.") {
		return []any{"other", "7", "20Gi", "00000000-0000-0000-0000-000000000001"}
	}
	return []any{"30d", "other/name", "other", "west", "east", "1", "1.2.4", "7d", "https://other.example.com"}
}

// rendered returns the digests of the objects by file, with the number of a cluster
// instead of its name. It renders equal topologies, with their defaults, once.
func rendered(t *testing.T, doc map[string]any, known map[string]map[string]string) (map[string]string, finding.Findings) {
	t.Helper()
	top, findings := check.Parse("mesh.yaml", encoded(t, doc))
	if len(findings) > 0 {
		return nil, findings
	}
	resolved, err := json.Marshal(top)
	require.NoError(t, err)
	if objects := known[string(resolved)]; objects != nil {
		return objects, nil
	}
	links := render.Links{}
	for i := range top.Spec.Clusters {
		if c := &top.Spec.Clusters[i]; !top.IsHub(c) {
			link := topology.SealedLink{Spec: topology.SealedLinkSpec{Generation: 1, Tokens: []int{1, 2}, EncryptedData: "sealed"}}
			if top.Spec.Kiali.Links.Source == "sops" {
				link.Spec.SOPS = &topology.SealedSOPS{MAC: "mac"}
			}
			links[c.Name] = &link
		}
	}
	files, err := render.Tree(top, render.Sources{Templates: shippedTemplates, Links: links}, render.Manifests)
	require.NoError(t, err)
	objects := map[string]string{}
	for _, file := range files {
		digest := sha256.Sum256(file.Content) // without the first line, which names the cluster
		content := string(digest[:])
		for i, c := range top.Spec.Clusters {
			if below, ok := strings.CutPrefix(file.Path, "clusters/"+c.Name+"/"); ok {
				objects[fmt.Sprintf("%d/%s", i, below)] = content
			}
		}
		if strings.HasPrefix(file.Path, "acm/") || strings.HasPrefix(file.Path, "argocd/") || strings.HasPrefix(file.Path, "flux/") {
			objects[file.Path] = content
		}
	}
	require.NotEmpty(t, objects)
	known[string(resolved)] = objects
	return objects, nil
}

func wordFor(t *testing.T, file string) string {
	t.Helper()
	if strings.Contains(file, "acm/") && !strings.HasPrefix(file, "flux/") {
		return resourceWords["acm/"]
	}
	if strings.HasPrefix(path.Base(file), "secret_") && strings.Contains(file, "-cluster-secret") { // which SOPS has encrypted
		return resourceWords["sealedsecret_"]
	}
	for prefix, word := range resourceWords {
		if strings.HasPrefix(path.Base(file), prefix) || strings.HasPrefix(file, prefix) || strings.HasSuffix(file, prefix) {
			return word
		}
	}
	require.Fail(t, "no word for "+file)
	return ""
}

func union(a, b map[string]string) map[string]bool {
	files := map[string]bool{}
	for _, m := range []map[string]string{a, b} {
		for file := range m {
			files[file] = true
		}
	}
	return files
}

// put sets the value at a path. [] in the path stands for a cluster. Without a value, it
// removes the field.
func put(m map[string]any, path string, cluster int, value any) {
	part, rest, below := strings.Cut(path, ".")
	key, list := strings.CutSuffix(part, "[]")
	switch {
	case !below && value == nil:
		delete(m, key)
	case !below:
		m[key] = value
	case list:
		if items, ok := m[key].([]any); ok {
			put(items[cluster].(map[string]any), rest, cluster, value)
		}
	default:
		if m[key] == nil {
			m[key] = map[string]any{}
		}
		put(m[key].(map[string]any), rest, cluster, value)
	}
}

// lay merges b over a, lists item by item.
func lay(a, b map[string]any) {
	for key, value := range b {
		switch under := a[key].(type) {
		case map[string]any:
			lay(under, value.(map[string]any))
		case []any:
			for i, item := range value.([]any) {
				lay(under[i].(map[string]any), item.(map[string]any))
			}
		default:
			a[key] = value
		}
	}
}

func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	var doc map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(strings.ReplaceAll(text, "\t", " ")), &doc))
	return doc
}

func encoded(t *testing.T, doc map[string]any) []byte {
	t.Helper()
	data, err := json.Marshal(doc)
	require.NoError(t, err)
	return data
}

// trustedCA is a CA whose key nobody has.
const trustedCA = `-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIUOkiZe1zwjxNz5c7VMRzSPE4klQgwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJY2EtYS50ZXN0MCAXDTI2MTEyNzIyMzA1OFoYDzIxMjYxMTAz
MjIzMDU4WjAUMRIwEAYDVQQDDAljYS1hLnRlc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARbM1/ymyCiya5Jn8yL/yS5PKfY348pscS7O0G0ma2tdk6XQvrwvHpR
Tt+xmchGe94Ce4RpLdaYpvAtP9ZhWRE9o1MwUTAdBgNVHQ4EFgQUpf+OtY6FWFtB
U0/s54vlq2lWrC4wHwYDVR0jBBgwFoAUpf+OtY6FWFtBU0/s54vlq2lWrC4wDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEA4SC/nneXJKLLlkyOgpQ5
HaJx/Ip8w1VzRDE5DfAqR5YCIFzp44xWTEPNdgYa9+t/4cUoxsUC+Y+R/BD2KCkc
2/DD
-----END CERTIFICATE-----
`
