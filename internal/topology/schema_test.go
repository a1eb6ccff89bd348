package topology

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/golden"
)

const schemaFile = "../../docs/topology.schema.json"

func TestSchemaFile(t *testing.T) {
	schema, err := Schema()
	require.NoError(t, err)
	again, err := Schema()
	require.NoError(t, err)
	require.Equal(t, string(schema), string(again))
	if *update {
		require.NoError(t, os.WriteFile(schemaFile, schema, 0o644))
	}
	golden.Equal(t, schemaFile, string(read(t, schemaFile)), string(schema), "go test ./internal/topology -run TestSchemaFile -update")
}

// TestSchemaKnowsEveryExample validates every topology that the parser accepts.
func TestSchemaKnowsEveryExample(t *testing.T) {
	schema := compiledSchema(t)
	examples := []string{"testdata/ok", "../../topologies", "../../topologies/fleet", "../../topologies/fleet/clusters"}
	for _, file := range slices.Concat(inputs(t, examples[0]), inputs(t, examples[1]), inputs(t, examples[2]), inputs(t, examples[3])) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			for _, root := range roots(read(t, file)) {
				require.NoError(t, schema.Validate(asJSON(root)))
			}
		})
	}
}

// yamlOnly matches findings about features that JSON does not have.
var yamlOnly = regexp.MustCompile(`found the (date|tag)|: a key of .* must be a string`)

// TestSchemaRefusesWhatTheParserDoes tests the bad examples. If the structure
// of one is wrong, the schema must refuse it too.
func TestSchemaRefusesWhatTheParserDoes(t *testing.T) {
	schema := compiledSchema(t)
	refused := 0
	for _, file := range inputs(t, "testdata/err") {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			for _, root := range roots(read(t, file)) {
				err := schema.Validate(asJSON(root)) // before the parser replaces misspelled keys
				findings := structural(root)
				ours := slices.ContainsFunc(findings, func(f finding.Finding) bool {
					return f.Rule == RuleUnknown || f.Rule == RuleType || f.Rule == RuleMissing
				})
				if ours && !yamlOnly.MatchString(text(findings)) {
					require.Error(t, err, "%s", text(findings))
					refused++
				} else if len(findings) == 0 {
					require.NoError(t, err)
				}
			}
		})
	}
	require.Greater(t, refused, 50)
}

// FuzzSchemaAgrees makes documents that the schema allows, and spoils them.
// Schema and parser must agree about each.
func FuzzSchemaAgrees(f *testing.F) {
	schema := compiledSchema(f)
	for seed := range uint64(300) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		m := maker{rand.New(rand.NewPCG(seed, 1))}
		doc := m.value(schema, 0)
		require.NoError(t, schema.Validate(doc), "%s", inJSON(t, doc))
		require.Empty(t, text(structural(parsed(t, doc))), "%s", inJSON(t, doc))

		for range 10 {
			spoilt := clone(t, doc)
			key := m.spoil(spoilt)
			err, findings := schema.Validate(spoilt), structural(parsed(t, spoilt))
			if key == "server" || key == "url" || key == "proxyURL" || key == "ca" {
				// The schema checks URLs only roughly; see TestSchemaOfURLs.
				if err != nil {
					require.NotEmpty(t, findings, "%v\n%s", err, inJSON(t, spoilt))
				}
				continue
			}
			require.Equal(t, err != nil, len(findings) > 0, "schema: %v\nparser: %s\n%s", err, text(findings), inJSON(t, spoilt))
		}
	})
}

// TestSchemaOfURLs checks that the schema accepts every URL that the parser
// accepts. It also accepts others.
func TestSchemaOfURLs(t *testing.T) {
	texts := []string{
		"http://a", "https://a/", "HTTP://A.b:80/c?", "https://a#", "http://[::1]:80/x", "https://u@a", "https://a?b", "https://a#b", "ftp://a",
		"https://a.", "https://a_b", "https://[fe80::1%25eth0]:6443", "https://[2001:db8::1]", "https://10.0.0.1", "hTTps://x:0443/y%20z",
		"https://a:0", "https://a:", "https://:1", "https:///a", "https:a", "//a", "a", "", "https://a b", "https://a/b c", "https://ä", "https://localhost",
		"https://1", "https://a..b", "https://-a", "https://a-", "https://a/@", "https://a\nb", "https://a/\x7f", "https://a/ä", "https://*", "https://a/*", "https://a:99999",
	}
	for _, file := range inputs(t, "testdata/err") {
		if base := filepath.Base(file); strings.HasPrefix(base, "server-") || strings.HasPrefix(base, "store-") {
			for _, root := range roots(read(t, file)) {
				texts = append(texts, scalars(root)...)
			}
		}
	}
	for _, name := range []string{"server", "url", "argoServer"} {
		taken := 0
		for _, s := range texts {
			problem, _ := formats[name].problem(s)
			if problem != "" {
				continue
			}
			taken++
			for _, pattern := range formats[name].patterns {
				require.Regexp(t, pattern, s, name)
			}
		}
		require.Greater(t, taken, 5)
		for _, example := range formats[name].examples {
			problem, _ := formats[name].problem(example)
			require.Empty(t, problem, example)
		}
	}
}

// TestPatterns checks that a string is valid for a format if and only if it
// matches all patterns of the schema.
func TestPatterns(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(formats)) {
		check := formats[name]
		require.NotEmpty(t, check.patterns, name)
		if len(check.examples) > 0 {
			continue // see TestSchemaOfURLs
		}
		m := maker{rand.New(rand.NewPCG(1, 1))}
		good := 0
		for range 2000 {
			s := m.matching(pick(m, check.patterns))
			if m.IntN(2) == 0 {
				s = m.scratch(s)
			}
			matches := check.most == 0 || len([]rune(s)) <= check.most
			for _, pattern := range check.patterns {
				matches = matches && regexp.MustCompile(pattern).MatchString(s)
			}
			problem, _ := check.problem(s)
			require.Equal(t, matches, problem == "", "%s: %q: %s", name, s, problem)
			if matches {
				good++
			}
		}
		require.Greater(t, good, 100, name)
	}
}

func compiledSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource(SchemaURL, doc))
	schema, err := c.Compile(SchemaURL)
	require.NoError(t, err)
	require.Equal(t, 2020, schema.DraftVersion)
	return schema
}

// structural returns the findings about the structure of a document. It leaves
// out those about how values depend on each other.
func structural(root *yaml.Node) finding.Findings {
	var findings finding.Findings
	d := newDecoder("doc", aTopology, &findings)
	switch d.head(root, Kind, ClusterKind) {
	case Kind:
		d.topology(root)
	case ClusterKind:
		d.cluster(root)
	}
	d.close()
	return findings.Sorted()
}

func roots(data []byte) []*yaml.Node {
	var findings finding.Findings
	var roots []*yaml.Node
	for _, doc := range documents("doc", data, math.MaxInt, aTopology, &findings) {
		roots = append(roots, doc.Content[0])
	}
	return roots
}

func parsed(t testing.TB, doc any) *yaml.Node {
	t.Helper()
	all := roots(inJSON(t, doc))
	require.Len(t, all, 1)
	return all[0]
}

func inJSON(t testing.TB, doc any) []byte {
	t.Helper()
	data, err := json.Marshal(doc)
	require.NoError(t, err)
	return data
}

func clone(t testing.TB, doc any) any {
	t.Helper()
	var same any
	require.NoError(t, json.Unmarshal(inJSON(t, doc), &same))
	return same
}

// asJSON returns the document as an editor passes it to a schema.
func asJSON(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = asJSON(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			list = append(list, asJSON(item))
		}
		return list
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		if number, ok := jsonNumber(n.Value); ok {
			return number
		}
		return 0
	}
	return n.Value
}

func scalars(n *yaml.Node) []string {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	var all []string
	for _, below := range n.Content {
		all = append(all, scalars(below)...)
	}
	return all
}

// maker makes random values.
type maker struct{ *rand.Rand }

func pick[T any](m maker, from []T) T { return from[m.IntN(len(from))] }

// value makes a value that a schema allows.
func (m maker) value(s *jsonschema.Schema, depth int) any {
	switch {
	case len(s.AllOf) > 0:
		return m.value(pick(m, s.AllOf).Then, depth)
	case s.Ref != nil:
		return m.value(s.Ref, depth)
	case s.Const != nil:
		return *s.Const
	case s.Enum != nil:
		return pick(m, s.Enum.Values)
	}
	switch kinds := s.Types.ToStrings(); pick(m, kinds) {
	case "string":
		if s.Then != nil && s.Then.Enum != nil {
			return m.value(s.Then, depth)
		}
	case "object":
		return m.object(s, depth)
	case "array":
		list := []any{}
		for range m.IntN(3) {
			item := m.value(s.Items2020, depth+1)
			if text, ok := item.(string); !ok || !s.UniqueItems || !slices.Contains(list, any(text)) {
				list = append(list, item)
			}
		}
		return list
	case "boolean":
		return m.IntN(2) == 0
	case "number":
		for {
			x := pick(m, []float64{0, -7, 2.5, 1e-7, 100, 1 << 53, -1 << 53})
			if r := new(big.Rat).SetFloat64(x); r.Cmp(s.Minimum) >= 0 && r.Cmp(s.Maximum) <= 0 {
				return x
			}
		}
	}
	return m.text(s)
}

func (m maker) object(s *jsonschema.Schema, depth int) any {
	object := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(s.Properties)) {
		property := s.Properties[key]
		if slices.Contains(s.Required, key) || m.IntN(2+depth) == 0 {
			object[key] = m.value(property, depth+1)
		}
	}
	if more, ok := s.AdditionalProperties.(*jsonschema.Schema); ok && depth < 10 {
		for range m.IntN(3) {
			key := "key"
			if s.PropertyNames != nil {
				key = m.text(s.PropertyNames)
			}
			object[key] = m.value(more, depth+2)
		}
	}
	return object
}

func (m maker) text(s *jsonschema.Schema) string {
	if s.Default != nil && m.IntN(4) == 0 {
		return (*s.Default).(string)
	}
	if len(s.Examples) > 0 {
		return pick(m, s.Examples).(string)
	}
	if s.Pattern == nil {
		return pick(m, []string{"a", "cluster1", "overlays/team", "ä: #"})
	}
	for {
		text := m.matching(s.Pattern.String())
		if s.Then == nil || s.Then.Pattern.MatchString(text) {
			return text
		}
	}
}

// matching makes a string that matches a pattern.
func (m maker) matching(pattern string) string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return err.Error()
	}
	return m.from(re)
}

func (m maker) from(re *syntax.Regexp) string {
	times := func(least, most int) string {
		var b strings.Builder
		for range least + m.IntN(most-least+1) {
			b.WriteString(m.from(re.Sub[0]))
		}
		return b.String()
	}
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		i := 2 * m.IntN(len(re.Rune)/2)
		low, high := re.Rune[i], min(re.Rune[i+1], 0x2fff)
		return string(low + m.Int32N(high-low+1))
	case syntax.OpStar:
		return times(0, 4)
	case syntax.OpPlus:
		return times(1, 4)
	case syntax.OpQuest:
		return times(0, 1)
	case syntax.OpRepeat:
		return times(re.Min, re.Max)
	case syntax.OpAlternate:
		return m.from(pick(m, re.Sub))
	}
	var b strings.Builder
	for _, sub := range re.Sub {
		b.WriteString(m.from(sub))
	}
	return b.String()
}

// scratch changes, adds or drops one character of a string, or makes it longer
// than every limit.
func (m maker) scratch(s string) string {
	runes := []rune(s)
	at := m.IntN(len(runes) + 1)
	char := pick(m, []rune("aZ09-._/:@ ~ä\n"))
	switch {
	case m.IntN(10) == 0:
		return s + strings.Repeat("x", pick(m, []int{40, 63, 253, 317}))
	case at < len(runes) && len(runes) > 1 && m.IntN(2) == 0:
		return string(slices.Delete(runes, at, at+1))
	case at < len(runes) && m.IntN(2) == 0:
		runes[at] = char
		return string(runes)
	}
	return string(slices.Insert(runes, at, char))
}

// spoil changes one place of a document, usually to something invalid. It
// returns the key of the place.
func (m maker) spoil(doc any) string {
	type place struct {
		key   string
		value any
		set   func(any)
		unset func()
	}
	var places []place
	var walk func(v any, key string, set func(any), unset func())
	walk = func(v any, key string, set func(any), unset func()) {
		places = append(places, place{key, v, set, unset})
		switch v := v.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				walk(v[key], key, func(other any) { v[key] = other }, func() { delete(v, key) })
			}
		case []any:
			for i := range v {
				walk(v[i], key, func(other any) { v[i] = other }, nil)
			}
		}
	}
	walk(doc, "", nil, nil)
	p := pick(m, places)
	if p.set == nil {
		p = places[1+m.IntN(len(places)-1)]
	}
	others := []any{nil, true, 1, 2.5, 1<<53 + 2, -1e30, "text", []any{}, []any{"a", "a"}, []any{nil}, map[string]any{}, map[string]any{"a": 1}}
	switch v := p.value.(type) {
	case string:
		if m.IntN(2) == 0 {
			p.set(m.scratch(v))
			return p.key
		}
	case map[string]any:
		key := pick(m, []string{"unknown", "name", "nmae", "spec", "a b", ""})
		if _, ok := v[key]; !ok && m.IntN(2) == 0 {
			v[key] = pick(m, others)
			return ""
		}
	case []any:
		if len(v) > 0 && m.IntN(2) == 0 {
			p.set(append(slices.Clone(v), pick(m, v)))
			return p.key
		}
	}
	if p.unset != nil && m.IntN(2) == 0 {
		p.unset()
		return p.key
	}
	p.set(pick(m, others))
	return p.key
}
