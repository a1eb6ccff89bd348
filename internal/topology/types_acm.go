package topology

// ACM is Red Hat Advanced Cluster Management (ACM) with its Observability, which
// collects the series of all clusters into one store. The operator of the
// ACM hub installs and sizes it; the topology says what is collected, and how
// Kiali reads it.
type ACM struct {
	// The cluster that ACM runs on, by its name. If that is none of the topology, leave it out: the objects are in the tree acm/ then.
	// Changes: where the objects on the ACM hub are; the hub's Kiali resource and the delivery objects.
	Hub string `yaml:"hub"`
	// The release of ACM. The API names and the registration of what is collected differ between releases. Required for the store acm.
	// Changes: the objects on the ACM hub, the allow-lists, the Namespace of the rules and user-workload-monitoring-config.
	Release string `yaml:"release" enum:"2.13|2.14|2.15|2.16|2.17|5.0"`
	// What collects the series: mcoa, the multicluster observability add-on, or the classic metrics-collector. ACM runs one of the two.
	// Default: mcoa from release 2.15 on, else classic. Changes: the objects on the ACM hub; the allow-lists, the Namespace of the rules
	// and user-workload-monitoring-config.
	Collector string `yaml:"collector" enum:"mcoa|classic"`
	// How Kiali reaches the store: by the route of the Observatorium API with a client certificate, from Kiali v2.22 on; or inside the
	// cluster by its Service, without a login, if Kiali runs on the ACM hub. Changes: the hub's Kiali resource, the objects on the ACM hub
	// and the ConfigMap with the CAs.
	Access string `yaml:"access" default:"route" enum:"route|internal"`
	// The domain of the ingress of the ACM hub, which the host of the route ends in. Default: the domain of the cluster in hub. Changes:
	// the hub's Kiali resource.
	Domain string `yaml:"domain" format:"host"`
	// Whether each cluster adds up the series of a workload's pods before they are collected, as Kiali's own instructions do; else the
	// series of every pod are collected. With the collector mcoa. Changes: the objects on the ACM hub, the Namespace of the rules and
	// user-workload-monitoring-config.
	Aggregate bool `yaml:"aggregate" default:"true"`
	// How long the store keeps its series: retentionResolutionRaw of the MultiClusterObservability. Changes: the hub's Kiali resource.
	Retention string `yaml:"retention" default:"365d" format:"retention"`
	// The time between two collections, at least 90s. With the collector classic it is observabilityAddonSpec.interval of the
	// MultiClusterObservability. Changes: the objects on the ACM hub and the hub's Kiali resource.
	Interval string `yaml:"interval" default:"5m" format:"duration"`
	// The Placement of the add-on that chooses the clusters, as namespace/name. Changes: the objects on the ACM hub.
	Placement string `yaml:"placement" default:"open-cluster-management-global-set/global" format:"namespacedName"`
	// The namespace of our Policies on the ACM hub. Changes: the objects on the ACM hub and the delivery objects.
	PolicyNamespace string `yaml:"policyNamespace" default:"mesh-policies" format:"label"`
	// Where the rules of aggregate are evaluated. Changes: the objects on the ACM hub.
	Rules ACMRules `yaml:"rules"`
	// What the classic collector is told to collect. Changes: the allow-lists.
	AllowList ACMAllowList `yaml:"allowList"`
	// How Argo CD knows the ACM hub, if that is no cluster of the topology. Changes: the delivery objects.
	ArgoCD *ClusterArgoCD `yaml:"argocd"`
	// How Flux reaches the ACM hub, if that is no cluster of the topology. Changes: the delivery objects.
	Flux ACMFlux `yaml:"flux"`
}

// ACMRules says where the rules are evaluated that add up the series of a workload's pods.
type ACMRules struct {
	// One namespace on every cluster, whose rules see all namespaces. It needs OpenShift 4.18, and stands in
	// namespacesWithoutLabelEnforcement of user-workload-monitoring-config. Default: none; each namespace of the mesh has a PrometheusRule
	// of its own, on every release. Changes: the objects on the ACM hub, the Namespace of the rules and user-workload-monitoring-config.
	Namespace string `yaml:"namespace" format:"label"`
	// Whether user-workload-monitoring-config belongs to the topology. If not, the namespace has to be in it already. Changes:
	// user-workload-monitoring-config of each OpenShift cluster of the mesh.
	Manage bool `yaml:"manage" default:"false"`
	// The rest of its config.yaml, merged over what is rendered. Changes: user-workload-monitoring-config.
	Config map[string]any `yaml:"config"`
}

// ACMAllowList says how the classic collector is told which series to collect: by ConfigMaps observability-metrics-custom-allowlist.
type ACMAllowList struct {
	// Where the lists are: one in each namespace of the mesh, on every cluster; one on the ACM hub for all clusters, of which the topology
	// has the whole; or none, because somebody else has the list of the ACM hub. Changes: the allow-lists and the objects on the ACM hub.
	In string `yaml:"in" default:"namespaces" enum:"namespaces|hub|none"`
	// With in: hub, further keys of the list of user workloads, merged over ours: names, matches and the others of its format. Lists are
	// joined. Changes: the objects on the ACM hub.
	More map[string]any `yaml:"more"`
}

// ACMFlux is how Flux reaches the ACM hub.
type ACMFlux struct {
	// The Secret with the kubeconfig, in the namespace of Flux, with mode hub.
	KubeConfigSecret string `yaml:"kubeConfigSecret" default:"acm-kubeconfig" format:"name"`
}
