package topology

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// said returns the places of an editor's messages about a document, one for
// each message.
func said(schema *jsonschema.Schema, doc any) []string {
	var wrong *jsonschema.ValidationError
	if !errors.As(schema.Validate(doc), &wrong) {
		return nil
	}
	var places []string
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 {
			places = append(places, "/"+strings.Join(e.InstanceLocation, "/"))
		}
		for _, cause := range e.Causes {
			walk(cause)
		}
	}
	walk(wrong)
	return places
}

// TestSchemaSaysOneThing makes one mistake after the other in every example. An
// editor must show one message for each, at its place.
func TestSchemaSaysOneThing(t *testing.T) {
	schema := compiledSchema(t)
	mistakes := 0
	for _, folder := range []string{"testdata/ok", "../../topologies", "../../topologies/fleet", "../../topologies/fleet/clusters"} {
		for _, file := range inputs(t, folder) {
			for _, root := range roots(read(t, file)) {
				doc := asJSON(root)
				require.Empty(t, said(schema, doc), file)
				said := func() []string { return said(schema, doc) }
				eachPlace(doc, "", func(at string, value any, set func(any)) {
					if strings.HasPrefix(at, "/metadata/annotations") || strings.Contains(at, "/spec/kiali/spec") {
						return // the keys are free here
					}
					for _, wrong := range []any{[]any{[]any{true}}, 12.5, "no such word, ever?"} {
						set(wrong)
						if places := said(); len(places) > 0 {
							mistakes++
							assert.Len(t, places, 1, "%s: %s is %v", file, at, wrong)
							assert.True(t, strings.HasPrefix(places[0]+"/", at+"/"), "%s: %s is %v: the message is at %s", file, at, wrong, places[0])
						}
					}
					set(value)
					if object, ok := value.(map[string]any); ok {
						object["typo"] = "x"
						if places := said(); len(places) > 0 {
							mistakes++
							assert.Equal(t, []string{"/" + strings.TrimPrefix(at, "/")}, places, "%s: %s/typo", file, at)
						}
						delete(object, "typo")
					}
				})
			}
		}
	}
	assert.Greater(t, mistakes, 2000)
}

// TestSchemaSaysOneThingOfTheKind tests the keys that decide about all others.
func TestSchemaSaysOneThingOfTheKind(t *testing.T) {
	schema := compiledSchema(t)
	const spec = "metadata: {name: mesh}\nspec:\n  mesh: {id: mesh1}\n  kiali: {hub: east}\n  clusters: [{name: east}]\n"
	for text, want := range map[string][]string{
		"apiVersion: sightline.dev/v1alpha1\nkind: Topology\n" + spec:                                                        nil,
		"apiVersion: sightline.dev/v1alpha1\nkind: Topolgy\n" + spec:                                                         {"/kind"},
		"apiVersion: sightline.dev/v1alpha1\n" + spec:                                                                        {"/"},
		"apiVersion: sightline.dev/v1\nkind: Topology\n" + spec:                                                              {"/apiVersion"},
		"apiVersion: sightline.dev/v1alpha1\nkind: Topology\n" + strings.Replace(spec, "hub", "hubb: x, hub", 1):             {"/spec/kiali"},
		"apiVersion: sightline.dev/v1alpha1\nkind: Topology\n" + strings.Replace(spec, "east}]", "east, platform: k8s}]", 1): {"/spec/clusters/0/platform"},
		"apiVersion: sightline.dev/v1alpha1\nkind: Topology\n" + strings.Replace(spec, "{hub: east}", "{}", 1):               {"/spec/kiali"},
		"apiVersion: sightline.dev/v1alpha1\nkind: Topology\n" + spec + "  metrics: {scope: meshId}\n":                       {"/spec/metrics/scope"},
		"apiVersion: sightline.dev/v1alpha1\nkind: Topology\n" + spec + "  metrics: {scope: {a b: c}}\n":                     {"/"}, // the library reports no place for the name of a key
		"apiVersion: sightline.dev/v1alpha1\nkind: Topology\n" + spec + "  metrics: {interval: soon}\n":                      {"/spec/metrics/interval"},
		"apiVersion: sightline.dev/v1alpha1\nkind: Topology\n" + spec + "  metrics: {interval: 0s}\n":                        {"/spec/metrics/interval"},
		"apiVersion: sightline.dev/v1alpha1\nkind: Cluster\nmetadata: {name: west}\nspec: {sever: x}\n":                      {"/spec"},
	} {
		all := roots([]byte(text))
		require.Len(t, all, 1)
		assert.Equal(t, want, said(schema, asJSON(all[0])), text)
	}
}

// eachPlace calls do for every value of a document except the root, with a
// function that changes the value.
func eachPlace(v any, at string, do func(at string, value any, set func(any))) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			below := v[key]
			do(at+"/"+key, below, func(other any) { v[key] = other })
			eachPlace(below, at+"/"+key, do)
		}
	case []any:
		for i := range v {
			below := v[i]
			do(fmt.Sprintf("%s/%d", at, i), below, func(other any) { v[i] = other })
			eachPlace(below, fmt.Sprintf("%s/%d", at, i), do)
		}
	}
}
