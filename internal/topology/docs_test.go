package topology

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/golden"
)

const docsFile = "../../docs/topology.md"

// TestFieldsAreExplained checks that every field has a comment.
func TestFieldsAreExplained(t *testing.T) {
	fields := Fields()
	require.Greater(t, len(fields), 80)
	seen := map[string]bool{}
	for _, f := range fields {
		require.NotEmpty(t, f.Comment, f.Path)
		require.NotContains(t, f.Comment+f.Changes, "Default:", f.Path)
		require.NotContains(t, f.Comment+f.Default, "Changes:", f.Path)
		require.False(t, seen[f.Path], "%s stands twice", f.Path)
		seen[f.Path] = true
		if !f.Section {
			require.NotEmpty(t, f.Changes, "the comment on %s, or on what it is in, lacks a sentence Changes: …", f.Path)
		}
		found, hint := Lookup(fields, f.Path)
		require.Equal(t, f.Path, found.Path)
		require.Empty(t, hint)
		found, _ = Lookup(fields, strings.ReplaceAll(f.Path, "[]", ""))
		require.Equal(t, f.Path, found.Path)
	}
}

func TestLookup(t *testing.T) {
	fields := Fields()
	for path, want := range map[string]string{
		"spec.clusters[12].name": "spec.clusters[].name",
		"spec.clusters[]":        "spec.clusters",
		"spec":                   "spec",
	} {
		f, hint := Lookup(fields, path)
		require.NotNil(t, f, path)
		require.Equal(t, want, f.Path)
		require.Empty(t, hint)
	}
	for path, want := range map[string]string{
		"spec.kiali.linkz":         "did you mean spec.kiali.links?",
		"Spec.Kiali.Links.Format":  "did you mean spec.kiali.links.format?",
		"kiali.links":              "did you mean spec.kiali.links?",
		"links":                    "did you mean spec.kiali.links?",
		"interval":                 "did you mean spec.metrics.interval, spec.metrics.acm.interval, spec.delivery.flux.interval or spec.clusters[].metrics.interval?",
		"spec.kiali.auth.allUsers": "the keys of spec.kiali.auth are strategy, impersonation",
		"spec.kiali.hub.name":      "spec.kiali.hub has no fields that Sightline knows; its type is: string",
		"spec.kiali.spec.server.a": "spec.kiali.spec has no fields that Sightline knows; its type is: object with free keys",
		"nonsense":                 "the keys of the topology are apiVersion, kind, metadata, spec",
		"":                         "the keys of the topology are apiVersion, kind, metadata, spec",
		"..[":                      "the keys of the topology are apiVersion, kind, metadata, spec",
	} {
		f, hint := Lookup(fields, path)
		require.Nil(t, f, path)
		require.Equal(t, want, hint)
	}
}

// TestDocs keeps the reference of the fields equal to the output of explain.
func TestDocs(t *testing.T) {
	const begin, end = "<!-- fields -->\n", "<!-- /fields -->\n"
	docs := string(read(t, docsFile))
	before, rest, ok := strings.Cut(docs, begin)
	require.True(t, ok)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	want := before + begin + reference(Fields()) + end + after
	if *update {
		require.NoError(t, os.WriteFile(docsFile, []byte(want), 0o644))
		docs = want
	}
	golden.Equal(t, docsFile, docs, want, "go test ./internal/topology -run TestDocs -update")
	require.Contains(t, docs, "# yaml-language-server: $schema="+SchemaURL)
}

// TestDocumentedTopologies parses every YAML block in the topology's
// documentation. Blocks with a file name are the documents of a directory.
func TestDocumentedTopologies(t *testing.T) {
	schema := compiledSchema(t)
	directories := map[string][]Source{}
	blocks := regexp.MustCompile("(?ms)^```yaml *([^\n]*)\n(.*?)^```$").FindAllStringSubmatch(string(read(t, docsFile)), -1)
	require.Greater(t, len(blocks), 8)
	for _, block := range blocks {
		name, data := block[1], []byte(block[2])
		for _, root := range roots(data) {
			require.NoError(t, schema.Validate(asJSON(root)), "%s", data)
		}
		if name != "" {
			dir := path.Dir(name)
			directories[dir] = append(directories[dir], Source{name, data})
			continue
		}
		_, findings := Parse(path.Base(docsFile), data)
		require.Empty(t, text(findings), "%s", data)
	}
	require.Len(t, directories, 1)
	for dir, sources := range directories {
		_, findings := ParseDirectory(dir, sources)
		require.Empty(t, text(findings), dir)
	}
}

// reference is the part of the documentation that is made from the fields.
func reference(fields []Field) string {
	var b strings.Builder
	changes := map[string]string{"": ""}
	list := func(path string) {
		for i := range fields {
			if f := &fields[i]; f.Parent() == path {
				fmt.Fprintf(&b, "- **`%s`** (%s). %s\n", f.Key(), shape(f), inMarkdown(sentences(f, changes[path])))
			}
		}
	}
	b.WriteString("\n### The document\n\n")
	list("")
	for i := range fields {
		if f := &fields[i]; f.Section {
			changes[f.Path] = f.Changes
			fmt.Fprintf(&b, "\n### `%s`\n\n%s\n\n", f.Path, inMarkdown(sentences(f, changes[f.Parent()])))
			list(f.Path)
		}
	}
	return b.String() + "\n"
}

// shape describes the form of a value.
func shape(f *Field) string {
	s := f.Type
	switch {
	case f.Section:
		s += ", see [below](#" + anchor(f.Path) + ")"
	case len(f.Values) > 0:
		s += ": `" + strings.Join(f.Values, "`, `") + "`"
	case strings.Contains(f.Form, f.Type):
		s = f.Form
	case f.Form != "":
		s += ": " + f.Form
	}
	s = inMarkdown(s)
	switch {
	case f.Required != "":
		s += "; **required**"
	case f.Default != "" && !strings.Contains(f.Default, " "):
		s += "; default `" + f.Default + "`"
	case f.Default != "":
		s += "; default: " + inMarkdown(f.Default)
	}
	return s
}

func sentences(f *Field, known string) string {
	s := f.Comment
	if f.Changes != "" && f.Changes != known {
		s += " Changes: " + f.Changes + "."
	}
	return s
}

// inMarkdown escapes < so that Markdown does not read <name> as HTML.
func inMarkdown(s string) string { return strings.ReplaceAll(s, "<", `\<`) }

// anchor returns GitHub's anchor for a heading.
func anchor(heading string) string {
	return strings.ToLower(strings.NewReplacer(".", "", "[", "", "]", "").Replace(heading))
}
