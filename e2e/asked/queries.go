// Package asked restates Kiali's queries to a store of metrics. It also has the
// series of a mesh on two clusters, east and west, that answer all of them.
// Tests with Prometheus' engine and tests with Prometheus servers share it.
package asked

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Clock says how the series count. The results of queries depend on it.
type Clock struct {
	Window time.Duration // of rates: the duration that a user chooses in Kiali
	Rate   float64       // how much each series grows in a second
	Level  float64       // the last value of each series, or 0 if it is unknown
}

// Query is a query of Kiali.
type Query struct {
	Expr string  // in the form that Kiali sends
	Want float64 // the sum of the result, or 0 if any result is enough
}

// Lines lists the release lines of Kiali whose queries are restated.
func Lines() []string { return []string{"v2.4", "v2.11", "v2.17", "v2.22", "v2.27"} }

// Queries lists the queries of a release line of Kiali about a cluster of the
// mesh mesh1, for its graph, health, metrics and the control plane. All lines
// send the same queries, except for the health of services. Queries for the
// graph and for metrics have the scope in each selector (graph/util.go).
// Queries for health and for the control plane have no scope.
//
// Sources, at the tags v2.4.0, v2.11.0, v2.17.0, v2.22.0 and v2.27.0 of
// kiali/kiali: graph/telemetry/istio/istio.go,
// graph/telemetry/istio/appender/{response_time,
// throughput,security_policy}.go, prometheus/metrics.go, business/metrics.go,
// business/metrics_labels_builder.go, business/dashboards.go.
func Queries(line, cluster string, ambient bool, clock Clock) []Query {
	a := &asker{cluster: cluster, ambient: ambient, clock: clock, window: fmt.Sprintf("[%ds]", int(clock.Window.Seconds()))}
	a.graph()
	a.health(line != "v2.4")
	a.metrics()
	a.controlPlane()
	a.proxy()
	if ambient {
		a.ztunnel()
	}
	return a.all
}

type asker struct {
	cluster string
	ambient bool
	clock   Clock
	window  string
	all     []Query
}

// asks adds a query without a scope.
func (a *asker) asks(want float64, format string, args ...any) {
	a.all = append(a.all, Query{fmt.Sprintf(format, args...), want})
}

// scoped adds a query with the scope.
func (a *asker) scoped(want float64, format string, args ...any) {
	a.asks(want, "%s", strings.ReplaceAll(fmt.Sprintf(format, args...), "{", `{mesh_id="mesh1",`))
}

const (
	edge = "source_cluster,source_workload_namespace,source_workload,source_canonical_service,source_canonical_revision," +
		"destination_cluster,destination_service_namespace,destination_service,destination_service_name,destination_workload_namespace," +
		"destination_workload,destination_canonical_service,destination_canonical_revision"
	secure = "source_principal,destination_principal,connection_security_policy," + edge
)

// graph asks for the edges between front and back. Two pods on each side count
// each edge.
func (a *asker) graph() {
	both := 2 * a.clock.Rate
	edges := func(metric, selector, by string) {
		a.scoped(both, "sum(rate(%s{%s} %s)) by (%s) > 0", metric, selector, a.window, by)
	}
	out := fmt.Sprintf(`reporter="source",source_workload_namespace="sample",source_cluster=%q`, a.cluster)
	in := fmt.Sprintf(`reporter="destination",destination_workload_namespace="sample",destination_cluster=%q`, a.cluster)
	edges("istio_requests_total", out, edge+",request_protocol,response_code,grpc_response_status,response_flags")
	edges("istio_requests_total", in, edge+",request_protocol,response_code,grpc_response_status,response_flags")
	for _, metric := range []string{"istio_request_messages_total", "istio_response_messages_total"} {
		edges(metric, out, edge)
		edges(metric, in, edge)
	}
	for _, metric := range []string{"istio_tcp_sent_bytes_total", "istio_tcp_received_bytes_total"} {
		edges(metric, `app!="ztunnel",`+out, "app,"+edge+",response_flags")
		edges(metric, `app!="ztunnel",`+in, "app,"+edge+",response_flags")
	}
	edges("istio_request_bytes_sum", out, edge)
	edges("istio_response_bytes_sum", in, edge)
	edges("istio_requests_total", in, secure)
	for _, quantile := range []string{"0.50", "0.95", "0.99"} {
		a.scoped(0, "histogram_quantile(%s, sum(rate(istio_request_duration_milliseconds_bucket{%s}%s)) by (le,%s)) > 0", quantile, in,
			a.window, edge)
	}
	a.scoped(1, "sum(rate(istio_request_duration_milliseconds_sum{%[1]s}%[2]s)) by (%[3]s) / "+
		"sum(rate(istio_request_duration_milliseconds_count{%[1]s}%[2]s)) by (%[3]s) > 0", in, a.window, edge)
}

// health asks for requests by reporting side and other side: two pods each.
func (a *asker) health(unknown bool) {
	service := fmt.Sprintf("destination_cluster=%q", a.cluster)
	if unknown {
		service = fmt.Sprintf(`destination_cluster=~"%s|unknown"`, a.cluster)
	}
	for _, selector := range []string{
		`destination_service_namespace="sample",` + service,
		`destination_service_name="back",destination_service_namespace="sample",` + service,
		fmt.Sprintf(`destination_workload_namespace="sample",destination_workload="back",destination_cluster=%q`, a.cluster),
		fmt.Sprintf(`source_workload_namespace="sample",source_canonical_service="front",source_cluster=%q`, a.cluster),
	} {
		a.asks(4*a.clock.Rate, "rate(istio_requests_total{%s}%s) > 0", selector, a.window)
	}
}

// metrics asks for the tab with the metrics of back.
func (a *asker) metrics() {
	of := fmt.Sprintf(`destination_workload_namespace="sample",destination_workload="back",destination_cluster=%q,reporter="destination"`,
		a.cluster)
	for _, metric := range []string{"istio_requests_total", "istio_tcp_sent_bytes_total", "istio_tcp_received_bytes_total",
		"istio_tcp_connections_opened_total", "istio_tcp_connections_closed_total", "istio_request_messages_total"} {
		want := 2 * a.clock.Rate
		if a.ambient && strings.HasPrefix(metric, "istio_tcp") {
			want *= 2 // ztunnel reports the same connections
		}
		a.scoped(want, "sum(rate(%s{%s}%s))", metric, of, a.window)
	}
	for _, metric := range []string{"istio_request_duration_milliseconds", "istio_request_bytes", "istio_response_bytes"} {
		a.scoped(0, "histogram_quantile(0.99, sum(rate(%s_bucket{%s}%s)) by (le))", metric, of, a.window)
		a.scoped(1, "sum(rate(%[1]s_sum{%[2]s}%[3]s)) / sum(rate(%[1]s_count{%[2]s}%[3]s))", metric, of, a.window)
	}
}

// controlPlane asks for one istiod.
func (a *asker) controlPlane() {
	pod := fmt.Sprintf("%q", "istiod-"+a.cluster)
	grown := a.clock.Rate * a.clock.Window.Seconds()
	a.asks(a.clock.Rate, "sum(rate(process_cpu_seconds_total{pod=%s}%s))", pod, a.window)
	a.asks(a.clock.Rate, "sum(rate(container_cpu_usage_seconds_total{pod=%s,cluster=%q}%s))", pod, a.cluster, a.window)
	a.asks(a.clock.Level, "container_memory_working_set_bytes{pod=%s,cluster=%q}", pod, a.cluster)
	a.asks(a.clock.Level, "process_resident_memory_bytes{pod=%s}", pod)
	a.asks(grown, "delta(pilot_proxy_convergence_time_sum{pod=%s}%s)", pod, a.window)
	a.asks(grown, "delta(pilot_proxy_convergence_time_count{pod=%s}%s)", pod, a.window)
	for _, metric := range []string{"pilot_info", "pilot_services", "pilot_xds"} {
		a.asks(a.clock.Level, "%s{pod=%s}", metric, pod)
	}
	a.asks(a.clock.Rate, "sum(rate(pilot_xds_pushes{pod=%s}%s))", pod, a.window)
}

// proxy asks for the dashboard of Envoy, for one pod.
func (a *asker) proxy() {
	of := fmt.Sprintf(`namespace="sample",app="front",cluster=%q`, a.cluster)
	for _, metric := range []string{"envoy_server_uptime", "envoy_server_memory_allocated", "envoy_server_memory_heap_size",
		"envoy_cluster_upstream_cx_active", "envoy_listener_downstream_cx_active"} {
		a.scoped(a.clock.Level, "%s{%s}", metric, of)
	}
	for _, metric := range []string{"envoy_cluster_upstream_rq_total", "envoy_listener_http_downstream_rq"} {
		a.scoped(a.clock.Rate, "sum(rate(%s{%s}%s))", metric, of, a.window)
	}
}

// ztunnel asks for each of its pods separately.
func (a *asker) ztunnel() {
	of := fmt.Sprintf(`pod=~"ztunnel-.*",cluster=%q`, a.cluster)
	for _, metric := range []string{"istio_tcp_connections_opened_total", "istio_tcp_connections_closed_total",
		"istio_tcp_received_bytes_total", "istio_tcp_sent_bytes_total"} {
		a.asks(2*a.clock.Rate, "sum(rate(%s{%s}%s)) by (pod)", metric, of, a.window)
	}
	a.asks(a.clock.Level, "sum(istio_build{component=\"ztunnel\",cluster=%q}) by (tag)", a.cluster)
	a.asks(a.clock.Level, "sum(workload_manager_active_proxy_count{%s}) by (pod)", of)
	a.asks(2*a.clock.Level, "sum(container_memory_working_set_bytes{%s}) by (pod)", of)
	a.asks(2*a.clock.Rate, "sum(irate(container_cpu_usage_seconds_total{%s}%s)) by (pod)", of, a.window)
}

func sortedKeys(labels map[string]string) []string { return slices.Sorted(maps.Keys(labels)) }
