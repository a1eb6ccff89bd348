package render_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
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

// earlierTrees writes the golden trees of the version that package earlier is
// about into a directory, and lists them: <topology>/<format>.
func earlierTrees(t *testing.T, dir string) []string {
	t.Helper()
	packed, err := os.Open("testdata/earlier/golden.tar.gz")
	require.NoError(t, err)
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	require.NoError(t, err)
	var names []string
	for archive := tar.NewReader(unpacked); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		require.NoError(t, err)
		content, err := io.ReadAll(archive)
		require.NoError(t, err)
		file := filepath.Join(dir, header.Name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, content, 0o644))
		if filepath.Base(file) == ".sightline" {
			names = append(names, filepath.Clean(filepath.Dir(header.Name)))
		}
	}
}

// TestEarlier takes over every golden tree of the version that package earlier
// is about. testdata/earlier has these trees, and their topologies, overlays
// and links.
func TestEarlier(t *testing.T) {
	dir := t.TempDir()
	names := earlierTrees(t, dir)
	require.Len(t, names, 19)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			out, format := filepath.Join(dir, name), render.Format(filepath.Base(name))
			file := "testdata/earlier/topologies/" + filepath.Dir(name) + ".yaml"
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			top, findings := topology.Parse(file, data)
			require.Empty(t, findings)
			from := render.SourcesOf(top)
			before, err := render.Earlier(top, from, format)
			require.NoError(t, err)
			files, err := render.Tree(top, from, format)
			require.NoError(t, err)

			locked, err := tree.Lock(out, tree.Marker{Topology: top.Metadata.Name, Format: string(format), Version: "v0.2.0"})
			require.NoError(t, err)
			defer locked.Unlock()
			there, err := locked.Files(t.Context())
			require.NoError(t, err)
			for _, f := range there {
				assert.True(t, before(f.Path, f.Content), "that version gave other bytes: %s", f.Path)
				assert.False(t, before(f.Path, append([]byte("# edited\n"), f.Content...)), f.Path)
				if folder, _, _ := strings.Cut(f.Path, "/"); format != render.Helm && slices.Contains([]string{"base", "clusters", "namespaces"}, folder) {
					assert.True(t, render.WroteEarlier(f.Path, f.Content), f.Path)
				}
			}
			claims := tree.Claims{Before: func() func(string, []byte) bool { return before }, Wrote: render.WroteEarlier}
			plan, err := locked.Compare(t.Context(), files, claims)
			require.NoError(t, err)
			require.NoError(t, plan.Apply(t.Context()))
			assert.Empty(t, extra(t, out, files))
			locked.Unlock()
			after, err := tree.Open(out, tree.Marker{Topology: top.Metadata.Name, Format: string(format), Version: "v0.2.0"})
			require.NoError(t, err)
			there, err = after.Files(t.Context())
			require.NoError(t, err)
			assert.Empty(t, tree.Compare(files, there))
		})
	}
}
