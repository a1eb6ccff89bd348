// Package chart writes the clusters of one topology as a Helm chart, and the
// values of each cluster for this chart.
//
// The templates are the bodies of the shapes, with an expression for each hole.
// An object is in the templates once. If shapes differ in it, an `if` tests the
// fields of the shape. So the chart grows with the number of shapes, and never
// with the number of clusters.
package chart

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// Chart is the input for a chart.
type Chart struct {
	Name     string  // of the topology
	Version  string  // of the Kiali server; "": the operator chooses
	Values   []Value // for which a body may have a hole
	Lists    []List  // for whose items a body may be repeated
	Fields   []Field // of all shapes
	Shapes   []Shape // of all clusters
	Clusters []Cluster
}

// Value is a value of the chart.
type Value struct {
	Path     string // in the chart's values, such as kiali.spec
	Hole     string // the path of its hole, beginning with the scope
	Doc      string
	Default  any  // for all clusters that do not set it
	Required bool // every cluster must set it, because there is no default
}

// List is a list in the chart's values, over which templates range: the items
// of a scope. If the items only have a name, they are strings.
type List struct {
	Scope   string
	Path    string // in the chart's values
	Doc     string
	Default []string      // names, for a cluster that does not set the list
	Items   resource.Item // the fields of an item, each with an empty value; nil: an item is a string
}

// initial returns the chart's default for the list.
func (l *List) initial() any {
	if l.Items == nil {
		return append([]string{}, l.Default...)
	}
	return []any{}
}

// value returns the list as a value of the chart.
func (l *List) value(items []resource.Item) any {
	if l.Items == nil {
		names := make([]string, len(items))
		for i, item := range items {
			names[i] = item.Name()
		}
		return names
	}
	list := make([]any, len(items))
	for i, item := range items {
		list[i] = map[string]any(item)
	}
	return list
}

// Field is a field of the shapes: a boolean or a string.
type Field struct{ Name, Doc string }

// Shape is a shape of clusters, and the resources of clusters with that shape.
type Shape struct {
	Fields    map[string]any
	Resources []resource.Resource
	// Relevant lists, by resource name, the fields on which the resources
	// depend. These fields explain best why the resources exist.
	Relevant map[string][]string
}

// Cluster is one cluster: the index of its shape, its values by the path of the
// hole, and its items.
type Cluster struct {
	Name   string
	Shape  int
	Values map[string]any
	Lists  map[string][]resource.Item // by scope
}

// Dir is the folder of the chart in the tree.
const Dir = "chart"

// ValuesFile returns the path of a cluster's values in the tree.
func ValuesFile(cluster string) string { return "clusters/" + cluster + ".yaml" }

// Tree writes the chart and the values of every cluster. The files are sorted.
func Tree(c *Chart) ([]tree.File, error) {
	w := writer{Chart: c, usedValues: map[string]bool{}, usedFields: map[string]bool{}, usedLists: map[string]bool{},
		defines: map[string]define{}, holes: map[string]*Value{}}
	for i := range c.Values {
		w.holes[c.Values[i].Hole] = &c.Values[i]
	}
	objects, err := w.objects()
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		if err := w.object(o); err != nil {
			return nil, fmt.Errorf("%s %s: %w", o.phase, o.name, err)
		}
	}
	w.helpers()
	for _, name := range slices.Sorted(maps.Keys(w.templates)) {
		w.add("templates/"+name, w.templates[name])
	}
	w.add("templates/NOTES.txt", w.notes())
	values := w.values()
	w.add("values.yaml", valuesFile(values))
	schema, err := w.schemaFile(values)
	if err != nil {
		return nil, err
	}
	w.add("values.schema.json", schema)
	w.add("README.md", w.readme(values))
	w.add("Chart.yaml", w.metadata())
	for i := range c.Clusters {
		w.files = append(w.files, tree.File{Path: ValuesFile(c.Clusters[i].Name), Content: w.clusterValues(&c.Clusters[i])})
	}
	return tree.New(w.files)
}

// writer writes one chart.
type writer struct {
	*Chart
	files      []tree.File
	templates  map[string][]byte
	holes      map[string]*Value
	usedValues map[string]bool // by path
	usedFields map[string]bool
	usedLists  map[string]bool   // by scope
	defines    map[string]define // by name
	usual      map[string]any    // the shape of most clusters
	asked      []map[string]bool // the holes of each shape
}

func (w *writer) add(name string, content []byte) {
	w.files = append(w.files, tree.File{Path: Dir + "/" + name, Content: content})
}

// object is one object of the chart: the body that each shape has for it.
type object struct {
	name     string // the shortest name of its resources
	kind     string
	phase    resource.Phase
	repeated string // the scope for which it is repeated, or ""
	relevant []string
	bodies   []variant
}

// variant is the part of a shape at one place.
type variant struct {
	shape int
	value any
}

// objects collects the objects of all shapes, each with its variants, in the
// order of the names.
func (w *writer) objects() ([]*object, error) {
	byID := map[resource.ID]*object{}
	for i := range w.Shapes {
		for _, r := range w.Shapes[i].Resources {
			if r.Body.IsLiteral() || r.Only != nil {
				return nil, fmt.Errorf("%s %s exists for one cluster only, so the chart for all clusters cannot have it", r.Phase, r.Name)
			}
			id := resource.IDOf(r.Body.Object())
			o := byID[id]
			if o == nil {
				o = &object{name: r.Name, kind: id.Kind, phase: r.Phase, repeated: r.Body.Repeated()}
				byID[id] = o
			}
			if o.phase != r.Phase || o.repeated != r.Body.Repeated() {
				return nil, fmt.Errorf("%s %s: the same object belongs to two phases, or is repeated on some clusters only", r.Phase, r.Name)
			}
			if n := len(o.bodies); n > 0 && o.bodies[n-1].shape == i {
				return nil, fmt.Errorf("%s %s: a cluster would have the same object twice", r.Phase, r.Name)
			}
			if len(r.Name) < len(o.name) {
				o.name = r.Name
			}
			for _, field := range w.Shapes[i].Relevant[r.Name] {
				if !slices.Contains(o.relevant, field) {
					o.relevant = append(o.relevant, field)
				}
			}
			o.bodies = append(o.bodies, variant{i, r.Body.Object()})
		}
	}
	return slices.SortedFunc(maps.Values(byID), func(a, b *object) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(fmt.Sprint(a.bodies[0].value), fmt.Sprint(b.bodies[0].value))
	}), nil
}

func shapesOf(vs []variant) []int {
	shapes := make([]int, len(vs))
	for i, v := range vs {
		shapes[i] = v.shape
	}
	return shapes
}

// groups puts equal variants together, in the order of their first appearance.
func groups(vs []variant) [][]variant {
	var groups [][]variant
	for _, v := range vs {
		i := slices.IndexFunc(groups, func(g []variant) bool { return reflect.DeepEqual(g[0].value, v.value) })
		if i < 0 {
			groups = append(groups, []variant{v})
		} else {
			groups[i] = append(groups[i], v)
		}
	}
	return groups
}
