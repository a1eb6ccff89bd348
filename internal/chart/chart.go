// Package chart writes the clusters of one topology as a Helm chart, and each
// cluster as the values that make the chart its own.
//
// The templates are the bodies of the clusters' shapes with each hole printed
// as an expression. An object stands in them once: where shapes differ about
// it, there is an `if` on the fields of shape that tell them apart. So the
// chart grows with shapes and never with clusters.
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

// Chart is what a chart is made of.
type Chart struct {
	Name     string  // that of the topology
	Version  string  // of the Kiali server, "" if it is the operator's choice
	Values   []Value // that a body may have a hole for
	Lists    []List  // that a body may be repeated for
	Fields   []Field // of the shapes
	Shapes   []Shape // all of the clusters'
	Clusters []Cluster
}

// Value is a value of the chart.
type Value struct {
	Path     string // in the chart's values, such as kiali.spec
	Hole     string // the path of the hole that it fills, beginning with the scope
	Doc      string
	Default  any  // of all clusters that say nothing else
	Required bool // of every cluster, because there can be no default
}

// List is a value of the chart that templates range over: the items of a scope.
// Where these have nothing but a name, they are texts.
type List struct {
	Scope   string
	Path    string // in the chart's values
	Doc     string
	Default []string      // names, of a cluster that says nothing else
	Items   resource.Item // what an item has, each value an empty one; nil if it is a text
}

// initial is the list that the chart has by default.
func (l *List) initial() any {
	if l.Items == nil {
		return append([]string{}, l.Default...)
	}
	return []any{}
}

// value is the list as a value of the chart.
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

// Shape is a shape of clusters, and what the clusters of that shape are made
// of.
type Shape struct {
	Fields    map[string]any
	Resources []resource.Resource
	// Relevant are the fields that the resources of a name depend on, which
	// say best why there are some.
	Relevant map[string][]string
}

// Cluster is one cluster: the index of its shape, its own values by the path of
// the hole, and the items that it has.
type Cluster struct {
	Name   string
	Shape  int
	Values map[string]any
	Lists  map[string][]resource.Item // by their scope
}

// Dir is the folder of the chart in the tree.
const Dir = "chart"

// ValuesFile is where the values of a cluster are in the tree.
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
	usual      map[string]any    // the shape that most clusters have
	asked      []map[string]bool // the holes that each shape has
}

func (w *writer) add(name string, content []byte) {
	w.files = append(w.files, tree.File{Path: Dir + "/" + name, Content: content})
}

// object is one object of the chart: the body that each shape has for it.
type object struct {
	name     string // the shortest of the names of its resources
	kind     string
	phase    resource.Phase
	repeated string // the scope that it is repeated for, or ""
	relevant []string
	bodies   []variant
}

// variant is what a shape has somewhere.
type variant struct {
	shape int
	value any
}

// objects gathers what the shapes say about the same object, in the order of
// the names.
func (w *writer) objects() ([]*object, error) {
	byID := map[resource.ID]*object{}
	for i := range w.Shapes {
		for _, r := range w.Shapes[i].Resources {
			if r.Body.IsLiteral() || r.Only != nil {
				return nil, fmt.Errorf("%s %s is made for one cluster, so a chart for all of them cannot have it", r.Phase, r.Name)
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

// groups puts equal variants together, in the order of the first of each.
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
