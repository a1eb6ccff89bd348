package compare

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Group is a set of changes that read the same. A report has one line for it, and its
// fields.
type Group struct {
	Op         Op
	Kind       string    // "" for clusters that join or leave, with all of their objects
	Changes    []*Change // in the order of Diff.Changes; the first is the example
	Clusters   []string  // of the changes, sorted
	Namespaces []string  // of the objects, sorted
	Names      []string  // of the objects, sorted, with {cluster} in place of the name of their cluster
	Values     int       // the number of different sets of values; 1: all have the values of the example
}

// Fields returns the changed fields, from the first object of the group.
func (g *Group) Fields() []Field { return g.Changes[0].Fields }

// manyValues is the number of different sets of values from which one example
// represents all of them.
const manyValues = 3

// Groups groups the changes that are equal except for the namespace and for the name
// of their cluster. If the same fields change to several values, there is one group
// with an example. All clusters that join are one group with all their objects, and
// all clusters that leave are another group. Each change is in exactly one group.
// Clusters come first, then the groups with the most objects.
func (d *Diff) Groups() []Group {
	g := grouper{buckets: map[like]*bucket{}, values: map[valuesKey]string{}}
	for i := range d.Changes {
		c := &d.Changes[i]
		joins := c.Op == Added && within(d.AddedClusters, c.about())
		leaves := c.Op == Removed && within(d.RemovedClusters, c.about())
		g.add(c, joins || leaves)
	}
	var groups []Group
	for _, k := range g.order {
		groups = append(groups, g.buckets[k].groups()...)
	}
	slices.SortStableFunc(groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(min(len(a.Kind), 1), min(len(b.Kind), 1)), cmp.Compare(len(b.Changes), len(a.Changes)),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Op, b.Op))
	})
	return groups
}

func within(sorted []string, name string) bool {
	_, found := slices.BinarySearch(sorted, name)
	return found
}

// like is the part that all changes of a bucket share.
type like struct {
	op         Op
	kind       string
	apiVersion string
	delivery   bool
	name       string // of a changed object
	paths      string // the changed ones
}

// bucket has changes that differ only in values, or, for added and removed objects,
// only in names.
type bucket struct {
	like  like
	order []string
	same  map[string][]*Change // by their values, or names
}

type valuesKey struct {
	first   *Field
	cluster string
}

type grouper struct {
	order   []like
	buckets map[like]*bucket
	values  map[valuesKey]string
}

func (g *grouper) add(c *Change, whole bool) {
	k := like{op: c.Op}
	differs := ""
	switch {
	case whole:
	case c.Op == Changed:
		k = like{c.Op, c.ID.Kind, c.ID.APIVersion, c.Cluster == "", generic(c.ID.Name, c.about()), g.pathsOf(c)}
		differs = g.valuesOf(c)
	default:
		k = like{op: c.Op, kind: c.ID.Kind, apiVersion: c.ID.APIVersion, delivery: c.Cluster == ""}
		differs = generic(c.ID.Name, c.about())
	}
	b, ok := g.buckets[k]
	if !ok {
		b = &bucket{like: k, same: map[string][]*Change{}}
		g.buckets[k] = b
		g.order = append(g.order, k)
	}
	if _, ok := b.same[differs]; !ok {
		b.order = append(b.order, differs)
	}
	b.same[differs] = append(b.same[differs], c)
}

func (b *bucket) groups() []Group {
	var groups []Group
	if len(b.order) >= manyValues {
		var all []*Change
		for _, k := range b.order {
			all = append(all, b.same[k]...)
		}
		values := len(b.order)
		if b.like.op != Changed {
			values = 1
		}
		return []Group{b.group(all, values)}
	}
	for _, k := range b.order {
		groups = append(groups, b.group(b.same[k], 1))
	}
	return groups
}

func (b *bucket) group(changes []*Change, values int) Group {
	clusters, namespaces, names := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, c := range changes {
		if c.about() != "" {
			clusters[c.about()] = true
		}
		if c.ID.Namespace != "" {
			namespaces[c.ID.Namespace] = true
		}
		names[generic(c.ID.Name, c.about())] = true
	}
	return Group{
		Op: b.like.op, Kind: b.like.kind, Changes: changes, Values: values,
		Clusters: slices.Sorted(maps.Keys(clusters)), Namespaces: slices.Sorted(maps.Keys(namespaces)), Names: slices.Sorted(maps.Keys(names)),
	}
}

// memo calls text once for all changes of one cluster with the same fields.
func (g *grouper) memo(c *Change, cluster string, text func() string) string {
	k := valuesKey{&c.Fields[0], cluster}
	v, ok := g.values[k]
	if !ok {
		v = text()
		g.values[k] = v
	}
	return v
}

// pathsOf joins the paths of the changed fields.
func (g *grouper) pathsOf(c *Change) string {
	return g.memo(c, "\x00"+c.about(), func() string {
		var b strings.Builder
		for _, f := range c.Fields {
			b.WriteByte(byte(f.Op))
			b.WriteString(generic(f.Path.String(), c.about()))
			b.WriteByte(0)
		}
		return b.String()
	})
}

// valuesOf joins the values of the changed fields.
func (g *grouper) valuesOf(c *Change) string {
	return g.memo(c, c.about(), func() string {
		var b strings.Builder
		for _, f := range c.Fields {
			for _, v := range []any{f.Old, f.New} {
				text, err := json.Marshal(v)
				if err != nil {
					text = []byte(err.Error()) // an object has only values of JSON
				}
				b.WriteString(generic(string(text), c.about()))
				b.WriteByte(0)
			}
			b.WriteString(strconv.Itoa(f.At))
		}
		return b.String()
	})
}

// Placeholder replaces the name of an object's cluster.
const Placeholder = "{cluster}"

// generic replaces the name of the cluster with the placeholder if it is a whole word
// of the text.
func generic(text, cluster string) string {
	if cluster == "" || !strings.Contains(text, cluster) {
		return text
	}
	var b strings.Builder
	from := 0
	for at := 0; ; {
		i := strings.Index(text[at:], cluster)
		if i < 0 {
			b.WriteString(text[from:])
			return b.String()
		}
		start, end := at+i, at+i+len(cluster)
		if start > 0 && isWord(text[start-1]) || end < len(text) && isWord(text[end]) {
			at = start + 1
			continue
		}
		b.WriteString(text[from:start])
		b.WriteString(Placeholder)
		from, at = end, end
	}
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}
