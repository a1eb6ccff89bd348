package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/discover"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// fieldsIn adds the fields that a topology sets to a set.
func fieldsIn(t testing.TB, text []byte, into map[string]bool) {
	t.Helper()
	known := map[string]bool{}
	for _, f := range topology.Fields() {
		known[f.Path] = true
	}
	var walk func(v any, path string)
	walk = func(v any, path string) {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v {
				if p := topology.Join(path, key); known[p] {
					into[p] = true
					walk(value, p)
				}
			}
		case []any:
			for _, item := range v {
				walk(item, path+"[]")
			}
		}
	}
	var v any
	require.NoError(t, yaml.Unmarshal(text, &v))
	walk(v, "")
}

// TestUntold shows that docs/adopt.md has the table of fields that no cluster tells, and
// that these fields exist.
func TestUntold(t *testing.T) {
	t.Parallel()
	const page, begin, end = "../../docs/adopt.md", "-run TestUntold -update -->\n", "<!-- end -->"
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok)
	table, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(before+begin+discover.UntoldTable()+end+after), 0o644))
		return
	}
	assert.Equal(t, discover.UntoldTable(), table, "go test ./cmd/sightline -run TestUntold -update")
	known := map[string]bool{}
	for _, f := range topology.Fields() {
		known[f.Path] = true
	}
	for _, part := range discover.Untold() {
		for _, field := range part.Fields {
			assert.True(t, known[field], field)
		}
	}
}

// TestInitTellsEachField shows that the topologies of TestInitProperty and TestInitParts
// set every field that init reads back.
func TestInitTellsEachField(t *testing.T) {
	t.Parallel()
	set := map[string]bool{}
	for _, text := range madeTopologies() {
		fieldsIn(t, text, set)
	}
	for _, part := range initParts(t) {
		fieldsIn(t, partTopology(t, part), set)
	}
	entries, err := filepath.Glob("../../topologies/*.yaml")
	require.NoError(t, err)
	for _, e := range entries {
		text, err := os.ReadFile(e)
		require.NoError(t, err)
		fieldsIn(t, text, set)
	}
	for _, f := range topology.Fields() {
		if discover.Tells(f.Path) {
			assert.True(t, set[f.Path], "no topology of the tests sets %s", f.Path)
		}
	}
}
