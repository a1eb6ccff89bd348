package check

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
)

// typeRules are about the types of the values of a Kiali resource. They use a
// built-in table, not a definition from --crds.
func typeRules() []Rule {
	return []Rule{{
		ID:    "KC25",
		Title: "the values of a Kiali resource have the right types",
		What: "Each field of kiali.spec that the operator's definition knows has a value of the right type. If the definition allows " +
			"only some values, the value is one of them. With --crds, SC02 checks against the definition itself.",
		Why: "The API server refuses the whole resource, on the cluster, long after the commit. For example, a port without quotes is a " +
			"number, but server.web_port is a string.",
		Fix:    "Write the value with the right type: a string in quotes; a number, true and false without quotes.",
		Source: "kiali-operator manifests/kiali-upstream/*/manifests/kiali.crd.yaml",
		mesh:   fieldTypes,
	}}
}

func fieldTypes(m *mesh, f *found) {
	types := kiali.TypeOf()
	for _, o := range m.kialis {
		if o == nil || m.definitions.of(o.ID) != nil {
			continue
		}
		walk(o.content["spec"], fieldPath{"spec"}, func(path fieldPath, v any) {
			if len(path) == 1 || v == nil {
				return
			}
			name := pattern(path[1:])
			want, known := types[name]
			if list, ok := strings.CutSuffix(name, "[]"); !known && ok && types[list].Items != "" {
				want, known = kiali.Type{Name: types[list].Items}, true
			}
			switch {
			case known && !fits(v, want.Name):
				f.object(o, path, typeHint(v, want), "%s must be %s, found %s", path[1:], article(want.Name), described(v))
			case known && len(want.Values) > 0 && !slices.Contains(want.Values, fmt.Sprint(v)):
				values := slices.DeleteFunc(slices.Clone(want.Values), func(s string) bool { return s == "" })
				hint := finding.DidYouMean(fmt.Sprint(v), values)
				if hint == "" {
					hint = "the values are " + strings.Join(values, ", ")
				}
				f.object(o, path, hint, "%s must be one of %s, found %q", path[1:], strings.Join(values, ", "), finding.Shorten(fmt.Sprint(v)))
			case known:
			case sectionOf(types, name) && !isObject(v):
				f.object(o, path, "write the fields below it", "%s must be an object, found %s", path[1:], described(v))
			}
		})
	}
}

// pattern is the path of a field, with [] instead of the index of a list.
func pattern(path fieldPath) string {
	var b strings.Builder
	for i, step := range path {
		switch step := step.(type) {
		case int:
			b.WriteString("[]")
		case string:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(step)
		}
	}
	return b.String()
}

// sectionOf tells whether there are fields below a field.
func sectionOf(types map[string]kiali.Type, name string) bool {
	for field := range types {
		if strings.HasPrefix(field, name+".") {
			return true
		}
	}
	return false
}

func isObject(v any) bool {
	switch v.(type) {
	case map[string]any, map[string]string:
		return true
	}
	return false
}

// fits tells whether the API server accepts a value for a type.
func fits(v any, kind string) bool {
	whole, number := numeric(v)
	_, text := v.(string)
	switch kind {
	case "string":
		return text
	case "boolean":
		_, ok := v.(bool)
		return ok
	case "integer":
		return whole
	case "number":
		return number
	case "int-or-string":
		return whole || text
	case "array":
		_, ok := v.([]any)
		return ok
	case "object":
		return isObject(v)
	}
	return true
}

// numeric tells whether a value is a whole number, and whether it is a number.
func numeric(v any) (whole, number bool) {
	switch v := v.(type) {
	case int, int64, uint64:
		return true, true
	case float64:
		return v == math.Trunc(v), true
	case json.Number:
		x, err := v.Float64()
		return err == nil && x == math.Trunc(x), err == nil
	}
	return false, false
}

func article(kind string) string {
	switch kind {
	case "integer":
		return "a whole number"
	case "int-or-string":
		return "a whole number or a string"
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "boolean":
		return "true or false"
	}
	return "a " + kind
}

func described(v any) string {
	_, number := numeric(v)
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("the string %q", finding.Shorten(v))
	case bool:
		return fmt.Sprint(v)
	case []any:
		return "a list"
	default:
		if number {
			return fmt.Sprintf("the number %v", v)
		}
	}
	return "an object"
}

func typeHint(v any, want kiali.Type) string {
	text, isText := v.(string)
	switch {
	case want.Name == "string" && !isText && !isObject(v) && described(v) != "a list":
		return fmt.Sprintf("put it in quotes: %q", fmt.Sprint(v))
	case isText && want.Name != "string" && want.Name != "array" && want.Name != "object":
		if strings.HasPrefix(text, "secret:") {
			return "the field takes no reference to a Secret"
		}
		return "write it without quotes"
	case want.Name == "array" && isText:
		return fmt.Sprintf("write it as a list: [%s]", finding.Shorten(text))
	}
	return "write the type from the operator's crd-docs"
}
