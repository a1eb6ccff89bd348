package picture

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sample returns a picture with the given number of clusters. With ways, it has
// every kind of line.
func sample(clusters int, ways bool) *Picture {
	p := &Picture{
		Name: "mesh", MeshID: "mesh1", Login: "OpenShift login on each cluster", Kiali: "Kiali v2.27", Host: "kiali.example.com",
		Hub:   Cluster{Name: "hub", Platform: "OpenShift", Network: "net0", ControlPlane: "istiod here", Namespaces: []string{"a", "b"}, Series: true},
		Store: Backend{Name: "thanos-querier", Place: "on hub"},
	}
	if ways {
		p.Delivery, p.Store = "Argo CD on hub", Backend{Name: "Thanos", Place: "thanos.example.com", By: "metrics by remote write"}
		p.Traces, p.Hub.Spans = Backend{Name: "TempoStack", Place: "tempo/mesh on hub", By: "traces by collectors"}, true
	}
	for i := 1; i < clusters; i++ {
		c := Cluster{
			Name: fmt.Sprintf("c%d", i), Platform: "Kubernetes", Network: fmt.Sprintf("net%d", i%3), Region: fmt.Sprintf("region%d", i%7),
			ControlPlane: "istiod of hub", Namespaces: []string{"a"}, Series: ways, Spans: ways && i%2 == 0,
			Link: Link{Text: "sealed until 2030-01-01"},
		}
		switch i % 5 {
		case 1:
			c.Link = Link{Text: "no link", None: true}
			c.Notes = []Note{{Grade: Warning, Rule: "RS18", Text: "no sealed link", Advice: "seal it"}}
		case 2:
			c.Notes = []Note{{Grade: Error, Rule: "RS01", Text: "made for something else"}, {Grade: Error, Rule: "ST14", Text: "refused", Seen: true}}
		}
		p.Remotes = append(p.Remotes, c)
	}
	return p
}

// hostile returns a picture in which every text contains markup.
func hostile() *Picture {
	evil := "</title></style><script>alert(1)</script>\"'&]]>`${x}#quot;\x00\x1b[31m\u202e\xff" + strings.Repeat("w", 300)
	p := sample(5, true)
	for _, s := range []*string{&p.Name, &p.MeshID, &p.Login, &p.Delivery, &p.Kiali, &p.Host, &p.Store.Name, &p.Store.Place, &p.Store.By,
		&p.Traces.Name, &p.Traces.Place, &p.Traces.By} {
		*s = evil
	}
	p.Notes, p.Asked = []Note{{Grade: Error, Rule: evil, Text: evil, Advice: evil}}, true
	for _, c := range []*Cluster{&p.Hub, &p.Remotes[0], &p.Remotes[1], &p.Remotes[2], &p.Remotes[3]} {
		*c = Cluster{Name: evil, Platform: "OpenShift", Network: evil, Region: evil, ControlPlane: evil, Namespaces: []string{evil, evil},
			Link: Link{Text: evil}, Series: true, Spans: true, Notes: append(p.Notes, Note{Grade: Warning, Rule: evil, Text: evil, Seen: true})}
	}
	return p
}

// TestSVG parses each drawing as XML, and finds only shapes and texts in it.
func TestSVG(t *testing.T) {
	pictures := map[string]*Picture{"hostile": hostile()}
	for _, n := range []int{1, 2, 7, 10, 12, 13, 200, 401, 10_000} {
		pictures[fmt.Sprint(n)], pictures[fmt.Sprint(n, " with all ways")] = sample(n, false), sample(n, true)
	}
	for name, p := range pictures {
		data := p.SVG()
		assert.Equal(t, string(data), string(p.SVG()), name)
		assert.True(t, utf8.Valid(data), name)
		elements := map[string]bool{}
		in := xml.NewDecoder(strings.NewReader(string(data)))
		for {
			token, err := in.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, name)
			if e, ok := token.(xml.StartElement); ok {
				elements[e.Name.Local] = true
				for _, a := range e.Attr {
					assert.NotContains(t, strings.ToLower(a.Name.Local), "href", name)
					assert.False(t, strings.HasPrefix(a.Name.Local, "on"), "%s has the attribute %s", name, a.Name.Local)
				}
			}
		}
		delete(elements, "path")
		delete(elements, "rect")
		assert.Equal(t, map[string]bool{"svg": true, "title": true, "style": true, "text": true}, elements, name)
		assert.Less(t, len(data), 200_000, name)
	}
}

// TestLayout checks drawings of every size: no box covers another, no line
// crosses a box, and texts stay inside their boxes.
func TestLayout(t *testing.T) {
	for _, ways := range []bool{false, true} {
		for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 20, 100, 200, 400, 401, 10_000} {
			name := fmt.Sprintf("%d clusters, all ways %t", n, ways)
			d := sample(n, ways).layout()
			boxes := shapesOf(d, "box", "hub")
			require.NotEmpty(t, boxes, name)
			for i, a := range boxes {
				assert.True(t, a.x >= 0 && a.y >= 0 && a.x+a.w <= d.width && a.y+a.h <= d.height, "%s: a box is outside", name)
				for _, b := range boxes[:i] {
					assert.False(t, a.x < b.x+b.w && b.x < a.x+a.w && a.y < b.y+b.h && b.y < a.y+a.h, "%s: two boxes at %d,%d", name, a.x, a.y)
				}
			}
			for _, line := range shapesOf(d, "plain", "link", "series", "spans") {
				for i := 1; i < len(line.points); i++ {
					from, to := line.points[i-1], line.points[i]
					require.True(t, from.x == to.x || from.y == to.y, "%s: a line is not straight", name)
					for _, b := range boxes {
						inside := max(from.x, to.x) > b.x && min(from.x, to.x) < b.x+b.w && max(from.y, to.y) > b.y && min(from.y, to.y) < b.y+b.h
						assert.False(t, inside, "%s: a %s line goes through the box at %d,%d", name, line.class, b.x, b.y)
					}
				}
			}
			for _, s := range d.shapes {
				if s.text != "" && s.anchor == "" {
					assert.LessOrEqual(t, s.x+textWidth(s.text, s.size), d.width, "%s: %q", name, s.text)
				}
			}
		}
	}
}

// TestDrawn shows that the drawing contains exactly the parts of the mesh.
func TestDrawn(t *testing.T) {
	all := sample(10, true)
	assert.Len(t, arrows(all.layout(), "link"), 7+1, "a link for each remote that has one, and the legend")
	assert.Len(t, shapesOf(all.layout(), "box"), 4+9)
	none := sample(10, false)
	assert.Empty(t, shapesOf(none.layout(), "spans"))
	alone := sample(1, false).layout()
	assert.Empty(t, shapesOf(alone, "link"))
	assert.Len(t, shapesOf(alone, "box"), 2)

	many := sample(200, true).layout()
	assert.Len(t, shapesOf(many, "errorMark"), 40, "a square for each remote with an error")
	assert.Len(t, shapesOf(many, "fine", "errorMark", "warningMark"), 199)
	fleet := string(sample(10_000, true).SVG())
	assert.Contains(t, fleet, ">mesh mesh1, 10,000 clusters, 3 networks<")
	assert.NotContains(t, fleet, ">c1<")
	p := sample(2000, true)
	for i := range p.Remotes {
		p.Remotes[i].Network, p.Remotes[i].Region = fmt.Sprint("net-of-", i), ""
	}
	assert.Len(t, shapesOf(p.layout(), "box"), mostGroups+4, "with a network for each cluster, the drawing stays small")
}

// TestDrawnFile shows that sightline knows its drawings, and takes no other file for one.
func TestDrawnFile(t *testing.T) {
	p := sample(3, true)
	for name, content := range map[string][]byte{"svg": p.SVG(), "html": p.HTML(), "mermaid": p.Mermaid(), "empty": nil} {
		assert.True(t, Drawn(content), name)
	}
	for _, content := range []string{"flowchart TB\n  a --> b\n", "flowchart LR\n", "<svg viewBox=\"0 0 1 1\"/>", "<!DOCTYPE html>\n<p>mesh\n"} {
		assert.False(t, Drawn([]byte(content)), content)
	}
}

func arrows(d *drawing, class string) []shape {
	var some []shape
	for _, s := range shapesOf(d, class) {
		if s.arrow {
			some = append(some, s)
		}
	}
	return some
}

func shapesOf(d *drawing, classes ...string) []shape {
	var some []shape
	for _, s := range d.shapes {
		for _, class := range classes {
			if s.class == class {
				some = append(some, s)
			}
		}
	}
	return some
}

// TestMermaid shows that no label contains Mermaid syntax.
func TestMermaid(t *testing.T) {
	label := regexp.MustCompile(`"[^"]*"`)
	for _, p := range []*Picture{hostile(), sample(1, false), sample(10, true), sample(200, true), sample(10_000, true)} {
		data := string(p.Mermaid())
		assert.Equal(t, data, string(p.Mermaid()))
		assert.Less(t, len(data), 50_000, "Mermaid draws no more than 50,000 characters")
		for _, line := range strings.Split(strings.TrimSuffix(data, "\n"), "\n")[1:] {
			for _, text := range label.FindAllString(line, -1) {
				assert.Regexp(t, `^"([A-Za-z0-9 .,_/:-]|<br/>|#\d+;)*"$`, text)
			}
			assert.Regexp(t, `^ +(subgraph \w+\[""\]|end|\w+\[""\]|\w+ (-->|-\.->|-\.-x)(\|""\|)? \w+|classDef \w+ \S+|class [\w,]+ \w+)$`,
				label.ReplaceAllString(line, `""`))
		}
	}
	assert.Equal(t, "a#34;#93;b", mermaidText(`a"]b`))
}
