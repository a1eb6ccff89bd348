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
	var out bytes.Buffer
	out.WriteString("flowchart TB\n")
	node := func(id string, lines ...string) {
		for i := range lines {
			lines[i] = mermaidText(lines[i])
		}
		fmt.Fprintf(&out, "  %s[\"%s\"]\n", id, strings.Join(lines, "<br/>"))
	}
	node("users", "Users", p.Login)
	hub := []string{p.Hub.Name, "hub: " + p.Kiali, p.Hub.Platform + ", " + p.Hub.ControlPlane}
	if p.Hub.Network != "" {
		hub = append(hub, "network "+p.Hub.Network)
	}
	node("hub", append(hub, troubles(p.Hub.Notes)...)...)
	node("metrics", without("Metrics: "+p.Store.Name, p.Store.Place)...)
	if p.Traces.Name != "" {
		node("traces", without("Traces: "+p.Traces.Name, p.Traces.Place)...)
	}
	if p.Delivery != "" {
		node("delivery", "Delivery", p.Delivery)
	}
	all, each := p.byNetwork(), true
	if len(p.Remotes) >= mostBoxes {
		all, each = byPlace(p.Remotes), false
	}
	classes := map[Grade][]string{}
	mark := func(id string, g Grade) {
		if g >= Warning {
			classes[g] = append(classes[g], id)
		}
	}
	mark("hub", Worst(p.Hub.Notes))
	var lines []string // between the nodes
	linked := func(id string, none bool, label string) {
		line := "-->"
		if none {
			line = "-.-x"
		}
		lines = append(lines, fmt.Sprintf("hub %s|\"%s\"| %s", line, mermaidText(label), id))
	}
	sends := func(id string, series, spans bool) {
		if series && p.Store.By != "" {
			lines = append(lines, id+" -.-> metrics")
		}
		if spans && p.Traces.Name != "" {
			lines = append(lines, id+" -.-> traces")
		}
	}
	n := 0
	for i := range all {
		g := &all[i]
		if !each {
			id := fmt.Sprintf("group%d", i+1)
			text := []string{g.name, counts(len(g.remotes), "remote")}
			worst := Fine
			for _, grade := range []Grade{Error, Warning} {
				if bad := g.troubled(grade); bad > 0 {
					text, worst = append(text, thousands(bad)+" with "+grade.String()+"s"), max(worst, grade)
				}
			}
			node(id, text...)
			mark(id, worst)
			o := g.port(0)
			linked(id, o.none, counts(len(g.remotes)-g.unlinked(), "link"))
			sends(id, o.series, o.spans)
			continue
		}
		network := fmt.Sprintf("network%d", i+1)
		fmt.Fprintf(&out, "  subgraph %s[\"%s\"]\n", network, mermaidText(g.name))
		first := &g.remotes[0]
		alike := !slices.ContainsFunc(g.remotes, func(c Cluster) bool { return c.Series != first.Series || c.Spans != first.Spans })
		if alike { // one line for all
			sends(network, first.Series, first.Spans)
		}
		for j := range g.remotes {
			c := &g.remotes[j]
			n++
			id := fmt.Sprintf("remote%d", n)
			out.WriteString("  ")
			text := []string{c.Name, c.Platform + ", " + c.ControlPlane}
			node(id, append(text, troubles(c.Notes)...)...)
			mark(id, Worst(c.Notes))
			linked(id, c.Link.None, c.Link.Text)
			if !alike {
				sends(id, c.Series, c.Spans)
			}
		}
		out.WriteString("  end\n")
	}
	out.WriteString("  users --> hub\n  hub --> metrics\n")
	if p.Traces.Name != "" {
		out.WriteString("  hub --> traces\n")
	}
	if p.Delivery != "" {
		out.WriteString("  delivery --> hub\n")
	}
	for _, line := range lines {
		out.WriteString("  " + line + "\n")
	}
	for _, g := range []Grade{Error, Warning} {
		if len(classes[g]) > 0 {
			colour := map[Grade]string{Error: "#cf222e", Warning: "#d4a017"}[g]
			fmt.Fprintf(&out, "  classDef %s stroke:%s,stroke-width:2px\n  class %s %s\n", g, colour, strings.Join(classes[g], ","), g)
		}
	}
	return out.Bytes()
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
