package delivery

import (
	"github.com/sightline-mesh/sightline/internal/template"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// argoCD returns the objects of Argo CD.
func argoCD(*template.VM, *topology.Topology, Input) ([]tree.File, error) { return nil, nil }
