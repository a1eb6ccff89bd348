package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// argoCDRules are about the delivery by Argo CD.
func argoCDRules() []Rule {
	return []Rule{
		{
			ID:    "DL10",
			Title: "a cluster's name can be a label",
			What: "With delivery.argocd, every cluster name is a valid value of a label. With the generators clusters and acm, Argo CD " +
				"itself makes the Application's name from the cluster name; the result has at most 63 characters.",
			Why: "The label sightline.dev/cluster selects Applications. The API server refuses an Application whose label has an invalid " +
				"value. Sightline shortens long names, but Argo CD cannot.",
			Fix:    "Rename the cluster (in Istio too).",
			Source: "Kubernetes, labels; argo-cd applicationset/utils/utils.go",
		},
		{
			ID: "DL11", Severity: finding.Info,
			Title: "what a rollout does not promise",
			What:  "The topology has delivery.argocd.rollout.",
			Why: "RollingSync needs the flag --enable-progressive-syncs of the ApplicationSet controller; without it nothing is synced. A " +
				"step counts as done if the Application was healthy before the change (argo-cd#29410), or after five minutes of pending. Steps " +
				"have run out of order (argo-cd#22558) and have been ignored (argo-cd#22852). Applications do not self-heal.",
			Fix: "Turn the flag on, and watch the first step of each change. If a mistake must not reach the rest of the fleet, make a " +
				"topology for each stage.",
			Source: "argo-cd docs/operator-manual/applicationset/Progressive-Syncs.md; the issues above",
			mesh:   rolloutCaveats,
		},
		{
			ID: "DL12", Severity: finding.Warning,
			Title:  "every cluster is in a step of the rollout",
			What:   "Each cluster is in a step of delivery.argocd.rollout.",
			Why:    "Argo CD does not sync an Application that is in no step. No change reaches the cluster until somebody syncs it by hand.",
			Fix:    "Add a last step with the remaining clusters.",
			Source: "argo-cd docs/operator-manual/applicationset/Progressive-Syncs.md",
			mesh:   outsideRollout,
		},
		{
			ID:    "DL13",
			Title: "two topologies do not share Argo CD objects",
			What:  "If topologies that are given together use the same Argo CD, no two have an Application or an AppProject with the same name.",
			Why: "Two ApplicationSets overwrite each other's Application, and a cluster gets the tree of another one. An AppProject permits " +
				"only the clusters of the topology that was applied last.",
			Fix:    "Rename a topology, or leave out delivery.argocd.project; the default is the topology's name.",
			Source: "argo-cd applicationset/controllers/applicationset_controller.go",
			meshes: sameApplication,
		},
	}
}

// argoCD is how a topology is delivered by Argo CD, or nil.
func (m *mesh) argoCD() *topology.ArgoCD {
	if d := m.Spec.Delivery; d != nil {
		return d.ArgoCD
	}
	return nil
}

func rolloutCaveats(m *mesh, f *found) {
	if argo := m.argoCD(); argo != nil && len(argo.Rollout) > 0 {
		f.on(m, m.At("spec", "delivery", "argocd", "rollout"), "turn on --enable-progressive-syncs in the ApplicationSet controller; "+
			"`sightline explain DL11` says what the order does not promise",
			"Argo CD syncs nothing until progressive syncs are turned on; after that, a step may count as done by the health from before the change")
	}
}

func outsideRollout(m *mesh, f *found) {
	argo := m.argoCD()
	if argo == nil || len(argo.Rollout) == 0 {
		return
	}
	var outside []int
	for i := range m.Spec.Clusters {
		if !slices.ContainsFunc(argo.Rollout, func(step topology.RolloutStep) bool {
			return slices.Contains(step.Clusters,
				m.Spec.Clusters[i].Name)
		}) {
			outside = append(outside, i)
		}
	}
	if len(outside) > 0 {
		f.on(m, m.At("spec", "delivery", "argocd", "rollout"), "add a last step with the remaining clusters",
			"no step of the rollout has %s; Argo CD never syncs a cluster that no step has", m.listed(outside))
	}
}

func sameApplication(ms []*mesh, f *found) {
	for j, m := range ms {
		if m.argoCD() == nil {
			continue
		}
		for _, other := range ms[:j] {
			if other.argoCD() == nil || !sameArgoCD(m, other) {
				continue
			}
			at := m.At("spec", "delivery", "argocd")
			if name := m.argoCD().Project; name == other.argoCD().Project {
				at := m.At("spec", "delivery", "argocd", "project")
				f.on(m, at, "leave project out in one of the two", "the topology %q also has the AppProject %q; first at %s",
					other.Metadata.Name, name, other.At("spec", "delivery", "argocd", "project").SeenFrom(at))
			}
			theirs := map[string]bool{}
			for i := range other.Spec.Clusters {
				theirs[other.Application(&other.Spec.Clusters[i])] = true
			}
			var both []string
			for i := range m.Spec.Clusters {
				if name := m.Application(&m.Spec.Clusters[i]); theirs[name] {
					both = append(both, fmt.Sprintf("%q", name))
				}
			}
			if len(both) > 0 {
				f.on(m, at, "rename one of the topologies", "the topology %q has Applications of the same names: %s; first at %s",
					other.Metadata.Name, finding.List(both, most), other.At("spec", "delivery", "argocd").SeenFrom(at))
			}
		}
	}
}

// sameArgoCD tells whether one Argo CD delivers two topologies: it has the same
// namespace on the same API server. If a topology does not give the API server,
// the name of the cluster counts.
func sameArgoCD(m, other *mesh) bool {
	if m.argoCD().Namespace != other.argoCD().Namespace {
		return false
	}
	server := func(m *mesh) (server, name string) {
		name = m.argoCD().Cluster
		for i := range m.Spec.Clusters {
			if c := &m.Spec.Clusters[i]; c.Name == name && c.ArgoCD == nil {
				return strings.ToLower(strings.TrimSuffix(c.Server, "/")), name
			}
		}
		return "", name
	}
	a, nameA := server(m)
	b, nameB := server(other)
	if a == "" || b == "" {
		return nameA == nameB
	}
	return a == b
}
