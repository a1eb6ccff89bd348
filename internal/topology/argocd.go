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

// ArgoCDKnows is how Argo CD knows a cluster: by the URL of a server or by a
// name; the other is "".
func (t *Topology) ArgoCDKnows(c *Cluster) (server, name string) {
	switch own := c.ArgoCD; {
	case own != nil && own.Name != "":
		return "", own.Name
	case own != nil && own.Server != "":
		return strings.TrimSuffix(own.Server, "/"), ""
	case t.Spec.Delivery.ArgoCD.Cluster == c.Name:
		return inCluster, ""
	}
	return strings.TrimSuffix(c.Server, "/"), ""
}
