package discover

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// node is a key of the topology that is written. It has a value, or keys or items
// below it, and comments.
type node struct {
	key   string
	value any
	below []*node
	items bool     // below are items of a list
	note  string   // where the value was read
	above []string // lines of comment: questions, mostly
}

// child is the node below a node with a key. If the node does not exist, child makes
// it.
func (n *node) child(key string) *node {
	for _, b := range n.below {
		if b.key == key {
			return b
		}
	}
	b := &node{key: key}
	n.below = append(n.below, b)
	return b
}

// at is the node at a path of keys, such as kiali.hub.
func (n *node) at(path string) *node {
	for key := range strings.SplitSeq(path, ".") {
		n = n.child(key)
	}
	return n
}

// put sets a value at a path, with the place where it was read. It ignores an empty
// string.
func (n *node) put(path string, value any, from string) *node {
	b := n.at(path)
	if value == "" {
		return b
	}
	b.value, b.note = value, from
	return b
}

// has tells whether a path has a value or keys.
func (n *node) has(path string) bool {
	for key := range strings.SplitSeq(path, ".") {
		i := slices.IndexFunc(n.below, func(b *node) bool { return b.key == key })
		if i < 0 {
			return false
		}
		n = n.below[i]
	}
	return !n.empty()
}

// paths lists the paths of a node and of all nodes below it that are not in a list.
func (n *node) paths(at []any) [][]any {
	all := [][]any{at}
	for _, b := range n.below {
		all = append(all, b.paths(append(slices.Clone(at), b.key))...)
	}
	return all
}

// drop removes the node at a path.
func (n *node) drop(path string) {
	keys := strings.Split(path, ".")
	for i, key := range keys {
		j := slices.IndexFunc(n.below, func(b *node) bool { return b.key == key })
		if j < 0 {
			return
		}
		if i == len(keys)-1 {
			n.below = slices.Delete(n.below, j, j+1)
			return
		}
		n = n.below[j]
	}
}

// ask puts a question above a node. A command that answers the question is on a line
// alone.
func (n *node) ask(question, command string) {
	n.above = append(n.above, "QUESTION: "+question)
	if command != "" {
		n.above = append(n.above, "  "+command)
	}
}

// empty tells whether a node has neither a value nor anything below it.
func (n *node) empty() bool {
	return n.value == nil && !slices.ContainsFunc(n.below, func(b *node) bool { return !b.empty() })
}

// quiet tells whether a node prints nothing, not even a comment.
func (n *node) quiet() bool {
	return n.value == nil && len(n.above) == 0 && !slices.ContainsFunc(n.below, func(b *node) bool { return !b.quiet() })
}

// longest is the longest line that may have a comment after its value.
const longest = 100

// printer writes nodes as YAML.
type printer struct {
	bytes.Buffer
	order map[string]int // of the fields of a topology, by their paths
}

func newPrinter() *printer {
	p := &printer{order: map[string]int{}}
	for i, f := range topology.Fields() {
		p.order[f.Path] = i
	}
	return p
}

// comment prints lines of comment. It wraps long lines that are no command.
func (p *printer) comment(indent int, lines ...string) {
	at := strings.Repeat(" ", indent) + "#"
	for _, line := range lines {
		if strings.HasPrefix(line, " ") {
			p.WriteString(at + " " + finding.Visible(line) + "\n")
			continue
		}
		text := at
		for word := range strings.FieldsSeq(finding.Visible(line)) {
			if len(text) > len(at) && len(text)+1+len(word) > longest {
				p.WriteString(text + "\n")
				text = at
			}
			text += " " + word
		}
		p.WriteString(text + "\n")
	}
}

// nodes prints the keys below a node, in the order of the types of a topology.
func (p *printer) nodes(nodes []*node, path string, indent int) {
	sorted := slices.Clone(nodes)
	slices.SortStableFunc(sorted, func(a, b *node) int { return p.order[join(path, a.key)] - p.order[join(path, b.key)] })
	for _, n := range sorted {
		if !n.quiet() {
			p.node(n, join(path, n.key), indent)
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func (p *printer) node(n *node, path string, indent int) {
	at := strings.Repeat(" ", indent)
	p.comment(indent, n.above...)
	switch {
	case n.items:
		p.WriteString(at + n.key + ":\n")
		for _, item := range n.below {
			p.item(item, path+"[]", indent+2)
		}
	case n.value != nil:
		p.value(n, indent)
	case n.empty():
		// Comments only: they stay where the keys would be, above nothing.
		for _, b := range n.below {
			p.comments(b, indent)
		}
	default:
		if n.note != "" {
			p.comment(indent, n.note)
		}
		p.WriteString(at + n.key + ":\n")
		p.nodes(n.below, path, indent+2)
	}
}

// comments prints the comments of a node without values.
func (p *printer) comments(n *node, indent int) {
	p.comment(indent, n.above...)
	for _, b := range n.below {
		p.comments(b, indent)
	}
}

// item prints an object of a list; its keys begin behind the dash.
func (p *printer) item(n *node, path string, indent int) {
	p.comment(indent, n.above...)
	var q printer
	q.order = p.order
	q.nodes(n.below, path, indent+2)
	text := q.String()
	// The dash is before the first line that is no comment.
	at := 0
	for strings.HasPrefix(strings.TrimLeft(text[at:], " "), "#") {
		at += strings.Index(text[at:], "\n") + 1
	}
	for line := range strings.Lines(text[:at]) {
		p.WriteString(strings.Repeat(" ", indent) + strings.TrimLeft(line, " "))
	}
	p.WriteString(strings.Repeat(" ", indent) + "- " + text[at+indent+2:])
}

// value prints a key with a value, and the place where it was read: after the value
// if there is room, or else above.
func (p *printer) value(n *node, indent int) {
	note := finding.Visible(n.note)
	text := string(resource.Encode(nil, map[string]any{n.key: n.value}))
	if names, ok := n.value.([]string); ok && len(names) > 0 {
		if line := n.key + ": " + flow(names) + "\n"; len(line)+indent <= longest {
			text = line
		}
	}
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	single := len(lines) == 1
	if note != "" && (!single || indent+len(text)+len(note)+3 > longest) {
		p.comment(indent, note)
	}
	for i, line := range lines {
		line = strings.TrimSuffix(line, "\n")
		if line != "" {
			p.WriteString(strings.Repeat(" ", indent) + line)
		}
		if i == 0 && single && note != "" && indent+len(text)+len(note)+3 <= longest {
			p.WriteString(" # " + note)
		}
		p.WriteByte('\n')
	}
}

// flow prints names as a list on one line.
func flow(names []string) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		word := strings.TrimSuffix(string(resource.Encode(nil, name)), "\n")
		if strings.ContainsAny(word, ",[]{}") && !strings.HasPrefix(word, `"`) {
			word = strconv.Quote(name)
		}
		b.WriteString(word)
	}
	return "[" + b.String() + "]"
}
