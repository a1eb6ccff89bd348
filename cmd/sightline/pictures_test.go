package main

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/golden"
)

// TestPictures compares the drawings of the documentation with what graph draws of
// the topologies of the same names. With -update it writes them. A page shows each.
func TestPictures(t *testing.T) {
	const dir = "../../docs/pictures"
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	var text strings.Builder
	for _, page := range append(pages, "../../README.md") {
		content, err := os.ReadFile(page)
		require.NoError(t, err)
		text.Write(content)
	}
	drawings, err := filepath.Glob(dir + "/*")
	require.NoError(t, err)
	require.NotEmpty(t, drawings)
	for _, path := range drawings {
		file := filepath.Base(path)
		assert.Contains(t, text.String(), "pictures/"+file, "no page shows %s", file)
		name, drawn := strings.CutSuffix(file, ".svg")
		if !drawn {
			continue
		}
		topology := "../../topologies/" + name
		if info, err := os.Stat(topology); err != nil || !info.IsDir() {
			topology += ".yaml"
		}
		if _, err := os.Stat("../../topologies/sealed/" + name); err != nil {
			topology = withLinks(t, topology)
		}
		var stdout, stderr bytes.Buffer
		require.Equal(t, exitOK, run(shared(context.Background()), []string{"graph", topology}, nil, &stdout, &stderr), "%s", &stderr)
		if *update {
			require.NoError(t, os.WriteFile(path, stdout.Bytes(), 0o644))
		}
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		golden.Equal(t, path, string(content), stdout.String(), "make golden")
	}
}

// withLinks is a topology whose links something else makes. The examples have no sealed
// links, and a mesh without links is nothing to show.
func withLinks(t *testing.T, topology string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), filepath.Base(topology))
	hub := regexp.MustCompile(`(?m)^  kiali:\n`)
	kept := regexp.MustCompile(`(?m)^    links: .*\n`)
	count := 0
	require.NoError(t, filepath.WalkDir(topology, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		count += len(hub.FindAll(text, -1))
		text = hub.ReplaceAll(kept.ReplaceAll(text, nil), []byte("  kiali:\n    links: {source: external}\n"))
		name, err := filepath.Rel(topology, path)
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		return os.WriteFile(filepath.Join(dir, name), text, 0o644)
	}))
	require.Equal(t, 1, count, "%s has no kiali that the test can change", topology)
	return dir
}
