package render

import (
	"fmt"
	"path"
	"slices"

	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// acmEntry makes the objects of an ACM hub outside the topology.
const acmEntry = "acm.jsonnet"

// ACM returns the files of the tree acm/, not sorted: the objects of an ACM hub
// outside the topology, and a kustomization of them. It returns nothing if the
// ACM hub is in the topology. There is only one such cluster, so every format
// has the same files. Overlays apply only to clusters of the topology.
func (r *Rendering) ACM() ([]tree.File, error) {
	t := r.topology
	if !t.ACMOutside() {
		return nil, nil
	}
	values := topologyValues(t)
	resources, err := r.from.Templates.outside(outsideShape(t), values)
	if err != nil {
		return nil, &TemplateError{Position: t.At("spec", "metrics", "acm"), Cluster: topology.ACMTree, Err: err}
	}
	hub := resource.Cluster{
		Name:      topology.ACMTree,
		Resources: resources,
		Values:    resource.Values{resource.ScopeTopology: values},
		Items:     outsideItems(t),
	}
	var files []tree.File
	var names []string
	for _, resource := range resources {
		for values := range hub.Each(resource) {
			name := resource.Name
			if item := resource.ItemOf(values); item != "" {
				name += "-" + item
			}
			content, err := resource.Body.Append(nil, values)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", topology.ACMTree, name, err)
			}
			names = append(names, name+".yaml")
			files = append(files, tree.File{Path: topology.ACMTree + "/" + name + ".yaml", Content: content})
		}
	}
	slices.Sort(names)
	return append(files, tree.File{
		Path:    topology.ACMTree + "/" + kustomize.File,
		Content: kustomize.Kustomization(map[string]any{"resources": names}),
	}), nil
}

// ACMObjects returns the files of [Rendering.ACM] that are objects.
func (r *Rendering) ACMObjects() ([]tree.File, error) {
	files, err := r.ACM()
	return slices.DeleteFunc(files, func(f tree.File) bool { return path.Base(f.Path) == kustomize.File }), err
}

// outsideShape returns the shape of an ACM hub outside the topology.
func outsideShape(t *topology.Topology) shape {
	s := shape{Platform: "openshift", Flux: t.Spec.Delivery != nil && t.Spec.Delivery.Flux != nil}
	s.acmHub(t)
	return s
}

// outsideItems returns the items of its repeated resources.
func outsideItems(t *topology.Topology) map[string][]resource.Item {
	return map[string][]resource.Item{resource.ScopeRule: acmRuleItems(t)}
}
