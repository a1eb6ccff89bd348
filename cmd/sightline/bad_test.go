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

// TestBadTopologies compares the output of verify for topologies/bad/NAME.yaml with
// NAME.out. Each topology has a finding, and its first line says what is wrong.
func TestBadTopologies(t *testing.T) {
	t.Chdir("../../topologies/bad")
	files, err := filepath.Glob("*.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 40)
	for _, file := range files {
		out := strings.TrimSuffix(file, ".yaml") + ".out"
		t.Run(strings.TrimSuffix(file, ".yaml"), func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			// Few of them have links.
			code := run(shared(context.Background()), []string{"verify", "--suppress", "RS18", file}, nil, &stdout, &stderr)
			assert.Contains(t, []int{exitOK, exitInvalid}, code, "%s", &stderr)
			require.NotEmpty(t, stdout.String())
			topology, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Regexp(t, `^# [A-Za-z]`, string(topology))
			if *update {
				require.NoError(t, os.WriteFile(out, stdout.Bytes(), 0o644))
			}
			want, err := os.ReadFile(out)
			require.NoError(t, err)
			golden.Equal(t, out, string(want), stdout.String(), "make golden")
			assert.NotRegexp(t, `(?m)^hint: (.*[ (])?docs/`, stdout.String(), "whoever has only the program cannot open it; see finding.Pages")
			for _, secret := range []string{"correct-horse", "AKIAIO", "q83vEjRWeJCr", "0123456789abcdef"} {
				assert.NotContains(t, stdout.String(), secret, "a credential is repeated")
			}
		})
	}
	outs, err := filepath.Glob("*.out")
	require.NoError(t, err)
	assert.Len(t, outs, len(files), "an .out without its .yaml")
}

// TestExamples compares the output of verify for the examples with
// testdata/examples.out. There are no errors, and the comments of an example explain each
// warning.
func TestExamples(t *testing.T) {
	const out = "cmd/sightline/testdata/examples.out"
	t.Chdir("../..")
	files, err := filepath.Glob("topologies/*.yaml")
	require.NoError(t, err)
	var got strings.Builder
	for _, file := range append(files, "topologies/fleet") {
		var stdout, stderr bytes.Buffer
		require.Equal(t, exitOK, run(shared(context.Background()), []string{"verify", file}, nil, &stdout, &stderr), "%s", &stdout)
		got.WriteString("== " + file + "\n" + stdout.String())
	}
	if *update {
		require.NoError(t, os.WriteFile(out, []byte(got.String()), 0o644))
	}
	want, err := os.ReadFile(out)
	require.NoError(t, err)
	golden.Equal(t, out, string(want), got.String(), "make golden")
}
