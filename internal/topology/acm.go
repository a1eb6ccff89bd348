package topology

// OnACM tells whether there is anything on the ACM hub for the topology.
func (t *Topology) OnACM() bool { return t.Spec.Metrics.Store == "acm" }

// IsACMHub tells whether ACM runs on the cluster.
func (t *Topology) IsACMHub(c *Cluster) bool {
	return t.OnACM() && c.Name == t.Spec.Metrics.ACM.Hub
}

// ACMOutside tells whether the ACM hub is no cluster of the topology, so that its
// objects have a tree of their own.
func (t *Topology) ACMOutside() bool { return t.OnACM() && t.Spec.Metrics.ACM.Hub == "" }

// KialiOnACM tells whether the hub's Kiali runs on the ACM hub.
func (t *Topology) KialiOnACM() bool { return t.OnACM() && t.Spec.Metrics.ACM.Hub == t.Spec.Kiali.Hub }

// ACMTree is the folder of the objects of an ACM hub that is no cluster of the
// topology.
const ACMTree = "acm"

// ACMNamespace is the namespace of ACM's Observability on the ACM hub
// (multicluster-observability-operator, pkg/config).
const ACMNamespace = "open-cluster-management-observability"

// localCluster is what ACM calls its own cluster (spec.localClusterName of
// MultiClusterHub).
const localCluster = "local-cluster"

// RegistersItself tells whether a label and an annotation on an object register it
// with the add-on, as from ACM 5.0 on. Before that only the add-on's own
// ClusterManagementAddOn can say so (multicluster-observability-addon PR 509).
func (a *ACM) RegistersItself() bool { return a.Release == "5.0" }

// HasAddOn tells whether the release has the add-on with the names that are
// rendered; before 2.15 it was a preview with others.
func (a *ACM) HasAddOn() bool { return a.Release != "2.13" && a.Release != "2.14" }

// ACMPolicy is the name of a Policy, with what places it. ACM joins it to that
// of its namespace, and together they may have 62 characters and a dot
// (governance-policy-propagator, api/v1: the name of the copy on a cluster is a
// label value).
func (t *Topology) ACMPolicy(part string) string {
	return fitted(maxFluxName-1-len(t.Spec.Metrics.ACM.PolicyNamespace), t.Metadata.Name, part)
}

// OutsideACMHub stands for an ACM hub that is no cluster of the topology.
func OutsideACMHub() *Cluster {
	return &Cluster{Name: ACMTree, Platform: "openshift", ControlPlane: ControlPlane{Mode: "none"}}
}
