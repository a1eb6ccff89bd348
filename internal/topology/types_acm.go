package topology

// ACM is Red Hat Advanced Cluster Management (ACM) with its Observability, which
// collects the series of all clusters into one store. The owner of the ACM hub
// installs and sizes it. The topology says what is collected, and how Kiali
// reads it.
type ACM struct {
	// The name of the cluster on which ACM runs. If this cluster is not in the topology, leave it out: then the objects are in the
	// tree acm/. Changes: where the objects on the ACM hub are; the hub's Kiali resource and the delivery objects.
	Hub string `yaml:"hub"`
	// The release of ACM. The names in the API and the registration of collected metrics differ between releases. Required for the
	// store acm. Changes: the objects on the ACM hub, the allow-lists, the Namespace of the rules and
	// user-workload-monitoring-config.
	Release string `yaml:"release" enum:"2.13|2.14|2.15|2.16|2.17|5.0"`
	// What collects the series: mcoa (the multicluster observability add-on) or classic (the metrics-collector). ACM runs one of
	// them. Default: mcoa from release 2.15 on, else classic. Changes: the objects on the ACM hub; the allow-lists, the Namespace
	// of the rules and user-workload-monitoring-config.
	Collector string `yaml:"collector" enum:"mcoa|classic"`
	// How Kiali reaches the store. route: through the Route of the Observatorium API with a client certificate, from Kiali v2.22
	// on. internal: through the Service, without a login, if Kiali runs on the ACM hub. Changes: the hub's Kiali resource, the
	// objects on the ACM hub and the ConfigMap with the CAs.
	Access string `yaml:"access" default:"route" enum:"route|internal"`
	// The ingress domain of the ACM hub. The host of the Route ends with it. Default: the domain of the cluster in hub. Changes:
	// the hub's Kiali resource.
	Domain string `yaml:"domain" format:"host"`
	// If true, each cluster adds up the series of a workload's pods before the collection, as in Kiali's instructions. If false,
	// the series of every pod are collected. Only with the collector mcoa. Changes: the objects on the ACM hub, the Namespace of
	// the rules and user-workload-monitoring-config.
	Aggregate bool `yaml:"aggregate" default:"true"`
	// How long the store keeps its series. Write the value of retentionResolutionRaw of the MultiClusterObservability. Changes: the
	// hub's Kiali resource.
	Retention string `yaml:"retention" default:"365d" format:"retention"`
	// The time between two collections, at least 90s. With the collector classic, write the value of
	// observabilityAddonSpec.interval of the MultiClusterObservability. Changes: the objects on the ACM hub and the hub's
	// Kiali resource.
	Interval string `yaml:"interval" default:"5m" format:"duration"`
	// The Placement with which the add-on selects the clusters, as namespace/name. Changes: the objects on the ACM
	// hub.
	Placement string `yaml:"placement" default:"open-cluster-management-global-set/global" format:"namespacedName"`
	// The namespace of the rendered Policies on the ACM hub. Changes: the objects on the ACM hub and the delivery
	// objects.
	PolicyNamespace string `yaml:"policyNamespace" default:"mesh-policies" format:"label"`
	// Where the recording rules of aggregate are evaluated. Changes: the objects on
	// the ACM hub.
	Rules ACMRules `yaml:"rules"`
	// What the classic collector collects. Changes: the allow-lists.
	AllowList ACMAllowList `yaml:"allowList"`
	// How Argo CD knows the ACM hub, if the ACM hub is not in the topology. Changes: the delivery objects.
	ArgoCD *ClusterArgoCD `yaml:"argocd"`
	// How Flux reaches the ACM hub, if the ACM hub is not in the topology. Changes: the delivery objects.
	Flux ACMFlux `yaml:"flux"`
}

// ACMRules says where the recording rules are evaluated that add up the series of a
// workload's pods.
type ACMRules struct {
	// One namespace on every cluster whose rules read the series of all namespaces. It needs OpenShift 4.18 or later, and an entry
	// in namespacesWithoutLabelEnforcement of user-workload-monitoring-config. Default: none; each namespace of the mesh has its
	// own PrometheusRule, with any release. Changes: the objects on the ACM hub, the Namespace of the rules and
	// user-workload-monitoring-config.
	Namespace string `yaml:"namespace" format:"label"`
	// Whether Sightline renders user-workload-monitoring-config. If not, the namespace must be in it already. Changes:
	// user-workload-monitoring-config of each OpenShift cluster of the mesh.
	Manage bool `yaml:"manage" default:"false"`
	// The rest of its config.yaml, merged over the rendered content. Changes:
	// user-workload-monitoring-config.
	Config map[string]any `yaml:"config"`
}

// ACMAllowList says where the ConfigMaps observability-metrics-custom-allowlist are. They tell the classic collector which series
// to collect.
type ACMAllowList struct {
	// Where the lists are. namespaces: one list in each namespace of the mesh, on every cluster. hub: one list on the ACM hub for
	// all clusters; Sightline renders the whole list. none: somebody else maintains the list on the ACM hub. Changes: the
	// allow-lists and the objects on the ACM hub.
	In string `yaml:"in" default:"namespaces" enum:"namespaces|hub|none"`
	// With in: hub, more keys for the list of user workloads, such as names and matches, merged over the rendered keys. Lists are
	// joined. Changes: the objects on the ACM hub.
	More map[string]any `yaml:"more"`
}

// ACMFlux says how Flux reaches the ACM hub.
type ACMFlux struct {
	// The Secret with the kubeconfig, in the namespace of Flux, with mode hub.
	KubeConfigSecret string `yaml:"kubeConfigSecret" default:"acm-kubeconfig" format:"name"`
}
