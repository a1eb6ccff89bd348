package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/render"
)

// FuzzRender shows that every topology without findings can be rendered in every format.
func FuzzRender(f *testing.F) {
	seed(f, "../../internal/topology/testdata/ok/*.yaml", "../../topologies/*.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		top, findings := check.Parse("f.yaml", data)
		if len(findings) > 0 {
			return
		}
		top.Spec.Overlays = nil // their files do not exist
		for _, format := range render.Formats() {
			files, err := render.Tree(top, render.Sources{Templates: shippedTemplates}, format)
			var refused *finding.Refusal // this format has no form for the topology
			if errors.As(err, &refused) {
				continue
			}
			require.NoError(t, err, "%s", format)
			require.NotEmpty(t, files)
		}
	})
}

// seed adds the files that match the patterns. Each pattern must match a file.
func seed(f *testing.F, patterns ...string) {
	f.Helper()
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.FromSlash(pattern))
		require.NoError(f, err)
		require.NotEmpty(f, files)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(f, err)
			f.Add(data)
		}
	}
}
