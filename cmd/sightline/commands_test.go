package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/golden"
)

// TestCommandReference compares docs/commands.md and docs/man with the commands. With
// -update it writes them. The libraries that make them are not in the program.
func TestCommandReference(t *testing.T) {
	want := commandReference(t)
	if *update {
		old, err := filepath.Glob("../../docs/man/*")
		require.NoError(t, err)
		for _, page := range old {
			require.NoError(t, os.Remove(page))
		}
		require.NoError(t, os.MkdirAll("../../docs/man", 0o755))
		for path, content := range want {
			require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
		}
	}
	found := []string{"../../docs/commands.md"}
	pages, err := filepath.Glob("../../docs/man/*")
	require.NoError(t, err)
	for _, path := range append(found, pages...) {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		golden.Equal(t, path, string(content), want[path], "make golden")
		delete(want, path)
	}
	assert.Empty(t, want, "pages are missing; run make golden")
}

// commandReference returns the pages by their paths.
func commandReference(t *testing.T) map[string]string {
	root := newCommand()
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	pages := map[string]string{}
	var reference bytes.Buffer
	reference.WriteString("# Commands\n\nEvery command with its flags, as `sightline COMMAND --help` prints them. `make golden` writes this page.\n\n")
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		cmd.DisableAutoGenTag = true
		long := cmd.Long
		if long != "" {
			cmd.Long = "```\n" + long + "\n```"
		}
		require.NoError(t, doc.GenMarkdownCustom(cmd, &reference, func(page string) string {
			return "#" + strings.ReplaceAll(strings.TrimSuffix(page, ".md"), "_", "-")
		}))
		cmd.Long = strings.ReplaceAll(long, "<", `\<`) // both makers read Markdown, and the texts are plain
		var page bytes.Buffer
		require.NoError(t, doc.GenMan(cmd, &doc.GenManHeader{Section: "1", Source: "Sightline", Manual: "Sightline"}, &page))
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
		pages["../../docs/man/"+name] = undated(page.String())
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				visit(sub)
			}
		}
	}
	visit(root)
	pages["../../docs/commands.md"] = tidied(reference.String())
	return pages
}

// manDate matches the present month, which Cobra puts into a page.
var manDate = regexp.MustCompile(`(?m)^(\.TH "[^"]*" "[^"]*") "[^"]*"`)

func undated(page string) string { return manDate.ReplaceAllString(page, `$1 ""`) }

// tidied returns Markdown without spaces and lines that a formatter would remove.
func tidied(page string) string {
	page = regexp.MustCompile(`(?m)[ \t]+$`).ReplaceAllString(page, "")
	return strings.TrimSpace(regexp.MustCompile(`\n{3,}`).ReplaceAllString(page, "\n\n")) + "\n"
}
