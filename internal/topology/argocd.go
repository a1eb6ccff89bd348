package topology

import (
	"strings"
)

// inCluster is the URL under which Argo CD knows its own cluster.
const inCluster = "https://kubernetes.default.svc"

// MaxApplication is the longest name of an Application. With tracking by label,
// every object has the name as the value of a label.
const MaxApplication = 63

// Application is the name of the Argo CD Application that delivers a cluster.
// It consists of the topology's name and the cluster's name, converted to an
// object name.
func (t *Topology) Application(c *Cluster) string {
	return fitted(MaxApplication, t.Metadata.Name, c.Name)
}

// Pulled is an annotation of an Application. Its value is a cluster. ACM brings
// the Application to this cluster, and the cluster's own Argo CD applies it (the
// pull model).
//
// Source: open-cluster-management-io/multicloud-integrations, propagation-controller.
const Pulled = "apps.open-cluster-management.io/ocm-managed-cluster"

// Pulled tells whether ACM brings each Application to its cluster.
func (a *ArgoCD) Pulled() bool {
	_, ok := a.Applications.Annotations[Pulled]
	return ok
}

// NamesByGenerator tells whether Argo CD itself makes the names of Applications,
// from cluster names that only Argo CD knows.
func (a *ArgoCD) NamesByGenerator() bool { return a.Generator == "clusters" || a.Generator == "acm" }

// InApplications is the placeholder for the cluster's name in annotations of
// Applications. In the annotation [Pulled] it stands for ACM's name of the cluster.
const InApplications = "{cluster}"

// OnApplication is the value of an annotation on the Application of a cluster.
func (c *Cluster) OnApplication(annotation, value string) string {
	name := c.Name
	if annotation == Pulled {
		name = c.ManagedCluster
	}
	return strings.ReplaceAll(value, InApplications, name)
}

// ApplicationACM is the name of the Application for an ACM hub outside the
// topology.
func (t *Topology) ApplicationACM() string { return fitted(MaxApplication, t.Metadata.Name, ACMTree) }

// ArgoCDKnowsACM is how Argo CD knows an ACM hub outside the topology, as in
// ArgoCDKnows. Both are "" if the topology does not say.
func (t *Topology) ArgoCDKnowsACM() (server, name string) {
	if own := t.Spec.Metrics.ACM.ArgoCD; own != nil {
		return strings.TrimSuffix(own.Server, "/"), own.Name
	}
	return "", ""
}

// ArgoCDKnows is how Argo CD knows a cluster: by a server URL or by a name. The
// other one is "".
func (t *Topology) ArgoCDKnows(c *Cluster) (server, name string) {
	argo := t.Spec.Delivery.ArgoCD
	switch own := c.ArgoCD; {
	case argo.Pulled():
		return inCluster, ""
	case own != nil && own.Name != "":
		return "", own.Name
	case own != nil && own.Server != "":
		return strings.TrimSuffix(own.Server, "/"), ""
	case argo.Generator == "acm":
		return "", c.ManagedCluster
	case argo.Cluster == c.Name:
		return inCluster, ""
	}
	return strings.TrimSuffix(c.Server, "/"), ""
}
