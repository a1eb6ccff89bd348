package render_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/kiali"
)

// judge knows the objects of a kind.
type judge interface {
	// problems returns the objections of an API server to a new object.
	problems(t *testing.T, manifest []byte) []string
}

// kialiTable checks Kiali resources with the tables of internal/kiali.
// TestFields and TestTypes compare these tables with the definitions of
// operator releases. No Go module has these definitions.
type kialiTable struct{}

func (kialiTable) problems(t *testing.T, manifest []byte) (problems []string) {
	t.Helper()
	data, err := yaml.YAMLToJSONStrict(manifest)
	require.NoError(t, err)
	spec, ok := decode[map[string]any](t, data)["spec"].(map[string]any)
	require.True(t, ok)
	for field, value := range leavesOf("", spec) {
		known := slices.ContainsFunc(kiali.LineNames(), func(name string) bool {
			line, _ := kiali.ParseLine(name)
			return knows(line, field)
		})
		want, is := kiali.TypeOf()[field], typeIn(value)
		name := want.Name
		if want.Items != "" {
			name += " of " + want.Items
		}
		switch {
		case !known:
			problems = append(problems, "unknown field spec."+field)
		case name != "" && name != is:
			problems = append(problems, fmt.Sprintf("spec.%s: must be of type %s: %q", field, name, is))
		case len(want.Values) > 0 && !slices.Contains(want.Values, fmt.Sprint(value)):
			problems = append(problems, fmt.Sprintf("spec.%s: Unsupported value: %q", field, value))
		}
	}
	slices.Sort(problems)
	return problems
}

// leavesOf returns the values below v that are no objects, by path.
func leavesOf(path string, v any) map[string]any {
	m, ok := v.(map[string]any)
	if !ok {
		return map[string]any{path: v}
	}
	all := map[string]any{}
	for key, below := range m {
		for field, value := range leavesOf(strings.TrimPrefix(path+"."+key, "."), below) {
			all[field] = value
		}
	}
	return all
}

// typeIn returns the type of a value in the words of a definition.
func typeIn(v any) string {
	switch v := v.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case []any:
		if len(v) > 0 {
			return "array of " + typeIn(v[0])
		}
		return "array"
	case float64:
		return "integer"
	}
	return "object"
}
