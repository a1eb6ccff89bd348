package compare

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// Field is one difference between two objects.
type Field struct {
	Path Path
	Op   Op
	// At is the index of an added or removed item in its list, to which Path leads.
	// Otherwise it is -1.
	At       int
	Old, New any // nil if there is none; for a list that is Moved, the keys of its items in order
	// Lost is set by Applied: the cluster has the field, the applied object does not,
	// and the field is removed.
	Lost bool
}

// Path is the path to a part of an object.
type Path []Step

// Step is a key of an object, or an item of a list: by the field that identifies it,
// or else by its index.
type Step struct {
	Key   string
	List  bool
	Index int    // if By is ""
	By    string // the field that identifies the items of the list, or two fields separated by a comma
	Value string // its value, or two values separated by a space
}

// String returns the path in the form spec.ports[0].name. It writes [name=http] for
// an item that has a name, and [a.b] for a key with a dot.
func (p Path) String() string {
	var b strings.Builder
	for _, s := range p {
		switch {
		case s.List && s.By != "":
			first, second, two := strings.Cut(s.By, ",")
			if value, other, _ := strings.Cut(s.Value, " "); two {
				b.WriteString("[" + first + "=" + value + "," + second + "=" + other + "]")
			} else {
				b.WriteString("[" + s.By + "=" + s.Value + "]")
			}
		case s.List:
			b.WriteString("[" + strconv.Itoa(s.Index) + "]")
		case strings.ContainsAny(s.Key, ".[]=/"):
			b.WriteString("[" + s.Key + "]")
		case b.Len() > 0:
			b.WriteString("." + s.Key)
		default:
			b.WriteString(s.Key)
		}
	}
	return b.String()
}

func (p Path) below(s Step) Path { return append(slices.Clip(p), s) }

// Objects returns the differences between two objects, in the order in which they are
// printed. It returns nothing if they are equal. Items of a list that have a name, or
// another field with unique values, are compared by it. Unique strings in a list are
// compared the same way. All other items are compared by position. Numbers are equal
// if their values are equal.
func Objects(old, new resource.Object) []Field {
	c := comparer{goes: func(Path) bool { return true }}
	c.values(nil, old, new, false)
	return c.fields
}

// comparer collects the fields that differ between two objects.
type comparer struct {
	fields []Field
	goes   func(Path) bool // whether a key that only the old object has is a difference
	lost   bool            // whether such a key is lost
}

func (c *comparer) removed(f Field) {
	f.Op, f.Lost = Removed, c.lost
	c.fields = append(c.fields, f)
}

// values compares two values. inList tells whether they are in a list, which is
// applied as a whole.
func (c *comparer) values(path Path, old, new any, inList bool) {
	switch a := old.(type) {
	case map[string]any:
		if b, ok := new.(map[string]any); ok {
			c.objects(path, a, b, inList)
			return
		}
	case []any:
		if b, ok := new.([]any); ok {
			c.lists(path, a, b)
			return
		}
	}
	if !equal(old, new) {
		c.fields = append(c.fields, Field{Path: path, Op: Changed, At: -1, Old: old, New: new})
	}
}

func (c *comparer) objects(path Path, old, new map[string]any, inList bool) {
	all := maps.Clone(old)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, new)
	keys := slices.Collect(maps.Keys(all))
	resource.SortKeys(keys)
	for _, k := range keys {
		was, wasThere := old[k]
		is, isThere := new[k]
		switch at := path.below(Step{Key: k}); {
		case wasThere && isThere:
			c.values(at, was, is, inList)
		case isThere:
			if !c.lost || !empty(is) { // an API server may drop empty values
				c.fields = append(c.fields, Field{Path: at, Op: Added, At: -1, New: is})
			}
		case inList || c.goes(at):
			c.removed(Field{Path: at, At: -1, Old: was})
		}
	}
}

func empty(v any) bool {
	m, isMap := v.(map[string]any)
	list, isList := v.([]any)
	return isMap && len(m) == 0 || isList && len(list) == 0
}

// self identifies strings in a list.
const self = "="

// keyFields are the fields that identify items of a list, the best first. The
// destinations of Argo CD's projects have two.
var keyFields = []string{self, "name", "cluster", "containerPort", "key", "kind", "server,namespace", "name,namespace"}

func (c *comparer) lists(path Path, old, new []any) {
	for _, by := range keyFields {
		was, ok := keysOf(old, by)
		if !ok {
			continue
		}
		if is, ok := keysOf(new, by); ok {
			if by == self && inPlace(was, is) {
				break
			}
			c.keyed(path, by, old, new, was, is)
			return
		}
	}
	c.positions(path, old, new)
}

// inPlace tells whether strings only replace other strings.
func inPlace(was, is []string) bool {
	if len(was) != len(is) {
		return false
	}
	for i := range was {
		if was[i] != is[i] && (slices.Contains(is, was[i]) || slices.Contains(was, is[i])) {
			return false
		}
	}
	return true
}

// keysOf returns the keys that identify the items. ok is false if the field does not
// identify them.
func keysOf(list []any, by string) (keys []string, ok bool) {
	seen := make(map[string]bool, len(list))
	for _, item := range list {
		v := item
		if by != self {
			m, _ := item.(map[string]any)
			first, second, two := strings.Cut(by, ",")
			if v = m[first]; two {
				value, ok := v.(string)
				other, is := m[second].(string)
				if !ok || !is {
					return nil, false
				}
				v = value + " " + other
			}
		}
		var k string
		switch v := v.(type) {
		case string:
			k = v
		case json.Number:
			if by == self {
				return nil, false
			}
			k = v.String()
		default:
			return nil, false
		}
		if seen[k] {
			return nil, false
		}
		seen[k] = true
		keys = append(keys, k)
	}
	return keys, true
}

func (c *comparer) keyed(path Path, by string, old, new []any, was, is []string) {
	step := func(k string, at int) Path {
		if by == self {
			return path.below(Step{List: true, Index: at})
		}
		return path.below(Step{List: true, By: by, Value: k})
	}
	place := make(map[string]int, len(is))
	for j, k := range is {
		place[k] = j
	}
	before := make(map[string]bool, len(was))
	var stay, stayed []any
	for i, k := range was {
		before[k] = true
		j, there := place[k]
		if !there {
			c.removed(Field{Path: step(k, i), At: i, Old: old[i]})
			continue
		}
		stay = append(stay, k)
		if by != self {
			c.values(step(k, i), old[i], new[j], true)
		}
	}
	for j, k := range is {
		if before[k] {
			stayed = append(stayed, k)
		} else {
			c.fields = append(c.fields, Field{Path: step(k, j), Op: Added, At: j, New: new[j]})
		}
	}
	if !slices.Equal(stay, stayed) {
		c.fields = append(c.fields, Field{Path: path, Op: Moved, At: -1, Old: stay, New: stayed})
	}
}

// positions compares the rest of two lists after equal items at both ends are
// removed.
func (c *comparer) positions(path Path, old, new []any) {
	head := 0
	for head < min(len(old), len(new)) && equal(old[head], new[head]) {
		head++
	}
	tail := 0
	for tail < min(len(old), len(new))-head && equal(old[len(old)-1-tail], new[len(new)-1-tail]) {
		tail++
	}
	was, is := old[head:len(old)-tail], new[head:len(new)-tail]
	at := func(i int) Path { return path.below(Step{List: true, Index: head + i}) }
	if len(was) == len(is) {
		for i := range was {
			c.values(at(i), was[i], is[i], true)
		}
		return
	}
	for i := range was {
		c.removed(Field{Path: at(i), At: head + i, Old: was[i]})
	}
	for i := range is {
		c.fields = append(c.fields, Field{Path: at(i), Op: Added, At: head + i, New: is[i]})
	}
}

func equal(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, equal)
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, equal)
	case json.Number:
		y, ok := b.(json.Number)
		if !ok || x == y {
			return ok
		}
		f, err := x.Float64()
		g, other := y.Float64()
		return err == nil && other == nil && f == g
	}
	return reflect.DeepEqual(a, b)
}
