package render

import (
	"slices"

	"github.com/sightline-mesh/sightline/internal/earlier"
	"github.com/sightline-mesh/sightline/internal/manifests"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// Earlier returns the files that the version before the first line in every file
// would have written for a topology: see package earlier.
func Earlier(t *topology.Topology, from Sources, format Format) ([]tree.File, error) {
	t, from.Templates = earlier.Topology(t), NewTemplates(earlier.Templates())
	l, err := layered(t, from)
	if err != nil {
		return nil, err
	}
	var files []tree.File
	switch format {
	case Helm:
		if files, err = charted(t, from, l.overlays); err == nil {
			earlier.Chart(files)
		}
	case Manifests:
		if err = l.apply(); err == nil {
			files, err = manifests.Tree(l.clusters)
		}
	default:
		files, err = earlier.Kustomize(l.clusters, l.files()...)
	}
	if err != nil || t.Spec.Delivery == nil {
		return files, err
	}
	objects, err := Delivery(t, from, format, l.clusters)
	if err != nil {
		return nil, err
	}
	earlier.Delivered(objects)
	return tree.New(slices.Concat(files, objects))
}

// WroteEarlier says whether a file could be one that the same version wrote for
// another topology.
func WroteEarlier(p string, content []byte) bool { return earlier.Wrote(p, content) }
