package tree

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOpenRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		files []string
		found string
	}{
		"a foreign file":       {[]string{"README.md"}, `holds "README.md" and no marker .sightline`},
		"many":                 {[]string{"b", "a", "c/d"}, `holds "a" and 2 more and no marker .sightline`},
		"git and more":         {[]string{".git/HEAD", ".gitignore"}, `holds ".gitignore" and no marker .sightline`},
		"another topology":     {[]string{".sightline=topology: other\nformat: kustomize\n", "a"}, `holds topology "other" in format kustomize`},
		"another format":       {[]string{".sightline=topology: east-west\nformat: helm\n"}, `holds topology "east-west" in format helm`},
		"an unreadable marker": {[]string{".sightline=hello\n"}, `has a marker .sightline that cannot be read: line 1: expected "topology: NAME" or "format: NAME", got "hello"`},
		"an empty marker":      {[]string{".sightline="}, `has a marker .sightline that cannot be read: it names no topology`},
		"a huge marker":        {[]string{".sightline=#" + strings.Repeat("x", 5000) + "\ntopology: east-west\nformat: kustomize\n"}, `has a marker .sightline that cannot be read: it is larger than 4096 bytes`},
		"a folder as marker":   {[]string{".sightline/a"}, `has a marker .sightline that cannot be read: it is not a regular file`},
		"not quite a stage":    {[]string{".sightline-stage-short/a"}, `holds ".sightline-stage-short" and no marker .sightline`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			writeAll(t, dir, test.files...)
			before := snapshot(t, dir)

			_, err := Open(dir, eastWest())
			var guard *GuardError
			require.ErrorAs(t, err, &guard)
			assert.Equal(t, dir+" "+test.found+`, expected an empty directory or topology "east-west" in format kustomize`, err.Error())
			assert.Equal(t, "choose an empty directory with -o, or delete "+dir+" if nothing in it is needed", guard.Hint)
			requireIntact(t, before, snapshot(t, dir), true)
		})
	}
}

func TestOpenRefusesTheDirectoryOneIsIn(t *testing.T) {
	t.Chdir(t.TempDir())
	writeAll(t, ".", "README.md")
	_, err := Open(".", eastWest())
	var guard *GuardError
	require.ErrorAs(t, err, &guard)
	assert.Equal(t, "choose an empty directory with -o", guard.Hint)
	require.NoError(t, os.Remove("README.md"))
	for _, files := range [][]File{treeOf("a/b"), treeOf("a/b=1", "c")} {
		apply(t, ".", files)
		requireTree(t, ".", files)
	}
	apply(t, "sub/x/", treeOf("a"))
	requireTree(t, filepath.Join("sub", "x"), treeOf("a"))
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	writeAll(t, dir, "file")
	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink("nowhere", link))

	_, err := Open(file, eastWest())
	assert.EqualError(t, err, file+" is not a directory")
	_, err = Open(filepath.Join(file, "out"), eastWest())
	assert.ErrorContains(t, err, filepath.Join(file, "out"))
	_, err = Open(link, eastWest())
	assert.EqualError(t, err, link+" is a symbolic link to nothing, expected a directory")
	_, err = Open("", eastWest())
	assert.EqualError(t, err, "the output directory has no name")
	_, err = Open(dir, Marker{Topology: "a\nformat: b", Format: "helm"})
	assert.ErrorContains(t, err, `topology name "a\nformat: b" cannot be stored`)
	_, err = Open(dir, Marker{Topology: "a"})
	assert.ErrorContains(t, err, `format name "" cannot be stored`)
}

func TestCompareRefusesWhatIsNotATree(t *testing.T) {
	d, err := Open(filepath.Join(t.TempDir(), "out"), eastWest())
	require.NoError(t, err)
	_, err = d.Compare(context.Background(), treeOf("a", "../b"))
	assert.EqualError(t, err, `path "../b" leaves the output directory`)
}

// What is inside may be somebody's: a repository cloned there, or the output
// directory of another topology.
func TestCompareRefusesWhatIsNotOurs(t *testing.T) {
	for _, file := range []string{"b/c/.git/HEAD", "b/c/.git", "b/c/.sightline"} {
		dir := filepath.Join(t.TempDir(), "out")
		apply(t, dir, treeOf("a", "b/x"))
		writeAll(t, dir, file)
		before := snapshot(t, dir)
		d, err := Open(dir, eastWest())
		require.NoError(t, err)
		_, err = d.Compare(context.Background(), treeOf("a"))
		var guard *GuardError
		require.ErrorAs(t, err, &guard, file)
		folder := filepath.Join(dir, "b", "c")
		assert.Equal(t, folder+" is a checkout or an output directory of its own, expected only what was rendered into "+dir, err.Error())
		assert.Contains(t, guard.Hint, folder)
		requireIntact(t, before, snapshot(t, dir), true)
	}
}

func TestLinkAtAFoldersPlace(t *testing.T) {
	outside, dir := t.TempDir(), filepath.Join(t.TempDir(), "out")
	writeAll(t, outside, "a/x=theirs", "keep=theirs")
	apply(t, dir, treeOf("a", "b"))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "clusters")))
	before, theirs := snapshot(t, dir), snapshot(t, outside)

	d, err := Open(dir, eastWest())
	require.NoError(t, err)
	_, err = d.Compare(context.Background(), treeOf("a=new", "clusters/a/x=ours"))
	var guard *GuardError
	require.ErrorAs(t, err, &guard)
	link := filepath.Join(dir, "clusters")
	assert.Equal(t, link+" is a symbolic link, expected a folder, or nothing", err.Error())
	assert.Equal(t, "remove the link "+link+"; what it points to is not touched", guard.Hint)
	requireIntact(t, before, snapshot(t, dir), true)
	requireIntact(t, theirs, snapshot(t, outside), true)
}

// A link that somebody puts in between Compare and Apply is not written through.
func TestLinkAtAFoldersPlaceLater(t *testing.T) {
	old := treeOf("b", "clusters/a/x", "clusters/a/stale")
	for name, new := range map[string][]File{
		"to change": treeOf("b=new", "clusters/a/x=ours", "clusters/a/stale"),
		"to add":    treeOf("b=new", "clusters/a/x", "clusters/a/stale", "clusters/a/new=ours"),
		"to remove": treeOf("b=new", "clusters/a/x"),
	} {
		t.Run(name, func(t *testing.T) {
			outside, dir := t.TempDir(), filepath.Join(t.TempDir(), "out")
			writeAll(t, outside, "a/x=theirs", "a/stale=theirs")
			apply(t, dir, old)
			plan := planFor(t, dir, new)
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "clusters")))
			require.NoError(t, os.Symlink(outside, filepath.Join(dir, "clusters")))
			before, theirs := snapshot(t, dir), snapshot(t, outside)

			err := plan.Apply(context.Background())
			assert.ErrorContains(t, err, filepath.Join(dir, "clusters", "a"))
			requireIntact(t, before, snapshot(t, dir), false)
			requireIntact(t, theirs, snapshot(t, outside), true)
		})
	}
}

func TestLinkAtAFilesPlace(t *testing.T) {
	outside, dir := t.TempDir(), filepath.Join(t.TempDir(), "out")
	writeAll(t, outside, "target=same")
	apply(t, dir, treeOf("a=same", "b/c"))
	require.NoError(t, os.Remove(filepath.Join(dir, "a")))
	require.NoError(t, os.Symlink(filepath.Join(outside, "target"), filepath.Join(dir, "a")))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "b", "stale")))
	theirs := snapshot(t, outside)

	files := treeOf("a=same", "b/c")
	plan := planFor(t, dir, files)
	changes, err := plan.Changes(context.Background())
	require.NoError(t, err)
	assert.Equal(t, []Change{
		{Path: "a", Kind: Changed, New: []byte("same")}, // equal bytes behind a link are not the file
		{Path: "b/stale", Kind: Removed},
	}, changes)
	require.NoError(t, plan.Apply(context.Background()))
	requireTree(t, dir, files)
	requireIntact(t, theirs, snapshot(t, outside), true)
}

func TestOutputDirectoryIsALink(t *testing.T) {
	parent := t.TempDir()
	real, link := filepath.Join(parent, "real"), filepath.Join(parent, "link")
	require.NoError(t, os.Mkdir(real, 0o755))
	require.NoError(t, os.Symlink("real", link))
	for _, files := range [][]File{treeOf("a/b=1"), treeOf("a/b=2", "c")} {
		apply(t, link, files)
		requireTree(t, real, files)
	}
	assert.Equal(t, []string{"link", "real"}, namesIn(t, parent))
}
