package topology

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
)

// decoder decodes YAML nodes into the types of this package. The field tags
// define every key. For a value that does not fit, the decoder adds a finding
// with its position, and continues with a usable value.
//
// The tags: `yaml:"key"`, `default:"value"`, `enum:"a|b"`,
// `format:"name of a formats entry"`; for a required key, with what to write
// where it is missing, `required:"key: value"`.
type decoder struct {
	file     string
	want     fileKind
	findings *finding.Findings
	absent   []absent
	*repairs
	places    map[string][]string                   // see homesOf
	misplaced map[string]bool                       // the right paths of keys in wrong places
	secrets   finding.Findings                      // see credentials
	taken     map[finding.Position]bool             // positions of these credentials
	keys      map[finding.Position]finding.Position // positions of keys, for credentials known only by their key
	fields    map[reflect.Type][]field
}

func newDecoder(file string, want fileKind, findings *finding.Findings) *decoder {
	return &decoder{
		file: file, want: want, findings: findings,
		repairs: newRepairs(), misplaced: map[string]bool{}, fields: map[reflect.Type][]field{},
		taken: map[finding.Position]bool{}, keys: map[finding.Position]finding.Position{},
	}
}

// absent is the finding for a missing value. It is dropped if the value was
// found in a wrong place.
type absent struct {
	path string
	finding.Finding
}

// close adds the findings that depend on the whole topology.
func (d *decoder) close() {
	for _, a := range d.absent {
		found := false
		for path := range d.misplaced {
			found = found || path == a.path || strings.HasPrefix(path, a.path+".")
		}
		if !found {
			d.findings.Add(a.Position, a.Rule, a.Hint, "%s", a.Message)
		}
	}
}

func (d *decoder) missing(n *yaml.Node, path, rule, hint, format string, args ...any) {
	d.absent = append(d.absent, absent{path, finding.Finding{Position: d.at(n), Rule: rule, Message: fmt.Sprintf(format, args...),
		Hint: hint}})
}

// refuse adds the finding for a value that is not accepted.
func (d *decoder) refuse(n *yaml.Node, rule, hint, format string, args ...any) {
	d.refused[n] = true
	d.findings.Add(d.at(n), rule, hint, format, args...)
}

func (d *decoder) at(n *yaml.Node) finding.Position { return position(d.file, n) }

// value decodes n into v, whose field is f.
func (d *decoder) value(n *yaml.Node, v reflect.Value, f reflect.StructField, path string) {
	defer func() {
		if d.refused[n] {
			d.gaps[n] = gap{f, v.Type()}
		}
	}()
	if !d.plain(n) {
		return
	}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		hint := "give it a value"
		if f.Tag.Get("required") == "" && (v.Kind() != reflect.String || f.Tag.Get("default") != "") {
			hint += ", or leave it out"
		}
		d.refused[n] = true
		d.missing(n, path, RuleType, hint, "%s must be %s, found nothing", path, expected(v))
		return
	}
	if v.Type() == lineType {
		d.text(n, v, f, path)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		setDefaults(v.Elem())
		d.value(n, v.Elem(), f, path)
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Slice:
		d.list(n, v, f, path)
	case reflect.Map:
		if v.Type().Elem().Kind() == reflect.String {
			if words(f.Tag) != nil && n.Kind == yaml.ScalarNode {
				d.word(n, v, f, path)
			} else {
				d.texts(n, v, f, path)
			}
			return
		}
		if n.Kind != yaml.MappingNode {
			d.wrongType(n, path, expected(v), "write it as keys and values, one a line and indented")
			return
		}
		free, _ := d.free(n, path).(map[string]any)
		v.Set(reflect.ValueOf(free))
	case reflect.Bool:
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
			d.wrongType(n, path, expected(v), boolHint(n))
			return
		}
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case reflect.Int:
		i, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || err != nil || i < 1 {
			d.wrongType(n, path, expected(v), "")
			return
		}
		v.SetInt(int64(i))
	default:
		d.text(n, v, f, path)
	}
}

// expected says what a value must be, in the words of describe.
func expected(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Struct, reflect.Map, reflect.Pointer:
		return "an object"
	case reflect.Slice:
		return "a list"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number from 1"
	}
	return "a string"
}

// boolHint is the hint for words that older YAML reads as booleans.
func boolHint(n *yaml.Node) string {
	switch strings.ToLower(n.Value) {
	case "true", "yes", "y", "on":
		return "write true, without quotes"
	case "false", "no", "n", "off":
		return "write false, without quotes"
	}
	return ""
}

// PlainHint says what to do about an anchor or an alias.
const PlainHint = "write the value itself where it is used"

// plain refuses YAML features with which a reviewer must look elsewhere for a
// value. Also, ten lines of aliases can expand to a billion values. It returns
// false if the value cannot be used.
func (d *decoder) plain(n *yaml.Node) bool {
	rule, hint, message := NotPlain(n, d.want.in())
	switch {
	case message == "":
		return true
	case n.Anchor != "": // whose value is there
		d.findings.Add(d.at(n), rule, hint, "%s", message)
		return true
	}
	d.refuse(n, rule, hint, "%s", message)
	return false
}

// NotPlain reports an alias, an anchor or a tag of a node. in names the kind of the
// file for the message. The message is "" if the node has none of them.
func NotPlain(n *yaml.Node, in string) (rule, hint, message string) {
	switch {
	case n.Kind == yaml.AliasNode:
		return RuleAlias, PlainHint, fmt.Sprintf("found the alias *%s; aliases are not supported in %s", bare(n.Value), in)
	case n.Anchor != "":
		return RuleAlias, PlainHint, fmt.Sprintf("found the anchor &%s; anchors are not supported in %s", bare(n.Anchor), in)
	case n.Style&yaml.TaggedStyle != 0 && n.ShortTag() != ownTags[n.Kind]:
		return RuleType, "remove the tag", fmt.Sprintf("found the tag %s; tags are not supported in %s", bare(n.ShortTag()), in)
	}
	return "", "", ""
}

// ownTags are the tags that do not change the type of a node.
var ownTags = map[yaml.Kind]string{yaml.MappingNode: "!!map", yaml.SequenceNode: "!!seq", yaml.ScalarNode: "!!str"}

func (d *decoder) wrongType(n *yaml.Node, path, want, hint string) {
	d.refuse(n, RuleType, hint, "%s must be %s, found %s", path, want, describe(n))
}

// pairs calls visit for each key of an object that is a string and not a
// repetition.
func (d *decoder) pairs(n *yaml.Node, path string, visit func(key, value *yaml.Node)) {
	seen := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if isMerge(key) {
			d.findings.Add(d.at(key), RuleAlias, "write the keys themselves where they are used",
				"found the merge key <<; merge keys are not supported in %s", d.want.in())
			continue
		}
		if !d.plain(key) {
			continue
		}
		if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" {
			d.wrongType(key, "a key of "+d.orTop(path), "a string", cmp.Or(quotesHint(key), "a key is one word"))
			continue
		}
		if first, ok := seen[key.Value]; ok {
			d.first[first], d.second[key] = true, true
			d.findings.Add(d.at(key), RuleDuplicate, "keep one of the two", "the key %q is twice in %s; first at %d:%d",
				finding.Shorten(key.Value), d.orTop(path), first.Line, first.Column)
			continue
		}
		seen[key.Value] = key
		visit(key, value)
	}
}

func isMerge(key *yaml.Node) bool { return key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge" }

// quotesHint says how a scalar of another type becomes a string.
func quotesHint(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		return ""
	}
	if n.Value != finding.Shorten(n.Value) {
		return "put it in quotes"
	}
	return fmt.Sprintf("put it in quotes: %q", n.Value)
}

func (d *decoder) orTop(path string) string {
	if path == "" {
		return "the " + d.want.what
	}
	return path
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value, path string) {
	fields, ok := d.fields[v.Type()]
	if !ok {
		fields = fieldsOf(v.Type())
		d.fields[v.Type()] = fields
	}
	if n.Kind != yaml.MappingNode {
		d.wrongType(n, d.orTop(path), "an object", "write it as keys and values; "+keysHint(fields))
		return
	}
	present := make([]bool, len(fields))
	var unknown [][2]*yaml.Node
	d.pairs(n, path, func(key, value *yaml.Node) {
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == key.Value })
		if i < 0 {
			unknown = append(unknown, [2]*yaml.Node{key, value})
			return
		}
		present[i] = true
		d.value(value, v.FieldByIndex(fields[i].Index), fields[i].StructField, Join(path, key.Value))
	})
	for _, u := range unknown {
		key, value := u[0], u[1]
		i := nearestField(key.Value, fields)
		if i < 0 {
			hint := keysHint(fields)
			if key.Value == "name" && v.Type() == reflect.TypeFor[clusterSpec]() {
				hint = "name belongs below metadata"
			} else if home := d.home(key.Value, path, fields); home != "" {
				d.misplaced[Join(home, key.Value)] = true
				hint = fmt.Sprintf("%s belongs below %s", key.Value, home)
			}
			d.dropped[key], d.homes[key] = true, d.placesOf(key.Value)
			d.findings.Add(d.at(key), RuleUnknown, hint, "%s has no key %q", d.orTop(path), finding.Shorten(key.Value))
			continue
		}
		d.findings.Add(d.at(key), RuleUnknown, finding.Meant(strconv.Quote(fields[i].key)), "%s has no key %q", d.orTop(path),
			finding.Shorten(key.Value))
		if present[i] {
			d.dropped[key] = true
			continue
		}
		// The value is read with the key that was probably meant, so that a
		// mistyped key gives one finding, and not also a missing key and its
		// consequences.
		present[i] = true
		if homes := d.placesOf(key.Value); len(homes) > 0 && kindOf(v.FieldByIndex(fields[i].Index)) != value.Kind {
			d.dropped[key], d.homes[key], d.names[key] = true, homes, key.Value
		}
		key.Value = fields[i].key
		if target := v.FieldByIndex(fields[i].Index); kindOf(target) == value.Kind {
			d.value(value, target, fields[i].StructField, Join(path, key.Value))
		} else {
			d.refused[value] = true
			d.gaps[value] = gap{fields[i].StructField, target.Type()}
		}
	}
	if slices.ContainsFunc(n.Content, isMerge) {
		return // a merge key may supply the missing keys
	}
	for i, f := range fields {
		if example := f.Tag.Get("required"); !present[i] && example != "" {
			d.lacks[n] = append(d.lacks[n], lack{f.key, nil, gap{f.StructField, f.Type}})
			d.missing(n, Join(path, f.key), RuleMissing, "add it, such as "+example, "%s is missing", Join(path, f.key))
		}
	}
}

// kindOf is the kind of node from which a value is read.
func kindOf(v reflect.Value) yaml.Kind {
	switch v.Kind() {
	case reflect.Struct, reflect.Map, reflect.Pointer:
		return yaml.MappingNode
	case reflect.Slice:
		return yaml.SequenceNode
	}
	return yaml.ScalarNode
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, f reflect.StructField, path string) {
	if n.Kind != yaml.SequenceNode {
		d.wrongType(n, path, "a list", `begin each entry with "- "`)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	blank := reflect.New(v.Type().Elem()).Elem()
	setDefaults(blank)
	seen := map[string]*yaml.Node{}
	for i, item := range n.Content {
		element := v.Index(i)
		element.Set(blank)
		d.value(item, element, f, entry(path, i))
		if element.Kind() != reflect.String || element.String() == "" {
			continue
		}
		if first, ok := seen[element.String()]; ok {
			d.dropped[item] = true
			d.findings.Add(d.at(item), RuleDuplicate, "keep one of the two", "%q is twice in %s; first at %d:%d", finding.Shorten(item.Value),
				path, first.Line, first.Column)
			continue
		}
		seen[element.String()] = item
	}
}

var lineType = reflect.TypeFor[kiali.Line]()

// userInfo matches the login in a URL. It may be a password, so no message
// repeats it.
var userInfo = regexp.MustCompile(`//[^/]*@`)

// field is a field of a struct with its key in YAML.
type field struct {
	reflect.StructField
	key string
}

// fieldsOf lists the keys that an object may have, in the order of the type.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("yaml")
		if key == "" || key == "name" && t == reflect.TypeFor[clusterSpec]() {
			continue
		}
		fields = append(fields, field{f, key})
	}
	return fields
}

// Defaults returns the defaults of spec that do not depend on other values.
func Defaults() *Spec {
	var spec Spec
	setDefaults(reflect.ValueOf(&spec).Elem())
	return &spec
}

// setDefaults sets the fields of a struct to the values of their default tags.
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
		case value != "" && (target.Kind() == reflect.String || target.Type() == lineType):
			set(target, value)
		case value != "" && target.Kind() == reflect.Int:
			i, _ := strconv.ParseInt(value, 10, 64)
			target.SetInt(i)
		}
	}
}

// Join adds a key to a path, in the form for messages.
func Join(path, key string) string {
	if path == "" {
		return bare(key)
	}
	return bounded(path) + "." + bare(key)
}

// entry adds the index of a list to a path.
func entry(path string, i int) string { return bounded(path) + "[" + strconv.Itoa(i) + "]" }

// bounded keeps deep nesting from flooding a message.
func bounded(path string) string {
	if len(path) > 300 {
		return "…"
	}
	return path
}
