package topology

import (
	"strings"
)

// inCluster is the URL under which Argo CD knows the cluster that it runs on.
const inCluster = "https://kubernetes.default.svc"

// MaxApplication is how long the name of an Application may be: with tracking
// by label every object has it as the value of one.
const MaxApplication = 63

// Application is the name of the Argo CD Application that delivers a cluster:
// that of the topology, and the cluster's in the letters that names of objects
// have.
func (t *Topology) Application(c *Cluster) string {
	return fitted(MaxApplication, t.Metadata.Name, c.Name)
}

// Pulled is the annotation of an Application by which ACM brings it to the cluster
// that the value names, whose own Argo CD applies it (the pull model).
//
// Source: open-cluster-management-io/multicloud-integrations, propagation-controller.
const Pulled = "apps.open-cluster-management.io/ocm-managed-cluster"

// Pulled tells whether ACM brings each Application to its cluster.
func (a *ArgoCD) Pulled() bool {
	_, ok := a.Applications.Annotations[Pulled]
	return ok
}

// NamesByGenerator tells whether the names of Applications are made by Argo CD, of
// the names of clusters that only it knows.
func (a *ArgoCD) NamesByGenerator() bool { return a.Generator == "clusters" || a.Generator == "acm" }

// InApplications is what the values of annotations of Applications may have for the
// name of the cluster. In the annotation [Pulled] it is the name that ACM has for it.
const InApplications = "{cluster}"

// OnApplication is the value of an annotation of Applications, on that of a cluster.
func (c *Cluster) OnApplication(annotation, value string) string {
	name := c.Name
	if annotation == Pulled {
		name = c.ManagedCluster
	}
	return strings.ReplaceAll(value, InApplications, name)
}

// ApplicationACM is the name of that for an ACM hub which is no cluster of the
// topology.
func (t *Topology) ApplicationACM() string { return fitted(MaxApplication, t.Metadata.Name, ACMTree) }

// ArgoCDKnowsACM is how Argo CD knows such an ACM hub, as in ArgoCDKnows; both
// are "" where the topology does not say.
func (t *Topology) ArgoCDKnowsACM() (server, name string) {
	if own := t.Spec.Metrics.ACM.ArgoCD; own != nil {
		return strings.TrimSuffix(own.Server, "/"), own.Name
	}
	return "", ""
}

// ArgoCDKnows is how Argo CD knows a cluster: by the URL of a server or by a
// name; the other is "".
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
