package delivery_test

import (
	"testing"
	"unicode/utf8"

	"github.com/fluxcd/pkg/envsubst"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/delivery"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// TestSubstituted shows how Flux changes strings. The rule about substitution
// relies on these cases.
func TestSubstituted(t *testing.T) {
	for text, want := range map[string]any{
		"${1}${2}":   nil, // an empty string becomes null
		"a ${X} b":   "a  b",
		"$${X}":      "${X}",
		"a$$b":       "a$b",
		"${X:=y}":    true, // YAML 1.1 reads y as true
		"$1$2":       "$1$2",
		"(\\.|$)":    "(\\.|$)",
		"{{ .X }}":   "{{ .X }}",
		"$(hostname": "$(hostname",
	} {
		after, changed, err := delivery.Substituted(map[string]any{"v": text}, false)
		require.NoError(t, err, text)
		assert.Equal(t, map[string]any{"v": want}, after, text)
		assert.Equal(t, want != any(text), changed, text)
	}
	for _, text := range []string{"${", "${X", "${}", "${X!}"} {
		_, _, err := delivery.Substituted(text, false)
		assert.Error(t, err, text)
	}
	_, _, err := delivery.Substituted("${X}", true)
	assert.ErrorContains(t, err, "strict")
	after, changed, err := delivery.Substituted(map[string]any{"${X}key": "v"}, false)
	require.NoError(t, err)
	assert.True(t, changed)
	assert.Equal(t, map[string]any{"key": "v"}, after)
}

// TestSubstitutes shows that a label exempts an object as an annotation does,
// and that no other value does.
func TestSubstitutes(t *testing.T) {
	object := func(field string, pairs any) resource.Object {
		return resource.Object{"metadata": map[string]any{field: pairs}}
	}
	const key = "kustomize.toolkit.fluxcd.io/substitute"
	assert.False(t, delivery.Substitutes(object("annotations", map[string]any{key: "disabled"})))
	assert.False(t, delivery.Substitutes(object("labels", map[string]any{key: "disabled"})))
	assert.False(t, delivery.Substitutes(object("labels", map[string]string{key: "disabled"})))
	assert.True(t, delivery.Substitutes(object("annotations", map[string]any{key: "enabled"})))
	assert.True(t, delivery.Substitutes(object("spec", map[string]any{key: "disabled"})))
	assert.True(t, delivery.Substitutes(resource.Object{}))
}

// FuzzSubstituted shows that an object which does not change without variables
// does not change with any. So one look is enough.
func FuzzSubstituted(f *testing.F) {
	for _, s := range []string{"a", "${X}", "$${X}", "$$", "${X:=${Y}}", "${X/a/b}", "${#X}", "${"} {
		f.Add(s, "value")
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, s, value string) {
		if !utf8.ValidString(s) {
			t.Skip("no object has such a text")
		}
		object := map[string]any{"key": s, "list": []any{s}}
		_, changed, err := delivery.Substituted(object, false)
		text, _ := yaml.Marshal(object)
		if changed || err != nil {
			return
		}
		for _, strict := range []bool{true, false} {
			after, err := envsubst.Eval(string(text), func(string) (string, bool) { return value, !strict })
			require.NoError(t, err)
			if string(text) != after {
				t.Fatalf("%q becomes %q", text, after)
			}
		}
	})
}
