package suite

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// TestFullDisk renders to a disk that is full at ever later moments, in bytes or in
// files. Each time, the tree does not change, no other file is left, and the message
// says why. With enough room, the tree is complete.
func TestFullDisk(t *testing.T) {
	small, large := meshFile(t, 2, "30s"), meshFile(t, 60, "30s")
	for name, limits := range map[string]func(step int) string{
		"bytes": func(step int) string { return fmt.Sprintf("size=%dk,nr_inodes=0", 256+64*step) },
		"files": func(step int) string { return fmt.Sprintf("size=0,nr_inodes=%d", 80+40*step) },
	} {
		t.Run(name, func(t *testing.T) {
			disk := rig.NewDisk(t, limits(0))
			out := filepath.Join(disk.Dir, "out")
			rig.Run(t, rig.Sightline(), "render", small, "-o", out)
			before := files(t, out)
			full := 0
			for step := 0; ; step++ {
				disk.Resize(t, limits(step))
				result := rig.Try(t, rig.Sightline(), "render", large, "-o", out)
				require.Empty(t, strays(t, disk.Dir), "step %d", step)
				if result.Code == 0 {
					break
				}
				full++
				require.Equal(t, 2, result.Code, result.Stderr)
				require.Contains(t, result.Stderr, "no space left on device")
				require.Contains(t, result.Stderr, disk.Dir, "the message says which disk")
				require.Equal(t, before, files(t, out), "step %d", step)
			}
			t.Logf("full %d times", full)
			require.Greater(t, full, 3)
			require.Equal(t, rendered(t, large), files(t, out))
		})
	}
}

// TestKillRender kills renders of two versions of a mesh in turn, at random moments. Each
// file is always complete, from one of the versions. The next render that is not killed
// makes a normal tree.
func TestKillRender(t *testing.T) {
	versions := []string{meshFile(t, 150, "30s"), meshFile(t, 150, "15s")}
	var trees []map[string]string
	took := time.Duration(0)
	for _, version := range versions {
		start := time.Now()
		trees = append(trees, rendered(t, version))
		took = max(took, time.Since(start))
	}
	require.NotEqual(t, trees[0], trees[1])
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	rig.Run(t, rig.Sightline(), "render", versions[0], "-o", out)
	killed := 0
	for i := range 40 {
		cmd := exec.Command(rig.Sightline(), "render", versions[(i+1)%2], "-o", out)
		require.NoError(t, cmd.Start())
		delay := time.Duration(rand.Int64N(int64(took)))
		time.Sleep(delay)
		_ = cmd.Process.Kill() // it may already have ended
		if cmd.Wait() != nil {
			killed++
		}
		found, writing := files(t, out), false
		for path, content := range found {
			if strings.Contains(path, "/.sightline-") {
				delete(found, path) // what the killed one had staged
				continue
			}
			if path == "/.sightline" { // a run that is killed while it changes the tree says so
				content, writing = strings.CutSuffix(content, "state: writing\n")
			}
			assert.Contains(t, []string{trees[0][path], trees[1][path]}, content, "%s, %v after the start", path, delay)
		}
		assert.True(t, writing || maps.Equal(found, trees[0]) || maps.Equal(found, trees[1]), "parts of two trees, and the marker does not say so")
	}
	t.Logf("killed %d times within %v", killed, took)
	require.Greater(t, killed, 10)
	for i, version := range versions {
		rig.Run(t, rig.Sightline(), "render", version, "-o", out)
		require.Equal(t, trees[i], files(t, out))
		require.Empty(t, strays(t, dir))
	}
}

// TestNothingIsLeft ends runs of this suite with Ctrl-C and with kill -9, after their API
// servers have started.
func TestNothingIsLeft(t *testing.T) {
	for _, end := range []os.Signal{os.Interrupt, os.Kill} {
		t.Run(end.String(), func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			cmd, err := rig.Again(home, "-test.run", "^TestAccountMadeAnew$")
			require.NoError(t, err)
			mark := "SIGHTLINE_E2E_HOME=" + home
			require.NoError(t, cmd.Start())
			rig.Wait(t, time.Minute, "both control planes of another run", func() error {
				if n := strings.Count(commands(t, mark), "kube-controller-manager"); n != 2 {
					return fmt.Errorf("%d of 2 controller managers run", n)
				}
				return nil
			})
			require.NoError(t, cmd.Process.Signal(end))
			require.Error(t, cmd.Wait())
			rig.Wait(t, 5*time.Second, "the processes of the other run to be gone", func() error {
				if left := commands(t, mark); left != "" {
					return fmt.Errorf("there are still\n%s", left)
				}
				return nil
			})
			require.Empty(t, written(t, filepath.Join(home, "run")))
		})
	}
}

// commands returns the command lines, one on each line, of the processes with this entry
// in their environment.
func commands(t *testing.T, entry string) string {
	t.Helper()
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	require.NoError(t, err)
	var found strings.Builder
	for _, file := range environments {
		environment, _ := os.ReadFile(file) // the process may have ended
		if !strings.Contains(string(environment), entry+"\x00") {
			continue
		}
		command, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		fmt.Fprintln(&found, strings.ReplaceAll(string(command), "\x00", " "))
	}
	return found.String()
}

// meshFile writes a topology with this number of clusters, and returns the path.
func meshFile(t *testing.T, clusters int, interval string) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: sightline.dev/v1alpha1\nkind: Topology\nmetadata: {name: mesh}\nspec:\n  mesh: {id: mesh1}\n"+
		"  kiali: {hub: c0}\n  metrics: {interval: %s}\n  namespaces: [sample]\n  clusters:\n    - {name: c0, domain: apps.c0.example.com}\n", interval)
	for i := 1; i < clusters; i++ {
		fmt.Fprintf(&b, "    - {name: c%d, server: \"https://api.c%d.example.com:6443\", metrics: {interval: %s}}\n", i, i, interval)
	}
	file := filepath.Join(t.TempDir(), "mesh.yaml")
	require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
	return file
}

// rendered returns the tree of an undisturbed render.
func rendered(t *testing.T, topology string) map[string]string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	rig.Run(t, rig.Sightline(), "render", topology, "-o", out)
	return files(t, out)
}

// strays returns the staged files in a directory. A render must not leave any.
func strays(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if name := filepath.Base(path); strings.Contains(name, ".sightline") && name != ".sightline" {
			found = append(found, path)
		}
		return err
	}))
	return found
}
