// Package delivery writes the objects with which a GitOps engine brings a
// rendered tree to its clusters: below argocd/ for Argo CD, below flux/ for
// Flux.
//
// Jsonnet defines these objects, as all others. This package derives the
// values, and the templates place them.
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

// Input is the tree to deliver.
type Input struct {
	Format   string             // kustomize, helm or manifests
	Clusters []resource.Cluster // in the order of the topology

	// AnyNamespace makes Argo CD's project permit every namespace, as in the
	// version that package earlier renders.
	AnyNamespace bool
}

// Output is what an engine needs to deliver a tree.
type Output struct {
	Files []tree.File // in addition to the files of the clusters; not sorted

	// Objects are the objects in the files. If several objects differ only in
	// cluster names and values derived from these, only the first is here.
	Objects []resource.Object
}

// Deliver returns the delivery objects of a topology without findings. It
// returns nothing if the topology has no delivery. If a template fails, the
// error is a *template.Error.
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

// byName returns the indexes of the clusters sorted by name, so that the order
// in the topology does not affect the output.
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

// objects calls an engine's template, which returns objects by file name.
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

// folder writes objects into a folder, with a kustomization that lists them
// all. The names in first come first, because the other objects need these. The
// rest is sorted by name. An engine keeps this order. kubectl sorts by kind,
// and also applies an AppProject first.
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

// inRepository returns the path in the repository of a file of the tree.
func inRepository(d *topology.Delivery, p string) string {
	return path.Join(d.Path, p)
}
