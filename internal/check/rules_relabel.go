package check

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// relabeling is one relabeling of a monitor or of a remote write, with its
// position.
type relabeling struct {
	o      *object   // nil: the relabeling is in the topology
	at     fieldPath // in the object
	path   []any     // in the topology
	metric bool      // it changes series, not targets
	rule   map[string]any
}

func (r relabeling) text(key string) (string, bool) {
	s, ok := r.rule[key].(string)
	return s, ok
}

// action is the rule's action in lower case, as in Prometheus.
func (r relabeling) action() string {
	if s, ok := r.text("action"); ok {
		return strings.ToLower(s)
	}
	return "replace"
}

// relabelings visits every rendered relabeling.
func (m *mesh) relabelings(visit func(r relabeling)) {
	for _, o := range m.monitors() {
		for _, list := range []string{"podMetricsEndpoints", "endpoints"} {
			endpoints, _ := o.value(spec(list)).([]any)
			for i := range endpoints {
				for _, kind := range []string{"relabelings", "metricRelabelings"} {
					at := spec(list).below(i, kind)
					rules, _ := o.value(at).([]any)
					for j := range rules {
						if rule, ok := rules[j].(map[string]any); ok {
							visit(relabeling{o: o, at: at.below(j), metric: kind == "metricRelabelings", rule: rule})
						}
					}
				}
			}
		}
	}
	if w := m.Spec.Metrics.Thanos.RemoteWrite; w != nil {
		rules, _ := w.Settings["writeRelabelConfigs"].([]any)
		for j := range rules {
			if rule, ok := rules[j].(map[string]any); ok {
				visit(relabeling{path: []any{"spec", "metrics", "thanos", "remoteWrite", "settings", "writeRelabelConfigs", j}, metric: true,
					rule: rule})
			}
		}
	}
}

func (f *found) relabeling(m *mesh, r relabeling, key, hint, format string, args ...any) {
	if r.o != nil {
		f.object(r.o, r.at.below(key), hint, format, args...)
		return
	}
	path := append(slices.Clone(r.path), key)
	if !m.Has(path...) {
		path = r.path
	}
	f.on(m, m.At(path...), hint, format, args...)
}

// shellEscape is a backslash that a shell would have removed.
var shellEscape = regexp.MustCompile(`\\\\[dwsDWSb.]|\\\$`)

func relabelSyntax(m *mesh, f *found) {
	m.relabelings(func(r relabeling) {
		text, ok := r.text("regex")
		if !ok {
			text = "(.*)"
		}
		if escape := shellEscape.FindString(text); escape != "" {
			f.relabeling(m, r, "regex", `write \d and $ as they are; no shell takes a backslash away`,
				"the regex %s contains %s; this matches a %s", finding.Shorten(text), escape, escaped(escape))
			return
		}
		re, err := regexp.Compile("^(?s:" + text + ")$")
		if err != nil {
			f.relabeling(m, r, "regex", "write it as RE2 has it: no lookahead, no backreference", "the regex %s is not valid in Prometheus: %s",
				finding.Shorten(text), regexProblem(err))
			return
		}
		replacement, ok := r.text("replacement")
		if !ok || r.action() != "replace" && r.action() != "labelmap" {
			return
		}
		if strings.Contains(replacement, `\`) {
			f.relabeling(m, r, "replacement", "write $1 as it is; no shell takes a backslash away",
				"the replacement %s has a backslash, which would be part of the label", finding.Shorten(replacement))
			return
		}
		for _, group := range groups(replacement) {
			n, err := strconv.Atoi(group)
			if err == nil && n > re.NumSubexp() || err != nil && re.SubexpIndex(group) < 0 {
				f.relabeling(m, r, "replacement", "refer to a group that the regex has; $1_x is the group 1_x, ${1}_x the group 1",
					"the replacement %s refers to the group %s, but the regex %s has %s",
					finding.Shorten(replacement), group, finding.Shorten(text), plural(re.NumSubexp(), "group"))
				return
			}
		}
	})
}

func escaped(escape string) string {
	if escape == `\$` {
		return "dollar sign and not the end of the string"
	}
	return "backslash, probably by mistake"
}

func plural(n int, noun string) string {
	if n == 0 {
		return "no " + noun
	}
	return finding.Count(n, noun)
}

func regexProblem(err error) string {
	if e, ok := err.(*syntax.Error); ok {
		return string(e.Code)
	}
	return err.Error()
}

var groupRef = regexp.MustCompile(`\$\$|\$(\w+)|\$\{(\w+)\}`)

// groups lists the groups that a replacement refers to.
func groups(replacement string) []string {
	var names []string
	for _, found := range groupRef.FindAllStringSubmatch(replacement, -1) {
		if name := found[1] + found[2]; name != "" {
			names = append(names, name)
		}
	}
	return names
}

func relabelWithoutRegex(m *mesh, f *found) {
	m.relabelings(func(r relabeling) {
		if _, ok := r.text("regex"); ok {
			return
		}
		switch r.action() {
		case "keep", "drop":
			f.relabeling(m, r, "action", `add regex: "true", or what the label should be`,
				"the action %s has no regex, so it matches everything, also an absent label", r.action())
		}
	})
}
