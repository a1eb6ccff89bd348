package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/manifests"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// objects returns the objects of the selected clusters, in the order in which to
// apply them.
func (o *renderOptions) objects(inputs []*input) ([]tree.File, error) {
	var files []tree.File
	err := o.each(inputs, func(own []tree.File) error {
		files = append(files, own...)
		return nil
	})
	return files, err
}

// each visits the selected clusters one after the other, with their objects. So the
// objects of a fleet are never in memory together.
func (o *renderOptions) each(inputs []*input, visit func(objects []tree.File) error) error {
	known := map[string]bool{}
	for _, in := range inputs {
		for i := range in.topology.Spec.Clusters {
			known[in.topology.Spec.Clusters[i].Name] = true
		}
		if in.topology.ACMOutside() {
			known[topology.ACMTree] = true
		}
	}
	for _, name := range o.clusters {
		if !known[name] {
			return &hinted{fmt.Errorf("no cluster %q in the topology", name), "the clusters are " +
				finding.List(slices.Sorted(maps.Keys(known)), listed)}
		}
	}
	for _, in := range inputs {
		if err := o.eachOf(in, len(inputs) > 1, visit); err != nil {
			return err
		}
	}
	return nil
}

// eachOf visits the clusters of one topology. If there are several topologies, the
// paths of its objects begin with its name.
func (o *renderOptions) eachOf(in *input, several bool, visit func(objects []tree.File) error) error {
	clusters, err := in.rendering.Clusters()
	if err != nil {
		return err
	}
	one := func(cluster string, objects func() ([]tree.File, error)) error {
		if len(o.clusters) > 0 && !slices.Contains(o.clusters, cluster) {
			return nil
		}
		own, err := objects()
		if err != nil {
			return err
		}
		if several {
			for i := range own {
				own[i].Path = in.topology.Metadata.Name + "/" + own[i].Path
			}
		}
		return visit(own)
	}
	cluster := manifests.OneByOne()
	for i := range clusters {
		if err := one(clusters[i].Name, func() ([]tree.File, error) { return cluster(&clusters[i]) }); err != nil {
			return err
		}
	}
	if in.topology.ACMOutside() {
		return one(topology.ACMTree, in.rendering.ACMObjects)
	}
	return nil
}
