//go:build linux && amd64

package files

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPairs renders two versions of a topology into one directory at once, 200 times.
// Every second time the directory is new, else the previous pair has used it. The
// tree is one of the two, complete. A run that finds the other one at work exits
// with 4.
func TestPairs(t *testing.T) {
	versions := []string{t.TempDir(), t.TempDir()}
	topology(t, versions[0], "30s", "", "west", "north")
	topology(t, versions[1], "15s", "", "west", "south")
	var trees []map[string]string
	for _, dir := range versions {
		said, err := render(t, dir, "kustomize")
		require.NoError(t, err, said)
		trees = append(trees, read(t, filepath.Join(dir, "out")))
	}
	parent := t.TempDir()
	out := filepath.Join(parent, "out")
	codes := map[[2]int]int{}
	for i := range 200 {
		if i%2 == 0 {
			require.NoError(t, os.RemoveAll(out))
		}
		var runs [2]*exec.Cmd
		var said [2]bytes.Buffer
		for n := range runs {
			runs[n] = exec.Command(sightline(t), "render", filepath.Join(versions[n], "mesh.yaml"), "-o", out, "--allow-remove", "all")
			runs[n].Stderr = &said[n]
			require.NoError(t, runs[n].Start())
		}
		var code [2]int
		for n := range runs {
			_ = runs[n].Wait()
			code[n] = runs[n].ProcessState.ExitCode()
		}
		codes[code]++
		found := read(t, out)
		switch code {
		case [2]int{0, 0}: // one after the other
			require.True(t, maps.Equal(found, trees[0]) || maps.Equal(found, trees[1]), "a mixed tree")
		case [2]int{0, 4}:
			require.Equal(t, trees[0], found)
			require.Contains(t, said[1].String(), "is being written by another sightline")
		case [2]int{4, 0}:
			require.Equal(t, trees[1], found)
			require.Contains(t, said[0].String(), "is being written by another sightline")
		default:
			t.Fatalf("exit codes %v\n%s\n%s", code, &said[0], &said[1])
		}
		names, err := os.ReadDir(parent)
		require.NoError(t, err)
		require.Len(t, names, 1, "nothing is left beside it")
		require.Empty(t, leavings(t, parent))
	}
	t.Logf("exit codes: %v", codes)
	assert.NotZero(t, codes[[2]int{0, 4}]+codes[[2]int{4, 0}], "no two runs have met")
}
