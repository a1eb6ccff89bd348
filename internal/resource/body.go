package resource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// A hole is a string that stands for the value at a path, such as
// ⟦cluster.name⟧. The first element of the path is the scope of the value.
const (
	holeOpen  = "⟦"
	holeClose = "⟧"
)

// Hole returns the mark for the value at path.
func Hole(path string) string { return holeOpen + path + holeClose }

// Values fill the holes of a body: scope -> path within the scope -> value.
// Encode must be able to print a value. If a hole is only a part of a string,
// the value must be a string.
type Values map[string]map[string]any

func (v Values) at(path string) (any, error) {
	scope, rest, _ := strings.Cut(path, ".")
	value, ok := v[scope][rest]
	if !ok {
		return nil, fmt.Errorf("no value for %s", path)
	}
	return value, nil
}

// Body is an object with holes, compiled for filling. The zero value is empty.
// Make a body with NewBody or Literal. A Body never changes and may be shared.
type Body struct {
	object   Object
	text     []byte
	holes    []hole
	paths    []string // of its holes, sorted, each once
	repeats  string   // the scope for which it is repeated, or ""
	overlaid bool     // an overlay changed it
	literal  []byte   // its JSON, which needs a tenth of the memory; then there is no object, and the text has no holes

	id              ID // with marks in the two fields below
	namespace, name []Part
}

// hole is a position in a body's text at which a value is printed: the value of
// parts, or for a merge, of merge.
type hole struct {
	at     int // offset in the text
	parts  []Part
	merge  map[string]any
	indent int
	in     context
}

type context int

const (
	inMapping context = iota
	inSequence
)

// NewBody compiles an object in which marks made by Hole stand for values. A
// mark may be a whole string or a part of one. A mark in a key is an error,
// because two clusters would then differ in structure. Marks of two scopes for
// which bodies are repeated are an error too.
func NewBody(object Object) (*Body, error) {
	if err := noHoleInKeys(object); err != nil {
		return nil, err
	}
	b := &Body{object: object}
	e := encoder{holes: &b.holes}
	e.document(object)
	b.text = e.dst
	b.paths = slices.Sorted(maps.Keys(holesIn(object, map[string]bool{})))
	for _, scope := range repeating() {
		switch {
		case !b.Uses(scope):
		case b.repeats != "":
			return nil, fmt.Errorf("it would be repeated for each %s and for each %s; a body may be repeated for one", b.repeats, scope)
		default:
			b.repeats = scope
		}
	}
	b.id = IDOf(object)
	b.namespace, b.name = Parts(b.id.Namespace), Parts(b.id.Name)
	return b, nil
}

// Literal makes a body from an object of one cluster that has all its values.
// Anything in it that looks like a mark is text.
func Literal(object Object) (*Body, error) {
	data, err := json.Marshal(object)
	return &Body{overlaid: true, literal: data, text: Encode(nil, object), id: IDOf(object)}, err
}

// Overlaid makes a body from an object with marks that an overlay has changed.
func Overlaid(object Object) (*Body, error) {
	b, err := NewBody(object)
	if err == nil {
		b.overlaid = true
	}
	return b, err
}

// IsOverlaid tells whether an overlay changed the body.
func (b *Body) IsOverlaid() bool { return b.overlaid }

// Shared returns the object with the values of the topology, and with marks for
// all other values. ok is false if there is no such object: a value of a cluster
// is merged into it, or a value of the topology looks like a mark.
func (b *Body) Shared(values Values) (object Object, ok bool) {
	if b.IsLiteral() {
		return nil, false
	}
	marked := Values{ScopeTopology: values[ScopeTopology]}
	for _, path := range b.paths {
		scope, rest, _ := strings.Cut(path, ".")
		if scope == ScopeTopology {
			if HasMark(marked[scope][rest]) {
				return nil, false
			}
			continue
		}
		if marked[scope] == nil {
			marked[scope] = map[string]any{}
		}
		marked[scope][rest] = Hole(path)
	}
	object, err := b.Fill(marked)
	return object, err == nil
}

// HasMark tells whether a value contains anything that looks like a mark.
func HasMark(v any) bool { return strings.Contains(string(Encode(nil, v)), holeOpen) }

// JSON returns a literal as JSON, or nil for another body. It must not be
// changed.
func (b *Body) JSON() []byte { return b.literal }

// IsLiteral tells whether the body already has the values of one cluster, so
// that no other cluster can use it.
func (b *Body) IsLiteral() bool { return b.literal != nil }

func (b *Body) decode() (Object, error) {
	v, err := DecodeJSON(b.literal)
	if err != nil {
		return nil, err
	}
	return v.(map[string]any), nil
}

func holesIn(v any, found map[string]bool) map[string]bool {
	switch v := v.(type) {
	case map[string]any:
		for _, item := range v {
			holesIn(item, found)
		}
	case []any:
		for _, item := range v {
			holesIn(item, found)
		}
	case string:
		for _, p := range Parts(v) {
			if p.Path != "" {
				found[p.Path] = true
			}
		}
	}
	return found
}

func noHoleInKeys(v any) error {
	switch v := v.(type) {
	case map[string]any:
		if ours, _, ok := MergeOf(v); ok {
			return noHoleInKeys(ours)
		}
		for k, item := range v {
			if strings.Contains(k, holeOpen) {
				return fmt.Errorf("the key %q would differ between clusters; a template may place values, not keys", k)
			}
			if err := noHoleInKeys(item); err != nil {
				return err
			}
		}
	case []any:
		for _, item := range v {
			if err := noHoleInKeys(item); err != nil {
				return err
			}
		}
	}
	return nil
}

// Object returns the object with its marks, or nil for a literal. It must not
// be changed.
func (b *Body) Object() Object { return b.object }

// Repeated is the scope for which the body is repeated, or "" if it is one
// object on each cluster.
func (b *Body) Repeated() string { return b.repeats }

// Uses tells whether the body has a hole of the scope.
func (b *Body) Uses(scope string) bool {
	return slices.ContainsFunc(b.paths, func(p string) bool {
		rest, ok := strings.CutPrefix(p, scope)
		return ok && strings.HasPrefix(rest, ".")
	})
}

// Paths returns the paths of the body's holes of a scope, sorted, within the
// scope.
func (b *Body) Paths(scope string) []string {
	var paths []string
	for _, p := range b.paths {
		if rest, ok := strings.CutPrefix(p, scope+"."); ok {
			paths = append(paths, rest)
		}
	}
	return paths
}

// Holes returns the paths of all of the body's holes, sorted. They must not be
// changed.
func (b *Body) Holes() []string { return b.paths }

// Append fills the body and appends it to dst as a YAML document. A hole
// without a value is an error.
func (b *Body) Append(dst []byte, values Values) ([]byte, error) {
	e := encoder{dst: slices.Grow(dst, len(b.text)+64*len(b.holes))}
	from := 0
	for _, h := range b.holes {
		e.dst = append(e.dst, b.text[from:h.at]...)
		from = h.at
		v, err := h.value(values)
		if err != nil {
			return nil, err
		}
		switch h.in {
		case inSequence:
			e.item(v, h.indent)
		default:
			e.after(v, h.indent)
		}
	}
	return append(e.dst, b.text[from:]...), nil
}

// ID is the identity of the object after filling with values.
func (b *Body) ID(values Values) (ID, error) {
	if b.IsLiteral() {
		return b.id, nil
	}
	namespace, err := fill(b.namespace, values)
	if err != nil {
		return ID{}, err
	}
	name, err := fill(b.name, values)
	if err != nil {
		return ID{}, err
	}
	id := b.id
	id.Namespace, _ = namespace.(string)
	id.Name, _ = name.(string)
	return id, nil
}

func (h *hole) value(values Values) (any, error) {
	if h.merge != nil {
		return fillAll(h.merge, values)
	}
	return fill(h.parts, values)
}

// Fill returns the object with these values. To get only its text, Append is
// faster.
func (b *Body) Fill(values Values) (Object, error) {
	if b.IsLiteral() {
		return b.decode()
	}
	v, err := fillAll(b.object, values)
	if err != nil {
		return nil, err
	}
	return v.(map[string]any), nil
}

// fillAll fills all marks below v.
func fillAll(v any, values Values) (any, error) {
	if s, ok := v.(string); ok && !strings.Contains(s, holeOpen) {
		return v, nil
	}
	switch v := v.(type) {
	case map[string]any:
		if ours, theirs, ok := MergeOf(v); ok {
			return fillMerge(ours, theirs, values)
		}
		filled := make(map[string]any, len(v))
		for k, item := range v {
			value, err := fillAll(item, values)
			if err != nil {
				return nil, err
			}
			filled[k] = value
		}
		return filled, nil
	case []any:
		filled := make([]any, len(v))
		for i, item := range v {
			value, err := fillAll(item, values)
			if err != nil {
				return nil, err
			}
			filled[i] = value
		}
		return filled, nil
	case string:
		return fill(Parts(v), values)
	}
	return v, nil
}

func fillMerge(ours map[string]any, theirs string, values Values) (any, error) {
	a, err := fillAll(ours, values)
	if err != nil {
		return nil, err
	}
	b, err := fill(Parts(theirs), values)
	if err != nil {
		return nil, err
	}
	over, ok := normal(b).(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s is merged over a map, so it must be one, not %T", theirs, b)
	}
	return Merge(a.(map[string]any), over), nil
}

// fill returns the value of a string with marks. If the string is one mark, it
// returns the value itself, else the joined parts.
func fill(parts []Part, values Values) (any, error) {
	if len(parts) == 1 {
		if parts[0].Path == "" {
			return parts[0].Literal, nil
		}
		return values.at(parts[0].Path)
	}
	var joined strings.Builder
	for _, p := range parts {
		if p.Path == "" {
			joined.WriteString(p.Literal)
			continue
		}
		v, err := values.at(p.Path)
		if err != nil {
			return nil, err
		}
		s, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("%s is part of a text, so it must be a string, not %T", p.Path, v)
		}
		joined.WriteString(s)
	}
	return joined.String(), nil
}

// record notes a string with marks, or a merge, as a hole, and reports whether
// it did.
func (e *encoder) record(v any, indent int, in context) bool {
	if e.holes == nil {
		return false
	}
	if _, _, ok := MergeOf(v); ok {
		*e.holes = append(*e.holes, hole{at: len(e.dst), merge: v.(map[string]any), indent: indent, in: in})
		return true
	}
	s, ok := v.(string)
	if !ok || !strings.Contains(s, holeOpen) {
		return false
	}
	*e.holes = append(*e.holes, hole{at: len(e.dst), parts: Parts(s), indent: indent, in: in})
	return true
}

// Equal tells whether two bodies are the same object with the same holes.
func (b *Body) Equal(other *Body) bool {
	return bytes.Equal(b.literal, other.literal) && reflect.DeepEqual(b.object, other.object)
}
