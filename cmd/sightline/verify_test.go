package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/render"
)

// FuzzVerify shows that the rules end without a panic, and that every finding is inside
// the file. It does so for topologies without mistakes, and for the meanings of
// topologies with mistakes.
func FuzzVerify(f *testing.F) {
	seed(f, "../../topologies/bad/*.yaml", "../../topologies/*.yaml", "../../internal/topology/testdata/err/*.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		top, findings := check.Parse("f.yaml", data)
		all := []*topology.Topology{top}
		if len(findings) > 0 {
			all = check.Meanings(top)
		}
		if top == nil || len(top.Spec.Overlays) > 0 {
			return // the files of overlays do not exist
		}
		sets := make([][]*input, min(len(all), 4)) // more take too long
		for i, top := range all[:len(sets)] {
			sets[i] = []*input{{topology: top}}
		}
		e, err := new(ruleFlags).examine(shared(context.Background()), sets, len(findings) > 0, render.Kustomize, check.Options{})
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

// TestUnlooked shows the message for a fleet with a mistake that is too large for
// guesses: the rendered objects were not checked.
func TestUnlooked(t *testing.T) {
	t.Parallel()
	fleet := strings.Replace(overlaid, "[shop]", "[SHOP]", 1)
	fleet = strings.Replace(fleet, "  overlays: [{name: own, jsonnet: own/own.jsonnet}]\n", "", 1)
	fleet, _, _ = strings.Cut(fleet, "  clusters:")
	fleet += "  clusters:\n  - {name: east, domain: apps.east.example.com}\n"
	for i := range 2001 {
		fleet += fmt.Sprintf("  - {name: w%d, server: \"https://api.w%[1]d.example.com:6443\"}\n", i)
	}
	file := filepath.Join(t.TempDir(), "mesh.yaml")
	require.NoError(t, os.WriteFile(file, []byte(fleet), 0o644))
	const said = ": the rendered objects were not checked; correct these mistakes to see findings about them\n"
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitInvalid, run(shared(t.Context()), []string{"verify", file}, nil, &stdout, &stderr))
	require.Equal(t, file+said+"1 error\n", stderr.String())
	require.Contains(t, stdout.String(), "SY06")
	stderr.Reset()
	require.Equal(t, exitInvalid, run(shared(t.Context()), []string{"render", file, "-o", filepath.Join(t.TempDir(), "out")}, nil, &stdout, &stderr))
	require.True(t, strings.HasSuffix(stderr.String(), file+said+"nothing written: 1 error\n"), stderr.String())
}
