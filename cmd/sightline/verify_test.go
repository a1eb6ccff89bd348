package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/render"
)

// FuzzVerify makes sure that the rules end without a panic, whatever a topology
// says that had no findings of its own, or whatever one that had may have been meant
// as, and that every finding is inside the file.
func FuzzVerify(f *testing.F) {
	seed(f, "../../topologies/bad/*.yaml", "../../topologies/*.yaml", "../../internal/topology/testdata/err/*.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		top, findings := check.Parse("f.yaml", data)
		all := []*topology.Topology{top}
		if len(findings) > 0 {
			all = check.Meanings(top)
		}
		if top == nil || len(top.Spec.Overlays) > 0 {
			return // the files of overlays are not here
		}
		sets := make([][]*input, min(len(all), 4)) // more take too long
		for i, top := range all[:len(sets)] {
			sets[i] = []*input{{topology: top}}
		}
		e, err := new(ruleFlags).examine(context.Background(), sets, len(findings) > 0, render.Kustomize, check.Options{})
		require.NoError(t, err)
		e.close()
		found := slices.Concat(e.lists...)
		lines := strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n")
		for _, found := range found {
			if found.Line < 1 || found.Line > len(lines) {
				t.Fatalf("%q is not in a file of %d lines", found, len(lines))
			}
			if last := utf8.RuneCountInString(lines[found.Line-1]) + 1; found.Col < 1 || found.Col > last {
				t.Errorf("%q is not in a line whose end is at %d", found, last)
			}
			if found.File != "f.yaml" || found.Message == "" || found.Rule == "" {
				t.Errorf("%q says nothing", found)
			}
		}
	})
}
