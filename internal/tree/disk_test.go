package tree

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func eastWest() Marker {
	return Marker{Topology: "east-west", Format: "kustomize", Version: "v1"}
}

// signed makes a tree of "path" or "path=content" words, as a render gives it.
func signed(words ...string) []File {
	files, err := Sign(treeOf(words...))
	if err != nil {
		panic(err)
	}
	return files
}

// planFor opens and compares.
func planFor(t *testing.T, dir string, files []File) *Plan {
	t.Helper()
	d, err := Lock(dir, eastWest())
	require.NoError(t, err)
	t.Cleanup(d.Unlock)
	plan, err := d.Compare(context.Background(), files, Claims{})
	require.NoError(t, err)
	return plan
}

func apply(t *testing.T, dir string, files []File) Report {
	t.Helper()
	plan := planFor(t, dir, files)
	defer plan.dir.Unlock()
	require.NoError(t, plan.Apply(context.Background()))
	return plan.Report()
}

// tryApply is apply, which may fail.
func tryApply(t *testing.T, ctx context.Context, dir string, files []File) error {
	t.Helper()
	plan := planFor(t, dir, files)
	defer plan.dir.Unlock()
	return plan.Apply(ctx)
}

// seen is everything about one path that a run could change.
type seen struct {
	info    fs.FileInfo
	content string
}

// snapshot looks at everything below a directory without the code under test.
func snapshot(t *testing.T, dir string) map[string]seen {
	t.Helper()
	all := map[string]seen{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := os.Lstat(path)
		require.NoError(t, err)
		s := seen{info: info}
		switch {
		case info.Mode().IsRegular():
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			s.content = string(content)
		case info.Mode()&fs.ModeSymlink != 0:
			s.content, err = os.Readlink(path)
			require.NoError(t, err)
		}
		rel, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		all[filepath.ToSlash(rel)] = s
		return nil
	}))
	return all
}

// requireIntact wants the same paths, files, contents and times. The time of a
// folder may differ where something was staged in it, unless folders says no.
func requireIntact(t *testing.T, before, after map[string]seen, folders bool) {
	t.Helper()
	require.ElementsMatch(t, keys(before), keys(after))
	for path, b := range before {
		a := after[path]
		require.Equal(t, b.content, a.content, path)
		require.Equal(t, b.info.Mode(), a.info.Mode(), path)
		if folders || !b.info.IsDir() { // an undone removal creates the folder again
			require.True(t, os.SameFile(b.info, a.info), "%s is another file", path)
		}
		if folders || !b.info.IsDir() {
			require.Equal(t, b.info.ModTime(), a.info.ModTime(), path)
		}
	}
}

func keys[V any](m map[string]V) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// requireTree wants the marker, the files, their folders and nothing else.
func requireTree(t *testing.T, dir string, files []File) {
	t.Helper()
	want := map[string]string{".": "", markerName: string(record{Marker: eastWest()}.text())}
	for _, f := range files {
		want[f.Path] = string(f.Text())
		for folder := filepath.Dir(f.Path); folder != "."; folder = filepath.Dir(folder) {
			want[filepath.ToSlash(folder)] = ""
		}
	}
	got := map[string]string{}
	for path, s := range snapshot(t, dir) {
		got[path] = s.content
	}
	require.Equal(t, want, got)
}

// namesIn lists a directory.
func namesIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func writeAll(t *testing.T, dir string, files ...string) {
	t.Helper()
	for _, f := range treeOf(files...) {
		path := filepath.Join(dir, f.Path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, f.Content, 0o644))
	}
}

func TestFirstWrite(t *testing.T) {
	files := signed("clusters/b/kiali/kiali.yaml=1", "base/x.yaml=2", "clusters/a/kustomization.yaml=3", "empty=", "z=4")
	parent := t.TempDir()
	dir := filepath.Join(parent, "some", "where", "out")

	report := apply(t, dir, files)
	assert.Equal(t, Report{Added: 5}, report)
	requireTree(t, dir, files)
	assert.Equal(t, []string{"out"}, namesIn(t, filepath.Dir(dir)), "nothing stays beside it")
}

func TestFirstWriteIsOneRename(t *testing.T) {
	dir := filepath.Join(memoryDir(t), "out")
	var files []File
	for i := range 500 {
		files = append(files, signed(fmt.Sprintf("f%d/a=%d", i, i))...)
	}
	plan := planFor(t, dir, files)
	done := make(chan error)
	go func() { done <- plan.Apply(context.Background()) }()
	for {
		entries, err := os.ReadDir(dir)
		if err == nil && len(entries) == 0 {
			continue // it is locked
		}
		if err == nil {
			require.Len(t, entries, len(files)+1, "the directory appeared before it was complete")
			break
		}
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	require.NoError(t, <-done)
}

func TestFirstWriteOfNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	apply(t, dir, nil)
	requireTree(t, dir, nil)
	before := snapshot(t, dir)
	apply(t, dir, nil)
	requireIntact(t, before, snapshot(t, dir), true)
}

func TestNothingChangedWritesNothing(t *testing.T) {
	files := signed("clusters/a/x=1", "clusters/b/x=2", "base/y=3", "big="+strings.Repeat("0123456789", 20_000))
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	apply(t, dir, files)
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	for path := range snapshot(t, dir) {
		require.NoError(t, os.Chtimes(filepath.Join(dir, path), old, old))
	}
	require.NoError(t, os.Chtimes(parent, old, old))
	before := snapshot(t, parent)

	plan := planFor(t, dir, files)
	changes, err := plan.Changes(context.Background())
	require.NoError(t, err)
	assert.Empty(t, changes)
	assert.Equal(t, Report{Unchanged: 4}, plan.Report())
	require.NoError(t, plan.Apply(context.Background()))
	requireIntact(t, before, snapshot(t, parent), true)
}

func TestUpdate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	apply(t, dir, signed("base/same=1", "base/shorter=22", "base/equal-size=3", "base/gone=4", "clusters/a/x/y/z=5", "clusters/b/x=6", "clusters/b/y=7"))
	before := snapshot(t, dir)
	files := signed("base/same=1", "base/shorter=2", "base/equal-size=x", "base/new=4", "clusters/b/x=6", "clusters/b/y=7", "clusters/c/x/y=8", "clusters/c/z=9")

	report := apply(t, dir, files)
	assert.Equal(t, Report{Added: 3, Changed: 2, Removed: 2, Unchanged: 3}, report)
	requireTree(t, dir, files)
	after := snapshot(t, dir)
	for _, path := range []string{".", "base", "base/same", "clusters/b", "clusters/b/x", "clusters/b/y"} {
		assert.True(t, os.SameFile(before[path].info, after[path].info), path)
		if !before[path].info.IsDir() {
			assert.Equal(t, before[path].info.ModTime(), after[path].info.ModTime(), path)
		}
	}
	assert.False(t, os.SameFile(before["base/equal-size"].info, after["base/equal-size"].info), "a file is replaced, not written into")
}

// Whoever reads a file while it is replaced meets the old one or the new one.
func TestChangedFileIsNeverAbsent(t *testing.T) {
	dir := filepath.Join(memoryDir(t), "out")
	apply(t, dir, signed("a=0"))
	stop, absent := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for {
			select {
			case <-stop:
				absent <- n
				return
			default:
				if content, err := os.ReadFile(filepath.Join(dir, "a")); err != nil || len(content) == 0 {
					n++
				}
			}
		}
	}()
	for i := range 300 {
		apply(t, dir, signed(fmt.Sprintf("a=%d", i+1)))
	}
	close(stop)
	assert.Zero(t, <-absent)
}

func TestFileBecomesFolderAndBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	one := signed("a=1", "b/c/d=2", "b/e=3", "f/g=4")
	two := signed("a/b/c=5", "a/d=6", "b=7", "f/g/h=8")
	for _, files := range [][]File{one, two, one, two} {
		apply(t, dir, files)
		requireTree(t, dir, files)
	}
}

// TestRandomTrees goes from tree to tree, with few names so that they collide in
// every way, and wants each to be exact and the next look to find no difference.
func TestRandomTrees(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	dir := filepath.Join(memoryDir(t), "out")
	var last []File
	for range 400 {
		files := last
		for len(files) == 0 || random.Intn(3) > 0 {
			var parts []string
			for range 1 + random.Intn(4) {
				parts = append(parts, string(rune('a'+random.Intn(3))))
			}
			if random.Intn(4) == 0 && len(files) > 0 {
				i := random.Intn(len(files))
				files = slices.Concat(files[:i], files[i+1:])
			}
			more, err := New(slices.Concat(files, signed(fmt.Sprintf("%s=%d", strings.Join(parts, "/"), random.Intn(3)))))
			if err == nil { // otherwise a collision: try others
				files = more
			}
		}
		plan := planFor(t, dir, files)
		changes, err := plan.Changes(context.Background())
		require.NoError(t, err)
		require.Equal(t, Compare(last, files), changes, "on the disk and in memory")
		require.NoError(t, plan.Apply(context.Background()))
		plan.dir.Unlock()
		requireTree(t, dir, files)
		plan = planFor(t, dir, files)
		require.Empty(t, plan.changes)
		plan.dir.Unlock()
		last = files
	}
}

func TestEmptyDirectoryAtTheTopOfACheckout(t *testing.T) {
	dir := t.TempDir()
	writeAll(t, dir, ".git/HEAD=ref", ".git/hooks/x=y")
	root, err := os.Stat(dir)
	require.NoError(t, err)
	git := snapshot(t, filepath.Join(dir, ".git"))

	for _, files := range [][]File{signed("a/b=1"), signed("c=1"), nil} {
		apply(t, dir, files)
		requireIntact(t, git, snapshot(t, filepath.Join(dir, ".git")), true)
	}
	assert.Equal(t, []string{".git", ".sightline"}, namesIn(t, dir))
	after, err := os.Stat(dir)
	require.NoError(t, err)
	assert.True(t, os.SameFile(root, after), "a directory that is there stays: it may be a mount point")
}

// countdown is a context that is cancelled the nth time somebody asks.
type countdown struct {
	context.Context
	left *atomic.Int64
}

func (c countdown) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestCancelled cancels at every place where Apply looks, until it no longer
// looks: then the tree must be written, and before that nothing.
func TestCancelled(t *testing.T) {
	old := signed("a/same=1", "a/changed=1", "a/gone=1", "b/gone=1")
	new := signed("a/same=1", "a/changed=2", "a/new=2", "c/d/new=2", "c/new=2")
	for _, test := range []struct {
		name  string
		first []File
		looks int // at the start, at each marker and file, before the commit
	}{{"absent", nil, 1 + 1 + 5 + 1}, {"present", old, 1 + 2 + 4 + 1}} {
		t.Run(test.name, func(t *testing.T) {
			parent := memoryDir(t)
			dir := filepath.Join(parent, "sub", "out")
			if test.first != nil {
				apply(t, dir, test.first)
			}
			before := snapshot(t, parent)
			for n := range 1000 {
				left := &atomic.Int64{}
				left.Store(int64(n))
				err := tryApply(t, countdown{context.Background(), left}, dir, new)
				if err == nil {
					assert.Equal(t, test.looks, n)
					break
				}
				require.ErrorIs(t, err, context.Canceled)
				require.EqualError(t, err, "write "+dir+": context canceled")
				requireIntact(t, before, snapshot(t, parent), false)
			}
			requireTree(t, dir, new)
		})
	}
}

func TestCancelledWhileReading(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	apply(t, dir, signed("a/b=1"))
	d, err := Open(dir, eastWest())
	require.NoError(t, err)
	ctx, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer cancel()
	_, err = d.Compare(ctx, nil, Claims{})
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, dir)
	_, err = d.Files(ctx)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = planFor(t, dir, nil).Changes(ctx)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestLeftoversAreRemoved(t *testing.T) {
	random := "ABCDEFGHIJKLMNOPQRSTUVWXY7"
	for _, present := range []bool{true, false} {
		parent := t.TempDir()
		dir := filepath.Join(parent, "out")
		files := signed("a=1")
		if present {
			apply(t, dir, files)
			writeAll(t, dir, stagePrefix+random+"/new/a=half")
		}
		writeAll(t, parent, ".out.sightline-"+random+"/a=half")
		near := []string{
			".out.sightline-" + random + "X/a", ".out.sightline-" + strings.ToLower(random) + "/a",
			".other.sightline-" + random + "/a", "out.sightline-" + random + "/a", ".out.sightline-/a",
		}
		writeAll(t, parent, near...)
		if present {
			d, err := Open(dir, eastWest())
			require.NoError(t, err)
			there, err := d.Files(context.Background())
			require.NoError(t, err)
			assert.Empty(t, Compare(files, there))
			plan := planFor(t, dir, files)
			assert.Empty(t, plan.changes)
			plan.dir.Unlock()
		}
		apply(t, dir, files)
		requireTree(t, dir, files)
		assert.Len(t, namesIn(t, parent), len(near)+1, "only what we named ourselves is removed")
	}

	// In a directory that is otherwise empty, and as a file, which we never make.
	dir := t.TempDir()
	writeAll(t, dir, stagePrefix+random+"/new/a=half")
	apply(t, dir, nil)
	requireTree(t, dir, nil)
	other := t.TempDir()
	writeAll(t, other, stagePrefix+random)
	apply(t, other, nil)
	assert.Equal(t, []string{".sightline", stagePrefix + random}, namesIn(t, other))
}

// TestKilledAtEveryStep puts a directory into each state that a run killed in its
// commit leaves: it commits in full and takes the last steps back. The next run
// must know its directory, and complete it.
func TestKilledAtEveryStep(t *testing.T) {
	old := signed("a/same=1", "a/changed=1", "a/gone=1", "b/gone=1", "c=file", "d/folder=1")
	new := signed("a/same=1", "a/changed=2", "a/new=2", "c/file=2", "d=2", "e/f/new=2", "e/new=2")
	for name, first := range map[string][]File{"empty": nil, "present": old} {
		t.Run(name, func(t *testing.T) {
			steps := 1
			for k := 0; k <= steps; k++ {
				dir := memoryDir(t)
				if first != nil {
					apply(t, dir, first)
				}
				plan := planFor(t, dir, new)
				root, err := os.OpenRoot(dir)
				require.NoError(t, err)
				stage, err := newStage(root, dir, stagePrefix+"ABCDEFGHIJKLMNOPQRSTUVWXY7")
				require.NoError(t, err)
				require.NoError(t, stage.root.Mkdir("old", 0o755))
				require.NoError(t, stage.write(context.Background(), plan.dir, plan.staged()))
				s := swap{dir: plan.dir, root: root, stage: stage.name, seen: plan.seen}
				require.NoError(t, plan.commit(&s))
				steps = len(s.steps)
				s.steps = s.steps[k:]
				require.NoError(t, s.undo())
				require.NoError(t, root.Close())
				plan.dir.Unlock()

				d, err := Open(dir, eastWest())
				require.NoError(t, err)
				assert.Equal(t, 0 < k && k < steps, d.Unfinished(), "step %d of %d", k, steps)

				apply(t, dir, new)
				requireTree(t, dir, new)
			}
			assert.Greater(t, steps, 4)
		})
	}
}
