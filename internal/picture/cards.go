package picture

import "fmt"

// perRow is the maximum number of boxes side by side.
const perRow = 5

// rows puts the remotes into cards, and these into rows.
func (p *Picture) rows() [][]card {
	switch n := len(p.Remotes); {
	case n == 0:
		return nil
	case n < mostBoxes:
		return boxRows(p.byNetwork(), n)
	case n < mostSquares:
		return cardRows(byPlace(p.Remotes), squares)
	}
	return cardRows(byPlace(p.Remotes), totals)
}

// boxRows shows each remote in a box. If a group is too wide, it continues in
// the next row.
func boxRows(all []group, n int) [][]card {
	rows := (n + perRow - 1) / perRow
	capacity := (n + rows - 1) / rows
	var done [][]card
	var row []card
	room := capacity
	for _, g := range all {
		if len(g.remotes) > room && room < capacity && len(g.remotes) <= capacity {
			done, row, room = append(done, row), nil, capacity
		}
		for left := g.remotes; len(left) > 0; {
			take := min(room, len(left))
			row = append(row, boxes(g.name, left[:take]))
			left, room = left[take:], room-take
			if room == 0 {
				done, row, room = append(done, row), nil, capacity
			}
		}
	}
	if len(row) > 0 {
		done = append(done, row)
	}
	return done
}

// boxes returns a card with a box for each remote.
func boxes(name string, remotes []Cluster) card {
	c := card{w: len(remotes)*(boxW+gap) - gap + 2*padding, h: heading + boxH + padding}
	for i := range remotes {
		x := padding + i*(boxW+gap)
		c.ports = append(c.ports, port{left: x, right: x + boxW, top: heading, bottom: heading + boxH, none: remotes[i].Link.None,
			series: remotes[i].Series, spans: remotes[i].Spans})
	}
	c.draw = func(d *drawing, x, y int) {
		d.rect("group", x, y, c.w, c.h, 10, "")
		d.write("muted", x+padding, y+17, 12, c.ports[0].right-48, name)
		for i := range remotes {
			remotes[i].draw(d, x+c.ports[i].left, y+heading)
		}
	}
	return c
}

// draw draws the box of a remote.
func (c *Cluster) draw(d *drawing, x, y int) {
	d.rect("box", x, y, boxW, boxH, 8, "")
	if g := Worst(c.Notes); g >= Warning {
		d.rect(g.String()+"Mark", x, y+8, 4, boxH-16, 2, "")
	}
	d.write("strong", x+14, y+24, 14, boxW-28, c.Name)
	d.write("muted", x+14, y+43, 12, boxW-28, c.Platform+", "+c.ControlPlane)
	d.write("muted", x+14, y+61, 12, boxW-28, namespaceLine(c))
	class := "linkText"
	if c.Link.None {
		class = "warningText"
	}
	d.write(class, x+14, y+79, 12, boxW-28, c.Link.Text)
	badges(d, x+boxW-10, y+boxH-25, c.Notes)
}

const (
	cardW  = 262
	square = 13
	step   = 17
	across = (cardW - 2*padding) / step
)

// cardRows puts a card for each group into rows of four.
func cardRows(all []group, of func(*group) card) [][]card {
	const each = 4
	n := (len(all) + each - 1) / each
	capacity := (len(all) + n - 1) / n
	var rows [][]card
	for i := range all {
		if i%capacity == 0 {
			rows = append(rows, nil)
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], of(&all[i]))
	}
	return rows
}

// port returns the ports of a group's card.
func (g *group) port(bottom int) port {
	o := port{right: cardW, bottom: bottom, none: g.unlinked() == len(g.remotes)}
	for i := range g.remotes {
		o.series, o.spans = o.series || g.remotes[i].Series, o.spans || g.remotes[i].Spans
	}
	return o
}

// squares returns a card with a square for each remote. The colour shows the
// worst note about the remote.
func squares(g *group) card {
	lines := (len(g.remotes) + across - 1) / across
	h := 56 + lines*step + padding - 2
	return card{w: cardW, h: h, ports: []port{g.port(h)}, draw: func(d *drawing, x, y int) {
		d.rect("box", x, y, cardW, h, 10, "")
		g.head(d, x, y)
		for i := range g.remotes {
			c := &g.remotes[i]
			title := c.Name + ": " + c.Link.Text
			if worst := Worst(c.Notes); worst >= Warning {
				title += fmt.Sprintf(", %s", counts(counted(c.Notes, worst), worst.String()))
			}
			d.rect(fill(Worst(c.Notes)), x+padding+i%across*step, y+54+i/across*step, square, square, 3, title)
		}
	}}
}

// totals returns a card with numbers.
func totals(g *group) card {
	const h = 92
	return card{w: cardW, h: h, ports: []port{g.port(h)}, draw: func(d *drawing, x, y int) {
		d.rect("box", x, y, cardW, h, 10, "")
		g.head(d, x, y)
		from := 0
		room, all := cardW-2*padding, len(g.remotes)
		bad, warned := g.troubled(Error), g.troubled(Warning)
		for _, part := range []struct {
			n     int
			grade Grade
		}{{bad, Error}, {warned, Warning}, {all - bad - warned, Fine}} {
			if part.n == 0 {
				continue
			}
			w := max(room*part.n/all, 3)
			w = min(w, room-from)
			if part.grade == Fine {
				w = room - from
			}
			d.rect(fill(part.grade), x+padding+from, y+56, w, 8, 0, "")
			from += w
		}
		linked := all - g.unlinked()
		d.write("muted", x+padding, y+82, 12, room, counts(linked, "link")+" of "+thousands(all))
	}}
}

// head writes the name of a group and counts its remotes.
func (g *group) head(d *drawing, x, y int) {
	d.write("strong", x+padding, y+22, 14, cardW-72, g.name)
	text := counts(len(g.remotes), "remote")
	if n := g.troubled(Error); n > 0 {
		text += ", " + thousands(n) + " with errors"
	}
	if n := g.troubled(Warning); n > 0 {
		text += ", " + thousands(n) + " with warnings"
	}
	d.write("muted", x+padding, y+42, 12, cardW-2*padding, text)
}

func fill(g Grade) string {
	return map[Grade]string{Error: "errorMark", Warning: "warningMark"}[g] + map[bool]string{true: "fine"}[g < Warning]
}
