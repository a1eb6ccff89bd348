package kiali

import (
	_ "embed"
	"strings"
	"sync"
)

// typesTSV has the type of every field of the Kiali resource that a definition
// describes: its path, its type, and its allowed values if only some are allowed. The
// test TestTypes makes it.
//
//go:embed types.tsv
var typesTSV string

// Type describes the values that a field may have.
type Type struct {
	Name   string   // string, boolean, integer, number, int-or-string, array or object
	Items  string   // the type of an array's items, if it is known
	Values []string // the allowed values; none: all are allowed
}

// TypeOf maps the paths of fields below spec to their types. A list ends with [].
var TypeOf = sync.OnceValue(func() map[string]Type {
	types := map[string]Type{}
	for line := range strings.Lines(typesTSV) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		var t Type
		t.Name, t.Items, _ = strings.Cut(columns[1], " of ")
		if len(columns) > 2 {
			t.Values = strings.Split(columns[2], ",")
		}
		types[columns[0]] = t
	}
	return types
})
