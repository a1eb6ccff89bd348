package render_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// fieldNames lists the fields below spec of a kind whose definition is in no Go
// module. Only names are checked. Everything below a listed field is allowed.
type fieldNames string

func (names fieldNames) problems(t *testing.T, manifest []byte) []string {
	t.Helper()
	var object struct{ Spec map[string]any }
	require.NoError(t, yaml.Unmarshal(manifest, &object))
	require.NotEmpty(t, object.Spec)
	known := strings.Fields(string(names))
	strange := map[string]bool{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		object, isObject := v.(map[string]any)
		list, isList := v.([]any)
		switch {
		case slices.Contains(known, path):
		case isObject:
			for key, below := range object {
				walk(strings.TrimPrefix(path+"."+key, "."), below)
			}
		case isList:
			for _, below := range list {
				walk(path, below)
			}
		default:
			strange["unknown field spec."+path] = true
		}
	}
	walk("", object.Spec)
	return slices.Sorted(maps.Keys(strange))
}

func TestFieldNames(t *testing.T) {
	names := fieldNames("tenants.authentication.tenantName config")
	assert.Empty(t, names.problems(t, []byte("spec: {tenants: {authentication: [{tenantName: a}]}, config: {a: {b: 1}}}")))
	assert.Equal(t, []string{"unknown field spec.tenants.authentication.tenant"}, names.problems(t, []byte("spec: {tenants: {authentication: [{tenant: a}]}}")))
}
