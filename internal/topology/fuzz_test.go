package topology_test

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	. "github.com/sightline-mesh/sightline/internal/topology"
)

// FuzzParse checks for every text that Parse ends without a panic. Its findings
// are sorted and unique, have words, and are inside the file. A topology
// without findings has everything that later code relies on.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/ok/*.yaml", "testdata/err/*.yaml", "../../topologies/*.yaml"} {
		for _, file := range Glob(f, filepath.FromSlash(pattern)) {
			f.Add(Read(f, file))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		top, findings := check.Parse("f.yaml", data)
		if len(findings) == 0 {
			checkUsable(t, top)
			SameAfterPrinting(t, top)
		}
		lines := strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n")
		for i, found := range findings {
			if i > 0 && !before(findings[i-1], found) {
				t.Errorf("%q comes before %q", findings[i-1], found)
			}
			if found.File != "f.yaml" || found.Line < 1 || found.Line > len(lines) {
				t.Fatalf("%q is not in a file of %d lines", found, len(lines))
			}
			if last := utf8.RuneCountInString(lines[found.Line-1]) + 1; found.Col < 1 || found.Col > last {
				t.Errorf("%q is not in a line whose end is at %d", found, last)
			}
			if text := found.Message + found.Hint; strings.ContainsFunc(text, unprintable) || len(text) > 1000 {
				t.Errorf("%q does not fit on a terminal", text)
			}
			if found.Rule == "" || found.Message == "" {
				t.Errorf("%q says nothing", found)
			}
		}
	})
}

func unprintable(r rune) bool { return r < ' ' || r == utf8.RuneError || 0x7f <= r && r < 0xa0 }

// before tells whether two findings are in order and different.
func before(a, b finding.Finding) bool {
	if a.Line != b.Line {
		return a.Line < b.Line
	}
	if a.Col != b.Col {
		return a.Col < b.Col
	}
	if a.Rule != b.Rule {
		return a.Rule < b.Rule
	}
	return a.Message < b.Message || a.Message == b.Message && a.Hint != b.Hint
}

func checkUsable(t *testing.T, top *Topology) {
	switch s := top.Spec; {
	case top.APIVersion != APIVersion || top.Kind != Kind:
		t.Errorf("apiVersion is %q and kind %q", top.APIVersion, top.Kind)
	case top.Metadata.Name == "" || s.Mesh.ID == "" || s.Mesh.ControlPlaneNamespace == "" || s.Kiali.Namespace == "" || s.Kiali.InstanceName == "" || s.Metrics.Interval == "":
		t.Errorf("a value is empty: %+v", s)
	case top.Hub() == nil:
		t.Errorf("no cluster is the hub %q", s.Kiali.Hub)
	}
	names := map[string]bool{}
	for i := range top.Spec.Clusters {
		c := &top.Spec.Clusters[i]
		if !filepath.IsLocal(c.Name) || strings.ContainsAny(c.Name, `/\`) || strings.HasPrefix(c.Name, ".") {
			t.Errorf("the cluster name %q is no file name", c.Name)
		}
		if !top.IsHub(c) && c.Server == "" {
			t.Errorf("the remote %q has no server", c.Name)
		}
		if key := strings.ToLower(c.Name); names[key] {
			t.Errorf("the cluster name %q is there twice", c.Name)
		} else {
			names[key] = true
		}
	}
}
