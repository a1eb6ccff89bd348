package check

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// object is a rendered object and its origin.
type object struct {
	mesh     *mesh
	cluster  int // -1 for a delivery object and on an ACM hub outside the topology
	phase    resource.Phase
	overlaid bool // an overlay changed it
	body     *resource.Body
	also     []int // other clusters with an equal object from the same overlay
	ID       resource.ID
	content  resource.Object
}

// clone copies the object, so that clusters can be added with on.
func (o *object) clone() *object {
	same := *o
	same.also = slices.Clone(o.also)
	return &same
}

// on adds the clusters of another, equal object.
func (o *object) on(other *object) {
	for _, i := range append([]int{other.cluster}, other.also...) {
		if i != o.cluster && !slices.Contains(o.also, i) {
			o.also = append(o.also, i)
		}
	}
}

// String names the object in messages.
func (o *object) String() string {
	if o.ID.Namespace == "" {
		return o.ID.Kind + " " + o.ID.Name
	}
	return o.ID.Kind + " " + o.ID.Namespace + "/" + o.ID.Name
}

// fieldPath is the path to a part of an object: keys (string) and indexes
// (int).
type fieldPath []any

// spec returns the path of a field below spec. The field is written with dots.
func spec(field string) fieldPath {
	path := make(fieldPath, 1, 2+strings.Count(field, "."))
	path[0] = "spec"
	for key := range strings.SplitSeq(field, ".") {
		path = append(path, key)
	}
	return path
}

func (p fieldPath) below(steps ...any) fieldPath { return slices.Concat(p, steps) }

func (p fieldPath) String() string {
	var b strings.Builder
	for i, step := range p {
		switch step := step.(type) {
		case int:
			b.WriteString("[" + strconv.Itoa(step) + "]")
		case string:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(step)
		}
	}
	return b.String()
}

// value returns the value at a path of an object, or nil.
func (o *object) value(path fieldPath) any { return valueAt(o.content, path) }

func valueAt(v any, path fieldPath) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			if v = entryOf(v, step); v == nil {
				return nil
			}
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return nil
			}
			v = list[step]
		}
	}
	return v
}

// entryOf is the value of a key of an object, or nil.
func entryOf(v any, key string) any {
	switch m := v.(type) {
	case map[string]any:
		return m[key]
	case map[string]string:
		if s, ok := m[key]; ok {
			return s
		}
	}
	return nil
}

// field is the value of a field below spec, or nil. The field is written with dots.
func (o *object) field(field string) any {
	v := o.content["spec"]
	for key := range strings.SplitSeq(field, ".") {
		v = entryOf(v, key)
	}
	return v
}

// text is the string of a field below spec, or "".
func (o *object) text(field string) string {
	s, _ := o.field(field).(string)
	return s
}

// is tells whether a field below spec has the boolean value want.
func (o *object) is(field string, want bool) bool {
	b, ok := o.field(field).(bool)
	return ok && b == want
}

func (o *object) has(field string) bool { return o.field(field) != nil }

// number is v as a number, or -1.
func number(v any) int {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
	case string:
		if n, err := strconv.Atoi(v); err == nil {
			return n
		}
	case int:
		return v
	}
	return -1
}

// walk visits every value below v with its path. A path is valid until visit returns.
func walk(v any, path fieldPath, visit func(path fieldPath, v any)) {
	visit(path, v)
	switch v := v.(type) {
	case map[string]any:
		below := append(path, nil) // one for all values: objects have many
		for _, key := range sortedKeys(v) {
			below[len(path)] = key
			walk(v[key], below, visit)
		}
	case map[string]string:
		below := append(path, nil)
		for _, key := range sortedKeys(v) {
			below[len(path)] = key
			visit(below, v[key])
		}
	case []any:
		below := append(path, nil)
		for i, item := range v {
			below[len(path)] = i
			walk(item, below, visit)
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
