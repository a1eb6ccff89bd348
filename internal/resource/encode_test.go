package resource

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	yaml3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

func TestEncodeOrderAndLayout(t *testing.T) {
	in := map[string]any{
		"spec": map[string]any{
			"metrics":  []any{map[string]any{"providers": []any{map[string]any{"name": "prometheus"}}}},
			"empty":    map[string]any{},
			"none":     []any{},
			"nested":   []any{[]any{"a", "b"}, []any{}, map[string]any{}},
			"enabled":  true,
			"replicas": 3,
			"nothing":  nil,
		},
		"metadata":   map[string]any{"labels": map[string]string{"b": "2", "a": "on"}, "namespace": "ns", "name": "x", "annotations": nil},
		"kind":       "ConfigMap",
		"apiVersion": "v1",
		"data":       map[string]any{"config.yaml": "a: 1\n\nb: 2\n", "list": "- x"},
	}
	want := `apiVersion: v1
kind: ConfigMap
metadata:
  name: x
  namespace: ns
  labels:
    a: "on"
    b: "2"
  annotations: null
spec:
  empty: {}
  enabled: true
  metrics:
  - providers:
    - name: prometheus
  nested:
  - - a
    - b
  - []
  - {}
  none: []
  nothing: null
  replicas: 3
data:
  config.yaml: |
    a: 1

    b: 2
  list: "- x"
`
	assert.Equal(t, want, string(Encode(nil, in)))
}

func TestQuotesOnlyWhereReadersDisagree(t *testing.T) {
	for _, s := range []string{
		"mesh1", "30s", "v1.73", "istio-system", "a b", "a:b", "https://h:1/x?y=z", "$1$2", "$2:$1", "(.+);.*|.*;(.+)",
		`(\d+);((([0-9]+?)(\.|$)){4})`, "a#b", "é", "2x", "v1", "truest", "1password", "https://api.east.example.com:6443",
	} {
		assert.Equal(t, s, string(scalar(nil, s)), "needs no quotes")
	}
	for s, want := range map[string]string{
		"":             `""`,
		"on":           `"on"`,
		"y":            `"y"`,
		"N":            `"N"`,
		"True":         `"True"`,
		"null":         `"null"`,
		"~":            `"~"`,
		"<<":           `"<<"`,
		"=":            `"="`,
		"1e3":          `"1e3"`,
		"0o7":          `"0o7"`,
		"0x1F":         `"0x1F"`,
		"007":          `"007"`,
		"1_000":        `"1_000"`,
		"1:30":         `"1:30"`,
		".5":           `".5"`,
		"+.inf":        `"+.inf"`,
		".NaN":         `".NaN"`,
		"2026-11-22":   `"2026-11-22"`,
		"10.0.0.1":     `"10.0.0.1"`,
		"a: b":         `"a: b"`,
		"a:":           `"a:"`,
		"a #b":         `"a #b"`,
		" a":           `" a"`,
		"a ":           `"a "`,
		"-a":           `"-a"`,
		"[$2]:$1":      `"[$2]:$1"`,
		`*\d`:          `'*\d'`,
		`"it's"`:       `'"it''s"'`,
		"a\tb":         `"a\tb"`,
		"a\u00a0b":     `"a\u00a0b"`,
		"\ufeffa":      `"\ufeffa"`,
		"a\u2028b":     `"a\u2028b"`,
		"\U000e0001":   `"\U000e0001"`,
		"tab\there\\ ": `"tab\there\\ "`,
	} {
		assert.Equal(t, want, string(scalar(nil, s)))
	}
}

func TestNumbersKeepTheirKind(t *testing.T) {
	for in, want := range map[json.Number]string{"1": "1", "-2.5": "-2.5", "1e+06": "1.0e+06", "1E6": "1.0e+6", "2.5e-7": "2.5e-7"} {
		assert.Equal(t, want, number(in))
	}
}

// FuzzEncode shows that what is written is what is read, by a reader of YAML
// 1.1 (sigs.k8s.io/yaml, which kubectl, kustomize, Argo CD and Flux use) and by
// one that leans to 1.2.
func FuzzEncode(f *testing.F) {
	for _, s := range []string{
		"", "on", "1e3", "0o7", "a: b", "a\nb\n", "a\n\n", "\n", " a\nb", "a\n b\n\n\nc\n\n", "\ta\nb", "a\r\nb", "{{ .x }}", "'", `"`, "\\",
		"---\na", "a\n---\nb", "a\n...\n", "# a\nb", "a\n  ", "\u0085", "?", "- a", "? a", ": a", "|", "> x", "\x00", "null", "2001-01-01T00:00:00Z",
		strings.Repeat("k", 1100), "a\n\t", "%YAML", "!!str a", "&a b", "*a", "12:30:45", "0b1", "1.e1", "+1", ".", "..", "+", "0x", "1,000",
	} {
		f.Add(s, "k", "v")
		f.Add("a", s, "v")
		f.Add("a", s, s)
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) || !utf8.ValidString(c) {
			return // the topology reader refuses such bytes
		}
		in := map[string]any{
			"top":  a,
			"list": []any{a, map[string]any{b: c, "z": []any{c, []any{b, a}}}},
			"map":  map[string]any{a: b, "k": map[string]any{c: a}},
			"last": c,
		}
		out := Encode(nil, in)

		asJSON, err := yaml.YAMLToJSON(out)
		require.NoError(t, err, "%s", out)
		got, err := DecodeJSON(asJSON)
		require.NoError(t, err)
		require.True(t, reflect.DeepEqual(in, got), "sigs.k8s.io/yaml reads %#v\nfrom\n%s\nwant %#v", got, out, in)

		var v3 any
		require.NoError(t, yaml3.Unmarshal(out, &v3), "%s", out)
		require.True(t, reflect.DeepEqual(in, v3), "yaml/v3 reads %#v\nfrom\n%s\nwant %#v", v3, out, in)
	})
}
