package topology

import "go.yaml.in/yaml/v3"

// Has tells whether the topology itself gives a value at a path, rather than
// leaving it to its default.
func (t *Topology) Has(path ...any) bool { return t.node(path...) != nil }

// KeyAt gives the position of the key that leads to the value at a path, or,
// like At, of the nearest value above it that the topology gives. A mapping
// begins on the line after its key, which is not where somebody looks for it.
func (t *Topology) KeyAt(path ...any) Position {
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

// SeenFrom is the position as a message at another one names it: without the
// file where that is the same.
func (p Position) SeenFrom(other Position) string { return p.seenFrom(other) }

// Nearest returns the known word that a mistyped one most likely means, or "".
func Nearest(word string, known []string) string { return nearest(word, known) }

// Shorten keeps a value from flooding a message.
func Shorten(s string) string { return shorten(s) }

// Called names a cluster in messages.
func (t *Topology) Called(i int) string { return t.called(i) }
