package render

import (
	"io/fs"

	"github.com/sightline-mesh/sightline/internal/compare"
	"github.com/sightline-mesh/sightline/internal/delivery"
	"github.com/sightline-mesh/sightline/internal/fleet"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// Compare reports what differs between two trees of a topology, the second of
// which is what it renders to. against says where the first one is from, and
// beside has the files of others there; nil if it is in no directory.
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

// CompareFacts are what a topology says about what becomes of a change.
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
		keeps := d.Flux.DeletionPolicy == "Orphan" || d.Flux.DeletionPolicy == "MirrorPrune" && !d.Flux.Prune
		facts.Deletes = !facts.Alone && !keeps
	}
	return facts
}

// applications are those that Argo CD makes of a tree.
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
