package discover_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/discover"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// guided is a cluster after the steps of the guide: Istio, OpenShift and the guide's
// objects, in the form of kubectl get -o yaml.
func guided(direction, id string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: istio-system, labels: {topology.istio.io/network: network1}}}
- {apiVersion: v1, kind: Namespace, metadata: {name: sample, labels: {istio-injection: enabled}}}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: istiod, namespace: istio-system, labels: {app: istiod, istio.io/rev: default}}
  spec: {template: {spec: {containers: [{name: discovery, env: [{name: CLUSTER_ID, value: %[2]s}]}]}}}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: istio, namespace: istio-system, labels: {istio.io/rev: default}}
  data: {mesh: "defaultConfig: {meshId: mesh1}\n"}
- {apiVersion: v1, kind: Pod, metadata: {name: app, namespace: sample, annotations: {sidecar.istio.io/status: "{}"}}}
- {apiVersion: config.openshift.io/v1, kind: ClusterVersion, metadata: {name: version}, status: {desired: {version: 4.19.3}}}
- {apiVersion: config.openshift.io/v1, kind: Infrastructure, metadata: {name: cluster}, status: {apiServerURL: "https://api.%[1]s.example.com:6443"}}
- {apiVersion: config.openshift.io/v1, kind: Ingress, metadata: {name: cluster}, spec: {domain: apps.%[1]s.example.com}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: cluster-monitoring-config, namespace: openshift-monitoring}, data: {config.yaml: "enableUserWorkload: true\n"}}
- apiVersion: telemetry.istio.io/v1
  kind: Telemetry
  metadata: {name: enable-prometheus-metrics, namespace: istio-system}
  spec: {metrics: [{providers: [{name: prometheus}]}]}
- {apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {name: istiod-monitor, namespace: istio-system}, spec: {selector: {matchLabels: {istio: pilot}}}}
---
`, direction, id) + podMonitor("istio-system", "istio-proxies-monitor", "$2:$1") + podMonitor("sample", "istio-proxies-monitor", "$2:$1")
}

func podMonitor(namespace, name, replacement string) string {
	return fmt.Sprintf(`apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: %s, namespace: %s}
spec:
  podMetricsEndpoints:
  - path: /stats/prometheus
    interval: 30s
    relabelings:
    - {action: replace, replacement: '%s', targetLabel: __address__, sourceLabels: [a]}
    - {action: replace, replacement: mesh1, targetLabel: mesh_id}
---
`, name, namespace, replacement)
}

const server = `apiVersion: kiali.io/v1alpha1
kind: Kiali
metadata: {name: kiali, namespace: istio-system}
spec: {version: default, external_services: {prometheus: {url: "https://thanos-querier.openshift-monitoring.svc.cluster.local:9091"}}}
---
`

const counterpart = `apiVersion: kiali.io/v1alpha1
kind: Kiali
metadata: {name: kiali, namespace: istio-system}
spec: {version: default, deployment: {remote_cluster_resources_only: true}, auth: {openshift: {redirect_uris: ["https://kiali.example.com/api/auth/callback/cluster2"]}}}
---
`

// world has the dumps of a mesh, by folder.
type world map[string]string

func guide() world {
	return world{"east": guided("east", "cluster1") + server, "west": guided("west", "cluster2") + counterpart}
}

// change replaces a part of a dump. The part must exist.
func (w world) change(t *testing.T, folder, old, new string) {
	t.Helper()
	require.Contains(t, w[folder], old)
	w[folder] = strings.Replace(w[folder], old, new, 1)
}

func (w world) add(folder, objects string) { w[folder] += objects + "\n---\n" }

// read returns snapshots and the findings in their files.
func (w world) read(t *testing.T) ([]*discover.Snapshot, finding.Findings) {
	t.Helper()
	var all []*discover.Snapshot
	var findings finding.Findings
	for _, folder := range []string{"east", "west", "north"} {
		if w[folder] == "" {
			continue
		}
		s, found := discover.Dump(folder, []discover.Source{{Name: folder + "/all.yaml", Data: []byte(w[folder])}})
		all, findings = append(all, s), append(findings, found...)
	}
	return all, findings
}

// outcome is the result of init for a world.
type outcome struct {
	draft    *discover.Draft
	text     string
	topology *topology.Topology
	findings finding.Findings
}

func (w world) discovered(t *testing.T, o discover.Options, alter ...func([]*discover.Snapshot)) outcome {
	t.Helper()
	snapshots, findings := w.read(t)
	for _, f := range alter {
		f(snapshots)
	}
	d, err := discover.New(snapshots, o)
	require.NoError(t, err)
	top, _ := check.Parse("mesh.yaml", d.Text())
	require.NotNil(t, top, "%s", d.Text())
	return outcome{d, string(d.Text()), top, append(findings, d.Findings(top)...)}
}

func (o outcome) has(rule string) bool {
	return slices.ContainsFunc(o.findings, func(f finding.Finding) bool { return f.Rule == rule })
}

func (o outcome) all() string {
	var b strings.Builder
	for _, f := range o.findings {
		fmt.Fprintln(&b, f)
	}
	return b.String()
}

// live makes the snapshots look like those of API servers.
func live(snapshots []*discover.Snapshot) {
	for _, s := range snapshots {
		s.Dumped = false
	}
}

const token = "\n{apiVersion: v1, kind: Secret, metadata: {name: kiali-service-account, namespace: %s, annotations: " +
	"{kubernetes.io/service-account.name: %s, kubernetes.io/service-account.uid: u}}}"

// TestRules shows that each rule finds a mistake, and does not report a near miss.
func TestRules(t *testing.T) {
	t.Parallel()
	cases := []struct {
		rule         string
		defect, near func(t *testing.T, w world)
		wrong, right func([]*discover.Snapshot)
		says         string
	}{
		{"AD01", nil, nil, func(s []*discover.Snapshot) { s[1].Given = "west" }, func(s []*discover.Snapshot) { s[1].Given = "cluster2" },
			`the name given for the dump west is "west", and Istio calls the cluster "cluster2" (CLUSTER_ID of Deployment istio-system/istiod)`},
		{"AD02", func(t *testing.T, w world) { w.change(t, "west", "meshId: mesh1", "meshId: mesh2") },
			func(t *testing.T, w world) { w.change(t, "west", "defaultConfig: {meshId: mesh1}", "{}") }, nil, nil,
			`Istio has more than one mesh id: "mesh1" on cluster1 (ConfigMap istio-system/istio, defaultConfig.meshId); "mesh2" on cluster2`},
		{"AD03", func(t *testing.T, w world) { w.change(t, "west", "value: cluster2", "value: cluster1") },
			func(t *testing.T, w world) { w.change(t, "west", "value: cluster2", "value: cluster-1") }, nil, nil,
			`the dump east and the dump west have the same name in Istio, "cluster1"`},
		{"AD04", func(_ *testing.T, w world) { w.add("west", istiodIn("other", "tenant")) },
			func(_ *testing.T, w world) { w.add("west", istiodIn("openshift-ingress", "openshift-gateway")) }, nil, nil,
			"cluster2 has istiods in the namespaces istio-system, other"},
		{"AD05", func(t *testing.T, w world) { w.change(t, "west", "https://api.west", "https://api-int.west") },
			func(t *testing.T, w world) { w.change(t, "west", "https://api.west", "https://api-interim.west") }, nil, nil,
			"must not be an address of the cluster's own network (api-int)"},
		{"AD06", func(t *testing.T, w world) {
			w.change(t, "west", "{version: default, deployment: {remote", "{version: default, deployment: {instance_name: other, remote")
		},
			func(t *testing.T, w world) {
				w.change(t, "west", "{version: default, deployment: {remote", "{version: default, deployment: {instance_name: kiali, remote")
			}, nil, nil,
			`Kiali istio-system/kiali of cluster2 has the instance name "other", and that of cluster1 is istio-system/kiali`},
		{"AD07", func(_ *testing.T, w world) { w.add("west", podMonitor("istio-system", "envoy-stats-monitor", "x")) },
			func(_ *testing.T, w world) {
				w.add("west", "{apiVersion: monitoring.coreos.com/v1, kind: PodMonitor, metadata: {name: app, namespace: sample}, spec: "+
					"{podMetricsEndpoints: [{path: /metrics}]}}")
			}, nil, nil,
			"PodMonitor istio-system/envoy-stats-monitor of cluster2 scrapes the same proxies"},
		{"AD08", func(t *testing.T, w world) { w.change(t, "west", "'$2:$1'", `'\$2:\$1'`) },
			func(t *testing.T, w world) { w.change(t, "west", "'$2:$1'", `'(\d+)\.'`) }, nil, nil,
			`with a backslash that was meant for a shell`},
		{"AD09", func(_ *testing.T, w world) { w.add("west", fmt.Sprintf(token, "sample", "kiali-service-account")) },
			func(_ *testing.T, w world) {
				w.add("west", fmt.Sprintf(token, "istio-system", "kiali-service-account"))
			}, nil, nil,
			"the token Secret sample/kiali-service-account of cluster2 is in another namespace than Kiali and its account, istio-system"},
		{"AD10", func(_ *testing.T, w world) {
			w.add("west", "{apiVersion: telemetry.istio.io/v1, kind: Telemetry, metadata: {name: access-logs, namespace: istio-system}, spec: {}}")
		},
			func(_ *testing.T, w world) {
				w.add("west", "{apiVersion: telemetry.istio.io/v1, kind: Telemetry, metadata: {name: access-logs, namespace: istio-system}, "+
					"spec: {selector: {matchLabels: {a: b}}}}")
			}, nil, nil, "cluster2 has the mesh-wide Telemetries"},
		{"AD11", nil, nil, func(s []*discover.Snapshot) { s[1].Unread = unread("Telemetry", false) },
			func(s []*discover.Snapshot) { s[1].Unread = unread("Telemetry", true) },
			"telemetries.telemetry.istio.io of cluster2 could not be read"},
		{"AD12", func(_ *testing.T, w world) {
			w.add("west", "{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: b}, data: {token: c2VjcmV0}}")
		}, func(_ *testing.T, w world) {
			w.add("west", "{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: b}}")
		}, nil, nil, "Secret b/a is in the dump with its data"},
		{"AD13", func(t *testing.T, w world) { w.change(t, "east", "version: default", "version: v1.89") },
			func(t *testing.T, w world) { w.change(t, "east", "version: default", "version: v2.22") }, nil, nil,
			`has the version "v1.89", which is no release line that Sightline knows`},
	}
	var with []string
	for _, c := range cases {
		with = append(with, c.rule)
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			try := func(change func(*testing.T, world), alter func([]*discover.Snapshot)) outcome {
				w := guide()
				var more []func([]*discover.Snapshot)
				if change != nil {
					change(t, w)
				}
				if alter != nil {
					more = append(more, alter)
				}
				return w.discovered(t, discover.Options{}, more...)
			}
			caught := try(c.defect, c.wrong)
			assert.True(t, caught.has(c.rule), caught.all())
			assert.Contains(t, caught.all(), c.says)
			assert.NotContains(t, caught.text+caught.all(), "c2VjcmV0")
			assert.False(t, try(c.near, c.right).has(c.rule), try(c.near, c.right).all())
		})
	}
	for _, r := range check.Rules() {
		if r.FoundBy == "discover" {
			assert.Contains(t, with, r.ID, "the rule has no case")
		}
	}
}

func istiodIn(namespace, revision string) string {
	return fmt.Sprintf("{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod-x, namespace: %s, labels: {app: istiod, "+
		"istio.io/rev: %s}}, "+
		"spec: {template: {spec: {containers: [{env: [{name: CLUSTER_ID, value: cluster2}]}]}}}}", namespace, revision)
}

func unread(kind string, absent bool) []discover.Unread {
	for _, k := range discover.Kinds() {
		if k.Kind == kind {
			return []discover.Unread{{Kind: k, Reason: "no rights", Absent: absent}}
		}
	}
	return nil
}

// TestGuide makes a topology from two clusters after the guide: one value on a line,
// each with the place where it was read, and no question.
func TestGuide(t *testing.T) {
	t.Parallel()
	o := guide().discovered(t, discover.Options{})
	assert.Empty(t, o.all())
	assert.Zero(t, o.draft.Questions())
	assert.Equal(t, `# Written by sightline init. A comment behind a value, or above it, says where it
# was read. Answer the questions, then run sightline verify.
apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata:
  name: mesh1 # made from the mesh's id; every object gets it as a label, so choose it well
spec:
  mesh:
    id: mesh1 # ConfigMap istio-system/istio, defaultConfig.meshId
  kiali:
    hub: cluster1 # Kiali istio-system/kiali there runs a server
    # NOTE: the dump has no Secrets. If the hub reaches its remotes already, write links: {source:
    # external}, or have sightline seal make the links.
  metrics:
    userWorkloadMonitoring:
      # ConfigMap openshift-monitoring/cluster-monitoring-config is the same on every cluster; from
      # the first sync on, it has the content from the topology
      manage: true
      config:
        enableUserWorkload: true
  namespaces: [sample] # namespaces with proxies on every cluster of the mesh
  clusters:
    # From the dump east.
    - name: cluster1 # CLUSTER_ID of Deployment istio-system/istiod
      platform: openshift # ClusterVersion: 4.19.3
      server: https://api.east.example.com:6443 # Infrastructure cluster, status.apiServerURL
      domain: apps.east.example.com # Ingress cluster, spec.domain
      network: network1 # the label of Namespace istio-system
    # From the dump west.
    - name: cluster2 # CLUSTER_ID of Deployment istio-system/istiod
      platform: openshift # ClusterVersion: 4.19.3
      server: https://api.west.example.com:6443 # Infrastructure cluster, status.apiServerURL
      domain: apps.west.example.com # Ingress cluster, spec.domain
      network: network1 # the label of Namespace istio-system
`, o.text)
}

// TestFacts shows what the topology gets from one fact on a cluster.
func TestFacts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(t *testing.T, w world)
		has    []string
		lacks  []string
	}{
		{"no meshID", func(t *testing.T, w world) {
			for _, f := range []string{"east", "west"} {
				w.change(t, f, "defaultConfig: {meshId: mesh1}", "trustDomain: corp.example")
			}
		}, []string{"id: mesh1 # PodMonitor istio-system/istio-proxies-monitor of cluster1"}, nil},
		{"revisions", func(_ *testing.T, w world) { w.add("west", istiodIn("istio-system", "1-28-0")) },
			[]string{`revisions: ["1-28-0", default]`}, nil},
		{"a namespace on one cluster", func(_ *testing.T, w world) {
			w.add("west", "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio.io/rev: default}}}")
		}, []string{"namespaces: [sample] #", "namespaces: [shop] # the label istio.io/rev"}, nil},
		{"gateways and waypoints", func(_ *testing.T, w world) {
			w.add("west", "{apiVersion: v1, kind: Pod, metadata: {name: gw, namespace: gateways, labels: {gateway.istio.io/managed: "+
				"istio.io-gateway-controller}}}")
			w.add("west", "{apiVersion: v1, kind: Pod, metadata: {name: wp, namespace: points, labels: {gateway.istio.io/managed: "+
				"istio.io-mesh-controller}}}")
			w.add("west", "{apiVersion: v1, kind: Pod, metadata: {name: in, namespace: old, annotations: {sidecar.istio.io/status: '{}', "+
				"inject.istio.io/templates: gateway}}}")
			w.add("west", "{apiVersion: v1, kind: Pod, metadata: {name: own, namespace: openshift-ingress, labels: {gateway.istio.io/managed: "+
				"x, istio.io/rev: openshift-gateway}}}")
		}, []string{"gateways: [gateways, old] # the gateway gw, the gateway in", "waypoints: [points] # the waypoint " +
			"wp"}, []string{"openshift-ingress"}},
		{"ambient", func(_ *testing.T, w world) {
			w.add("west", "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: ztunnel, namespace: kube-system, labels: {app: ztunnel}}}")
			w.add("west", "{apiVersion: v1, kind: Namespace, metadata: {name: calm, labels: {istio.io/dataplane-mode: ambient}}}")
		}, []string{"dataPlane: ambient", "ztunnelNamespace: kube-system", "namespaces: [calm] # the label istio.io/dataplane-mode"}, nil},
		{"no merge", func(t *testing.T, w world) {
			w.change(t, "west", "defaultConfig: {meshId: mesh1}", "{enablePrometheusMerge: false, defaultConfig: {meshId: mesh1}}")
		}, []string{"prometheusMerge: false # ConfigMap istio of cluster2, enablePrometheusMerge"}, nil},
		{"monitoring of its own", func(t *testing.T, w world) {
			w.change(t, "west", `"enableUserWorkload: true\n"`, `"enableUserWorkload: true\nprometheusK8s: {retention: 15d}\n"`)
		}, []string{"retention: 15d"}, nil},
		{"monitoring that ACM writes", func(t *testing.T, w world) {
			w.change(t, "west", `"enableUserWorkload: true\n"`,
				`"enableUserWorkload: true\nprometheusK8s: {additionalAlertManagerConfigs: [{tlsConfig: {ca: {name: hub-alertmanager-router-ca}}}]}\n"`)
		}, []string{"is left alone: ACM's observability writes into it too"}, []string{"hub-alertmanager-router-ca"}},
		{"monitoring off", func(t *testing.T, w world) {
			w.change(t, "west", "enableUserWorkload: true", "enableUserWorkload: false")
		},
			[]string{"QUESTION: ConfigMap openshift-monitoring/cluster-monitoring-config leaves"}, nil},
		{"a Telemetry of its own", func(t *testing.T, w world) {
			for _, f := range []string{"east", "west"} {
				w.change(t, f, "name: enable-prometheus-metrics", "name: mesh-default")
				w.change(t, f, "spec: {metrics: [{providers: [{name: prometheus}]}]}",
					"spec: {metrics: [{providers: [{name: prometheus}]}], accessLogging: [{providers: [{name: envoy}]}]}")
			}
		}, []string{"name: mesh-default # Telemetry istio-system/mesh-default of cluster1", "accessLogging:\n"}, nil},
		{"links of the script", func(_ *testing.T, w world) {
			w.add("east", "{apiVersion: v1, kind: Secret, metadata: {name: kiali-remote-cluster-secret-cluster2, namespace: istio-system, "+
				"labels: {kiali.io/multiCluster: 'true'}, annotations: {kiali.io/cluster: cluster2}}}")
		}, []string{"format: perCluster", "source: external"}, nil},
		{"an operator by a Subscription", func(_ *testing.T, w world) {
			for _, f := range []string{"east", "west"} {
				w.add(f, "{apiVersion: operators.coreos.com/v1alpha1, kind: Subscription, metadata: {name: kiali-ossm, namespace: "+
					"openshift-operators}, spec: {name: kiali-ossm, channel: candidate, source: mirror, sourceNamespace: openshift-marketplace, "+
					"installPlanApproval: Manual}}")
			}
		}, []string{"channel: candidate", "source: mirror", "approval: Manual"}, []string{"package:", "sourceNamespace:"}},
		{"an operator by its chart", func(_ *testing.T, w world) {
			w.add("east", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: kiali-operator, namespace: kiali-operator, labels: "+
				"{app.kubernetes.io/name: kiali-operator}}}")
		}, []string{"install: none"}, nil},
		{"served from outside", func(t *testing.T, w world) {
			w["north"] = "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: sample, annotations: {sidecar.istio.io/status: '{}'}}, " +
				"spec: {containers: [{name: istio-proxy, env: [{name: ISTIO_META_CLUSTER_ID, value: cluster3}]}]}}\n---\n" +
				"{apiVersion: config.openshift.io/v1, kind: Infrastructure, metadata: {name: cluster}, status: {apiServerURL: " +
				"'https://api.north.example.com:6443'}}\n"
			w.add("west", strings.Replace(istiodIn("external-istiod", "x"), "cluster2", "cluster3", 1))
		}, []string{"mode: external", "primary: cluster2"}, nil},
		{"a remote of a primary", func(_ *testing.T, w world) {
			w["north"] = "{apiVersion: v1, kind: Namespace, metadata: {name: istio-system, annotations: " +
				"{topology.istio.io/controlPlaneClusters: cluster1}}}\n---\n" +
				"{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: sample, annotations: {sidecar.istio.io/status: '{}'}}, spec: " +
				"{containers: [{name: istio-proxy, env: [{name: ISTIO_META_CLUSTER_ID, value: cluster3}]}]}}\n---\n" +
				"{apiVersion: config.openshift.io/v1, kind: Infrastructure, metadata: {name: cluster}, status: {apiServerURL: " +
				"'https://api.north.example.com:6443'}}\n"
		}, []string{"mode: remote\n", "primary: cluster1"}, nil},
		{"ACM, Argo CD and stores", func(_ *testing.T, w world) {
			w.add("east", "{apiVersion: cluster.open-cluster-management.io/v1, kind: ManagedCluster, metadata: {name: prod-west}, spec: "+
				"{managedClusterClientConfigs: [{url: 'https://api.west.example.com:6443'}]}}")
			w.add("east", "{apiVersion: v1, kind: Secret, metadata: {name: cluster-1, namespace: argocd, labels: "+
				"{argocd.argoproj.io/secret-type: cluster}}}")
			w.add("east", "{apiVersion: external-secrets.io/v1, kind: ClusterSecretStore, metadata: {name: vault}}")
		}, []string{"NOTE: ACM on cluster1 manages prod-west.", "managedCluster: prod-west # ManagedCluster prod-west of cluster1 has its " +
			"URL", "NOTE: Argo CD of cluster1 knows clusters by the Secrets argocd/cluster-1, which",
			"NOTE: External Secrets has the stores vault on cluster1."}, nil},
		{"a name for the topology", func(*testing.T, world) {}, []string{"name: mesh1 # made from"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := guide()
			test.change(t, w)
			o := w.discovered(t, discover.Options{})
			for _, part := range test.has {
				assert.Contains(t, unbroken(o.text), part)
			}
			for _, part := range test.lacks {
				assert.NotContains(t, o.text, part)
			}
		})
	}
}

// unbroken joins wrapped lines of comment.
func unbroken(text string) string {
	var b strings.Builder
	before := false
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		comment := strings.HasPrefix(trimmed, "# ") && !strings.HasPrefix(trimmed, "#  ")
		if before && comment && !strings.HasPrefix(trimmed, "# QUESTION") && !strings.HasPrefix(trimmed, "# NOTE") {
			text := strings.TrimSuffix(b.String(), "\n")
			b.Reset()
			b.WriteString(text + " " + strings.TrimPrefix(trimmed, "# ") + "\n")
		} else {
			b.WriteString(line)
		}
		before = comment
	}
	return b.String()
}

// TestLeftovers finds leftovers of copied commands of the guide and of Kiali's
// script.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(t *testing.T, w world)
		says   string
	}{
		{"escapes of a shell", func(t *testing.T, w world) { w.change(t, "west", "'$2:$1'", `'\\d+'`) },
			`AD08: PodMonitor of cluster2: istio-system/istio-proxies-monitor has "\\\\d+"`},
		{"the placeholder", func(t *testing.T, w world) {
			w.change(t, "west", "https://kiali.example.com", "https://{kiali-route-hostname}")
		},
			`has the login callback "https://{kiali-route-hostname}/api/auth/callback/cluster2", in which the host was not filled in`},
		{"the second monitor over the first", func(t *testing.T, w world) {
			w.change(t, "west", podMonitor("istio-system", "istio-proxies-monitor", "$2:$1"), "")
		}, "cluster2 has the PodMonitor sample/istio-proxies-monitor, and none in istio-system"},
		{"another account in the annotation", func(_ *testing.T, w world) { w.add("west", fmt.Sprintf(token, "istio-system", "kiali")) },
			"has the annotation kubernetes.io/service-account.name: kiali, and Kiali's account is kiali-service-account"},
		{"the script's account", func(_ *testing.T, w world) {
			w.add("west", strings.Replace(fmt.Sprintf(token, "istio-system", "kiali"), "name: kiali-service-account", "name: kiali", 1))
		}, "Secret istio-system/kiali of cluster2 has the token of an account that kiali-prepare-remote-cluster.sh has made"},
		{"the script's name of the cluster", func(_ *testing.T, w world) {
			w.add("east", "{apiVersion: v1, kind: Secret, metadata: {name: kiali-remote-cluster-secret-west, namespace: istio-system, labels: "+
				"{kiali.io/multiCluster: 'true'}, annotations: {kiali.io/cluster: west}}}")
		}, `is the link to a cluster "west", which is none of this topology`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := guide()
			test.change(t, w)
			o := w.discovered(t, discover.Options{})
			assert.Contains(t, o.all(), test.says)
			assert.Contains(t, o.all(), "hint: ", "what to do")
		})
	}
	w := guide()
	w.add("west", strings.Replace(fmt.Sprintf(token, "istio-system", "kiali-service-account"), ", kubernetes.io/service-account.uid: u", "",
		1))
	assert.Contains(t, w.discovered(t, discover.Options{}, live).all(),
		"the token Secret istio-system/kiali-service-account of cluster2 has not been filled")
	assert.NotContains(t, w.discovered(t, discover.Options{}).all(), "not been filled", "a dump may have left the annotation out")
}

// TestDirectory shows that each cluster has a file below the directory, with any name
// in Istio.
func TestDirectory(t *testing.T) {
	t.Parallel()
	w := guide()
	w.change(t, "west", "value: cluster2", "value: ../../arn:aws:eks/West")
	var names []string
	for _, f := range w.discovered(t, discover.Options{}).draft.Directory() {
		names = append(names, f.Name)
	}
	assert.Equal(t, []string{"topology.yaml", "clusters/cluster1.yaml", "clusters/arn-aws-eks-west.yaml"}, names)
}

// TestHub names the hub, or lists the possible hubs.
func TestHub(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"cluster2", "west"} {
		assert.Equal(t, "cluster2", guide().discovered(t, discover.Options{Hub: word}).topology.Spec.Kiali.Hub, word)
	}
	bare := world{"east": guided("east", "cluster1"), "west": guided("west", "cluster2")}
	for hub, want := range map[string]string{"": "no cluster has a Kiali server; which cluster should be the hub?",
		"x": `the hub "x" is not one of the clusters`} {
		snapshots, _ := bare.read(t)
		_, err := discover.New(snapshots, discover.Options{Hub: hub})
		require.EqualError(t, err, want)
	}
	two := guide()
	two.change(t, "west", "remote_cluster_resources_only: true", "remote_cluster_resources_only: false")
	snapshots, _ := two.read(t)
	_, err := discover.New(snapshots, discover.Options{})
	require.EqualError(t, err, "cluster1, cluster2 have a Kiali server each; which one is the hub?")
}
