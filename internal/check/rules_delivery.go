package check

import (
	"path"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// deliveryRules are about the Git repository. They apply to both engines.
func deliveryRules() []Rule {
	return []Rule{
		{
			ID:    "DL07",
			Title: "each topology has its own directory in the repository",
			What:  "Of topologies that are given together, no two have the same repoURL, revision and path in delivery.",
			Why: "A rendered directory belongs to one topology. If you render several topologies at once, each gets a directory with its " +
				"name. With a shared path, the engine would apply the tree of another topology, or find nothing there.",
			Fix:    "Give each topology the path of its directory, such as path: rendered/east-west.",
			Source: "docs/argocd.md",
			meshes: samePath,
		},
		{
			ID: "DL08", Severity: finding.Warning,
			Title: "one engine delivers the clusters",
			What:  "delivery has argocd or flux, but not both.",
			Why: "Two engines apply the same objects, and each undoes what the other prunes or changes. This is right only while you move " +
				"from one engine to the other.",
			Fix:    "Once the new engine has taken over, remove the old one. Suppress DL08 until then.",
			Source: "docs/argocd.md, docs/flux.md",
			mesh:   twoEngines,
		},
		{
			ID: "DL09", Severity: finding.Warning,
			Title: "delivery.path is where render writes",
			What: "If render writes into a Git work tree, delivery.path is the path of the output directory in the work tree. Only render " +
				"can compare the two.",
			Why:    "The engine looks at a path that does not exist, or reads another tree.",
			Fix:    "Write the path from the message. If you copy the tree to another repository, suppress DL09.",
			Source: "docs/argocd.md",
			mesh:   writtenElsewhere,
		},
		{
			ID: RuleTree, FoundBy: byRender,
			Title: "the directory has what render writes",
			What: "`render --check` compares the output directory with the files that render would write. Each file that is missing, " +
				"differs or is no longer rendered is a finding. `--output json`, `sarif` and `github` print these findings.",
			Why: "The engine applies the directory, not the topology. A change of the topology without a new render reaches no cluster. " +
				"The next render reverts a change by hand.",
			Fix:    "Run the same `sightline render` without --check, and commit the directory.",
			Source: "docs/ci.md",
		},
	}
}

// RuleTree is the rule that a directory has what render writes.
const RuleTree = "DL14"

func twoEngines(m *mesh, f *found) {
	if d := m.Spec.Delivery; d != nil && d.ArgoCD != nil && d.Flux != nil {
		f.on(m, m.KeyAt("spec", "delivery", "flux"), "remove one of the two; while you move from one to the other, suppress DL08",
			"argocd and flux deliver the same objects to the same clusters")
	}
}

func writtenElsewhere(m *mesh, f *found) {
	d := m.Spec.Delivery
	if d == nil || m.written == "" || path.Clean(d.Path) == m.written || strings.HasPrefix(d.RepoURL, "oci://") {
		return
	}
	f.on(m, m.At("spec", "delivery", "path"), "write path: "+m.written+"; if you copy the tree to another repository, suppress DL09",
		"the engine reads the path %s of the repository, but the tree is written to %s", d.Path, m.written)
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
		f.on(m, at, "give each topology the path of its directory, such as path: rendered/"+m.Metadata.Name,
			"the topology %q is delivered from the same path of the repository, %q; first at %s", other.Metadata.Name, d.Path, other.At("spec",
				"delivery", "path").SeenFrom(at))
	}
}
