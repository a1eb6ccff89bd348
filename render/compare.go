package render

import (
	"io/fs"

	"github.com/sightline-mesh/sightline/internal/compare"
	"github.com/sightline-mesh/sightline/internal/delivery"
	"github.com/sightline-mesh/sightline/internal/fleet"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// Compare reports the differences between two trees of a topology. The second
// is the topology's current rendering. against names the origin of the first.
// beside has the files of others in its directory; it is nil if the tree is not
// in a directory.
func Compare(t *topology.Topology, against string, old, new []tree.File, beside fs.FS) (*compare.Report, error) {
	before, after, err := fleet.Trees(old, new, beside)
	if err != nil {
		return nil, err
	}
	diff, err := compare.Fleets(before, after)
	if err != nil {
		return nil, err
	}
	facts := CompareFacts(t)
	if facts.Engine == compare.ArgoCD {
		if facts.Was, err = applications(old); err != nil {
			return nil, err
		}
		if facts.Is, err = applications(new); err != nil {
			return nil, err
		}
	}
	return compare.NewReport(t.Metadata.Name, against, diff, facts), nil
}

// CompareFacts returns the topology's facts about the effect of a change.
func CompareFacts(t *topology.Topology) compare.Facts {
	facts := compare.Facts{Hub: t.Hub().Name}
	switch d := t.Spec.Delivery; {
	case d == nil:
	case d.ArgoCD != nil:
		facts.Engine = compare.ArgoCD
		facts.Prunes = d.ArgoCD.Sync.Automated && d.ArgoCD.Sync.Prune
		facts.Deletes = d.ArgoCD.ApplicationsSync == "sync"
	case d.Flux != nil:
		facts.Engine = compare.Flux
		facts.Prunes = d.Flux.Prune
		facts.Alone = d.Flux.Mode == "standalone"
		facts.Deletes = !facts.Alone && !d.Flux.Keeps()
	}
	return facts
}

// applications returns the Applications that Argo CD makes from a tree.
func applications(files []tree.File) ([]compare.Application, error) {
	made, err := delivery.Applications(files)
	if err != nil {
		return nil, err
	}
	var named []compare.Application
	for _, a := range made {
		metadata, _ := a.Object["metadata"].(map[string]any)
		if name, ok := metadata["name"].(string); ok {
			named = append(named, compare.Application{Cluster: a.Cluster, Name: name})
		}
	}
	return named, nil
}
