// Package status judges a running mesh: what was read of its clusters, of Kiali
// and of the metrics, against the topology and what is rendered from it. It is
// pure; package observe does the reading.
//
// A check is a page of package check, whose id it has. Its result says what was
// found and what to do. What could not be asked is [Unchecked], never good.
package status

import (
	"time"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Expected is what the clusters should be like.
type Expected struct {
	Topology *topology.Topology
	Outside  *topology.Cluster               // the ACM hub, where it is no cluster of the topology
	Arg      string                          // how commands name the topology
	Objects  map[string][]resource.Object    // what is rendered, by cluster
	Links    map[string]*topology.SealedLink // by remote
	Now      time.Time
}

// KialiSpec is the rendered spec of the Kiali resource of a cluster, or nil.
func KialiSpec(e Expected, c *topology.Cluster) map[string]any {
	for _, o := range e.Objects[c.Name] {
		if o["kind"] == "Kiali" {
			spec, _ := o["spec"].(map[string]any)
			return spec
		}
	}
	return nil
}

// In is the field of an object at a path, or nil.
func In(object map[string]any, path ...string) any {
	for _, key := range path[:len(path)-1] {
		object, _ = object[key].(map[string]any)
	}
	return object[path[len(path)-1]]
}

// Facts are what was read.
type Facts struct {
	Clusters map[string]*Cluster // by name; one that nobody asked is absent
	Links    map[string]*Link    // by remote
	Kiali    *Kiali              // nil: nobody asked
	Stores   map[string]*Store   // of metrics: by cluster, or "" for the one of all; empty: nobody asked
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

// Failure is why there is no answer to a question.
type Failure struct {
	Status int    // of HTTP; 0: there was no answer
	Text   string // without any credential
}

// Missing tells that what was asked for does not exist.
func (f *Failure) Missing() bool { return f != nil && f.Status == 404 }

// Answer is what came back: a value, or why there is none.
type Answer[T any] struct {
	Value T
	Err   *Failure
}

// Cluster is what was read of one cluster.
type Cluster struct {
	Context  string   // by which it was asked
	Failure  *Failure // it does not answer: nothing below was read
	NoAccess string   // why nobody could ask it

	OpenShift Answer[bool]
	OAuth     Answer[bool] // an OpenShift knows OAuthClients
	Istiods   Answer[[]Istiod]
	Tags      Answer[map[string]string] // revision by tag
	Network   Answer[string]            // label of the control plane's namespace

	Telemetries Answer[[]Telemetry] // without selector, of the control plane's namespace

	Namespaces Answer[map[string]map[string]string] // labels by name
	Objects    map[resource.ID]Answer[resource.Object]

	Operator Answer[Operator]
	Token    map[string]Answer[TokenSecret] // by name of the Secret
	Account  Answer[string]                 // uid of Kiali's service account

	// Of the hub.
	LinkSecrets Answer[[]LinkSecret]
	Pods        Answer[[]Pod] // of Kiali

	ACM *ACM // of the ACM hub

	UserWorkload Answer[Monitoring] // on OpenShift
	Prometheuses Answer[[]Prometheus]
}

// Istiod is a Deployment of istiod.
type Istiod struct {
	Name, Revision   string
	ClusterID        string // "": istiod's own default, Kubernetes
	MeshID, Networks string // of its mesh config and values; "": not given

	Config *MeshConfig // nil: it cannot be read
}

// Operator is Kiali's.
type Operator struct {
	Found   bool
	Version string // such as 2.22.1; "": not known
	Problem string // what OLM says, or ""
}

// TokenSecret is a Secret with the token of a service account.
type TokenSecret struct {
	Type, Account, AccountUID string
	Filled                    bool
}

// LinkSecret is a Secret on the hub with kubeconfigs of remotes, without them:
// what a kubeconfig is worth is a [Link].
type LinkSecret struct {
	Name    string
	Changed time.Time // its data
	Items   []LinkItem
}

// LinkItem is a kubeconfig in a Secret.
type LinkItem struct {
	Key    string
	Sealed bool   // it is what the sealed link of that name has
	Known  bool   // there is a digest to tell
	Wrong  string // why Kiali would not read it, or ""
	Server string // that it leads to
}

// Link is what the kubeconfig of a remote is worth at the remote.
type Link struct {
	Item    bool // there is one
	Exec    bool // its credential comes from a program, which is not run
	User    Answer[string]
	Own     *Failure         // why the address in the link did not answer, where the token was tried at that of the context
	Missing Answer[[]string] // rights that Kiali needs and the account lacks, such as "list pods"
}

// Pod is a pod of Kiali.
type Pod struct {
	Name     string
	Ready    bool
	Started  time.Time // its container, last
	Restarts int
	Waiting  string         // reason, such as CrashLoopBackOff
	Fatal    Answer[string] // the last FTL line of the log before, where it waits after a crash
}

// Monitoring is that of user workloads on OpenShift.
type Monitoring struct {
	On    bool // cluster-monitoring-config says so
	Ready int  // pods of its Prometheus
}

// Prometheus is a resource of prometheus-operator.
type Prometheus struct {
	Namespace       string
	PodMonitors     Selection
	ServiceMonitors Selection
}

// Selection is which monitors a Prometheus reads: by their labels, and by those
// of their namespaces; with no selector of namespaces in its own.
type Selection struct{ Labels, Namespaces Selector }

// Selector is a label selector as the API has it; nil: none.
type Selector *struct {
	MatchLabels      map[string]string
	MatchExpressions []struct {
		Key, Operator string
		Values        []string
	}
}

// Kiali is what Kiali itself says.
type Kiali struct {
	NoAccess      string // why nobody could ask
	Strategy      Answer[string]
	Services      Answer[[]string]            // of /api/status, such as Kubernetes-cluster2
	Namespaces    Answer[map[string][]string] // by cluster
	ControlPlanes Answer[[]ControlPlane]
	Tracing       Answer[string] // the health of the tracing backend, such as Unreachable; "": not told
}

// ControlPlane is an istiod as Kiali sees it.
type ControlPlane struct{ Cluster, ID string }

// Store is what a store of metrics says.
type Store struct {
	NoAccess string
	Series   Answer[[]Series] // istio_requests_total of the last minutes, by where it is from
	Seen     Answer[[]Series] // the same over a day, asked only for clusters that have none now
	Spaces   Answer[[]Sample] // count by cluster and namespace
	Doubled  Answer[[]Sample] // series that are there more than once, by namespace
	Replicas Answer[[]string] // values of prometheus_replica
	Down     Answer[[]Sample] // targets of our monitors, by namespace and pod
	Proxies  Answer[[]Sample] // targets of our monitors that are up, by namespace
}

// Series are series of one kind.
type Series struct {
	MeshID, Reporter, Source, Destination string
	Newest                                time.Time
}

// From is the cluster whose proxy has reported the series.
func (s Series) From() string {
	if s.Reporter == "source" {
		return s.Source
	}
	return s.Destination
}

// Sample is a value with where it is from.
type Sample struct {
	Cluster, Namespace, Pod string
	Value                   float64
}
