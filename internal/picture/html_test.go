package picture

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// allowed lists the elements that the page may have.
var allowed = strings.Fields("html head meta title style body div svg path rect text main h2 p label input output table thead tbody tr th td " +
	"details summary small span code ul li br script")

// TestHTML parses the page as a browser does. The page loads nothing, and no
// text of a topology becomes an element.
func TestHTML(t *testing.T) {
	for name, p := range map[string]*Picture{"hostile": hostile(), "one": sample(1, false), "ten": sample(10, true), "many": sample(1000, true)} {
		p.Asked = true
		data := string(p.HTML())
		assert.Equal(t, data, string(p.HTML()), name)
		page, err := html.Parse(strings.NewReader(data))
		require.NoError(t, err)
		scripts, rows := 0, 0
		for n := range page.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			require.Contains(t, allowed, n.Data, name)
			for _, a := range n.Attr {
				assert.NotContains(t, []string{"src", "href", "srcset", "action", "style"}, a.Key, name)
				assert.False(t, strings.HasPrefix(a.Key, "on"), "%s has the attribute %s", n.Data, a.Key)
			}
			switch n.Data {
			case "script":
				scripts++
				assert.Equal(t, pageScript, n.FirstChild.Data)
			case "tr":
				rows++
			}
		}
		assert.Equal(t, 1, scripts, name)
		assert.Equal(t, len(p.Remotes)+2, rows, name)
		assert.Equal(t, 1, strings.Count(data, "://"), "%s: the name of SVG is the only address", name)
	}
}

func TestStatusInHTML(t *testing.T) {
	p := sample(3, false)
	assert.NotContains(t, string(p.HTML()), ">Status<")
	p.Asked, p.Remotes[0].Good, p.Remotes[0].Unchecked = true, 3, 1
	data := string(p.HTML())
	assert.Contains(t, data, ">Status<")
	assert.Contains(t, data, "3 checks good, 1 not checked")
	assert.Contains(t, data, `<span class="error">1 failed</span>`)
	assert.Contains(t, data, "<td>not asked</td>")
}

// BenchmarkHTML measures the page of a large fleet.
func BenchmarkHTML(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		p := sample(n, true)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				p.HTML()
			}
		})
	}
}
