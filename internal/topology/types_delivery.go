package topology

// Delivery names the repository of the rendered directory, and the engine that brings it to the clusters.
type Delivery struct {
	// The URL at which the engine reads the repository of the rendered directory. With oci:// it is an artifact with the directory,
	// for Flux.
	RepoURL string `yaml:"repoURL" required:"repoURL: https://git.example.com/platform/mesh.git" format:"repoURL"`
	// The branch to deliver, or a commit, or a full reference such as refs/tags/v1. Argo CD also accepts the name of a tag. For an
	// artifact, it is the tag.
	Revision string `yaml:"revision" default:"main" format:"revision"`
	// The path of the rendered directory in the repository. With argocd.source: plugin, the folder with the
	// topology.
	Path string `yaml:"path" default:"." format:"repoPath"`
	// Objects for Argo CD, in argocd/ of the tree.
	ArgoCD *ArgoCD `yaml:"argocd"`
	// Objects for Flux, in flux/ of the tree. With this field, every resource has an annotation that turns off Flux's
	// variable substitution.
	Flux *Flux `yaml:"flux"`
}

// ArgoCD says how Argo CD delivers the clusters. One ApplicationSet makes an Application for each
// cluster.
type ArgoCD struct {
	// The namespace of Argo CD. Default: openshift-gitops if Argo CD runs on an OpenShift cluster of the topology,
	// else argocd.
	Namespace string `yaml:"namespace" format:"label"`
	// The name of the cluster on which Argo CD runs. If this cluster is not in the topology, write argocd: {server: …} for the hub
	// instead. Default: kiali.hub.
	Cluster string `yaml:"cluster"`
	// The name of the rendered AppProject. Default: the topology's name.
	Project string `yaml:"project" format:"name"`
	// Where Applications get their objects. tree: from the rendered directory; you commit this directory. plugin: from Sightline
	// inside Argo CD, as its config management plugin; you commit only the topology.
	Source string `yaml:"source" default:"tree" enum:"tree|plugin"`
	// The plugin, with source: plugin.
	Plugin ArgoCDPlugin `yaml:"plugin"`
	// Where the ApplicationSet gets the clusters. list: from a list in the ApplicationSet. git: from a small file for each cluster
	// in Git, so that the ApplicationSet does not grow with the fleet. clusters: from Argo CD's cluster Secrets with the labels
	// sightline.dev/topology and sightline.dev/cluster and these two names. acm: from the decisions of an ACM Placement, whose
	// clusters must have the names in the topology.
	Generator string `yaml:"generator" default:"list" enum:"list|git|clusters|acm"`
	// The Placement of ACM, in Argo CD's namespace. Required with generator: acm.
	Placement string `yaml:"placement" format:"name"`
	// Additional labels and annotations of every Application.
	Applications ArgoCDApplications `yaml:"applications"`
	// What Applications may contain in addition to the rendered objects. Argo CD removes only objects that its AppProject permits.
	// So if something leaves the topology, name it here in the commit that removes it.
	Permit ArgoCDPermit `yaml:"permit"`
	// What the ApplicationSet does with the Application of a cluster that left the topology. create-update: keeps it. sync: removes
	// it. In both cases the objects on the cluster stay.
	ApplicationsSync string `yaml:"applicationsSync" default:"create-update" enum:"create-update|sync"`
	// When Argo CD applies the content of Git.
	Sync ArgoCDSync `yaml:"sync"`
	// Steps in which a change reaches the fleet (RollingSync). Each step begins when the previous one is healthy. Progressive syncs
	// must be turned on in Argo CD. With a rollout, the settings in sync are off. Default: all clusters at once.
	Rollout []RolloutStep `yaml:"rollout"`
}

// ArgoCDApplications has additional labels and annotations of every
// Application.
type ArgoCDApplications struct {
	// Labels of every Application.
	Labels map[string]string `yaml:"labels" format:"labelValue"`
	// Annotations of every Application. "{cluster}" is replaced with the name of its cluster. With the annotation
	// apps.open-cluster-management.io/ocm-managed-cluster, ACM brings each Application to its cluster (the pull model), and its
	// destination is https://kubernetes.default.svc. In this annotation, "{cluster}" is replaced with the name of the
	// ManagedCluster.
	Annotations map[string]string `yaml:"annotations"`
}

// ArgoCDPermit is what Applications may contain in addition to the rendered objects.
type ArgoCDPermit struct {
	// Namespaces, on every cluster.
	Namespaces []string `yaml:"namespaces" format:"label"`
	// The kinds of objects in the operator's chart.
	OperatorChart bool `yaml:"operatorChart" default:"false"`
	// The kinds of objects on an ACM hub.
	ACM bool `yaml:"acm" default:"false"`
	// The kinds of objects for tracing.
	Tracing bool `yaml:"tracing" default:"false"`
	// The kinds of objects on remotes with kiali.operator.remotes: none.
	Accounts bool `yaml:"accounts" default:"false"`
}

// ArgoCDPlugin is the config management plugin with which Sightline renders
// inside Argo CD.
type ArgoCDPlugin struct {
	// The name of the plugin in Argo CD's configuration.
	Name string `yaml:"name" default:"sightline" format:"name"`
	// The file or directory of the topology, relative to delivery.path. Default: <metadata.name>.yaml.
	Topology string `yaml:"topology" format:"repoPath"`
}

// ArgoCDSync says when Argo CD applies the content of Git.
type ArgoCDSync struct {
	// Whether Argo CD applies a change in Git automatically.
	Automated bool `yaml:"automated" default:"true"`
	// Whether Argo CD deletes objects from the cluster that were removed from Git.
	Prune bool `yaml:"prune" default:"false"`
	// Whether Argo CD undoes changes that somebody made on the cluster.
	SelfHeal bool `yaml:"selfHeal" default:"true"`
}

// RolloutStep is a part of the fleet that a change reaches at the same time.
type RolloutStep struct {
	// The names of the clusters in the step. A cluster that is in no step is not
	// synced.
	Clusters []string `yaml:"clusters" required:"clusters: [cluster1]"`
	// How many clusters of the step to sync at the same time: a number such as 1, or a percentage
	// such as 25%. Default: all.
	MaxUpdate string `yaml:"maxUpdate" format:"maxUpdate"`
}

// Flux says how Flux delivers the clusters. Each phase of each cluster has a Kustomization, in order. With the format helm, it has
// a HelmRelease.
type Flux struct {
	// The namespace of Flux and of its objects.
	Namespace string `yaml:"namespace" default:"flux-system" format:"label"`
	// Where Flux runs. hub: on one cluster; it reaches the others with kubeconfigs. standalone: on every cluster; each reads its
	// own folder flux/<cluster>.
	Mode string `yaml:"mode" default:"hub" enum:"hub|standalone"`
	// The name of the cluster on which Flux runs, with mode hub. Default: kiali.hub.
	Cluster string `yaml:"cluster"`
	// The Secret with the credentials for the repository, in the namespace of Flux. Required for a repository with an SSH address.
	// Default: none, for a public repository.
	SecretRef string `yaml:"secretRef" format:"name"`
	// The time between two reads of the repository, and between two applies of unchanged objects. After a failure, Flux tries again
	// after a minute.
	Interval string `yaml:"interval" default:"10m" format:"duration"`
	// The longest time for an apply until its objects are ready.
	Timeout string `yaml:"timeout" default:"10m" format:"duration"`
	// Whether Flux deletes objects from the cluster that were removed from Git. With the format helm, Helm always
	// deletes them.
	Prune bool `yaml:"prune" default:"false"`
	// Whether a phase is done only when its objects are ready. If false, Flux does not really keep the order of
	// the phases.
	Wait bool `yaml:"wait" default:"true"`
	// What happens to the objects on a cluster when their Kustomization is deleted. This happens when the cluster leaves the
	// topology. Deletion has no order, so a phase may be deleted before the phases that depend on it. With the format helm,
	// releases stay with Orphan, and with MirrorPrune if prune is false; else Helm uninstalls them.
	DeletionPolicy string `yaml:"deletionPolicy" default:"Orphan" enum:"Orphan|MirrorPrune|Delete|WaitForTermination"`
}

// ClusterArgoCD says how Argo CD knows a cluster. The URL may differ from the one that the hub uses. It has either a
// server or a name.
type ClusterArgoCD struct {
	// The URL under which Argo CD has registered the cluster.
	Server string `yaml:"server" format:"argoServer"`
	// The name under which Argo CD has registered the cluster.
	Name string `yaml:"name" format:"argoName"`
}

// ClusterFlux says how Flux reaches a cluster from another cluster.
type ClusterFlux struct {
	// The Secret with the kubeconfig, in the namespace of Flux. Default: <name of the cluster>-kubeconfig, in lower case and with - for _
	// and '.'.
	KubeConfigSecret string `yaml:"kubeConfigSecret" format:"name"`
}
