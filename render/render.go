// Package render is the whole program except the shell around it. Its input is
// a topology, the templates and the overlays. Its output is a sorted list of
// files. It is a pure function: the same input gives the same bytes everywhere.
//
// Jsonnet runs once for each shape of cluster, with holes instead of values,
// and makes bodies. The formats fill the bodies, as text, with the values of
// each cluster. Only clusters with an overlay take longer.
package render

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/delivery"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/manifests"
	"github.com/sightline-mesh/sightline/internal/overlay"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/template"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// Format is a form in which a topology's resources are written as files.
type Format string

// The formats.
const (
	Kustomize Format = "kustomize" // a base, and a kustomization per cluster and phase
	Helm      Format = "helm"      // a chart, and the values of each cluster
	Manifests Format = "manifests" // every object of every cluster in its own file
)

// Formats lists the formats, the default first.
func Formats() []Format { return []Format{Kustomize, Helm, Manifests} }

// Sources are the inputs of a render besides the topology.
type Sources struct {
	Templates *Templates
	Overlays  map[string]fs.FS // the folder of each overlay, by name
	Links     Links
	Host      overlay.Host // for the evaluation of overlays
}

// Rendering is a topology with its resources. It is made once, and then
// checked, packaged in a format or compared. It reads its sources as long as it
// is used. Use it from one goroutine.
type Rendering struct {
	topology *topology.Topology
	from     Sources
	layers   *layers            // the resources, with the overlays attached
	applied  []resource.Cluster // the same with the overlays applied, made when it is first needed
	delivery map[Format]delivery.Output
}

// Open reads the overlays of a topology without findings, and makes its
// resources. If a template fails, the error is a *TemplateError. If overlays
// are wrong, it is an *OverlayError.
func Open(t *topology.Topology, from Sources) (*Rendering, error) {
	if file := t.CAFile(); file != "" {
		return nil, fmt.Errorf("%s: nobody has read the file %s of spec.kiali.ca", t.At("spec", "kiali", "ca"), file)
	}
	l, err := layered(t, from)
	if err != nil {
		return nil, err
	}
	return &Rendering{topology: t, from: from, layers: l, delivery: map[Format]delivery.Output{}}, nil
}

// Clusters returns the clusters in the order of the topology, with their
// resources as they are applied. They must not be changed. If an overlay cannot
// be applied, the error is an *OverlayError.
func (r *Rendering) Clusters() ([]resource.Cluster, error) {
	if r.applied != nil {
		return r.applied, nil
	}
	applied := *r.layers
	applied.clusters = slices.Clone(applied.clusters)
	if err := applied.apply(); err != nil {
		return nil, err
	}
	r.applied = applied.clusters
	return r.applied, nil
}

// Tree returns the files of one format, and the files with which an engine
// delivers them. The first line of each file says that it is generated. A chart
// is returned only if it obeys the law, for one cluster of each shape and for
// everything that a Jsonnet overlay changes. Otherwise the error is a
// *finding.Refusal.
func (r *Rendering) Tree(format Format) ([]tree.File, error) {
	files, err := r.packaged(format)
	if err != nil {
		return nil, err
	}
	objects, err := r.Delivery(format)
	if err != nil {
		return nil, err
	}
	acm, err := r.ACM()
	if err != nil {
		return nil, err
	}
	if files, err = tree.New(tree.Marked(slices.Concat(files, acm, objects.Files))); err != nil {
		return nil, err
	}
	return tree.Sign(files)
}

// Delivery returns the objects with which an engine delivers the clusters in a
// format. It returns nothing if the topology has no delivery.
func (r *Rendering) Delivery(format Format) (delivery.Output, error) {
	out, ok := r.delivery[format]
	if ok || r.topology.Spec.Delivery == nil {
		return out, nil
	}
	clusters := r.layers.clusters
	if format == Manifests {
		var err error
		if clusters, err = r.Clusters(); err != nil {
			return out, err
		}
	}
	out, err := Delivery(r.topology, r.from, format, clusters)
	if err == nil {
		r.delivery[format] = out
	}
	return out, err
}

// Stage returns the clusters with the first n overlays only.
func (r *Rendering) Stage(n int) ([]resource.Cluster, error) {
	fewer := *r.topology
	fewer.Spec.Overlays = fewer.Spec.Overlays[:n]
	return Clusters(&fewer, r.from)
}

// packaged writes the clusters in one format.
func (r *Rendering) packaged(format Format) ([]tree.File, error) {
	switch format {
	case Helm:
		return r.helm()
	case Kustomize:
		if r.applied == nil { // otherwise the overlays are known to be applicable
			if err := r.layers.check(); err != nil {
				return nil, err
			}
		}
		return kustomize.Tree(r.layers.clusters, r.layers.files()...)
	case Manifests:
		clusters, err := r.Clusters()
		if err != nil {
			return nil, err
		}
		return manifests.Tree(clusters)
	}
	return nil, fmt.Errorf("unknown format %q", format)
}

// helm writes the chart, and checks that it obeys the law.
func (r *Rendering) helm() ([]tree.File, error) {
	l := r.layers
	if err := chartable(r.topology); err != nil {
		return nil, err
	}
	if err := l.err(); err != nil {
		return nil, err
	}
	files, err := charted(r.topology, r.from, l.overlays)
	if err != nil {
		return nil, err
	}
	return files, law(l, r.from.Templates, l.onePerShape(), files)
}

// Tree returns the files of a topology's [Rendering] in a format.
func Tree(t *topology.Topology, from Sources, format Format) ([]tree.File, error) {
	if format == Helm {
		if err := chartable(t); err != nil { // this needs no rendering
			return nil, err
		}
	}
	r, err := Open(t, from)
	if err != nil {
		return nil, err
	}
	return r.Tree(format)
}

// Clusters returns the clusters of a topology's [Rendering].
func Clusters(t *topology.Topology, from Sources) ([]resource.Cluster, error) {
	r, err := Open(t, from)
	if err != nil {
		return nil, err
	}
	return r.Clusters()
}

// Delivery returns the objects with which an engine delivers clusters. The
// clusters may have been changed since they were rendered.
func Delivery(t *topology.Topology, from Sources, format Format, clusters []resource.Cluster) (delivery.Output, error) {
	return delivered(t, from, delivery.Input{Format: string(format), Clusters: clusters})
}

func delivered(t *topology.Topology, from Sources, in delivery.Input) (delivery.Output, error) {
	out, err := delivery.Deliver(from.Templates.vm, t, in)
	if err != nil {
		return out, fmt.Errorf("%s: delivery: %w", t.At("spec", "delivery"), err)
	}
	return out, nil
}

// layered reads the overlays, and applies them to the clusters.
func layered(t *topology.Topology, from Sources) (*layers, error) {
	overlays, findings, err := overlay.Read(t, from.Overlays, from.Host)
	if err != nil {
		return nil, err
	}
	if len(findings) > 0 {
		return nil, &OverlayError{findings.Sorted()}
	}
	clusters, err := bare(t, from)
	if err != nil {
		return nil, err
	}
	return layOver(t, from.Links, clusters, overlays)
}

// bare evaluates the templates once for each shape of the topology's clusters,
// and returns the clusters without overlays.
func bare(t *topology.Topology, from Sources) ([]resource.Cluster, error) {
	shared, home, everywhere := topologyValues(t), callback(t), meshNamespaces(t)
	bodies := map[shape][]resource.Resource{}
	clusters := make([]resource.Cluster, len(t.Spec.Clusters))
	for i := range t.Spec.Clusters {
		c := &t.Spec.Clusters[i]
		own := clusterValues(t, c, home, from.Links)
		s := shapeOf(t, c, from.Links)
		resources, ok := bodies[s]
		if !ok {
			var err error
			if resources, err = from.Templates.bodiesOf(s, shared, own); err != nil {
				return nil, &TemplateError{Position: t.At("spec", "clusters", i), Cluster: c.Name, Err: err}
			}
			bodies[s] = resources
		}
		clusters[i] = resource.Cluster{
			Name:       c.Name,
			Hub:        s.Hub,
			Resources:  resources,
			Values:     resource.Values{resource.ScopeTopology: shared, resource.ScopeCluster: own},
			Namespaces: t.NamespacesOn(c),
			Items:      itemsOf(t, c, from.Links),
		}
		if c.InMesh() && !c.ServesExternal() {
			clusters[i].MeshNamespaces = everywhere
		}
	}
	return clusters, nil
}

// TemplateError is the failure of a template for a cluster.
type TemplateError struct {
	finding.Position
	Cluster string
	Err     error
}

func (e *TemplateError) Error() string {
	return fmt.Sprintf("%s: cluster %q: %v", e.Position, e.Cluster, e.Err)
}

func (e *TemplateError) Unwrap() error { return e.Err }

const entry = "main.jsonnet"

// holesOf returns the values of a scope for templates, each as a hole.
func holesOf(scope string, values leaves) map[string]any {
	return nested(values, func(path string, _ any) any { return resource.Hole(scope + "." + path) })
}

// bodiesOf evaluates the templates for one shape, with a hole for each value.
func bodiesOf(vm *template.VM, s shape, topology, cluster leaves) ([]resource.Resource, error) {
	args := map[string]any{"shape": s, resource.ScopeTopology: holesOf(resource.ScopeTopology, topology),
		resource.ScopeCluster: holesOf(resource.ScopeCluster, cluster)}
	for scope, item := range itemHoles() {
		args[scope] = holesOf(scope, item)
	}
	objects, err := evaluate(vm, entry, args)
	if err != nil {
		return nil, err
	}
	return phased(objects, resource.Phases(s.Hub))
}

// phased returns the bodies of objects, sorted by phase and name. Namespaces
// come first, because other objects may be in them.
func phased(objects map[resource.Phase]map[string]resource.Object, phases []resource.Phase) ([]resource.Resource, error) {
	var resources []resource.Resource
	for _, phase := range phases {
		names := slices.SortedFunc(maps.Keys(objects[phase]), func(a, b string) int {
			return cmp.Or(rank(objects[phase][a])-rank(objects[phase][b]), strings.Compare(a, b))
		})
		for _, name := range names {
			body, err := resource.NewBody(objects[phase][name])
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", phase, name, err)
			}
			resources = append(resources, resource.Resource{Phase: phase, Name: name, Body: body})
		}
	}
	return resources, nil
}

func rank(o resource.Object) int {
	if o["kind"] == "Namespace" {
		return 0
	}
	return 1
}

// evaluate calls the templates once, through one of their entries.
func evaluate(vm *template.VM, entry string, args map[string]any) (map[resource.Phase]map[string]resource.Object, error) {
	out, err := vm.Call(entry, args)
	if err != nil {
		return nil, err
	}
	decoded, err := resource.DecodeJSON(out)
	if err != nil {
		return nil, err
	}
	result := map[resource.Phase]map[string]resource.Object{}
	phases, _ := decoded.(map[string]any)
	for phase, v := range phases {
		if result[resource.Phase(phase)], err = resource.Named(v); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", entry, phase, err)
		}
	}
	if len(result) == 0 {
		return nil, errors.New(entry + " must return phase -> name -> object")
	}
	return result, nil
}
