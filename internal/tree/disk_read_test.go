package tree

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestChanges(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	first := signed("a=1", "clusters/a/x=2", "clusters/b/x=3", "same=4")
	plan := planFor(t, dir, first)
	changes, err := plan.Changes(context.Background())
	require.NoError(t, err)
	assert.Equal(t, Compare(nil, first), changes)
	require.NoError(t, plan.Apply(context.Background()))

	before := snapshot(t, dir)
	second := signed("a=one", "clusters/b/x=3", "new=5", "same=4")
	plan = planFor(t, dir, second)
	changes, err = plan.Changes(context.Background())
	require.NoError(t, err)
	assert.Equal(t, Compare(first, second), changes)
	assert.Equal(t, []string{"a"}, plan.RemovedClusters())
	requireIntact(t, before, snapshot(t, dir), true)
}

func TestFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	d, err := Open(dir, eastWest())
	require.NoError(t, err)
	files, err := d.Files(context.Background())
	require.NoError(t, err)
	assert.Empty(t, files)

	want := signed("a-b=1", "a/b/c=2", "a/d=", "e=3")
	apply(t, dir, want)
	require.NoError(t, os.Symlink("e", filepath.Join(dir, "link")))
	writeAll(t, dir, ".git/HEAD=ref")
	d, err = Open(dir, eastWest())
	require.NoError(t, err)
	files, err = d.Files(context.Background())
	require.NoError(t, err)
	for i := range files {
		assert.Equal(t, want[i].Path, files[i].Path)
		assert.Equal(t, string(want[i].Text()), string(files[i].Text()))
	}
	assert.Len(t, files, len(want))
}

// Another version alone is no reason to write.
func TestMarkerIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	marker := "# an older text\nversion: v0.9\nformat: kustomize\ntopology: east-west\n"
	files := signed("a=1")
	writeAll(t, dir, ".sightline="+marker, "a="+string(files[0].Text()))
	before := snapshot(t, dir)
	apply(t, dir, files)
	requireIntact(t, before, snapshot(t, dir), true)
	apply(t, dir, signed("a=2"))
	requireTree(t, dir, signed("a=2"))
}

// An empty folder is no difference, as in Git.
func TestEmptyFolders(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	apply(t, dir, signed("a/b=1"))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "x", "y"), 0o755))
	before := snapshot(t, dir)
	apply(t, dir, signed("a/b=1"))
	requireIntact(t, before, snapshot(t, dir), true)
	apply(t, dir, signed("x=2")) // whose place it has
	requireTree(t, dir, signed("x=2"))
}
