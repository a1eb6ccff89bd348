// Package kustomize writes clusters as kustomizations that share what is the
// same for all of them.
//
// Where a resource goes is decided by its holes and by the topology, never by
// comparing contents: without a hole of the cluster or a namespace it stands
// once in base/. One that is repeated for namespaces stands there as well, in
// one file with an object for each namespace of the mesh. Further namespaces
// of a cluster are a set with a folder of its own, namespaces/<set>/, to which
// all clusters with the same set refer. Everything else belongs to a cluster:
// what is repeated for its links or tokens, in a file each, and what an
// overlay has made for that cluster. So adding a cluster never moves what
// another one has.
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

// Tree writes the clusters of one topology beside the files of the components
// that they have, below overlays/<component>/. The files are sorted.
func Tree(clusters []resource.Cluster, components ...tree.File) ([]tree.File, error) {
	w := writer{
		files:    slices.Clone(components),
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
	return tree.New(w.files)
}

type writer struct {
	files    []tree.File
	shared   map[string]*resource.Body // what a folder in base/ or namespaces/ was made of
	same     map[sharedAs]bool         // bodies that are known to be what the folder was made of
	encoded  map[string][]byte         // kustomizations by what they list
	literals map[string][]byte         // files of literals by what they hold
}

// sharedAs is a body and a folder that it is shared in.
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
		f := folder{contents: map[string][]byte{}, literals: map[string][]*resource.Body{}}
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

// folder is that of a phase of a cluster.
type folder struct {
	resources []string                    // what its kustomization lists, in order
	contents  map[string][]byte           // of its files
	literals  map[string][]*resource.Body // what files have that an overlay has made as a whole
}

// write appends an object to a file of the folder.
func (f *folder) write(name string, body *resource.Body, values resource.Values) error {
	content, known := f.contents[name]
	literals, whole := f.literals[name]
	if !known && !whole {
		f.resources = append(f.resources, name)
	}
	if body.IsLiteral() && !known {
		f.literals[name] = append(literals, body)
		return nil
	}
	var err error
	for _, literal := range literals { // which another body follows
		if content, err = appendObject(content, literal, nil); err != nil {
			return err
		}
	}
	delete(f.literals, name)
	f.contents[name], err = appendObject(content, body, values)
	return err
}

// joined is the content of a file of literals, one for all clusters that have
// the same.
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

// resource writes a resource to the folder of its phase, or to one that the
// folder refers to.
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

// repeated writes a resource that the cluster has in each of its namespaces.
// Values of the cluster tell its variants apart.
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

// set refers to the folder of a set of namespaces. Where an overlay has changed
// the resource in some of them, the others go to the cluster's own file, beside
// what the overlay made.
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

// setName names a set of namespaces. A dot cannot be part of a namespace's
// name. A long name is shortened; the digest keeps it apart from others.
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

// variantOf is the name of a resource with the values of the cluster that it
// has.
func variantOf(r resource.Resource, values resource.Values) (string, error) {
	name := r.Name
	for _, path := range r.Body.Paths(resource.ScopeCluster) {
		value, ok := values[resource.ScopeCluster][path].(string)
		if !ok || !folderName.MatchString(value) {
			return "", fmt.Errorf("a resource that is repeated for namespaces may have only such values of the cluster as can name a folder, and "+
				"cluster.%s is %v", path, values[resource.ScopeCluster][path])
		}
		name += "-" + value
	}
	return name, nil
}

// share refers to a folder that clusters share, and writes it for the first of
// them.
func (w *writer) share(f *folder, c *resource.Cluster, r resource.Resource, dir string) error {
	f.resources = append(f.resources, "../../../"+dir)
	if w.same[sharedAs{dir, r.Body}] {
		return nil
	}
	w.same[sharedAs{dir, r.Body}] = true
	if first, ok := w.shared[dir]; ok {
		if !r.Body.Equal(first) {
			return fmt.Errorf("two shapes define %s differently; the template must name the variants apart", dir)
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

// kustomization is the text of one. The components change its objects in
// order.
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

// Kustomization is the text of a kustomization with these fields, to which it
// adds its type.
func Kustomization(fields map[string]any) []byte {
	fields["apiVersion"] = "kustomize.config.k8s.io/v1beta1"
	fields["kind"] = "Kustomization"
	return resource.Encode(nil, fields)
}
