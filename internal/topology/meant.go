package topology

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// Limits of a guess: rounds of reading (each can have new gaps), and nodes that come
// from aliases.
const (
	mostRounds  = 5
	mostAliased = 1 << 16
)

// Meanings lists topologies that the author of a topology with findings may have
// meant. Each one replaces unreadable values with other possible values, and leaves
// out what does not belong there. So a finding that all of them share holds whatever
// was meant. Each one reads without findings and keeps the original positions. Never
// write or render any of them. The list is empty if nobody can guess (for example if
// the clusters are not a list), or if there would be more than number.
func (t *Topology) Meanings(number int) []*Topology {
	var all []*Topology
	for n, most := 0, 1; n < most; n++ {
		m := t
		for round := 0; m != nil; round++ {
			p := newPruner(m, n)
			less, findings := m.again(p)
			if most = max(most, p.most); most > number {
				return nil
			}
			if len(findings) == 0 && less.hubKnown() {
				all = append(all, less)
				break
			}
			if m = less; p.aliased > mostAliased || round == mostRounds {
				m = nil
			}
		}
	}
	return all
}

// Without returns the topology without the values at some positions, or nil if
// the rest cannot be read.
func (t *Topology) Without(at []finding.Position) *Topology {
	p := newPruner(t, 0)
	for _, pos := range at {
		p.at[pos] = true
	}
	less, findings := t.again(p)
	if len(findings) > 0 || !less.hubKnown() {
		return nil
	}
	return less
}

// hubKnown tells whether the hub is a cluster of the topology. If not, it makes
// the hub a gap.
func (t *Topology) hubKnown() bool {
	if t.Spec.Kiali.Hub == "" || t.Hub() != nil {
		return true
	}
	if n := t.node("spec", "kiali", "hub"); n != nil {
		t.gaps[n] = hubGap()
	}
	return false
}

// Lack makes [Topology.Meanings] fill in a string that the topology lacks.
func (t *Topology) Lack(path ...any) {
	_, n, rest := t.locate(path)
	var missing []string
	for _, step := range rest {
		if below := child(n, step); below != nil && len(missing) == 0 {
			n = below
		} else {
			missing = append(missing, step.(string))
		}
	}
	if f, ok := fieldAt(reflect.TypeFor[Topology](), path); ok && len(missing) > 0 && n.Kind == yaml.MappingNode {
		t.lacks[n] = append(t.lacks[n], lack{missing[0], missing[1:], gap{f, f.Type}})
	}
}

// fieldAt is the field at a path below a type.
func fieldAt(t reflect.Type, path []any) (f reflect.StructField, ok bool) {
	for _, step := range path {
		if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		key, isKey := step.(string)
		if !isKey {
			continue // the entry of a list
		}
		if t.Kind() != reflect.Struct {
			return f, false
		}
		fields := fieldsOf(t)
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == key })
		if i < 0 {
			return f, false
		}
		f, t = fields[i].StructField, fields[i].Type
	}
	return f, true
}

// again reads the topology that a pruner returns.
func (t *Topology) again(p *pruner) (*Topology, finding.Findings) {
	var findings finding.Findings
	d := newDecoder(t.file, aTopology, &findings)
	root := p.prune(t.file, t.root)
	roots := make([]*yaml.Node, len(t.documents))
	for i, c := range t.documents {
		roots[i] = p.prune(c.file, c.root)
	}
	for _, m := range p.moved {
		put(root, strings.FieldsFunc(m.home, func(r rune) bool { return r == '.' }), m.key, m.value)
	}
	p.rename(root)
	less := d.topology(root)
	for i, c := range t.documents {
		d.file = c.file
		doc := d.cluster(roots[i])
		less.documents = append(less.documents, doc)
		less.Spec.Clusters = append(less.Spec.Clusters, doc.cluster)
	}
	d.close()
	less.guessed, less.removed = p.guessed, t.removed
	less.resolve()
	return less, findings
}

// Guessed tells whether the value at a position replaces one that could not be
// read. A finding about it may be wrong.
func (t *Topology) Guessed(at finding.Position) bool { return t.guessed[at] }

// pruner copies the nodes of a topology and replaces unreadable values with
// guesses.
type pruner struct {
	*repairs
	n       int // the number of the meaning
	most    int // the most alternatives that a gap has
	depth   int
	aliases int // around a node
	aliased int // nodes below aliases

	clusters []string
	renamed  map[string]string
	at       map[finding.Position]bool // values to leave out
	removed  map[finding.Position]bool
	guessed  map[finding.Position]bool
	moved    []move
}

// move is a key with its value that moves from a wrong place to its home.
type move struct {
	home       string
	key, value *yaml.Node
}

func newPruner(t *Topology, n int) *pruner {
	p := &pruner{repairs: t.repairs, n: n, most: 1, at: map[finding.Position]bool{}, renamed: map[string]string{}, removed: t.removed,
		guessed: map[finding.Position]bool{}}
	for pos := range t.guessed {
		p.guessed[pos] = true
	}
	for i := range t.Spec.Clusters {
		if name := t.Spec.Clusters[i].Name; name != "" {
			p.clusters = append(p.clusters, name)
		}
	}
	return p
}

// choose returns the alternative for this meaning.
func (p *pruner) choose(all []*yaml.Node) *yaml.Node {
	p.most = max(p.most, len(all))
	if len(all) == 0 {
		return none
	}
	return all[p.n%len(all)]
}

// filled is the value that fills a gap in this meaning. n is the value in the file,
// or nil.
func (p *pruner) filled(g gap, n, at *yaml.Node) *yaml.Node {
	value := p.choose(g.alternatives(n, at.Line*1000+at.Column, p.clusters))
	if value == none {
		return none
	}
	value.Line, value.Column = at.Line, at.Column
	if n != nil && g.isName() && n.Value != "" {
		p.renamed[n.Value] = value.Value
	}
	return value
}

// value returns a copy of a value, another value, or none.
func (p *pruner) value(file string, n *yaml.Node) *yaml.Node {
	at := position(file, n)
	switch g, gap := p.gaps[n]; {
	case p.at[at]:
		return none
	case n.Kind == yaml.AliasNode && n.Alias != nil:
		p.aliases++
		defer func() { p.aliases-- }()
		return p.prune(file, n.Alias)
	case gap || p.refused[n]:
		p.guessed[at] = true
		return p.filled(g, n, n)
	case p.removed[at]:
		p.guessed[at] = true
		return p.choose([]*yaml.Node{n, none})
	}
	return p.prune(file, n)
}

func (p *pruner) prune(file string, n *yaml.Node) *yaml.Node {
	less := *n
	less.Anchor, less.Content = "", nil
	if p.aliases > 0 {
		p.aliased++
	}
	if p.depth > 2*MaxNesting { // an alias may contain itself
		p.aliased = mostAliased + 1
	}
	if p.aliased > mostAliased {
		return &less
	}
	p.depth++
	defer func() { p.depth-- }()
	for i, below := range n.Content {
		switch {
		case n.Kind == yaml.MappingNode && i%2 == 1:
			p.pair(file, &less, n.Content[i-1], below)
		case n.Kind != yaml.MappingNode && !p.dropped[below]:
			if value := p.value(file, below); value != none {
				less.Content = append(less.Content, value)
			}
		}
	}
	for i := 1; i < len(n.Content); i += 2 {
		if n.Kind == yaml.MappingNode && isMerge(n.Content[i-1]) {
			p.merge(file, &less, n.Content[i])
		}
	}
	for _, l := range p.lacks[n] {
		if value := p.filled(l.gap, nil, n); value != none && child(&less, l.key) == nil {
			for _, key := range slices.Backward(l.path) {
				value = &yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column, Content: []*yaml.Node{keyNode(key, n), value}}
			}
			less.Content = append(less.Content, keyNode(l.key, n), value)
		}
	}
	return &less
}

func keyNode(key string, at *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key, Line: at.Line, Column: at.Column}
}

// pair copies a key and its value.
func (p *pruner) pair(file string, to, key, value *yaml.Node) {
	switch {
	case isMerge(key), p.refused[key], p.removed[position(file, key)]:
		return
	case p.dropped[key]:
		homes := p.homes[key]
		p.most = max(p.most, len(homes)+1)
		if i := p.n % (len(homes) + 1); i < len(homes) {
			moved := keyNode(cmp.Or(p.names[key], key.Value), key)
			p.moved = append(p.moved, move{homes[i], moved, p.prune(file, value)})
		}
		return
	case p.first[key] && p.choose([]*yaml.Node{key, none}) == none, p.second[key] && p.choose([]*yaml.Node{none, key}) == none:
		return
	}
	if less := p.value(file, value); less != none {
		to.Content = append(to.Content, key, less)
	}
}

// merge adds the keys from a merge key that the object lacks.
func (p *pruner) merge(file string, to, from *yaml.Node) {
	switch {
	case from.Kind == yaml.AliasNode && from.Alias != nil:
		p.aliases++
		p.merge(file, to, from.Alias)
		p.aliases--
	case from.Kind == yaml.SequenceNode:
		for _, below := range from.Content {
			p.merge(file, to, below)
		}
	case from.Kind == yaml.MappingNode:
		for i := 1; i < len(from.Content); i += 2 {
			if key := from.Content[i-1]; child(to, key.Value) == nil {
				p.pair(file, to, key, from.Content[i])
			}
		}
	}
}

// put places a value below a path, in every entry of a list. It does not replace
// an existing value.
func put(to *yaml.Node, path []string, key, value *yaml.Node) {
	if to.Kind == yaml.SequenceNode {
		for _, entry := range to.Content {
			put(entry, path, key, value)
		}
		return
	}
	if to.Kind != yaml.MappingNode {
		return
	}
	if len(path) == 0 {
		if child(to, key.Value) == nil {
			to.Content = append(to.Content, key, value)
		}
		return
	}
	step, isList := strings.CutSuffix(path[0], "[]")
	below := child(to, step)
	if below == nil && !isList {
		below = &yaml.Node{Kind: yaml.MappingNode, Line: key.Line, Column: key.Column}
		to.Content = append(to.Content, keyNode(step, key), below)
	}
	if below != nil {
		put(below, path[1:], key, value)
	}
}

// rename replaces the name of a cluster everywhere with the name that was guessed
// for it.
func (p *pruner) rename(n *yaml.Node) {
	if name, ok := p.renamed[n.Value]; ok && n.Kind == yaml.ScalarNode {
		n.Value = name
	}
	if len(p.renamed) > 0 {
		for _, below := range n.Content {
			p.rename(below)
		}
	}
}
