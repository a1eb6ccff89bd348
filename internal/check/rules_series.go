package check

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// seriesRules are about series that do not reach Kiali's store although everything
// is applied.
func seriesRules() []Rule {
	return []Rule{
		{
			ID: "PM34", Severity: finding.Warning,
			Title: "every cluster sends its series",
			What:  "With metrics.thanos.remoteWrite, no cluster of the mesh is a Kubernetes cluster with monitors from this topology.",
			Why: "remoteWrite configures OpenShift's user workload monitoring. A Kubernetes cluster does not have it, so its series stay on " +
				"the cluster, and the graph shows no traffic of its workloads.",
			Fix:    "Let the cluster's own Prometheus send its series to the store, and suppress the rule.",
			Source: "cluster-monitoring-operator Documentation/api.md",
			mesh:   notSent,
		},
		{
			ID: "PM35", Severity: finding.Warning,
			Title: "every cluster can reach the store",
			What:  "If several clusters send series, remoteWrite.url is not the address of a Service.",
			Why: "The name of a Service is known only on its cluster. Prometheus on the other clusters retries for ever, and only its " +
				"log says so.",
			Fix:    "Write the address of a Route, an Ingress or a load balancer, or of a Service that every cluster has.",
			Source: "Kubernetes, DNS for Services",
			mesh:   sentNowhere,
		},
		{
			ID: "PM36", Also: finding.Warning,
			Title: "Amazon Managed Prometheus gets signed requests",
			What: "If remoteWrite.url is a workspace of Amazon Managed Service for Prometheus, remoteWrite.settings has sigv4. The address " +
				"from which Kiali reads the store is not such a workspace.",
			Why: "Amazon answers 403 to an unsigned request, so no series arrives. Kiali cannot sign requests, so it cannot read from " +
				"Amazon directly.",
			Fix: "Add sigv4: {region: …} to remoteWrite.settings. For credentials, use a role of the pods, or accessKey and secretKey as " +
				"{name, key} of a Secret. For Kiali, run a signing proxy (aws-sigv4-proxy), and write its address.",
			Source: "Amazon Managed Service for Prometheus user guide, ingesting metrics; kiali config/config.go (Auth)",
			mesh:   unsigned,
		},
		{
			ID:     "PM37",
			Title:  "user workload monitoring reads the monitors",
			What:   "No monitor on OpenShift has the label openshift.io/user-monitoring: \"false\".",
			Why:    "This label excludes a namespace or a monitor from user workload monitoring. Then nothing of the mesh is scraped.",
			Fix:    "Remove the label.",
			Source: "cluster-monitoring-operator assets/prometheus-user-workload/prometheus.yaml (podMonitorSelector)",
			mesh:   takenOut,
		},
		{
			ID: "PM38", Also: finding.Info,
			Title: "the metrics that Kiali asks for reach its store",
			What: "No keep or drop by metric name removes a metric that Kiali reads. This concerns metricRelabelings of a monitor, " +
				"writeRelabelConfigs and overrides of the Telemetry. It is an error for istio_requests_total, the durations, the messages and " +
				"the TCP bytes, because the graph is made from them.",
			Why:    "Kiali reads only the store. If a metric is not there, the graph lacks it, without an error.",
			Fix:    "Remove the metric from the rule.",
			Source: "kiali graph/telemetry/istio, business/metrics*.go; istio.io, Telemetry (metrics overrides)",
			mesh:   droppedMetrics,
		},
		{
			ID: "PM49", Severity: finding.Warning,
			Title: "the Telemetry has metrics for Prometheus",
			What:  "If telemetry.spec names providers of metrics, prometheus is one of them.",
			Why: "The list replaces the rendered list. Proxies make metrics only for the providers that the list names. Without prometheus, the " +
				"graph stays empty.",
			Fix:    "Add {name: prometheus}. If the provider for Prometheus has another name, suppress the rule.",
			Source: "istio pilot/pkg/model/telemetry.go, mergeMetrics",
			mesh:   withoutPrometheus,
		},
		{
			ID: "PM39", Severity: finding.Info,
			Title: "ambient traffic across networks has a source",
			What: "With dataPlane ambient and clusters on several networks, Istio needs AMBIENT_ENABLE_BAGGAGE. This is a setting of istiod " +
				"and ztunnel. The topology does not show it, so this is a reminder.",
			Why: "The setting is off by default. Without it, traffic that arrives through an east-west gateway has unknown source labels. " +
				"The graph shows it without a source.",
			Fix:    "Set AMBIENT_ENABLE_BAGGAGE: \"true\" for istiod (values.pilot.env), and suppress the rule.",
			Source: "istio pilot/pkg/features (1.29 to 1.31)",
			mesh:   ambientNetworks,
		},
		{
			ID: "PM47", Severity: finding.Warning,
			Title: "Kiali detects that the mesh is ambient",
			What:  "With dataPlane ambient and a hub outside the mesh, the hub's Kiali is v2.27 or later.",
			Why: "Earlier release lines look for ztunnel only on the hub. If they do not find it, they do not read the series of waypoints. " +
				"Only these series have HTTP, so the graph shows all traffic as TCP.",
			Fix:    "Choose v2.27 or a later release line.",
			Source: "kiali/kiali issue 9784; corrected in 2.27.1 and 2.28.0",
			mesh:   ambientElsewhere,
		},
		{
			ID: "PM48", Severity: finding.Info,
			Title: "Kiali knows the interval of the store",
			What:  "With the store prometheus, no monitor has an interval longer than 30 seconds, or metrics.retention is set.",
			Why: "Kiali asks Prometheus for its global scrape interval and computes rates with it. If the monitors have a longer interval, " +
				"rates over short time ranges are empty.",
			Fix:    "Add metrics.retention; then Kiali gets the interval too. If the global interval of the store is as long, suppress the rule.",
			Source: "kiali handlers/config.go; kube-prometheus, scrapeInterval",
			mesh:   globalInterval,
		},
	}
}

func ambientElsewhere(m *mesh, f *found) {
	if m.hub < 0 || m.Spec.Mesh.DataPlane != "ambient" {
		return
	}
	if hub := &m.Spec.Clusters[m.hub]; !hub.InMesh() && hub.KialiBefore(kiali.V2_27) {
		f.cluster(m, m.hub, m.At("spec", "mesh", "dataPlane"), "use v2.27 or a later release line",
			"Kiali %s looks for ambient only on the hub, and the hub is outside the mesh; the graph lacks the series of waypoints and shows "+
				"all traffic as TCP", hub.Kiali.Version)
	}
}

// usualInterval is the scrape interval of kube-prometheus, in seconds. The
// default of Prometheus is 1m.
const usualInterval = 30

func globalInterval(m *mesh, f *found) {
	s := &m.Spec.Metrics
	if s.Store != "prometheus" || s.Retention != "" || !s.Monitors.Manage || m.hub < 0 || topology.Seconds(
		m.StoreInterval()) <= usualInterval {
		return
	}
	if o := m.hubKiali(); o != nil && o.is(prometheus+"thanos_proxy.enabled", true) {
		return
	}
	f.on(m, m.At("spec", "metrics", "interval"), "add retention: 15d (how long the store keeps series); then Kiali gets the interval too",
		"the monitors have the interval %s, but Kiali uses the store's global interval, often 30s; rates over less than two intervals "+
			"are empty",
		m.StoreInterval())
}

func ambientNetworks(m *mesh, f *found) {
	networks := map[string]bool{}
	for i := range m.Spec.Clusters {
		if c := &m.Spec.Clusters[i]; c.InMesh() {
			networks[c.Network] = true
		}
	}
	if m.Spec.Mesh.DataPlane == "ambient" && len(networks) > 1 {
		f.on(m, m.At("spec", "mesh", "dataPlane"), "set AMBIENT_ENABLE_BAGGAGE: \"true\" for istiod (values.pilot.env), and suppress PM39",
			"ambient traffic between %d networks has unknown sources unless Istio has AMBIENT_ENABLE_BAGGAGE on", len(networks))
	}
}

func notSent(m *mesh, f *found) {
	if m.Spec.Metrics.Store != "thanos" || m.Spec.Metrics.Thanos.RemoteWrite == nil {
		return
	}
	for i := range m.Spec.Clusters {
		if c := &m.Spec.Clusters[i]; c.Platform == "kubernetes" && c.InMesh() {
			f.cluster(m, i, m.At("spec", "clusters", i, "platform"), "let the cluster's own Prometheus send the series of the mesh to the "+
				"store, and suppress PM34",
				"remoteWrite configures OpenShift's user workload monitoring, so this Kubernetes cluster sends no series")
		}
	}
}

func sentNowhere(m *mesh, f *found) {
	w := m.Spec.Metrics.Thanos.RemoteWrite
	if m.Spec.Metrics.Store != "thanos" || w == nil {
		return
	}
	u, err := url.Parse(w.URL)
	if err != nil || !ofService(u.Hostname()) {
		return
	}
	senders := 0
	for i := range m.Spec.Clusters {
		if c := &m.Spec.Clusters[i]; c.Platform == "openshift" && c.InMesh() {
			senders++
		}
	}
	if senders > 1 {
		f.on(m, m.At("spec", "metrics", "thanos", "remoteWrite", "url"),
			"write the address of a Route, an Ingress or a load balancer; if every cluster has this Service, suppress PM35",
			"%s is the name of a Service; %d clusters send their series to it, and each looks for the Service on its own cluster", u.Hostname(),
			senders)
	}
}

// ofService tells whether a host is the name of a Service. Only the Service's
// cluster knows this name.
func ofService(host string) bool {
	return strings.HasSuffix(host, ".svc") || strings.HasSuffix(host, ".svc.cluster.local") || host != "" && !strings.Contains(host, ":") &&
		strings.Count(host, ".") < 2 && !publicDomain.MatchString(host)
}

// publicDomain is a name with a dot that is not <service>.<namespace>, because
// its last part is a known domain.
var publicDomain = regexp.MustCompile(`\.(com|org|net|io|dev|cloud|local|lan|internal|test|example|[a-z]{2})$`)

var amazonStore = regexp.MustCompile(`^aps-workspaces\.[-a-z0-9]+\.amazonaws\.com(\.cn)?$`)

// managedByAmazon returns the host of an address if it is a workspace of Amazon's service.
func managedByAmazon(address string) (host string, ok bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", false
	}
	return u.Hostname(), amazonStore.MatchString(u.Hostname())
}

func unsigned(m *mesh, f *found) {
	if o := m.hubKiali(); o != nil {
		if host, ok := managedByAmazon(o.text("external_services.prometheus.url")); ok {
			f.softer(finding.Warning).object(o, spec("external_services.prometheus.url"),
				"run a proxy that signs (aws-sigv4-proxy) on the hub, and write its address",
				"%s takes signed requests only, and Kiali signs none", host)
		}
	}
	w := m.Spec.Metrics.Thanos.RemoteWrite
	if m.Spec.Metrics.Store != "thanos" || w == nil {
		return
	}
	if host, ok := managedByAmazon(w.URL); ok && w.Settings["sigv4"] == nil {
		f.on(m, m.At("spec", "metrics", "thanos", "remoteWrite", "url"), "add sigv4: {region: …} to remoteWrite.settings",
			"%s accepts only signed requests, but remoteWrite.settings has no sigv4", host)
	}
}

func takenOut(m *mesh, f *found) {
	const label = "openshift.io/user-monitoring"
	for _, o := range m.monitors() {
		path := fieldPath{"metadata", "labels", label}
		if value, _ := o.value(path).(string); value == "false" && m.of(o).Platform == "openshift" {
			f.object(o, path, "remove the label", "the %s %s has %s: \"false\", so user workload monitoring ignores it", o.ID.Kind,
				o.ID.Name, label)
		}
	}
}

// graphMetric tells whether the graph is made from a metric.
func graphMetric(name string) bool {
	return strings.HasPrefix(name, "istio_") && name != "istio_build" && !strings.HasPrefix(name, "istio_request_bytes") && !strings.HasPrefix(
		name, "istio_response_bytes")
}

func droppedMetrics(m *mesh, f *found) {
	m.relabelings(func(r relabeling) {
		if r.metric {
			if lost := lostBy(r); len(lost) > 0 {
				f.lost(lost).relabeling(m, r, "regex", "remove them from the rule", "%s removes metrics that Kiali asks for: %s", r.action(),
					finding.List(lost, most))
			}
		}
	})
	for _, o := range m.kinds("Telemetry") {
		metrics, _ := o.value(spec("metrics")).([]any)
		for i, entry := range metrics {
			overrides, _ := valueAt(entry, fieldPath{"overrides"}).([]any)
			for j, override := range overrides {
				off := valueAt(override, fieldPath{"disabled"}) == true
				metric, _ := valueAt(override, fieldPath{"match", "metric"}).(string)
				if off && (metric == "" || metric == "ALL_METRICS" || readMetrics[metric]) {
					f.object(o, spec("metrics").below(i, "overrides", j), "remove the override, or match a metric that Kiali does not read",
						"the Telemetry %s turns off %s, but Kiali's graph needs it", o.ID.Name, orAll(metric))
				}
			}
		}
	}
}

func withoutPrometheus(m *mesh, f *found) {
	for _, o := range m.kinds("Telemetry") {
		metrics, _ := o.value(spec("metrics")).([]any)
		if elsewhere := otherProviders(metrics); len(elsewhere) > 0 {
			f.object(o, spec("metrics"), "add {name: prometheus} to the providers; suppress PM49 where one of these is of Prometheus too",
				"the Telemetry %s sends metrics to %s alone, so proxies have none for Prometheus", o.ID.Name, finding.List(elsewhere, most))
		}
	}
}

// otherProviders lists the providers of metrics in a Telemetry if it names some, and none
// of them is Istio's provider prometheus. An entry without providers uses the mesh's.
func otherProviders(metrics []any) (names []string) {
	for _, entry := range metrics {
		providers, _ := valueAt(entry, fieldPath{"providers"}).([]any)
		if len(providers) == 0 {
			return nil
		}
		for _, p := range providers {
			name, _ := valueAt(p, fieldPath{"name"}).(string)
			if name == "prometheus" {
				return nil
			}
			names = append(names, name)
		}
	}
	return names
}

// readMetrics are the metrics that Kiali reads, by their names in a Telemetry
// override (istio.io, Telemetry, IstioMetric).
var readMetrics = map[string]bool{
	"REQUEST_COUNT": true, "REQUEST_DURATION": true, "REQUEST_SIZE": true, "RESPONSE_SIZE": true, "TCP_OPENED_CONNECTIONS": true,
	"TCP_CLOSED_CONNECTIONS": true,
	"TCP_SENT_BYTES":         true, "TCP_RECEIVED_BYTES": true, "GRPC_REQUEST_MESSAGES": true, "GRPC_RESPONSE_MESSAGES": true,
}

func orAll(metric string) string {
	if metric == "" || metric == "ALL_METRICS" {
		return "all metrics"
	}
	return metric
}

// lost returns the collector of findings for lost metrics: errors if the graph
// needs one of them, else information.
func (f *found) lost(metrics []string) *found {
	for _, name := range metrics {
		if graphMetric(name) {
			return f
		}
	}
	return f.softer(finding.Info)
}

// lostBy lists the metrics of Kiali that a relabeling removes by name only. If a
// relabeling also uses other labels, the result is unknown, so none is listed.
func lostBy(r relabeling) []string {
	sources, _ := r.rule["sourceLabels"].([]any)
	text, _ := r.text("regex")
	re, err := regexp.Compile("^(?s:" + text + ")$")
	if r.action() != "keep" && r.action() != "drop" || len(sources) != 1 || sources[0] != "__name__" || text == "" || err != nil {
		return nil
	}
	var lost []string
	for _, name := range kiali.MetricNames() {
		if r.carries(name) && re.MatchString(name) == (r.action() == "drop") {
			lost = append(lost, name)
		}
	}
	return lost
}

// carries tells whether a metric passes this relabeling: metrics of proxies pass a
// PodMonitor, metrics of istiod a ServiceMonitor, and all that user workload
// monitoring scrapes pass a remote write.
func (r relabeling) carries(metric string) bool {
	istiod := strings.HasPrefix(metric, "pilot_") || strings.HasPrefix(metric, "process_") || metric == "istio_build"
	switch {
	case strings.HasPrefix(metric, "container_"):
		return false // the platform's
	case r.o == nil || metric == "up":
		return r.o == nil
	case r.o.ID.Kind == "ServiceMonitor":
		return istiod
	}
	return !istiod
}
