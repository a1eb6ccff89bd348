package topology

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
)

// texts decodes an object with free keys and string values.
func (d *decoder) texts(n *yaml.Node, v reflect.Value, f reflect.StructField, path string) {
	if n.Kind != yaml.MappingNode {
		d.wrongType(n, path, expected(v), "write it as keys and values, one a line and indented")
		return
	}
	texts := reflect.MakeMapWithSize(v.Type(), len(n.Content)/2)
	d.pairs(n, path, func(key, value *yaml.Node) {
		if problem, hint := formats[cmp.Or(f.Tag.Get("keys"), "labelKey")].problem(key.Value); problem != "" {
			d.dropped[key] = true
			d.findings.Add(d.at(key), RuleValue, hint, "a key of %s %s, found %q", path, problem, finding.Shorten(key.Value))
			return
		}
		text := reflect.New(v.Type().Elem()).Elem()
		d.value(value, text, f, Join(path, key.Value))
		texts.SetMapIndex(reflect.ValueOf(key.Value), text)
	})
	v.Set(texts)
}

// word decodes a word that may replace an object.
func (d *decoder) word(n *yaml.Node, v reflect.Value, f reflect.StructField, path string) {
	known := words(f.Tag)
	if !slices.Contains(known, n.Value) {
		d.refuse(n, RuleValue, finding.DidYouMean(n.Value, known), "%s must be %s or an object, found %s", path, finding.List(known, len(known)),
			describe(n))
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	v.SetMapIndex(reflect.ValueOf(""), reflect.ValueOf(n.Value))
}

// words lists the words that may replace an object.
func words(tag reflect.StructTag) []string {
	if tag.Get("word") == "" {
		return nil
	}
	return strings.Split(tag.Get("word"), "|")
}

func (d *decoder) text(n *yaml.Node, v reflect.Value, f reflect.StructField, path string) {
	values := allowed(v.Type(), f.Tag)
	check, formatted := formats[f.Tag.Get("format")]
	number := check.number != "" && (n.ShortTag() == "!!int" || n.ShortTag() == "!!float")
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" && !number {
		hint := quotesHint(n)
		switch {
		case n.Kind != yaml.ScalarNode:
			hint = "give one value"
		case check.secret: // a password of digits, say
			problem, _ := check.problem(n.Value)
			d.refuse(n, check.rule, check.hint, "%s %s", path, problem)
			return
		case len(values) > 0:
			hint = "it must be " + finding.OneOf(values)
		case formatted:
			if problem, better := check.problem(n.Value); problem != "" {
				hint = cmp.Or(better, "it "+problem)
			}
		}
		d.wrongType(n, path, "a string", hint)
		return
	}
	if len(values) > 0 && !slices.Contains(values, n.Value) {
		d.refuse(n, RuleValue, finding.DidYouMean(n.Value, values), "%s must be %s, found %q", path, finding.OneOf(values),
			finding.Shorten(n.Value))
		return
	}
	if formatted {
		if problem, hint := check.problem(n.Value); problem != "" {
			found := fmt.Sprintf(", found %q", finding.Shorten(userInfo.ReplaceAllString(n.Value, "//…@")))
			if check.secret {
				found = ""
			}
			if unfilled.MatchString(n.Value) && !check.secret {
				hint = unfilledHint
			}
			d.refuse(n, check.rule, cmp.Or(hint, check.hint), "%s %s%s", path, problem, found)
			return
		}
	}
	if n.Value == "" && f.Tag.Get("required") != "" {
		d.refuse(n, RuleValue, "write a value, such as "+f.Tag.Get("required"), "%s must not be empty", path)
		return
	}
	set(v, n.Value)
}

// unfilled matches placeholders of other tools.
var unfilled = regexp.MustCompile(`\$\{[^}]*\}|\$\([^)]*\)|\{\{.*\}\}|^\$[A-Za-z_]\w*$`)

// unfilledHint says what to do about a value such as ${CLUSTER}.
const unfilledHint = "write the value itself; nothing replaces it here"

// allowed lists the values that a string may have. An empty list means any
// value. For a release line, default comes first, because most users choose it.
func allowed(t reflect.Type, tag reflect.StructTag) []string {
	if t == lineType {
		names := kiali.LineNames()
		last := len(names) - 1
		return append(names[last:], names[:last]...)
	}
	return strings.FieldsFunc(tag.Get("enum"), func(r rune) bool { return r == '|' })
}

// set sets a value from its string form.
func set(v reflect.Value, s string) {
	if v.Type() == lineType {
		line, _ := kiali.ParseLine(s)
		v.Set(reflect.ValueOf(line))
		return
	}
	v.SetString(s)
}
