package fleet

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/compare"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// plainFields are those of a kustomization that is read as it stands.
var plainFields = []string{"apiVersion", "kind", "metadata", "resources", "namespace", "sortOptions"}

// plainKinds are the kinds of objects of which kustomize puts nothing but the
// object itself into a namespace.
var plainKinds = []string{"ConfigMap", "Kiali", "PodMonitor", "PrometheusRule", "SealedSecret", "Secret", "ServiceMonitor", "Subscription", "Telemetry"}

// kustomization lists what the kustomization in a folder is made of. The path
// is that of the folders which lead to it.
func (f *files) kustomization(dir string, above []string) ([]leaf, error) {
	if known, ok := f.known[dir]; ok {
		return known, nil
	}
	file := dir + "/" + kustomize.File
	if slices.Contains(above, dir) {
		return nil, fmt.Errorf("%s: it lists itself, through %s", file, strings.Join(above, " and "))
	}
	fields, err := f.at[file].mapping()
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

// listed reads a kustomization as it stands; plain is false for one that has to
// be built.
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
			return nil, false, fmt.Errorf("%s/%s: it lists %q, and there is no such file or kustomization", dir, kustomize.File, name)
		}
		below, err := f.kustomization(at, above)
		if err != nil {
			return nil, false, err
		}
		leaves = append(leaves, below...)
	}
	namespace, _ := fields["namespace"].(string)
	if namespace == "" {
		return leaves, true, nil
	}
	leaves = slices.Clone(leaves)
	for i := range leaves {
		if leaves[i].text == nil {
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

// reads names all that a kustomization may read: its folder, and whatever in
// the tree a string in one of its files leads to. Two that read the same build
// to the same.
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
		fields, err := text.mapping()
		if err != nil {
			continue // who builds it says what is wrong
		}
		for _, name := range stringsIn(fields, nil) {
			at := path.Join(path.Dir(file.Path), name)
			if len(name) > 1000 || strings.Contains(name, "\n") {
				continue // no path
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
	objects := make([]compare.Object, len(built))
	for i, o := range built {
		objects[i] = compare.Object{ID: resource.IDOf(o), Content: compare.NewContent(o)}
	}
	return objects, nil
}
