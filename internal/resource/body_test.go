package resource

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFilledIsEncoded(t *testing.T) {
	values := Values{
		"topology": {"id": "on", "config": "a: 1\nb: 2\n", "labels": map[string]any{"x": "1"}, "none": map[string]any{}},
		"cluster":  {"name": "c1", "list": []string{"a", "null"}, "flag": true, "host": "h: x"},
	}
	make := func(p func(string) any) Object {
		return Object{
			"apiVersion": "v1",
			"kind":       "ConfigMap",
			"metadata":   map[string]any{"name": "x", "labels": p("topology.labels"), "annotations": p("topology.none")},
			"data": map[string]any{
				"id":     p("topology.id"),
				"config": p("topology.config"),
				"list":   []any{p("cluster.list"), p("topology.config"), p("topology.labels"), p("cluster.flag")},
				"deep":   map[string]any{"list": p("cluster.list")},
			},
		}
	}
	body, err := NewBody(make(func(path string) any { return Hole(path) }))
	require.NoError(t, err)
	got, err := body.Append(nil, values)
	require.NoError(t, err)

	want := Encode(nil, make(func(path string) any {
		v, err := values.at(path)
		require.NoError(t, err)
		return v
	}))
	assert.Equal(t, string(want), string(got))
	assert.True(t, body.Uses("topology"))
	assert.True(t, body.Uses("cluster"))
	assert.False(t, body.Uses("namespace"))
}

func TestMerge(t *testing.T) {
	ours := map[string]any{"a": "1", "m": map[string]any{"x": "1", "y": []any{"1"}}}
	theirs := map[string]any{"b": "2", "m": map[string]any{"y": []any{"2"}, "z": map[string]any{"deep": true}}}
	want := map[string]any{"a": "1", "b": "2", "m": map[string]any{"x": "1", "y": []any{"2"}, "z": map[string]any{"deep": true}}}
	assert.Equal(t, want, Merge(ours, theirs))
	assert.Equal(t, map[string]any{"a": "1", "m": map[string]any{"x": "1", "y": []any{"1"}}}, ours, "ours is not changed")

	body, err := NewBody(Object{
		"spec": MergeHole(map[string]any{"a": Hole("topology.one"), "m": ours["m"]}, Hole("cluster.over")),
		"list": []any{MergeHole(map[string]any{}, Hole("cluster.none"))},
	})
	require.NoError(t, err)
	assert.True(t, body.Uses("cluster"))
	assert.True(t, body.Uses("topology"))
	values := Values{"topology": {"one": "1"}, "cluster": {"over": theirs, "none": map[string]any{}}}
	got, err := body.Append(nil, values)
	require.NoError(t, err)
	object, err := body.Fill(values)
	require.NoError(t, err)
	assert.Equal(t, Object{"spec": want, "list": []any{map[string]any{}}}, object)
	assert.Equal(t, string(Encode(nil, object)), string(got))

	_, err = body.Append(nil, Values{"topology": {"one": "1"}, "cluster": {"over": "text", "none": map[string]any{}}})
	assert.ErrorContains(t, err, "must be one, not string")
}

func TestHoleInsideText(t *testing.T) {
	body, err := NewBody(Object{
		"kind":     "X",
		"metadata": map[string]any{"name": "n-" + Hole("cluster.name"), "namespace": Hole("topology.ns")},
		"uri":      "https://" + Hole("cluster.host") + "/" + Hole("cluster.name"),
	})
	require.NoError(t, err)
	values := Values{"cluster": {"name": "⟦cluster.host⟧", "host": "a: b"}, "topology": {"ns": "1e3"}}
	got, err := body.Append(nil, values)
	require.NoError(t, err)
	assert.Equal(t, `kind: X
metadata:
  name: n-⟦cluster.host⟧
  namespace: "1e3"
uri: "https://a: b/⟦cluster.host⟧"
`, string(got), "a value that looks like a mark is only text, and quotes follow the filled text")
	id, err := body.ID(values)
	require.NoError(t, err)
	assert.Equal(t, ID{Kind: "X", Namespace: "1e3", Name: "n-⟦cluster.host⟧"}, id)
}

func TestBodyRefuses(t *testing.T) {
	_, err := NewBody(Object{"data": []any{map[string]any{Hole("cluster.name"): 1}}})
	assert.ErrorContains(t, err, "a template may place values, not keys")

	body, err := NewBody(Object{"a": Hole("cluster.name")})
	require.NoError(t, err)
	_, err = body.Append(nil, Values{})
	assert.ErrorContains(t, err, "no value for cluster.name")

	body, err = NewBody(Object{"a": "x" + Hole("cluster.flag")})
	require.NoError(t, err)
	_, err = body.Append(nil, Values{"cluster": {"flag": true}})
	assert.ErrorContains(t, err, "must be a string, not bool")
}

func TestLiteral(t *testing.T) {
	object := Object{"kind": "X", "metadata": map[string]any{"name": "⟦cluster.name⟧", "namespace": "a"}, "n": json.Number("1.0"), "list": []any{"on", true}}
	body, err := Literal(object)
	require.NoError(t, err)
	assert.True(t, body.IsLiteral())
	assert.False(t, body.Uses("cluster"), "a mark in a literal is text")
	text, err := body.Append([]byte("# x\n"), nil)
	require.NoError(t, err)
	assert.Equal(t, "# x\n"+string(Encode(nil, object)), string(text))
	filled, err := body.Fill(nil)
	require.NoError(t, err)
	assert.Equal(t, object, filled)
	id, err := body.ID(nil)
	require.NoError(t, err)
	assert.Equal(t, ID{Kind: "X", Namespace: "a", Name: "⟦cluster.name⟧"}, id)
}

func TestNull(t *testing.T) {
	assert.Empty(t, Null(Object{"a": []any{map[string]any{"b": ""}}}))
	assert.Equal(t, "a[1].b", Null(Object{"a": []any{"x", map[string]any{"b": nil}}, "z": nil}))
}

func TestUnmerge(t *testing.T) {
	object := Object{
		"metadata": map[string]any{"labels": MergeHole(map[string]any{"a": "1"}, Hole("topology.labels"))},
		"spec":     MergeHole(map[string]any{"in": MergeHole(map[string]any{}, Hole("cluster.in"))}, Hole("cluster.spec")),
		"list":     []any{"x"},
	}
	plain, merged := Unmerge(object)
	assert.Equal(t, Object{
		"metadata": map[string]any{"labels": map[string]any{"a": "1"}},
		"spec":     map[string]any{"in": map[string]any{}},
		"list":     []any{"x"},
	}, plain)
	back, err := merged(plain)
	require.NoError(t, err)
	assert.Equal(t, object, back)
	_, err = merged(Object{"metadata": map[string]any{"labels": map[string]any{}}, "spec": map[string]any{"in": "text"}})
	assert.EqualError(t, err, "spec.in is no object any more, and a value of the chart is merged over it")
}
