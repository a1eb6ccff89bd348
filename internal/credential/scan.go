package credential

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Part is a value of a document.
type Part interface {
	// Scalar is the text of a string or a number; ok is false for anything else.
	Scalar() (text string, ok bool)
	// Parts yields what is in an object with its keys, and what is in a list
	// with their indexes.
	Parts() iter.Seq2[any, Part]
	// Comment is what is written beside the value, for people.
	Comment() string
}

// Found is a credential that was found in a document.
type Found struct {
	Path []any  // keys (string) and indexes (int); a key with a credential in it is redacted
	Part Part   // the value; if a key has a credential in it, the value of that key
	What string // the kind of credential; "" if only the name of the field tells

	InComment bool // it is in the comment beside the value
}

// Scan reports the credentials in a document: in keys, strings and comments by their
// form, and in values by the names of their fields and variables.
func Scan(root Part, report func(Found)) {
	s := &scanner{report: report, named: map[string]bool{}}
	s.scan(root, false)
}

type scanner struct {
	report func(Found)
	path   []any
	named  map[string]bool
}

func (s *scanner) found(p Part, what string, inComment bool) {
	path := slices.Clone(s.path)
	for i, step := range path {
		if key, ok := step.(string); ok && FindSetting(key) != "" {
			path[i] = gone
		}
	}
	s.report(Found{Path: path, Part: p, What: what, InComment: inComment})
}

// scan scans a value. named tells whether its field has the name of a credential.
func (s *scanner) scan(p Part, named bool) {
	if what := FindSetting(p.Comment()); what != "" {
		s.found(p, what, true)
	}
	if text, ok := p.Scalar(); ok {
		switch what := FindSetting(text); {
		case what != "":
			s.found(p, what, false)
		case named && !harmless(text):
			s.found(p, "", false)
		case strings.Contains(text, "\n") || strings.HasPrefix(text, "{") || strings.HasPrefix(text, "["):
			s.inside(p, text)
		}
		return
	}
	variable, refers := s.objectOf(p)
	option := false
	for key, below := range p.Parts() {
		s.path = append(s.path, key)
		inherits := false
		switch key := key.(type) {
		case string:
			if what := FindSetting(key); what != "" {
				s.found(below, what, false)
			}
			inherits = s.isNamed(key) && !(refers && key == "secretKey") || (named || variable) && slices.Contains(values, key)
		case int:
			text, _ := below.Scalar()
			isOption := strings.HasPrefix(text, "-")
			inherits = named || option && !isOption
			option = isOption && s.isNamed(text)
		}
		s.scan(below, inherits)
		s.path = s.path[:len(s.path)-1]
	}
}

// objectOf tells whether an object is an environment variable with the name of a
// credential, and whether it is an entry of External Secrets, in which secretKey is
// the key of a Secret.
func (s *scanner) objectOf(p Part) (variable, refers bool) {
	for key, below := range p.Parts() {
		switch key {
		case "name":
			name, _ := below.Scalar()
			variable = s.isNamed(name)
		case "remoteRef":
			refers = true
		}
	}
	return variable, refers
}

// values are the keys of an object that hold the value itself. The other keys refer
// to it.
var values = []string{"value", "literal", "inline", "data", "stringData", "plaintext"}

func (s *scanner) isNamed(key string) bool {
	if slices.Contains(s.path, any("encryptedData")) { // its keys are names of clusters
		return false
	}
	switch key {
	case "key": // the key of a service for questions; elsewhere it is the key of a Secret
		return slices.Contains(s.path, any("chat_ai"))
	case "auth": // the login of a registry in Docker's configuration; elsewhere it says how to log in
		return slices.Contains(s.path, any("auths"))
	}
	named, ok := s.named[key]
	if !ok {
		named = Named(key)
		s.named[key] = named
	}
	return named
}

// inside scans a text that is itself a document, as in ConfigMaps.
func (s *scanner) inside(p Part, text string) {
	var doc yaml.Node
	if yaml.Unmarshal([]byte(text), &doc) != nil {
		return
	}
	what, found := "", false
	Scan(Node(&doc), func(f Found) { what, found = f.What, true })
	if found {
		s.found(p, what, false)
	}
}

// Value is a part of a document, with the types of encoding/json.
func Value(v any) Part { return value{v} }

type value struct{ v any }

func (p value) Comment() string { return "" }

func (p value) Scalar() (string, bool) {
	switch v := p.v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	}
	return "", false
}

func (p value) Parts() iter.Seq2[any, Part] {
	return func(yield func(any, Part) bool) {
		switch v := p.v.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				if !yield(key, value{v[key]}) {
					return
				}
			}
		case map[string]string:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				if !yield(key, value{v[key]}) {
					return
				}
			}
		case []any:
			for i := range v {
				if !yield(i, value{v[i]}) {
					return
				}
			}
		}
	}
}

// Node is a YAML document or a part of one.
func Node(n *yaml.Node) Part {
	p := node{value: n}
	if n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
		p.key, p.value = n, n.Content[0]
	}
	return p
}

// node is a value with its key, or with the document that has it.
type node struct{ key, value *yaml.Node }

func (p node) Comment() string {
	var text strings.Builder
	for _, n := range []*yaml.Node{p.key, p.value} {
		if n != nil && (n.HeadComment != "" || n.LineComment != "" || n.FootComment != "") {
			text.WriteString(n.HeadComment + "\n" + n.LineComment + "\n" + n.FootComment + "\n")
		}
	}
	return text.String()
}

func (p node) Scalar() (string, bool) {
	if p.value.Kind != yaml.ScalarNode || p.value.ShortTag() == "!!bool" || p.value.ShortTag() == "!!null" {
		return "", false
	}
	return p.value.Value, true
}

func (p node) Parts() iter.Seq2[any, Part] {
	return func(yield func(any, Part) bool) {
		switch p.value.Kind {
		case yaml.SequenceNode:
			for i, item := range p.value.Content {
				if !yield(i, node{value: item}) {
					return
				}
			}
		case yaml.MappingNode:
			for i := 0; i+1 < len(p.value.Content); i += 2 {
				if !yield(p.value.Content[i].Value, node{p.value.Content[i], p.value.Content[i+1]}) {
					return
				}
			}
		}
	}
}

// NodeOf is the YAML node of a part.
func NodeOf(p Part) (key, value *yaml.Node) {
	n, _ := p.(node)
	return n.key, n.value
}
