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

// schema is the part of JSON Schema 2020-12 that this package uses.
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
	If                   *schema            `json:"if,omitempty"`
	Then                 *schema            `json:"then,omitempty"`
	Defs                 map[string]*schema `json:"$defs,omitempty"`
}

// Schema is the JSON Schema of the documents of a topology. It knows everything
// about a single value: keys, types, required fields, allowed values and almost
// all formats of strings. Only Parse knows how values depend on each other.
func Schema() ([]byte, error) {
	g := schemaGenerator{docs: comments(), defs: map[string]*schema{}}
	// The kind decides first. So an editor shows one message about a mistake,
	// at the mistake.
	root := schema{
		Schema:     "https://json-schema.org/draft/2020-12/schema",
		ID:         SchemaURL,
		Title:      "Sightline topology",
		Type:       "object",
		Properties: g.head(),
		Required:   []string{"kind"},
		AllOf: []*schema{
			{If: ofKind(Kind), Then: g.structure(reflect.TypeFor[Topology]())},
			{If: ofKind(ClusterKind), Then: g.structure(reflect.TypeFor[member]())},
		},
		Defs: g.defs,
	}
	// Any value below an object with free keys.
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

// head returns the keys of every document. An editor offers them before the
// document has a kind. The kind decides about their values.
func (g *schemaGenerator) head() map[string]*schema {
	keys := map[string]*schema{}
	for _, f := range fieldsOf(reflect.TypeFor[Topology]()) {
		keys[f.key] = &schema{Description: g.docs["Topology."+f.Name]}
	}
	keys["kind"] = &schema{Description: keys["kind"].Description, Enum: []string{Kind, ClusterKind}}
	return keys
}

func ofKind(kind string) *schema {
	return &schema{Properties: map[string]*schema{"kind": {Const: kind}}, Required: []string{"kind"}}
}

const freeDef = "Value"

// maxNumber is the largest whole number that JSON keeps exactly.
const maxNumber = 1 << 53

func limit(n int) *int { return &n }

func ref(def string) *schema { return &schema{Ref: "#/$defs/" + def} }

type schemaGenerator struct {
	docs map[string]string
	defs map[string]*schema
}

// structure adds the definition of a struct, and returns a reference to it.
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
		s.Properties[f.key] = property
		if f.Tag.Get("required") != "" {
			s.Required = append(s.Required, f.key)
		}
	}
	return ref(name)
}

func (g *schemaGenerator) value(t reflect.Type, tag reflect.StructTag) *schema {
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
				s.Type, s.If, s.Then = []string{"string", "object"}, &schema{Type: "string"}, &schema{Enum: words}
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
		if len(check.patterns) > 1 { // the second is reported only for a string that matches the first
			s.If, s.Then = &schema{Pattern: s.Pattern}, &schema{Pattern: check.patterns[1]}
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
