package fleet

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/compare"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// plainFields are the fields of a kustomization that fleet can read directly.
var plainFields = []string{"apiVersion", "kind", "metadata", "resources", "namespace", "sortOptions", "components"}

// objectFields are the fields of a component that changes each object
// independently. Such a component makes the same object on every cluster, so
// the object is built once.
var objectFields = []string{"apiVersion", "kind", "metadata", "patches", "labels", "commonAnnotations", "images"}

// plainKinds are the kinds in which kustomize sets the namespace only on the
// object itself.
var plainKinds = []string{
	"ConfigMap", "Kiali", "PodMonitor", "PrometheusRule", "SealedSecret", "Secret", "ServiceMonitor", "Subscription", "Telemetry",
}

// kustomization lists the leaves of the kustomization in a folder. above are
// the folders that lead to it.
func (f *files) kustomization(dir string, above []string) ([]leaf, error) {
	if known, ok := f.known[dir]; ok {
		return known, nil
	}
	file := dir + "/" + kustomize.File
	if slices.Contains(above, dir) {
		return nil, fmt.Errorf("%s: it lists itself, through %s", file, strings.Join(above, " and "))
	}
	fields, err := f.at[file].object()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	leaves, plain, err := f.listed(dir, fields, append(slices.Clip(above), dir))
	if err != nil {
		return nil, err
	}
	if !plain {
		leaves = []leaf{{build: dir, reads: f.reads(dir, map[string]bool{})}}
	}
	f.known[dir] = leaves
	return leaves, nil
}

// listed reads a kustomization directly. plain is false if it has to be built.
func (f *files) listed(dir string, fields map[string]any, above []string) (leaves []leaf, plain bool, err error) {
	for name := range fields {
		if !slices.Contains(plainFields, name) {
			return nil, false, nil
		}
	}
	resources, _ := fields["resources"].([]any)
	for _, r := range resources {
		name, _ := r.(string)
		at := path.Join(dir, name)
		if text := f.find(at); text != nil {
			leaves = append(leaves, leaf{text: text})
			continue
		}
		if f.find(at+"/"+kustomize.File) == nil {
			return nil, false, fmt.Errorf("%s/%s: it lists %q, but there is no such file or kustomization", dir, kustomize.File, name)
		}
		below, err := f.kustomization(at, above)
		if err != nil {
			return nil, false, err
		}
		leaves = append(leaves, below...)
	}
	namespace, _ := fields["namespace"].(string)
	components, plain := f.components(dir, fields["components"])
	switch {
	case !plain || namespace != "" && components != "":
		return nil, false, nil
	case components != "":
		return f.changed(leaves, components)
	case namespace == "":
		return leaves, true, nil
	}
	leaves = slices.Clone(leaves)
	for i := range leaves {
		if leaves[i].text == nil || leaves[i].components != "" {
			return nil, false, nil
		}
		objects, err := leaves[i].text.objects()
		if err != nil {
			return nil, false, err
		}
		if slices.ContainsFunc(objects, func(o compare.Object) bool { return !slices.Contains(plainKinds, o.ID.Kind) }) {
			return nil, false, nil
		}
		leaves[i].namespace = namespace
	}
	return leaves, true, nil
}

// components joins the folders of components. plain is false if a component
// does more than change each object independently.
func (f *files) components(dir string, list any) (joined string, plain bool) {
	names, _ := list.([]any)
	var dirs []string
	for _, n := range names {
		name, _ := n.(string)
		at := path.Join(dir, name)
		text := f.find(at + "/" + kustomize.File)
		if text == nil {
			return "", false
		}
		fields, err := text.object()
		if err != nil {
			return "", false
		}
		for field := range fields {
			if !slices.Contains(objectFields, field) {
				return "", false
			}
		}
		patches, _ := fields["patches"].([]any)
		for _, p := range patches {
			// A patch without a target must find its object.
			if patch, _ := p.(map[string]any); patch["target"] == nil {
				return "", false
			}
		}
		dirs = append(dirs, at)
	}
	return strings.Join(dirs, "\n"), true
}

// changed returns leaves with the components that change their objects.
func (f *files) changed(leaves []leaf, components string) (changed []leaf, plain bool, err error) {
	var reads strings.Builder
	for _, dir := range strings.Split(components, "\n") {
		reads.WriteString(f.reads(dir, map[string]bool{}))
	}
	for _, l := range leaves {
		if l.text == nil || l.components != "" {
			return nil, false, nil
		}
		l.components, l.reads = components, reads.String()
		changed = append(changed, l)
	}
	return changed, true, nil
}

// change applies the components of a leaf to its objects, with the library.
func (f *files) change(l leaf, objects []compare.Object) ([]compare.Object, error) {
	const dir = "changed"
	var stream []byte
	for _, o := range objects {
		object := o.Content.Object
		if o.ID.Namespace != "" {
			object = maps.Clone(object)
			metadata, _ := object["metadata"].(map[string]any)
			metadata = maps.Clone(metadata)
			metadata["namespace"] = o.ID.Namespace
			object["metadata"] = metadata
		}
		stream = resource.Encode(append(stream, "---\n"...), object)
	}
	var paths []string
	var files []tree.File
	for _, component := range strings.Split(l.components, "\n") {
		files = append(files, f.below(component)...)
		paths = append(paths, "../"+component)
	}
	files = append(files, tree.File{Path: dir + "/objects.yaml", Content: stream},
		tree.File{Path: dir + "/" + kustomize.File, Content: kustomize.Kustomization(map[string]any{"resources": []string{"objects.yaml"},
			"components": paths})})
	loaded, err := kustomize.Load(files)
	if err != nil {
		return nil, err
	}
	built, err := loaded.Build(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.text.file, err)
	}
	return asObjects(built), nil
}

// reads names all inputs of a kustomization: its folder, and every file or
// folder of the tree to which a string in its files leads. Kustomizations with
// equal inputs build to equal objects.
func (f *files) reads(dir string, seen map[string]bool) string {
	if seen[dir] {
		return ""
	}
	seen[dir] = true
	var b strings.Builder
	for _, file := range f.below(dir) {
		text := f.at[file.Path]
		fmt.Fprintf(&b, "%s %p\n", file.Path, text)
		if path.Base(file.Path) != kustomize.File {
			continue
		}
		fields, err := text.object()
		if err != nil {
			continue // the build reports the error
		}
		for _, name := range slices.Sorted(slices.Values(stringsIn(fields, nil))) {
			at := path.Join(path.Dir(file.Path), name)
			if len(name) > 1000 || strings.Contains(name, "\n") {
				continue // it is no path
			}
			switch other := f.find(at); {
			case within(at, dir), within(dir, at):
			case other != nil:
				fmt.Fprintf(&b, "%s %p\n", at, other)
			case len(f.findBelow(at)) > 0:
				b.WriteString(f.reads(at, seen))
			}
		}
	}
	return b.String()
}

func within(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

func stringsIn(v any, found []string) []string {
	switch v := v.(type) {
	case string:
		found = append(found, v)
	case []any:
		for _, item := range v {
			found = stringsIn(item, found)
		}
	case map[string]any:
		for _, item := range v {
			found = stringsIn(item, found)
		}
	}
	return found
}

// buildAt builds the kustomization of a leaf.
func (f *files) buildAt(l leaf) ([]compare.Object, error) {
	if f.built == nil {
		built, err := kustomize.Load(f.tree)
		if err != nil {
			return nil, err
		}
		f.built = built
	}
	built, err := f.built.Build(l.build)
	if err != nil {
		return nil, err
	}
	return asObjects(built), nil
}

func asObjects(built []resource.Object) []compare.Object {
	objects := make([]compare.Object, len(built))
	for i, o := range built {
		objects[i] = compare.Object{ID: resource.IDOf(o), Content: compare.NewContent(o)}
	}
	return objects
}
