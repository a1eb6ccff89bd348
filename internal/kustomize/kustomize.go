// Package kustomize writes clusters as kustomizations that share what is the
// same for all of them.
//
// Where a resource goes is decided by its holes, never by comparing contents:
// without a hole of the cluster or a namespace it stands once in base/, a
// resource that is repeated for namespaces stands once in base/ without its
// namespace and namespaces/<namespace>/ adds that, and everything else belongs
// to a cluster. So adding a cluster never moves what another one has.
package kustomize

import (
	"fmt"
	"maps"
	"slices"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// File is the name of a kustomization's file.
const File = "kustomization.yaml"

// Tree writes the clusters of one topology. The files are sorted.
func Tree(clusters []resource.Cluster) ([]tree.File, error) {
	w := writer{base: map[string]*resource.Body{}, namespaces: map[string]string{}, placed: map[*resource.Body]place{}}
	for i := range clusters {
		if err := w.cluster(&clusters[i]); err != nil {
			return nil, fmt.Errorf("cluster %s: %w", clusters[i].Name, err)
		}
	}
	for _, ns := range slices.Sorted(maps.Keys(w.namespaces)) {
		w.add("namespaces/"+ns, File, kustomization(map[string]any{
			"namespace": ns,
			"resources": []string{"../../base/" + w.namespaces[ns]},
		}))
	}
	return tree.New(w.files)
}

type writer struct {
	files      []tree.File
	base       map[string]*resource.Body // what base/<name> was made of
	namespaces map[string]string         // namespace -> the base it puts in itself
	placed     map[*resource.Body]place
}

// place is where a body goes.
type place int

const (
	inBase place = iota
	inNamespaces
	inCluster
)

func (w *writer) add(dir, name string, content []byte) {
	w.files = append(w.files, tree.File{Path: dir + "/" + name, Content: content})
}

func (w *writer) cluster(c *resource.Cluster) error {
	dir := "clusters/" + c.Name
	var phases []string
	for _, phase := range resource.Phases(c.Hub) {
		var resources []string
		for r := range c.In(phase) {
			names, err := w.resource(c, r)
			if err != nil {
				return fmt.Errorf("%s %s: %w", phase, r.Name, err)
			}
			resources = append(resources, names...)
		}
		if len(resources) == 0 {
			continue
		}
		phases = append(phases, string(phase))
		w.add(dir+"/"+string(phase), File, build(resources))
	}
	w.add(dir, File, build(phases))
	return nil
}

// resource writes what the resource needs and returns how the kustomization
// of its phase refers to it.
func (w *writer) resource(c *resource.Cluster, r resource.Resource) ([]string, error) {
	where, ok := w.placed[r.Body]
	if !ok {
		var err error
		if where, err = w.place(c, r); err != nil {
			return nil, err
		}
		w.placed[r.Body] = where
	}
	switch where {
	case inCluster:
		content, err := r.Body.Append(nil, c.Values)
		if err != nil {
			return nil, err
		}
		name := r.Name + ".yaml"
		w.add("clusters/"+c.Name+"/"+string(r.Phase), name, content)
		return []string{name}, nil
	case inNamespaces:
		names := make([]string, len(c.Namespaces))
		for i, ns := range c.Namespaces {
			w.namespaces[ns] = r.Name
			names[i] = "../../../namespaces/" + ns
		}
		return names, nil
	default:
		return []string{"../../../base/" + r.Name}, nil
	}
}

// place decides where a body goes, and writes it to base/ if that is where.
func (w *writer) place(c *resource.Cluster, r resource.Resource) (place, error) {
	body, where := r.Body, inBase
	if body.Uses(resource.ScopeNamespace) {
		var err error
		if body, err = withoutNamespace(body); err != nil {
			return 0, err
		}
		where = inNamespaces
	}
	if body.Uses(resource.ScopeCluster) {
		if where == inNamespaces {
			return 0, fmt.Errorf("a resource that is repeated for namespaces cannot have values of the cluster")
		}
		return inCluster, nil
	}
	if first, ok := w.base[r.Name]; ok {
		if !body.Equal(first) {
			return 0, fmt.Errorf("two shapes define base/%s differently; the template must name the variants apart", r.Name)
		}
		return where, nil
	}
	w.base[r.Name] = body
	content, err := body.Append(nil, c.Values)
	if err != nil {
		return 0, err
	}
	w.add("base/"+r.Name, r.Name+".yaml", content)
	w.add("base/"+r.Name, File, kustomization(map[string]any{"resources": []string{r.Name + ".yaml"}}))
	return where, nil
}

// withoutNamespace is the body without metadata.namespace, which must be all
// that the namespaces differ in.
func withoutNamespace(body *resource.Body) (*resource.Body, error) {
	object := maps.Clone(body.Object())
	metadata, _ := object["metadata"].(map[string]any)
	metadata = maps.Clone(metadata)
	delete(metadata, "namespace")
	object["metadata"] = metadata
	shared, err := resource.NewBody(object)
	if err != nil {
		return nil, err
	}
	if shared.Uses(resource.ScopeNamespace) {
		return nil, fmt.Errorf("a resource that is repeated for namespaces may differ in metadata.namespace only")
	}
	return shared, nil
}

// build is a kustomization that is built on its own, so it says that its
// objects keep the order they are listed in.
func build(resources []string) []byte {
	return kustomization(map[string]any{
		"resources":   resources,
		"sortOptions": map[string]any{"order": "fifo"},
	})
}

func kustomization(fields map[string]any) []byte {
	fields["apiVersion"] = "kustomize.config.k8s.io/v1beta1"
	fields["kind"] = "Kustomization"
	return resource.Encode(nil, fields)
}
