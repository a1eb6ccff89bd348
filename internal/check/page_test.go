package check

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/golden"
)

var update = flag.Bool("update", false, "rewrite docs/rules.md")

// TestPage compares docs/rules.md with the rules.
func TestPage(t *testing.T) {
	const file = "../../docs/rules.md"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(Markdown()), 0o644))
	}
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	golden.Equal(t, file, string(data), Markdown(), "go test ./internal/check -run TestPage -update")
}

// TestSubjects shows that every rule is on the page once.
func TestSubjects(t *testing.T) {
	onPage := 0
	for _, s := range subjects {
		onPage += len(rulesOf(s.letters))
	}
	require.Equal(t, len(Rules()), onPage)
}
