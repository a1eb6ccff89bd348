//go:build unix

package tree

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// manyFiles is a tree that several goroutines write: folders of all sizes and depths.
func manyFiles(t *testing.T) []File {
	t.Helper()
	random := rand.New(rand.NewSource(1))
	var words []string
	for i := range 3000 {
		folder := ""
		for range random.Intn(4) {
			folder += fmt.Sprintf("f%d/", random.Intn(9))
		}
		words = append(words, fmt.Sprintf("%sx%d=%d", folder, i, i))
	}
	files, err := New(signed(words...))
	require.NoError(t, err)
	return files
}

func TestManyFiles(t *testing.T) {
	files := manyFiles(t)
	dir := filepath.Join(memoryDir(t), "out")
	assert.Equal(t, Report{Added: len(files)}, apply(t, dir, files))
	requireTree(t, dir, files)
	assert.Equal(t, Report{Unchanged: len(files)}, apply(t, dir, files))

	for i := range files {
		files[i].Content = append(files[i].Content, '\n')
	}
	left := &atomic.Int64{}
	left.Store(1500)
	require.ErrorIs(t, tryApply(t, countdown{context.Background(), left}, dir, files), context.Canceled)
	assert.Equal(t, Report{Changed: len(files)}, apply(t, dir, files))
	requireTree(t, dir, files)
}

// TestMiddle cuts lists of files in two, and wants no folder to be in both parts.
func TestMiddle(t *testing.T) {
	var files []staged
	for _, f := range manyFiles(t) {
		files = append(files, staged{f, f.Path})
	}
	cuts := 0
	var look func(files []staged, from int)
	look = func(files []staged, from int) {
		w := writing{part: 10}
		cut := w.middle(files, from)
		if cut == 0 {
			return
		}
		cuts++
		name, _, below := strings.Cut(files[cut].at[from:], "/")
		assert.False(t, below && strings.HasPrefix(files[cut-1].at[from:], name+"/"), "%s and %s", files[cut-1].at, files[cut].at)
		look(files[:cut], from)
		look(files[cut:], from)
	}
	look(files, 0)
	assert.Greater(t, cuts, 100)
}

// TestFolder wants an open folder to follow no link, wherever it leads.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	inside := filepath.Join(dir, "inside")
	writeAll(t, dir, "outside/file=1", "inside/folder/file=1")
	for name, to := range map[string]string{"folder-link": "../outside", "near-link": "folder", "file-link": "../outside/file"} {
		require.NoError(t, os.Symlink(to, filepath.Join(inside, name)))
	}
	f, err := openPath(inside)
	require.NoError(t, err)
	defer f.close()
	for _, name := range []string{"folder-link", "near-link", "file-link"} {
		_, err := f.enter(name)
		assert.Error(t, err, "enter %s", name)
		_, err = f.make(name)
		assert.ErrorIs(t, err, os.ErrExist, "make %s", name)
		assert.ErrorIs(t, f.write(name, []byte("2"), false), os.ErrExist, "write %s", name)
		_, err = f.same(name, make([]byte, 1))
		assert.Error(t, err, "same %s", name)
	}
	entries, err := f.entries()
	require.NoError(t, err)
	kinds := map[string]os.FileMode{}
	for _, e := range entries {
		kinds[e.name] = e.what
	}
	assert.Equal(t, map[string]os.FileMode{
		"folder": os.ModeDir, "folder-link": os.ModeSymlink, "near-link": os.ModeSymlink, "file-link": os.ModeSymlink,
	}, kinds)

	inner, err := f.make("new")
	require.NoError(t, err)
	defer inner.close()
	require.NoError(t, inner.write("file", []byte("two"), true))
	for text, want := range map[string]bool{"two": true, "2": false, "three": false} {
		there := make([]byte, len(text))
		same, err := inner.same("file", there)
		require.NoError(t, err)
		assert.Equal(t, want, same && string(there) == text, text)
	}
	_, err = inner.same("absent", nil)
	assert.True(t, errors.Is(err, os.ErrNotExist))
}
