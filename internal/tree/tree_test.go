package tree

import (
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// treeOf makes a tree of "path" or "path=content" words.
func treeOf(words ...string) []File {
	var files []File
	for _, word := range words {
		path, content, _ := strings.Cut(word, "=")
		files = append(files, File{Path: path, Content: []byte(content)})
	}
	return files
}

func TestNewSorts(t *testing.T) {
	given := treeOf("b/c=1", "a=2", "b.yaml=3", "b/a/z=4", ".hidden=5", "a-b/a=6")
	files, err := New(given)
	require.NoError(t, err)
	assert.Equal(t, treeOf(".hidden=5", "a=2", "a-b/a=6", "b.yaml=3", "b/a/z=4", "b/c=1"), files)
	assert.Equal(t, "b/c", given[0].Path, "the argument keeps its order")

	files, err = New(nil)
	require.NoError(t, err)
	assert.Empty(t, files)
}

func TestNewRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		files []File
		want  string
	}{
		"empty":               {treeOf(""), `path "" is empty`},
		"absolute":            {treeOf("/etc/passwd"), `path "/etc/passwd" is absolute, expected one below the output directory`},
		"parent":              {treeOf(".."), `path ".." leaves the output directory`},
		"parent with slash":   {treeOf("../"), `path "../" leaves the output directory`},
		"above":               {treeOf("../evil"), `path "../evil" leaves the output directory`},
		"above, later":        {treeOf("a/../../evil"), `path "a/../../evil" leaves the output directory`},
		"parent inside":       {treeOf("a/../b"), `path "a/../b" is not clean, expected "b"`},
		"dot":                 {treeOf("."), `path "." is the output directory itself`},
		"dot inside":          {treeOf("a/./b"), `path "a/./b" is not clean, expected "a/b"`},
		"two slashes":         {treeOf("a//b"), `path "a//b" is not clean, expected "a/b"`},
		"slash at the end":    {treeOf("a/"), `path "a/" is not clean, expected "a"`},
		"backslash":           {treeOf(`a\..\b`), `path "a\\..\\b" holds a backslash, which is a separator on Windows`},
		"NUL":                 {treeOf("a\x00b"), `path "a\x00b" holds a control character`},
		"newline":             {treeOf("a\nb"), `path "a\nb" holds a control character`},
		"broken UTF-8":        {treeOf("a\xff"), `path "a\xff" is not valid UTF-8`},
		"marker":              {treeOf(".sightline"), `path ".sightline" uses the reserved name ".sightline"`},
		"marker as a folder":  {treeOf(".sightline/a"), `path ".sightline/a" uses the reserved name ".sightline"`},
		"marker on macOS":     {treeOf(".Sightline"), `path ".Sightline" uses the reserved name ".Sightline"`},
		"marker below":        {treeOf("a/.sightline"), `path "a/.sightline" uses the reserved name ".sightline"`},
		"staging":             {treeOf(".sightline-stage-X/a"), `path ".sightline-stage-X/a" uses the reserved name ".sightline-stage-X"`},
		"git":                 {treeOf(".git/config"), `path ".git/config" uses the reserved name ".git"`},
		"git below":           {treeOf("overlays/x/.GIT/hooks/y"), `path "overlays/x/.GIT/hooks/y" uses the reserved name ".GIT"`},
		"twice":               {treeOf("a=1", "b", "a=1"), `path "a" is there twice`},
		"three times":         {treeOf("a", "a", "a"), `path "a" is there twice`},
		"file and folder":     {treeOf("a/b/c", "a"), `path "a" is a file and also the folder of "a/b/c"`},
		"with one in between": {treeOf("a", "a-b", "a/c", "a/d"), `path "a" is a file and also the folder of "a/c"`},
		"letter case":         {treeOf("a/README", "a/readme"), `paths "a/README" and "a/readme" differ by letter case only`},
		"case of a folder":    {treeOf("Base/a", "base/b", "base/c", "base/d/e"), `paths "Base" and "base" differ by letter case only`},
		"case, file, folder":  {treeOf("X", "x/a"), `paths "X" and "x" differ by letter case only`},
		"all at once":         {treeOf("../x", "a", "a/b", "/y"), "path \"../x\" leaves the output directory\npath \"/y\" is absolute, expected one below the output directory\npath \"a\" is a file and also the folder of \"a/b\""},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := New(test.files)
			require.EqualError(t, err, test.want)
			assert.Nil(t, files)
		})
	}
}

func TestNewAllows(t *testing.T) {
	for _, path := range []string{
		"..a", "a..b/c", ".github/x", ".gitignore", "a/.sightline-x", ".sightlines", "a b", "é/ü.yaml",
		"clusterrole__system:reader.yaml", "a/b", "a.b",
	} {
		_, err := New(treeOf(path))
		assert.NoError(t, err, path)
	}
	_, err := New(treeOf("a/b", "a/c", "a-b", "a.b", "ab/a/b", "b/a/b"))
	assert.NoError(t, err)
}

func TestCompare(t *testing.T) {
	old := treeOf("a=1", "b/x=2", "b/y=3", "d=4", "z=9")
	new := treeOf("a=1", "b/x=changed", "c=5", "d=4", "zz=6")
	assert.Equal(t, []Change{
		{Path: "b/x", Kind: Changed, Old: []byte("2"), New: []byte("changed")},
		{Path: "b/y", Kind: Removed, Old: []byte("3")},
		{Path: "c", Kind: Added, New: []byte("5")},
		{Path: "z", Kind: Removed, Old: []byte("9")},
		{Path: "zz", Kind: Added, New: []byte("6")},
	}, Compare(old, new))

	assert.Empty(t, Compare(old, old))
	assert.Empty(t, Compare(nil, nil))
	assert.Len(t, Compare(old, nil), 5)
	assert.Len(t, Compare(nil, old), 5)
}

func TestKind(t *testing.T) {
	assert.Equal(t, "added removed changed", Added.String()+" "+Removed.String()+" "+Changed.String())
	assert.Equal(t, "Kind(7)", Kind(7).String())
}

func TestRemovedClusters(t *testing.T) {
	for name, test := range map[string]struct {
		old, new []File
		want     []string
	}{
		"none":                {treeOf("clusters/a/x", "base/y"), treeOf("clusters/a/x"), nil},
		"a part only":         {treeOf("clusters/a/x", "clusters/a/y"), treeOf("clusters/a/y"), nil},
		"whole":               {treeOf("clusters/b/x", "clusters/a/x/y", "clusters/c/x"), treeOf("clusters/c/x"), []string{"a", "b"}},
		"values file":         {treeOf("clusters/a.yaml", "clusters/b.yaml"), treeOf("clusters/b.yaml"), []string{"a"}},
		"folder becomes file": {treeOf("clusters/a/x"), treeOf("clusters/a.yaml"), nil},
		"renamed":             {treeOf("clusters/a/x"), treeOf("clusters/ab/x"), []string{"a"}},
		"other things":        {treeOf("clusters/README", "clustersx/a/b", "base/clusters/a/b"), nil, nil},
		"dots in a name":      {treeOf("clusters/a.b.yaml"), treeOf("clusters/a.yaml"), []string{"a.b"}},
	} {
		t.Run(name, func(t *testing.T) {
			old, err := New(test.old)
			require.NoError(t, err)
			new, err := New(test.new)
			require.NoError(t, err)
			assert.Equal(t, test.want, RemovedClusters(Compare(old, new), new))
		})
	}
}

// TestOrdinary compares the quick look at paths with the thorough one.
func TestOrdinary(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	quick, refused := 0, 0
	for range 20_000 {
		files := make([]File, 1+random.Intn(4))
		for i := range files {
			for range 1 + random.Intn(5) {
				files[i].Path += string("aaab//-.Bé"[random.Intn(10)])
			}
		}
		slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
		err := problems(files)
		if ordinary(files) {
			quick++
			require.NoError(t, err, "%q", files)
		}
		if err != nil {
			refused++
		}
	}
	assert.Greater(t, quick, 1000)
	assert.Greater(t, refused, 1000)
}
