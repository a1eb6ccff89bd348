// Package status judges a running mesh. It compares what was read from the
// clusters, from Kiali and from the metrics with the topology and with the
// rendered objects. It is pure; package observe does the reading.
//
// A check has the id of its page in package check. Its result says what was
// found and what to do. If a question had no answer, the result is [Unchecked],
// never good.
package status

import (
	"time"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Expected is what the clusters should be like.
type Expected struct {
	Topology *topology.Topology
	Outside  *topology.Cluster               // the ACM hub, if the topology does not contain it
	Arg      string                          // the name of the topology in commands
	Objects  map[string][]resource.Object    // the rendered objects, by cluster
	Links    map[string]*topology.SealedLink // by remote
	Now      time.Time
}

// KialiSpec returns the rendered spec of a cluster's Kiali resource, or nil.
func KialiSpec(e Expected, c *topology.Cluster) map[string]any {
	for _, o := range e.Objects[c.Name] {
		if o["kind"] == "Kiali" {
			spec, _ := o["spec"].(map[string]any)
			return spec
		}
	}
	return nil
}

// In returns the field of an object at a path, or nil.
func In(object map[string]any, path ...string) any {
	for _, key := range path[:len(path)-1] {
		object, _ = object[key].(map[string]any)
	}
	return object[path[len(path)-1]]
}

// Facts are what was read.
type Facts struct {
	Clusters map[string]*Cluster // by name; absent: nobody asked the cluster
	Links    map[string]*Link    // by remote
	Kiali    *Kiali              // nil: nobody asked
	Stores   map[string]*Store   // of metrics: by cluster, or "" for the store of all clusters; empty: nobody asked
}

// Reached tells whether any cluster has answered.
func (f Facts) Reached() bool {
	for _, c := range f.Clusters {
		if c.Failure == nil && c.NoAccess == "" {
			return true
		}
	}
	return false
}

// Failure says why a question has no answer.
type Failure struct {
	Status int    // HTTP status; 0: there was no answer
	Text   string // contains no credential
}

// Missing tells whether the requested object does not exist.
func (f *Failure) Missing() bool { return f != nil && f.Status == 404 }

// Answer is the answer to a question: a value, or the reason why there is none.
type Answer[T any] struct {
	Value T
	Err   *Failure
}

// Cluster holds what was read from one cluster.
type Cluster struct {
	Context  string   // the context that was used
	Failure  *Failure // the cluster does not answer: nothing below was read
	NoAccess string   // why nobody could ask the cluster

	OpenShift Answer[bool]
	OAuth     Answer[bool] // the OpenShift serves OAuthClients
	Istiods   Answer[[]Istiod]
	Tags      Answer[map[string]string] // revisions by tag
	Network   Answer[string]            // network label of the control plane's namespace

	Telemetries Answer[[]Telemetry] // those without a selector in the control plane's namespace

	Namespaces Answer[map[string]map[string]string] // labels by namespace
	Objects    map[resource.ID]Answer[resource.Object]

	Operator Answer[Operator]
	Token    map[string]Answer[TokenSecret] // by Secret name
	Account  Answer[string]                 // uid of Kiali's service account

	// Only the hub has these.
	LinkSecrets Answer[[]LinkSecret]
	Pods        Answer[[]Pod] // of Kiali

	ACM *ACM // only the ACM hub has it

	UserWorkload Answer[Monitoring] // on OpenShift
	Prometheuses Answer[[]Prometheus]
}

// Istiod is a Deployment of istiod.
type Istiod struct {
	Name, Revision   string
	ClusterID        string // "": istiod's own default, Kubernetes
	MeshID, Networks string // from its mesh config and values; "": not given

	Config *MeshConfig // nil: it cannot be read
}

// Operator describes Kiali's operator.
type Operator struct {
	Found   bool
	Version string // such as 2.22.1; "": unknown
	Problem string // what OLM reports, or ""
}

// TokenSecret is a Secret with the token of a service account.
type TokenSecret struct {
	Type, Account, AccountUID string
	Filled                    bool
}

// LinkSecret describes a Secret on the hub that holds kubeconfigs of remotes.
// It does not contain the kubeconfigs. [Link] says whether a kubeconfig works.
type LinkSecret struct {
	Name    string
	Changed time.Time // when the data changed last
	Items   []LinkItem
}

// LinkItem describes a kubeconfig in a Secret.
type LinkItem struct {
	Key    string
	Sealed bool   // equal to the kubeconfig in the sealed link of this name
	Known  bool   // the sealed link has a digest to compare with
	Wrong  string // why Kiali cannot use it, or ""
	Server string // the address in it
}

// Link says what the kubeconfig of a remote can do on the remote.
type Link struct {
	Item    bool // there is a kubeconfig
	Exec    bool // its credential comes from a program; sightline does not run it
	User    Answer[string]
	Own     *Failure         // why the link's address did not answer; the token was then tried at the context's address
	Missing Answer[[]string] // rights that Kiali needs and the account lacks, such as "list pods"
}

// Pod is a pod of Kiali.
type Pod struct {
	Name     string
	Ready    bool
	Started  time.Time // the last start of its container
	Restarts int
	Waiting  string         // reason, such as CrashLoopBackOff
	Fatal    Answer[string] // the last line of level FTL in the previous log, if the pod waits after a crash
}

// Monitoring describes the user workload monitoring of OpenShift.
type Monitoring struct {
	On    bool // cluster-monitoring-config turns it on
	Ready int  // ready pods of its Prometheus
}

// Prometheus is a resource of prometheus-operator.
type Prometheus struct {
	Namespace       string
	PodMonitors     Selection
	ServiceMonitors Selection
}

// Selection says which monitors a Prometheus reads: by their labels, and by the
// labels of their namespaces. Without a namespace selector it reads only the
// monitors in its own namespace.
type Selection struct{ Labels, Namespaces Selector }

// Selector is a label selector as in the Kubernetes API; nil: no selector.
type Selector *struct {
	MatchLabels      map[string]string
	MatchExpressions []struct {
		Key, Operator string
		Values        []string
	}
}

// Kiali is what Kiali's API returns.
type Kiali struct {
	NoAccess      string // why nobody could ask it
	Strategy      Answer[string]
	Services      Answer[[]string]            // from /api/status, such as Kubernetes-cluster2
	Namespaces    Answer[map[string][]string] // by cluster
	ControlPlanes Answer[[]ControlPlane]
	Tracing       Answer[string] // health of the tracing backend, such as Unreachable; "": Kiali does not say it
}

// ControlPlane is an istiod that Kiali shows.
type ControlPlane struct{ Cluster, ID string }

// Store is what a store of metrics returns.
type Store struct {
	NoAccess string
	Series   Answer[[]Series] // istio_requests_total of the last minutes, by source, destination and reporter
	Seen     Answer[[]Series] // the same over a day, asked only for clusters that have none now
	Spaces   Answer[[]Sample] // number of series by cluster and namespace
	Doubled  Answer[[]Sample] // series that exist more than once, by namespace
	Replicas Answer[[]string] // values of prometheus_replica
	Down     Answer[[]Sample] // targets of our monitors that are down, by namespace and pod
	Proxies  Answer[[]Sample] // targets of our monitors that are up, by namespace
}

// Series stands for all series with the same labels below.
type Series struct {
	MeshID, Reporter, Source, Destination string
	Newest                                time.Time
}

// From returns the cluster whose proxy reported the series.
func (s Series) From() string {
	if s.Reporter == "source" {
		return s.Source
	}
	return s.Destination
}

// Sample is a value and its origin.
type Sample struct {
	Cluster, Namespace, Pod string
	Value                   float64
}
