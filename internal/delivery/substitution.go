package delivery

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/envsubst"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// substituteKey is the label or annotation that exempts an object from Flux's
// substitution.
const substituteKey = "kustomize.toolkit.fluxcd.io/substitute"

// Substitutes tells whether Flux substitutes variables in an object if its
// Kustomization has a postBuild.
//
// Substitutes and Substituted follow SubstituteVariables of
// github.com/fluxcd/pkg/kustomize. kustomize-controller calls it for each
// object of a build.
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

// Substituted applies Flux's substitution without any variables to an object or
// a part of an object. With strict, it works as with Flux's feature gate
// StrictPostBuildSubstitutions. Flux treats the object as one string, so keys
// change too. The error is the error that Flux would return.
//
// If nothing changes here, no variable can change the object: everything that
// Flux substitutes gets shorter if the variable has no value.
func Substituted(v any, strict bool) (after any, changed bool, err error) {
	if !hasDollar(v) { // every variable begins with it
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

// hasDollar tells whether a string or a key contains the sign with which
// variables begin.
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
	return true // Other kinds of values are not searched.
}
