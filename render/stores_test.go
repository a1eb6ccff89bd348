package render_test

import (
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// kialiAsksFor are the series for Kiali's graph, health, metrics, mesh page and
// dashboards.
var kialiAsksFor = strings.Fields(`
	istio_requests_total
	istio_request_duration_milliseconds_bucket istio_request_duration_milliseconds_sum istio_request_duration_milliseconds_count
	istio_request_bytes_bucket istio_request_bytes_sum istio_request_bytes_count
	istio_response_bytes_bucket istio_response_bytes_sum istio_response_bytes_count
	istio_request_messages_total istio_response_messages_total
	istio_tcp_sent_bytes_total istio_tcp_received_bytes_total
	istio_tcp_connections_opened_total istio_tcp_connections_closed_total
	pilot_proxy_convergence_time_bucket pilot_proxy_convergence_time_sum pilot_proxy_convergence_time_count
	pilot_services pilot_xds pilot_xds_pushes pilot_info istio_build
	process_cpu_seconds_total process_resident_memory_bytes
	workload_manager_active_proxy_count
	container_cpu_usage_seconds_total container_memory_working_set_bytes
	envoy_server_uptime envoy_server_memory_allocated envoy_server_memory_heap_size
	envoy_cluster_upstream_cx_active envoy_cluster_upstream_rq_total
	envoy_listener_downstream_cx_active envoy_listener_http_downstream_rq
	up`)

// nobodyAsksFor are other series of the same targets. A pattern that is too
// wide would match some of them.
var nobodyAsksFor = strings.Fields(`
	envoy_cluster_upstream_rq_time_bucket envoy_cluster_upstream_rq_total_x x_envoy_cluster_upstream_rq_total
	envoy_server_live envoy_listener_http_downstream_rq_xx
	istio_agent_pilot_xds istio_agent_go_goroutines istio_request_duration_milliseconds istio_requests_totals
	istio_request_bytes_created istio_tcp_connections_total
	pilot_xds_push_time_bucket pilot_services_x pilot_k8s_cfg_events
	go_goroutines go_gc_duration_seconds process_open_fds process_start_time_seconds
	scrape_duration_seconds scrape_samples_scraped upx startup up_`)

// TestRemoteWriteSendsWhatKialiAsksFor runs the series of a cluster of the
// example thanos through Prometheus' own engine.
func TestRemoteWriteSendsWhatKialiAsksFor(t *testing.T) {
	for cluster, config := range workloadConfigs(t, examples(t)["thanos"]) {
		require.Len(t, config.Prometheus.RemoteWrite, 1)
		rules := configs(t, config.Prometheus.RemoteWrite[0].WriteRelabelConfigs)
		sent := func(name string) bool {
			series := labels.NewBuilder(labels.FromStrings("__name__", name, "mesh_id", "mesh1", "namespace", "sample"))
			return relabel.ProcessBuilder(series, rules...)
		}
		for _, name := range kialiAsksFor {
			assert.True(t, sent(name), "%s does not send %s", cluster, name)
		}
		for _, name := range nobodyAsksFor {
			assert.False(t, sent(name), "%s sends %s", cluster, name)
		}
	}
}

// TestRemoteWriteKeepsClustersApart shows that the series of each cluster have
// its name as a label, that the topology's other settings stay, and that
// credentials are references.
func TestRemoteWriteKeepsClustersApart(t *testing.T) {
	found := workloadConfigs(t, examples(t)["thanos"])
	require.Len(t, found, 2)
	for cluster, config := range found {
		p := config.Prometheus
		assert.Equal(t, map[string]string{"cluster_name": cluster}, p.ExternalLabels)
		assert.Equal(t, "24h", p.Retention)
		assert.Equal(t, "https://thanos-receive.metrics.example.com/api/v1/receive", p.RemoteWrite[0].URL)
		assert.Equal(t, secretKey{Name: "thanos-writer", Key: "token"}, p.RemoteWrite[0].Authorization.Credentials)
	}
	hub := kialiSpec(t, examples(t)["thanos"], "cluster1")
	assert.Equal(t, map[string]any{"type": "bearer", "token": "secret:thanos-reader:token"}, prometheusOf(hub)["auth"])
}

// TestRemoteWriteGoesWithTheMonitors shows that every scraped OpenShift cluster
// sends its series, and no other cluster. A Kubernetes cluster has no such
// configuration.
func TestRemoteWriteGoesWithTheMonitors(t *testing.T) {
	top := parsed(t, `
mesh: {id: mesh1}
kiali: {hub: outside}
metrics:
  store: thanos
  thanos: {url: 'http://thanos.test', remoteWrite: {url: 'http://receive.test'}}
clusters:
  - {name: outside, domain: apps.a.test, controlPlane: {mode: none}}
  - {name: inside, server: 'https://b.test:6443'}
  - {name: remote, server: 'https://c.test:6443', controlPlane: {mode: remote}}
  - {name: kubernetes, platform: kubernetes, server: 'https://d.test:6443'}
`)
	var senders []string
	for cluster, config := range workloadConfigs(t, top) {
		senders = append(senders, cluster)
		assert.Equal(t, cluster, config.Prometheus.ExternalLabels["cluster_name"])
	}
	assert.ElementsMatch(t, []string{"inside", "remote"}, senders)

	top.Spec.Clusters[0].Namespaces = []string{"gateways"}
	assert.Contains(t, workloadConfigs(t, top), "outside", "it is scraped now")
}

// TestStores shows where and how the hub's Kiali reads metrics, and which
// accounts may view the cluster's metrics: those that ask thanos-querier.
func TestStores(t *testing.T) {
	const querier = "{url: 'https://thanos-querier.openshift-monitoring.svc.cluster.local:9091', auth: {type: bearer, use_kiali_token: true}, thanos_proxy: {enabled: true, scrape_interval: 30s}}"
	for _, test := range []struct {
		name, metrics, hub string
		want               string
		view               bool
	}{
		{"OpenShift", "", "", querier, true},
		{"Kubernetes", "prometheus: {url: 'http://prometheus.mesh:9090'}", "platform: kubernetes", "{url: 'http://prometheus.mesh:9090'}", false},
		{"thanosQuerier", "store: thanosQuerier", "", querier, true},
		{"prometheus", "store: prometheus, prometheus: {url: 'http://prom.test:9090/prefix'}", "", "{url: 'http://prom.test:9090/prefix'}", false},
		{"prometheus with a password", "store: prometheus, prometheus: {url: 'http://prometheus.mesh:9090', auth: {type: basic, username: 'secret:p:user', password: 'secret:p:pass'}}", "",
			"{url: 'http://prometheus.mesh:9090', auth: {type: basic, username: 'secret:p:user', password: 'secret:p:pass'}}", false},
		{"thanos", "store: thanos, thanos: {url: 'http://thanos.test'}", "", "{url: 'http://thanos.test', thanos_proxy: {enabled: true, scrape_interval: 30s}}", false},
		{"thanos with a token", "store: thanos, thanos: {url: 'http://thanos.test', auth: {type: bearer, token: 'secret:t:token'}}", "platform: kubernetes",
			"{url: 'http://thanos.test', thanos_proxy: {enabled: true, scrape_interval: 30s}, auth: {type: bearer, token: 'secret:t:token'}}", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			top := parsed(t, "mesh: {id: mesh1, controlPlaneNamespace: mesh}\nkiali: {hub: a}\nmetrics: {"+test.metrics+"}\nclusters: [{"+separated("name: a", test.hub)+"}]")
			want := decode[map[string]any](t, []byte(test.want))
			want["query_scope"] = map[string]any{"mesh_id": "mesh1"}
			assert.Equal(t, want, prometheusOf(kialiSpec(t, top, "a")))

			views := 0
			for key := range rendered(t, top) {
				if strings.Contains(key, "/ClusterRoleBinding/") {
					views++
				}
			}
			assert.Equal(t, test.view, views == 1)
		})
	}
}

// TestKialiKnowsTheLongestInterval shows the scrape interval that Kiali is
// told. With a shorter one, its rates over the series of some cluster would be
// empty.
func TestKialiKnowsTheLongestInterval(t *testing.T) {
	const thanos = "store: thanos, thanos: {url: 'http://thanos.test'}"
	for _, test := range []struct{ name, metrics, hub, remote, other, want string }{
		{"all alike", thanos + ", interval: 20s", "", "", "", "20s"},
		{"a remote's", thanos, "", "metrics: {interval: 2m}", "metrics: {interval: 90s}", "2m"},
		{"the hub's", thanos, "metrics: {interval: 1h}", "metrics: {interval: 59m59s}", "", "1h"},
		{"shorter ones", thanos, "metrics: {interval: 10s}", "metrics: {interval: 15s}", "metrics: {interval: 5s}", "15s"},
		{"another unit", thanos, "metrics: {interval: 61s}", "metrics: {interval: 1m}", "", "61s"},
		{"a hub that is not scraped", thanos, "controlPlane: {mode: none}, metrics: {interval: 5m}", "metrics: {interval: 1m}", "", "1m"},
		{"thanos-querier, which has the hub's alone", "", "metrics: {interval: 15s}", "metrics: {interval: 2m}", "", "15s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			top := parsed(t, "mesh: {id: mesh1}\nkiali: {hub: a}\nmetrics: {"+test.metrics+"}\nclusters:\n"+
				"- {"+separated("name: a, domain: apps.a.test", test.hub)+"}\n"+
				"- {"+separated("name: b, server: 'https://b.test:6443'", test.remote)+"}\n"+
				"- {"+separated("name: c, server: 'https://c.test:6443'", test.other)+"}\n")
			assert.Equal(t, map[string]any{"enabled": true, "scrape_interval": test.want}, prometheusOf(kialiSpec(t, top, "a"))["thanos_proxy"])
		})
	}
}

func prometheusOf(spec map[string]any) map[string]any {
	services, _ := spec["external_services"].(map[string]any)
	prometheus, _ := services["prometheus"].(map[string]any)
	return prometheus
}

// workloadConfig has the fields that user-workload-monitoring-config may have
// here, with OpenShift's names. Any other field fails the test that reads it.
type workloadConfig struct {
	Prometheus struct {
		ExternalLabels map[string]string `json:"externalLabels"`
		Retention      string            `json:"retention"`
		RemoteWrite    []struct {
			URL           string `json:"url"`
			Authorization struct {
				Credentials secretKey `json:"credentials"`
			} `json:"authorization"`
			WriteRelabelConfigs []relabeling `json:"writeRelabelConfigs"`
		} `json:"remoteWrite"`
	} `json:"prometheus"`
}

type secretKey struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// workloadConfigs returns the configurations of user workload monitoring, by
// cluster.
func workloadConfigs(t *testing.T, top *topology.Topology) map[string]workloadConfig {
	t.Helper()
	found := map[string]workloadConfig{}
	for key, manifest := range rendered(t, top) {
		if cluster, ok := strings.CutSuffix(key, "/ConfigMap/openshift-user-workload-monitoring/user-workload-monitoring-config"); ok {
			data := decode[resource.Object](t, manifest)["data"].(map[string]any)
			require.Len(t, data, 1)
			found[cluster] = decode[workloadConfig](t, []byte(data["config.yaml"].(string)))
		}
	}
	return found
}

// TestRemoteWriteKeepsItsList shows that the user's relabelings come after the
// list of Kiali's series, and do not replace it.
func TestRemoteWriteKeepsItsList(t *testing.T) {
	top := examples(t)["thanos"]
	top.Spec.Metrics.Thanos.RemoteWrite.Settings = map[string]any{"writeRelabelConfigs": []any{map[string]any{"action": "labeldrop", "regex": "request_operation"}}}
	found := workloadConfigs(t, top)
	require.NotEmpty(t, found)
	for _, config := range found {
		rules := configs(t, config.Prometheus.RemoteWrite[0].WriteRelabelConfigs)
		require.Len(t, rules, 2)
		series := labels.NewBuilder(labels.FromStrings("__name__", "istio_requests_total", "request_operation", "x"))
		require.True(t, relabel.ProcessBuilder(series, rules...))
		assert.Empty(t, series.Get("request_operation"))
		assert.False(t, relabel.ProcessBuilder(labels.NewBuilder(labels.FromStrings("__name__", "go_goroutines")), rules...))
	}
}
