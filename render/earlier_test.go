package render_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
)

// earlierMarker is the marker of the version before the first line in every file.
const earlierMarker = "# Written by `sightline render`, which owns this directory: it overwrites edits\n" +
	"# and removes files that are not its own. Change the topology and render again.\n" +
	"topology: %s\nformat: %s\n"

// TestEarlier takes over every golden tree of the version before the first line in
// every file: testdata/earlier has the topologies of that version, their overlays
// and links, and the digest of each file that it gave.
func TestEarlier(t *testing.T) {
	want := map[string]map[string]string{} // by tree and path
	list, err := os.ReadFile("testdata/earlier/golden.sha256")
	require.NoError(t, err)
	for line := range strings.Lines(string(list)) {
		digest, file, _ := strings.Cut(strings.TrimSpace(line), "  ")
		parts := strings.SplitN(file, "/", 3)
		name := parts[0] + "/" + parts[1]
		if want[name] == nil {
			want[name] = map[string]string{}
		}
		want[name][parts[2]] = digest
	}
	for name, digests := range want {
		t.Run(name, func(t *testing.T) {
			file := "testdata/earlier/topologies/" + filepath.Dir(name) + ".yaml"
			format := render.Format(filepath.Base(name))
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			top, findings := topology.Parse(file, data)
			require.Empty(t, findings)
			from := render.SourcesOf(top)
			before, err := render.Earlier(top, from, format)
			require.NoError(t, err)
			got := map[string]string{}
			for _, f := range before {
				got[f.Path] = fmt.Sprintf("%x", sha256.Sum256(f.Content))
			}
			var other []string
			for path, digest := range digests {
				if got[path] != digest {
					other = append(other, path)
				}
				delete(got, path)
			}
			slices.Sort(other)
			assert.Empty(t, other, "that version gave other bytes")
			assert.Empty(t, got, "that version had no such files")
			for _, f := range before {
				top, _, _ := strings.Cut(f.Path, "/")
				if slices.Contains([]string{"base", "clusters", "namespaces"}, top) && format != render.Helm {
					assert.True(t, render.WroteEarlier(f.Path, f.Content), f.Path)
				}
			}

			out := filepath.Join(t.TempDir(), "out")
			for _, f := range before {
				path := filepath.Join(out, f.Path)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, f.Content, 0o644))
			}
			marker := fmt.Sprintf(earlierMarker, top.Metadata.Name, format)
			require.NoError(t, os.WriteFile(filepath.Join(out, ".sightline"), []byte(marker), 0o644))
			files, err := render.Tree(top, from, format)
			require.NoError(t, err)
			dir, err := tree.Lock(out, tree.Marker{Topology: top.Metadata.Name, Format: string(format), Version: "v0.2.0"})
			require.NoError(t, err)
			defer dir.Unlock()
			plan, err := dir.Compare(t.Context(), files, tree.Claims{Before: func() []tree.File { return before }, Wrote: render.WroteEarlier})
			require.NoError(t, err)
			require.NoError(t, plan.Apply(t.Context()))
			assert.Empty(t, extra(t, out, files))
			there, err := dir.Files(t.Context())
			require.NoError(t, err)
			assert.Equal(t, len(files), len(there))
		})
	}
}
