package topology

// Metrics says how Prometheus scrapes the mesh, and which store Kiali reads.
type Metrics struct {
	// The store from which Kiali reads metrics. thanosQuerier: the hub's own store; it has only the series of the hub. prometheus
	// and thanos: a store that you describe below; it has the series of all clusters if they are sent there. acm: Red Hat ACM's
	// Observability; it collects the series of all clusters. Default: thanosQuerier on an OpenShift hub, else prometheus. Changes:
	// the hub's Kiali resource; with thanosQuerier the ClusterRoleBinding that permits the access, with thanos and
	// thanos.remoteWrite user-workload-monitoring-config, with acm the objects on the ACM hub; the allow-lists, the Namespace of
	// the rules, the delivery objects and the ConfigMap with the CAs.
	Store string `yaml:"store" enum:"thanosQuerier|prometheus|thanos|acm"`
	// The time between two scrapes. Changes: the PodMonitors and the
	// ServiceMonitor of istiod; and with a Thanos as store the hub's Kiali
	// resource, because Kiali must know the longest interval.
	Interval string `yaml:"interval" default:"30s" format:"duration"`
	// How long the store keeps series, such as 15d. Kiali does not offer longer time ranges. With the store prometheus and without
	// this field, Kiali asks the store for its retention and its global interval. Default: Kiali's default. Changes: the hub's
	// Kiali resource.
	Retention string `yaml:"retention" format:"retention"`
	// Which series Kiali asks for. meshID: series whose label mesh_id is the mesh id; Sightline's monitors add this label. none:
	// all series of the store, for a store that somebody else fills, such as Istio's sample Prometheus. An object: series with
	// these labels. If the series do not have the labels, every graph is empty. Default: meshID; with monitors.manage: false, none.
	// Changes: the hub's Kiali resource; the objects on the ACM hub and the allow-lists.
	Scope Scope `yaml:"scope" word:"meshID|none" keys:"labelName"`
	// The rendered monitors: PodMonitors and the ServiceMonitor of istiod.
	Monitors Monitors `yaml:"monitors"`
	// Labels on the monitors, for a Prometheus that selects by them. Changes: the PodMonitors and the ServiceMonitor of istiod; the
	// PrometheusRule.
	Labels map[string]string `yaml:"labels" format:"labelValue"`
	// Whether the mesh merges the metrics of proxy, agent and application (meshConfig.enablePrometheusMerge of Istio). If true,
	// Prometheus scrapes a pod at the port of the merged metrics if its annotations name this port, and any other pod at the port
	// that its proxy declares. If false, it scrapes every pod at the port that its proxy declares. Changes: the PodMonitors.
	PrometheusMerge bool `yaml:"prometheusMerge" default:"true"`
	// The store prometheus: its URL and login. Changes: the hub's Kiali resource.
	Prometheus Prometheus `yaml:"prometheus"`
	// The store thanos: its URL and login. Changes: the hub's Kiali resource.
	Thanos Thanos `yaml:"thanos"`
	// The store acm: the ACM hub, and what ACM collects. Changes: the objects on the ACM hub and the hub's Kiali resource.
	ACM ACM `yaml:"acm"`
	// Whether Sightline renders cluster-monitoring-config. This ConfigMap turns on user workload monitoring on OpenShift. It also
	// holds other monitoring settings of the cluster. Changes: cluster-monitoring-config.
	UserWorkloadMonitoring UserWorkloadMonitoring `yaml:"userWorkloadMonitoring"`
	// Alerts about the mesh. Changes: the PrometheusRules; from
	// Kiali v2.27 on the hub's Kiali resource and the ServiceMonitor for Kiali itself.
	Alerts Alerts `yaml:"alerts"`
}

// Alerts are alerting rules for the hub's Prometheus. They report a namespace without series, targets that are down, series that
// Kiali does not show, and proxies that are scraped twice. With Kiali v2.27 or later on the hub, they also report what Kiali's
// health shows as failing, and a cluster that Kiali no longer sees: Sightline turns on Kiali's health metrics and renders a
// ServiceMonitor for them.
type Alerts struct {
	// Whether the hub gets a PrometheusRule in each namespace of the mesh. The rules see only the series of the store that
	// evaluates them. They report a cluster or namespace whose series stopped within the last hour.
	Manage bool `yaml:"manage" default:"false"`
}

// Scope says which series Kiali asks for: labels, or a word of the format under
// the key "".
type Scope map[string]string

// Monitors are the PodMonitors and the ServiceMonitor of istiod.
type Monitors struct {
	// Whether Sightline renders monitors. If false, somebody else scrapes the mesh. Changes: the PodMonitors and the ServiceMonitor
	// of istiod; the hub's Kiali resource through the default of metrics.scope; the PrometheusRule; the objects on the ACM hub and
	// the allow-lists. If no monitoring is left, the delivery objects change too.
	Manage bool `yaml:"manage" default:"true"`
	// The name of every PodMonitor. OpenShift AI creates PodMonitors with the default name in its namespaces, so choose another
	// name there. Changes: the PodMonitors; the PrometheusRule.
	Name string `yaml:"name" default:"istio-proxies-monitor" format:"name"`
}

// Prometheus is a Prometheus that Kiali reads.
type Prometheus struct {
	// The URL at which the hub's pods reach it, such as http://prometheus-operated.monitoring:9090. Required for the store
	// prometheus.
	URL string `yaml:"url" format:"url"`
	// How Kiali logs in there. A credential is a reference secret:<name>:<key> to a Secret in Kiali's namespace.
	Auth StoreAuth `yaml:"auth"`
}

// Thanos is your own Thanos with the series of all clusters.
type Thanos struct {
	// The URL at which the hub's pods reach its query frontend or querier. Required for the store
	// thanos.
	URL string `yaml:"url" format:"url"`
	// How Kiali logs in there. A credential is a reference secret:<name>:<key> to a Secret in Kiali's namespace.
	Auth StoreAuth `yaml:"auth"`
	// How each OpenShift cluster sends its series to the store. It sends the series that Kiali reads, with the cluster's name as a
	// label. Both Prometheus servers of a cluster send them, so the store must deduplicate by the label prometheus_replica. Without
	// this field, something else must send the series. Changes: user-workload-monitoring-config, as a whole.
	RemoteWrite *RemoteWrite `yaml:"remoteWrite"`
}

// StoreAuth says how Kiali logs in to a metrics store. Credentials are references secret:<name>:<key> to Secrets in Kiali's
// namespace.
type StoreAuth struct {
	// The kind of credentials.
	Type string `yaml:"type" default:"none" enum:"none|basic|bearer"`
	// The user name. Required for basic.
	Username string `yaml:"username" format:"secretRef"`
	// The password. Required for basic.
	Password string `yaml:"password" format:"secretRef"`
	// The token. Required for bearer.
	Token string `yaml:"token" format:"secretRef"`
}

// RemoteWrite says how the user workload monitoring of an OpenShift cluster sends its series to a store. The ConfigMap
// user-workload-monitoring-config holds one string, so Sightline renders the whole ConfigMap.
type RemoteWrite struct {
	// The URL to which the series are sent.
	URL string `yaml:"url" required:"url: https://thanos-receive.example.com/api/v1/receive" format:"url"`
	// The external label with the cluster's name. With it, the store can separate equal series of two clusters. OpenShift reserves
	// cluster, prometheus and prometheus_replica.
	ClusterLabel string `yaml:"clusterLabel" default:"cluster_name" format:"labelName"`
	// More metrics to send, as regular expressions of metric names, such as jvm_.* for Kiali's application dashboards. By default,
	// only metrics of Istio, Envoy and the containers are sent.
	Metrics []string `yaml:"metrics"`
	// More fields of the entry in remoteWrite, such as authorization or tlsConfig. writeRelabelConfigs run after the rule that
	// keeps the series for Kiali.
	Settings map[string]any `yaml:"settings"`
	// The rest of user-workload-monitoring-config, merged over the rendered
	// content.
	Config map[string]any `yaml:"config"`
}

// UserWorkloadMonitoring says whether Sightline renders the ConfigMap cluster-monitoring-config. It also holds other monitoring
// settings of the cluster.
type UserWorkloadMonitoring struct {
	// Whether Sightline renders the ConfigMap. If not, user workload monitoring must be on already.
	Manage bool `yaml:"manage" default:"false"`
	// The whole content of its config.yaml. It must have enableUserWorkload: true. Required with manage: true.
	Config map[string]any `yaml:"config"`
}

// Telemetry is the mesh-wide Telemetry. If the root namespace has several, Istio uses only the oldest, for metrics, tracing and
// access logs.
type Telemetry struct {
	// Whether Sightline renders the Telemetry. A mesh can have only one: if there are several, Istio uses the oldest, for metrics,
	// tracing and access logs, and ignores the others.
	Manage bool `yaml:"manage" default:"true"`
	// The name of the Telemetry.
	Name string `yaml:"name" default:"enable-prometheus-metrics" format:"name"`
	// Merged over the spec of the Telemetry, such as accessLogging. For traces, use spec.tracing. Objects merge; lists and other
	// values replace. So metrics would replace the provider prometheus, but Kiali needs it.
	Spec map[string]any `yaml:"spec"`
}
