package check

import (
	"fmt"
	"slices"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// fluxRules are about the delivery by Flux.
func fluxRules() []Rule {
	return []Rule{
		{
			ID: "DL20", Severity: finding.Warning,
			Title: "Flux keeps the order of the phases",
			What:  "delivery.flux.wait is not false.",
			Why: "With wait: false, a phase counts as done once its objects exist. Flux applies the token of a remote before the operator " +
				"has created its account, and the cluster deletes the token. Flux shows it as applied until the next interval.",
			Fix:    "Leave out wait. If a phase never becomes ready, the status of its Kustomization names the object that it waits for.",
			Source: "kubernetes pkg/controller/serviceaccount/tokens_controller.go; kustomize-controller docs/spec/v1/kustomizations.md",
			mesh:   withoutWait,
		},
		{
			ID:    "DL21",
			Title: "two topologies do not share Flux objects",
			What:  "If topologies that are given together use the same Flux, no two have a Kustomization or a HelmRelease with the same name.",
			Why: "The object that is applied last wins. A phase of one cluster is then applied to another cluster, or never. The name " +
				"consists of the topology's name and the cluster's name: cluster b-c of topology a has the same names as cluster c of topology " +
				"a-b.",
			Fix:    "Rename one of the topologies.",
			Source: "Kubernetes, object names",
			meshes: sameFluxObject,
		},
	}
}

// flux is how a topology is delivered by Flux, or nil.
func (m *mesh) flux() *topology.Flux {
	if d := m.Spec.Delivery; d != nil {
		return d.Flux
	}
	return nil
}

func withoutWait(m *mesh, f *found) {
	if flux := m.flux(); flux != nil && !flux.Wait {
		f.on(m, m.At("spec", "delivery", "flux", "wait"), "remove wait; `flux get kustomizations` names the object that a phase waits for",
			"with wait: false, Flux starts the next phase before the operator is done, and the token of a remote comes before its account")
	}
}

// unorderedDeletion finds a deletion policy with which Flux deletes the Kiali
// resource and its operator at the same time.
func unorderedDeletion(m *mesh, f *found) {
	flux := m.flux()
	if flux == nil || flux.Keeps() {
		return
	}
	f.on(m, m.At("spec", "delivery", "flux", "deletionPolicy"), "remove deletionPolicy, and remove a cluster as in "+finding.Pages+"flux.md",
		"with deletionPolicy %s, a cluster that leaves the topology loses operator and Kiali resource at the same time; without the "+
			"operator, the resource stays in deletion for ever", flux.DeletionPolicy)
}

func sameFluxObject(ms []*mesh, f *found) {
	type object struct{ place, name string } // where its Flux runs, and its name
	first := map[object]*mesh{}
	steps := []string{topology.FluxNamespaces}
	for _, phase := range resource.Phases(false) {
		steps = append(steps, string(phase))
	}
	for _, m := range ms {
		flux := m.flux()
		if flux == nil {
			continue
		}
		other, names := (*mesh)(nil), []string(nil)
		own := map[object]bool{}
		for i := range m.Spec.Clusters {
			c := &m.Spec.Clusters[i]
			on := i
			if flux.Mode == "hub" {
				on = slices.IndexFunc(m.Spec.Clusters, func(c topology.Cluster) bool { return c.Name == flux.Cluster })
			}
			for _, step := range steps {
				o := object{m.server(on) + " " + flux.Namespace, m.FluxName(c, step)}
				if theirs := first[o]; theirs != nil && (other == nil || other == theirs) {
					other, names = theirs, append(names, fmt.Sprintf("%q", o.name))
				}
				own[o] = true
			}
		}
		for o := range own {
			if first[o] == nil {
				first[o] = m
			}
		}
		if other != nil {
			at := m.At("spec", "delivery", "flux")
			f.on(m, at, "rename one of the topologies", "the topology %q has Flux objects of the same names: %s; first at %s",
				other.Metadata.Name, finding.List(names, most), other.At("spec", "delivery", "flux").SeenFrom(at))
		}
	}
}
