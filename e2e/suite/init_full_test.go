//go:build full

package suite

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// TestAdoptPage runs the commands of docs/adopt.md, unchanged and in order, on two
// clusters that follow the guide. Dumps give the same topology as contexts. After the way
// back, diff --live finds the same as before.
func TestAdoptPage(t *testing.T) {
	rig.NeedDefinitions(t, "that the commands of docs/adopt.md work")
	page, err := os.ReadFile("../../docs/adopt.md")
	require.NoError(t, err)
	g := newGuided(t)
	dir := t.TempDir()
	var diffs []string
	commands := 0
	page = regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAll(page, nil) // what init prints
	for line := range strings.Lines(string(page)) {
		command, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "    ")
		if !ok {
			continue
		}
		commands++
		result := try(t, g.clusters, dir, nil, command)
		want := 0
		if strings.HasPrefix(command, "sightline diff ") { // something changes
			want = 1
			diffs = append(diffs, result.Stdout)
		}
		require.Equal(t, want, result.Code, "%s\n%s%s", command, result.Stdout, result.Stderr)
	}
	require.Greater(t, commands, 10)
	require.Len(t, diffs, 2)
	assert.Contains(t, diffs[0], "~ PodMonitor")
	assert.NotContains(t, diffs[1], "Monitor", "they have been applied")
	assert.Contains(t, diffs[1], "~ Kiali")
	back := try(t, g.clusters, dir, nil, "sightline diff mesh.yaml --live --cluster cluster2")
	assert.Contains(t, back.Stdout, "~ PodMonitor", "the monitors are the guide's again")

	said := func(file string) string {
		text, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		var values []string
		for line := range strings.Lines(string(text)) {
			value, _, _ := strings.Cut(line, " #")
			if value = strings.TrimSpace(value); value != "" && !strings.HasPrefix(value, "#") {
				values = append(values, value)
			}
		}
		return strings.Join(values, "\n")
	}
	assert.Equal(t, said("mesh.yaml"), said("from-dumps.yaml"), "but for comments")
}
