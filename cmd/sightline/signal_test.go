//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/tree"
)

// mesh returns a topology with this number of clusters.
func mesh(clusters int) []byte {
	var b bytes.Buffer
	b.WriteString("apiVersion: sightline.dev/v1alpha1\nkind: Topology\nmetadata: {name: mesh}\n" +
		"spec:\n  mesh: {id: mesh1}\n  kiali: {hub: c0}\n  clusters:\n    - {name: c0, domain: apps.c0.example.com}\n")
	for i := 1; i < clusters; i++ {
		fmt.Fprintf(&b, "    - {name: c%d, server: \"https://api.c%d.example.com:6443\"}\n", i, i)
	}
	return b.Bytes()
}

// TestWholeInterrupt interrupts renders of a large mesh at later and later moments. Each
// time, the directory is as before or complete, and nothing else is left.
func TestWholeInterrupt(t *testing.T) {
	t.Parallel() // it waits more than it works
	for _, ending := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(ending.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file, out := filepath.Join(dir, "mesh.yaml"), filepath.Join(dir, "out")
			require.NoError(t, os.WriteFile(file, mesh(100), 0o644))
			interrupted, longer := 0, 1.5
			if ending != syscall.SIGINT && !whole() {
				longer = 3 // the sample
			}
			for delay := 5 * time.Millisecond; ; delay = time.Duration(float64(delay) * longer) {
				require.NoError(t, os.RemoveAll(out))
				cmd := exec.Command("sightline", "render", file, "-o", out)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				require.NoError(t, cmd.Start())
				time.Sleep(delay)
				_ = cmd.Process.Signal(ending)
				_ = cmd.Wait()
				if strings.HasPrefix(stderr.String(), "mesh: 100 clusters, ") {
					require.FileExists(t, filepath.Join(out, "clusters", "c99", "kustomization.yaml"))
					break
				}
				entries, readErr := os.ReadDir(dir)
				require.NoError(t, readErr)
				require.Len(t, entries, 1, "after %v: %v, %s", delay, entries, &stderr)
				if !cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
					require.Equal(t, exitFailure, cmd.ProcessState.ExitCode())
					said := strings.TrimSuffix(strings.TrimPrefix(stderr.String(), "sightline: interrupted"), "\n")
					require.Contains(t, []string{"", "; nothing was written", "; " + out + " is as it was"}, said)
					if strings.HasSuffix(said, " is as it was") {
						interrupted++
					}
				}
			}
			t.Logf("interrupted %d times while it was writing", interrupted)
		})
	}
}

// TestNohup closes the terminal of a render with nohup.
func TestNohup(t *testing.T) {
	dir := t.TempDir()
	file, out := filepath.Join(dir, "mesh.yaml"), filepath.Join(dir, "out")
	require.NoError(t, os.WriteFile(file, mesh(100), 0o644))
	signal.Ignore(syscall.SIGHUP) // the program inherits it, as from nohup
	defer signal.Reset(syscall.SIGHUP)
	cmd := exec.Command("sightline", "render", file, "-o", out)
	require.NoError(t, cmd.Start())
	done := make(chan error)
	go func() { done <- cmd.Wait() }()
	for err := error(nil); ; {
		select {
		case err = <-done:
		case <-time.After(time.Millisecond):
			_ = cmd.Process.Signal(syscall.SIGHUP)
			continue
		}
		require.NoError(t, err)
		break
	}
	require.FileExists(t, filepath.Join(out, "clusters", "c99", "kustomization.yaml"))
}

// TestLocked renders while another run writes the directory.
func TestLocked(t *testing.T) {
	dir := t.TempDir()
	file, out := filepath.Join(dir, "mesh.yaml"), filepath.Join(dir, "out")
	require.NoError(t, os.WriteFile(file, mesh(2), 0o644))
	locked, err := tree.Lock(out, tree.Marker{Topology: "mesh", Format: "kustomize", Version: "v1"})
	require.NoError(t, err)
	cmd := exec.Command("sightline", "render", file, "-o", out)
	said, _ := cmd.CombinedOutput()
	require.Equal(t, exitRefused, cmd.ProcessState.ExitCode(), "%s", said)
	require.Equal(t, "sightline: "+out+" is being written by another sightline, expected one at a time\nhint: wait until it is done, and render again\n", string(said))
	locked.Unlock()
	require.NoDirExists(t, out, "it was there for the lock only")
	said, err = exec.Command("sightline", "render", file, "-o", out).CombinedOutput()
	require.NoError(t, err, "%s", said)
}

// TestKill kills renders. The next render repairs the tree.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, out := filepath.Join(dir, "mesh.yaml"), filepath.Join(dir, "out")
	render := func(clusters int) *exec.Cmd {
		require.NoError(t, os.WriteFile(file, mesh(clusters), 0o644))
		return exec.Command("sightline", "render", file, "-o", out, "--allow-remove", "all")
	}
	for delay := 5 * time.Millisecond; ; delay = delay * 3 / 2 {
		cmd := render(100)
		require.NoError(t, cmd.Start())
		time.Sleep(delay)
		_ = cmd.Process.Kill()
		done := cmd.Wait() == nil
		said, err := render(3).CombinedOutput()
		require.NoError(t, err, "after %v: %s", delay, said)
		require.Empty(t, leavings(t, dir), "after %v", delay)
		clusters, err := filepath.Glob(filepath.Join(out, "clusters", "c*"))
		require.NoError(t, err)
		require.Len(t, clusters, 3)
		if done {
			break
		}
	}
}

// leavings lists staged files, which a run should not leave.
func leavings(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if name := filepath.Base(path); strings.Contains(name, ".sightline") && name != ".sightline" {
			found = append(found, path)
		}
		return err
	}))
	return found
}

// TestInterruptedBeforeWriting interrupts commands that wait for a topology. Each reports
// it, and has written nothing.
func TestInterruptedBeforeWriting(t *testing.T) {
	for command, want := range map[string]string{
		"render - -o out":         "sightline: interrupted; nothing was written\n",
		"render - -o out --check": "sightline: interrupted; nothing was written\n",
		"render - -o -":           "sightline: interrupted\n",
		"verify -":                "sightline: interrupted\n",
		"diff - -o out":           "sightline: interrupted\n",
		"status -":                "sightline: interrupted\n",
	} {
		for _, ending := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			t.Run(command+" "+ending.String(), func(t *testing.T) {
				dir := t.TempDir()
				cmd := exec.Command("sightline", strings.Fields(command)...)
				cmd.Dir = dir
				var stdout, stderr bytes.Buffer
				cmd.Stdout, cmd.Stderr = &stdout, &stderr
				stdin, err := cmd.StdinPipe()
				require.NoError(t, err)
				defer stdin.Close()
				require.NoError(t, cmd.Start())
				// More than a pipe holds: when it is written, the command has begun to read.
				_, err = stdin.Write(bytes.Repeat([]byte("#\n"), 64<<10))
				require.NoError(t, err)
				require.NoError(t, cmd.Process.Signal(ending))
				done := make(chan error, 1)
				go func() { done <- cmd.Wait() }()
				select {
				case err := <-done:
					require.Error(t, err)
				case <-time.After(30 * time.Second):
					require.NoError(t, cmd.Process.Kill())
					t.Fatal("it waits on")
				}
				require.Equal(t, exitFailure, cmd.ProcessState.ExitCode())
				require.Equal(t, want, stderr.String())
				require.Empty(t, stdout.String())
				entries, err := os.ReadDir(dir)
				require.NoError(t, err)
				require.Empty(t, entries)
			})
		}
	}
}

// TestReaderGone prints to a closed pipe: there is no message and no panic.
func TestReaderGone(t *testing.T) {
	for name, command := range map[string][]string{
		"signal":         {"sightline", "render", "--example", "-o", "-"},
		"signal ignored": {"sh", "-c", "trap '' PIPE; exec sightline render --example -o -"},
		"version":        {"sh", "-c", "trap '' PIPE; exec sightline version"},
	} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			require.NoError(t, err)
			require.NoError(t, r.Close())
			defer w.Close()
			cmd := exec.Command(command[0], command[1:]...)
			cmd.Stdout = w
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			require.Error(t, cmd.Run())
			require.Empty(t, stderr.String())
		})
	}
}

// TestInterruptDiff interrupts comparisons with a revision at later and later moments.
// The temporary folder of the revision is always removed.
func TestInterruptDiff(t *testing.T) {
	dir, temp := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mesh.yaml"), mesh(500), 0o644))
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q", "-m", "x"}} {
		git := exec.Command("git", args...)
		git.Dir = dir
		out, err := git.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	there := 0 // when it was interrupted
	for delay := 10 * time.Millisecond; ; delay = delay * 9 / 8 {
		cmd := exec.Command("sightline", "diff", "mesh.yaml", "--against", "HEAD")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "TMPDIR="+temp)
		require.NoError(t, cmd.Start())
		time.Sleep(delay)
		during, err := os.ReadDir(temp)
		require.NoError(t, err)
		_ = cmd.Process.Signal(syscall.SIGINT)
		_ = cmd.Wait()
		if cmd.ProcessState.Success() {
			break
		}
		after, err := os.ReadDir(temp)
		require.NoError(t, err)
		require.Empty(t, after, "left after %v", delay)
		there += len(during)
	}
	t.Logf("the folder was there %d times", there)

	old := filepath.Join(temp, scratchFolder+"killed")
	require.NoError(t, os.MkdirAll(filepath.Join(old, "a"), 0o700))
	before := time.Now().Add(-2 * forgotten)
	require.NoError(t, os.Chtimes(old, before, before))
	removeForgotten(temp)
	require.NoDirExists(t, old)
}
