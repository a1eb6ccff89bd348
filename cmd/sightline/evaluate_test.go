package main

import (
	"bytes"
	"errors"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/template"
)

// evaluating returns an evaluator of some files, with a time limit for an evaluation.
func evaluating(t *testing.T, longest time.Duration, files map[string]string) (*evaluator, confinedVM) {
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	e := &evaluator{trace: &bytes.Buffer{}, longest: longest}
	t.Cleanup(e.close)
	e.start()
	require.NoError(t, e.failed)
	return e, confinedVM{e.client.VM(root), e}
}

// TestEvaluator compares the results of the other process with the results of this one.
func TestEvaluator(t *testing.T) {
	files := map[string]string{
		"a.jsonnet": "function(n, c) std.trace('seen', { n: n, name: c.name, part: import 'sub/part.libsonnet' })",
		"e.jsonnet": "function(n, c) error 'no ' + c.name",
		"i.jsonnet": "function(n, c) import 'missing.libsonnet'",
		"t.jsonnet": "function(n, c) std.length(n) tailstrict",
		"s.jsonnet": "function(",

		"sub/part.libsonnet": "importstr 'text'",
		"sub/text":           "text\n",
	}
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	e, there := evaluating(t, time.Minute, files)
	said := &bytes.Buffer{}
	here := template.NewHosted(root, template.Host{Trace: said})
	for name := range files {
		if name[1] != '.' {
			continue
		}
		var looked [2][]string
		args := func(which int) map[string]any {
			field := func(name string) func() any {
				return func() any { looked[which] = append(looked[which], name); return name }
			}
			return map[string]any{"n": template.Plain{Value: []any{"x"}}, "c": template.Fields{"name": field("name"), "other": field("other")}}
		}
		want, wrong := here.Call(name, args(0))
		got, err := there.Call(name, args(1))
		assert.Equal(t, string(want), string(got))
		assert.Equal(t, wrong, err, name)
		assert.Equal(t, looked[0], looked[1])
		place, _ := here.Tailstrict(name)
		found, err := there.Tailstrict(name)
		assert.NoError(t, err)
		assert.Equal(t, place, found)
		kind, wrong := here.Type(name)
		is, err := there.Type(name)
		assert.Equal(t, wrong, err)
		assert.Equal(t, kind, is)
	}
	assert.Equal(t, "TRACE: a.jsonnet:1 seen\n", said.String())
	assert.Equal(t, said, e.trace)
}

// TestEvaluatorEnds ends endless evaluations, and reports a process that something else
// has ended.
func TestEvaluatorEnds(t *testing.T) {
	loop := map[string]string{"x.jsonnet": "local f(n) = if n == 0 then 0 else f(n - 1) + f(n - 1); function() f(60)"}
	for name, c := range map[string]struct {
		longest time.Duration
		after   func(*evaluator)
		says    string
	}{
		"too long": {300 * time.Millisecond, func(*evaluator) {}, "one evaluation takes longer than 300ms"},
		"killed":   {time.Minute, func(e *evaluator) { _ = e.process.Kill() }, "the process that evaluates overlays: signal: killed"},
		"closed":   {time.Minute, (*evaluator).close, "the process that evaluates overlays: signal: killed"},
	} {
		t.Run(name, func(t *testing.T) {
			e, vm := evaluating(t, c.longest, loop)
			time.AfterFunc(200*time.Millisecond, func() { c.after(e) })
			_, err := vm.Call("x.jsonnet", nil)
			var ended *template.EndError
			require.ErrorAs(t, err, &ended)
			assert.Equal(t, c.says, ended.Message)
			_, err = vm.Call("x.jsonnet", nil)
			require.ErrorAs(t, err, &ended, "and there is no other")
		})
	}
}

// TestEvaluatorCannotStart shows the message if the process cannot start.
func TestEvaluatorCannotStart(t *testing.T) {
	e := &evaluator{failed: errors.New("permission denied")}
	_, err := confinedVM{evaluator: e}.Type("x.jsonnet")
	require.EqualError(t, err, "the process that evaluates overlays cannot be started: permission denied")
}
