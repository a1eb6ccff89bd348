//go:build unix

package render_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// peer is another way to write the objects of a cluster.
type peer struct {
	name     string
	program  string   // below bin/, or on the path; "" if it cannot be installed from here
	clusters int      // of one run
	args     []string // of the measured run
	one      []string // of a run that prints the objects of c1, and maybe others; nil: other tests compare them
}

// TestPeers measures what the objects of a cluster cost, made by this program and
// by others, in CPU time of whole processes, the least of several tries. make
// bench-peers runs it.
func TestPeers(t *testing.T) {
	bin := os.Getenv("SIGHTLINE_BENCH_PEERS")
	if bin == "" {
		t.Skip("SIGHTLINE_BENCH_PEERS names no folder with programs (make bench-peers sets it), so none is measured")
	}
	r := ratios{t: t, work: t.TempDir(), sightline: filepath.Join(bin, "sightline")}
	if dir, err := os.MkdirTemp("/dev/shm", "sightline-bench-"); err == nil {
		t.Cleanup(func() { os.RemoveAll(dir) })
		r.work = dir
	}
	r.write("fleet.yaml", r.fleet(1000, 20, ""))
	r.write("few.yaml", r.fleet(20, 20, ""))
	printed, err := exec.Command(r.sightline, "render", r.path("fleet.yaml"), "-o", "-", "--cluster", "c1").Output()
	require.NoError(t, err)
	want := objectsIn(t, printed)
	for _, format := range []string{"kustomize", "helm"} {
		require.NoError(t, exec.Command(r.sightline, "render", r.path("few.yaml"), "-o", r.path(format), "--format", format).Run())
	}
	r.write("template.yaml", clusterName.ReplaceAllString(string(printed), "@NAME@"))
	r.write("fleet.jsonnet", inLanguage(t, printed, `local objects(name) = `, `' + name + '`, `'`, `[objects('c%d' % i) for i in std.range(0, 99)]`))
	r.write("fleet.cue", inLanguage(t, printed, `#objects: {name: string, all: `, `\(name)`, `"`, `[for i in list.Range(0, 100, 1) {(#objects & {name: "c\(i)"}).all}]`))
	each := func(command string) []string {
		return []string{"-c", "cd " + r.work + "; for i in $(seq 0 19); do " + command + " || exit 1; done"}
	}
	peers := []peer{
		{name: "sed, a process a cluster", program: "sh", clusters: 20, args: each("sed s/@NAME@/c$i/g template.yaml"), one: each("sed s/@NAME@/c$i/g template.yaml")},
		{name: "go-jsonnet, all in one process", program: "jsonnet", clusters: 100, args: []string{r.path("fleet.jsonnet")}, one: []string{r.path("fleet.jsonnet")}},
		{name: "CUE, all in one process", program: "cue", clusters: 100, args: []string{"export", r.path("fleet.cue")}, one: []string{"export", r.path("fleet.cue")}},
		{name: "Helm 3 with our chart, a process a cluster", program: "sh", clusters: 20, args: each(filepath.Join(bin, "helm3") + " template mesh helm/chart --kube-version 1.31 -f helm/clusters/c$i.yaml")},
		{name: "kustomize with our tree, a process a cluster", program: "sh", clusters: 20, args: each(filepath.Join(bin, "kustomize") + " build kustomize/clusters/c$i")},
		{name: "ytt"},
		{name: "Tanka"},
	}
	ours := map[string]float64{}
	for _, format := range []string{"kustomize", "manifests"} {
		ours[format] = r.least(r.rendering("fleet.yaml", "--format", format))[0].seconds()
		t.Logf("%-50s %6.2f ms", "sightline, --format "+format+", 1,000 clusters", ours[format])
	}
	for _, p := range peers {
		program, err := exec.LookPath(filepath.Join(bin, p.program))
		if err != nil {
			program, err = exec.LookPath(p.program)
		}
		if p.program == "" || err != nil {
			t.Logf("%-50s skipped: there is no such program, and no module that builds it", p.name)
			continue
		}
		if p.one != nil {
			out, err := exec.Command(program, p.one...).Output()
			require.NoError(t, err, p.name)
			require.Subset(t, objectsIn(t, out), want, p.name)
		}
		cost := r.least(run{args: append([]string{program}, p.args...)})[0].seconds() * 1000 / float64(p.clusters)
		t.Logf("%-50s %6.2f ms, %.0f times", p.name, cost, cost/ours["manifests"])
	}
}

var clusterName = regexp.MustCompile(`\bc1\b`)

// inLanguage is a program of Jsonnet or CUE for the objects of clusters that are
// like c1 except for the name.
func inLanguage(t *testing.T, printed []byte, head, name, quote, all string) string {
	t.Helper()
	text, err := json.MarshalIndent(decoded(t, printed), "", "  ")
	require.NoError(t, err)
	quoted := regexp.MustCompile(`"(?:[^"\\]|\\.)*"`).ReplaceAllStringFunc(string(text), func(s string) string {
		if !clusterName.MatchString(s) {
			return s
		}
		return quote + clusterName.ReplaceAllString(strings.ReplaceAll(s[1:len(s)-1], `'`, `\'`), name) + quote
	})
	if strings.HasPrefix(head, "#") {
		return "import \"list\"\n\n" + head + strings.ReplaceAll(quoted, `\'`, `'`) + "}\nfleet: " + all + "\n"
	}
	return head + quoted + ";\n" + all + "\n"
}

func decoded(t *testing.T, printed []byte) []any {
	t.Helper()
	var all []any
	for reader := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(printed), 1<<20); ; {
		var v any
		err := reader.Decode(&v)
		if err == io.EOF {
			return all
		}
		require.NoError(t, err)
		if v != nil {
			all = append(all, v)
		}
	}
}

// objectsIn are the objects in a stream, or at any depth of lists, as JSON.
func objectsIn(t *testing.T, printed []byte) []string {
	t.Helper()
	var all []string
	var visit func(v any)
	visit = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				visit(item)
			}
		case map[string]any:
			if v["kind"] == nil {
				visit(v["fleet"])
				return
			}
			text, err := json.Marshal(v)
			require.NoError(t, err)
			all = append(all, string(text))
		}
	}
	visit(decoded(t, printed))
	require.NotEmpty(t, all, fmt.Sprintf("%.200s", printed))
	return all
}
