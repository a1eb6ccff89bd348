package topology

import (
	"cmp"
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// free decodes an object with free keys into the types of encoding/json, so
// that it can be placed in a resource.
func (d *decoder) free(n *yaml.Node, path string) any {
	if !d.plain(n) {
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		d.pairs(n, path, func(key, value *yaml.Node) {
			if key.Value == "<<" {
				d.dropped[key] = true
				d.findings.Add(d.at(key), RuleValue, "use another key", "%s has the key %q; kustomize treats this key as a merge, even in quotes",
					d.orTop(path), key.Value)
				return
			}
			m[key.Value] = d.free(value, Join(path, key.Value))
		})
		return m
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			list[i] = d.free(item, entry(path, i))
		}
		return list
	}
	switch n.ShortTag() {
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!str":
		return n.Value
	case "!!int", "!!float":
		if number, ok := jsonNumber(n.Value); ok {
			return number
		}
		d.refuse(n, RuleValue, "write a decimal number; if it is a string, put it in quotes",
			"%s must be a decimal number of at most 2^53, found %s",
			path, bare(n.Value))
	default:
		hint := cmp.Or(quotesHint(n), "give it a value, or leave it out")
		if strings.HasSuffix(path, ".external_services.prometheus.query_scope") {
			hint = "remove it, and write metrics: {scope: none}"
		}
		d.wrongType(n, path, "a string, a number, true, false, a list or an object", hint)
	}
	return nil
}

var wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// jsonNumber reads a number only if every reader of YAML and JSON reads the
// same number. For example, some read 010 as eight, and JSON changes whole
// numbers above 2^53.
func jsonNumber(s string) (json.Number, bool) {
	if wholeNumber.MatchString(s) {
		i, err := strconv.ParseInt(s, 10, 64)
		return json.Number(strconv.FormatInt(i, 10)), err == nil && i >= -1<<53 && i <= 1<<53
	}
	if !strings.ContainsAny(s, ".eE") {
		return "", false
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.Abs(x) > 1<<53 {
		return "", false
	}
	number, err := json.Marshal(x)
	return json.Number(number), err == nil
}
