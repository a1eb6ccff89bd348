package topology

// Delivery says where the rendered directory is kept, and which engine brings it from there to the clusters.
type Delivery struct {
	// The repository that the rendered directory is committed to, as the engine reaches it. With oci:// it is an artifact that holds the
	// directory, for Flux.
	RepoURL string `yaml:"repoURL" required:"repoURL: https://git.example.com/platform/mesh.git" format:"repoURL"`
	// The branch that is delivered; or a commit; or a reference in full, such as refs/tags/v1. To Argo CD the name of a tag will do too; of
	// an artifact it is the tag.
	Revision string `yaml:"revision" default:"main" format:"revision"`
	// The rendered directory in the repository. With argocd.source: plugin, the folder that has the topology.
	Path string `yaml:"path" default:"." format:"repoPath"`
	// Objects for Argo CD, in argocd/ of the tree.
	ArgoCD *ArgoCD `yaml:"argocd"`
	// Objects for Flux, in flux/ of the tree. Every resource then has an annotation: Flux substitutes no variables in it.
	Flux *Flux `yaml:"flux"`
}

// ArgoCD says how Argo CD delivers the clusters: an Application for each, made by one ApplicationSet.
type ArgoCD struct {
	// The namespace of Argo CD. Default: openshift-gitops where the cluster that it runs on is OpenShift, else argocd.
	Namespace string `yaml:"namespace" format:"label"`
	// The cluster that Argo CD runs on, by its name. If that is none of the topology, write argocd: {server: …} for the hub. Default:
	// kiali.hub.
	Cluster string `yaml:"cluster"`
	// The name of the AppProject, which is rendered too. Default: the topology's name.
	Project string `yaml:"project" format:"name"`
	// Where Applications get their objects from. With tree, from the rendered directory, which you commit. With plugin, Sightline runs
	// inside Argo CD as its config management plugin, and you commit the topology only.
	Source string `yaml:"source" default:"tree" enum:"tree|plugin"`
	// The plugin, with source: plugin.
	Plugin ArgoCDPlugin `yaml:"plugin"`
	// Where the ApplicationSet has the clusters from: a list in itself; a small file for each in Git, so that the ApplicationSet does
	// not grow with the fleet; Argo CD's own cluster Secrets, by the labels sightline.dev/topology and sightline.dev/cluster with the two
	// names; or the decisions of a Placement of ACM, whose clusters have the names of the topology.
	Generator string `yaml:"generator" default:"list" enum:"list|git|clusters|acm"`
	// The Placement of ACM, in Argo CD's namespace. Required with generator: acm.
	Placement string `yaml:"placement" format:"name"`
	// What every Application has beside what is rendered.
	Applications ArgoCDApplications `yaml:"applications"`
	// What Applications may bring although nothing that is rendered needs it. Argo CD removes nothing that its project does not permit, so
	// what leaves the topology stands here for the one commit that removes it.
	Permit ArgoCDPermit `yaml:"permit"`
	// What the ApplicationSet may do with Applications. create-update leaves that of a cluster which has left the topology; sync removes
	// it. The objects on the cluster stay with both.
	ApplicationsSync string `yaml:"applicationsSync" default:"create-update" enum:"create-update|sync"`
	// When Argo CD applies what is in Git.
	Sync ArgoCDSync `yaml:"sync"`
	// Steps in which a change reaches the fleet (RollingSync), each once the one before is healthy. Argo CD has to have progressive syncs
	// turned on; what sync says is off then. Default: all clusters at once.
	Rollout []RolloutStep `yaml:"rollout"`
}

// ArgoCDApplications is what every Application has beside what is rendered.
type ArgoCDApplications struct {
	// Labels of every Application.
	Labels map[string]string `yaml:"labels" format:"labelValue"`
	// Annotations of every Application. "{cluster}" stands for the name of its cluster. With
	// apps.open-cluster-management.io/ocm-managed-cluster
	// ACM brings each Application to its cluster (the pull model), where its destination is https://kubernetes.default.svc; there
	// "{cluster}" is the name of the ManagedCluster.
	Annotations map[string]string `yaml:"annotations"`
}

// ArgoCDPermit is what Applications may bring although nothing that is rendered needs it.
type ArgoCDPermit struct {
	// Namespaces, on every cluster.
	Namespaces []string `yaml:"namespaces" format:"label"`
	// The kinds of objects that the operator's chart has.
	OperatorChart bool `yaml:"operatorChart" default:"false"`
	// The kinds of objects that a cluster has because ACM runs on it.
	ACM bool `yaml:"acm" default:"false"`
	// The kinds of objects that tracing has.
	Tracing bool `yaml:"tracing" default:"false"`
	// The kinds of objects that remotes have with kiali.operator.remotes: none.
	Accounts bool `yaml:"accounts" default:"false"`
}

// ArgoCDPlugin is the config management plugin that renders inside Argo CD.
type ArgoCDPlugin struct {
	// The name of the plugin, as its configuration in Argo CD has it.
	Name string `yaml:"name" default:"sightline" format:"name"`
	// The file or directory of the topology, relative to delivery.path. Default: <metadata.name>.yaml.
	Topology string `yaml:"topology" format:"repoPath"`
}

// ArgoCDSync says when Argo CD applies what is in Git.
type ArgoCDSync struct {
	// Whether a change in Git is applied without being asked for.
	Automated bool `yaml:"automated" default:"true"`
	// Whether objects that are gone from Git are deleted from the cluster.
	Prune bool `yaml:"prune" default:"false"`
	// Whether changes made on the cluster are undone.
	SelfHeal bool `yaml:"selfHeal" default:"true"`
}

// RolloutStep is a part of the fleet that a change reaches at once.
type RolloutStep struct {
	// The clusters of the step, by their names. What no step names is not synced.
	Clusters []string `yaml:"clusters" required:"clusters: [cluster1]"`
	// How many of them at a time: a number, such as 1, or a percentage, such as 25%. Default: all.
	MaxUpdate string `yaml:"maxUpdate" format:"maxUpdate"`
}

// Flux says how Flux delivers the clusters: a Kustomization for each phase of each cluster, in order; of the format helm, a HelmRelease.
type Flux struct {
	// The namespace of Flux and of its objects.
	Namespace string `yaml:"namespace" default:"flux-system" format:"label"`
	// Where Flux runs. With hub it runs on one cluster and reaches the others by kubeconfigs; with standalone on every cluster, each with
	// a root of its own, flux/<cluster>.
	Mode string `yaml:"mode" default:"hub" enum:"hub|standalone"`
	// The cluster that Flux runs on, by its name, with mode hub. Default: kiali.hub.
	Cluster string `yaml:"cluster"`
	// The Secret with the credentials for the repository, in the namespace of Flux. Required for a repository that is read by SSH. Default:
	// none, for one that everybody may read.
	SecretRef string `yaml:"secretRef" format:"name"`
	// The time between two looks at the repository, and between two applies of what has not changed. What failed is tried again after a
	// minute.
	Interval string `yaml:"interval" default:"10m" format:"duration"`
	// How long an apply may take until its objects are ready.
	Timeout string `yaml:"timeout" default:"10m" format:"duration"`
	// Whether objects that are gone from Git are deleted from the cluster. Of the format helm they always are, by Helm.
	Prune bool `yaml:"prune" default:"false"`
	// Whether a phase is done only once its objects are ready. Without it the order of the phases means little.
	Wait bool `yaml:"wait" default:"true"`
	// What becomes of the objects on a cluster when what delivers them is deleted, as it is once the cluster leaves the topology. Deletion
	// knows no order, so a phase that others rest on may go first. Of the format helm, releases stay with Orphan, and with MirrorPrune
	// unless there is prune; else they are uninstalled.
	DeletionPolicy string `yaml:"deletionPolicy" default:"Orphan" enum:"Orphan|MirrorPrune|Delete|WaitForTermination"`
}

// ClusterArgoCD is how Argo CD knows a cluster, which may be under another URL than the hub uses. It has one of the two.
type ClusterArgoCD struct {
	// The URL that Argo CD has registered the cluster under.
	Server string `yaml:"server" format:"argoServer"`
	// The name that Argo CD has registered the cluster under.
	Name string `yaml:"name" format:"argoName"`
}

// ClusterFlux is how Flux reaches a cluster from the one that it runs on.
type ClusterFlux struct {
	// The Secret with the kubeconfig, in the namespace of Flux. Default: <name of the cluster>-kubeconfig, in lower case and with - for _
	// and '.'.
	KubeConfigSecret string `yaml:"kubeConfigSecret" format:"name"`
}
