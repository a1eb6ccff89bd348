package topology

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// fitted joins names to that of an object. One that is too long ends in a hash
// of the whole.
func fitted(most int, parts ...string) string {
	name := objectName(strings.Join(parts, "-"))
	if len(name) <= most {
		return name
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "/")))
	hash := hex.EncodeToString(sum[:4])
	return strings.TrimRight(name[:most-len(hash)-1], "-") + "-" + hash
}

// objectName is the name of a cluster as a part of an object's name.
func objectName(cluster string) string {
	return strings.ToLower(strings.NewReplacer(".", "-", "_", "-").Replace(cluster))
}

// OperatorByChart tells whether the engine of delivery installs the Kiali
// operator.
func (t *Topology) OperatorByChart() bool { return t.Spec.Kiali.Operator.Install == "helm" }

// checkDelivery finds what no engine could do, and what would have no effect.
func (t *Topology) checkDelivery(findings *finding.Findings) {
	t.checkOperatorChart(findings)
	d := t.Spec.Delivery
	if d == nil {
		for i := range t.Spec.Clusters {
			if t.Has("spec", "clusters", i, "argocd") && !t.mayHave("spec", "delivery") {
				findings.Add(t.At("spec", "clusters", i, "argocd"), RuleValue, "add delivery: {repoURL: …, argocd: {}} to spec, or remove it",
					"%s: argocd has no effect without spec.delivery.argocd", t.Called(i))
			}
		}
		return
	}
	if d.ArgoCD == nil && d.Flux == nil && !t.mayHave("spec", "delivery", "argocd") && !t.mayHave("spec", "delivery", "flux") {
		findings.Add(t.At("spec", "delivery"), RuleMissing, "add argocd: {} or flux: {}, whose defaults are enough", "spec.delivery names no engine; expected argocd, flux or both")
	}
	if d.ArgoCD != nil {
		t.checkArgoCD(findings)
	}
	for i := range t.Spec.Clusters {
		t.checkClusterArgoCD(i, findings)
	}
}

// checkOperatorChart makes sure that there is somebody to install the
// operator's chart, and one version of it.
func (t *Topology) checkOperatorChart(findings *finding.Findings) {
	path := func(keys ...any) []any { return append([]any{"spec", "kiali", "operator"}, keys...) }
	if !t.OperatorByChart() {
		if t.Has(path("chart")...) && !t.refused(t.Spec.Kiali.Operator.Install, path("install")...) {
			findings.Add(t.At(path("chart")...), RuleValue, "write install: helm, or remove it", "spec.kiali.operator.chart has no effect, because install is not helm")
		}
		return
	}
	if !t.mayHave("spec", "delivery") {
		findings.Add(t.At(path("install")...), RuleMissing, "add spec.delivery; or write install: none and install the chart kiali-operator before the kiali phase; or use olm",
			"the operator's chart is installed by Argo CD or Flux, and the topology has no delivery")
	}
	if !t.mayHave(path("chart", "version")...) {
		findings.Add(t.At(path("install")...), RuleMissing, "add the version of the chart kiali-operator, such as chart: {version: 2.27.0}", "spec.kiali.operator.chart.version is missing; expected one exact version with install: helm")
	}
}

// index is the place of a cluster in the topology, or -1.
func (t *Topology) index(cluster string) int {
	return slices.IndexFunc(t.Spec.Clusters, func(c Cluster) bool { return c.Name == cluster && cluster != "" })
}

// nearName is the hint where a name is none of the clusters'.
func (t *Topology) nearName(name string) string {
	names := make([]string, len(t.Spec.Clusters))
	for i := range t.Spec.Clusters {
		names[i] = t.Spec.Clusters[i].Name
	}
	return cmp.Or(finding.DidYouMean(name, names), "name clusters of the topology")
}
