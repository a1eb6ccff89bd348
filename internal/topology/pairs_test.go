package topology

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/finding"
)

var update = flag.Bool("update", false, "rewrite the .out files of testdata/err")

// TestFindings compares what is found in testdata/err/NAME.yaml with NAME.out.
func TestFindings(t *testing.T) {
	for _, file := range inputs(t, "testdata/err") {
		out := strings.TrimSuffix(file, ".yaml") + ".out"
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			_, findings := Parse(filepath.Base(file), read(t, file))
			require.NotEmpty(t, findings)
			got := text(findings)
			if *update {
				require.NoError(t, os.WriteFile(out, []byte(got), 0o644))
			}
			require.Equal(t, string(read(t, out)), got)
		})
	}
	for _, out := range glob(t, "testdata/err/*.out") {
		require.FileExists(t, strings.TrimSuffix(out, ".out")+".yaml", "%s has no input", out)
	}
}

// TestNoFindings parses everything in testdata/ok, and the examples.
func TestNoFindings(t *testing.T) {
	for _, file := range append(inputs(t, "testdata/ok"), inputs(t, "../../topologies")...) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			_, findings := Parse(filepath.Base(file), read(t, file))
			require.Empty(t, text(findings))
		})
	}
}

// text is what a terminal shows of the findings.
func text(findings finding.Findings) string {
	var b strings.Builder
	for _, f := range findings {
		b.WriteString(f.String() + "\n")
	}
	return b.String()
}

func inputs(t testing.TB, dir string) []string {
	t.Helper()
	files := glob(t, filepath.Join(dir, "*.yaml"))
	require.NotEmpty(t, files)
	return files
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	return files
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return data
}
