package check

import (
	"regexp"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// aboutDelivery are the checks of what a topology says about delivery, for all
// engines.
func aboutDelivery() []reading {
	const operator = "kiali.operator."
	return []reading{
		{reads: "delivery.argocd delivery.flux", find: (*source).engine},
		{reads: operator + "install", find: (*source).operatorChart},
		{reads: operator + "install " + operator + "remotes", find: (*source).operatorRemotes},
		{reads: operator + "install delivery", find: (*source).operatorDelivery},
		{reads: operator + "install " + operator + "chart.version", find: (*source).operatorVersion},
	}
}

func (s *source) engine() {
	if d := s.Spec.Delivery; d != nil && d.ArgoCD == nil && d.Flux == nil {
		s.Add(s.At("spec", "delivery"), topology.RuleMissing, "add argocd: {} or flux: {}; the defaults are enough",
			"spec.delivery names no engine; expected argocd, flux or both")
	}
}

// operatorPath is the path of a field below kiali.operator.
func operatorPath(keys ...any) []any { return append([]any{"spec", "kiali", "operator"}, keys...) }

func (s *source) operatorChart() {
	if !s.OperatorByChart() && s.Has(operatorPath("chart")...) {
		s.Add(s.At(operatorPath("chart")...), topology.RuleValue, "write install: helm, or remove it",
			"spec.kiali.operator.chart has no effect, because install is not helm")
	}
	if d := s.Spec.Delivery; s.OperatorByChart() && d != nil && d.Flux == nil && s.Has(operatorPath("chart", "secretRef")...) {
		s.Add(s.At(operatorPath("chart", "secretRef")...), topology.RuleValue,
			"remove it, and give Argo CD the login as "+finding.Pages+"argocd.md says",
			"spec.kiali.operator.chart.secretRef has no effect without Flux; Argo CD finds the login among its own repositories")
	}
}

// operatorRemotes reports settings for remotes without an operator.
func (s *source) operatorRemotes() {
	if s.Spec.Kiali.Operator.Remotes != "none" {
		return
	}
	for i := range s.Spec.Clusters {
		path := []any{"spec", "clusters", i, "kiali", "spec"}
		if i != s.hub && s.Has(path...) {
			s.Add(s.KeyAt(path...), topology.RuleValue, "remove it, or write remotes: same",
				"%s has no effect, because with spec.kiali.operator.remotes none the remote has no Kiali resource", topology.Dotted(path))
		}
	}
	if d := s.Spec.Delivery; s.OperatorByChart() && d != nil && d.ArgoCD != nil {
		s.Add(s.At(operatorPath("remotes")...), topology.RuleValue,
			"write install: none, and install the chart kiali-operator on the hub with a separate Application; or use Flux",
			"an ApplicationSet installs the operator's chart on every cluster or on none, so with install: helm the remotes would get it too")
	}
}

// operatorDelivery checks that an engine installs the operator's chart.
func (s *source) operatorDelivery() {
	if s.OperatorByChart() && !s.Has("spec", "delivery") {
		s.Add(s.At(operatorPath("install")...), topology.RuleMissing,
			"add spec.delivery; or write install: none and install the chart kiali-operator before the phase kiali; or write install: olm",
			"Argo CD or Flux installs the operator's chart, but the topology has no delivery")
	}
}

func (s *source) operatorVersion() {
	if s.OperatorByChart() && !s.Has(operatorPath("chart", "version")...) {
		s.Add(s.At(operatorPath("install")...), topology.RuleMissing,
			"add the version of the chart kiali-operator, such as chart: {version: 2.27.0}",
			"spec.kiali.operator.chart.version is missing; expected one exact version with install: helm")
	}
}

// aboutFlux are the checks of what a topology says about Flux.
func aboutFlux() []reading {
	return []reading{
		{reads: "delivery.flux delivery.revision", find: (*source).fluxTag},
		{reads: "delivery.flux.secretRef", find: (*source).fluxSecret},
		{reads: "delivery.flux.mode", find: (*source).fluxCluster},
		{reads: "delivery.flux.mode", find: (*source).fluxClusters},
	}
}

// flux is what the topology says about Flux, or nil.
func (s *source) flux() *topology.Flux {
	if s.Spec.Delivery == nil {
		return nil
	}
	return s.Spec.Delivery.Flux
}

// ociTag matches what a registry accepts as a tag.
var ociTag = regexp.MustCompile(`^[A-Za-z0-9_][-._A-Za-z0-9]{0,127}$`)

func (s *source) fluxTag() {
	if s.flux() != nil && strings.HasPrefix(s.Spec.Delivery.RepoURL, "oci://") && !ociTag.MatchString(s.Spec.Delivery.Revision) {
		s.Add(s.At("spec", "delivery", "revision"), topology.RuleValue, "write the tag with which you push the artifact",
			"spec.delivery.revision must be a tag of the artifact: at most 128 letters, digits, '-', '_' and '.'")
	}
}

// fluxSecret checks that Flux has a key for a repository with an SSH address.
func (s *source) fluxSecret() {
	if s.flux() == nil || strings.HasPrefix(s.Spec.Delivery.RepoURL, "oci://") || strings.HasPrefix(s.Spec.Delivery.RepoURL, "http") {
		return
	}
	if !s.Has("spec", "delivery", "flux", "secretRef") {
		s.Add(s.At("spec", "delivery", "repoURL"), topology.RuleMissing,
			"add secretRef: to spec.delivery.flux, with the Secret that flux create secret git creates",
			"spec.delivery.flux.secretRef is missing; Flux needs a key to read a repository over SSH")
	}
}

// fluxCluster checks that Flux runs on a cluster of the topology.
func (s *source) fluxCluster() {
	flux, path := s.flux(), []any{"spec", "delivery", "flux", "cluster"}
	switch {
	case flux == nil || !s.Has(path...):
	case flux.Mode == "standalone":
		s.Add(s.At(path...), topology.RuleValue, "remove it, or write mode: hub",
			"spec.delivery.flux.cluster has no effect with mode standalone, because each cluster has its own Flux")
	case s.index(flux.Cluster) < 0:
		s.adrift = true
		s.Add(s.At(path...), topology.RuleValue, s.nearName(flux.Cluster), "Flux runs on %q, which is not one of the clusters",
			finding.Shorten(flux.Cluster))
	}
}

// fluxClusters reports settings of a cluster that Flux cannot use, or that have
// no effect.
func (s *source) fluxClusters() {
	flux := s.flux()
	secrets := map[string]int{}
	for i := range s.Spec.Clusters {
		c := &s.Spec.Clusters[i]
		at := s.At("spec", "clusters", i, "flux")
		given := s.Has("spec", "clusters", i, "flux")
		switch {
		case flux == nil:
			if given {
				s.Add(at, topology.RuleValue, "add flux: {} to spec.delivery, or remove it", "%s: flux has no effect without spec.delivery.flux",
					s.Called(i))
			}
		case !s.FluxByKubeConfig(c):
			if given && flux.Mode == "standalone" {
				s.Add(at, topology.RuleValue, "remove it, or write mode: hub",
					"%s: flux.kubeConfigSecret has no effect with mode standalone, because each cluster has its own Flux", s.Called(i))
			} else if given {
				s.Add(at, topology.RuleValue, "remove it", "%s: flux.kubeConfigSecret has no effect on the cluster on which Flux runs", s.Called(i))
			}
		case len(c.Flux.KubeConfigSecret) > 253 && !given:
			s.Add(s.At("spec", "clusters", i, "name"), topology.RuleValue, "add flux: {kubeConfigSecret: …} to the cluster",
				"%s: the name is too long for the name of a Secret, which has at most 253 characters", s.Called(i))
		default:
			j, ok := secrets[c.Flux.KubeConfigSecret]
			if !ok {
				secrets[c.Flux.KubeConfigSecret] = i
			} else if given || s.Has("spec", "clusters", j, "flux") { // else their names are alike, and another rule reports that
				s.Add(at, "IN09", "for each cluster, name the Secret with the kubeconfig of this cluster",
					"Flux would deliver %s and %s to the same place; first at %s",
					s.Called(i), s.Called(j), s.At("spec", "clusters", j, "flux").SeenFrom(at))
			}
		}
	}
}
