package topology

// OnACM tells whether objects of the topology are on the ACM hub.
func (t *Topology) OnACM() bool { return t.Spec.Metrics.Store == "acm" }

// LinksOnACM tells whether a Policy of ACM makes the links. If so, ACM runs on
// Kiali's hub.
func (t *Topology) LinksOnACM() bool { return t.Spec.Kiali.Links.Source == "acm" }

// LinkAccount is the name of the ManagedServiceAccount on each remote if ACM
// makes the links. The Policy that makes the links has the same name.
func (t *Topology) LinkAccount() string { return t.ACMPolicy("kiali") }

// AgentNamespace is the namespace in which ACM's agent creates its accounts on
// a cluster (open-cluster-management.io/managed-serviceaccount
// pkg/addon/agent).
const AgentNamespace = "open-cluster-management-agent-addon"

// ACMUser is the user of the link's token on a remote if ACM makes the links.
func (t *Topology) ACMUser() string {
	return "system:serviceaccount:" + AgentNamespace + ":" + t.LinkAccount()
}

// IsACMHub tells whether ACM runs on the cluster.
func (t *Topology) IsACMHub(c *Cluster) bool {
	return t.OnACM() && c.Name == t.Spec.Metrics.ACM.Hub
}

// ACMOutside tells whether the ACM hub is outside the topology. Then its objects
// have a separate tree.
func (t *Topology) ACMOutside() bool { return t.OnACM() && t.Spec.Metrics.ACM.Hub == "" }

// KialiOnACM tells whether the hub's Kiali runs on the ACM hub.
func (t *Topology) KialiOnACM() bool { return t.OnACM() && t.Spec.Metrics.ACM.Hub == t.Spec.Kiali.Hub }

// ACMTree is the folder for the objects of an ACM hub outside the topology.
const ACMTree = "acm"

// ACMNamespace is the namespace of ACM's Observability on the ACM hub
// (multicluster-observability-operator, pkg/config).
const ACMNamespace = "open-cluster-management-observability"

// LocalCluster is ACM's name for its own cluster (spec.localClusterName of
// MultiClusterHub).
const LocalCluster = "local-cluster"

// RegistersItself tells whether a label and an annotation register an object with
// the add-on. This works from ACM 5.0 on. Before, only the add-on's
// ClusterManagementAddOn can register it (multicluster-observability-addon PR
// 509).
func (a *ACM) RegistersItself() bool { return a.Release == "5.0" }

// HasAddOn tells whether the release has the add-on with the rendered names.
// Before 2.15 it was a preview with other names.
func (a *ACM) HasAddOn() bool { return a.Release != "2.13" && a.Release != "2.14" }

// ACMPolicy is the name of a Policy and its placement. ACM joins the name of
// the namespace, a dot and the name of the Policy. Together they may have 63
// characters (governance-policy-propagator, api/v1: the name of the copy on a
// cluster is a label value).
func (t *Topology) ACMPolicy(part string) string {
	return fitted(maxFluxName-1-len(t.Spec.Metrics.ACM.PolicyNamespace), t.Metadata.Name, part)
}

// OutsideACMHub stands for an ACM hub outside the topology.
func OutsideACMHub() *Cluster {
	return &Cluster{Name: ACMTree, Platform: "openshift", ControlPlane: ControlPlane{Mode: "none"}}
}
