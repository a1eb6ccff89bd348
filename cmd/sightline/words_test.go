package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// phrase is a phrase that readers have to translate, as a regular expression, and
// a plain one.
type phrase struct{ hard, plain string }

// hardPhrases lists the phrases that neither pages nor comments may have.
func hardPhrases() []phrase {
	return []phrase{
		{`mappings?`, "object"},
		{`one's own`, "your own"},
		{`by which`, "two sentences"},
		{`stands? still`, "is pinned"},
		{`the matter of`, "two sentences"},
		{`(is|are) told apart`, "differ by"},
		{`(are|is) meant to be`, "should be"},
		{`without a word`, "without a message"},
		{`held against`, "compared with"},
		{`for want of`, "without"},
		{`the whole of`, "all of"},
		{`so (is|are|does|do) (it|that|those|they|the)`, "also"},
	}
}

// hardInComments lists further phrases that comments may not have.
func hardInComments() []phrase {
	return []phrase{
		{`of which`, "two sentences"},
		{`than what`, "the noun"},
		{`(is|are) to be`, "should be, or must be"},
		{`(is|are) (that|those) of`, "the noun again"},
		{`(is|are) those that`, "the noun again"},
		{`nothing but`, "only"},
		{`but for`, "except"},
		{`anew`, "again"},
	}
}

// found returns the hard phrases in a text, each with the words around it.
func found(text string, phrases []phrase) []string {
	var all []string
	for _, p := range phrases {
		for _, at := range regexp.MustCompile(`(?i)\b`+p.hard+`\b`).FindAllStringIndex(text, -1) {
			around := text[max(at[0]-40, 0):min(at[1]+40, len(text))]
			all = append(all, "write "+p.plain+" instead: "+strings.ToValidUTF8(around, ""))
		}
	}
	return all
}

// comments returns the comments of a source file by line, each on one line, so
// that a phrase at a line break is found. It returns nil for other files.
func comments(t *testing.T, name string, source []byte) map[int]string {
	t.Helper()
	all := map[int]string{}
	lines := regexp.MustCompile(`(?m)^[^'"\n]*?(?:^|\s)(?:#+|//) (.*)$`)
	switch path.Ext(name) {
	case ".go":
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, name, source, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, group := range file.Comments {
			all[files.Position(group.Pos()).Line] = strings.Join(strings.Fields(group.Text()), " ")
		}
		return all
	case ".sh", ".jsonnet", ".libsonnet":
	default:
		if base := path.Base(name); base != "Makefile" && base != "run" {
			return nil
		}
	}
	block, last := 0, -1
	for n, line := range strings.Split(string(source), "\n") {
		comment := lines.FindStringSubmatch(line)
		if comment == nil {
			continue
		}
		if n != last+1 {
			block = n + 1
		}
		last = n
		all[block] = strings.TrimSpace(all[block] + " " + comment[1])
	}
	return all
}

// TestPageWordsOfComments keeps phrases out of the comments of the sources that
// readers have to translate.
func TestPageWordsOfComments(t *testing.T) {
	t.Parallel()
	phrases := append(hardPhrases(), hardInComments()...)
	for name, source := range map[string]string{
		"a.go":         "package a\n\n// A is what by\n// which x is.\nvar A int // by which\n",
		"a.jsonnet":    "// The name, by\n// which it is\n{ a: 1 }  // by which\n",
		"b.libsonnet":  "{\n  # by which\n  a: 'by which',\n  // x\n  b: 1,  // by which\n}\n",
		"Makefile":     "a: ## by which\n\techo '# by which'\n# by\n# which\n",
		"sub/a.sh":     "#!/bin/sh\n# By which.\necho by which # by which\n",
		"sub/words.md": "by which",
	} {
		n := 0
		for _, text := range comments(t, name, []byte(source)) {
			n += len(found(text, phrases))
		}
		want := 2
		if path.Ext(name) == ".md" {
			want = 0
		}
		assert.Equal(t, want, n, name)
	}

	read := 0
	root := os.DirFS("../..")
	require.NoError(t, fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if slices.Contains([]string{".git", "bin", "golden", "testdata"}, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		case !entry.Type().IsRegular() || name == "cmd/sightline/words_test.go":
			return nil
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		for line, text := range comments(t, name, source) {
			read++
			for _, what := range found(text, phrases) {
				assert.Fail(t, "a phrase of the list", "%s:%d: %s", name, line, what)
			}
		}
		return nil
	}))
	assert.Greater(t, read, 5000)
}
