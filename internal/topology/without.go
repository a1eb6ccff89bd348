package topology

import (
	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// Without reads a topology that had findings once more: without the values at
// some paths, and with the default in the place of a text that was refused for
// its form. A mistyped key is the one that was meant, as it was before. Where this
// gives no findings, the result is as good as a topology that had none. Its
// positions are the same. It is nil where credentials were taken out, of which
// nobody knows what they were to be.
func (t *Topology) Without(paths [][]any) (*Topology, finding.Findings) {
	if len(t.removed) > 0 {
		return nil, nil
	}
	p := pruner{out: map[*yaml.Node]bool{}, spare: t.spare, guessed: map[finding.Position]bool{}}
	for _, path := range paths {
		if n := t.node(path...); n != nil {
			p.out[n] = true
		}
	}
	var findings finding.Findings
	d := newDecoder(t.file, aTopology, &findings)
	less := d.topology(p.prune(t.file, t.root))
	for _, c := range t.documents {
		d.file = c.file
		c = d.cluster(p.prune(c.file, c.root))
		less.documents = append(less.documents, c)
		less.Spec.Clusters = append(less.Spec.Clusters, c.cluster)
	}
	d.close()
	less.guessed = p.guessed
	less.resolve()
	return less, d.all(findings)
}

// Guessed tells whether the value at a position is a default in the place of one
// that was refused: what follows from it may not be so.
func (t *Topology) Guessed(at finding.Position) bool { return t.guessed[at] }

// pruner copies nodes, but for some.
type pruner struct {
	out     map[*yaml.Node]bool // values of mappings
	spare   map[*yaml.Node]string
	guessed map[finding.Position]bool
}

func (p *pruner) prune(file string, n *yaml.Node) *yaml.Node {
	less := *n
	if value, ok := p.spare[n]; ok {
		p.guessed[position(file, n)] = true
		less.Value = value
		return &less
	}
	less.Content = make([]*yaml.Node, 0, len(n.Content))
	for i, below := range n.Content {
		switch {
		case n.Kind != yaml.MappingNode:
			less.Content = append(less.Content, p.prune(file, below))
		case i%2 == 1 && !p.out[below]:
			value := p.prune(file, below)
			if len(value.Content) > 0 || len(below.Content) == 0 { // else nothing is left of it
				less.Content = append(less.Content, n.Content[i-1], value)
			}
		}
	}
	return &less
}
