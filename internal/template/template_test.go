package template

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func TestCall(t *testing.T) {
	vm := New(fstest.MapFS{
		"main.jsonnet":      file("local f = import 'lib/f.libsonnet'; function(a, b) f(a) + b"),
		"lib/f.libsonnet":   file("local one = import 'one.libsonnet'; function(x) { x: x, y: one }"),
		"lib/one.libsonnet": file("1"),
	})
	for range 2 {
		out, err := vm.Call("main.jsonnet", map[string]any{"a": "⟦x⟧", "b": map[string]any{"z": true}})
		require.NoError(t, err)
		assert.JSONEq(t, `{"x": "⟦x⟧", "y": 1, "z": true}`, string(out))
	}
}

func TestArgumentsAreLazy(t *testing.T) {
	vm := New(fstest.MapFS{"f.jsonnet": file("function(a, b) if a then b.list else std.objectFields(b)")})
	for _, a := range []bool{true, false} {
		looked := ""
		out, err := vm.Call("f.jsonnet", map[string]any{"a": Plain{a}, "b": Fields{
			"list":  func() any { looked += "list"; return []string{"x"} },
			"other": func() any { looked += "other"; return 1 },
		}})
		require.NoError(t, err)
		assert.Equal(t, map[bool]string{true: "list", false: ""}[a], looked)
		assert.JSONEq(t, map[bool]string{true: `["x"]`, false: `["list", "other"]`}[a], string(out))
	}
}

func TestType(t *testing.T) {
	vm := New(fstest.MapFS{"f.jsonnet": file("function(a) a"), "o'.jsonnet": file("{}"), "x.jsonnet": file("error 'no'")})
	for name, want := range map[string]string{"f.jsonnet": "function", "o'.jsonnet": "object"} {
		kind, err := vm.Type(name)
		require.NoError(t, err)
		assert.Equal(t, want, kind)
	}
	_, err := vm.Type("x.jsonnet")
	assert.ErrorContains(t, err, "x.jsonnet:1:1")
	_, err = vm.Type("gone.jsonnet")
	assert.ErrorContains(t, err, "file does not exist")
}

func TestErrorsNameTheirPlace(t *testing.T) {
	vm := New(fstest.MapFS{
		"main.jsonnet":   file("local f = import 'f.libsonnet';\nfunction(a) {\n  x: f(a) }"),
		"f.libsonnet":    file("function(x)\n  x.missing"),
		"syntax.jsonnet": file("{\n  a: }"),
	})
	_, err := vm.Call("main.jsonnet", map[string]any{"a": map[string]any{}})
	var failed *Error
	require.ErrorAs(t, err, &failed)
	assert.Contains(t, failed.Message, "missing")
	require.NotEmpty(t, failed.Trace)
	assert.Contains(t, failed.Trace[0], "f.libsonnet:2:3")
	assert.Contains(t, err.Error(), "main.jsonnet:3:6")

	_, err = vm.Call("syntax.jsonnet", nil)
	assert.ErrorContains(t, err, "syntax.jsonnet:2:6")

	_, err = vm.Call("main.jsonnet", nil)
	assert.ErrorContains(t, err, "Missing argument: a")
}

func TestImportsStayInside(t *testing.T) {
	root := fstest.MapFS{
		"up.jsonnet":       file("import '../secret.json'"),
		"absolute.jsonnet": file("import '/etc/passwd'"),
		"text.jsonnet":     file("importstr 'sub/../../secret'"),
		"sub/ok.jsonnet":   file("import '../one.jsonnet'"),
		"one.jsonnet":      file("1"),
	}
	for _, name := range []string{"up.jsonnet", "absolute.jsonnet", "text.jsonnet"} {
		_, err := New(root).Call(name, nil)
		assert.ErrorContains(t, err, "may only import files below its root", name)
	}
	out, err := New(root).Call("sub/ok.jsonnet", nil)
	require.NoError(t, err, "a parent inside the root is no way out")
	assert.Equal(t, "1\n", string(out))
}
