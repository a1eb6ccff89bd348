//go:build linux && amd64

package files

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	if os.Getenv(launch) != "" {
		fmt.Fprintln(os.Stderr, "launch:", become())
		os.Exit(127)
	}
	os.Exit(m.Run())
}

// sightline is the program under test, which the Makefile builds.
func sightline(t *testing.T) string {
	t.Helper()
	program := os.Getenv("SIGHTLINE")
	require.NotEmpty(t, program, "SIGHTLINE names no program; make e2e does it")
	return program
}

// topology writes a topology to a directory.
func topology(t *testing.T, dir, interval, overlays string, clusters ...string) {
	t.Helper()
	text := "apiVersion: sightline.dev/v1alpha1\nkind: Topology\nmetadata:\n  name: mesh\n  annotations: {sightline.dev/suppress: \"PM13, RS18\"}\n" +
		"spec:\n  mesh: {id: mesh1}\n  kiali: {hub: east}\n  namespaces: [sample]\n  metrics: {interval: " + interval + "}\n" + overlays +
		"  clusters:\n    - {name: east, domain: apps.east.example.com}\n"
	for _, name := range clusters {
		text += fmt.Sprintf("    - {name: %s, server: \"https://api.%s.example.com:6443\"}\n", name, name)
	}
	write(t, filepath.Join(dir, "mesh.yaml"), text)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
}

// overlay writes a kustomize overlay whose patches are copied into the tree.
func overlay(t *testing.T, dir string, patches map[string]string) {
	t.Helper()
	text := "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n"
	for _, name := range slices.Sorted(maps.Keys(patches)) {
		write(t, filepath.Join(dir, "overlays", "team", name), fmt.Sprintf("- {op: add, path: /metadata/annotations/example.com~1team, value: %s}\n", patches[name]))
		text += "- {path: " + name + ", target: {kind: Kiali}}\n"
	}
	write(t, filepath.Join(dir, "overlays", "team", "kustomization.yaml"), text)
}

// scene is a directory with a topology, a tree in out, and files of the user.
type scene struct {
	t      *testing.T
	format string
	before string            // the directory before the render
	mine   map[string]string // files of the user below out
	old    map[string]string // the tree before, by path; nil if there is none
	new    map[string]string // and after
}

// read returns the files and links below a directory, or none if it does not exist. It
// leaves out staged files and empty folders.
func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if strings.HasPrefix(e.Name(), ".sightline-stage-") {
				return fs.SkipDir
			}
			return nil
		}
		rel, _ := filepath.Rel(dir, path)
		if e.Type()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			found[rel] = "-> " + target
			return err
		}
		content, err := os.ReadFile(path)
		found[rel] = string(content)
		return err
	})
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	return found
}

func render(t *testing.T, dir, format string) (string, error) {
	t.Helper()
	said, err := exec.Command(sightline(t), renderArgs(dir, format)...).CombinedOutput()
	return string(said), err
}

func renderArgs(dir, format string) []string {
	return []string{"render", filepath.Join(dir, "mesh.yaml"), "-o", filepath.Join(dir, "out"), "--format", format, "--allow-remove", "all"}
}

// newScene makes an existing tree, or none, and the tree after a render. Between the
// two, one cluster leaves and one is added, every monitor changes, and an overlay gets
// one patch and loses another.
func newScene(t *testing.T, format string, first bool) *scene {
	t.Helper()
	s := &scene{t: t, format: format, before: t.TempDir(), mine: map[string]string{}}
	overlays := ""
	if format == "kustomize" {
		overlays = "  overlays: [{name: team, kustomize: overlays/team}]\n"
		overlay(t, s.before, map[string]string{"a.yaml": "one", "b.yaml": "two"})
	}
	write(t, filepath.Join(s.before, "precious", "notes.md"), "Mine.\n")
	out := filepath.Join(s.before, "out")
	if !first {
		topology(t, s.before, "30s", overlays, "north")
		said, err := render(t, s.before, format)
		require.NoError(t, err, said)
		s.old = read(t, out)
		for _, name := range []string{"README.md", "clusters/CODEOWNERS", "clusters/east/extra.yaml", "clusters/north/NOTES.md", "overlays/team/mine.yaml"} {
			write(t, filepath.Join(out, name), "Mine.\n")
			s.mine[name] = "Mine.\n"
		}
		require.NoError(t, os.Symlink("../../precious", filepath.Join(out, "clusters", "precious")))
		s.mine["clusters/precious"] = "-> ../../precious"
	}
	if format == "kustomize" {
		require.NoError(t, os.RemoveAll(filepath.Join(s.before, "overlays")))
		overlay(t, s.before, map[string]string{"b.yaml": "three", "c.yaml": "four"})
	}
	topology(t, s.before, "15s", overlays, "south")
	after := s.copy()
	said, err := render(t, after, format)
	require.NoError(t, err, said)
	s.new = s.tree(after)
	require.NotEqual(t, s.old, s.new)
	return s
}

// copy copies the directory of before the render.
func (s *scene) copy() string {
	s.t.Helper()
	dir, err := os.MkdirTemp(s.t.TempDir(), "run-")
	require.NoError(s.t, err)
	require.NoError(s.t, filepath.WalkDir(s.before, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == s.before {
			return err
		}
		rel, _ := filepath.Rel(s.before, path)
		to := filepath.Join(dir, rel)
		switch {
		case e.IsDir():
			return os.Mkdir(to, 0o755)
		case e.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, to)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, content, 0o644)
	}))
	return dir
}

// tree returns the files of the tree in a directory. It first checks that the files of
// the user did not change.
func (s *scene) tree(dir string) map[string]string {
	s.t.Helper()
	found := read(s.t, filepath.Join(dir, "out"))
	for name, content := range s.mine {
		require.Equal(s.t, content, found[name], "%s is the user's", name)
		delete(found, name)
	}
	require.Equal(s.t, map[string]string{"notes.md": "Mine.\n"}, read(s.t, filepath.Join(dir, "precious")))
	return found
}

// state returns which tree a directory has: old, new, or parts of both.
func (s *scene) state(dir, about string) string {
	s.t.Helper()
	found := s.tree(dir)
	for name, content := range found {
		if name == ".sightline" {
			continue
		}
		old, wasThere := s.old[name]
		now, isThere := s.new[name]
		require.True(s.t, wasThere && content == old || isThere && content == now, "%s is torn, or nobody's: %q: %s", name, content, about)
	}
	switch {
	case maps.Equal(found, s.new):
		return "new"
	case maps.Equal(found, s.old):
		return "old"
	}
	require.Contains(s.t, found[".sightline"], "\nstate: writing\n", "parts of two trees, and the marker does not say so: %s", about)
	return "writing"
}

// leavings lists the staged files in a directory.
func leavings(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{".out.sightline-*", "out/.sightline-stage-*"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		require.NoError(t, err)
		found = append(found, names...)
	}
	return found
}

// errorOf returns the error of a failed call.
func errorOf(call string) []syscall.Errno {
	switch call {
	case "link": // also on a file system without links
		return []syscall.Errno{syscall.ENOSPC, syscall.EPERM}
	case "create", "mkdir", "write":
		return []syscall.Errno{syscall.ENOSPC}
	}
	return []syscall.Errno{syscall.EIO}
}

// TestFaults lets each call of a render fail once, and kills the program once in place
// of each call. Afterwards, the directory has the old tree, the new tree, or a marker
// of an unfinished write. No file is half written, no file of the user changes, and
// the next render makes the new tree.
func TestFaults(t *testing.T) {
	var all, scenes atomic.Int64
	t.Run("all", func(t *testing.T) {
		for _, format := range []string{"kustomize", "helm", "manifests"} {
			for _, first := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s, first %v", format, first), func(t *testing.T) {
					t.Parallel()
					all.Add(int64(newScene(t, format, first).faults()))
					scenes.Add(1)
				})
			}
		}
	})
	t.Logf("%d faults in all", all.Load())
	if scenes.Load() == 6 { // -run has left none out
		assert.Greater(t, all.Load(), int64(500))
	}
}

// faults tries all faults, and returns their number.
func (s *scene) faults() int {
	t := s.t
	run, dir := s.watch(fault{})
	require.Equal(t, 0, run.code, run.stderr)
	require.Equal(t, "new", s.state(dir, ""))
	calls := run.calls
	kinds := map[string]int{}
	for _, call := range calls {
		name, _, _ := strings.Cut(call, " ")
		kinds[name]++
	}
	expected := []string{"open", "create", "mkdir", "write", "close", "rename", "sync", "lock"}
	if s.old != nil {
		expected = append(expected, "link", "unlink")
	}
	for _, name := range expected {
		require.NotZero(t, kinds[name], "no call of this kind is seen: %v", kinds)
	}
	states := map[string]int{}
	tried, changed := 0, true
	for at := 1; at <= len(calls); at++ {
		name, _, _ := strings.Cut(calls[at-1], " ")
		var faults []fault
		for _, err := range errorOf(name) {
			faults = append(faults, fault{at: at, err: err})
		}
		// If nothing has changed since the previous call, a kill has the same effect.
		if changed {
			faults = append(faults, fault{at: at, kill: true})
		}
		changed = !slices.Contains([]string{"open", "close", "lock"}, name)
		for _, f := range faults {
			tried++
			states[s.try(f)]++
		}
	}
	t.Logf("%s: %d calls (%v), %d faults: %v", s.format, len(calls), kinds, tried, states)
	return tried
}

// watch renders in a copy of the directory.
func (s *scene) watch(f fault) (*run, string) {
	s.t.Helper()
	dir := s.copy()
	r, err := watch(dir, f, sightline(s.t), renderArgs(dir, s.format)...)
	require.NoError(s.t, err, f)
	return r, dir
}

func (s *scene) try(f fault) string {
	t := s.t
	r, dir := s.watch(f)
	defer os.RemoveAll(dir)
	if len(r.calls) < f.at { // the number of goroutines varies
		require.Equal(t, 0, r.code, "%v: %s", f, r.stderr)
		return "not reached"
	}
	about := fmt.Sprintf("%v (%s), exit code %d: %s", f, strings.ReplaceAll(r.calls[f.at-1], dir+"/", ""), r.code, r.stderr)
	state := s.state(dir, about)
	outcome := fmt.Sprintf("%s after exit code %d", state, r.code)
	switch {
	case f.kill:
		require.Equal(t, -1, r.code, about)
		outcome = state + " after kill"
	case r.code == 0:
		require.Equal(t, "new", state, about)
	case state == "new":
		require.Contains(t, r.stderr, ": the new tree is in place, but ", about)
	case state == "writing":
		require.Contains(t, r.stderr, "undoing failed too", about)
	default:
		require.NotEmpty(t, r.stderr, about)
	}
	if f.kill || state == "writing" || len(leavings(t, dir)) > 0 {
		said, err := render(t, dir, s.format)
		require.NoError(t, err, "%s\nand the next render: %s", about, said)
		require.Equal(t, "new", s.state(dir, about), about)
		require.Empty(t, leavings(t, dir), about)
	}
	return outcome
}
