package topology

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// SchemaURL is where editors find the schema of this version of the format.
const SchemaURL = "https://raw.githubusercontent.com/sightline-mesh/sightline/main/docs/topology.schema.json"

// schema is what we use of JSON Schema 2020-12.
type schema struct {
	Schema               string             `json:"$schema,omitempty"`
	ID                   string             `json:"$id,omitempty"`
	Ref                  string             `json:"$ref,omitempty"`
	Title                string             `json:"title,omitempty"`
	Description          string             `json:"description,omitempty"`
	Type                 any                `json:"type,omitempty"` // a name, or several
	Const                string             `json:"const,omitempty"`
	Enum                 []string           `json:"enum,omitempty"`
	Default              any                `json:"default,omitempty"`
	Examples             []string           `json:"examples,omitempty"`
	MinLength            int                `json:"minLength,omitempty"`
	MaxLength            int                `json:"maxLength,omitempty"`
	Pattern              string             `json:"pattern,omitempty"`
	Minimum              *int               `json:"minimum,omitempty"`
	Maximum              *int               `json:"maximum,omitempty"`
	Items                *schema            `json:"items,omitempty"`
	UniqueItems          bool               `json:"uniqueItems,omitempty"`
	Properties           map[string]*schema `json:"properties,omitempty"`
	Required             []string           `json:"required,omitempty"`
	PropertyNames        *schema            `json:"propertyNames,omitempty"`
	AdditionalProperties any                `json:"additionalProperties,omitempty"` // false, or a schema
	AllOf                []*schema          `json:"allOf,omitempty"`
	OneOf                []*schema          `json:"oneOf,omitempty"`
	Not                  *schema            `json:"not,omitempty"`
	Defs                 map[string]*schema `json:"$defs,omitempty"`
}

// Schema is the JSON Schema of the documents of a topology. It knows all that
// holds for one value by itself: keys, types, what is required always, allowed
// values and, nearly all of it, what texts look like. What one value means for
// another only Parse knows.
func Schema() ([]byte, error) {
	g := schemaGenerator{docs: comments(), defs: map[string]*schema{}}
	root := schema{
		Schema: "https://json-schema.org/draft/2020-12/schema",
		ID:     SchemaURL,
		Title:  "Sightline topology",
		OneOf:  []*schema{g.structure(reflect.TypeFor[Topology]()), g.structure(reflect.TypeFor[member]())},
		Defs:   g.defs,
	}
	// What may stand where the keys are one's own.
	g.defs[freeDef] = &schema{
		Type:                 []string{"string", "number", "boolean", "array", "object"},
		Minimum:              limit(-maxNumber),
		Maximum:              limit(maxNumber),
		Items:                ref(freeDef),
		AdditionalProperties: ref(freeDef),
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(root)
	return out.Bytes(), err
}

const freeDef = "Value"

// maxNumber is the largest whole number that survives its way through JSON.
const maxNumber = 1 << 53

func limit(n int) *int { return &n }

func ref(def string) *schema { return &schema{Ref: "#/$defs/" + def} }

type schemaGenerator struct {
	docs map[string]string
	defs map[string]*schema
}

// structure defines a struct, and returns a reference to the definition.
func (g *schemaGenerator) structure(t reflect.Type) *schema {
	name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	if _, ok := g.defs[name]; ok {
		return ref(name)
	}
	s := &schema{Type: "object", Properties: map[string]*schema{}, AdditionalProperties: false}
	g.defs[name] = s
	for _, f := range fieldsOf(t) {
		property := g.value(f.Type, f.Tag)
		property.Description = g.docs[t.Name()+"."+f.Name]
		if later := f.Tag.Get("later"); later != "" {
			property.Description += " Until then: " + later + "."
		}
		s.Properties[f.key] = property
		if f.Tag.Get("required") != "" {
			s.Required = append(s.Required, f.key)
		}
	}
	return ref(name)
}

func (g *schemaGenerator) value(t reflect.Type, tag reflect.StructTag) *schema {
	if tag.Get("later") != "" {
		return &schema{Not: &schema{}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return g.structure(t.Elem())
	case reflect.Struct:
		return g.structure(t)
	case reflect.Slice:
		return &schema{Type: "array", Items: g.value(t.Elem(), tag), UniqueItems: t.Elem().Kind() == reflect.String}
	case reflect.Map:
		if t.Elem().Kind() == reflect.String {
			keys := reflect.StructTag(fmt.Sprintf("format:%q", cmp.Or(tag.Get("keys"), "labelKey")))
			s := &schema{Type: "object", PropertyNames: textSchema(t.Elem(), keys), AdditionalProperties: textSchema(t.Elem(), tag)}
			if words := words(tag); words != nil {
				return &schema{OneOf: []*schema{{Enum: words}, s}}
			}
			return s
		}
		return &schema{Type: "object", AdditionalProperties: ref(freeDef)}
	case reflect.Bool:
		return &schema{Type: "boolean", Default: tag.Get("default") == "true"}
	}
	return textSchema(t, tag)
}

func textSchema(t reflect.Type, tag reflect.StructTag) *schema {
	s := &schema{Type: "string"}
	if value := tag.Get("default"); value != "" {
		s.Default = value
	}
	check, formatted := formats[tag.Get("format")]
	switch values := allowed(t, tag); {
	case len(values) > 1:
		s.Enum = values
	case len(values) == 1:
		s.Const = values[0]
	case formatted:
		s.Pattern = check.patterns[0]
		for _, pattern := range check.patterns[1:] {
			s.AllOf = append(s.AllOf, &schema{Pattern: pattern})
		}
		s.MaxLength = check.most
		s.Examples = check.examples
		if check.number != "" {
			s.Type = []string{"string", check.number}
			s.Minimum, s.Maximum = limit(check.limits[0]), limit(check.limits[1])
		}
	case tag.Get("required") != "":
		s.MinLength = 1
	}
	return s
}
