package tree

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/finding"
)

func TestOpenRefuses(t *testing.T) {
	for name, test := range map[string]struct{ marker, found string }{
		"another topology": {"topology: other\nformat: kustomize\n", `holds topology "other" in format kustomize, expected topology "east-west" in format kustomize`},
		"another format":   {"topology: east-west\nformat: helm\n", `holds topology "east-west" in format helm, expected topology "east-west" in format kustomize`},
		"unreadable":       {"hello\n", `has a marker .sightline that cannot be read: line 1: expected "topology: NAME" or another line of a marker, got "hello", expected the marker of topology "east-west" in format kustomize`},
		"empty":            {"", `has a marker .sightline that cannot be read: it names no topology, expected the marker of topology "east-west" in format kustomize`},
		"huge":             {"#" + strings.Repeat("x", 1<<20) + "\ntopology: east-west\nformat: kustomize\n", `has a marker .sightline that cannot be read: it is larger than 1048576 bytes, expected the marker of topology "east-west" in format kustomize`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			writeAll(t, dir, ".sightline="+test.marker, "a")
			before := snapshot(t, dir)

			_, err := Open(dir, eastWest())
			var guard *finding.Refusal
			require.ErrorAs(t, err, &guard)
			assert.Equal(t, dir+" "+test.found, err.Error())
			assert.Contains(t, guard.Hint, "remove "+filepath.Join(dir, ".sightline"))
			requireIntact(t, before, snapshot(t, dir), true)
		})
	}
	dir := t.TempDir()
	writeAll(t, dir, ".sightline/a")
	_, err := Open(dir, eastWest())
	assert.ErrorContains(t, err, "has a marker .sightline that cannot be read: it is not a regular file")
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
	_, err = Open(dir, Marker{Topology: "a\nformat: b", Format: "helm", Version: "v1"})
	assert.ErrorContains(t, err, `topology name "a\nformat: b" cannot be stored`)
	_, err = Open(dir, Marker{Topology: "a", Version: "v1"})
	assert.ErrorContains(t, err, `format name "" cannot be stored`)
}

func TestCompareRefusesWhatIsNotATree(t *testing.T) {
	d, err := Open(filepath.Join(t.TempDir(), "out"), eastWest())
	require.NoError(t, err)
	_, err = d.Compare(context.Background(), signed("a", "../b"), Claims{})
	assert.EqualError(t, err, `path "../b" leaves the output directory`)
}

// refused compares, wants a *finding.Refusal and that nothing changed.
func refused(t *testing.T, dir string, files []File) *finding.Refusal {
	t.Helper()
	before := snapshot(t, dir)
	d, err := Open(dir, eastWest())
	require.NoError(t, err)
	_, err = d.Compare(context.Background(), files, Claims{})
	var guard *finding.Refusal
	require.ErrorAs(t, err, &guard)
	requireIntact(t, before, snapshot(t, dir), true)
	return guard
}

// What is inside may be somebody's: a repository cloned there, or the output
// directory of another topology. It stays; only where the tree has that very
// folder it is in the way.
func TestOthersInside(t *testing.T) {
	for _, file := range []string{"b/c/.git/HEAD", "b/c/.git", "b/c/.sightline", "b/c/.GIT/x"} {
		dir := filepath.Join(t.TempDir(), "out")
		apply(t, dir, signed("a", "b/x", "b/c/ours"))
		writeAll(t, dir, file)
		guard := refused(t, dir, signed("a", "b/c/ours=2"))
		folder := filepath.Join(dir, "b", "c")
		assert.Equal(t, folder+" is another checkout or output directory, expected a folder of this tree, or nothing", guard.Error())
		assert.Contains(t, guard.Hint, folder)

		before := snapshot(t, filepath.Join(dir, "b", "c"))
		plan := planFor(t, dir, signed("a"))
		assert.Equal(t, []string{"b/x"}, plan.Removed())
		require.NoError(t, plan.Apply(context.Background()))
		assert.Equal(t, []string{"b"}, plan.Kept())
		requireIntact(t, before, snapshot(t, filepath.Join(dir, "b", "c")), true)
	}
}

func TestWhatIsInTheWay(t *testing.T) {
	const wrote = " was not written by sightline, expected a file that says in its first line that sightline generated it, or nothing"
	for name, test := range map[string]struct {
		there []string
		where string
		want  string
	}{
		"a file at a file's place":             {[]string{"b/c=mine"}, "b/c", wrote},
		"an empty one":                         {[]string{"b/c="}, "b/c", wrote},
		"one of ours from another place":       {[]string{"b/c=" + string(lineOf("a"))}, "b/c", wrote},
		"one that quotes our line":             {[]string{"b/c=x\n" + string(lineOf("b/c"))}, "b/c", wrote},
		"a line without its end":               {[]string{"b/c=" + strings.TrimSpace(string(lineOf("b/c")))}, "b/c", wrote},
		"a file at a folder's place":           {[]string{"b=mine"}, "b", wrote},
		"a folder at a file's place":           {[]string{"b/c/d=mine"}, "b/c/d", " is in a folder that must go, and sightline did not write it, expected only files of sightline"},
		"a hidden one":                         {[]string{"b/c/.d/x=mine"}, "b/c/.d", " is in a folder that must go, and sightline did not write it, expected only files of sightline"},
		"another letter case":                  {[]string{"b/C=mine"}, "b/C", " differs from a file or folder of this tree by letter case only, and sightline did not write it, expected nothing of this name, because macOS and Windows take one for the other"},
		"a folder in another case":             {[]string{"B/x=mine"}, "B", " differs from a file or folder of this tree by letter case only, and sightline did not write it, expected nothing of this name, because macOS and Windows take one for the other"},
		"a file that is a folder but for case": {[]string{"B=mine"}, "B", " differs from a file or folder of this tree by letter case only, and sightline did not write it, expected nothing of this name, because macOS and Windows take one for the other"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeAll(t, dir, test.there...)
			guard := refused(t, dir, signed("b/c"))
			assert.Equal(t, filepath.Join(dir, test.where)+test.want, guard.Error())
			assert.Contains(t, guard.Hint, filepath.Join(dir, test.where))
		})
	}
}

func TestManyThingsInTheWay(t *testing.T) {
	dir := t.TempDir()
	var words []string
	for i := range 25 {
		words = append(words, fmt.Sprintf("f%02d", i))
	}
	writeAll(t, dir, words...)
	guard := refused(t, dir, signed(words...))
	assert.Equal(t, 22, len(strings.Split(guard.Error(), "\n")))
	assert.True(t, strings.HasPrefix(guard.Error(), dir+" has 25 files or folders in the way that sightline did not write, expected none\n  "+dir+"/f00\n"), guard.Error())
	assert.True(t, strings.HasSuffix(guard.Error(), "/f19\n  and 5 more"), guard.Error())
	assert.Equal(t, "move them elsewhere; or, if you do not need them, add --adopt", guard.Hint)
}

// Adopted are regular files that are in the way, and nothing else.
func TestAdopt(t *testing.T) {
	dir, adopt := t.TempDir(), Claims{Adopt: true}
	writeAll(t, dir, "a=mine", "b/c=mine", "d=mine", "e=mine")
	d, err := Lock(dir, eastWest())
	require.NoError(t, err)
	plan, err := d.Compare(context.Background(), signed("a=1", "b/c=2", "d/x=3"), adopt)
	require.NoError(t, err)
	assert.Equal(t, []string{"d"}, plan.Removed())
	require.NoError(t, plan.Apply(context.Background()))
	d.Unlock()
	assert.Equal(t, []string{".sightline", "a", "b", "d", "e"}, namesIn(t, dir))

	require.NoError(t, os.Remove(filepath.Join(dir, "a")))
	require.NoError(t, os.Symlink("e", filepath.Join(dir, "a")))
	d, err = Open(dir, eastWest())
	require.NoError(t, err)
	_, err = d.Compare(context.Background(), signed("a=1"), adopt)
	assert.ErrorContains(t, err, "is a symbolic link")
}

// A marker is no proof: whatever it says, what is not ours stays.
func TestForgedMarker(t *testing.T) {
	dir := t.TempDir()
	mine := "mine"
	writeAll(t, dir, "mesh.yaml="+mine, "overlays/x/kiali.yaml="+mine, "overlays/x/kustomization.yaml="+mine, "clusters/a/x.yaml="+mine,
		".sightline=topology: east-west\nformat: kustomize\nversion: v1\ncopy: "+copyOf("overlays/x/kiali.yaml", []byte(mine))+"\ncopy: "+copyOf("overlays/x/kustomization.yaml", []byte(mine))+"\n")
	before := snapshot(t, dir)
	apply(t, dir, signed("base/a.yaml"))
	after := snapshot(t, dir)
	for path, b := range before {
		if path != ".sightline" {
			assert.Equal(t, b.content, after[path].content, path)
		}
	}
	writeAll(t, dir, ".sightline="+before[".sightline"].content)
	files := append(signed("overlays/x/kustomization.yaml=ours"), File{Path: "overlays/x/kiali.yaml", Content: []byte("ours"), Copy: true})
	assert.Contains(t, refused(t, dir, files).Message, " has 2 files or folders in the way")
}

// Copies of the user's files are ours as long as they are as we wrote them.
func TestCopies(t *testing.T) {
	withCopy := func(content string) []File {
		return append(signed("a", "overlays/x/kustomization.yaml"), File{Path: "overlays/x/z.yaml", Content: []byte(content), Copy: true})
	}
	dir := filepath.Join(t.TempDir(), "out")
	apply(t, dir, withCopy("1"))
	assert.Equal(t, Report{Unchanged: 3}, apply(t, dir, withCopy("1")))
	assert.Equal(t, Report{Changed: 1, Unchanged: 2}, apply(t, dir, withCopy("2")))
	writeAll(t, dir, "overlays/x/z.yaml=edited", "overlays/x/mine.yaml=2")
	assert.Contains(t, refused(t, dir, withCopy("3")).Message, "z.yaml was not written by sightline")
	writeAll(t, dir, "overlays/x/z.yaml=2")
	assert.Equal(t, Report{Removed: 2, Unchanged: 1}, apply(t, dir, signed("a")))
	assert.Equal(t, []string{"mine.yaml"}, namesIn(t, filepath.Join(dir, "overlays", "x")))
}

func TestLinkAtAFoldersPlace(t *testing.T) {
	outside, dir := t.TempDir(), filepath.Join(t.TempDir(), "out")
	writeAll(t, outside, "a/x=theirs", "keep=theirs")
	apply(t, dir, signed("a", "b"))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "clusters")))
	before, theirs := snapshot(t, dir), snapshot(t, outside)

	d, err := Open(dir, eastWest())
	require.NoError(t, err)
	_, err = d.Compare(context.Background(), signed("a=new", "clusters/a/x=ours"), Claims{})
	var guard *finding.Refusal
	require.ErrorAs(t, err, &guard)
	link := filepath.Join(dir, "clusters")
	assert.Equal(t, link+" is a symbolic link, expected a file or folder of sightline, or nothing", err.Error())
	assert.Equal(t, "remove "+link+"; what a link points to is not touched", guard.Hint)
	requireIntact(t, before, snapshot(t, dir), true)
	requireIntact(t, theirs, snapshot(t, outside), true)
}

// A link that somebody puts in between Compare and Apply is not written through.
func TestLinkAtAFoldersPlaceLater(t *testing.T) {
	old := signed("b", "clusters/a/x", "clusters/a/stale")
	for name, new := range map[string][]File{
		"to change": signed("b=new", "clusters/a/x=ours", "clusters/a/stale"),
		"to add":    signed("b=new", "clusters/a/x", "clusters/a/stale", "clusters/a/new=ours"),
		"to remove": signed("b=new", "clusters/a/x"),
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

// We write no links, so one is never ours, whatever it points to.
func TestLinkAtAFilesPlace(t *testing.T) {
	outside, dir := t.TempDir(), filepath.Join(t.TempDir(), "out")
	files := signed("a=same", "b/c")
	writeAll(t, outside, "target="+string(files[0].Text()))
	apply(t, dir, files)
	require.NoError(t, os.Remove(filepath.Join(dir, "a")))
	require.NoError(t, os.Symlink(filepath.Join(outside, "target"), filepath.Join(dir, "a")))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "b", "stale")))
	theirs := snapshot(t, outside)

	assert.Contains(t, refused(t, dir, files).Error(), filepath.Join(dir, "a")+" is a symbolic link")
	apply(t, dir, signed("b/c=2"))
	assert.Equal(t, []string{".sightline", "a", "b"}, namesIn(t, dir))
	assert.Equal(t, []string{"c", "stale"}, namesIn(t, filepath.Join(dir, "b")))
	requireIntact(t, theirs, snapshot(t, outside), true)
}

func TestOutputDirectoryIsALink(t *testing.T) {
	parent := t.TempDir()
	real, link := filepath.Join(parent, "real"), filepath.Join(parent, "link")
	require.NoError(t, os.Mkdir(real, 0o755))
	require.NoError(t, os.Symlink("real", link))
	for _, files := range [][]File{signed("a/b=1"), signed("a/b=2", "c")} {
		apply(t, link, files)
		requireTree(t, real, files)
	}
	assert.Equal(t, []string{"link", "real"}, namesIn(t, parent))
}
