package check

import (
	"path"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// deliveryRules are about the repository, which both engines read.
func deliveryRules() []Rule {
	return []Rule{
		{
			ID:    "DL07",
			Title: "topologies have directories of their own in the repository",
			What:  "Of topologies that are given together, no two have the same repoURL, revision and path in delivery.",
			Why: "A rendered directory is one topology's: several that are rendered at once are in a directory each, by their names. The " +
				"engine would bring the clusters of one the tree of the other, or find none at the path.",
			Fix:    "Give each the path of its own directory, such as path: rendered/east-west.",
			Source: "docs/argocd.md",
			meshes: samePath,
		},
		{
			ID: "DL08", Severity: finding.Warning,
			Title: "one engine delivers the clusters",
			What:  "delivery has argocd or flux, not both.",
			Why: "Two engines apply the same objects, and each undoes what the other prunes or changes. It is right only while you move from " +
				"one to the other.",
			Fix:    "Remove the one that you leave once the other has taken over; suppress DL08 until then.",
			Source: "docs/argocd.md, docs/flux.md",
			mesh:   twoEngines,
		},
		{
			ID: "DL09", Severity: finding.Warning,
			Title:  "the engine reads what is written",
			What:   "Where render writes into a work tree of Git, delivery.path is the path of that directory in it. Only render knows both.",
			Why:    "The engine looks for a path that does not exist, or at another tree.",
			Fix:    "Write the path that the message names; or suppress DL09 if the tree is copied to another repository.",
			Source: "docs/argocd.md",
			mesh:   writtenElsewhere,
		},
	}
}

func twoEngines(m *mesh, f *found) {
	if d := m.Spec.Delivery; d != nil && d.ArgoCD != nil && d.Flux != nil {
		f.on(m, m.KeyAt("spec", "delivery", "flux"), "remove one of the two; suppress DL08 while you move from one to the other",
			"argocd and flux deliver the same objects to the same clusters")
	}
}

func writtenElsewhere(m *mesh, f *found) {
	d := m.Spec.Delivery
	if d == nil || m.written == "" || path.Clean(d.Path) == m.written || strings.HasPrefix(d.RepoURL, "oci://") {
		return
	}
	f.on(m, m.At("spec", "delivery", "path"), "write path: "+m.written+"; or suppress DL09 if the tree is copied to another repository",
		"the engine looks at the path %s of the repository, and the tree is written to %s", d.Path, m.written)
}

func samePath(ms []*mesh, f *found) {
	type place struct{ repoURL, revision, path string }
	first := map[place]*mesh{}
	for _, m := range ms {
		d := m.Spec.Delivery
		if d == nil {
			continue
		}
		p := place{d.RepoURL, d.Revision, d.Path}
		other, ok := first[p]
		if !ok {
			first[p] = m
			continue
		}
		at := m.At("spec", "delivery", "path")
		f.on(m, at, "give each the path of its own directory, as in path: rendered/"+m.Metadata.Name,
			"the topology %q is delivered from the same path of the repository, %q; first at %s", other.Metadata.Name, d.Path, other.At("spec",
				"delivery", "path").SeenFrom(at))
	}
}
