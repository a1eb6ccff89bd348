package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// requireVisible requires that a stream is UTF-8 and has no control characters except
// tabs and ends of lines. It has no characters that change the direction of text, and no
// other invisible ones.
func requireVisible(t *testing.T, text string) {
	t.Helper()
	require.True(t, utf8.ValidString(text))
	for _, r := range text {
		if r != '\n' && r != '\t' {
			require.True(t, unicode.IsGraphic(r), "%U in %q", r, text)
		}
	}
}

var hidden = []string{"\x1b[31mred", "a\u202eb", "a\u200bb", "a\u0085b", "\x00", "\xff\xfe", "a\rb", "\u2028", "\U000e0041", "a\nFORGED: b", "\ufeff", "ä ö", "a\u00adb"}

// FuzzStreams puts a text from outside into everything that is printed: the name of a
// file, a rule, a cluster, a flag, a message of Jsonnet, a value and a comment of a
// topology. No stream has invisible characters, and the text after an end of a line never
// begins a line.
func FuzzStreams(f *testing.F) {
	for _, text := range hidden {
		f.Add(text)
	}
	dir := f.TempDir()
	require.NoError(f, os.Mkdir(filepath.Join(dir, "own"), 0o755))
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(text, "\n", "\nFORGED")
		mesh, script := filepath.Join(dir, "mesh.yaml"), filepath.Join(dir, "own", "own.jsonnet")
		require.NoError(t, os.WriteFile(mesh, []byte(overlaid), 0o644))
		require.NoError(t, os.WriteFile(script, []byte("function(resource, cluster) error std.join('', std.map(std.char, "+codes(text)+"))"), 0o644))
		named := filepath.Join(dir, strings.NewReplacer("/", "_", "\x00", "").Replace(text)+".yaml")
		_ = os.WriteFile(named, []byte("apiVersion: "+text+"\nkind: x # "+text), 0o644) // a name that the system refuses is one to print, too
		for _, args := range [][]string{
			{"verify", mesh},
			{"verify", named},
			{"verify", "./" + text},
			{"verify", "--output", "json", named},
			{"render", mesh, "-o", "-", "--cluster", text},
			{"render", named, "-o", text + "/x"},
			{"verify", "--suppress", text},
			{"explain", text},
			{text},
		} {
			var stdout, stderr bytes.Buffer
			run(shared(context.Background()), args, strings.NewReader(""), &stdout, &stderr)
			requireVisible(t, stdout.String())
			requireVisible(t, stderr.String())
			for line := range strings.Lines(stdout.String() + stderr.String()) {
				require.False(t, strings.HasPrefix(line, "FORGED"), "%q", line)
			}
		}
		_ = os.Remove(named)
	})
}

// TestVisibleInParts shows that the output does not depend on how a text is cut.
func TestVisibleInParts(t *testing.T) {
	t.Parallel()
	for _, text := range hidden {
		for cut := range len(text) {
			var out bytes.Buffer
			v := &visible{out: &out}
			for _, part := range []string{text[:cut], text[cut:]} {
				n, err := v.Write([]byte(part))
				require.NoError(t, err)
				require.Equal(t, len(part), n)
			}
			require.NoError(t, v.Close())
			require.Equal(t, finding.VisibleText(text), out.String())
		}
	}
}
