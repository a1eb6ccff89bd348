package topology_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/golden"
	. "github.com/sightline-mesh/sightline/internal/topology"
)

// TestFindings compares the findings of testdata/err/NAME.yaml with NAME.out.
func TestFindings(t *testing.T) {
	for _, file := range Inputs(t, "testdata/err") {
		out := strings.TrimSuffix(file, ".yaml") + ".out"
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			_, findings := check.Parse(filepath.Base(file), Read(t, file))
			require.NotEmpty(t, findings)
			got := Text(findings)
			if *Update {
				require.NoError(t, os.WriteFile(out, []byte(got), 0o644))
			}
			golden.Equal(t, out, string(Read(t, out)), got, "go test ./internal/topology -run TestFindings -update")
		})
	}
	for _, out := range Glob(t, "testdata/err/*.out") {
		require.FileExists(t, strings.TrimSuffix(out, ".out")+".yaml", "%s has no input", out)
	}
}

// TestNoFindings parses everything in testdata/ok, and the examples.
func TestNoFindings(t *testing.T) {
	for _, file := range append(Inputs(t, "testdata/ok"), Inputs(t, "../../topologies")...) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			_, findings := check.Parse(filepath.Base(file), Read(t, file))
			require.Empty(t, Text(findings))
		})
	}
}
