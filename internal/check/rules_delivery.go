package check

// deliveryRules are about the repository, which both engines read.
func deliveryRules() []Rule {
	return []Rule{
		{
			ID:     "DL07",
			Title:  "topologies have directories of their own in the repository",
			What:   "Of topologies that are given together, no two have the same repoURL, revision and path in delivery.",
			Why:    "A rendered directory is one topology's: several that are rendered at once are in a directory each, by their names. The engine would bring the clusters of one the tree of the other, or find none at the path.",
			Fix:    "Give each the path of its own directory, such as path: rendered/east-west.",
			Source: "docs/argocd.md",
			meshes: samePath,
		},
	}
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
			"the topology %q is delivered from the same path of the repository, %q; first at %s", other.Metadata.Name, d.Path, other.At("spec", "delivery", "path").SeenFrom(at))
	}
}
