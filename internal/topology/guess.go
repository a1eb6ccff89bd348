package topology

import (
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// repairs is what a decoder knows about a document that it could read only in
// part.
type repairs struct {
	refused map[*yaml.Node]bool     // values that were not accepted
	gaps    map[*yaml.Node]gap      // what each of these values is for
	lacks   map[*yaml.Node][]lack   // required keys that objects lack
	dropped map[*yaml.Node]bool     // keys and list entries in wrong places
	homes   map[*yaml.Node][]string // for each of these keys, the paths of objects to which it may belong
	names   map[*yaml.Node]string   // the original names of keys that were read as another key
	first   map[*yaml.Node]bool     // first and second occurrence of a repeated key
	second  map[*yaml.Node]bool
}

func newRepairs() *repairs {
	return &repairs{
		refused: map[*yaml.Node]bool{}, gaps: map[*yaml.Node]gap{}, lacks: map[*yaml.Node][]lack{}, dropped: map[*yaml.Node]bool{},
		homes: map[*yaml.Node][]string{}, names: map[*yaml.Node]string{}, first: map[*yaml.Node]bool{}, second: map[*yaml.Node]bool{},
	}
}

// gap describes the field of a value that is missing or cannot be read.
type gap struct {
	field reflect.StructField
	of    reflect.Type
}

// lack is a missing key. With a path, the missing value is at this path below
// the key.
type lack struct {
	key  string
	path []string
	gap
}

// isName tells whether the field is the name of a cluster.
func (g gap) isName() bool { return g.field.Tag.Get("format") == "clusterName" }

func hubGap() gap {
	field, _ := reflect.TypeFor[Kiali]().FieldByName("Hub")
	return gap{field, field.Type}
}

// none stands for a value that is left out.
var none *yaml.Node

// alternatives lists values that may have been meant. They differ as much as
// possible, so that a finding that appears with all of them does not depend on
// one of them. n is the node in the file, or nil. serial makes the alternatives
// of two gaps different, because names must be.
func (g gap) alternatives(n *yaml.Node, serial int, clusters []string) []*yaml.Node {
	var out []*yaml.Node
	if g.field.Tag.Get("required") == "" {
		out = append(out, none)
	}
	texts := func(texts ...string) []*yaml.Node {
		for _, text := range texts {
			out = append(out, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text})
		}
		return out
	}
	switch {
	case g.of == nil:
		return []*yaml.Node{none}
	case g.of == lineType, g.field.Tag.Get("enum") != "":
		return texts(allowed(g.of, g.field.Tag)...)
	}
	switch g.of.Kind() {
	case reflect.Bool:
		return append(out, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"},
			&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "false"})
	case reflect.Int:
		return append(out, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: "1"},
			&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: "3"})
	case reflect.Slice:
		if n != nil && n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" {
			entry := *n
			return append(out, &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{&entry}})
		}
		return append(out, &yaml.Node{Kind: yaml.SequenceNode})
	case reflect.Struct, reflect.Pointer:
		return append(out, &yaml.Node{Kind: yaml.MappingNode})
	case reflect.Map:
		if known := words(g.field.Tag); known != nil {
			return texts(known...)
		}
		return append(out, &yaml.Node{Kind: yaml.MappingNode})
	}
	if g.field.Name == hubGap().field.Name {
		if n != nil && finding.Nearest(n.Value, clusters) != "" {
			clusters = []string{finding.Nearest(n.Value, clusters)}
		}
		return texts(clusters...)
	}
	return texts(examplesOf(g.field.Tag.Get("format"), serial)...)
}

// examplesOf returns examples of a format.
func examplesOf(format string, serial int) []string {
	both := func(pattern string) []string {
		return []string{fmt.Sprintf(pattern, fmt.Sprintf("a%dguess", serial)), fmt.Sprintf(pattern, fmt.Sprintf("b%dguess", serial))}
	}
	switch format {
	case "host":
		return both("%s.example.com")
	case "webRoot":
		return both("/%s")
	case "repoURL", "chartURL":
		return both("https://%s.example.com/mesh.git")
	case "url":
		return both("https://%s.example.com")
	case "server":
		return both("https://api.%s.example.com:6443")
	case "secretRef":
		return both("secret:%s:token")
	case "maxUpdate":
		return []string{"1", "100%"}
	case "chartVersion":
		return []string{"1.73.0", "99.0.0"}
	case "instant":
		return []string{"2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z"}
	case "duration":
		return []string{"1s", "30s", "24h"}
	case "certificates", "pem":
		return formats[format].examples
	}
	return both("%s")
}
