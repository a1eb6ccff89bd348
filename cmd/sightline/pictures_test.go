package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/golden"
)

// TestPictures holds the drawings of the documentation against what graph draws of
// the topologies of the same names. With -update it writes them. Each is shown by a
// page.
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
		var stdout, stderr bytes.Buffer
		require.Equal(t, exitOK, run(context.Background(), []string{"graph", topology}, nil, &stdout, &stderr), "%s", &stderr)
		if *update {
			require.NoError(t, os.WriteFile(path, stdout.Bytes(), 0o644))
		}
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		golden.Equal(t, path, string(content), stdout.String(), "make golden")
	}
}
