package topology

import (
	"regexp"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
)

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

// ociTag is what a registry takes as a tag.
var ociTag = regexp.MustCompile(`^[A-Za-z0-9_][-._A-Za-z0-9]{0,127}$`)

// checkFlux finds what Flux could not do, and what would have no effect.
func (t *Topology) checkFlux(findings *finding.Findings) {
	var flux *Flux
	d := t.Spec.Delivery
	if d != nil {
		flux = d.Flux
	}
	if flux != nil {
		t.checkFluxSource(findings)
		t.checkFluxCluster(findings)
	}
	if flux == nil && (t.mayHave("spec", "delivery", "flux") || d == nil && t.mayHave("spec", "delivery")) {
		return // it could not be read
	}
	secrets := map[string]int{}
	for i := range t.Spec.Clusters {
		c := &t.Spec.Clusters[i]
		at := t.At("spec", "clusters", i, "flux")
		given := t.Has("spec", "clusters", i, "flux")
		switch {
		case flux == nil:
			if given {
				findings.Add(at, RuleValue, "add flux: {} to spec.delivery, or remove it", "%s: flux has no effect without spec.delivery.flux", t.Called(i))
			}
		case t.refused(flux.Mode, "spec", "delivery", "flux", "mode"):
		case !t.FluxByKubeConfig(c):
			if given && flux.Mode == "standalone" {
				findings.Add(at, RuleValue, "remove it, or write mode: hub", "%s: flux.kubeConfigSecret has no effect with mode standalone, where each cluster has a Flux of its own", t.Called(i))
			} else if given {
				findings.Add(at, RuleValue, "remove it", "%s: flux.kubeConfigSecret has no effect on the cluster that Flux runs on", t.Called(i))
			}
		case len(c.Flux.KubeConfigSecret) > 253 && !given:
			findings.Add(t.At("spec", "clusters", i, "name"), RuleValue, "add flux: {kubeConfigSecret: …} to the cluster", "%s: the name is too long to name a Secret by, which has at most 253 characters", t.Called(i))
		default:
			j, ok := secrets[c.Flux.KubeConfigSecret]
			if !ok {
				secrets[c.Flux.KubeConfigSecret] = i
			} else if given || t.Has("spec", "clusters", j, "flux") { // else their names are alike, which is found elsewhere
				findings.Add(at, "IN09", "give each cluster the Secret with its own kubeconfig", "Flux would deliver %s and %s to the same place; first at %s",
					t.Called(i), t.Called(j), t.At("spec", "clusters", j, "flux").SeenFrom(at))
			}
		}
	}
}

// checkFluxSource makes sure that Flux can read the repository.
func (t *Topology) checkFluxSource(findings *finding.Findings) {
	d := t.Spec.Delivery
	switch {
	case strings.HasPrefix(d.RepoURL, "oci://"):
		if !ociTag.MatchString(d.Revision) && !t.refused(d.Revision, "spec", "delivery", "revision") {
			findings.Add(t.At("spec", "delivery", "revision"), RuleValue, "write the tag that the artifact is pushed with", "spec.delivery.revision must be a tag of the artifact: letters, digits, '-', '_' and '.', at most 128")
		}
	case strings.HasPrefix(d.RepoURL, "http"):
	case !t.mayHave("spec", "delivery", "flux", "secretRef"):
		findings.Add(t.At("spec", "delivery", "repoURL"), RuleMissing, "add secretRef: to spec.delivery.flux, with the Secret that flux create secret git makes",
			"spec.delivery.flux.secretRef is missing; by SSH, Flux reads a repository only with a key")
	}
}

// checkFluxCluster makes sure that Flux runs on a cluster of the topology.
func (t *Topology) checkFluxCluster(findings *finding.Findings) {
	flux := t.Spec.Delivery.Flux
	path := []any{"spec", "delivery", "flux", "cluster"}
	switch {
	case !t.Has(path...) || t.refused(flux.Mode, "spec", "delivery", "flux", "mode"):
	case flux.Mode == "standalone":
		findings.Add(t.At(path...), RuleValue, "remove it, or write mode: hub", "spec.delivery.flux.cluster has no effect with mode standalone, where each cluster has a Flux of its own")
	case t.index(flux.Cluster) < 0:
		findings.Add(t.At(path...), RuleValue, t.nearName(flux.Cluster), "Flux runs on %q, which is not one of the clusters", finding.Shorten(flux.Cluster))
	}
}
