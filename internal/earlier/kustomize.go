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

// Kustomize writes clusters in that version's layout, from that version's
// templates. A resource without a hole of the cluster or a namespace is in
// base/. A resource for each namespace is in base/ without its namespace, and
// namespaces/<namespace>/ adds the namespace. Everything else is in the folder
// of the cluster.
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
	base       map[string]*resource.Body // the body in base/<name>
	same       map[*resource.Body]string // the <name> in base/ that is known to have an equal body
	namespaces map[string]bool           // the folders below namespaces/ that are written
	placed     map[*resource.Body]place
}

// place says where the objects of a body go.
type place struct {
	where where
	body  *resource.Body // the body as it is there
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

// resource writes the files of a resource. It returns the paths with which the
// kustomization of its phase refers to them.
func (w *writer) resource(c *resource.Cluster, r resource.Resource) ([]string, error) {
	p, ok := w.placed[r.Body]
	if !ok {
		var err error
		if p, err = placeOf(r.Body); err != nil {
			return nil, err
		}
		if !r.Body.IsLiteral() { // a literal is met only once
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
		if r.Name == "podmonitor" { // an overlay changed it for one namespace
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

// each writes a resource for each of the cluster's own items, each to its own
// file.
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

// repeated writes a resource that every namespace of the cluster has. If it has
// values of the cluster, these are part of its name.
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

// variantOf joins the cluster values in a body to a name. It returns "" if
// there are none.
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

// withoutNamespace returns the body without metadata.namespace. The namespaces
// may differ in nothing else.
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

// build returns a kustomization that users build directly, so it fixes the
// order of its objects. The components change them in the given order.
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

// Kustomization returns the content of a kustomization with the given fields.
// It adds apiVersion and kind.
func Kustomization(fields map[string]any) []byte {
	fields["apiVersion"] = "kustomize.config.k8s.io/v1beta1"
	fields["kind"] = "Kustomization"
	return resource.Encode(nil, fields)
}
