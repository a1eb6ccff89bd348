package topology

import (
	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
)

// The types of this file are the format: their tags are what the decoder, the
// JSON Schema and `sightline explain` go by, and the comment on a field is its
// documentation in all of them, so it is written for whoever writes a
// topology.
//
// Two sentences of such a comment are known by their first word. "Default:"
// tells of a default that follows from other values, which no tag can hold.
// "Changes:", the last, names the resources that the field changes; without it
// the sentence of the field above holds. A test renders to see whether it is
// true.

// Topology is the whole input: the clusters of one mesh and what watches them.
type Topology struct {
	// The version of the format. Changes: nothing.
	APIVersion string `yaml:"apiVersion" required:"apiVersion: sightline.dev/v1alpha1" enum:"sightline.dev/v1alpha1"`
	// What the document is. Changes: nothing.
	Kind string `yaml:"kind" required:"kind: Topology" enum:"Topology"`
	// What the topology is called.
	Metadata Metadata `yaml:"metadata" required:"metadata: {name: east-west}"`
	// What the topology says.
	Spec Spec `yaml:"spec" required:"spec: {mesh: …, kiali: …, clusters: …}"`

	file string
	root *yaml.Node
	*repairs
	guessed   map[finding.Position]bool // see Guessed
	removed   map[finding.Position]bool // where credentials were
	inline    int                       // so many of the clusters stand in the topology's own document
	documents []clusterDocument         // the others
}

// Metadata names the topology.
type Metadata struct {
	// The topology's name, and that of its directory where several are rendered at once. Changes: every resource, which has it as the
	// label app.kubernetes.io/part-of.
	Name string `yaml:"name" required:"name: east-west" format:"label"`
	// Notes for tools. Of these Sightline reads sightline.dev/suppress: rules whose warnings are known and meant, such as PM13. Changes:
	// nothing.
	Annotations map[string]string `yaml:"annotations"`
}

// Spec is what the topology says about the mesh.
type Spec struct {
	// The mesh that the clusters form.
	Mesh Mesh `yaml:"mesh" required:"mesh: {id: mesh1}"`
	// The Kiali server on the hub, and its counterparts on the remotes.
	Kiali Kiali `yaml:"kiali" required:"kiali: {hub: cluster1}"`
	// How the mesh is scraped, and where Kiali asks for the result.
	Metrics Metrics `yaml:"metrics"`
	// The mesh-wide Telemetry of each control plane. By it, proxies have metrics for Prometheus. Changes: the Telemetry.
	Telemetry Telemetry `yaml:"telemetry"`
	// Traces of requests through every cluster. Absent: nothing about them is rendered.
	Tracing *Tracing `yaml:"tracing"`
	// Namespaces with proxies in them, on every cluster of the mesh. Each gets a PodMonitor. The namespace of the control plane gets one
	// too and need not be named. Changes: how many PodMonitors there are; the PrometheusRule; the objects on the ACM hub and the
	// allow-lists; the delivery objects.
	Namespaces []string `yaml:"namespaces" format:"label"`
	// Where the rendered directory is kept, and which engine brings it from there to the clusters. Changes: the delivery objects beside the
	// clusters' own.
	Delivery *Delivery `yaml:"delivery"`
	// Namespaces that every cluster gets as objects, such as that of Kiali. An engine that prunes never removes one. Default: none; the
	// namespaces are there already. Changes: the Namespaces; the delivery objects, where nothing else is of the phase operator.
	CreateNamespaces []string `yaml:"createNamespaces" format:"label"`
	// Your own changes of what is rendered. Changes: what they are about, on the clusters that they match.
	Overlays []Overlay `yaml:"overlays"`
	// The members of the mesh. A directory topology can have each in a document of kind Cluster instead. Changes: every resource; a
	// cluster has its own.
	Clusters []Cluster `yaml:"clusters"`
}

// Mesh identifies the mesh.
type Mesh struct {
	// The mesh's id (values.global.meshID of Istio). Every series that is scraped carries it as the label mesh_id, and Kiali asks for
	// series of this id only. Changes: the PodMonitors, the ServiceMonitor of istiod and the hub's Kiali resource; the PrometheusRule;
	// the collectors of traces, the ClusterRoleBindings and the TempoStack by the default of tracing.tempo.tenant;
	// the objects on the ACM hub and the allow-lists.
	ID string `yaml:"id" required:"id: mesh1" format:"meshID"`
	// The namespace of istiod, on every cluster; it is also the mesh's root namespace. Changes: where the Telemetry, the ServiceMonitor
	// of istiod and a PodMonitor are; and what has it by default: the Kiali resources with the token Secrets, the SealedSecrets and the
	// ClusterRoleBinding; the ConfigMap with the CAs and the PrometheusRule; the delivery objects;
	// the collectors of traces with their Certificates and Route; the ExternalSecrets, the PushSecrets, the ServiceAccounts and the
	// OAuthClients; the objects on the ACM hub and the allow-lists.
	ControlPlaneNamespace string `yaml:"controlPlaneNamespace" default:"istio-system" format:"label"`
	// How workloads join the mesh. With ambient, the namespace of ztunnel is scraped as well. Changes: the PodMonitors; the
	// PrometheusRule; the objects on the ACM hub and the allow-lists; the delivery objects.
	DataPlane string `yaml:"dataPlane" default:"sidecar" enum:"sidecar|ambient"`
}

// Kiali describes the server on the hub and its counterparts on the remotes.
type Kiali struct {
	// The cluster that runs the Kiali server, by its name. The others are the remotes. Changes: which cluster has which Kiali resource,
	// the ClusterRoleBinding, the SealedSecrets and the token Secrets; what follows from the platform of the hub, such as the
	// Subscription; and the delivery objects; the ConfigMap with the CAs and the PrometheusRule;
	// the collectors of traces, their Certificates and Route, and the TempoStack; the ExternalSecrets, the PushSecrets, the
	// ServiceAccounts and the OAuthClients; the objects on the ACM hub.
	Hub string `yaml:"hub" required:"hub: cluster1"`
	// The namespace of every Kiali resource, on the hub and the remotes. Default: mesh.controlPlaneNamespace. Changes: the Kiali
	// resources, the token Secrets, the SealedSecrets and the ClusterRoleBinding; the ConfigMap with the CAs; the delivery objects;
	// the receiver among the collectors of traces, its Certificate and Route; the ExternalSecrets, the PushSecrets, the
	// ServiceAccounts and the OAuthClients; the objects on the ACM hub.
	Namespace string `yaml:"namespace" format:"label"`
	// The name of every Kiali resource, on the hub and the remotes. With the namespace it names the OAuthClient that the hub looks for.
	// Changes: the Kiali resources, the token Secrets and the ClusterRoleBinding; the ConfigMap with the CAs; the PushSecrets, the
	// ServiceAccounts, the role of Kiali's account and the OAuthClients; the objects on the ACM hub.
	InstanceName string `yaml:"instanceName" default:"kiali" format:"instanceName"`
	// The line of the Kiali server that the operator installs. A line that lacks what a topology needs is a finding. Changes:
	// spec.version of the Kiali resources; and the SealedSecrets by the default of links.format; the ConfigMap with the CAs; the
	// ExternalSecrets, the role of Kiali's account and its ClusterRoleBinding; with metrics.alerts the PrometheusRule and the
	// ServiceMonitor for Kiali itself.
	Version kiali.Line `yaml:"version" default:"default"`
	// Whether Kiali may only look. Its accounts get a role without write access then. Without it,
	// users may change Istio's configuration in Kiali as far
	// as their own rights allow, and with the strategy anonymous everybody as far as Kiali's allow. Changes: the Kiali resources; the
	// ClusterRoleBindings.
	ViewOnly bool `yaml:"viewOnly" default:"false"`
	// CAs that the hub's Kiali trusts beside those of its image, for the store, logins and other services: certificates in PEM, or a file
	// with them beside the topology, such as ca.pem. They are rendered where the hub's release line reads them. Lines before v2.11 trust for
	// a store with https these alone. Changes: the ConfigMap with the CAs, on the
	// hub; the objects on the ACM hub.
	CA string `yaml:"ca" format:"certificates"`
	// How users log in. Changes: the Kiali resources.
	Auth Auth `yaml:"auth"`
	// How the hub reaches the remotes. Changes: the SealedSecrets with the kubeconfigs, which are what seal has left beside the topology.
	Links Links `yaml:"links"`
	// How the Kiali operator comes to each cluster. Changes: the Subscriptions.
	Operator Operator `yaml:"operator"`
	// Merged over the spec of the hub's Kiali resource. Objects merge; lists and other values replace. A field that follows from the rest
	// of the topology is refused where it would contradict it. Changes: the hub's Kiali resource.
	Spec map[string]any `yaml:"spec"`
}

// Auth says how users log in to Kiali.
type Auth struct {
	// Kiali's login strategy. With openshift a user logs in to each cluster by its own OAuth server. token (a user pastes a token) and header
	// (a proxy in front of Kiali sends one) know one cluster only.
	// Default: openshift on an OpenShift hub; on a Kubernetes hub, token for a single cluster, and a choice to be made for several.
	// Changes: the Kiali resources; the ClusterRoleBindings; of lines before v2.11 the ConfigMap with the CAs; the OAuthClients.
	Strategy string `yaml:"strategy" enum:"openshift|openid|anonymous|token|header"`
	// One login for all clusters: Kiali's account acts as the user on each of them. It needs the strategy openshift, a server from 2.30 on
	// and an operator whose definition has the field (rule KC07).
	Impersonation Impersonation `yaml:"impersonation"`
}

// Impersonation is one login for all clusters: Kiali's account acts as the user on each of them.
type Impersonation struct {
	// Whether Kiali does so. Users and groups have to have the same names on every cluster. Changes: the Kiali resources; on remotes
	// without an operator whether there is an OAuthClient with its ClusterRoleBinding.
	Enabled bool `yaml:"enabled" default:"false"`
	// The users that Kiali may act as. Default: all but system accounts, which is a warning.
	Users []string `yaml:"users"`
	// The groups that Kiali may act as. Default: all but those of the system.
	Groups []string `yaml:"groups"`
}

// Operator says how the Kiali operator comes to each cluster.
type Operator struct {
	// How: olm renders a Subscription; helm has the engine of delivery install the operator's chart; none relies on an operator that is
	// there already. Default: olm on the OpenShift clusters of an OpenShift hub, else none. What is
	// written down holds for every cluster. Changes:
	// the Subscriptions and the delivery objects.
	Install string `yaml:"install" enum:"olm|none|helm"`
	// Where the operator is. With none the remotes have no operator: what it would make there for the hub's Kiali is rendered, which is the
	// account, its role and, with the strategy openshift, the OAuthClient. Changes: the Kiali resources of the remotes and the Subscriptions
	// there, or the ServiceAccount, the ClusterRoles, the ClusterRoleBindings and the OAuthClient in their place; the delivery objects.
	Remotes string `yaml:"remotes" default:"same" enum:"same|none"`
	// The Subscription's channel.
	Channel string `yaml:"channel" default:"stable" format:"name"`
	// The Subscription's catalog. Default: redhat-operators on OpenShift, operatorhubio-catalog on Kubernetes.
	Source string `yaml:"source" format:"name"`
	// The namespace of the catalog. Default: openshift-marketplace on OpenShift, olm on Kubernetes.
	SourceNamespace string `yaml:"sourceNamespace" format:"label"`
	// The name of the operator in the catalog, which is the Subscription's name too. A mirror of the community's catalog has kiali under
	// another name of the catalog. Default: kiali in the catalogs of the community
	// (community-operators, operatorhubio-catalog), else kiali-ossm.
	Package string `yaml:"package" format:"name"`
	// Whether the operator is installed and updated by itself, or somebody approves each plan on each cluster. A Subscription that is there
	// already gets this value: write Manual if it has that now.
	Approval string `yaml:"approval" default:"Automatic" enum:"Automatic|Manual"`
	// The version that is installed first, such as kiali-operator.v2.27.1. With approval: Automatic later ones follow at once.
	StartingCSV string `yaml:"startingCSV" format:"name"`
	// The operator's chart, with install: helm. Changes: the delivery objects.
	Chart OperatorChart `yaml:"chart"`
}

// OperatorChart is the Helm chart kiali-operator.
type OperatorChart struct {
	// The repository of the chart: of Helm, or with oci:// the path in a registry that the name kiali-operator is added to.
	RepoURL string `yaml:"repoURL" default:"https://kiali.org/helm-charts" format:"chartURL"`
	// The version of the chart. Required with install: helm; a range would install what nobody has seen.
	Version string `yaml:"version" format:"chartVersion"`
	// The namespace that the operator is installed in.
	Namespace string `yaml:"namespace" default:"kiali-operator" format:"label"`
	// Values of the chart, such as the image of a mirror. They are merged over ours, which keep the chart from making a Kiali resource.
	Values map[string]any `yaml:"values"`
	// The Secret with the login of the repository, in Flux' namespace. Argo CD finds the login among its own repositories.
	SecretRef string `yaml:"secretRef" format:"name"`
}

// Word is the word of the format, or "" where labels are given.
func (s Scope) Word() string { return s[""] }

// ScopeOf makes a scope of a word of the format.
func ScopeOf(word string) Scope { return Scope{"": word} }

// Overlay is your own change of what is rendered for some clusters.
type Overlay struct {
	// The overlay's name, and its folder below overlays/ of the tree.
	Name string `yaml:"name" required:"name: team-labels" format:"label"`
	// The clusters that the overlay is for. What is given must all hold. Default: all clusters.
	Match Match `yaml:"match"`
	// A folder with a kustomization, relative to the topology's file. It may have patches, labels, annotations and images. An overlay has
	// either this or jsonnet.
	Kustomize string `yaml:"kustomize"`
	// A Jsonnet file, relative to the topology's file. It is a function(resource, cluster) that returns the resource. An overlay has
	// either this or kustomize.
	Jsonnet string `yaml:"jsonnet"`
}

// Match selects clusters; what is given must all hold.
type Match struct {
	// Clusters by their names.
	Names []string `yaml:"names"`
	// Clusters by their labels.
	Labels map[string]string `yaml:"labels" format:"labelValue"`
}

// member is a cluster that is a document of its own, beside the topology.
type member struct {
	// The version of the format.
	APIVersion string `yaml:"apiVersion" required:"apiVersion: sightline.dev/v1alpha1" enum:"sightline.dev/v1alpha1"`
	// What the document is: one cluster of the topology in the same directory.
	Kind string `yaml:"kind" required:"kind: Cluster" enum:"Cluster"`
	// What the cluster is called.
	Metadata memberMetadata `yaml:"metadata" required:"metadata: {name: cluster1}"`
	// What a topology says about a cluster, but for its name.
	Spec clusterSpec `yaml:"spec"`
}

// memberMetadata names a cluster that is a document of its own.
type memberMetadata struct {
	// The cluster's name, as in spec.clusters[].name of a topology.
	Name string `yaml:"name" required:"name: cluster1" format:"clusterName"`
}

// clusterSpec is a Cluster whose name stands in the metadata.
type clusterSpec Cluster

// Cluster is one member of the mesh.
type Cluster struct {
	// The one name that the cluster has everywhere. It is Istio's clusterName, Kiali's cluster name, the key of its kubeconfig and the
	// last part of its login callback. Changes: its folder, its Kiali resource, its user-workload-monitoring-config, the SealedSecrets and
	// the delivery objects;
	// the collectors of traces; the ExternalSecrets, the PushSecrets and the OAuthClients.
	Name string `yaml:"name" required:"name: cluster1" format:"clusterName"`
	// What the cluster is. Routes, OAuth, user workload monitoring and cluster monitoring are OpenShift's. Changes: the Subscription, the
	// Kiali resource, cluster-monitoring-config, user-workload-monitoring-config and, with ambient, a PodMonitor; if it is the hub, also
	// the ClusterRoleBinding, by the default of metrics.store, and the delivery objects; the OAuthClients; the
	// allow-lists.
	Platform string `yaml:"platform" default:"openshift" enum:"openshift|kubernetes"`
	// The URL of the API server, as the hub's pods see it. Required on remotes. Changes: the delivery objects; and the kubeconfig, which
	// is to be sealed again; the ExternalSecrets.
	Server string `yaml:"server" format:"server"`
	// The domain of the cluster's ingress. That of the hub gives the host of its Kiali, and is required with remotes and the strategy
	// openshift unless kiali.host is given. Changes: the login callbacks in the Kiali resources;
	// of the hub also the Route, the Certificates and the collectors of traces; the OAuthClients.
	Domain string `yaml:"domain" format:"host"`
	// Istio's network of the cluster. Changes: nothing yet.
	Network string `yaml:"network" format:"label"`
	// Namespaces with proxies in them, beside those of the topology. Changes: how many PodMonitors there are; the PrometheusRule; the
	// objects on the ACM hub and the allow-lists; the delivery objects.
	Namespaces []string `yaml:"namespaces" format:"label"`
	// Namespaces of gateways: ingress, egress and east-west. Those among namespaces already need not be named. Changes: how many
	// PodMonitors there are; the PrometheusRule; the objects on the ACM hub and the allow-lists; the delivery objects.
	Gateways []string `yaml:"gateways" format:"label"`
	// Namespaces of waypoints. Those among namespaces already need not be named. Changes: how many PodMonitors there are; the
	// PrometheusRule; the objects on the ACM hub and the allow-lists; the delivery objects.
	Waypoints []string `yaml:"waypoints" format:"label"`
	// The namespace of ztunnel, with dataPlane ambient. Default: ztunnel on OpenShift, else mesh.controlPlaneNamespace. Changes: where
	// there is a PodMonitor; the objects on the ACM hub.
	ZtunnelNamespace string `yaml:"ztunnelNamespace" format:"label"`
	// The name of its ManagedCluster in Red Hat ACM. ACM calls its own cluster local-cluster, unless it was renamed at the installation.
	// Default: local-cluster for metrics.acm.hub, else name. Changes: the objects on the ACM hub, if the cluster is Kiali's hub; with
	// delivery.argocd.generator: acm the delivery objects.
	ManagedCluster string `yaml:"managedCluster" format:"name"`
	// Labels for overlays to match. Changes: which overlays there are on the cluster.
	Labels map[string]string `yaml:"labels" format:"labelValue"`
	// Where the istiod is that the cluster's proxies talk to. Changes: which resources of the mesh the cluster has.
	ControlPlane ControlPlane `yaml:"controlPlane"`
	// The cluster's own say in place of metrics.userWorkloadMonitoring. Changes: cluster-monitoring-config.
	UserWorkloadMonitoring *UserWorkloadMonitoring `yaml:"userWorkloadMonitoring"`
	// The cluster's own say in place of metrics. Changes: the PodMonitors and the ServiceMonitor of istiod; and the hub's Kiali resource
	// where the store is a Thanos, of which Kiali has to know the longest interval.
	Metrics ClusterMetrics `yaml:"metrics"`
	// The cluster's own Kiali. Changes: its Kiali resource.
	Kiali ClusterKiali `yaml:"kiali"`
	// How the hub's kubeconfig of a remote reaches its API server, where a token and a CA are not enough. Changes: the kubeconfig, which
	// is to be sealed again; and with exec the hub's Kiali resource.
	Access Access `yaml:"access"`
	// How Argo CD knows the cluster. Default: by server; the cluster that it runs on is in-cluster. Changes: the delivery objects.
	ArgoCD *ClusterArgoCD `yaml:"argocd"`
	// How Flux reaches the cluster, with mode hub. Changes: the delivery objects.
	Flux ClusterFlux `yaml:"flux"`
}

// Access is how the hub's kubeconfig of a remote reaches its API server.
type Access struct {
	// Whether the API server's certificate is not checked. Whoever is between the hub and the cluster can read the token then. Changes:
	// the ExternalSecrets; else nothing, since the kubeconfig is sealed.
	InsecureSkipTLSVerify bool `yaml:"insecureSkipTLSVerify" default:"false"`
	// The CA of the API server, where it is not the one that the cluster gives its own pods: certificates in PEM. seal takes it unless
	// --ca-file is given. Changes: the ExternalSecrets; else nothing, since the kubeconfig is sealed.
	CA string `yaml:"ca" format:"pem"`
	// The URL of a proxy to the API server, as the hub's pods see it. Changes: the ExternalSecrets; else
	// nothing, since the kubeconfig is sealed.
	ProxyURL string `yaml:"proxyURL" format:"url"`
	// A program in Kiali's image that gives the credential, in place of a token. Changes: the hub's Kiali resource, which may run programs
	// then; the token Secrets, of which the cluster has none; the delivery objects, where it has no phase link; the ExternalSecrets
	// and the PushSecrets.
	Exec *Exec `yaml:"exec"`
}

// Exec is a program that gives a credential, as client-go runs it.
type Exec struct {
	// The version of the input and output of the program. Changes: nothing; the kubeconfig is sealed.
	APIVersion string `yaml:"apiVersion" default:"client.authentication.k8s.io/v1" enum:"client.authentication.k8s.io/v1|client.authentication.k8s.io/v1beta1"`
	// The program, which has to be in Kiali's image.
	Command string `yaml:"command" required:"command: aws-iam-authenticator"`
	// Its arguments. They stand in Git, so no credential may be among them. Changes: nothing; the kubeconfig is sealed.
	Args []string `yaml:"args"`
	// Who the program is on the cluster, to give it the rights of Kiali's account there. Default: somebody else gives it the rights. Changes:
	// the ClusterRoleBindings.
	Subject *Subject `yaml:"subject"`
	// Variables of its environment. They stand in Git, so no credential may be among them. Changes: nothing; the kubeconfig is sealed.
	Env map[string]string `yaml:"env"`
}

// Subject is a user or a group of a cluster.
type Subject struct {
	// What it is.
	Kind string `yaml:"kind" default:"User" enum:"User|Group"`
	// Its name, as the API server of the cluster has it.
	Name string `yaml:"name" required:"name: kiali-reader"`
}

// ControlPlane says where the istiod is that the cluster's proxies talk to.
type ControlPlane struct {
	// Where its istiod runs: local is on the cluster, remote on its primary, external outside while the cluster holds its configuration.
	// none takes the cluster out of the mesh, for a hub that only runs Kiali. Changes: whether there are a ServiceMonitor of istiod, a
	// Telemetry, PodMonitors, and what only they need (cluster-monitoring-config, user-workload-monitoring-config); the delivery objects,
	// where no monitoring is left; and the hub's Kiali resource with none; the PrometheusRule;
	// the collectors of traces and the ClusterRoleBindings for them; the allow-lists and the Namespace of the rules.
	Mode string `yaml:"mode" default:"local" enum:"local|remote|external|none"`
	// The namespace of the cluster's istiod, which is also the root namespace of its configuration. Default: mesh.controlPlaneNamespace.
	// Changes: where the Telemetry, the ServiceMonitor of istiod and a PodMonitor are; on the hub, the Kiali resource of lines before
	// v2.17; the PrometheusRule; the delivery objects;
	// the collectors of traces with their Certificates, and the ClusterRoleBinding for them; the objects on the ACM hub and
	// the allow-lists.
	Namespace string `yaml:"namespace" format:"label"`
	// The cluster whose istiod it is, for the modes remote and external, if it is one of the topology. Where an external cluster has the
	// namespace of that cluster's istiod, the istiod serves it alone: its own cluster has no proxies but those in the namespaces that it
	// lists itself. With another namespace it is a second istiod there, beside the cluster's own. Changes: with mode external, the
	// ServiceMonitors of the cluster of the istiod, whether it has the Telemetry and PodMonitors, and what only they need.
	Primary string `yaml:"primary"`
	// The revisions of istiod that run side by side. Their series get the label istio_io_rev then. Changes: the ServiceMonitor of istiod.
	Revisions []string `yaml:"revisions" format:"label"`

	servesExternal bool     // another cluster of the topology says so
	others         []string // namespaces of further istiods, which serve others
}

// ClusterMetrics is a cluster's own say in place of metrics.
type ClusterMetrics struct {
	// The time between two scrapes. Default: metrics.interval.
	Interval string `yaml:"interval" format:"duration"`
}

// ClusterKiali is what a cluster says about its own Kiali.
type ClusterKiali struct {
	// The line of the Kiali server. Default: kiali.version. Changes: its Kiali resource; and on the hub the SealedSecrets by the default
	// of links.format; the ConfigMap with the CAs; the ExternalSecrets and the ClusterRoleBindings; on the hub with
	// metrics.alerts the PrometheusRule and the ServiceMonitor for Kiali itself.
	Version kiali.Line `yaml:"version"`
	// The path that Kiali is served under, on the hub. Default: / on OpenShift, /kiali on Kubernetes. Changes: the hub's Kiali resource,
	// and the login callbacks in those of the remotes; the OAuthClients.
	WebRoot string `yaml:"webRoot" format:"webRoot"`
	// The host of the hub's Kiali, at which it is served by https and port 443. For another scheme or port write server.web_schema and
	// server.web_port in kiali.spec. Default: <instance>-<namespace>.<domain>. Changes: the hub's Kiali resource, and the login callbacks in
	// those of the remotes; the OAuthClients.
	Host string `yaml:"host" format:"host"`
	// Merged over the spec of the cluster's Kiali resource. On the hub it comes after kiali.spec of the topology.
	Spec map[string]any `yaml:"spec"`
}
