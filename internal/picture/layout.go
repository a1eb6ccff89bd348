package picture

import (
	"fmt"
	"slices"
	"strings"
)

// The layout is made by hand, with layers, and channels beside them for lines.
// A layout engine such as Graphviz or ELK draws any graph, but a mesh always
// has one hub, and no small engine exists in Go (docs/adr/0012-the-picture.md).
//
// From above: a title; users and delivery, the hub, and the stores side by
// side; then rows of remotes. Links leave the hub, go down in a channel at the
// left, and enter each row from above. Metrics and traces leave each row below,
// and go up in channels at the right. So no line crosses a box.
const (
	margin  = 24
	channel = 40 // between the margin and the boxes, for lines
	gap     = 16
	side    = 236 // width of the boxes beside the hub
	hubW    = 300
	boxW    = 208
	boxH    = 112
	padding = 12
	heading = 26 // height of a group's heading
)

// card is a part of a row: a group of remotes.
type card struct {
	w, h  int
	ports []port // where lines enter and leave
	draw  func(d *drawing, x, y int)
}

// port is the place at which lines reach a cluster or a group: its distance
// from the left of the card.
type port struct {
	left, right   int // of its box
	top, bottom   int
	none          bool // it has no link
	series, spans bool
}

// layout makes the drawing.
func (p *Picture) layout() *drawing {
	rows := p.rows()
	inner := side + hubW + side + 2*72
	for _, row := range rows {
		inner = max(inner, rowWidth(row))
	}
	d := &drawing{width: inner + 2*(margin+channel)}
	p.title(d)
	below := p.top(d, margin+72)
	y := below + 18
	links := point{d.width/2 - hubW/2 + 30, below} // where the links leave
	lowest := lastLinked(rows)
	for i, row := range rows {
		y, links = p.row(d, row, y, links, i < lowest, len(rows) > 1)
	}
	if len(rows) == 0 {
		y = below + 8
	}
	d.height = p.legend(d, y+28)
	return d
}

func rowWidth(row []card) int {
	w := -gap
	for _, c := range row {
		w += c.w + gap
	}
	return w
}

// lastLinked returns the index of the last row with a link, or -1.
func lastLinked(rows [][]card) int {
	for i := len(rows) - 1; i >= 0; i-- {
		for _, c := range rows[i] {
			if slices.ContainsFunc(c.ports, func(o port) bool { return !o.none }) {
				return i
			}
		}
	}
	return -1
}

// title writes the name of the mesh and counts.
func (p *Picture) title(d *drawing) {
	summary := d.width - margin
	all := slices.Clone(p.Notes)
	for _, c := range append([]Cluster{p.Hub}, p.Remotes...) {
		all = append(all, c.Notes...)
	}
	for _, g := range []Grade{Warning, Error} {
		if n := counted(all, g); n > 0 {
			summary = d.pill(g.String(), summary, margin+2, counts(n, g.String())) - 8
		}
	}
	d.write("name", margin, margin+18, 22, summary-margin-10, p.Name)
	of := []string{"mesh " + p.MeshID, counts(len(p.Remotes)+1, "cluster")}
	if n := p.networks(); n > 0 {
		of = append(of, counts(n, "network"))
	}
	d.write("muted", margin, margin+40, 13, d.width-2*margin, strings.Join(of, ", "))
}

// top draws the hub and the boxes beside it. It returns where they end.
func (p *Picture) top(d *drawing, y int) int {
	const small = 64
	hubH := 2*small + gap
	hubX := (d.width - hubW) / 2
	leftX, rightX := margin+channel, d.width-margin-channel-side

	d.box("box", leftX, y, side, small, "Users", p.Login)
	d.line("plain", true, point{leftX + side, y + small/2}, point{hubX, y + small/2})
	if p.Delivery != "" {
		d.box("box", leftX, y+small+gap, side, small, "Delivery", p.Delivery)
	}
	p.hub(d, hubX, y, hubH)
	d.box("box", rightX, y, side, small, "Metrics: "+p.Store.Name, p.Store.Place)
	d.line("plain", true, point{hubX + hubW, y + small/2}, point{rightX, y + small/2})
	out := y + hubH // where the hub's own data leaves it
	channelX := d.width - margin
	if p.Hub.Series {
		d.line("series", false, point{hubX + hubW - 30, out}, point{hubX + hubW - 30, out + 18}, point{channelX, out + 18})
	}
	if p.Hub.Series || p.Store.By != "" {
		d.line("series", true, point{channelX, out + 18}, point{channelX, y + small/2}, point{rightX + side, y + small/2})
	}
	if p.Traces.Name != "" {
		second := y + small + gap
		d.box("box", rightX, second, side, small, "Traces: "+p.Traces.Name, p.Traces.Place)
		d.line("plain", true, point{hubX + hubW, second + small/2}, point{rightX, second + small/2})
		if p.Hub.Spans {
			d.line("spans", false, point{hubX + hubW - 54, out}, point{hubX + hubW - 54, out + 9}, point{channelX - 14, out + 9})
		}
		d.line("spans", true, point{channelX - 14, out + 9}, point{channelX - 14, second + small/2}, point{rightX + side, second + small/2})
	}
	return out
}

// box draws a box with a name and a line below it.
func (d *drawing) box(class string, x, y, w, h int, name, below string) {
	d.rect(class, x, y, w, h, 8, "")
	d.write("strong", x+14, y+h/2-3, 14, w-24, name)
	d.write("muted", x+14, y+h/2+16, 12, w-24, below)
}

// hub draws the hub.
func (p *Picture) hub(d *drawing, x, y, h int) {
	d.rect("hub", x, y, hubW, h, 10, "")
	right := badges(d, x+hubW-12, y+12, p.Hub.Notes)
	d.write("strong", x+16, y+28, 16, right-x-24, p.Hub.Name)
	d.write("accent", x+16, y+48, 13, hubW-32, "hub: "+p.Kiali)
	lines := []string{p.Hub.Platform + ", " + p.Hub.ControlPlane}
	if p.Hub.Network != "" {
		lines = append(lines, "network "+p.Hub.Network)
	}
	lines = append(lines, namespaceLine(&p.Hub))
	if p.Host != "" {
		lines = append(lines, p.Host)
	}
	for i, line := range lines {
		d.write("muted", x+16, y+70+19*i, 12, hubW-32, line)
	}
}

// badges draws the number of errors and warnings, from the right to the left.
func badges(d *drawing, right, y int, notes []Note) int {
	for _, g := range []Grade{Warning, Error} {
		if n := counted(notes, g); n > 0 {
			right = d.pill(g.String(), right, y, counts(n, g.String())) - 6
		}
	}
	return right
}

func namespaceLine(c *Cluster) string {
	switch len(c.Namespaces) {
	case 0:
		return "no namespace named"
	case 1:
		return "namespace " + c.Namespaces[0]
	}
	return fmt.Sprintf("%d namespaces: %s", len(c.Namespaces), strings.Join(c.Namespaces, ", "))
}

// row draws the cards of a row and the lines to them. It returns the lower end
// of the row. Links come from the given point above. If further is set, they
// continue to the next row from the returned point. A single row is centred.
func (p *Picture) row(d *drawing, row []card, y int, links point, further, several bool) (end int, next point) {
	above, top := y+14, y+34
	x := (d.width - rowWidth(row)) / 2
	if several {
		x = margin + channel
	}
	height := 0
	for _, c := range row {
		height = max(height, c.h)
	}
	spansAt, seriesAt := top+height+10, top+height+19
	channelX, none := d.width-margin, d.width
	series, spans := none, none // the leftmost port with series, and with spans
	from, to := none, 0         // the first and the last link
	var after []func()          // lines over the cards, drawn last
	for _, c := range row {
		for _, o := range c.ports {
			in := x + o.right - 24
			if !o.none {
				from, to = min(from, in), max(to, in)
				after = append(after, func() { d.line("link", true, point{in, above}, point{in, top + o.top}) })
			}
			if out := x + o.left + 24; o.series && p.Store.By != "" {
				series = min(series, out)
				after = append(after, func() { d.line("series", false, point{out, top + o.bottom}, point{out, seriesAt}) })
			}
			if out := x + o.left + 44; o.spans && p.Traces.Name != "" {
				spans = min(spans, out)
				after = append(after, func() { d.line("spans", false, point{out, top + o.bottom}, point{out, spansAt}) })
			}
		}
		c.draw(d, x, top)
		x += c.w + gap
	}
	if further {
		from, to = min(from, margin), max(to, margin)
		next = point{margin, above}
	}
	if to > 0 {
		d.line("link", false, links, point{links.x, above})
		d.line("link", false, point{min(from, links.x), above}, point{max(to, links.x), above})
	}
	if series < none {
		d.line("series", false, point{series, seriesAt}, point{channelX, seriesAt}, point{channelX, y})
	}
	if spans < none {
		d.line("spans", false, point{spans, spansAt}, point{channelX - 14, spansAt}, point{channelX - 14, y - 9})
	}
	for _, draw := range after {
		draw()
	}
	return seriesAt, next
}

// legend explains the lines, and returns the height of the drawing.
func (p *Picture) legend(d *drawing, y int) int {
	x := margin + channel
	entry := func(class, text string) {
		d.line(class, class != "spans", point{x, y}, point{x + 26, y})
		text = fitted(text, 12, min(220, d.width-margin-x-34))
		d.write("muted", x+34, y+4, 12, d.width, text)
		x += 34 + textWidth(text, 12) + 24
	}
	if slices.ContainsFunc(p.Remotes, func(c Cluster) bool { return !c.Link.None }) {
		entry("link", "link: Kiali reads the remote")
	}
	switch {
	case p.Store.By != "":
		entry("series", p.Store.By)
	case len(p.Remotes) > 0:
		entry("series", "metrics of the hub only")
	case p.Hub.Series:
		entry("series", "series")
	}
	if p.Traces.Name != "" {
		entry("spans", p.Traces.By)
	}
	return y + margin
}
