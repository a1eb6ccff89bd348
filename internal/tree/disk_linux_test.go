package tree

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mount puts a memory file system on a directory for the time of a test.
func mount(t *testing.T, dir, options string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	if err := syscall.Mount("tree-test", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("mounting is not allowed here, so that a bad file system cannot be had: %v", err)
	}
	inside, err := os.Open(dir) // the mount may be moved
	require.NoError(t, err)
	t.Cleanup(func() {
		defer inside.Close()
		path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", inside.Fd()))
		require.NoError(t, err)
		require.NoError(t, syscall.Unmount(path, syscall.MNT_DETACH))
	})
}

func TestFullDisk(t *testing.T) {
	page := strings.Repeat("x", 4096)
	var small, large []File
	for i := range 4 {
		small = append(small, signed(fmt.Sprintf("a/f%d=%s", i, page))...)
		large = append(large, signed(fmt.Sprintf("a/f%d=new%s", i, page), fmt.Sprintf("b/g%d=%s", i, strings.Repeat(page, 3)))...)
	}
	wantFull := func(t *testing.T, dir string, err error) {
		t.Helper()
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.Regexp(t, "^write "+dir+"/((a/f|b/g)[0-3]|.sightline): no space left on device$", err.Error())
	}

	t.Run("present", func(t *testing.T) { // the directory is the mount point itself
		dir := t.TempDir()
		mount(t, dir, "size=64k")
		apply(t, dir, small)
		before := snapshot(t, dir)
		wantFull(t, dir, tryApply(t, context.Background(), dir, large))
		requireIntact(t, before, snapshot(t, dir), false)
	})
	t.Run("absent", func(t *testing.T) {
		parent := t.TempDir()
		mount(t, parent, "size=64k")
		dir := filepath.Join(parent, "x", "out")
		wantFull(t, dir, tryApply(t, context.Background(), dir, large))
		assert.Empty(t, namesIn(t, parent))
		apply(t, dir, small)
		requireTree(t, dir, small)
	})
	t.Run("no room for names", func(t *testing.T) {
		dir := t.TempDir()
		mount(t, dir, "nr_inodes=16")
		apply(t, dir, small)
		before := snapshot(t, dir)
		err := tryApply(t, context.Background(), dir, large)
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.ErrorContains(t, err, dir)
		requireIntact(t, before, snapshot(t, dir), false)
	})
}

func TestReadOnly(t *testing.T) {
	parent := t.TempDir()
	mount(t, parent, "size=1m")
	dir := filepath.Join(parent, "out")
	apply(t, dir, signed("a=1"))
	require.NoError(t, syscall.Mount("", parent, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	before := snapshot(t, parent)

	err := tryApply(t, context.Background(), dir, signed("a=2"))
	require.ErrorIs(t, err, syscall.EROFS)
	assert.ErrorContains(t, err, dir)
	_, err = Lock(filepath.Join(parent, "other"), eastWest())
	require.ErrorIs(t, err, syscall.EROFS)
	assert.ErrorContains(t, err, filepath.Join(parent, "other"))
	_, err = Lock(filepath.Join(parent, "x", "other"), eastWest())
	require.ErrorIs(t, err, syscall.EROFS)
	assert.ErrorContains(t, err, filepath.Join(parent, "x"))

	apply(t, dir, signed("a=1")) // nothing to write is no error
	requireIntact(t, before, snapshot(t, parent), true)
}

// A mount inside the directory lets a rename fail when others are done. They are
// undone, whichever kind they are.
func TestFailedCommitIsUndone(t *testing.T) {
	for name, test := range map[string]struct{ mounted, new []File }{
		"to change": {signed("z/zz/same=1"), signed("z/zz/same=2")},
		"to add":    {signed("z/zz/same=1"), signed("z/zz/same=1", "z/zz/new=2")},
		"to remove": {signed("z/zz/same=1", "z/zz/gone=1"), signed("z/zz/same=1")},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			apply(t, dir, signed("a/changed=1", "a/same=1", "b/gone=1", "c=file", "d/folder=1", "m/gone=1", "z/zz/same=1"))
			mount(t, filepath.Join(dir, "z", "zz"), "size=64k")
			for _, f := range test.mounted {
				writeAll(t, dir, f.Path+"="+string(f.Text()))
			}
			before := snapshot(t, dir)
			new := append(signed("a/changed=2", "a/same=1", "c/file=2", "d=2", "e/f/g=2"), test.new...)
			err := tryApply(t, context.Background(), dir, new)
			require.ErrorIs(t, err, syscall.EXDEV)
			assert.Regexp(t, "^(rename to|remove|replace) "+dir+"/z/zz/(same|new|gone): invalid cross-device link$", err.Error())
			requireIntact(t, before, snapshot(t, dir), false)
		})
	}
}

// asked is a context that does something whenever somebody asks for its end.
type asked struct {
	context.Context
	do func()
}

func (a asked) Err() error {
	a.do()
	return nil
}

// TestOldFilesStay has a mount in the folder of the old files, so that it cannot
// be removed. The new tree is in place, and the error says so; the next run removes
// the rest.
func TestOldFilesStay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	apply(t, dir, signed("a=1", "gone=1"))
	new := signed("a=2", "new=2")
	var once sync.Once
	t.Run("mounted", func(t *testing.T) {
		err := tryApply(t, asked{context.Background(), func() {
			if found, _ := filepath.Glob(filepath.Join(dir, stagePrefix+"*", "old")); len(found) == 1 {
				once.Do(func() { mount(t, filepath.Join(found[0], "busy"), "size=64k") })
			}
		}}, dir, new)
		require.ErrorIs(t, err, syscall.EBUSY)
		require.Regexp(t, "^"+dir+": the new tree is in place, but the old files could not be removed: remove "+
			dir+"/"+stagePrefix+"[A-Z0-9]+: device or resource busy$", err.Error())
		for path, content := range map[string]string{"a": "2", "new": "2"} {
			text, err := os.ReadFile(filepath.Join(dir, path))
			require.NoError(t, err)
			assert.Contains(t, string(text), content)
		}
		assert.NoFileExists(t, filepath.Join(dir, "gone"))
		found, err := Open(dir, eastWest())
		require.NoError(t, err)
		assert.False(t, found.Unfinished())
	})
	apply(t, dir, new)
	requireTree(t, dir, new)
}

func TestPipesAndSockets(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	files := signed("a=1", "b/c=1", "d/e=1")
	apply(t, dir, files)
	for _, path := range []string{"a", "stale", "d"} {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, path)))
		require.NoError(t, syscall.Mkfifo(filepath.Join(dir, path), 0o644))
	}
	require.NoError(t, os.Remove(filepath.Join(dir, "b", "c")))
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "b", "c")})
	require.NoError(t, err)
	defer socket.Close()
	socket.SetUnlinkOnClose(false)

	guard := refused(t, dir, files) // would hang if it opened a pipe
	_, paths, _ := strings.Cut(guard.Message, "\n")
	assert.Equal(t, []string{filepath.Join(dir, "a"), filepath.Join(dir, "b", "c"), filepath.Join(dir, "d")}, strings.Fields(paths))
	apply(t, dir, signed("e"))
	assert.Equal(t, []string{".sightline", "a", "b", "d", "e", "stale"}, namesIn(t, dir))
}

func TestModes(t *testing.T) {
	for mask, want := range map[int]string{0: "-rw-r--r-- drwxr-xr-x", 0o077: "-rw------- drwx------"} {
		func() {
			defer syscall.Umask(syscall.Umask(mask))
			dir := filepath.Join(t.TempDir(), "out")
			for _, files := range [][]File{signed("a/b=1"), signed("a/b=2", "c/d=3")} {
				apply(t, dir, files)
				for path, s := range snapshot(t, dir) {
					assert.Contains(t, want, s.info.Mode().String(), "%s with umask %o", path, mask)
				}
			}
		}()
	}
}

// forChild is the environment variable that makes TestKilled the one to kill.
const forChild = "TREE_TEST_WRITES_TO"

func killTrees() (one, two []File) {
	for i := range 100 {
		one = append(one, signed(fmt.Sprintf("clusters/c%d/x/y=1", i), fmt.Sprintf("old%d/x=1", i), fmt.Sprintf("base/f%d=1", i))...)
		two = append(two, signed(fmt.Sprintf("clusters/c%d/x=2", i), fmt.Sprintf("new%d/x=2", i), fmt.Sprintf("base/f%d=2", i))...)
	}
	return one, two
}

// TestKilled kills a process that writes, at many moments, and wants the next
// run to find its own directory, to complete it and to leave nothing behind.
// See also TestKilledAtEveryStep.
func TestKilled(t *testing.T) {
	one, two := killTrees()
	if dir := os.Getenv(forChild); dir != "" {
		plan := planFor(t, dir, two)
		fmt.Println("ready")
		require.NoError(t, plan.Apply(context.Background()))
		fmt.Println("done")
		return
	}
	halfway := 0
	for i := range 12 {
		parent := filepath.Join(memoryDir(t), "parent")
		dir := filepath.Join(parent, "out")
		if i%4 > 0 {
			apply(t, dir, one)
		} else {
			require.NoError(t, os.MkdirAll(parent, 0o755))
		}
		child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		child.Env = append(os.Environ(), forChild+"="+dir)
		out, err := child.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, child.Start())
		lines := bufio.NewScanner(out)
		require.True(t, lines.Scan())
		require.Equal(t, "ready", lines.Text())
		time.Sleep(time.Duration(i) * time.Millisecond / 2)
		require.NoError(t, child.Process.Kill())
		for lines.Scan() && lines.Text() != "done" {
		}
		_ = child.Wait() // killed, or done before

		there := len(namesIn(t, parent)) > 1
		if entries, err := os.ReadDir(dir); err == nil {
			for _, e := range entries {
				there = there || strings.HasPrefix(e.Name(), stagePrefix)
			}
		}
		if there {
			halfway++
		}
		apply(t, dir, two)
		requireTree(t, dir, two)
		require.Equal(t, []string{"out"}, namesIn(t, parent))
	}
	t.Logf("%d of 12 were killed halfway", halfway)
	require.NotZero(t, halfway, "no process was killed while it wrote")
}
