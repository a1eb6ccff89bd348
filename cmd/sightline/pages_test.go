package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/kiali"
)

// pages are the pages for people, by their paths from the repository's root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/adr/*.md", ".github/*.md"} {
		files, err := filepath.Glob(filepath.Join("../..", pattern))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			path, err := filepath.Rel("../..", file)
			require.NoError(t, err)
			all[filepath.ToSlash(path)] = string(text)
		}
	}
	require.Greater(t, len(all), 30)
	return all
}

// TestPageLinks follows the links from page to page, and to their headings.
func TestPageLinks(t *testing.T) {
	t.Parallel()
	all := pages(t)
	links := 0
	for page, text := range all {
		for _, link := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(outsideOfCode(text), -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			links++
			target, anchor, _ := strings.Cut(link[1], "#")
			file := page
			if target != "" {
				file = filepath.ToSlash(filepath.Join(filepath.Dir(page), target))
			}
			_, err := os.Stat(filepath.Join("../..", file))
			if !assert.NoError(t, err, "%s: the link %s leads nowhere", page, link[1]) || anchor == "" {
				continue
			}
			assert.Contains(t, anchors(all[file]), anchor, "%s: %s has no such heading", page, link[1])
		}
	}
	assert.Greater(t, links, 100)
}

// outsideOfCode is a page without its blocks of code.
func outsideOfCode(text string) string {
	return regexp.MustCompile("(?ms)^ *```.*?^ *```$").ReplaceAllString(text, "")
}

// anchors are the names that GitHub gives the headings of a page.
func anchors(text string) []string {
	var names []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(outsideOfCode(text), -1) {
		name := strings.ToLower(regexp.MustCompile(`\[([^]]*)\]\([^)]*\)`).ReplaceAllString(heading[1], "$1"))
		name = strings.ReplaceAll(regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(name, ""), " ", "-")
		unique := name
		for n := 1; slices.Contains(names, unique); n++ {
			unique = fmt.Sprintf("%s-%d", name, n)
		}
		names = append(names, unique)
	}
	return names
}

// TestPageIndex has every page in the index, and at the top of each that tells how
// to do something what it takes and what there is at its end.
func TestPageIndex(t *testing.T) {
	t.Parallel()
	all := pages(t)
	index := all["docs/README.md"]
	for page := range all {
		if name, ok := strings.CutPrefix(page, "docs/"); ok && !strings.Contains(name, "/") && name != "README.md" {
			assert.Contains(t, index, "("+name+")", "docs/README.md does not have the page")
		}
	}
	for _, page := range howTo(t, index) {
		top, _, _ := strings.Cut(all[page], "\n## ")
		for _, line := range []string{"\n**You need**: ", "\n**At the end**: "} {
			assert.Contains(t, top, line, "%s does not say it at its top", page)
		}
	}
}

// howTo are the pages of the index that tell how to do something.
func howTo(t *testing.T, index string) []string {
	t.Helper()
	start, rest, ok := strings.Cut(index, "\n## Reference\n")
	require.True(t, ok)
	require.Contains(t, rest, "\n## Why\n")
	var names []string
	for _, link := range regexp.MustCompile(`\(([a-z-]+\.md)\)`).FindAllStringSubmatch(start, -1) {
		names = append(names, "docs/"+link[1])
	}
	require.Greater(t, len(names), 15)
	return names
}

// TestPageLength keeps the sentences and the cells of tables short on the pages that
// tell how to do something, because people look for an answer there.
func TestPageLength(t *testing.T) {
	t.Parallel()
	const words, runes = 40, 300
	all := pages(t)
	paragraph := regexp.MustCompile(`\n\s*\n|\n *(?:[-*]|\d+\.) |\n\|`)
	sentence := regexp.MustCompile("[.!?:] +[A-Z`*(]")
	for _, page := range append(howTo(t, all["docs/README.md"]), "README.md") {
		text := regexp.MustCompile(`(?m)^ {4,}.*$`).ReplaceAllString(outsideOfCode(all[page]), "")
		for _, part := range paragraph.Split(text, -1) {
			for cell := range strings.SplitSeq(part, " | ") {
				for _, s := range sentence.Split(strings.Join(strings.Fields(cell), " "), -1) {
					assert.LessOrEqual(t, len(strings.Fields(s)), words, "%s: a long sentence: %s", page, s)
				}
			}
		}
		for row := range strings.Lines(text) {
			if strings.HasPrefix(row, "|") {
				for cell := range strings.SplitSeq(row, "|") {
					assert.LessOrEqual(t, utf8.RuneCountInString(cell), runes, "%s: a long cell:%s", page, cell)
				}
			}
		}
	}
}

// TestPageWords keeps phrases out of the pages that readers have to translate.
func TestPageWords(t *testing.T) {
	t.Parallel()
	for page, text := range pages(t) {
		if page == "CHANGELOG.md" || strings.HasPrefix(page, "docs/adr/") {
			continue // they say what was
		}
		for _, what := range found(strings.Join(strings.Fields(text), " "), hardPhrases()) {
			assert.Fail(t, "a phrase of the list", "%s: %s", page, what)
		}
	}
}

// TestPageCommands reads every command of sightline that a page shows: there are
// such a command and such flags, with values of their type.
func TestPageCommands(t *testing.T) {
	t.Parallel()
	shown := 0
	for page, text := range pages(t) {
		if page == "CHANGELOG.md" || page == "docs/commands.md" || strings.HasPrefix(page, "docs/adr/") {
			continue
		}
		text = strings.ReplaceAll(text, "\\\n", " ")
		for _, match := range regexp.MustCompile("(?m)(?:^ +|^|; |`|^<!-- (?:output|terminal|simulated|works): )(sightline [a-z][^\n`;|<>#&]*)").FindAllStringSubmatch(text, -1) {
			if strings.ContainsAny(match[1], "…$") || strings.Contains(match[1], "...") || strings.Contains(match[1], " sightline ") {
				continue
			}
			args := strings.Fields(strings.ReplaceAll(match[1], "'", ""))[1:]
			root := newCommand()
			root.InitDefaultCompletionCmd()
			cmd, rest, err := root.Find(args)
			if cmd == cmd.Root() && strings.HasPrefix(match[0], "sightline") {
				continue // a sentence that begins with the name
			}
			shown++
			if assert.NoError(t, err, "%s: %s", page, match[1]) && assert.NotEqual(t, cmd.Root(), cmd, "%s: %s", page, match[1]) {
				assert.NoError(t, parsed(cmd, rest), "%s: %s", page, match[1])
			}
		}
	}
	assert.Greater(t, shown, 150)
}

// parsed reads the flags of a command. A page may write a word for a number.
func parsed(cmd *cobra.Command, args []string) error {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Value.Type() == "int" {
			args = slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "--"+f.Name || arg == "N" })
		}
	})
	return cmd.ParseFlags(args)
}

// TestPageChangelog checks the form of CHANGELOG.md, which docs/releasing.md describes.
// After the rendered bytes come the kinds of changes of Keep a Changelog, in its order.
func TestPageChangelog(t *testing.T) {
	t.Parallel()
	kinds := []string{"Rendered bytes", "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
	versions := strings.Split(pages(t)["CHANGELOG.md"], "\n## ")[1:]
	require.NotEmpty(t, versions)
	for i, version := range versions {
		title, changes, _ := strings.Cut(version, "\n")
		form := `^\[v?\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}$`
		if i == 0 {
			form = `^\[Unreleased\]$|` + form
		}
		assert.Regexp(t, form, title)
		last := -1
		for _, kind := range regexp.MustCompile(`(?m)^### (.*)$`).FindAllStringSubmatch(changes, -1) {
			at := slices.Index(kinds, kind[1])
			assert.Greater(t, at, last, "%s: the heading %q is unknown, or not in its order", title, kind[1])
			last = at
		}
		assert.GreaterOrEqual(t, last, 0, "%s has no changes", title)
	}
}

// TestPageOutputsOfFindings has docs/ci.md name each command that prints findings for GitHub.
func TestPageOutputsOfFindings(t *testing.T) {
	t.Parallel()
	page := pages(t)["docs/ci.md"]
	named := 0
	for _, cmd := range newCommand().Commands() {
		if f := cmd.Flags().Lookup("output"); f != nil && strings.Contains(f.Usage, "github") {
			named++
			assert.Regexp(t, "`--output github` of [^.]*`"+cmd.Name(), page)
		}
	}
	assert.Equal(t, 3, named)
}

// TestPageCompatibility has docs/compatibility.md name each release line of Kiali, with
// the first operator and the first chart that know it.
func TestPageCompatibility(t *testing.T) {
	t.Parallel()
	page := pages(t)["docs/compatibility.md"]
	for _, line := range kiali.Lines() {
		operator, chart := line.FirstOperator()
		if operator == "" {
			operator, chart = "every one", "every one"
		}
		assert.Regexp(t, fmt.Sprintf("(?m)^\\| `%s` \\| [^|]+ \\| %s \\| %s \\|$", line, operator, chart), page)
	}
}
