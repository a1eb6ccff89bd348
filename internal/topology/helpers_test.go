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

const head = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: large}
`

const small = head + `spec:
  mesh: {id: mesh1}
  kiali: {hub: east}
  clusters: [{name: east}]
`

// text returns the findings as a terminal shows them.
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
