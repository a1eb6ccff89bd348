package render

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/chart"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/manifests"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/template"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// difference is an object that differs between two ways to make it.
type difference struct {
	object resource.ID
	path   string // path of the first field that differs; "": the object itself
	filled any    // nil if there is none
	other  any
}

// refusal says that a way gives other objects of a cluster than filling the
// bodies. It names the possible cause: a template, or an overlay that matches
// the cluster.
func (d *difference) refusal(at finding.Position, cluster, way, overlays string) *finding.Refusal {
	where, hint := d.object.String(), lawHint
	if d.path != "" {
		where += ": " + d.path
	}
	if overlays != "" {
		hint = fmt.Sprintf("a template or an overlay (%s) %s; an overlay may do so with --format kustomize", overlays, valueHint)
	}
	return &finding.Refusal{
		Position: at,
		Message:  fmt.Sprintf("cluster %q: %s: %s gives %s, filling the body %s", cluster, where, way, shown(d.other), shown(d.filled)),
		Hint:     hint,
	}
}

func shown(v any) string {
	if v == nil {
		return "nothing"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(text) > 200 {
		text = append(text[:200], "…"...)
	}
	return string(text)
}

// The ways to make the objects of a cluster, besides filling its bodies.
const (
	byEvaluating = "evaluating the templates"
	byKustomize  = "kustomize build"
	byHelm       = "the chart"
)

// law shows for the clusters at the indexes that all ways make the same
// objects. If they do not, the error is a *finding.Refusal. Templates belong to
// the program, but a Jsonnet overlay may be written for the values of one
// cluster. So for all clusters with a Jsonnet overlay, law also shows that the
// chart makes the right objects. If a set has many namespaces and only
// templates fill them, law checks three, because one body fills all of them,
// and the chart has all of them.
func law(l *layers, templates *Templates, indexes []int, charted []tree.File) error {
	t := l.topology
	chosen := make([]resource.Cluster, len(indexes))
	for i, n := range indexes {
		chosen[i] = l.proven(n)
	}
	files, err := kustomize.Tree(chosen)
	if err != nil {
		return unchartable(t, err)
	}
	built, err := kustomize.Load(files)
	if err != nil {
		return err
	}
	loaded, err := chart.Load(charted)
	if err != nil {
		return unchartable(t, err)
	}
	values := map[string][]byte{}
	for _, f := range charted {
		values[f.Path] = f.Content
	}
	for n := range l.clusters {
		c := &l.clusters[n]
		overlays, everyWay := overlayNames(l.overlays, &t.Spec.Clusters[n]), slices.Contains(indexes, n)
		if !everyWay && overlays == "" {
			continue
		}
		part := l.proven(n)
		filled, err := filledSet(&part)
		if err != nil {
			return unchartable(t, err)
		}
		for _, way := range []struct {
			name    string
			objects func() ([]resource.Object, error)
		}{
			{byEvaluating, func() ([]resource.Object, error) { return l.evaluated(templates.vm, n, part.Namespaces) }},
			{byKustomize, func() ([]resource.Object, error) { return built.Build("clusters/" + c.Name) }},
			{byHelm, func() ([]resource.Object, error) {
				objects, err := loaded.Render(values[chart.ValuesFile(c.Name)])
				if err != nil {
					return nil, err
				}
				return without(c, &part, objects)
			}},
		} {
			if !everyWay && way.name != byHelm {
				continue
			}
			objects, err := way.objects()
			if err != nil {
				return unchartable(t, fmt.Errorf("cluster %q: %w", c.Name, err))
			}
			if d := compareSets(filled, objects); d != nil {
				return d.refusal(t.At("spec", "clusters", n), c.Name, way.name, overlays)
			}
		}
	}
	return nil
}

// proven returns a cluster with the namespaces for which the law is checked:
// the first, the last and a middle one of the mesh's namespaces and of the
// further ones. If a Jsonnet overlay may treat namespaces differently, it keeps
// all.
func (l *layers) proven(n int) resource.Cluster {
	c := l.clusters[n]
	if len(l.overlays) > 0 {
		return c
	}
	further := slices.DeleteFunc(slices.Clone(c.Namespaces), func(ns string) bool { return slices.Contains(c.MeshNamespaces, ns) })
	c.MeshNamespaces = three(c.MeshNamespaces)
	c.Namespaces = slices.Sorted(slices.Values(slices.Concat(c.MeshNamespaces, three(further))))
	return c
}

func three(names []string) []string {
	if last := len(names) - 1; last > 2 {
		return []string{names[0], names[last/2], names[last]}
	}
	return names
}

// without removes the objects that the cluster has and its part has not. Each
// must exist once.
func without(c, part *resource.Cluster, objects []resource.Object) ([]resource.Object, error) {
	extra, err := idsOf(c)
	if err != nil {
		return nil, err
	}
	own, err := idsOf(part)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(extra, func(id resource.ID, _ bool) bool { return own[id] })
	rest := slices.DeleteFunc(slices.Clone(objects), func(o resource.Object) bool {
		id := resource.IDOf(o)
		found := extra[id]
		delete(extra, id)
		return found
	})
	for id := range extra {
		return nil, fmt.Errorf("the chart does not give the %s", id)
	}
	return rest, nil
}

func idsOf(c *resource.Cluster) (map[resource.ID]bool, error) {
	ids := map[resource.ID]bool{}
	for _, r := range c.Resources {
		for values := range c.Each(r) {
			id, err := r.Body.ID(values)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", r.Phase, r.Name, err)
			}
			ids[id] = true
		}
	}
	return ids, nil
}

// onePerShape returns the index of the first cluster of each shape. Clusters
// with other Jsonnet overlays count as another shape.
func (l *layers) onePerShape() []int {
	seen := map[overlaid]bool{}
	var first []int
	for i := range l.topology.Spec.Clusters {
		c := &l.topology.Spec.Clusters[i]
		if s := (overlaid{shapeOf(l.topology, c, l.links), overlayNames(l.overlays, c)}); !seen[s] {
			seen[s] = true
			first = append(first, i)
		}
	}
	return first
}

// evaluated evaluates the templates for a cluster with the given namespaces,
// and applies its Jsonnet overlays to the result.
func (l *layers) evaluated(vm *template.VM, n int, namespaces []string) ([]resource.Object, error) {
	bare := l.bare[n]
	bare.Namespaces = namespaces
	objects, err := evaluateCluster(vm, shapeOf(l.topology, &l.topology.Spec.Clusters[n], l.links), &bare)
	if err != nil {
		return nil, err
	}
	run := l.scripts(n)
	if len(run.overlays) == 0 {
		return objects, nil
	}
	for i := range objects {
		input, err := run.overlays[0].Script.Object(objects[i])
		if err != nil {
			return nil, err
		}
		made, err := run.object(input)
		if err != nil {
			return nil, err
		}
		if objects[i], err = made.Content(); err != nil {
			return nil, err
		}
	}
	return objects, l.err()
}

// filledSet returns the objects of the filled bodies, as a reader of their text
// sees them.
func filledSet(c *resource.Cluster) ([]resource.Object, error) {
	files, err := manifests.Cluster(c)
	if err != nil {
		return nil, err
	}
	objects := make([]resource.Object, len(files))
	for i, f := range files {
		if err := yaml.Unmarshal(f.Content, &objects[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	return objects, nil
}

// evaluateCluster evaluates the templates with the values of a cluster instead
// of holes: once for resources that are not repeated, and once for each item of
// the others.
func evaluateCluster(vm *template.VM, s shape, c *resource.Cluster) ([]resource.Object, error) {
	value := func(_ string, leaf any) any { return leaf }
	shared := nested(c.Values[resource.ScopeTopology], value)
	own := nested(c.Values[resource.ScopeCluster], value)
	repeated := map[string]string{}
	for _, r := range c.Resources {
		repeated[r.Name] = r.Body.Repeated()
	}
	none := map[string]any{"shape": s, resource.ScopeTopology: shared, resource.ScopeCluster: own}
	for scope, item := range itemHoles() {
		none[scope] = item
	}
	var objects []resource.Object
	add := func(scope string, item map[string]any) error {
		args := maps.Clone(none)
		if scope != "" {
			args[scope] = item
		}
		phases, err := evaluate(vm, entry, args)
		for _, named := range phases {
			for name, o := range named {
				if repeated[name] == scope {
					objects = append(objects, o)
				}
			}
		}
		return err
	}
	if err := add("", nil); err != nil {
		return nil, err
	}
	for _, ns := range c.Namespaces {
		if err := add(resource.ScopeNamespace, map[string]any{"name": ns}); err != nil {
			return nil, err
		}
	}
	for scope, items := range c.Items {
		for _, item := range items {
			if err := add(scope, item); err != nil {
				return nil, err
			}
		}
	}
	return objects, nil
}

// compareSets finds the first difference between two sets of objects.
func compareSets(filled, others []resource.Object) *difference {
	a, b := map[resource.ID]resource.Object{}, map[resource.ID]resource.Object{}
	for _, o := range filled {
		a[resource.IDOf(o)] = o
	}
	for _, o := range others {
		id := resource.IDOf(o)
		if b[id] != nil {
			return &difference{object: id, filled: "one of it", other: "two of it"}
		}
		b[id] = o
	}
	all := maps.Clone(a)
	maps.Copy(all, b)
	for _, id := range slices.SortedFunc(maps.Keys(all), func(x, y resource.ID) int { return strings.Compare(x.String(), y.String()) }) {
		var x, y any
		if o := a[id]; o != nil {
			x = plain(o)
		}
		if o := b[id]; o != nil {
			y = plain(o)
		}
		if path, one, other, differ := firstDifference(x, y, ""); differ {
			return &difference{id, path, one, other}
		}
	}
	return nil
}

// plain converts numbers to float64, and lists and maps to the types of
// encoding/json.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, item := range v {
			m[k] = plain(item)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = plain(item)
		}
		return list
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	}
	return v
}

// firstDifference returns the path of the first field in which two values
// differ, in the order of the names.
func firstDifference(a, b any, path string) (at string, one, other any, differ bool) {
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			all := maps.Clone(x)
			maps.Copy(all, y)
			for _, key := range slices.Sorted(maps.Keys(all)) {
				below := key
				if path != "" {
					below = path + "." + key
				}
				if at, one, other, differ := firstDifference(x[key], y[key], below); differ {
					return at, one, other, true
				}
			}
			return "", nil, nil, false
		}
	case []any:
		if y, ok := b.([]any); ok && len(x) == len(y) {
			for i := range x {
				if at, one, other, differ := firstDifference(x[i], y[i], path+"["+strconv.Itoa(i)+"]"); differ {
					return at, one, other, true
				}
			}
			return "", nil, nil, false
		}
	}
	return path, a, b, !reflect.DeepEqual(a, b)
}
