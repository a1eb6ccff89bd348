// Package kustomize writes clusters as kustomizations. The clusters share what
// is the same for all of them.
//
// The holes of a resource and the topology decide where the resource goes.
// Contents are never compared:
//
//   - A resource without a hole of the cluster or the namespace is once in base/.
//   - A resource for each namespace is also in base/, in one file with an object
//     for each namespace of the mesh. The further namespaces of a cluster are a
//     set with a folder, namespaces/<set>/. All clusters with the same set refer
//     to it.
//   - Everything else belongs to a cluster: the resources for each of its links or
//     tokens, in one file each, and what an overlay made for that cluster.
//
// So a new cluster never moves anything of another cluster.
package kustomize

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// File is the name of a kustomization's file.
const File = "kustomization.yaml"

// Tree writes the clusters of one topology, and the files of their components
// below overlays/<component>/. The files are not sorted.
func Tree(clusters []resource.Cluster, components ...tree.File) ([]tree.File, error) {
	w := writer{
		files:    slices.Grow(slices.Clone(components), 6*len(clusters)),
		shared:   map[string]*resource.Body{},
		same:     map[sharedAs]bool{},
		encoded:  map[string][]byte{},
		literals: map[string][]byte{},
	}
	for i := range clusters {
		if err := w.cluster(&clusters[i]); err != nil {
			return nil, fmt.Errorf("cluster %s: %w", clusters[i].Name, err)
		}
	}
	return w.files, nil
}

type writer struct {
	files    []tree.File
	shared   map[string]*resource.Body // the body of each folder in base/ or namespaces/
	same     map[sharedAs]bool         // bodies that are known to equal the body of the folder
	encoded  map[string][]byte         // kustomizations by what they list
	literals map[string][]byte         // files of literals by their bodies
}

// sharedAs is a body and the folder in which it is shared.
type sharedAs struct {
	dir  string
	body *resource.Body
}

func (w *writer) add(dir, name string, content []byte) {
	w.files = append(w.files, tree.File{Path: dir + "/" + name, Content: content})
}

func (w *writer) cluster(c *resource.Cluster) error {
	dir := "clusters/" + c.Name
	var phases []string
	for _, phase := range resource.Phases(c.Hub) {
		f := folder{}
		for r := range c.In(phase) {
			if err := w.resource(&f, c, r); err != nil {
				return fmt.Errorf("%s %s: %w", phase, r.Name, err)
			}
		}
		if len(f.resources) == 0 {
			continue
		}
		phases = append(phases, string(phase))
		below := dir + "/" + string(phase)
		for name, content := range f.contents {
			w.add(below, name, content)
		}
		for name, bodies := range f.literals {
			content, err := w.joined(bodies)
			if err != nil {
				return fmt.Errorf("%s %s: %w", phase, name, err)
			}
			w.add(below, name, content)
		}
		w.add(below, File, w.kustomization(f.resources, c.Components[phase]))
	}
	w.add(dir, File, w.kustomization(phases, nil))
	return nil
}

// folder is the folder of one phase of a cluster.
type folder struct {
	resources []string                    // what its kustomization lists, in order
	contents  map[string][]byte           // by file
	literals  map[string][]*resource.Body // by file: objects that an overlay made as a whole
}

// write appends an object to a file of the folder.
func (f *folder) write(name string, body *resource.Body, values resource.Values) error {
	content, known := f.contents[name]
	literals, whole := f.literals[name]
	if !known && !whole {
		f.resources = append(f.resources, name)
	}
	if body.IsLiteral() && !known {
		if f.literals == nil {
			f.literals = map[string][]*resource.Body{}
		}
		f.literals[name] = append(literals, body)
		return nil
	}
	var err error
	for _, literal := range literals { // another body follows them
		if content, err = appendObject(content, literal, nil); err != nil {
			return err
		}
	}
	delete(f.literals, name)
	if content, err = appendObject(content, body, values); err != nil {
		return err
	}
	if f.contents == nil {
		f.contents = map[string][]byte{}
	}
	f.contents[name] = content
	return nil
}

// joined returns the content of a file of literals. Clusters with the same
// literals share it.
func (w *writer) joined(literals []*resource.Body) ([]byte, error) {
	var key string
	for _, body := range literals {
		key += fmt.Sprintf("%p ", body)
	}
	if content, ok := w.literals[key]; ok {
		return content, nil
	}
	var content []byte
	for _, body := range literals {
		var err error
		if content, err = appendObject(content, body, nil); err != nil {
			return nil, err
		}
	}
	w.literals[key] = content
	return content, nil
}

func appendObject(dst []byte, body *resource.Body, values resource.Values) ([]byte, error) {
	if len(dst) > 0 {
		dst = append(dst, "---\n"...)
	}
	return body.Append(dst, values)
}

// resource writes a resource to the folder of its phase, or to a folder that
// this folder refers to.
func (w *writer) resource(f *folder, c *resource.Cluster, r resource.Resource) error {
	switch {
	case r.Body.Repeated() == resource.ScopeNamespace:
		return w.repeated(f, c, r)
	case r.Body.Repeated() != "":
		for values := range c.Each(r) {
			if err := f.write(r.Name+"-"+r.ItemOf(values)+".yaml", r.Body, values); err != nil {
				return err
			}
		}
		return nil
	case r.Body.Uses(resource.ScopeCluster), r.Body.IsLiteral():
		return f.write(r.Name+".yaml", r.Body, c.Values)
	}
	return w.share(f, c, r, "base/"+r.Name)
}

// repeated writes a resource that the cluster has in each of its namespaces. If
// the resource has values of the cluster, these are part of the folder's name.
func (w *writer) repeated(f *folder, c *resource.Cluster, r resource.Resource) error {
	name, err := variantOf(r, c.Values)
	if err != nil {
		return err
	}
	if err := w.set(f, c, r, c.MeshNamespaces, "base/"+name); err != nil {
		return err
	}
	further := without(c.Namespaces, c.MeshNamespaces)
	return w.set(f, c, r, further, "namespaces/"+setName(further)+"/"+name)
}

// set refers to the folder of a set of namespaces. If an overlay has changed
// the resource in some of them, the unchanged objects go to the cluster's own
// file, beside the changed ones.
func (w *writer) set(f *folder, c *resource.Cluster, r resource.Resource, namespaces []string, dir string) error {
	has := namespaces
	if r.Only != nil {
		has = common(namespaces, r.Only)
	}
	if len(has) == 0 {
		return nil
	}
	r.Only = has
	if len(has) == len(namespaces) {
		return w.share(f, c, r, dir)
	}
	for values := range c.Each(r) {
		if err := f.write(r.Name+".yaml", r.Body, values); err != nil {
			return err
		}
	}
	return nil
}

// setName names a set of namespaces. It joins the names with dots, because a
// namespace has no dot in its name. A long name is shortened and made unique by
// a digest.
func setName(namespaces []string) string {
	const longest = 100
	name := strings.Join(namespaces, ".")
	if len(name) <= longest {
		return name
	}
	digest := sha256.Sum256([]byte(name))
	return fmt.Sprintf("%s.and-%d-more.%x", namespaces[0], len(namespaces)-1, digest[:6])
}

// common and without keep the order of names.
func common(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(others, name) })
}

func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}

var folderName = regexp.MustCompile(`^[A-Za-z0-9][-.A-Za-z0-9]*$`)

// variantOf returns the name of a resource, followed by its values of the
// cluster.
func variantOf(r resource.Resource, values resource.Values) (string, error) {
	name := r.Name
	for _, path := range r.Body.Paths(resource.ScopeCluster) {
		value, ok := values[resource.ScopeCluster][path].(string)
		if !ok || !folderName.MatchString(value) {
			return "", fmt.Errorf("a resource for each namespace may only have values of the cluster that can name a folder, but cluster.%s is %v",
				path, values[resource.ScopeCluster][path])
		}
		name += "-" + value
	}
	return name, nil
}

// share refers to a folder that clusters share. For the first cluster, it also
// writes the folder.
func (w *writer) share(f *folder, c *resource.Cluster, r resource.Resource, dir string) error {
	f.resources = append(f.resources, "../../../"+dir)
	if w.same[sharedAs{dir, r.Body}] {
		return nil
	}
	w.same[sharedAs{dir, r.Body}] = true
	if first, ok := w.shared[dir]; ok {
		if !r.Body.Equal(first) {
			return fmt.Errorf("two shapes define %s differently; the template must give the variants different names", dir)
		}
		return nil
	}
	w.shared[dir] = r.Body
	var content []byte
	for values := range c.Each(r) {
		var err error
		if content, err = appendObject(content, r.Body, values); err != nil {
			return err
		}
	}
	name := r.Name + ".yaml"
	w.add(dir, name, content)
	w.add(dir, File, w.kustomization([]string{name}, nil))
	return nil
}

// kustomization returns the content of a kustomization. The components change
// its objects in the given order.
func (w *writer) kustomization(resources, components []string) []byte {
	key := strings.Join(resources, "\n") + "\n\n" + strings.Join(components, "\n")
	if content, ok := w.encoded[key]; ok {
		return content
	}
	fields := map[string]any{"resources": resources}
	if len(components) > 0 {
		paths := make([]string, len(components))
		for i, name := range components {
			paths[i] = "../../../overlays/" + name
		}
		fields["components"] = paths
	}
	content := Kustomization(fields)
	w.encoded[key] = content
	return content
}

// Kustomization returns the content of a kustomization with the given fields.
// It adds apiVersion and kind.
func Kustomization(fields map[string]any) []byte {
	fields["apiVersion"] = "kustomize.config.k8s.io/v1beta1"
	fields["kind"] = "Kustomization"
	return resource.Encode(nil, fields)
}
