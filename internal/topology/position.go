package topology

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// At returns the position of the value at a path of keys (string) and list
// indexes (int). If the topology does not set the value, it returns the
// position of the nearest value above it.
func (t *Topology) At(path ...any) finding.Position {
	file, n, path := t.locate(path)
	return position(file, deepest(n, path))
}

// deepest returns the node at a path, or the nearest node above it.
func deepest(n *yaml.Node, path []any) *yaml.Node {
	for _, step := range path {
		below := child(n, step)
		if below == nil {
			break
		}
		n = below
	}
	return n
}

// node returns the node at the path in the topology, or nil if the topology
// does not set it.
func (t *Topology) node(path ...any) *yaml.Node {
	_, n, path := t.locate(path)
	for _, step := range path {
		if n = child(n, step); n == nil {
			return nil
		}
	}
	return n
}

// Readable tells whether the value at a path is known: neither the value nor a
// value above it was refused. A default is readable.
func (t *Topology) Readable(path ...any) bool {
	_, n, path := t.locate(path)
	for _, step := range path {
		if t.refused[n] {
			return false
		}
		below := child(n, step)
		if below == nil {
			return n.Kind == yaml.MappingNode && !slices.ContainsFunc(n.Content, isMerge)
		}
		n = below
	}
	return !t.refused[n]
}

// Text is the scalar at a path as written in the topology, or "" if the
// topology does not set it.
func (t *Topology) Text(path ...any) string {
	if n := t.node(path...); n != nil {
		return n.Value
	}
	return ""
}

// locate returns the node at which a path starts, and the rest of the path. A
// cluster may be in another document.
func (t *Topology) locate(path []any) (file string, n *yaml.Node, rest []any) {
	if len(path) > 2 && path[0] == "spec" && path[1] == "clusters" {
		if i, ok := path[2].(int); ok && i >= t.inline && i-t.inline < len(t.documents) {
			d := t.documents[i-t.inline]
			if len(path) > 3 && path[3] == "name" {
				return d.file, d.root, append([]any{"metadata"}, path[3:]...)
			}
			if len(path) == 3 {
				return d.file, d.root, nil
			}
			return d.file, d.root, append([]any{"spec"}, path[3:]...)
		}
	}
	return t.file, t.root, path
}

func child(n *yaml.Node, step any) *yaml.Node {
	switch step := step.(type) {
	case int:
		if n.Kind == yaml.SequenceNode && 0 <= step && step < len(n.Content) {
			return n.Content[step]
		}
	case string:
		if n.Kind != yaml.MappingNode {
			return nil
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return n.Content[i+1]
			}
		}
	}
	return nil
}

// Has tells whether the topology itself sets the value at a path. A default
// does not count.
func (t *Topology) Has(path ...any) bool { return t.node(path...) != nil }

// KeyAt returns the position of the key of the value at a path. Like At, it
// uses the nearest value above it that the topology sets. An object begins on
// the line after its key, but a reader looks for the key.
func (t *Topology) KeyAt(path ...any) finding.Position {
	key, ok := path[len(path)-1].(string)
	if !ok || !t.Has(path...) {
		return t.At(path...)
	}
	file, n, rest := t.locate(path)
	for _, step := range rest[:len(rest)-1] {
		n = child(n, step)
	}
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return position(file, n.Content[i])
			}
		}
	}
	return t.At(path...)
}

// Called returns the name of a cluster for messages.
func (t *Topology) Called(i int) string {
	if name := t.Spec.Clusters[i].Name; name != "" {
		return fmt.Sprintf("cluster %q", finding.Shorten(name))
	}
	return fmt.Sprintf("spec.clusters[%d]", i)
}

// Removed tells whether the value at a position was a credential. The
// credential was removed from the topology, so conclusions from the replacement
// mean nothing.
func (t *Topology) Removed(at finding.Position) bool { return t.removed[at] }

// Dotted is a path in the form for messages.
func Dotted(path []any) string {
	var name string
	for _, step := range path {
		if i, ok := step.(int); ok {
			name += fmt.Sprintf("[%d]", i)
		} else {
			name = Join(name, step.(string))
		}
	}
	return name
}
