package picture

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// Mermaid returns the picture as a Mermaid flowchart. It needs Mermaid 10 or
// later.
func (p *Picture) Mermaid() []byte {
	f := flowchart{Picture: p, classes: map[Grade][]string{}}
	f.out.WriteString(mermaidHeader)
	f.center()
	if len(p.Remotes) < mostBoxes {
		f.networks(p.byNetwork())
	} else {
		f.groups(byPlace(p.Remotes))
	}
	f.links()
	return f.out.Bytes()
}

// Each flowchart starts with mermaidStart: the header, and the node of the users.
const (
	mermaidHeader = "flowchart TB\n"
	usersNode     = "Users"
	mermaidStart  = mermaidHeader + "  users[\"" + usersNode
)

// flowchart writes a picture: first the nodes, then the lines between them, then
// the colours of the nodes.
type flowchart struct {
	*Picture
	out     bytes.Buffer
	lines   []string
	classes map[Grade][]string // ids of nodes
}

func (f *flowchart) node(id string, grade Grade, lines ...string) {
	for i := range lines {
		lines[i] = mermaidText(lines[i])
	}
	fmt.Fprintf(&f.out, "  %s[\"%s\"]\n", id, strings.Join(lines, "<br/>"))
	if grade >= Warning {
		f.classes[grade] = append(f.classes[grade], id)
	}
}

// linked draws the line of a link from the hub.
func (f *flowchart) linked(id string, none bool, label string) {
	line := "-->"
	if none {
		line = "-.-x"
	}
	f.lines = append(f.lines, fmt.Sprintf("hub %s|\"%s\"| %s", line, mermaidText(label), id))
}

// sends draws the lines of metrics and traces to their stores.
func (f *flowchart) sends(id string, series, spans bool) {
	if series && f.Store.By != "" {
		f.lines = append(f.lines, id+" -.-> metrics")
	}
	if spans && f.Traces.Name != "" {
		f.lines = append(f.lines, id+" -.-> traces")
	}
}

// center writes the hub and the nodes around it.
func (f *flowchart) center() {
	f.node("users", Fine, usersNode, f.Login)
	hub := []string{f.Hub.Name, "hub: " + f.Kiali, f.Hub.Platform + ", " + f.Hub.ControlPlane}
	if f.Hub.Network != "" {
		hub = append(hub, "network "+f.Hub.Network)
	}
	f.node("hub", Worst(f.Hub.Notes), append(hub, troubles(f.Hub.Notes)...)...)
	f.node("metrics", Fine, without("Metrics: "+f.Store.Name, f.Store.Place)...)
	if f.Traces.Name != "" {
		f.node("traces", Fine, without("Traces: "+f.Traces.Name, f.Traces.Place)...)
	}
	if f.Delivery != "" {
		f.node("delivery", Fine, "Delivery", f.Delivery)
	}
}

// groups writes a node for each group of remotes.
func (f *flowchart) groups(all []group) {
	for i := range all {
		g := &all[i]
		id := fmt.Sprintf("group%d", i+1)
		text := []string{g.name, counts(len(g.remotes), "remote")}
		worst := Fine
		for _, grade := range []Grade{Error, Warning} {
			if bad := g.troubled(grade); bad > 0 {
				text, worst = append(text, thousands(bad)+" with "+grade.String()+"s"), max(worst, grade)
			}
		}
		f.node(id, worst, text...)
		o := g.port(0)
		f.linked(id, o.none, counts(len(g.remotes)-g.unlinked(), "link"))
		f.sends(id, o.series, o.spans)
	}
}

// networks writes a node for each remote, inside a box for its network.
func (f *flowchart) networks(all []group) {
	n := 0
	for i := range all {
		g := &all[i]
		network := fmt.Sprintf("network%d", i+1)
		fmt.Fprintf(&f.out, "  subgraph %s[\"%s\"]\n", network, mermaidText(g.name))
		first := &g.remotes[0]
		alike := !slices.ContainsFunc(g.remotes, func(c Cluster) bool { return c.Series != first.Series || c.Spans != first.Spans })
		if alike { // one line for all
			f.sends(network, first.Series, first.Spans)
		}
		for j := range g.remotes {
			c := &g.remotes[j]
			n++
			id := fmt.Sprintf("remote%d", n)
			f.out.WriteString("  ")
			text := []string{c.Name, c.Platform + ", " + c.ControlPlane}
			f.node(id, Worst(c.Notes), append(text, troubles(c.Notes)...)...)
			f.linked(id, c.Link.None, c.Link.Text)
			if !alike {
				f.sends(id, c.Series, c.Spans)
			}
		}
		f.out.WriteString("  end\n")
	}
}

// links writes the lines, and the colours of nodes with errors or warnings.
func (f *flowchart) links() {
	f.out.WriteString("  users --> hub\n  hub --> metrics\n")
	if f.Traces.Name != "" {
		f.out.WriteString("  hub --> traces\n")
	}
	if f.Delivery != "" {
		f.out.WriteString("  delivery --> hub\n")
	}
	for _, line := range f.lines {
		f.out.WriteString("  " + line + "\n")
	}
	for _, g := range []Grade{Error, Warning} {
		if len(f.classes[g]) > 0 {
			colour := map[Grade]string{Error: "#cf222e", Warning: "#d4a017"}[g]
			fmt.Fprintf(&f.out, "  classDef %s stroke:%s,stroke-width:2px\n  class %s %s\n", g, colour, strings.Join(f.classes[g], ","), g)
		}
	}
}

func without(lines ...string) []string {
	var some []string
	for _, line := range lines {
		if line != "" {
			some = append(some, line)
		}
	}
	return some
}

func troubles(notes []Note) []string {
	var lines []string
	for _, g := range []Grade{Error, Warning} {
		if n := counted(notes, g); n > 0 {
			lines = append(lines, counts(n, g.String()))
		}
	}
	return lines
}

// mermaidText writes characters with a meaning in a label as Mermaid's entities
// (https://mermaid.js.org/syntax/flowchart.html, "Entity codes to escape
// characters").
func mermaidText(s string) string {
	var b strings.Builder
	for _, r := range finding.Visible(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(" .,-_/:", r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
