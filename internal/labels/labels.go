// Package labels has the names of labels and annotations. Sightline sets some on its
// objects. With the others, it finds the objects of Istio and Kiali.
package labels

// Labels of every rendered object.
const (
	ManagedBy = "app.kubernetes.io/managed-by" // Sightline, or Helm
	PartOf    = "app.kubernetes.io/part-of"    // the name of the topology
	Name      = "app.kubernetes.io/name"       // the component

	Sightline = "sightline"
	Helm      = "Helm"

	Ours = ManagedBy + "=" + Sightline // a selector
)

// Sightline's own labels and annotations.
const (
	Topology = "sightline.dev/topology" // of an Application and a Secret of Argo CD, and of objects that ACM's add-on copies
	Cluster  = "sightline.dev/cluster"  // of an Application and a Secret of Argo CD
	Links    = "sightline.dev/links"    // of Kiali's pods: it changes with the links, so Kiali restarts
	Suppress = "sightline.dev/suppress" // of a topology: the rules whose warnings and infos are left out
)

// Labels of Istio.
const (
	Istiod      = "app=istiod"   // a selector
	Revision    = "istio.io/rev" // of istiod, of a revision tag, and of namespaces and pods with proxies
	RevisionTag = "istio.io/tag"
	Network     = "topology.istio.io/network" // of the control plane's namespace
)

// KialiOperator selects the Deployment of Kiali's operator.
const KialiOperator = Name + "=kiali-operator"
