package topology

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decoder walks YAML nodes into the types of this package. It knows every key
// by the field tags, reports what does not fit with its position, and goes on
// with a usable value.
//
// The tags: `yaml:"key"`, `default:"value"`, `enum:"a|b"`,
// `format:"name of a formats entry"`, `required:"true"`.
type decoder struct {
	file     string
	findings *Findings
}

func (d *decoder) at(n *yaml.Node) Position { return position(d.file, n) }

// value decodes n into v, whose field is f.
func (d *decoder) value(n *yaml.Node, v reflect.Value, f reflect.StructField, path string) {
	if !d.plain(n) {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Slice:
		d.list(n, v, f, path)
	case reflect.Map:
		if n.Kind != yaml.MappingNode {
			d.wrongType(n, path, "a mapping")
			return
		}
		free, _ := d.free(n, path).(map[string]any)
		v.Set(reflect.ValueOf(free))
	case reflect.Bool:
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
			d.wrongType(n, path, "true or false")
			return
		}
		v.SetBool(strings.EqualFold(n.Value, "true"))
	default:
		d.text(n, v, f, path)
	}
}

// plain refuses the YAML features that make a reviewer look elsewhere for a
// value: an alias also lets ten lines stand for a billion values.
func (d *decoder) plain(n *yaml.Node) bool {
	const hint = "write the value out where it is used"
	switch {
	case n.Kind == yaml.AliasNode:
		d.findings.add(d.at(n), RuleAlias, hint, "found the alias *%s; aliases are not supported in a topology", shorten(n.Value))
		return false
	case n.Anchor != "":
		d.findings.add(d.at(n), RuleAlias, hint, "found the anchor &%s; anchors are not supported in a topology", shorten(n.Anchor))
		return false
	}
	return true
}

func (d *decoder) wrongType(n *yaml.Node, path, want string) {
	hint := ""
	switch tag := n.ShortTag(); {
	case n.Kind != yaml.ScalarNode:
	case want == "a text" && tag != "!!null":
		hint = fmt.Sprintf("put it in quotes: %q", n.Value)
	case tag == "!!null":
		hint = "remove the key to get its default, or give it a value"
	}
	d.findings.add(d.at(n), RuleType, hint, "%s must be %s, found %s", path, want, describe(n))
}

// pairs calls visit for each key of a mapping that is a text and stands for
// the first time.
func (d *decoder) pairs(n *yaml.Node, path string, visit func(key, value *yaml.Node)) {
	seen := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.ShortTag() == "!!merge" {
			d.findings.add(d.at(key), RuleAlias, "write the keys out where they are used", "found the merge key <<; merge keys are not supported in a topology")
			continue
		}
		if !d.plain(key) {
			continue
		}
		if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" {
			d.wrongType(key, "a key of "+orTop(path), "a text")
			continue
		}
		if first, ok := seen[key.Value]; ok {
			d.findings.add(d.at(key), RuleDuplicate, "keep one of the two", "the key %q stands twice in %s; first at %d:%d", shorten(key.Value), orTop(path), first.Line, first.Column)
			continue
		}
		seen[key.Value] = key
		visit(key, value)
	}
}

func orTop(path string) string {
	if path == "" {
		return "the topology"
	}
	return path
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		d.wrongType(n, orTop(path), "a mapping")
		return
	}
	fields := fieldsOf(v.Type())
	present := make([]bool, len(fields))
	d.pairs(n, path, func(key, value *yaml.Node) {
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == key.Value })
		if i < 0 {
			d.unknownKey(key, fields, path)
			return
		}
		present[i] = true
		d.value(value, v.FieldByIndex(fields[i].Index), fields[i].StructField, join(path, key.Value))
	})
	for i, f := range fields {
		if !present[i] && f.Tag.Get("required") != "" {
			d.findings.add(d.at(n), RuleMissing, "", "%s is missing", join(path, f.key))
		}
	}
}

func (d *decoder) unknownKey(key *yaml.Node, fields []field, path string) {
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.key
	}
	hint := "known here: " + strings.Join(known, ", ")
	if near := nearest(key.Value, known); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	d.findings.add(d.at(key), RuleUnknown, hint, "%s has no key %q", orTop(path), shorten(key.Value))
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, f reflect.StructField, path string) {
	if n.Kind != yaml.SequenceNode {
		d.wrongType(n, path, "a list")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	seen := map[string]*yaml.Node{}
	for i, item := range n.Content {
		element := v.Index(i)
		setDefaults(element)
		d.value(item, element, f, fmt.Sprintf("%s[%d]", path, i))
		if element.Kind() != reflect.String || element.String() == "" {
			continue
		}
		if first, ok := seen[element.String()]; ok {
			d.findings.add(d.at(item), RuleDuplicate, "keep one of the two", "%q stands twice in %s; first at %d:%d", shorten(item.Value), path, first.Line, first.Column)
		}
		seen[element.String()] = item
	}
}

func (d *decoder) text(n *yaml.Node, v reflect.Value, f reflect.StructField, path string) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		d.wrongType(n, path, "a text")
		return
	}
	if allowed := f.Tag.Get("enum"); allowed != "" {
		values := strings.Split(allowed, "|")
		if !slices.Contains(values, n.Value) {
			hint := ""
			if near := nearest(n.Value, values); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			d.findings.add(d.at(n), RuleValue, hint, "%s must be %s, found %q", path, strings.Join(values, " or "), shorten(n.Value))
			return
		}
	}
	if name := f.Tag.Get("format"); name != "" {
		format := formats[name]
		if problem := format.problem(n.Value); problem != "" {
			d.findings.add(d.at(n), format.rule, format.hint, "%s: %s, found %q", path, problem, shorten(n.Value))
			return
		}
	}
	v.SetString(n.Value)
}

// free decodes a mapping whose keys are not ours into the types of
// encoding/json, so that it can be placed in a resource.
func (d *decoder) free(n *yaml.Node, path string) any {
	if !d.plain(n) {
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		d.pairs(n, path, func(key, value *yaml.Node) {
			m[key.Value] = d.free(value, join(path, key.Value))
		})
		return m
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			list[i] = d.free(item, fmt.Sprintf("%s[%d]", path, i))
		}
		return list
	}
	switch n.ShortTag() {
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!str":
		return n.Value
	case "!!int":
		// Numbers above 2^53 change on their way through JSON readers.
		if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil && i >= -1<<53 && i <= 1<<53 {
			return json.Number(strconv.FormatInt(i, 10))
		}
		d.findings.add(d.at(n), RuleValue, "put it in quotes", "%s must be a decimal number of at most 2^53, found %s", path, shorten(n.Value))
	case "!!float":
		if x, err := strconv.ParseFloat(n.Value, 64); err == nil {
			if number, err := json.Marshal(x); err == nil {
				return json.Number(number)
			}
		}
		d.findings.add(d.at(n), RuleValue, "put it in quotes", "%s must be a finite decimal number, found %s", path, shorten(n.Value))
	default:
		d.wrongType(n, path, "a text, a number, true, false, a list or a mapping")
	}
	return nil
}

// field is a field of a struct with its key in YAML.
type field struct {
	reflect.StructField
	key string
}

func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		if key := f.Tag.Get("yaml"); key != "" {
			fields = append(fields, field{f, key})
		}
	}
	return fields
}

// setDefaults sets the fields of a struct to what their default tags say.
func setDefaults(v reflect.Value) {
	if v.Kind() != reflect.Struct {
		return
	}
	for _, f := range fieldsOf(v.Type()) {
		target := v.FieldByIndex(f.Index)
		value := f.Tag.Get("default")
		switch {
		case target.Kind() == reflect.Struct:
			setDefaults(target)
		case target.Kind() == reflect.Bool:
			target.SetBool(value == "true")
		case value != "":
			target.SetString(value)
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// nearest returns the known word that a mistyped one most likely means, or ""
// where none is near.
func nearest(word string, known []string) string {
	best, distance := "", max(1, len(word)/3)+1
	for _, k := range known {
		if d := editDistance(strings.ToLower(word), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// editDistance is the Levenshtein distance of two words.
func editDistance(a, b string) int {
	if len(a) > 100 {
		return len(a) // not a typing mistake
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := previous
			if a[i] != b[j] {
				cost++
			}
			previous = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
