package topology

// Metrics says how the mesh is scraped, and where Kiali asks for the result.
type Metrics struct {
	// What Kiali asks for metrics. thanosQuerier is the hub's own, which knows the series of the hub only; prometheus and thanos are given
	// below, and have the series of all clusters if somebody brings them there. acm is Red Hat ACM's Observability, which collects the
	// series of all clusters. Default: thanosQuerier on an OpenShift hub, else prometheus. Changes: the hub's Kiali resource; with
	// thanosQuerier there is the ClusterRoleBinding that lets it ask, with thanos user-workload-monitoring-config where
	// thanos.remoteWrite is given, with acm the objects on the ACM hub; the allow-lists, the Namespace of the rules, the delivery objects
	// and the ConfigMap with the CAs.
	Store string `yaml:"store" enum:"thanosQuerier|prometheus|thanos|acm"`
	// The time between two scrapes. Changes: the PodMonitors and the ServiceMonitor of istiod; and the hub's Kiali resource where the store
	// is a Thanos, of which Kiali has to know the longest interval.
	Interval string `yaml:"interval" default:"30s" format:"duration"`
	// How long the store keeps series, such as 15d, which is how far back Kiali offers to look. With the store prometheus, Kiali asks the
	// store for that and for its global interval unless it is given here. Default: what Kiali assumes. Changes: the hub's Kiali resource.
	Retention string `yaml:"retention" format:"retention"`
	// Which series Kiali asks for. meshID: those whose label mesh_id is the mesh's id, as Sightline's monitors add it. none: all series of
	// the store, for one that somebody else fills, such as Istio's sample Prometheus. An object: those with these labels. A scope that the
	// series do not have empties every graph. Default: meshID; with monitors.manage: false, none. Changes: the hub's Kiali resource; the
	// objects on the ACM hub and the allow-lists.
	Scope Scope `yaml:"scope" word:"meshID|none" keys:"labelName"`
	// The monitors that are rendered: PodMonitors and the ServiceMonitor of istiod.
	Monitors Monitors `yaml:"monitors"`
	// Labels on the monitors, for a Prometheus that selects by them. Changes: the PodMonitors and the ServiceMonitor of istiod; the
	// PrometheusRule.
	Labels map[string]string `yaml:"labels" format:"labelValue"`
	// Whether the mesh merges the metrics of proxy, agent and application (meshConfig.enablePrometheusMerge of Istio). With true, a pod
	// whose annotations name the port of the merged metrics is scraped there. Any other pod is scraped at the port that its proxy
	// declares; with false every pod is. Changes: the PodMonitors.
	PrometheusMerge bool `yaml:"prometheusMerge" default:"true"`
	// The store prometheus: where it is, and what it asks for. Changes: the hub's Kiali resource.
	Prometheus Prometheus `yaml:"prometheus"`
	// The store thanos: where it is, and what it asks for. Changes: the hub's Kiali resource.
	Thanos Thanos `yaml:"thanos"`
	// The store acm: the ACM hub, and what is collected there. Changes: the objects on the ACM hub and the hub's Kiali resource.
	ACM ACM `yaml:"acm"`
	// Whose cluster-monitoring-config is, the ConfigMap that turns on the monitoring of user workloads on OpenShift. It is one text that
	// other settings of the cluster's monitoring live in as well. Changes: cluster-monitoring-config.
	UserWorkloadMonitoring UserWorkloadMonitoring `yaml:"userWorkloadMonitoring"`
	// Alerts about the mesh. Changes: the PrometheusRules; from
	// Kiali v2.27 on the hub's Kiali resource and the ServiceMonitor for Kiali itself.
	Alerts Alerts `yaml:"alerts"`
}

// Alerts are rules by which the hub's Prometheus tells of a namespace that went silent, of targets that are down, of series that Kiali
// does not show and of proxies that are scraped twice. With Kiali v2.27 on the hub they also tell
// of what Kiali itself calls failing, and of
// a cluster that it no longer sees: Kiali's health metrics are turned on, and a ServiceMonitor has them scraped.
type Alerts struct {
	// Whether the hub gets a PrometheusRule in each namespace of the mesh. What evaluates the rules there sees the series of its own store;
	// it tells of a cluster or namespace that went silent within the last hour.
	Manage bool `yaml:"manage" default:"false"`
}

// Scope says which series Kiali asks for: a word of the format by the key "", or
// labels.
type Scope map[string]string

// Monitors are the PodMonitors and the ServiceMonitor of istiod.
type Monitors struct {
	// Whether there are any. With false, somebody else scrapes the mesh. Changes: the PodMonitors and the ServiceMonitor of istiod; and by
	// the default of metrics.scope the hub's Kiali resource; the PrometheusRule; the objects on the ACM hub and the allow-lists. Where no
	// monitoring is left, the delivery objects too.
	Manage bool `yaml:"manage" default:"true"`
	// The name of every PodMonitor. OpenShift AI makes PodMonitors of the default name in its namespaces, so choose another one there.
	// Changes: the PodMonitors; the PrometheusRule.
	Name string `yaml:"name" default:"istio-proxies-monitor" format:"name"`
}

// Prometheus is a Prometheus that Kiali asks.
type Prometheus struct {
	// Its URL, as the hub's pods see it, such as http://prometheus-operated.monitoring:9090. Required for the store prometheus.
	URL string `yaml:"url" format:"url"`
	// How Kiali logs in there. A credential is a reference secret:<name>:<key> to a Secret in Kiali's namespace.
	Auth StoreAuth `yaml:"auth"`
}

// Thanos is a Thanos of one's own that has the series of all clusters.
type Thanos struct {
	// The URL of its query frontend or querier, as the hub's pods see it. Required for the store thanos.
	URL string `yaml:"url" format:"url"`
	// How Kiali logs in there. A credential is a reference secret:<name>:<key> to a Secret in Kiali's namespace.
	Auth StoreAuth `yaml:"auth"`
	// How each OpenShift cluster sends its series there. They are those that Kiali asks for, with the cluster's name as a label. A
	// cluster's two Prometheus servers both send them, so the store has to deduplicate by the label prometheus_replica. Where this is
	// absent, the series come there by other means. Changes: user-workload-monitoring-config, of which it is the whole.
	RemoteWrite *RemoteWrite `yaml:"remoteWrite"`
}

// StoreAuth is what a metrics store wants to know of Kiali. Credentials are references of the form secret:<name>:<key> to Secrets in
// Kiali's namespace.
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
// user-workload-monitoring-config is one text, so it belongs to the topology as a whole.
type RemoteWrite struct {
	// Where the series are sent.
	URL string `yaml:"url" required:"url: https://thanos-receive.example.com/api/v1/receive" format:"url"`
	// The external label with the cluster's name, which keeps equal series of two clusters apart in the store. OpenShift reserves cluster,
	// prometheus and prometheus_replica for itself.
	ClusterLabel string `yaml:"clusterLabel" default:"cluster_name" format:"labelName"`
	// More metrics to send, by regular expressions of their names, such as jvm_.* for Kiali's dashboards of applications. Those are left
	// out otherwise: what Kiali asks for by itself is of Istio, Envoy and the containers.
	Metrics []string `yaml:"metrics"`
	// More fields of the entry in remoteWrite, such as authorization or tlsConfig. writeRelabelConfigs are applied after the rule that keeps
	// the series which Kiali asks for.
	Settings map[string]any `yaml:"settings"`
	// The rest of user-workload-monitoring-config, merged over what is rendered.
	Config map[string]any `yaml:"config"`
}

// UserWorkloadMonitoring says whose the ConfigMap cluster-monitoring-config is. It is one text that other settings of the cluster's
// monitoring live in as well.
type UserWorkloadMonitoring struct {
	// Whether the ConfigMap belongs to the topology. If not, user workload monitoring has to be on already.
	Manage bool `yaml:"manage" default:"false"`
	// The whole content of its config.yaml. Required with manage: true, and enableUserWorkload: true must be in it.
	Config map[string]any `yaml:"config"`
}

// Telemetry is the mesh-wide Telemetry. Of several in the root namespace Istio uses the oldest alone, for metrics, tracing and access logs
// together.
type Telemetry struct {
	// Whether the Telemetry belongs to the topology. A mesh can have one only: of several Istio uses the oldest, for metrics, tracing and
	// access logs together, and ignores the others.
	Manage bool `yaml:"manage" default:"true"`
	// The Telemetry's name.
	Name string `yaml:"name" default:"enable-prometheus-metrics" format:"name"`
	// Merged over its spec, such as accessLogging; traces are for spec.tracing. Objects merge; lists and other values replace, so metrics
	// replaces the provider prometheus, without which Kiali has no metrics.
	Spec map[string]any `yaml:"spec"`
}
