package kiali

import "strings"

// Metrics lists the series that Kiali queries, as regular expressions without anchors
// (kiali/kiali: prometheus/, graph/telemetry/istio/, business/metrics*.go,
// business/dashboards.go, handlers/overview.go, config/dashboards/). Histograms are
// listed with their suffixes.
func Metrics() []string {
	return []string{
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
}

// MetricNames lists the series that Kiali queries, each by its name.
func MetricNames() []string {
	var names []string
	for _, pattern := range Metrics() {
		names = append(names, spelled(pattern)...)
	}
	return names
}

// spelled lists the names that a pattern of names and (a|b) matches.
func spelled(pattern string) []string {
	before, rest, found := strings.Cut(pattern, "(")
	if !found {
		return []string{pattern}
	}
	choice, after, _ := strings.Cut(rest, ")")
	var names []string
	for _, one := range strings.Split(choice, "|") {
		for _, end := range spelled(after) {
			names = append(names, before+one+end)
		}
	}
	return names
}

// Labels lists the labels of these series that Kiali uses to select or group (kiali
// graph/telemetry/istio, graph/util.go).
func Labels() []string {
	return []string{
		"app", "connection_security_policy", "destination_canonical_revision", "destination_canonical_service", "destination_cluster",
		"destination_principal",
		"destination_service", "destination_service_name", "destination_service_namespace", "destination_workload",
		"destination_workload_namespace",
		"grpc_response_status", MeshID, "namespace", "reporter", "request_protocol", "response_code", "response_flags",
		"source_canonical_revision", "source_canonical_service", "source_cluster", "source_principal", "source_workload",
		"source_workload_namespace",
	}
}

// MeshID is the label with the id of the mesh. The monitors set it, and Kiali selects
// by it.
const MeshID = "mesh_id"
