package topology

import (
	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
)

// The types in this file define the format. The decoder, the JSON Schema and
// `sightline explain` read their tags. The comment on a field is its
// documentation in all of them, so it is written for the author of a topology.
//
// Two sentences of such a comment have a fixed first word. "Default:" describes
// a default that depends on other values; a tag cannot hold it. "Changes:"
// comes last and names the resources that the field changes. Without it, the
// sentence of the parent field applies. A test renders topologies to check that
// the sentence is true.

// Topology is the whole input: the clusters of one mesh, and how Kiali watches
// them.
type Topology struct {
	// The version of the format. Changes: nothing.
	APIVersion string `yaml:"apiVersion" required:"apiVersion: sightline.dev/v1alpha1" enum:"sightline.dev/v1alpha1"`
	// The kind of the document. Changes: nothing.
	Kind string `yaml:"kind" required:"kind: Topology" enum:"Topology"`
	// The name and annotations of the topology.
	Metadata Metadata `yaml:"metadata" required:"metadata: {name: east-west}"`
	// The content of the topology.
	Spec Spec `yaml:"spec" required:"spec: {mesh: …, kiali: …, clusters: …}"`

	file string
	root *yaml.Node
	*repairs
	guessed   map[finding.Position]bool // see Guessed
	removed   map[finding.Position]bool // positions of removed credentials
	inline    int                       // the number of clusters in the topology's own document
	documents []clusterDocument         // the other clusters
}

// Metadata names the topology.
type Metadata struct {
	// The name of the topology. If you render several topologies at once, each gets a directory with its name. Changes: every
	// resource, because each has the name as the label app.kubernetes.io/part-of.
	Name string `yaml:"name" required:"name: east-west" format:"label"`
	// Notes for tools. Sightline reads one of them, sightline.dev/suppress: rules whose warnings are left out, such as PM13.
	// Changes: nothing.
	Annotations map[string]string `yaml:"annotations"`
}

// Spec is the content of the topology.
type Spec struct {
	// The mesh of the clusters.
	Mesh Mesh `yaml:"mesh" required:"mesh: {id: mesh1}"`
	// The Kiali server on the hub, and its resources on the remotes.
	Kiali Kiali `yaml:"kiali" required:"kiali: {hub: cluster1}"`
	// How Prometheus scrapes the mesh, and which store Kiali reads.
	Metrics Metrics `yaml:"metrics"`
	// The mesh-wide Telemetry of each control plane. It turns on the metrics of proxies for Prometheus. Changes: the
	// Telemetry.
	Telemetry Telemetry `yaml:"telemetry"`
	// Traces of requests through every cluster. Without this field, Sightline renders
	// nothing for tracing.
	Tracing *Tracing `yaml:"tracing"`
	// Namespaces with proxies, on every cluster of the mesh. Each gets a PodMonitor. The namespace of the control plane gets a
	// PodMonitor too, so you need not name it. Changes: how many PodMonitors there are; the PrometheusRule; the objects on the ACM
	// hub and the allow-lists; the delivery objects.
	Namespaces []string `yaml:"namespaces" format:"label"`
	// The repository of the rendered directory, and the engine that brings it to the clusters. Changes: the delivery objects.
	Delivery *Delivery `yaml:"delivery"`
	// Namespaces to create on every cluster, such as the namespace of Kiali. An engine that prunes never removes them. Default:
	// none; the namespaces exist already. Changes: the Namespaces; the delivery objects, if the phase operator has no other object.
	CreateNamespaces []string `yaml:"createNamespaces" format:"label"`
	// Your own changes of the rendered resources. Changes: the resources that an overlay changes, on the
	// clusters that it matches.
	Overlays []Overlay `yaml:"overlays"`
	// The clusters of the mesh. If the topology is a directory, each cluster can have its own document of kind Cluster instead.
	// Changes: every resource, because each belongs to a cluster.
	Clusters []Cluster `yaml:"clusters"`
}

// Mesh identifies the mesh.
type Mesh struct {
	// The mesh id (values.global.meshID of Istio). Every scraped series gets it as the label mesh_id, and Kiali asks only for
	// series with this id. Changes: the PodMonitors, the ServiceMonitor of istiod and the hub's Kiali resource; the PrometheusRule;
	// the collectors of traces, the ClusterRoleBindings and the TempoStack through the default of tracing.tempo.tenant; the objects
	// on the ACM hub and the allow-lists.
	ID string `yaml:"id" required:"id: mesh1" format:"meshID"`
	// The namespace of istiod, on every cluster. It is also the root namespace of the mesh. Changes: where the Telemetry, the
	// ServiceMonitor of istiod and a PodMonitor are; and the resources whose namespace defaults to it: the Kiali resources with the
	// token Secrets, the SealedSecrets and the ClusterRoleBinding; the ConfigMap with the CAs and the PrometheusRule; the delivery
	// objects; the collectors of traces with their Certificates and Route; the ExternalSecrets, the PushSecrets, the
	// ServiceAccounts and the OAuthClients; the objects on the ACM hub and the allow-lists.
	ControlPlaneNamespace string `yaml:"controlPlaneNamespace" default:"istio-system" format:"label"`
	// How workloads join the mesh. With ambient, Prometheus scrapes the namespace of ztunnel too. Changes: the PodMonitors;
	// the PrometheusRule; the objects on the ACM hub and the allow-lists; the delivery objects.
	DataPlane string `yaml:"dataPlane" default:"sidecar" enum:"sidecar|ambient"`
}

// Kiali describes the server on the hub and its resources on the remotes.
type Kiali struct {
	// The name of the cluster that runs the Kiali server. All other clusters are remotes. Changes: which cluster has which Kiali
	// resource, the ClusterRoleBinding, the SealedSecrets and the token Secrets; the resources that depend on the hub's platform,
	// such as the Subscription; and the delivery objects; the ConfigMap with the CAs and the PrometheusRule; the collectors of
	// traces, their Certificates and Route, and the TempoStack; the ExternalSecrets, the PushSecrets, the ServiceAccounts and the
	// OAuthClients; the objects on the ACM hub.
	Hub string `yaml:"hub" required:"hub: cluster1"`
	// The namespace of every Kiali resource, on the hub and the remotes. Default: mesh.controlPlaneNamespace. Changes: the Kiali
	// resources, the token Secrets, the SealedSecrets and the ClusterRoleBinding; the ConfigMap with the CAs; the delivery objects;
	// the hub's receiver, which is one of the collectors of traces, with its Certificate and Route; the ExternalSecrets, the
	// PushSecrets, the ServiceAccounts and the OAuthClients; the objects on the ACM hub.
	Namespace string `yaml:"namespace" format:"label"`
	// The name of every Kiali resource, on the hub and the remotes. The hub looks for an OAuthClient whose name consists of this
	// name and the namespace. Changes: the Kiali resources, the token Secrets and the ClusterRoleBinding; the ConfigMap with the
	// CAs; the PushSecrets, the ServiceAccounts, the role of Kiali's account and the OAuthClients; the objects on the ACM hub.
	InstanceName string `yaml:"instanceName" default:"kiali" format:"instanceName"`
	// The Kiali release line that the operator installs. It is a finding if the release line does not support what the topology needs.
	// Changes: spec.version of the Kiali resources; and the SealedSecrets through the default of links.format; the ConfigMap with the CAs; the
	// ExternalSecrets, the role of Kiali's account and its ClusterRoleBinding; with metrics.alerts the PrometheusRule and the ServiceMonitor
	// for Kiali itself; the objects on the ACM hub.
	Version kiali.Line `yaml:"version" default:"default"`
	// Whether Kiali may only read. If true, its accounts get a role without write access. If false, users may change Istio's configuration in
	// Kiali within their own rights; with the strategy anonymous, everybody may change it within the rights of Kiali's account. Changes: the
	// Kiali resources; the ClusterRoleBindings; the objects on the ACM hub.
	ViewOnly bool `yaml:"viewOnly" default:"false"`
	// CAs that the hub's Kiali trusts in addition to the CAs in its image, for the store, logins and other services. Write
	// certificates in PEM, or the name of a file next to the topology, such as ca.pem. Sightline renders them where the hub's
	// release line reads them. For an https store, release lines before v2.11 trust only these CAs. Changes: the ConfigMap with the
	// CAs, on the hub; the objects on the ACM hub.
	CA string `yaml:"ca" format:"certificates"`
	// How users log in. Changes: the Kiali resources.
	Auth Auth `yaml:"auth"`
	// How the hub reaches the remotes. Changes: the SealedSecrets with the kubeconfigs, made from the files of seal next to the
	// topology.
	Links Links `yaml:"links"`
	// How the Kiali operator is installed on each cluster. Changes: the
	// Subscriptions.
	Operator Operator `yaml:"operator"`
	// Merged over the spec of the hub's Kiali resource. Objects merge; lists and other values replace. Sightline refuses a field
	// that it sets itself, with few exceptions. Changes: the hub's Kiali resource.
	Spec map[string]any `yaml:"spec"`
}

// Auth says how users log in to Kiali.
type Auth struct {
	// Kiali's login strategy. With openshift, a user logs in at the OAuth server of each cluster. With token, a user pastes a token; with
	// header, a proxy in front of Kiali sends a token; both work with one cluster only. Default: openshift on an OpenShift hub, token on a
	// single Kubernetes cluster; required with several clusters and a Kubernetes hub. Changes: the Kiali resources; the ClusterRoleBindings;
	// before v2.11 the ConfigMap with the CAs; the OAuthClients; the objects on the ACM hub.
	Strategy string `yaml:"strategy" enum:"openshift|openid|anonymous|token|header"`
	// One login for all clusters: Kiali's account acts as the user on each cluster. It needs the strategy openshift, Kiali 2.30 or
	// later, and an operator whose definition has the field (rule KC07).
	Impersonation Impersonation `yaml:"impersonation"`
}

// Impersonation is one login for all clusters: Kiali's account acts as the user on each cluster.
type Impersonation struct {
	// Whether impersonation is on. Users and groups must have the same names on every cluster. Changes: the Kiali resources; on remotes
	// without an operator, whether there is an OAuthClient with its ClusterRoleBinding; the objects on the ACM hub.
	Enabled bool `yaml:"enabled" default:"false"`
	// The users that Kiali may impersonate. Default: all except system accounts; this is a
	// warning.
	Users []string `yaml:"users"`
	// The groups that Kiali may impersonate. Default: all except system groups.
	Groups []string `yaml:"groups"`
}

// Operator says how the Kiali operator is installed on each cluster.
type Operator struct {
	// How the operator is installed. olm: Sightline renders a Subscription. helm: the delivery engine installs the operator's
	// chart. none: the operator is there already. A value that you write applies to every cluster. Default: with an OpenShift hub,
	// olm on OpenShift clusters and none on others; else none. Changes: the Subscriptions and the delivery objects.
	Install string `yaml:"install" enum:"olm|none|helm"`
	// Whether the remotes have the operator. With none they have no operator, and Sightline renders what the operator would create
	// for the hub's Kiali: the account, its role and, with the strategy openshift, the OAuthClient. Changes: the Kiali resources
	// and Subscriptions of the remotes, or instead of them the ServiceAccount, the ClusterRoles, the ClusterRoleBindings and the
	// OAuthClient; the delivery objects.
	Remotes string `yaml:"remotes" default:"same" enum:"same|none"`
	// The channel of the Subscription.
	Channel string `yaml:"channel" default:"stable" format:"name"`
	// The catalog of the Subscription. Default: redhat-operators on OpenShift, operatorhubio-catalog on
	// Kubernetes.
	Source string `yaml:"source" format:"name"`
	// The namespace of the catalog. Default: openshift-marketplace on OpenShift, olm on Kubernetes.
	SourceNamespace string `yaml:"sourceNamespace" format:"label"`
	// The name of the operator in the catalog. It is also the name of the Subscription. Set it if you use a mirror of the
	// community's catalog with another name. Default: kiali in the catalogs of the community (community-operators,
	// operatorhubio-catalog), else kiali-ossm.
	Package string `yaml:"package" format:"name"`
	// Automatic: the operator is installed and updated without approval. Manual: somebody approves each install plan on each
	// cluster. An existing Subscription gets this value, so write Manual if it has Manual now.
	Approval string `yaml:"approval" default:"Automatic" enum:"Automatic|Manual"`
	// The version that is installed first, such as kiali-operator.v2.27.1. With approval: Automatic, later versions follow at
	// once.
	StartingCSV string `yaml:"startingCSV" format:"name"`
	// The operator's chart, with install: helm. Changes: the delivery objects.
	Chart OperatorChart `yaml:"chart"`
}

// OperatorChart is the Helm chart kiali-operator.
type OperatorChart struct {
	// The repository of the chart. Write the URL of a Helm repository, or with oci:// a path in a registry, without the
	// name kiali-operator.
	RepoURL string `yaml:"repoURL" default:"https://kiali.org/helm-charts" format:"chartURL"`
	// The version of the chart. A range is not accepted, because it would install versions that nobody
	// has tested. Required with install: helm.
	Version string `yaml:"version" format:"chartVersion"`
	// The namespace of the operator.
	Namespace string `yaml:"namespace" default:"kiali-operator" format:"label"`
	// Values of the chart, such as the image of a mirror. They are merged over Sightline's values; these keep the chart from
	// creating a Kiali resource.
	Values map[string]any `yaml:"values"`
	// The Secret with the login of the repository, in Flux' namespace. Argo CD does not need it: it uses the login of its
	// registered repositories.
	SecretRef string `yaml:"secretRef" format:"name"`
}

// Word is the word of the format, or "" if the scope has labels.
func (s Scope) Word() string { return s[""] }

// ScopeOf makes a scope of a word of the format.
func ScopeOf(word string) Scope { return Scope{"": word} }

// Overlay is your own change of the rendered resources of some clusters.
type Overlay struct {
	// The name of the overlay. Its folder in the tree is overlays/<name>.
	Name string `yaml:"name" required:"name: team-labels" format:"label"`
	// The clusters to which the overlay applies. All conditions must hold. Default: all
	// clusters.
	Match Match `yaml:"match"`
	// A folder with a kustomization, relative to the topology's file. The kustomization may have patches, labels, annotations and
	// images. An overlay has either kustomize or jsonnet.
	Kustomize string `yaml:"kustomize"`
	// A Jsonnet file, relative to the topology's file. It is a function(resource, cluster) that returns the resource. An overlay
	// has either kustomize or jsonnet.
	Jsonnet string `yaml:"jsonnet"`
}

// Match selects clusters. All conditions must hold.
type Match struct {
	// Clusters by their names.
	Names []string `yaml:"names"`
	// Clusters by their labels.
	Labels map[string]string `yaml:"labels" format:"labelValue"`
}

// member is a cluster in its own document, next to the topology.
type member struct {
	// The version of the format.
	APIVersion string `yaml:"apiVersion" required:"apiVersion: sightline.dev/v1alpha1" enum:"sightline.dev/v1alpha1"`
	// The kind of the document: one cluster of the topology in the same
	// directory.
	Kind string `yaml:"kind" required:"kind: Cluster" enum:"Cluster"`
	// The name of the cluster.
	Metadata memberMetadata `yaml:"metadata" required:"metadata: {name: cluster1}"`
	// All fields of a cluster in a topology, except its name.
	Spec clusterSpec `yaml:"spec"`
}

// memberMetadata names a cluster in its own document.
type memberMetadata struct {
	// The cluster's name, as in spec.clusters[].name of a topology.
	Name string `yaml:"name" required:"name: cluster1" format:"clusterName"`
}

// clusterSpec is a Cluster whose name is in the metadata.
type clusterSpec Cluster

// Cluster is one cluster of the mesh.
type Cluster struct {
	// The name of the cluster, the same everywhere: Istio's clusterName, Kiali's cluster name, the key of the kubeconfig and the last part of
	// the login callback. Changes: its folder, its Kiali resource, its user-workload-monitoring-config, the SealedSecrets and the delivery
	// objects; the collectors of traces; the ExternalSecrets, the PushSecrets and the OAuthClients; the objects on the ACM hub.
	Name string `yaml:"name" required:"name: cluster1" format:"clusterName"`
	// The platform of the cluster. Only OpenShift has Routes, OAuth, user workload monitoring and cluster monitoring. Changes: the
	// Subscription, the Kiali resource, cluster-monitoring-config, user-workload-monitoring-config and, with ambient, a PodMonitor;
	// on the hub also the ClusterRoleBinding, through the default of metrics.store, and the delivery objects; the OAuthClients; the
	// allow-lists; the objects on the ACM hub.
	Platform string `yaml:"platform" default:"openshift" enum:"openshift|kubernetes"`
	// The URL at which the hub's pods reach the API server. Required on remotes. Changes: the delivery objects; the kubeconfig, so seal the
	// link again; the ExternalSecrets; the objects on the ACM hub.
	Server string `yaml:"server" format:"server"`
	// The domain of the cluster's ingress. The host of the hub's Kiali follows from the domain of the hub. On the hub it is
	// required with remotes and the strategy openshift, unless kiali.host is set. Changes: the login callbacks in the Kiali
	// resources; on the hub also the Route, the Certificates and the collectors of traces; the OAuthClients.
	Domain string `yaml:"domain" format:"host"`
	// The cluster's network in Istio. Changes: nothing yet.
	Network string `yaml:"network" format:"label"`
	// Namespaces with proxies, in addition to the namespaces of the topology. Changes: how many PodMonitors there are; the
	// PrometheusRule; the objects on the ACM hub and the allow-lists; the delivery objects.
	Namespaces []string `yaml:"namespaces" format:"label"`
	// Namespaces of gateways: ingress, egress and east-west. You need not repeat a namespace that namespaces lists. Changes: how
	// many PodMonitors there are; the PrometheusRule; the objects on the ACM hub and the allow-lists; the delivery objects.
	Gateways []string `yaml:"gateways" format:"label"`
	// Namespaces of waypoints. You need not repeat a namespace that namespaces lists. Changes: how many PodMonitors there
	// are; the PrometheusRule; the objects on the ACM hub and the allow-lists; the delivery objects.
	Waypoints []string `yaml:"waypoints" format:"label"`
	// The namespace of ztunnel, with dataPlane ambient. Default: ztunnel on OpenShift, else mesh.controlPlaneNamespace. Changes: where
	// there is a PodMonitor; the objects on the ACM hub.
	ZtunnelNamespace string `yaml:"ztunnelNamespace" format:"label"`
	// The name of the cluster's ManagedCluster in Red Hat ACM. ACM calls its own cluster local-cluster, unless you chose another
	// name at the installation. Default: local-cluster for metrics.acm.hub, else name. Changes: the objects on the ACM hub, if the
	// cluster is Kiali's hub; with delivery.argocd.generator: acm the delivery objects.
	ManagedCluster string `yaml:"managedCluster" format:"name"`
	// Labels that overlays can match. Changes: which overlays apply to the cluster.
	Labels map[string]string `yaml:"labels" format:"labelValue"`
	// Where the istiod of the cluster's proxies runs. Changes: which resources of the mesh the cluster has.
	ControlPlane ControlPlane `yaml:"controlPlane"`
	// Overrides spec.metrics.userWorkloadMonitoring for this cluster. Changes: cluster-monitoring-config.
	UserWorkloadMonitoring *UserWorkloadMonitoring `yaml:"userWorkloadMonitoring"`
	// Overrides spec.metrics for this cluster. Changes: the PodMonitors and the ServiceMonitor of istiod; and with a Thanos as
	// store the hub's Kiali resource, because Kiali must know the longest interval.
	Metrics ClusterMetrics `yaml:"metrics"`
	// The Kiali resource of this cluster. Changes: its Kiali resource.
	Kiali ClusterKiali `yaml:"kiali"`
	// How the hub's kubeconfig reaches the API server of a remote, if a token and a CA are not enough. Changes: the kubeconfig, so
	// seal the link again; and with exec the hub's Kiali resource.
	Access Access `yaml:"access"`
	// How Argo CD knows the cluster. Default: by server; the cluster on which Argo CD runs is in-cluster. Changes: the delivery
	// objects.
	ArgoCD *ClusterArgoCD `yaml:"argocd"`
	// How Flux reaches the cluster, with mode hub. Changes: the delivery objects.
	Flux ClusterFlux `yaml:"flux"`
}

// Access says how the hub's kubeconfig reaches the API server of a remote.
type Access struct {
	// If true, the certificate of the API server is not checked. Then anybody between the hub and the cluster can read the token.
	// Changes: the ExternalSecrets and the
	// objects on the ACM hub; else nothing, because the kubeconfig is sealed.
	InsecureSkipTLSVerify bool `yaml:"insecureSkipTLSVerify" default:"false"`
	// The CA of the API server, as certificates in PEM. Set it if it differs from the CA that the cluster gives to its pods. seal
	// uses it unless you give --ca-file. Changes: the ExternalSecrets and the
	// objects on the ACM hub; else nothing, because the kubeconfig is sealed.
	CA string `yaml:"ca" format:"pem"`
	// The URL of a proxy through which the hub's pods reach the API server. Changes: the
	// ExternalSecrets and the objects on the ACM hub; else nothing, because the kubeconfig is sealed.
	ProxyURL string `yaml:"proxyURL" format:"url"`
	// A program in Kiali's image that prints the credential. It replaces the token. Changes: the hub's Kiali resource, which
	// permits programs; the token Secrets, because the cluster has none; the delivery objects, because the cluster has no phase
	// link; the ExternalSecrets and the PushSecrets; the objects on the ACM hub.
	Exec *Exec `yaml:"exec"`
}

// Exec is a program that prints a credential. client-go runs it.
type Exec struct {
	// The version of the program's input and output. Changes: nothing; the kubeconfig is sealed.
	APIVersion string `yaml:"apiVersion" default:"client.authentication.k8s.io/v1" enum:"client.authentication.k8s.io/v1|client.authentication.k8s.io/v1beta1"`
	// The program. It must be in Kiali's image.
	Command string `yaml:"command" required:"command: aws-iam-authenticator"`
	// The arguments of the program. They are in Git, so never write a credential here. Changes: nothing; the kubeconfig
	// is sealed.
	Args []string `yaml:"args"`
	// The user or group as which the program logs in. It gets the rights of Kiali's account on the cluster. Default: none; somebody
	// else grants the rights. Changes: the ClusterRoleBindings.
	Subject *Subject `yaml:"subject"`
	// Environment variables of the program. They are in Git, so never write a credential here. Changes: nothing; the kubeconfig is
	// sealed.
	Env map[string]string `yaml:"env"`
}

// Subject is a user or a group on a cluster.
type Subject struct {
	// Whether it is a user or a group.
	Kind string `yaml:"kind" default:"User" enum:"User|Group"`
	// The name of the user or group on the API server of the cluster.
	Name string `yaml:"name" required:"name: kiali-reader"`
}

// ControlPlane says where the istiod of the cluster's proxies runs.
type ControlPlane struct {
	// Where istiod runs. local: on this cluster. remote: on the primary. external: outside, but this cluster holds its
	// configuration. none: the cluster is not in the mesh, for a hub that only runs Kiali. Changes: whether there are a
	// ServiceMonitor of istiod, a Telemetry, PodMonitors, and what only they need (cluster-monitoring-config,
	// user-workload-monitoring-config); the delivery objects, if no monitoring is left; and with none the hub's Kiali resource;
	// the PrometheusRule; the collectors of traces and the ClusterRoleBindings for them; the allow-lists and the Namespace of the
	// rules.
	Mode string `yaml:"mode" default:"local" enum:"local|remote|external|none"`
	// The namespace of the cluster's istiod. It is also the root namespace of its configuration. Default:
	// mesh.controlPlaneNamespace. Changes: where the Telemetry, the ServiceMonitor of istiod and a PodMonitor are; on the hub
	// before v2.17, the Kiali resource; the PrometheusRule; the delivery objects; the collectors of traces with their Certificates,
	// and the ClusterRoleBinding for them; the objects on the ACM hub and the allow-lists.
	Namespace string `yaml:"namespace" format:"label"`
	// The name of the cluster on which the istiod runs, with mode remote or external, if the topology has this cluster. With mode
	// external there are two cases. If the namespace is the same as on the primary, the primary's istiod serves only external
	// clusters, and the primary has proxies only in the namespaces that it lists itself. If the namespace differs, the primary has
	// a second istiod in this namespace. Changes: with mode external, the ServiceMonitors of the primary, whether it has the
	// Telemetry and PodMonitors, and what only they need.
	Primary string `yaml:"primary"`
	// The revisions of istiod that run at the same time. Their series get the label istio_io_rev. Changes: the ServiceMonitor of
	// istiod.
	Revisions []string `yaml:"revisions" format:"label"`

	servesExternal bool     // its istiod is the external control plane of another cluster
	others         []string // namespaces of further istiods, which serve other clusters
}

// ClusterMetrics overrides spec.metrics for a cluster.
type ClusterMetrics struct {
	// The time between two scrapes. Default: metrics.interval.
	Interval string `yaml:"interval" format:"duration"`
}

// ClusterKiali describes the Kiali resource of a cluster.
type ClusterKiali struct {
	// The Kiali release line. Default: kiali.version. Changes: its Kiali resource; and on the hub the SealedSecrets through the default of
	// links.format; the ConfigMap with the CAs; the ExternalSecrets and the ClusterRoleBindings; on the hub with metrics.alerts the
	// PrometheusRule and the ServiceMonitor for Kiali itself; the objects on the ACM hub.
	Version kiali.Line `yaml:"version"`
	// The path under which the hub's Kiali is served. Default: / on OpenShift, /kiali on Kubernetes. Changes: the hub's Kiali
	// resource, and the login callbacks in the Kiali resources of the remotes; the OAuthClients.
	WebRoot string `yaml:"webRoot" format:"webRoot"`
	// The host of the hub's Kiali, with https and port 443. For another scheme or port, write server.web_schema and server.web_port
	// in kiali.spec. Default: <instance>-<namespace>.<domain>. Changes: the hub's Kiali resource, and the login callbacks in the
	// Kiali resources of the remotes; the OAuthClients.
	Host string `yaml:"host" format:"host"`
	// Merged over the spec of the cluster's Kiali resource. On the hub it is merged after kiali.spec of the
	// topology.
	Spec map[string]any `yaml:"spec"`
}
