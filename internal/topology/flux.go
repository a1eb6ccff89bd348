package topology

import ()

// The longest names that Flux and Helm can use: Flux puts the name of a
// Kustomization or HelmRelease into a label of all that it applies.
const (
	maxFluxName = 63
	maxRelease  = 53
)

// FluxName is the name of the Flux object that delivers one phase of a cluster,
// in the letters that names of objects have.
func (t *Topology) FluxName(c *Cluster, phase string) string {
	return fitted(maxFluxName, t.Metadata.Name, c.Name, phase)
}

// FluxNameACM is the name of the Flux object that delivers what an ACM hub has
// that is no cluster of the topology.
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

// FluxByKubeConfig tells whether Flux runs elsewhere and reaches the cluster by
// a kubeconfig.
func (t *Topology) FluxByKubeConfig(c *Cluster) bool {
	flux := t.Spec.Delivery.Flux
	return flux.Mode == "hub" && flux.Cluster != c.Name
}
