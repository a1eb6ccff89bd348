package topology

// The longest names for Flux and Helm. Flux puts the name of a Kustomization or
// HelmRelease into a label of every object that it applies.
const (
	maxFluxName = 63
	maxRelease  = 53
)

// FluxNamespaces is the step in which Flux applies the phase operator if the
// operator's chart takes the step operator. In this case the phase has only
// namespaces.
const FluxNamespaces = "namespaces"

// FluxName is the name of the Flux object that delivers one step of a cluster. A
// step is a phase or [FluxNamespaces].
func (t *Topology) FluxName(c *Cluster, step string) string {
	return fitted(maxFluxName, t.Metadata.Name, c.Name, step)
}

// FluxNameACM is the name of the Flux object that delivers the objects of an
// ACM hub outside the topology.
func (t *Topology) FluxNameACM() string { return fitted(maxFluxName, t.Metadata.Name, ACMTree) }

// FluxRepository is the name of the Flux object for the repository of the
// operator's chart.
func (t *Topology) FluxRepository() string {
	return fitted(maxFluxName, t.Metadata.Name, "kiali-operator")
}

// FluxRelease is the name of the Helm release of one phase, on every cluster.
func (t *Topology) FluxRelease(phase string) string {
	return fitted(maxRelease, t.Metadata.Name, phase)
}

// Keeps tells whether the objects on a cluster stay when their Flux object is
// deleted.
func (f *Flux) Keeps() bool {
	return f.DeletionPolicy == "Orphan" || f.DeletionPolicy == "MirrorPrune" && !f.Prune
}

// FluxByKubeConfig tells whether Flux runs on another cluster and reaches this
// cluster with a kubeconfig.
func (t *Topology) FluxByKubeConfig(c *Cluster) bool {
	flux := t.Spec.Delivery.Flux
	return flux.Mode == "hub" && flux.Cluster != c.Name
}
