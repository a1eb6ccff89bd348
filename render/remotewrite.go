package render

import (
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// kialiMetrics are the series that Kiali asks for, as it names them in its own
// source (kiali/kiali: prometheus/, graph/telemetry/istio/, business/metrics*.go,
// business/dashboards.go, handlers/overview.go, config/dashboards/). Histograms
// are listed without their suffixes.
var kialiMetrics = []string{
	"istio_requests_total",
	"istio_(request_duration_milliseconds|request_bytes|response_bytes)_(bucket|sum|count)",
	"istio_(request|response)_messages_total",
	"istio_tcp_(sent_bytes|received_bytes|connections_opened|connections_closed)_total",
	"istio_build",
	"pilot_proxy_convergence_time_(bucket|sum|count)",
	"pilot_(services|xds|xds_pushes|info)",
	"process_(cpu_seconds_total|resident_memory_bytes)",
	"workload_manager_active_proxy_count",
	"container_(cpu_usage_seconds_total|memory_working_set_bytes)",
	"envoy_server_(uptime|memory_allocated|memory_heap_size)",
	"envoy_cluster_upstream_(cx_active|rq_total)",
	"envoy_listener_(downstream_cx_active|http_downstream_rq)",
	"up",
}

func remoteWrites(t *topology.Topology, c *topology.Cluster) bool {
	return t.Spec.Metrics.Store == "thanos" && t.Spec.Metrics.Thanos.RemoteWrite != nil && c.Platform == "openshift" && len(namespacesOf(t, c)) > 0
}

// workloadConfig is the content of user-workload-monitoring-config: what Kiali
// asks for goes to the store, under the cluster's name. Without an external
// label, equal series of two clusters would be one in the store.
func workloadConfig(w *topology.RemoteWrite, cluster string) map[string]any {
	entry := resource.Merge(map[string]any{
		"url": w.URL,
		"writeRelabelConfigs": []any{map[string]any{
			"action":       "keep",
			"sourceLabels": []any{"__name__"},
			"regex":        strings.Join(kialiMetrics, "|"),
		}},
	}, w.Settings)
	return resource.Merge(map[string]any{"prometheus": map[string]any{
		"externalLabels": map[string]any{"cluster": cluster},
		"remoteWrite":    []any{entry},
	}}, w.Config)
}
