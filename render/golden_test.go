package render_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/golden"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
)

var update = flag.Bool("update", false, "write the golden trees instead of comparing with them")

// examples returns the topologies of the project, by name.
func examples(t testing.TB) map[string]*topology.Topology {
	t.Helper()
	files, err := filepath.Glob("../topologies/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	parsed := map[string]*topology.Topology{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		p, findings := check.Parse(file, data)
		require.Empty(t, findings)
		parsed[strings.TrimSuffix(filepath.Base(file), ".yaml")] = p
	}
	return parsed
}

// formatsOf returns the formats in which a golden tree is kept. Most other
// formats would show nothing new. All formats are kept for the built-in
// topology, for ACM and for overlays, because the kustomize format does not
// apply the overlays.
func formatsOf(name string) []render.Format {
	switch name {
	case "overlays":
		return []render.Format{render.Kustomize, render.Manifests}
	case "east-west", "acm":
		return render.Formats()
	case "flux-standalone": // its paths are plain folders
		return []render.Format{render.Manifests}
	case "flux", // it waits for releases of the chart in the same way as for kustomizations
		"linked": // its chart has a list of tokens
		return []render.Format{render.Kustomize, render.Helm}
	case "primary-remote": // its chart distinguishes more than hub and remote
		return []render.Format{render.Kustomize, render.Helm}
	}
	return []render.Format{render.Kustomize}
}

// TestGolden compares golden/<topology>/<format> with the whole output, both
// ways: missing, extra and different files fail.
func TestGolden(t *testing.T) {
	for name, top := range examples(t) {
		for _, format := range formatsOf(name) {
			t.Run(name+"/"+string(format), func(t *testing.T) {
				files, err := render.Tree(top, render.SourcesOf(top), format)
				require.NoError(t, err)
				dir, err := tree.Lock(filepath.Join("../golden", name, string(format)),
					tree.Marker{Topology: name, Format: string(format), Version: "golden"})
				require.NoError(t, err)
				defer dir.Unlock()
				plan, err := dir.Compare(t.Context(), files, tree.Claims{})
				require.NoError(t, err)
				changes, err := plan.Changes(t.Context())
				require.NoError(t, err)
				if *update {
					require.NoError(t, plan.Apply(t.Context()))
					for _, c := range changes {
						t.Log(c.Kind, c.Path)
					}
					return
				}
				assert.Empty(t, extra(t, filepath.Join("../golden", name, string(format)), files), "files that no render gives; remove them")
				for _, c := range changes {
					t.Errorf("%s: %s: %s; if it is meant, run make golden and read the diff", c.Path, c.Kind,
						golden.Difference(string(c.Old), string(c.New)))
				}
			})
		}
	}
}

// extra lists the files in a directory that are neither in the tree nor its
// marker.
func extra(t *testing.T, dir string, files []tree.File) []string {
	t.Helper()
	known := map[string]bool{".sightline": true}
	for _, f := range files {
		known[f.Path] = true
	}
	var unknown []string
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !known[p] {
			unknown = append(unknown, p)
		}
		return err
	}))
	return unknown
}

// TestGoldenHasNoOrphans finds golden trees whose topology or format is gone.
func TestGoldenHasNoOrphans(t *testing.T) {
	trees, err := filepath.Glob("../golden/*/*/") // fleet has a file, see TestFleet
	require.NoError(t, err)
	known := examples(t)
	for _, dir := range trees {
		name := filepath.Base(filepath.Dir(dir))
		if assert.Contains(t, known, name, "golden/%s belongs to no topology", name) {
			assert.Contains(t, formatsOf(name), render.Format(filepath.Base(dir)), "%s is compared with nothing", dir)
		}
	}
}
