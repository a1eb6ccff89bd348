// Package delivery writes the objects by which a GitOps engine brings a
// rendered tree to its clusters: those of Argo CD below argocd/, those of Flux
// below flux/.
//
// The objects are defined in Jsonnet, as all others are; what is derived for
// them is derived here and placed there.
package delivery

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/template"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// Input is the tree that is to be delivered.
type Input struct {
	Format   string             // kustomize, helm or manifests
	Clusters []resource.Cluster // in the order of the topology

	// AnyNamespace is that the project of Argo CD permits every namespace, as in the
	// version that package earlier is about.
	AnyNamespace bool
}

// Output is what delivers a tree.
type Output struct {
	Files []tree.File // beside those of the clusters, in no order

	// Objects are those in the files. Of several that differ by nothing but names of
	// clusters, and what is made of these, the first stands for all.
	Objects []resource.Object
}

// Deliver returns the delivery objects of a topology that had no findings;
// nothing where it has no delivery. A template that fails gives a
// *template.Error.
func Deliver(vm *template.VM, t *topology.Topology, in Input) (Output, error) {
	var out Output
	d := t.Spec.Delivery
	if d == nil {
		return out, nil
	}
	for _, engine := range []struct {
		used    bool
		deliver func(*template.VM, *topology.Topology, Input) (Output, error)
	}{{d.ArgoCD != nil, argoCD}, {d.Flux != nil, flux}} {
		if !engine.used {
			continue
		}
		own, err := engine.deliver(vm, t, in)
		if err != nil {
			return Output{}, err
		}
		out.Files = append(out.Files, own.Files...)
		out.Objects = append(out.Objects, own.Objects...)
	}
	return out, nil
}

// byName gives the indexes of the clusters in the order of their names: where a
// cluster stands in the topology does not show.
func byName(t *topology.Topology) []int {
	order := make([]int, len(t.Spec.Clusters))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(t.Spec.Clusters[a].Name, t.Spec.Clusters[b].Name) })
	return order
}

// phases returns the phases in which a cluster has objects, in the order in
// which they are applied.
func phases(c *resource.Cluster) []resource.Phase {
	return slices.DeleteFunc(resource.Phases(c.Hub), func(phase resource.Phase) bool {
		for range c.In(phase) {
			return false
		}
		return true
	})
}

// objects calls the template of an engine, which returns objects by the names
// of their files.
func objects(vm *template.VM, file string, args map[string]any) (map[string]resource.Object, error) {
	out, err := vm.Call(file, args)
	if err != nil {
		return nil, err
	}
	decoded, err := resource.DecodeJSON(out)
	if err != nil {
		return nil, err
	}
	named, err := resource.Named(decoded)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return named, nil
}

// folder writes objects into a folder, with a kustomization of them all: first
// those that others need to be there, the rest by their names. An engine keeps
// that order; kubectl has its own, by kinds, in which an AppProject comes first
// as well.
func folder(dir string, objects map[string]resource.Object, first ...string) []tree.File {
	names := slices.Concat(first, slices.DeleteFunc(slices.Sorted(maps.Keys(objects)),
		func(name string) bool { return slices.Contains(first, name) }))
	files := make([]tree.File, 0, len(names)+1)
	resources := make([]string, len(names))
	for i, name := range names {
		resources[i] = name + ".yaml"
		files = append(files, tree.File{Path: path.Join(dir, resources[i]), Content: resource.Encode(nil, objects[name])})
	}
	return append(files, tree.File{Path: path.Join(dir, kustomize.File),
		Content: kustomize.Kustomization(map[string]any{"resources": resources})})
}

// inRepository is the path of what a tree has at p, in the repository that the
// tree is committed to.
func inRepository(d *topology.Delivery, p string) string {
	return path.Join(d.Path, p)
}
