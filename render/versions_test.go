package render_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// lines are the values of kiali.version, oldest first.
var lines = kiali.LineNames()

// shapes are topologies that together have every field that templates write
// into a Kiali resource, each with the oldest line that supports it. %s stands
// for the line.
var shapes = []struct{ name, since, spec string }{
	{"single", "v1.73", `
kiali: {hub: a, version: %s, viewOnly: true}
clusters: [{name: a}]`},
	{"single with host and web root", "v1.73", `
kiali: {hub: a, version: %s, namespace: kiali}
clusters: [{name: a, kiali: {host: kiali.test, webRoot: /mesh}}]`},
	{"single on Kubernetes", "v1.73", `
kiali: {hub: a, version: %s, auth: {strategy: openid}, spec: {auth: {openid: {client_id: kiali, issuer_uri: 'https://login.test'}}}}
metrics: {prometheus: {url: 'https://prom.test', auth: {type: basic, username: 'secret:prom:user', password: 'secret:prom:password'}}}
clusters: [{name: a, platform: kubernetes, kiali: {host: kiali.test, webRoot: /mesh}}]`},
	{"remotes", "v2.4", `
kiali: {hub: a, version: %s, viewOnly: true, namespace: kiali}
clusters: [{name: a, domain: apps.a.test, kiali: {webRoot: /mesh}}, {name: b, server: 'https://b.test:6443'}]`},
	{"remotes of a hub with anonymous", "v2.4", `
kiali: {hub: a, version: %s, auth: {strategy: anonymous}}
metrics: {store: thanos, thanos: {url: 'http://thanos.test', auth: {type: bearer, token: 'secret:thanos:token'}}}
clusters: [{name: a}, {name: b, server: 'https://b.test:6443'}, {name: c, platform: kubernetes, server: 'https://c.test:6443'}]`},
	{"remotes of a hub on Kubernetes", "v2.4", `
kiali: {hub: a, version: %s, auth: {strategy: openid}, spec: {auth: {openid: {client_id: kiali, issuer_uri: 'https://login.test'}}}}
metrics: {prometheus: {url: 'http://prometheus.test:9090'}}
clusters: [{name: a, platform: kubernetes}, {name: b, server: 'https://b.test:6443'}, {name: c, platform: kubernetes, server: 'https://c.test:6443'}]`},
	{"a remote of an older line", "v2.4", `
kiali: {hub: a}
clusters: [{name: a, domain: apps.a.test}, {name: b, server: 'https://b.test:6443', kiali: {version: %s}}]`},
	{"the single Secret, by name", "v2.11", `
kiali: {hub: a, version: %s, links: {format: single}}
clusters: [{name: a, domain: apps.a.test}, {name: b, server: 'https://b.test:6443'}]`},
	{"hub outside the mesh", "v2.17", `
kiali: {hub: a, version: %s}
metrics: {store: thanos, thanos: {url: 'http://thanos.test'}}
clusters: [{name: a, controlPlane: {mode: none}}]`},
	{"openid on OpenShift", "v2.22", `
kiali: {hub: a, version: %s, auth: {strategy: openid}, spec: {auth: {openid: {client_id: kiali, issuer_uri: 'https://login.test'}}}}
clusters: [{name: a}]`},
}

// TestLines shows that the Kiali resources of every line only have fields that
// the operator's role of the line knows, and that an unsupported choice gives
// one finding.
func TestLines(t *testing.T) {
	for _, s := range shapes {
		for i, line := range lines {
			t.Run(s.name+"/"+line, func(t *testing.T) {
				top, findings := parseLine(s.spec, line)
				if i < slices.Index(lines, s.since) {
					require.Len(t, findings, 1)
					assert.Equal(t, "KC09", findings[0].Rule, "%s", findings[0])
					return
				}
				require.Empty(t, findings)
				for c := range top.Spec.Clusters {
					cluster := &top.Spec.Clusters[c]
					for field := range fields("", kialiSpec(t, top, cluster.Name)) {
						assert.True(t, knows(cluster.Kiali.Version, field), "%s: the role of %s does not know %s", cluster.Name, cluster.Kiali.Version, field)
					}
				}
			})
		}
	}
}

// TestLinesFindWhatIsUnknown shows that the test above can fail.
func TestLinesFindWhatIsUnknown(t *testing.T) {
	for field, since := range map[string]string{
		"deployment.remote_cluster_resources_only":          "v2.4",
		"auth.openshift.redirect_uris":                      "v2.4",
		"clustering.ignore_home_cluster":                    "v2.17",
		"external_services.prometheus.auth.oauth2.audience": "v2.27",
		"external_services.prometheus.auth.oauth2.token":    "never",
		"external_services.prometheus.query_scope.mesh_id":  "v1.73",
		"deployment.ingress.override_yaml.spec.host":        "v1.73",
	} {
		for i, line := range lines {
			want := since != "never" && i >= slices.Index(lines, since)
			of, _ := kiali.ParseLine(line)
			assert.Equal(t, want, knows(of, field), "%s in %s", field, line)
		}
	}
	assert.False(t, knows(kiali.V2_17, "istio_namespace"))
}

// TestLinesPassTheirSchemas shows that the operator of each release accepts the
// Kiali resources of its own line and all earlier lines. An operator drops
// fields that its definition does not have, whatever the line.
func TestLinesPassTheirSchemas(t *testing.T) {
	dir := shared(t, "crds/kiali-by-version", "that the Kiali resources of each line pass the schemas of the operators that know the line")
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	ofLine := map[string]map[string][]byte{}
	for _, line := range lines {
		ofLine[line] = map[string][]byte{}
		for _, s := range shapes {
			top, findings := parseLine(s.spec, line)
			if len(findings) > 0 {
				continue
			}
			for key, manifest := range rendered(t, top) {
				if strings.Contains(key, "/Kiali/") {
					ofLine[line][s.name+": "+key] = manifest
				}
			}
		}
	}
	for _, file := range files {
		release := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "kiali-"), ".0.yaml")
		t.Run(release, func(t *testing.T) {
			d := defineFile(t, file, "v1alpha1")
			upTo := upTo(t, release)
			// The line default means the newest operator's line. An older
			// operator needs its line in the topology.
			newest := slices.Contains(upTo, "v2.27")
			for _, line := range upTo {
				require.NotEmpty(t, ofLine[line])
				for name, manifest := range ofLine[line] {
					problems := d.problems(t, manifest)
					if !newest && strings.Contains(string(manifest), "version: default\n") {
						problems = slices.DeleteFunc(problems, func(p string) bool { return p == "unknown field spec.deployment.strategy" })
					}
					assert.Empty(t, problems, "%s, %s", line, name)
				}
			}
		})
	}
}

// upTo returns the lines that the operator of a release knows.
func upTo(t *testing.T, release string) []string {
	t.Helper()
	number := func(s string) (n int) {
		_, err := fmt.Sscanf(strings.TrimPrefix(s, "v"), "2.%d", &n)
		require.NoError(t, err)
		return n
	}
	known := []string{"v1.73", "default"}
	for _, line := range lines[1 : len(lines)-1] {
		if number(line) <= number(release) {
			known = append(known, line)
		}
	}
	return known
}

// TestLinksFormat shows which Secrets hold the links if the topology does not
// say it. Only the line of the hub decides.
func TestLinksFormat(t *testing.T) {
	want := map[string]string{"v1.73": "perCluster", "v2.4": "perCluster", "v2.11": "single", "v2.17": "single", "v2.22": "single", "v2.27": "single", "default": "single"}
	for _, line := range lines {
		top, _ := parseLine("kiali: {hub: a, version: %s}\nclusters: [{name: a}]", line)
		assert.Equal(t, want[line], top.Spec.Kiali.Links.Format, line)
		top, _ = parseLine("kiali: {hub: a, version: v2.22}\nclusters: [{name: a, kiali: {version: %s}}]", line)
		assert.Equal(t, want[line], top.Spec.Kiali.Links.Format, "%s of the hub alone", line)
	}
}

func parseLine(spec, line string) (*topology.Topology, finding.Findings) {
	return check.Parse("test.yaml", []byte(inTopology("mesh: {id: mesh1}\n"+strings.TrimSpace(fmt.Sprintf(spec, line)))))
}

// fields lists the paths of the values that are neither objects nor empty.
func fields(path string, v any) map[string]bool {
	m, ok := v.(map[string]any)
	if !ok {
		return map[string]bool{path: true}
	}
	all := map[string]bool{}
	for key, below := range m {
		maps.Copy(all, fields(strings.TrimPrefix(path+"."+key, "."), below))
	}
	return all
}

// knows tells whether the role of a line reads a field, or a free-form object
// that contains the field.
func knows(line kiali.Line, field string) bool {
	for at := field; ; {
		if f, ok := kiali.Fields()[at]; ok && !f.Section() {
			return f.In(line)
		}
		dot := strings.LastIndex(at, ".")
		if dot < 0 {
			return false
		}
		at = at[:dot]
	}
}
