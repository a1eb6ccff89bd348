package render_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
	"github.com/sightline-mesh/sightline/templates"
)

var update = flag.Bool("update", false, "write the golden trees instead of comparing with them")

// examples are the topologies of the project, by name.
func examples(t testing.TB) map[string]*topology.Topology {
	t.Helper()
	files, err := filepath.Glob("../topologies/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	parsed := map[string]*topology.Topology{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		p, findings := topology.Parse(file, data)
		require.Empty(t, findings)
		parsed[strings.TrimSuffix(filepath.Base(file), ".yaml")] = p
	}
	return parsed
}

// TestGolden compares golden/<topology>/<format> with the whole output, both
// ways: missing, extra and different files fail.
func TestGolden(t *testing.T) {
	for name, top := range examples(t) {
		for _, format := range render.Formats() {
			t.Run(name+"/"+string(format), func(t *testing.T) {
				files, err := render.Tree(top, templates.FS, format)
				require.NoError(t, err)
				dir, err := tree.Open(filepath.Join("../golden", name, string(format)), tree.Marker{Topology: name, Format: string(format)})
				require.NoError(t, err)
				plan, err := dir.Compare(t.Context(), files)
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
				for _, c := range changes {
					assert.Equal(t, string(c.Old), string(c.New), "%s: %s; if it is meant, run make golden and read the diff", c.Path, c.Kind)
				}
			})
		}
	}
}

// TestGoldenHasNoOrphans finds golden trees whose topology is gone.
func TestGoldenHasNoOrphans(t *testing.T) {
	entries, err := os.ReadDir("../golden")
	require.NoError(t, err)
	known := examples(t)
	for _, e := range entries {
		assert.Contains(t, known, e.Name(), "golden/%s belongs to no topology", e.Name())
	}
}
