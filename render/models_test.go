package render_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/manifests"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/render"
)

// models lists the objects of each cluster of the examples: the operator's
// package and Kiali's namespace; on a hub, the right to view the cluster's
// metrics; on a remote, the token; the mesh-wide Telemetry and the monitor of
// istiod, if there is an istiod; the configurations of OpenShift's monitoring;
// the namespaces with alerts; whether there are alerts about Kiali's health;
// and the namespaces whose proxies are scraped.
const models = `
topology        cluster     operator    kiali         view  token  telemetry  istiod  monitoring  remoteWrite  alerts               health  proxies
single          cluster1    kiali-ossm  istio-system  yes   -      yes        yes     -           -            -                    -       bookinfo,istio-system

east-west       cluster1    kiali-ossm  istio-system  yes   -      yes        yes     yes         -            -                    -       istio-system,sample
east-west       cluster2    kiali-ossm  istio-system  -     yes    yes        yes     yes         -            -                    -       istio-system,sample

primary-remote  cluster1    kiali-ossm  istio-system  yes   -      yes        yes     -           -            -                    -       istio-gateways,istio-system,sample
primary-remote  cluster2    kiali-ossm  istio-system  -     yes    -          -       -           -            -                    -       istio-gateways,istio-system,sample
primary-remote  cluster3    kiali-ossm  istio-system  -     yes    yes        -       -           -            -                    -       istio-system,sample

external-kiali  management  kiali-ossm  kiali         -     -      -          -       -           -            -                    -       -
external-kiali  east        kiali-ossm  kiali         -     yes    yes        yes     -           -            -                    -       istio-system,sample
external-kiali  west        kiali-ossm  kiali         -     yes    yes        yes     -           -            -                    -       istio-system,sample

ambient         cluster1    kiali-ossm  istio-system  yes   -      yes        yes     -           -            -                    -       bookinfo,istio-gateways,istio-system,shared-waypoints,ztunnel
ambient         cluster2    kiali-ossm  istio-system  -     yes    yes        yes     -           -            -                    -       bookinfo,istio-gateways,istio-system,mesh-node

kubernetes      cluster1    -           istio-system  -     -      yes        yes     -           -            -                    -       istio-system,sample
kubernetes      cluster2    -           istio-system  -     yes    yes        yes     -           -            -                    -       istio-system,sample
kubernetes      cluster3    -           istio-system  -     yes    yes        yes     -           -            -                    -       istio-system,sample

thanos          cluster1    kiali-ossm  istio-system  -     -      yes        yes     yes         yes          istio-system,sample  yes     istio-system,sample
thanos          cluster2    kiali-ossm  istio-system  -     yes    yes        yes     yes         yes          -                    -       istio-system,sample
`

// TestModels shows that the examples have the objects of the table above, each
// in its phase, and no others.
func TestModels(t *testing.T) {
	want := map[string]map[string][]string{}
	rows := strings.Split(strings.TrimSpace(models), "\n")
	columns := strings.Fields(rows[0])
	for _, row := range rows[1:] {
		cells := strings.Fields(row)
		if len(cells) == 0 {
			continue
		}
		require.Len(t, cells, len(columns), row)
		says := map[string]string{}
		for i, column := range columns {
			says[column] = cells[i]
		}
		if want[says["topology"]] == nil {
			want[says["topology"]] = map[string][]string{}
		}
		want[says["topology"]][says["cluster"]] = objectsOfRow(says)
	}
	known := examples(t)
	for name, clusters := range want {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, known, name)
			got, err := render.Clusters(known[name], render.SourcesOf(known[name]))
			require.NoError(t, err)
			require.Len(t, got, len(clusters))
			for i := range got {
				assert.ElementsMatch(t, clusters[got[i].Name], phasesAndIDs(t, &got[i]), got[i].Name)
			}
		})
	}
}

// objectsOfRow lists the objects of a row of the table, as phase and identity.
func objectsOfRow(says map[string]string) []string {
	var objects []string
	add := func(column, object string) {
		if says[column] != "-" {
			objects = append(objects, object)
		}
	}
	add("operator", "operator Subscription openshift-operators/"+says["operator"])
	add("kiali", "kiali Kiali "+says["kiali"]+"/kiali")
	add("view", "kiali ClusterRoleBinding /kiali-"+says["kiali"]+"-monitoring-view")
	add("token", "link Secret "+says["kiali"]+"/kiali-service-account")
	add("telemetry", "monitoring Telemetry istio-system/enable-prometheus-metrics")
	add("istiod", "monitoring ServiceMonitor istio-system/istiod-monitor")
	add("monitoring", "monitoring ConfigMap openshift-monitoring/cluster-monitoring-config")
	add("remoteWrite", "monitoring ConfigMap openshift-user-workload-monitoring/user-workload-monitoring-config")
	add("health", "monitoring ServiceMonitor "+says["kiali"]+"/kiali-health")
	add("health", "monitoring PrometheusRule "+says["kiali"]+"/kiali-health")
	for _, namespace := range strings.Split(says["proxies"], ",") {
		add("proxies", "monitoring PodMonitor "+namespace+"/istio-proxies-monitor")
	}
	for _, namespace := range strings.Split(says["alerts"], ",") {
		add("alerts", "monitoring PrometheusRule "+namespace+"/mesh-alerts")
	}
	return objects
}

func phasesAndIDs(t *testing.T, c *resource.Cluster) []string {
	t.Helper()
	files, err := manifests.Cluster(c)
	require.NoError(t, err)
	var objects []string
	for _, f := range files {
		phase := strings.Split(f.Path, "/")[2] // clusters/<cluster>/<phase>/<file>
		id := resource.IDOf(decode[resource.Object](t, f.Content))
		objects = append(objects, phase+" "+id.Kind+" "+id.Namespace+"/"+id.Name)
	}
	return objects
}

// TestKialiResources shows the Kiali resource of a cluster for each choice on
// which it depends.
func TestKialiResources(t *testing.T) {
	const (
		openshift  = "{name: a, domain: apps.a.test}"
		kubernetes = "{name: a, platform: kubernetes}"
		remotes    = ", {name: b, server: 'https://b.test:6443'}, {name: c, server: 'https://c.test:6443', platform: kubernetes}"
		thanos     = "store: thanos, thanos: {url: 'http://thanos.test'}"
		openid     = "auth: {strategy: openid}, spec: {auth: {openid: {client_id: kiali, issuer_uri: 'https://login.test'}}}"
	)
	for _, test := range []struct {
		name                     string
		kiali, metrics, clusters string
		want                     map[string]string // spec of a cluster's Kiali resource, without the common fields
	}{
		{"OpenShift hub and remotes", "", thanos, openshift + remotes, map[string]string{
			"a": "",
			"b": "{auth: {openshift: {redirect_uris: ['https://kiali-istio-system.apps.a.test/api/auth/callback/b']}}}",
			"c": "", // the hub's users cannot log in there
		}},
		{"port of its own", "spec: {server: {port: 8443}}", thanos, "{name: a, kiali: {host: kiali.test}}", map[string]string{
			"a": "{deployment: {ingress: {override_yaml: {spec: {host: kiali.test, port: {targetPort: 8443}, tls: {insecureEdgeTerminationPolicy: Redirect, termination: reencrypt}, to: {kind: Service, name: kiali}}}}}, " +
				"server: {web_fqdn: kiali.test, web_schema: https, web_port: '443', port: 8443}}",
		}},
		{"host of one's own on OpenShift", "", thanos, "{name: a, kiali: {host: kiali.test}}" + remotes, map[string]string{
			"a": "{deployment: {ingress: {override_yaml: {spec: {host: kiali.test, port: {targetPort: 20001}, tls: {insecureEdgeTerminationPolicy: Redirect, termination: reencrypt}, to: {kind: Service, name: kiali}}}}}, server: {web_fqdn: kiali.test, web_schema: https, web_port: '443'}}",
			"b": "{auth: {openshift: {redirect_uris: ['https://kiali.test/api/auth/callback/b']}}}",
		}},
		{"web root on OpenShift", "", thanos, "{name: a, domain: apps.a.test, kiali: {webRoot: /mesh}}" + remotes, map[string]string{
			"a": "{server: {web_root: /mesh}, auth: {openshift: {redirect_uris: ['https://kiali-istio-system.apps.a.test/mesh/api/auth/callback']}}}",
			"b": "{auth: {openshift: {redirect_uris: ['https://kiali-istio-system.apps.a.test/mesh/api/auth/callback/b']}}}",
			"c": "",
		}},
		{"web root that is the platform's", "", thanos, "{name: a, domain: apps.a.test, kiali: {webRoot: /}}", map[string]string{"a": ""}},
		{"web root of v1.73, whose OAuthClient allows every path", "version: v1.73", thanos, "{name: a, domain: apps.a.test, kiali: {webRoot: /mesh}}", map[string]string{
			"a": "{server: {web_root: /mesh}}",
		}},
		{"view only", "viewOnly: true", thanos, openshift + remotes, map[string]string{
			"a": "{deployment: {view_only_mode: true}}",
			"b": "{deployment: {view_only_mode: true}, auth: {openshift: {redirect_uris: ['https://kiali-istio-system.apps.a.test/api/auth/callback/b']}}}",
			"c": "{deployment: {view_only_mode: true}}",
		}},
		{"anonymous", "auth: {strategy: anonymous}", thanos, openshift + remotes, map[string]string{
			"a": "{auth: {strategy: anonymous}}",
			"b": "{auth: {strategy: anonymous}}", // otherwise Kiali's account could only view there
			"c": "{auth: {strategy: anonymous}}",
		}},
		{"header", "auth: {strategy: header}", thanos, openshift, map[string]string{"a": "{auth: {strategy: header}}"}},
		{"header on Kubernetes", "auth: {strategy: header}", thanos, kubernetes, map[string]string{"a": "{auth: {strategy: header}}"}},
		{"token on OpenShift", "auth: {strategy: token}", thanos, openshift, map[string]string{"a": "{auth: {strategy: token}}"}},
		{"openid", openid, thanos, openshift + remotes, map[string]string{
			"a": "{auth: {strategy: openid, openid: {client_id: kiali, issuer_uri: 'https://login.test'}}}",
			"b": "{auth: {strategy: token}}", // the operator fails without client and issuer, and by default would make an OAuthClient
			"c": "",                          // token is the operator's default
		}},
		{"Kubernetes hub alone", "", thanos, kubernetes, map[string]string{"a": ""}},
		{"Kubernetes hub with remotes", openid, thanos, kubernetes + remotes, map[string]string{
			"a": "{auth: {strategy: openid, openid: {client_id: kiali, issuer_uri: 'https://login.test'}}}",
			"b": "{auth: {strategy: token}}",
			"c": "",
		}},
		{"domain on Kubernetes", "", thanos, "{name: a, platform: kubernetes, domain: apps.a.test}", map[string]string{
			"a": "{deployment: {ingress: {enabled: true}}, server: {web_fqdn: kiali-istio-system.apps.a.test, web_schema: https, web_port: '443'}}",
		}},
		{"host and web root on Kubernetes", "", thanos, "{name: a, platform: kubernetes, kiali: {host: kiali.test, webRoot: /}}", map[string]string{
			"a": "{deployment: {ingress: {enabled: true}}, server: {web_fqdn: kiali.test, web_schema: https, web_port: '443', web_root: /}}",
		}},
		{"outside the mesh", "", thanos, "{name: a, domain: apps.a.test, controlPlane: {mode: none}}" + remotes, map[string]string{
			"a": "{clustering: {ignore_home_cluster: true}}",
			"b": "{auth: {openshift: {redirect_uris: ['https://kiali-istio-system.apps.a.test/api/auth/callback/b']}}}",
			"c": "",
		}},
		{"namespace of its own, v2.11", "namespace: kiali, version: v2.11", thanos, openshift + remotes, map[string]string{
			"a": "{istio_namespace: istio-system}",
			"b": "{auth: {openshift: {redirect_uris: ['https://kiali-kiali.apps.a.test/api/auth/callback/b']}}}",
		}},
		{"namespace of its own, v2.17", "namespace: kiali, version: v2.17", thanos, openshift, map[string]string{"a": ""}},
		{"the hub's line is older", "namespace: kiali", thanos, "{name: a, kiali: {version: v2.4}}", map[string]string{"a": "{version: v2.4, istio_namespace: istio-system}"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			top := parsed(t, "mesh: {id: mesh1}\nkiali: {"+separated("hub: a", test.kiali)+"}\nmetrics: {"+test.metrics+"}\nclusters: ["+test.clusters+"]")
			for cluster, own := range test.want {
				assert.Equal(t, specOf(t, top, cluster, own), kialiSpec(t, top, cluster), cluster)
			}
		})
	}
}

// specOf returns a spec with the fields of every hub or remote, and with own.
func specOf(t *testing.T, top *topology.Topology, cluster, own string) map[string]any {
	t.Helper()
	all := "{version: " + top.Spec.Kiali.Version.String() + ", deployment: {instance_name: kiali"
	if cluster == top.Spec.Kiali.Hub {
		if len(top.Spec.Clusters) > 1 && top.Spec.Kiali.Version == kiali.V2_27 {
			all += ", strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}"
		}
		all += "}, kubernetes_config: {cluster_name: " + cluster + "}, external_services: {grafana: {enabled: false}, prometheus: " +
			"{query_scope: {mesh_id: mesh1}, thanos_proxy: {enabled: true, scrape_interval: 30s}, url: 'http://thanos.test'}}}"
	} else {
		all += ", remote_cluster_resources_only: true}}"
	}
	return resource.Merge(decode[map[string]any](t, []byte(all)), decode[map[string]any](t, []byte(own)))
}

// TestKialiSpec shows how kiali.spec is merged over the rendered spec: objects
// merge, and all other values are replaced. The topology's kiali.spec is for
// the hub. A cluster's spec is merged over it.
func TestKialiSpec(t *testing.T) {
	top := parsed(t, `
mesh: {id: mesh1}
kiali:
  hub: a
  spec:
    deployment: {replicas: 2, tolerations: [{key: one}, {key: two}]}
    external_services: {grafana: {enabled: true, external_url: 'https://grafana.test'}, prometheus: {query_scope: {tenant: x}}}
    istio_labels: {app_label_name: app}
clusters:
  - name: a
    domain: apps.a.test
    kiali: {spec: {deployment: {replicas: 3, tolerations: [{key: three}], pod_labels: {team: mesh}}}}
  - name: b
    server: https://b.test:6443
    kiali: {spec: {auth: {openshift: {token_max_age: 3600}}}}
`)
	want := kialiSpec(t, parsed(t, "mesh: {id: mesh1}\nkiali: {hub: a}\nclusters: [{name: a}]"), "a")
	want["deployment"] = map[string]any{
		"instance_name": "kiali",
		"replicas":      3.0,
		"tolerations":   []any{map[string]any{"key": "three"}},
		"pod_labels":    map[string]any{"team": "mesh"},
	}
	want["istio_labels"] = map[string]any{"app_label_name": "app"}
	services := want["external_services"].(map[string]any)
	services["grafana"] = map[string]any{"enabled": true, "external_url": "https://grafana.test"}
	services["prometheus"].(map[string]any)["query_scope"] = map[string]any{"mesh_id": "mesh1", "tenant": "x"}
	assert.Equal(t, want, kialiSpec(t, top, "a"))

	remote := kialiSpec(t, top, "b")
	assert.NotContains(t, remote, "istio_labels", "the topology's is for the hub")
	assert.Equal(t, map[string]any{
		"redirect_uris": []any{"https://kiali-istio-system.apps.a.test/api/auth/callback/b"},
		"token_max_age": 3600.0,
	}, remote["auth"].(map[string]any)["openshift"])
}

// TestMonitoringConfigIsForClustersThatAreScraped shows which clusters have
// cluster-monitoring-config. It replaces all monitoring settings of a cluster.
// So it is only rendered if the mesh needs it, or if the cluster itself asks
// for it.
func TestMonitoringConfigIsForClustersThatAreScraped(t *testing.T) {
	top := parsed(t, `
mesh: {id: mesh1}
kiali: {hub: outside}
metrics:
  store: prometheus
  prometheus: {url: 'http://prometheus.test:9090'}
  userWorkloadMonitoring: {manage: true, config: {enableUserWorkload: true}}
clusters:
  - {name: outside, domain: apps.a.test, controlPlane: {mode: none}}
  - {name: inside, server: 'https://b.test:6443'}
  - {name: kubernetes, platform: kubernetes, server: 'https://c.test:6443'}
  - {name: unmanaged, server: 'https://d.test:6443', userWorkloadMonitoring: {manage: false}}
  - {name: own, server: 'https://e.test:6443', userWorkloadMonitoring: {manage: true, config: {enableUserWorkload: true, prometheusK8s: {retention: 15d}}}}
`)
	got := map[string]string{}
	for key, manifest := range rendered(t, top) {
		if cluster, found := strings.CutSuffix(key, "/ConfigMap/openshift-monitoring/cluster-monitoring-config"); found {
			got[cluster] = decode[resource.Object](t, manifest)["data"].(map[string]any)["config.yaml"].(string)
		}
	}
	assert.Equal(t, map[string]string{
		"inside": "enableUserWorkload: true\n",
		"own":    "enableUserWorkload: true\nprometheusK8s:\n  retention: 15d\n",
	}, got)
}

// TestSubscriptions shows the source of the operator: by default OpenShift's
// catalog on OpenShift; elsewhere only if the topology asks for it.
func TestSubscriptions(t *testing.T) {
	const (
		openshift  = "{name: a, domain: apps.a.test}, {name: b, server: 'https://b.test:6443', platform: kubernetes}"
		kubernetes = "{name: a, platform: kubernetes}, {name: b, server: 'https://b.test:6443'}"
		ossm       = "kiali-ossm of stable from openshift-marketplace/redhat-operators in openshift-operators"
		upstream   = "kiali of stable from olm/operatorhubio-catalog in operators"
	)
	for _, test := range []struct {
		name, operator, clusters string
		a, b                     string
	}{
		{"OpenShift hub", "", openshift, ossm, ""},
		{"Kubernetes hub", "", kubernetes, "", ""},
		{"none", "install: none", openshift, "", ""},
		{"asked for", "install: olm", openshift, ossm, upstream},
		{"asked for on a Kubernetes hub", "install: olm", kubernetes, upstream, ossm},
		{"community", "install: olm, source: community-operators, channel: alpha", openshift,
			"kiali of alpha from openshift-marketplace/community-operators in openshift-operators", "kiali of alpha from olm/community-operators in operators"},
		{"mirror of the community's catalog", "install: olm, source: cs-community, sourceNamespace: mirrors, package: kiali", openshift,
			"kiali of stable from mirrors/cs-community in openshift-operators", "kiali of stable from mirrors/cs-community in operators"},
		{"mirror", "source: mirrored-operators", openshift, "kiali-ossm of stable from openshift-marketplace/mirrored-operators in openshift-operators", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			top := parsed(t, "mesh: {id: mesh1}\nkiali: {hub: a, auth: {strategy: anonymous}, operator: {"+test.operator+"}}\nmetrics: {store: prometheus, prometheus: {url: 'http://prometheus.test:9090'}}\nclusters: ["+test.clusters+"]")
			got := map[string]string{}
			for key, manifest := range rendered(t, top) {
				if strings.Contains(key, "/Subscription/") {
					object := decode[resource.Object](t, manifest)
					s := object["spec"].(map[string]any)
					got[strings.Split(key, "/")[0]] = fmt.Sprintf("%s of %s from %s/%s in %s", s["name"], s["channel"], s["sourceNamespace"], s["source"], resource.IDOf(object).Namespace)
				}
			}
			assert.Equal(t, test.a, got["a"])
			assert.Equal(t, test.b, got["b"])
		})
	}
}

// TestMonitorsOfACluster shows what a topology and a cluster can set for their
// monitors: the interval, labels that a Prometheus selects, and whether the
// series have the revision of istiod.
func TestMonitorsOfACluster(t *testing.T) {
	all := examples(t)
	monitors := func(name string) map[string]monitor {
		found := map[string]monitor{}
		for key, manifest := range rendered(t, all[name]) {
			if strings.Contains(key, "Monitor/") && !strings.HasSuffix(key, "/kiali-health") { // Kiali's own monitor
				found[key] = decode[monitor](t, manifest)
			}
		}
		require.NotEmpty(t, found)
		return found
	}
	for key, m := range monitors("thanos") {
		assert.Equal(t, map[string]string{"cluster1": "30s", "cluster2": "1m"}[strings.Split(key, "/")[0]], m.endpoint().Interval, key)
	}
	for key, m := range monitors("kubernetes") {
		assert.Equal(t, map[string]string{
			"app.kubernetes.io/managed-by": "sightline",
			"app.kubernetes.io/name":       "mesh-monitoring",
			"app.kubernetes.io/part-of":    "kubernetes",
			"release":                      "kube-prometheus-stack",
		}, m.Metadata.Labels, key)
	}
	assert.Equal(t, []string{"app", "istio.io/rev"}, monitors("primary-remote")["cluster1/ServiceMonitor/istio-system/istiod-monitor"].Spec.TargetLabels)
	assert.Equal(t, []string{"app"}, monitors("single")["cluster1/ServiceMonitor/istio-system/istiod-monitor"].Spec.TargetLabels)
}
