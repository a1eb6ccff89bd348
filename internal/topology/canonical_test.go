package topology

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/kiali"
)

// canonical prints the values that a topology itself sets, in the order of the
// types. It prints no comments, and no defaults, because some defaults are
// refused if they follow from another choice.
func canonical(t testing.TB, top *Topology) []byte {
	t.Helper()
	var node func(v reflect.Value, path []any) *yaml.Node
	scalar := func(v any) *yaml.Node {
		n := &yaml.Node{}
		require.NoError(t, n.Encode(v))
		return n
	}
	var free func(v any) *yaml.Node
	free = func(v any) *yaml.Node {
		switch v := v.(type) {
		case map[string]any:
			n := &yaml.Node{Kind: yaml.MappingNode}
			for _, key := range sortedKeys(v) {
				n.Content = append(n.Content, scalar(key), free(v[key]))
			}
			return n
		case []any:
			n := &yaml.Node{Kind: yaml.SequenceNode}
			for _, item := range v {
				n.Content = append(n.Content, free(item))
			}
			return n
		case fmt.Stringer: // a json.Number
			return &yaml.Node{Kind: yaml.ScalarNode, Value: v.String()}
		}
		return scalar(v)
	}
	node = func(v reflect.Value, path []any) *yaml.Node {
		switch v.Kind() {
		case reflect.Pointer:
			return node(v.Elem(), path)
		case reflect.Struct:
			n := &yaml.Node{Kind: yaml.MappingNode}
			for _, f := range fieldsOf(v.Type()) {
				below := append(slices.Clone(path), f.key)
				if top.node(below...) != nil {
					n.Content = append(n.Content, scalar(f.key), node(v.FieldByIndex(f.Index), below))
				}
			}
			return n
		case reflect.Slice:
			n := &yaml.Node{Kind: yaml.SequenceNode}
			for i := range v.Len() {
				n.Content = append(n.Content, node(v.Index(i), append(slices.Clone(path), i)))
			}
			return n
		case reflect.Map:
			if scope, ok := v.Interface().(Scope); ok && scope.Word() != "" {
				return scalar(scope.Word())
			}
			if v.Type().Elem().Kind() == reflect.String {
				n := &yaml.Node{Kind: yaml.MappingNode}
				for _, key := range sortedKeys(v.Convert(reflect.TypeFor[map[string]string]()).Interface().(map[string]string)) {
					n.Content = append(n.Content, scalar(key), scalar(v.MapIndex(reflect.ValueOf(key)).String()))
				}
				return n
			}
			return free(v.Interface())
		}
		if line, ok := v.Interface().(kiali.Line); ok {
			return scalar(line.String())
		}
		return scalar(v.Interface())
	}
	out, err := yaml.Marshal(node(reflect.ValueOf(top).Elem(), nil))
	require.NoError(t, err)
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// sameAfterPrinting checks that a printed topology reads as the same topology,
// and prints as the same text again.
func sameAfterPrinting(t testing.TB, top *Topology) {
	t.Helper()
	text := canonical(t, top)
	again, findings := Parse("canonical.yaml", text)
	require.Empty(t, findings, "%s", text)
	require.Equal(t, top.Metadata, again.Metadata)
	require.Equal(t, top.Spec, again.Spec, "%s", text)
	require.Equal(t, string(text), string(canonical(t, again)))
}

// TestCanonical shows that parsing loses nothing: for every topology without
// findings, parse, print, parse is the identity.
func TestCanonical(t *testing.T) {
	for _, file := range append(inputs(t, "testdata/ok"), inputs(t, "../../topologies")...) {
		if top, findings := Parse(file, read(t, file)); len(findings) == 0 {
			t.Run(file, func(t *testing.T) { sameAfterPrinting(t, top) })
		}
	}
}
