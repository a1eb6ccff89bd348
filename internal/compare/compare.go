// Package compare finds the differences between two sets of Kubernetes objects. It
// groups equal differences of many clusters and namespaces.
//
// [Objects] compares two objects, field by field. [Fleets] compares what is on
// the clusters of a topology, before and after a change. Both are pure: the
// same input gives the same result, in the same order.
package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// Op is the way in which an object or a field changes.
type Op byte

// The kinds of change. Moved is for lists only.
const (
	Added   Op = '+'
	Removed Op = '-'
	Changed Op = '~'
	Moved   Op = '>'
)

// String returns the change as a lower-case word.
func (o Op) String() string {
	switch o {
	case Added:
		return "added"
	case Removed:
		return "removed"
	case Changed:
		return "changed"
	case Moved:
		return "moved"
	}
	return fmt.Sprintf("Op(%d)", byte(o))
}

// Content is an object without its namespace. Objects of several namespaces and
// clusters may share it, so do not change it.
type Content struct{ Object resource.Object }

// NewContent returns the content of an object. Numbers must be json.Number, as in the
// results of resource.DecodeJSON.
func NewContent(object resource.Object) *Content {
	metadata, _ := object["metadata"].(map[string]any)
	if _, ok := metadata["namespace"]; !ok {
		return &Content{object}
	}
	object, metadata = maps.Clone(object), maps.Clone(metadata)
	delete(metadata, "namespace")
	object["metadata"] = metadata
	return &Content{object}
}

// Object is one object on a cluster.
type Object struct {
	ID      resource.ID
	Content *Content
	For     string // of an object of the delivery, the cluster that it is for, if it is for one
}

// Cluster is the set of objects on one cluster.
type Cluster struct {
	Name    string
	Objects []Object
}

// Fleet is the set of objects on the clusters of a topology. Delivery has the
// delivery objects. It is not a cluster.
type Fleet struct {
	Clusters []Cluster
	Delivery []Object
}

// Change is one object that differs.
type Change struct {
	Cluster string      // "" for an object of the delivery
	For     string      // the cluster that an object of the delivery is for, if it is for one
	ID      resource.ID // as it is now, or was if it is removed
	Op      Op
	Fields  []Field // of a changed object
	Old     *Content
	New     *Content
}

// Diff is the set of differences between two fleets.
type Diff struct {
	Changes         []Change // sorted by cluster, then by kind, namespace and name
	AddedClusters   []string // sorted; their objects are in Changes as well
	RemovedClusters []string
}

// Empty tells whether there is no difference.
func (d *Diff) Empty() bool {
	return len(d.Changes)+len(d.AddedClusters)+len(d.RemovedClusters) == 0
}

// Touched returns the names of the clusters with differences, sorted.
func (d *Diff) Touched() []string {
	names := map[string]bool{}
	for _, c := range d.Changes {
		if c.Cluster != "" {
			names[c.Cluster] = true
		}
	}
	for _, name := range slices.Concat(d.AddedClusters, d.RemovedClusters) {
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// Count returns the number of objects on clusters that change in one way.
func (d *Diff) Count(op Op) int {
	n := 0
	for i := range d.Changes {
		if d.Changes[i].Op == op && d.Changes[i].Cluster != "" {
			n++
		}
	}
	return n
}

// Fleets compares two fleets. Two objects are the same object if they have the same
// kind, API group, namespace and name; their API versions may differ. It returns an
// error if a cluster has the same object twice.
func Fleets(old, new Fleet) (*Diff, error) {
	return (&differ{fields: map[pair][]Field{}, compare: Objects}).fleets(old, new)
}

// Live compares the objects on clusters with the objects that would be applied; see
// Applied. It returns the same error as Fleets.
func Live(live, rendered Fleet) (*Diff, error) {
	return (&differ{fields: map[pair][]Field{}, compare: Applied}).fleets(live, rendered)
}

func (d *differ) fleets(old, new Fleet) (*Diff, error) {
	before, err := byName(old.Clusters)
	if err != nil {
		return nil, err
	}
	after, err := byName(new.Clusters)
	if err != nil {
		return nil, err
	}
	if err := d.cluster("", old.Delivery, new.Delivery); err != nil {
		return nil, err
	}
	all := maps.Clone(before)
	maps.Copy(all, after)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		was, wasThere := before[name]
		is, isThere := after[name]
		switch {
		case !wasThere:
			d.diff.AddedClusters = append(d.diff.AddedClusters, name)
		case !isThere:
			d.diff.RemovedClusters = append(d.diff.RemovedClusters, name)
		}
		if err := d.cluster(name, was, is); err != nil {
			return nil, err
		}
	}
	return &d.diff, nil
}

func byName(clusters []Cluster) (map[string][]Object, error) {
	named := make(map[string][]Object, len(clusters))
	for _, c := range clusters {
		if _, ok := named[c.Name]; ok {
			return nil, fmt.Errorf("cluster %q is there twice", c.Name)
		}
		named[c.Name] = c.Objects
	}
	return named, nil
}

// differ compares each pair of contents only once.
type differ struct {
	diff    Diff
	fields  map[pair][]Field
	compare func(old, new resource.Object) []Field
}

type pair struct{ old, new *Content }

// key identifies an object.
type key struct{ kind, group, namespace, name string }

func keyOf(id resource.ID) key {
	group, _, grouped := strings.Cut(id.APIVersion, "/")
	if !grouped {
		group = ""
	}
	return key{id.Kind, group, id.Namespace, id.Name}
}

func (k key) compare(other key) int {
	return slices.Compare([]string{k.kind, k.group, k.namespace, k.name}, []string{other.kind, other.group, other.namespace, other.name})
}

// about is the cluster of a change.
func (c *Change) about() string {
	if c.For != "" {
		return c.For
	}
	return c.Cluster
}

func (d *differ) cluster(name string, old, new []Object) error {
	before, err := byKey(name, old)
	if err != nil {
		return err
	}
	after, err := byKey(name, new)
	if err != nil {
		return err
	}
	first := len(d.diff.Changes)
	add := func(c Change) {
		c.Cluster = name
		d.diff.Changes = append(d.diff.Changes, c)
	}
	for k, was := range before {
		is, there := after[k]
		if !there {
			add(Change{For: was.For, ID: was.ID, Op: Removed, Old: was.Content})
		} else if fields := d.differing(was.Content, is.Content); len(fields) > 0 {
			add(Change{For: is.For, ID: is.ID, Op: Changed, Fields: fields, Old: was.Content, New: is.Content})
		}
	}
	for k, is := range after {
		if _, there := before[k]; !there {
			add(Change{For: is.For, ID: is.ID, Op: Added, New: is.Content})
		}
	}
	slices.SortFunc(d.diff.Changes[first:], func(a, b Change) int { return keyOf(a.ID).compare(keyOf(b.ID)) })
	return nil
}

func byKey(cluster string, objects []Object) (map[key]Object, error) {
	keyed := make(map[key]Object, len(objects))
	for _, o := range objects {
		k := keyOf(o.ID)
		if _, ok := keyed[k]; ok {
			return nil, fmt.Errorf("cluster %q: %s is there twice", cluster, o.ID)
		}
		keyed[k] = o
	}
	return keyed, nil
}

func (d *differ) differing(old, new *Content) []Field {
	if old == new {
		return nil
	}
	p := pair{old, new}
	fields, known := d.fields[p]
	if !known {
		fields = d.compare(old.Object, new.Object)
		d.fields[p] = fields
	}
	return fields
}
