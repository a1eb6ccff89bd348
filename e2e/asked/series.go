package asked

import (
	"fmt"
	"maps"
	"strings"
)

// Metrics lists the metrics of user workloads for which Kiali asks, by name.
// Histograms are listed by their series.
func Metrics() []string {
	names := []string{
		"istio_requests_total", "istio_request_messages_total", "istio_response_messages_total", "istio_tcp_sent_bytes_total",
		"istio_tcp_received_bytes_total", "istio_tcp_connections_opened_total", "istio_tcp_connections_closed_total", "istio_build",
		"pilot_services", "pilot_xds", "pilot_xds_pushes", "pilot_info", "process_cpu_seconds_total", "process_resident_memory_bytes",
		"workload_manager_active_proxy_count", "envoy_server_uptime", "envoy_server_memory_allocated", "envoy_server_memory_heap_size",
		"envoy_cluster_upstream_cx_active", "envoy_cluster_upstream_rq_total", "envoy_listener_downstream_cx_active",
		"envoy_listener_http_downstream_rq",
	}
	for _, histogram := range []string{"istio_request_duration_milliseconds", "istio_request_bytes", "istio_response_bytes",
		"pilot_proxy_convergence_time"} {
		names = append(names, histogram+"_bucket", histogram+"_sum", histogram+"_count")
	}
	return names
}

// ContainerMetrics lists the metrics of containers for which Kiali asks. The
// platform's Prometheus has them.
func ContainerMetrics() []string {
	return []string{"container_cpu_usage_seconds_total", "container_memory_working_set_bytes"}
}

// Name is the label with the name of a metric.
const Name = "__name__"

// Pod is a pod and its metrics: the labels of each series, with its Name.
type Pod struct {
	Namespace, Name, App string
	Series               []map[string]string
}

// Pods lists the pods of a cluster, east or west: front and back with two pods
// each, istiod, and in an ambient mesh two pods of ztunnel. front calls the
// back of the other cluster. All series count equally.
func Pods(cluster string, ambient bool) []Pod {
	other := map[string]string{"east": "west", "west": "east"}[cluster]
	var pods []Pod
	for _, n := range []string{"1", "2"} {
		front := Pod{Namespace: "sample", Name: "front-" + n, App: "front"}
		front.reports(traffic("source", cluster, other), isTraffic)
		front.reports(map[string]string{}, func(metric string) bool { return n == "1" && strings.HasPrefix(metric, "envoy_") })
		back := Pod{Namespace: "sample", Name: "back-" + n, App: "back"}
		back.reports(traffic("destination", other, cluster), isTraffic)
		pods = append(pods, front, back)
		if ambient {
			ztunnel := Pod{Namespace: "istio-system", Name: "ztunnel-" + n, App: "ztunnel"}
			ztunnel.reports(traffic("destination", other, cluster), func(metric string) bool { return strings.HasPrefix(metric, "istio_tcp_") })
			ztunnel.reports(map[string]string{"component": "ztunnel", "tag": "1.27.3"}, func(metric string) bool {
				return n == "1" && (metric == "istio_build" || metric == "workload_manager_active_proxy_count")
			})
			pods = append(pods, ztunnel)
		}
	}
	istiod := Pod{Namespace: "istio-system", Name: "istiod-" + cluster, App: "istiod"}
	istiod.reports(map[string]string{"component": "pilot", "tag": "1.27.3"}, func(metric string) bool {
		return strings.HasPrefix(metric, "pilot_") || strings.HasPrefix(metric, "process_") || metric == "istio_build"
	})
	return append(pods, istiod)
}

// reports adds a series of each chosen metric, and three series for the buckets
// of a histogram.
func (p *Pod) reports(labels map[string]string, chosen func(metric string) bool) {
	for _, metric := range Metrics() {
		if !chosen(metric) {
			continue
		}
		limits := []string{""}
		if strings.HasSuffix(metric, "_bucket") {
			limits = []string{"10", "100", "+Inf"}
		}
		for _, le := range limits {
			series := maps.Clone(labels)
			series[Name] = metric
			if le != "" {
				series["le"] = le
			}
			p.Series = append(p.Series, series)
		}
	}
}

func isTraffic(metric string) bool {
	return strings.HasPrefix(metric, "istio_") && metric != "istio_build"
}

// traffic returns the labels of the series that front or back reports about the
// requests between them.
func traffic(reporter, source, destination string) map[string]string {
	return map[string]string{
		"reporter": reporter, "source_cluster": source, "destination_cluster": destination,
		"source_workload": "front", "source_workload_namespace": "sample", "source_canonical_service": "front", "source_canonical_revision": "v1",
		"source_principal": "spiffe://front", "destination_principal": "spiffe://back",
		"destination_workload": "back", "destination_workload_namespace": "sample", "destination_canonical_service": "back",
		"destination_canonical_revision": "v1",
		"destination_service":            "back.sample.svc.cluster.local",
		"destination_service_name":       "back",
		"destination_service_namespace":  "sample",
		"request_protocol":               "http", "response_code": "200", "grpc_response_status": "0", "response_flags": "-",
		"connection_security_policy": "mutual_tls",
	}
}

// Containers lists the series that the platform's Prometheus has of the control
// plane's pods: one for each container, and one for the pod as a whole, which
// no query counts.
func Containers(pods []Pod) []map[string]string {
	var all []map[string]string
	for _, pod := range pods {
		if pod.Namespace != "istio-system" {
			continue
		}
		for _, container := range []string{"discovery", ""} {
			for _, metric := range ContainerMetrics() {
				all = append(all, map[string]string{Name: metric, "pod": pod.Name, "namespace": pod.Namespace, "container": container})
			}
		}
	}
	return all
}

// Text returns a series in Prometheus' notation.
func Text(series map[string]string) string {
	var pairs []string
	for _, label := range sortedKeys(series) {
		if label != Name {
			pairs = append(pairs, fmt.Sprintf("%s=%q", label, series[label]))
		}
	}
	return series[Name] + "{" + strings.Join(pairs, ",") + "}"
}
