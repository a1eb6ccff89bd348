package picture

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// colours are the colours of a class, on a light and on a dark background.
type colours struct {
	class               string
	fill, stroke        string
	darkFill, darkLines string
	more                string // further attributes
}

// palette returns the classes in the order in which they are written.
func palette() []colours {
	return []colours{
		{"ground", "#ffffff", "", "#0d1117", "", ""},
		{"box", "#ffffff", "#c5ccd6", "#161b22", "#444c56", ""},
		{"group", "#f3f5f8", "#d8dee4", "#10151c", "#2f363f", ""},
		{"hub", "#edf3ff", "#3f74d8", "#12213d", "#5b8def", ""},
		{"fine", "#9fb6d9", "", "#3b5784", "", ""},
		{"errorMark", "#cf222e", "", "#f85149", "", ""},
		{"warningMark", "#d4a017", "", "#d29922", "", ""},
		{"error", "#ffebe9", "#cf222e", "#3d1214", "#f85149", ""},
		{"warning", "#fff3cd", "#d4a017", "#332701", "#d29922", ""},
		{"errorText", "#a40e26", "", "#ffa198", "", ""},
		{"warningText", "#7a5200", "", "#f2cc60", "", ""},
		{"name", "#1f2328", "", "#e6edf3", "", ` font-weight="700"`},
		{"strong", "#1f2328", "", "#e6edf3", "", ` font-weight="600"`},
		{"muted", "#57606a", "", "#a3adb8", "", ""},
		{"accent", "#2a5bb8", "", "#8fb6ff", "", ` font-weight="600"`},
		{"linkText", "#2a5bb8", "", "#8fb6ff", "", ""},
		{"plain", "none", "#57606a", "none", "#a3adb8", ` stroke-width="1.5"`},
		{"link", "none", "#2f6fdb", "none", "#6ea8fe", ` stroke-width="2"`},
		{"series", "none", "#2b8a57", "none", "#4fc586", ` stroke-width="2"`},
		{"spans", "none", "#8a4fd0", "none", "#b98cf0", ` stroke-width="2" stroke-dasharray="5 4"`},
	}
}

// attributes returns the attributes of a class on a light background. A style
// sheet changes them for a dark background, because presentation programs do
// not read it.
func (c *colours) attributes() string {
	s := fmt.Sprintf(` class="sl-%s" fill="%s"`, c.class, c.fill)
	if c.stroke != "" {
		s += fmt.Sprintf(` stroke="%s"`, c.stroke)
	}
	return s + c.more
}

// SVG returns the picture as a separate drawing.
func (p *Picture) SVG() []byte {
	var out bytes.Buffer
	p.layout().svg(&out, "Mesh "+p.Name, "")
	return out.Bytes()
}

// svg writes the drawing. The root element gets the given attributes.
func (d *drawing) svg(out *bytes.Buffer, title, attributes string) {
	of := map[string]*colours{}
	classes := palette()
	for i := range classes {
		of[classes[i].class] = &classes[i]
	}
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img"%s`+
		` font-family="-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif">`+"\n",
		d.width, d.height, d.width, d.height, attributes)
	fmt.Fprintf(out, "<title>%s</title>\n<style>\n@media (prefers-color-scheme: dark) {\n", escape(title))
	for _, c := range classes {
		lines := ""
		if c.darkLines != "" {
			lines = "; stroke: " + c.darkLines
		}
		fmt.Fprintf(out, ".sl-%s { fill: %s%s }\n", c.class, c.darkFill, lines)
	}
	out.WriteString("}\n</style>\n")
	fmt.Fprintf(out, "<rect%s width=\"%d\" height=\"%d\"/>\n", of["ground"].attributes(), d.width, d.height)
	for i := range d.shapes {
		d.shapes[i].svg(out, of)
	}
	out.WriteString("</svg>\n")
}

func (s *shape) svg(out *bytes.Buffer, of map[string]*colours) {
	attributes := of[s.class].attributes()
	title := ""
	if s.title != "" {
		title = "<title>" + escape(s.title) + "</title>"
	}
	switch {
	case s.text != "":
		anchor := ""
		if s.anchor != "" {
			anchor = fmt.Sprintf(` text-anchor="%s"`, s.anchor)
		}
		fmt.Fprintf(out, "<text%s x=\"%d\" y=\"%d\" font-size=\"%d\"%s>%s%s</text>\n",
			attributes, s.x, s.y, s.size, anchor, escape(s.text), title)
	case len(s.points) > 0:
		fmt.Fprintf(out, "<path%s d=\"%s\"/>\n", attributes, path(s.points))
		if s.arrow {
			fmt.Fprintf(out, "<path%s d=\"%s\"/>\n", of[s.class].attributes(), head(s.points))
		}
	case s.w > 0:
		fmt.Fprintf(out, "<rect%s x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\">%s</rect>\n",
			attributes, s.x, s.y, s.w, s.h, s.radius, title)
	}
}

func path(points []point) string {
	var b strings.Builder
	for i, p := range points {
		fmt.Fprintf(&b, "%c%d %d", "ML"[min(i, 1)], p.x, p.y)
	}
	return b.String()
}

// head draws an arrow at the end of a line.
func head(points []point) string {
	end, from := points[len(points)-1], points[len(points)-2]
	const length, half = 7, 4
	if end.x == from.x { // it goes down or up
		back := end.y - length
		if from.y > end.y {
			back = end.y + length
		}
		return path([]point{{end.x - half, back}, end, {end.x + half, back}})
	}
	back := end.x - length
	if from.x > end.x {
		back = end.x + length
	}
	return path([]point{{back, end.y - half}, end, {back, end.y + half}})
}

// escape makes a foreign text safe for XML and HTML. It escapes markup, and the
// characters that XML does not allow.
func escape(s string) string { return html.EscapeString(finding.Visible(s)) }
