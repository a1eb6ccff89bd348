package render_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/golden"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/render"
)

// directory parses a topology that is a directory.
func directory(t testing.TB, dir string) *topology.Topology {
	t.Helper()
	var sources []topology.Source
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		sources = append(sources, topology.Source{Name: path, Data: data})
		return err
	}))
	parsed, findings := check.ParseDirectory(dir, sources)
	require.Empty(t, findings)
	return parsed
}

// TestFleet compares the tree of a fleet by counts and hashes, because nobody
// would read it. A change of a template changes base, and a change of a cluster
// only changes its own files.
func TestFleet(t *testing.T) {
	top := directory(t, "../topologies/fleet")
	files, err := render.Tree(top, render.SourcesOf(top), render.Kustomize)
	require.NoError(t, err)
	count, content := map[string]int{}, map[string][]byte{}
	for _, f := range files {
		parts := strings.Split(f.Path, "/")
		part := parts[0]
		if part == "clusters" {
			part += "/" + parts[1]
		}
		count[part]++
		content[part] = fmt.Appendf(content[part], "%s\n%s\n", f.Path, f.Text())
	}
	var summary strings.Builder
	for _, part := range slices.Sorted(maps.Keys(count)) {
		fmt.Fprintf(&summary, "%-24s %3d files  %.8x\n", part, count[part], sha256.Sum256(content[part]))
	}
	const kept = "../golden/fleet/kustomize.txt"
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(kept), 0o755))
		require.NoError(t, os.WriteFile(kept, []byte(summary.String()), 0o644))
		return
	}
	want, err := os.ReadFile(kept)
	require.NoError(t, err)
	golden.Equal(t, kept, string(want), summary.String(), "make golden")
}
