package delivery

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/envsubst"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// substituteKey is the label or annotation by which an object stays out of
// Flux's substitution.
const substituteKey = "kustomize.toolkit.fluxcd.io/substitute"

// Substitutes tells whether Flux substitutes variables in an object where its
// Kustomization has a postBuild.
//
// This and Substituted follow SubstituteVariables of
// github.com/fluxcd/pkg/kustomize, which kustomize-controller calls for each
// object that a build has given.
func Substitutes(o resource.Object) bool {
	meta, _ := o["metadata"].(map[string]any)
	for _, field := range []string{"labels", "annotations"} {
		switch pairs := meta[field].(type) {
		case map[string]any:
			if pairs[substituteKey] == "disabled" {
				return false
			}
		case map[string]string:
			if pairs[substituteKey] == "disabled" {
				return false
			}
		}
	}
	return true
}

// Substituted makes of an object, or of a part of one, what Flux's
// substitution does where no variable is set; strict as with its feature gate
// StrictPostBuildSubstitutions. Flux reads the object as a text, so keys change
// too. An error is the one that Flux fails with.
//
// A text that nothing is changed in here is one that no variable changes:
// whatever Flux looks at is shorter after it without a value.
func Substituted(v any, strict bool) (after any, changed bool, err error) {
	if !hasDollar(v) { // which every variable begins with
		return v, false, nil
	}
	text, err := yaml.Marshal(v)
	if err != nil {
		return nil, false, err
	}
	replaced, err := envsubst.Eval(string(text), func(string) (string, bool) { return "", !strict })
	if err != nil {
		return nil, false, err
	}
	if replaced == string(text) {
		return v, false, nil
	}
	return after, true, yaml.Unmarshal([]byte(replaced), &after)
}

// hasDollar tells whether a text or a key has the sign that variables begin
// with.
func hasDollar(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, "$")
	case []any:
		return slices.ContainsFunc(v, hasDollar)
	case map[string]any:
		for key, value := range v {
			if strings.Contains(key, "$") || hasDollar(value) {
				return true
			}
		}
		return false
	case nil, bool, float64, json.Number:
		return false
	}
	return true // Kinds of values that are not looked into.
}
