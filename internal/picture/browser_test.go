package picture

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// browser runs a headless Chromium, from Debian's package chromium.
func browser(t *testing.T) func(page string, args ...string) string {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	dir := t.TempDir()
	n := 0
	return func(page string, args ...string) string {
		n++
		file := filepath.Join(dir, fmt.Sprintf("page%d.html", n))
		require.NoError(t, os.WriteFile(file, []byte(page), 0o644))
		cmd := exec.Command(program, append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--timeout=60000",
			"--virtual-time-budget=10000", "--window-size=1280,900", "--user-data-dir=" + filepath.Join(dir, "profile"), "--dump-dom"},
			append(args, "file://"+file)...)...)
		var out bytes.Buffer
		cmd.Stdout = &out
		require.NoError(t, cmd.Run())
		return out.String()
	}
}

// TestBrowser opens the page in a browser. The script runs although the policy
// forbids all others, the search finds rows, nothing hostile runs, and the
// light and dark drawings differ.
func TestBrowser(t *testing.T) {
	show := browser(t)
	counted := regexp.MustCompile(`<output id="count" for="search">([^<]*)</output>`)
	count := func(dom string) string {
		m := counted.FindStringSubmatch(dom)
		require.NotNil(t, m)
		return m[1]
	}
	assert.Equal(t, "10", count(show(string(sample(10, true).HTML()))), "the script has not run")

	evil := hostile()
	for _, s := range []*string{&evil.Name, &evil.Hub.Name, &evil.Notes[0].Text, &evil.Remotes[0].Link.Text} {
		*s = `</text></title></script><img src=x onerror="document.title='run'"><script>document.title='run'</script>`
	}
	dom := show(string(evil.HTML()))
	assert.Equal(t, "5", count(dom))
	assert.NotContains(t, dom, "<title>run")
	assert.NotContains(t, dom, "<img")

	// To type text, the test adds a script to the page, and removes the policy.
	policy := regexp.MustCompile(`<meta http-equiv="Content-Security-Policy"[^\n]*\n`)
	typed := func(p *Picture, text string, args ...string) string {
		script := fmt.Sprintf(`<script>
			search.value = %q; search.dispatchEvent(new Event("input"));
			const seen = [...document.querySelectorAll("#clusters tr")].filter((row) => row.getBoundingClientRect().height > 0);
			document.body.innerHTML = "<output id=\"count\" for=\"search\">" + count.textContent + "; " +
				seen.map((row) => row.cells[0].textContent).slice(0, 4) + "; " + getComputedStyle(document.body).backgroundColor + "</output>";
			</script></body>`, text)
		page := policy.ReplaceAllString(string(p.HTML()), "")
		return count(show(strings.Replace(page, "</body>", script, 1), args...))
	}
	const light, dark = "rgb(255, 255, 255)", "rgb(13, 17, 23)"
	assert.Equal(t, "10; hub,c1,c2,c3; "+light, typed(sample(10, true), ""))
	assert.Equal(t, "1 of 10; c7; "+light, typed(sample(10, true), "c7"))
	assert.Equal(t, "2 of 10; c2,c7; "+light, typed(sample(10, true), " ERROR rs01 "))
	assert.Equal(t, "0 of 10; ; "+light, typed(sample(10, true), "nowhere"))
	assert.Equal(t, "1 of 10000; c9321; "+light, typed(sample(10_000, true), "c9321"))
	assert.Equal(t, "10; hub,c1,c2,c3; "+dark, typed(sample(10, true), "", "--blink-settings=preferredColorScheme=0"))
}

// TestWidths compares the estimated widths of texts with a browser. No text may
// be wider than its estimate.
func TestWidths(t *testing.T) {
	show := browser(t)
	for _, p := range []*Picture{sample(12, true), sample(200, true), sample(10_000, true), hostile()} {
		page := "<body>" + string(p.SVG()) + `<script>
			const wide = [...document.querySelectorAll("svg text")].filter((text) => {
				const box = text.getBBox(), within = [...document.querySelectorAll(".sl-box, .sl-hub")].map((r) => r.getBBox())
					.find((r) => box.x >= r.x && box.x < r.x + r.width && box.y >= r.y && box.y < r.y + r.height);
				const end = within ? within.x + within.width : document.querySelector("svg").getBBox().width;
				return box.x + box.width > end;
			});
			document.body.innerHTML = "<p id=wide>" + wide.length + "</p>" + wide.map((text) => text.textContent).join(", ").replace(/</g, "&lt;");
			</script></body>`
		dom := show(page)
		assert.Contains(t, dom, `<p id="wide">0</p>`)
	}
}

// TestMermaidParser gives diagrams to Mermaid itself. SIGHTLINE_MERMAID is the
// file mermaid.min.js of its npm package.
func TestMermaidParser(t *testing.T) {
	file := os.Getenv("SIGHTLINE_MERMAID")
	if file == "" {
		t.Skip("SIGHTLINE_MERMAID is not set")
	}
	show := browser(t)
	for _, p := range []*Picture{sample(1, false), sample(2, false), sample(10, true), sample(200, true), sample(10_000, true), hostile()} {
		page := fmt.Sprintf(`<body><pre class="mermaid"></pre><p id="said">nothing</p><script src="file://%s"></script><script>
			mermaid.initialize({startOnLoad: false});
			const pre = document.querySelector("pre"), said = document.getElementById("said");
			pre.textContent = %q;
			mermaid.run({nodes: [pre]}).then(() => { said.textContent = "drawn"; }, (error) => { said.textContent = error.message; });
			</script></body>`, file, p.Mermaid())
		dom := show(page)
		assert.Contains(t, dom, `<p id="said">drawn</p>`)
		assert.NotContains(t, dom, "<script>alert(1)")
	}
}
