package earlier

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// File is the name of a kustomization's file.
const File = "kustomization.yaml"

// Kustomize lays clusters out as that version did, from its templates: a resource
// without a hole of the cluster or a namespace in base/, one that is repeated for
// namespaces in base/ without its namespace, which namespaces/<namespace>/ adds,
// and everything else in the folder of the cluster.
func Kustomize(clusters []resource.Cluster, components ...tree.File) ([]tree.File, error) {
	w := writer{
		files:      slices.Clone(components),
		base:       map[string]*resource.Body{},
		same:       map[*resource.Body]string{},
		namespaces: map[string]bool{},
		placed:     map[*resource.Body]place{},
	}
	for i := range clusters {
		if err := w.cluster(&clusters[i]); err != nil {
			return nil, fmt.Errorf("cluster %s: %w", clusters[i].Name, err)
		}
	}
	return tree.New(w.files)
}

type writer struct {
	files      []tree.File
	base       map[string]*resource.Body // what base/<name> was made of
	same       map[*resource.Body]string // base/<name> that a body is known to be the same as
	namespaces map[string]bool           // folders below namespaces/ that are written
	placed     map[*resource.Body]place
}

// place is where the objects of a body go.
type place struct {
	where where
	body  *resource.Body // as it stands there
}

type where int

const (
	inBase where = iota
	inNamespaces
	inFiles
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
		w.add(dir+"/"+string(phase), File, build(resources, c.Components[phase]))
	}
	w.add(dir, File, build(phases, nil))
	return nil
}

// resource writes what the resource needs and returns how the kustomization
// of its phase refers to it.
func (w *writer) resource(c *resource.Cluster, r resource.Resource) ([]string, error) {
	p, ok := w.placed[r.Body]
	if !ok {
		var err error
		if p, err = placeOf(r.Body); err != nil {
			return nil, err
		}
		if !r.Body.IsLiteral() { // which is met once
			w.placed[r.Body] = p
		}
	}
	switch p.where {
	case inCluster:
		content, err := p.body.Append(nil, c.Values)
		if err != nil {
			return nil, err
		}
		name := r.Name + ".yaml"
		if r.Name == "podmonitor" { // which an overlay has changed for one namespace
			id, err := p.body.ID(c.Values)
			if err != nil {
				return nil, err
			}
			name = r.Name + "-" + id.Namespace + ".yaml"
		}
		w.add("clusters/"+c.Name+"/"+string(r.Phase), name, content)
		return []string{name}, nil
	case inNamespaces:
		return w.repeated(c, r, p.body)
	case inFiles:
		return w.each(c, r)
	default:
		return []string{"../../../base/" + r.Name}, w.addBase(c, r, r.Name, p.body)
	}
}

func placeOf(body *resource.Body) (place, error) {
	switch {
	case body.Repeated() == resource.ScopeNamespace:
		shared, err := withoutNamespace(body)
		return place{inNamespaces, shared}, err
	case body.Repeated() != "":
		return place{inFiles, body}, nil
	case body.Uses(resource.ScopeCluster), body.IsLiteral():
		return place{inCluster, body}, nil
	}
	return place{inBase, body}, nil
}

// each writes a resource that the cluster has for each of its own items, to a
// file for each.
func (w *writer) each(c *resource.Cluster, r resource.Resource) ([]string, error) {
	var names []string
	for values := range c.Each(r) {
		content, err := r.Body.Append(nil, values)
		if err != nil {
			return nil, err
		}
		name := r.Name + "-" + r.ItemOf(values) + ".yaml"
		w.add("clusters/"+c.Name+"/"+string(r.Phase), name, content)
		names = append(names, name)
	}
	return names, nil
}

// repeated writes a resource that every namespace of the cluster has. Where it
// has values of the cluster, they tell the variants of it apart.
func (w *writer) repeated(c *resource.Cluster, r resource.Resource, body *resource.Body) ([]string, error) {
	variant, err := variantOf(body, c.Values)
	if err != nil {
		return nil, err
	}
	base, below, up := r.Name, "", "../../"
	if variant != "" {
		base += "-" + variant
		below, up = "/"+base, "../../../"
	}
	if err := w.addBase(c, r, base, body); err != nil {
		return nil, err
	}
	namespaces := c.NamespacesOf(r)
	names := make([]string, len(namespaces))
	for i, ns := range namespaces {
		dir := "namespaces/" + ns + below
		names[i] = "../../../" + dir
		if w.namespaces[dir] {
			continue
		}
		w.namespaces[dir] = true
		w.add(dir, File, Kustomization(map[string]any{"namespace": ns, "resources": []string{up + "base/" + base}}))
	}
	return names, nil
}

var folder = regexp.MustCompile(`^[A-Za-z0-9][-.A-Za-z0-9]*$`)

// variantOf joins the values of the cluster that a body has to a name; "" if
// it has none.
func variantOf(body *resource.Body, values resource.Values) (string, error) {
	var parts []string
	for _, path := range body.Paths(resource.ScopeCluster) {
		value, ok := values[resource.ScopeCluster][path].(string)
		if !ok || !folder.MatchString(value) {
			return "", fmt.Errorf("a resource that is repeated for namespaces may have only such values of the cluster as can name a folder, and "+
				"cluster.%s is %v", path, values[resource.ScopeCluster][path])
		}
		parts = append(parts, value)
	}
	return strings.Join(parts, "-"), nil
}

// addBase writes a body to base/, once.
func (w *writer) addBase(c *resource.Cluster, r resource.Resource, name string, body *resource.Body) error {
	if w.same[body] == name {
		return nil
	}
	w.same[body] = name
	if first, ok := w.base[name]; ok {
		if !body.Equal(first) {
			return fmt.Errorf("two shapes define base/%s differently; the template must name the variants apart", name)
		}
		return nil
	}
	w.base[name] = body
	content, err := body.Append(nil, c.Values)
	if err != nil {
		return err
	}
	w.add("base/"+name, r.Name+".yaml", content)
	w.add("base/"+name, File, Kustomization(map[string]any{"resources": []string{r.Name + ".yaml"}}))
	return nil
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
	if shared.Repeated() != "" {
		return nil, fmt.Errorf("a resource that is repeated for namespaces may differ in metadata.namespace only")
	}
	return shared, nil
}

// build is a kustomization that is built on its own, so it says that its
// objects keep the order they are listed in. The components change them in
// order.
func build(resources, components []string) []byte {
	fields := map[string]any{
		"resources":   resources,
		"sortOptions": map[string]any{"order": "fifo"},
	}
	if len(components) > 0 {
		paths := make([]string, len(components))
		for i, name := range components {
			paths[i] = "../../../overlays/" + name
		}
		fields["components"] = paths
	}
	return Kustomization(fields)
}

// Kustomization is the text of a kustomization with these fields, to which it
// adds its type.
func Kustomization(fields map[string]any) []byte {
	fields["apiVersion"] = "kustomize.config.k8s.io/v1beta1"
	fields["kind"] = "Kustomization"
	return resource.Encode(nil, fields)
}
