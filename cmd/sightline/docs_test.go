package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDocumentedTopologiesRender renders every topology that a page shows, those with
// the name of a file as the directory that they make up.
func TestDocumentedTopologiesRender(t *testing.T) {
	t.Parallel()
	var docs []byte
	for _, text := range pages(t) {
		docs = append(docs, text...)
	}
	render := func(topology string, stdin []byte) {
		var stdout, stderr bytes.Buffer
		code := run(shared(t.Context()), []string{"render", topology, "-o", "-"}, bytes.NewReader(stdin), &stdout, &stderr)
		require.Equal(t, exitOK, code, "%s\n%s", &stderr, stdin)
		require.NotRegexp(t, `(?m)^[^:]+:\d+:\d+: [A-Z]{2}\d\d:`, stderr.String()) // warnings are in their place
		require.Contains(t, stdout.String(), "kind: Kiali")
	}
	root := t.TempDir()
	directories := map[string]bool{}
	blocks := regexp.MustCompile("(?ms)^```yaml *([^\n]*)\n(apiVersion: sightline.dev/.*?)^```$").FindAllSubmatch(docs, -1)
	require.Greater(t, len(blocks), 15)
	for _, block := range blocks {
		if len(block[1]) == 0 {
			render("-", block[2])
			continue
		}
		file := filepath.Join(root, filepath.FromSlash(string(block[1])))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, block[2], 0o644))
		directories[filepath.Dir(file)] = true
	}
	require.NotEmpty(t, directories)
	for dir := range directories {
		render(dir, nil)
	}
}
