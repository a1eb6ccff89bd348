package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/status"
)

// TestTroubleshooting keeps the pages by symptom true: each symptom that people
// report is there, each cause leads to a check, a rule or a command, and each id
// has a page.
func TestTroubleshooting(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
		require.NoError(t, err)
		return string(text)
	}
	id := regexp.MustCompile(`\b[A-Z]{2}[0-9]{2}\b`)
	symptoms, page := read("troubleshooting.md"), read("status.md")
	for _, found := range id.FindAllString(symptoms+page, -1) {
		rule, _ := check.Lookup(found)
		assert.NotNil(t, rule, "%s has no page", found)
	}
	for _, symptom := range []string{
		"The graph is empty", "A cluster is inaccessible, or missing from Kiali", "Kiali restarts, or does not start",
		"Login ends in an error page", "Numbers are doubled", "403 from thanos-querier", "A namespace is missing",
	} {
		_, section, ok := strings.Cut(symptoms, "\n## "+symptom+"\n")
		require.True(t, ok, symptom)
		section, _, _ = strings.Cut(section, "\n## ")
		assert.Regexp(t, id, section, symptom)
		for line := range strings.Lines(section) {
			if cells := strings.Split(line, "|"); len(cells) == 5 && !strings.Contains(line, "---") && strings.TrimSpace(cells[1]) != "cause" {
				assert.Regexp(t, `[A-Z]{2}[0-9]{2}|sightline explain`, cells[2], "%s: the cause %q leads nowhere", symptom, cells[1])
				assert.NotEmpty(t, strings.TrimSpace(cells[3]), "%s: the cause %q has no fix", symptom, cells[1])
			}
		}
	}
	for _, g := range status.Groups() {
		row := "| `" + g.Name + "` | " + strings.Join(g.Checks, ", ")
		if first, last := number(t, g.Checks[0]), number(t, g.Checks[len(g.Checks)-1]); len(g.Checks) > 2 && last-first == len(g.Checks)-1 {
			row = "| `" + g.Name + "` | " + g.Checks[0] + " to " + g.Checks[len(g.Checks)-1]
		}
		assert.Contains(t, page, row+" |", "docs/status.md lists the group")
	}
	first, err := os.ReadFile(filepath.Join("..", "..", "docs", "first-mesh.md"))
	require.NoError(t, err)
	_, end, ok := strings.Cut(string(first), "Ask whether it works")
	require.True(t, ok)
	assert.Contains(t, end, "    sightline status mesh.yaml --hub-context cluster1 --wait\n")
}

// number returns the number in an id.
func number(t *testing.T, id string) int {
	t.Helper()
	n, err := strconv.Atoi(id[2:])
	require.NoError(t, err)
	return n
}
