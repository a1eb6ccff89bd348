package picture

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

//go:embed page.css
var pageStyle string

//go:embed page.js
var pageScript string

// HTML returns the picture as one page that needs no network: the drawing, the
// notes about the whole mesh, and a table of the clusters with a search field.
func (p *Picture) HTML() []byte {
	var out bytes.Buffer
	w := func(format string, args ...any) { fmt.Fprintf(&out, format, args...) }
	w("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n")
	// The page may only use what is in it. No text of a topology can load or
	// run anything.
	w("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src %s\">\n",
		source(pageScript))
	w("<meta name=\"color-scheme\" content=\"light dark\">\n<title>%s</title>\n<style>\n%s</style>\n</head>\n<body>\n",
		escape("Mesh "+p.Name), pageStyle)
	w("<div class=\"drawing\" tabindex=\"0\" aria-label=\"Drawing of the mesh\">\n")
	p.layout().svg(&out, "Mesh "+p.Name, "")
	w("</div>\n<main>\n")
	if len(p.Notes) > 0 {
		w("<h2>The mesh as a whole</h2>\n%s", noteList(p.Notes))
	}
	w("<h2>Clusters</h2>\n<p class=\"find\"><label for=\"search\">Search</label> <input id=\"search\" type=\"search\" autocomplete=\"off\" " +
		"placeholder=\"a name, a network, a namespace, error, a rule\"> <output id=\"count\" for=\"search\"></output></p>\n")
	p.table(w)
	w("</main>\n<script>%s</script>\n</body>\n</html>\n", pageScript)
	return out.Bytes()
}

func source(script string) string {
	sum := sha256.Sum256([]byte(script))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// table writes a row for each cluster, the hub first.
func (p *Picture) table(w func(string, ...any)) {
	all := append([]Cluster{p.Hub}, p.Remotes...)
	regions := slices.ContainsFunc(all, func(c Cluster) bool { return c.Region != "" })
	columns := []string{"Cluster", "Role", "Network", "Region", "Platform", "Control plane", "Namespaces", "Link", "Findings", "Status"}
	w("<div class=\"table\">\n<table>\n<thead><tr>")
	for _, name := range columns {
		if name == "Region" && !regions || name == "Status" && !p.Asked {
			continue
		}
		w("<th scope=\"col\">%s</th>", name)
	}
	w("</tr></thead>\n<tbody id=\"clusters\">\n")
	for i := range all {
		c := &all[i]
		role, link := "remote", escape(c.Link.Text)
		switch {
		case i == 0:
			role, link = "hub", "–"
		case c.Link.None:
			link = "<span class=\"warning\">" + link + "</span>"
		}
		w("<tr><th scope=\"row\">%s</th><td>%s</td><td>%s</td>", escape(c.Name), role, escape(or(c.Network, "–")))
		if regions {
			w("<td>%s</td>", escape(or(c.Region, "–")))
		}
		w("<td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td>", c.Platform, escape(c.ControlPlane),
			escape(or(strings.Join(c.Namespaces, ", "), "–")), link, noteCell(c.Notes, false))
		if p.Asked {
			w("<td>%s</td>", statusCell(c))
		}
		w("</tr>\n")
	}
	w("</tbody>\n</table>\n</div>\n<p id=\"none\" hidden>No cluster has all of these words.</p>\n")
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// noteCell counts the notes. Opened, it lists them.
func noteCell(notes []Note, seen bool) string {
	own := slices.DeleteFunc(slices.Clone(notes), func(n Note) bool { return n.Seen != seen })
	if len(own) == 0 {
		return "none"
	}
	var says []string
	for _, g := range []Grade{Error, Warning, Information} {
		switch n := counted(own, g); {
		case n > 0 && g == Information:
			says = append(says, thousands(n)+" for information")
		case n > 0 && seen && g == Error:
			says = append(says, fmt.Sprintf("<span class=\"error\">%s failed</span>", thousands(n)))
		case n > 0:
			says = append(says, fmt.Sprintf("<span class=\"%s\">%s</span>", g, counts(n, g.String())))
		}
	}
	return "<details><summary>" + strings.Join(says, ", ") + "</summary>\n" + noteList(own) + "</details>"
}

// statusCell shows what status found about a cluster.
func statusCell(c *Cluster) string {
	var says []string
	if c.Good > 0 {
		says = append(says, counts(c.Good, "check")+" good")
	}
	if c.Unchecked > 0 {
		says = append(says, thousands(c.Unchecked)+" not checked")
	}
	good := strings.Join(says, ", ")
	if cell := noteCell(c.Notes, true); cell != "none" {
		if good != "" {
			cell += "<small>" + good + "</small>"
		}
		return cell
	}
	return or(good, "not asked")
}

func noteList(notes []Note) string {
	var b strings.Builder
	b.WriteString("<ul>\n")
	for _, n := range notes {
		fmt.Fprintf(&b, "<li><span class=\"%s\">%s</span> <code>%s</code> %s",
			or(n.Grade.String(), "fine"), n.Grade, escape(n.Rule), escape(n.Text))
		if n.Advice != "" {
			fmt.Fprintf(&b, "<br><small>%s</small>", escape(n.Advice))
		}
		b.WriteString("</li>\n")
	}
	b.WriteString("</ul>\n")
	return b.String()
}
