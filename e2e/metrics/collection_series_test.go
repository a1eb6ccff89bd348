package metrics

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/kiali"
)

func decodeInto(t *testing.T, v, to any) {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, to))
}

// text is a series in the notation of promtool's tests.
func text(series map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(series)) {
		if name != "__name__" {
			pairs = append(pairs, fmt.Sprintf("%s=%q", name, series[name]))
		}
	}
	return series["__name__"] + "{" + strings.Join(pairs, ",") + "}"
}

// recordingOf is a rule as user workload monitoring evaluates it in a namespace:
// each selector and the result have the namespace (cluster-monitoring-operator,
// enforcedNamespaceLabel; prometheus-operator, pkg/namespacelabeler). Without a
// namespace it is exempt.
func recordingOf(t *testing.T, record, expr, namespace string) *rules.RecordingRule {
	t.Helper()
	parsed, err := parserOf().ParseExpr(expr)
	require.NoError(t, err)
	result := labels.EmptyLabels()
	if namespace != "" {
		parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
			if selector, ok := node.(*parser.VectorSelector); ok {
				selector.LabelMatchers = append(selector.LabelMatchers, labels.MustNewMatcher(labels.MatchEqual, "namespace", namespace))
			}
			return nil
		})
		result = labels.FromStrings("namespace", namespace)
	}
	return rules.NewRecordingRule(record, parsed, result)
}

const values = " 0+1x80"

// traffic are the labels of what a pod of one workload reports of its traffic
// with another, and what scraping adds.
func traffic(reporter, source, destination, workload, pod string) map[string]string {
	series := map[string]string{}
	for _, label := range kiali.Labels() {
		series[label] = "x"
	}
	maps.Copy(series, map[string]string{
		"reporter": reporter, "source_cluster": source, "destination_cluster": destination, kiali.MeshID: "mesh1", "app": workload,
		"namespace": "sample", "pod": pod,
		"source_workload": "front", "source_workload_namespace": "sample", "source_canonical_service": "front", "source_canonical_revision": "v1",
		"destination_workload": "back", "destination_workload_namespace": "sample", "destination_canonical_service": "back",
		"destination_canonical_revision": "v1",
		"destination_service":            "back.sample.svc.cluster.local", "destination_service_name": "back", "destination_service_namespace": "sample",
		"request_protocol": "http", "response_code": "200", "connection_security_policy": "mutual_tls",
		"instance": pod + ":15020", "job": "sample/istio-proxies-monitor", "container": "istio-proxy", "endpoint": "15020",
		"pod_template_hash": "7d9c", "node": "n-" + pod, "version": "v1",
	})
	return series
}

// meshSeries are those of a cluster whose front calls the back of the other
// cluster, each with two pods.
func meshSeries(cluster string, ambient bool) []string {
	other := map[string]string{"east": "west", "west": "east"}[cluster]
	var all []string
	add := func(metric string, series map[string]string, values string) {
		series["__name__"] = metric
		all = append(all, text(series)+values)
	}
	each := func(series func() map[string]string) {
		for _, metric := range kiali.MetricNames() {
			switch {
			case !strings.HasPrefix(metric, "istio_") || metric == "istio_build":
			case strings.HasSuffix(metric, "_bucket"):
				for _, le := range []string{"10", "100", "+Inf"} {
					bucket := series()
					bucket["le"] = le
					add(metric, bucket, values)
				}
			default:
				add(metric, series(), values)
			}
		}
	}
	for _, n := range []string{"1", "2"} {
		each(func() map[string]string { return traffic("source", cluster, other, "front", "front-"+n) })
		each(func() map[string]string { return traffic("destination", other, cluster, "back", "back-"+n) })
		if ambient {
			for _, metric := range []string{"istio_tcp_sent_bytes_total", "istio_tcp_received_bytes_total", "istio_tcp_connections_opened_total",
				"istio_tcp_connections_closed_total"} {
				series := traffic("destination", other, cluster, "ztunnel", "ztunnel-"+n)
				series["namespace"] = "istio-system"
				add(metric, series, values)
			}
		}
	}
	process := func(pod, app string) map[string]string {
		return map[string]string{"pod": pod, "app": app, "namespace": "istio-system", "instance": pod + ":15014", "job": app,
			kiali.MeshID: "mesh1", "component": app, "tag": "1.27.3"}
	}
	for _, metric := range kiali.MetricNames() {
		switch {
		case strings.HasPrefix(metric, "pilot_"), strings.HasPrefix(metric, "process_"), metric == "istio_build":
			add(metric, process("istiod-"+cluster, "istiod"), values)
		case strings.HasPrefix(metric, "envoy_"):
			add(metric, traffic("", cluster, other, "front", "front-1"), values)
		}
		if ambient && (metric == "istio_build" || metric == "workload_manager_active_proxy_count") {
			add(metric, process("ztunnel-1", "ztunnel"), values)
		}
	}
	return all
}

// containerSeries are those that the platform has of istiod: of a container, and
// of the pod as a whole.
func containerSeries(ambient bool) []string {
	pods := []string{"istiod-east", "istiod-west"}
	if ambient {
		pods = append(pods, "ztunnel-1")
	}
	var all []string
	for _, pod := range pods {
		for _, container := range []string{"discovery", ""} {
			for _, metric := range []string{"container_cpu_usage_seconds_total", "container_memory_working_set_bytes"} {
				all = append(all, text(map[string]string{"__name__": metric, "pod": pod, "namespace": "istio-system", "container": container})+values)
			}
		}
	}
	return all
}

// question is a query of Kiali. Those of the graph and of metrics have the scope;
// those of health and of the control plane have not.
type question struct {
	expr  string
	scope bool
	want  float64 // the sum of what it answers, 0 where that is not told
}

// scoped is the query as Kiali sends it (kiali graph/util.go: each selector gets
// the scope).
func (q question) scoped() string {
	if !q.scope {
		return q.expr
	}
	return strings.ReplaceAll(q.expr, "{", `{mesh_id="mesh1",`)
}

// kialiAsks restates what Kiali of a line asks about a cluster for its graph, health,
// metrics and the control plane. The lines from v2.4 to v2.27 ask the same, but for
// the health of services.
//
// Sources, at the tags v2.4.0, v2.11.0, v2.17.0, v2.22.0 and v2.27.0 of kiali/kiali:
// graph/telemetry/istio/istio.go, graph/telemetry/istio/appender/{response_time,
// throughput,security_policy}.go, prometheus/metrics.go, business/metrics.go,
// business/metrics_labels_builder.go, business/dashboards.go.
func kialiAsks(line kiali.Line, cluster string, ambient bool) []question {
	const (
		window = "[600s]"
		perPod = 1.0 / 30
	)
	edge := "source_cluster,source_workload_namespace,source_workload,source_canonical_service,source_canonical_revision,destination_cluster,destination_service_namespace," +
		"destination_service,destination_service_name,destination_workload_namespace,destination_workload,destination_canonical_service,destination_canonical_revision"
	secure := "source_principal,destination_principal,connection_security_policy," + edge
	var all []question
	graph := func(metric, selector, by string, want float64) {
		all = append(all, question{fmt.Sprintf("sum(rate(%s{%s} %s)) by (%s) > 0", metric, selector, window, by), true, want})
	}
	// The two sides of an edge are counted by two pods each.
	out := fmt.Sprintf(`reporter="source",source_workload_namespace="sample",source_cluster=%q`, cluster)
	in := fmt.Sprintf(`reporter="destination",destination_workload_namespace="sample",destination_cluster=%q`, cluster)
	graph("istio_requests_total", out, edge+",request_protocol,response_code,grpc_response_status,response_flags", 2*perPod)
	graph("istio_requests_total", in, edge+",request_protocol,response_code,grpc_response_status,response_flags", 2*perPod)
	for _, metric := range []string{"istio_request_messages_total", "istio_response_messages_total"} {
		graph(metric, out, edge, 2*perPod)
		graph(metric, in, edge, 2*perPod)
	}
	for _, metric := range []string{"istio_tcp_sent_bytes_total", "istio_tcp_received_bytes_total"} {
		graph(metric, `app!="ztunnel",`+out, "app,"+edge+",response_flags", 2*perPod)
		graph(metric, `app!="ztunnel",`+in, "app,"+edge+",response_flags", 2*perPod)
	}
	graph("istio_request_bytes_sum", out, edge, 2*perPod)
	graph("istio_response_bytes_sum", in, edge, 2*perPod)
	graph("istio_requests_total", in, secure, 2*perPod)
	for _, q := range []string{"0.50", "0.95", "0.99"} {
		all = append(all, question{fmt.Sprintf("histogram_quantile(%s, sum(rate(istio_request_duration_milliseconds_bucket{%s}%s)) by (le,%s)) "+
			"> 0", q, in, window, edge), true, 0})
	}
	all = append(all, question{fmt.Sprintf("sum(rate(istio_request_duration_milliseconds_sum{%[1]s}%[2]s)) by (%[3]s) / "+
		"sum(rate(istio_request_duration_milliseconds_count{%[1]s}%[2]s)) by (%[3]s) > 0", in, window, edge), true, 1})

	// Health, by the side that reports and the other.
	service := fmt.Sprintf("destination_cluster=%q", cluster)
	if !line.Before(kiali.V2_11) {
		service = fmt.Sprintf(`destination_cluster=~"%s|unknown"`, cluster)
	}
	for _, selector := range []string{
		`destination_service_namespace="sample",` + service,
		`destination_service_name="back",destination_service_namespace="sample",` + service,
		fmt.Sprintf(`destination_workload_namespace="sample",destination_workload="back",destination_cluster=%q`, cluster),
		fmt.Sprintf(`source_workload_namespace="sample",source_canonical_service="front",source_cluster=%q`, cluster),
	} {
		all = append(all, question{"rate(istio_requests_total{" + selector + "}" + window + ") > 0", false, 4 * perPod})
	}

	// The metrics tab.
	metrics := fmt.Sprintf(`destination_workload_namespace="sample",destination_workload="back",destination_cluster=%q,reporter="destination"`,
		cluster)
	for _, metric := range []string{"istio_requests_total", "istio_tcp_sent_bytes_total", "istio_tcp_received_bytes_total",
		"istio_tcp_connections_opened_total", "istio_tcp_connections_closed_total", "istio_request_messages_total"} {
		want := 2 * perPod
		if ambient && strings.HasPrefix(metric, "istio_tcp") {
			want *= 2 // ztunnel reports the same connections
		}
		all = append(all, question{fmt.Sprintf("sum(rate(%s{%s}%s))", metric, metrics, window), true, want})
	}
	for _, metric := range []string{"istio_request_duration_milliseconds", "istio_request_bytes", "istio_response_bytes"} {
		all = append(all,
			question{fmt.Sprintf("histogram_quantile(0.99, sum(rate(%s_bucket{%s}%s)) by (le))", metric, metrics, window), true, 0},
			question{fmt.Sprintf("sum(rate(%[1]s_sum{%[2]s}%[3]s)) / sum(rate(%[1]s_count{%[2]s}%[3]s))", metric, metrics, window), true, 1})
	}

	// The control plane.
	istiod := fmt.Sprintf("{pod=%q}", "istiod-"+cluster)
	for _, metric := range []string{"process_cpu_seconds_total"} {
		all = append(all, question{fmt.Sprintf("sum(rate(%s%s%s))", metric, istiod, window), false, perPod})
	}
	all = append(all,
		question{fmt.Sprintf("sum(rate(container_cpu_usage_seconds_total{pod=%q,cluster=%q}%s))", "istiod-"+cluster, cluster, window), false,
			perPod},
		question{fmt.Sprintf("container_memory_working_set_bytes{pod=%q,cluster=%q}", "istiod-"+cluster, cluster), false, 80},
		question{"process_resident_memory_bytes" + istiod, false, 80},
		question{"delta(pilot_proxy_convergence_time_sum" + istiod + window + ")", false, 20},
		question{"delta(pilot_proxy_convergence_time_count" + istiod + window + ")", false, 20},
		question{"pilot_info" + istiod, false, 80}, question{"pilot_services" + istiod, false, 80}, question{"pilot_xds" + istiod, false, 80},
		question{fmt.Sprintf("sum(rate(pilot_xds_pushes%s%s))", istiod, window), false, perPod},
	)

	// The dashboard of a proxy.
	envoy := fmt.Sprintf(`{namespace="sample",app="front",cluster=%q}`, cluster)
	for _, metric := range []string{"envoy_server_uptime", "envoy_server_memory_allocated", "envoy_server_memory_heap_size",
		"envoy_cluster_upstream_cx_active", "envoy_listener_downstream_cx_active"} {
		all = append(all, question{metric + envoy, true, 80})
	}
	for _, metric := range []string{"envoy_cluster_upstream_rq_total", "envoy_listener_http_downstream_rq"} {
		all = append(all, question{fmt.Sprintf("sum(rate(%s%s%s))", metric, envoy, window), true, perPod})
	}
	if !ambient {
		return all
	}

	// ztunnel, each pod by itself.
	ztunnel := fmt.Sprintf(`{pod=~"ztunnel-.*",cluster=%q}`, cluster)
	for _, metric := range []string{"istio_tcp_connections_opened_total", "istio_tcp_connections_closed_total",
		"istio_tcp_received_bytes_total", "istio_tcp_sent_bytes_total"} {
		all = append(all, question{fmt.Sprintf("sum(rate(%s%s%s)) by (pod)", metric, ztunnel, window), false, 2 * perPod})
	}
	return append(all,
		question{fmt.Sprintf("sum(istio_build{component=\"ztunnel\",cluster=%q}) by (tag)", cluster), false, 80},
		question{"sum(workload_manager_active_proxy_count" + ztunnel + ") by (pod)", false, 80},
		question{"sum(container_memory_working_set_bytes" + ztunnel + ") by (pod)", false, 80},
		question{"sum(irate(container_cpu_usage_seconds_total" + ztunnel + window + ")) by (pod)", false, perPod},
	)
}
