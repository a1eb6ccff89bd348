package render

import (
	"bytes"
	"slices"

	"github.com/sightline-mesh/sightline/internal/delivery"
	"github.com/sightline-mesh/sightline/internal/earlier"
	"github.com/sightline-mesh/sightline/internal/manifests"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// Earlier returns a function that tells whether an early version wrote a file
// for the topology: whether the file has exactly the bytes of the version that
// package earlier is about. A chart is recognized by the beginning of its
// files.
func Earlier(t *topology.Topology, from Sources, format Format) (func(p string, content []byte) bool, error) {
	files, err := earlierFiles(t, from, format)
	if err != nil {
		return nil, err
	}
	known := map[string][]byte{}
	for _, f := range files {
		known[f.Path] = f.Content
	}
	return func(p string, content []byte) bool {
		if want, ok := known[p]; ok {
			return bytes.Equal(want, content)
		}
		return format == Helm && earlier.WroteChart(t.Metadata.Name, p, content)
	}, nil
}

// earlierFiles returns the files that this version wrote, without the files of
// a chart.
func earlierFiles(t *topology.Topology, from Sources, format Format) ([]tree.File, error) {
	t, from.Templates = earlier.Topology(t), NewTemplates(earlier.Templates())
	l, err := layered(t, from)
	if err != nil {
		return nil, err
	}
	var files []tree.File
	switch format {
	case Manifests:
		if err = l.apply(); err == nil {
			files, err = manifests.Tree(l.clusters)
		}
	case Kustomize:
		files, err = earlier.Kustomize(l.clusters, l.files()...)
	}
	if err != nil || t.Spec.Delivery == nil {
		return files, err
	}
	objects, err := delivered(t, from, delivery.Input{Format: string(format), Clusters: l.clusters, AnyNamespace: true})
	if err != nil {
		return nil, err
	}
	if err := earlier.Delivered(objects.Files); err != nil {
		return nil, err
	}
	return tree.New(slices.Concat(files, objects.Files))
}

// WroteEarlier tells whether the same version could have written a file for
// another topology.
func WroteEarlier(p string, content []byte) bool { return earlier.Wrote(p, content) }
