package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// found collects what a rule finds.
type found struct {
	rule     *Rule
	severity finding.Severity
	all      *[]raw
}

// raw is a finding before equal ones are grouped.
type raw struct {
	finding.Finding
	mesh    *mesh
	cluster int    // the index of the cluster, or -1
	field   string // the field of the cluster's Kiali resource, or ""
}

// softer returns a collector for findings with a lower severity.
func (f *found) softer(s finding.Severity) *found {
	return &found{f.rule, s, f.all}
}

func (f *found) add(m *mesh, cluster int, field string, at finding.Position, hint, message string) {
	*f.all = append(*f.all, raw{
		Finding: finding.Finding{Position: at, Rule: f.rule.ID, Message: message, Hint: hint, Severity: f.severity},
		mesh:    m, cluster: cluster, field: field,
	})
}

// on adds a finding about a topology as a whole.
func (f *found) on(m *mesh, at finding.Position, hint, format string, args ...any) {
	f.add(m, -1, "", at, hint, fmt.Sprintf(format, args...))
}

// cluster adds a finding about one cluster. The message must not name the
// cluster; it is added later.
func (f *found) cluster(m *mesh, i int, at finding.Position, hint, format string, args ...any) {
	f.add(m, i, "", at, hint, fmt.Sprintf(format, args...))
}

// object adds a finding about a part of an object.
func (f *found) object(o *object, path fieldPath, hint, format string, args ...any) {
	field := ""
	if o.ID.Kind == "Kiali" && len(path) > 1 && path[0] == "spec" {
		field = path[1:].String()
	}
	message := fmt.Sprintf(format, args...)
	f.add(o.mesh, o.cluster, field, o.at(path), hint, message)
	for _, i := range o.also {
		same := *o
		same.cluster = i
		f.add(o.mesh, i, field, same.at(path), hint, message)
	}
}

// rank orders the rules that can report the same field of a Kiali resource:
// first rules about this field, then rules about all fields, then the schema.
// So one mistake gives one finding.
func rank(rule string) int {
	return slices.Index([]string{"", "KC09", "KC12", "KC13", "KC25", "IN11", "SC01", "SC02"}, rule)
}

// distinct drops a finding about a field if a rule with a better rank reports
// the same field, a part of it, or an object that contains it.
func distinct(all []raw) []raw {
	type key struct {
		mesh    *mesh
		cluster int
	}
	byKiali := map[key][]*raw{}
	for i := range all {
		if r := &all[i]; r.field != "" {
			k := key{r.mesh, r.cluster}
			byKiali[k] = append(byKiali[k], r)
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(r raw) bool {
		if r.field == "" || rank(r.Rule) < 0 {
			return false
		}
		return slices.ContainsFunc(byKiali[key{r.mesh, r.cluster}], func(other *raw) bool {
			return rank(other.Rule) < rank(r.Rule) && (within(other.field, r.field) || within(r.field, other.field))
		})
	})
}

func within(field, of string) bool {
	return field == of || strings.HasPrefix(field, of+".") || strings.HasPrefix(field, of+"[")
}

// most is the number of clusters up to which the same finding has a line for
// each cluster. With more clusters, one line is for all of them.
const most = 3

// grouped turns raw findings into messages that name their clusters. Equal
// findings become one message.
func grouped(all []raw) finding.Findings {
	type key struct {
		mesh     *mesh
		rule     string
		severity finding.Severity
		message  string
		hint     string
	}
	type group struct {
		first    int
		clusters []int
		has      map[int]bool       // clusters
		places   []finding.Position // different positions; counting stops above most
	}
	groups := map[key]*group{}
	var order []key
	for i, r := range all {
		k := key{r.mesh, r.Rule, r.Severity, r.Message, r.Hint}
		if r.cluster < 0 {
			k.message = fmt.Sprintf("%d %s", i, k.message) // this finding stays alone
		}
		g, ok := groups[k]
		if !ok {
			g = &group{first: i, has: map[int]bool{}}
			groups[k] = g
			order = append(order, k)
		}
		if r.cluster >= 0 && !g.has[r.cluster] {
			g.has[r.cluster] = true
			g.clusters = append(g.clusters, r.cluster)
		}
		if len(g.places) <= most && !slices.Contains(g.places, r.Position) {
			g.places = append(g.places, r.Position)
		}
	}
	var findings finding.Findings
	for _, k := range order {
		g := groups[k]
		f := all[g.first].Finding
		switch {
		case len(g.clusters) == 0:
			findings = append(findings, f)
		case len(g.clusters) > 1 && (len(g.places) == 1 || len(g.clusters) > most):
			f.Message = fmt.Sprintf("%s (%s): %s", k.mesh.counted(g.clusters), k.mesh.listed(g.clusters), f.Message)
			findings = append(findings, f)
		default:
			for _, r := range all[g.first:] {
				if r.cluster >= 0 && k == (key{r.mesh, r.Rule, r.Severity, r.Message, r.Hint}) {
					one := r.Finding
					one.Message = r.mesh.Called(r.cluster) + ": " + one.Message
					findings = append(findings, one)
				}
			}
		}
	}
	return findings
}

// counted says how many clusters or remotes these are.
func (m *mesh) counted(clusters []int) string {
	if slices.ContainsFunc(clusters, func(i int) bool { return m.IsHub(&m.Spec.Clusters[i]) }) {
		return finding.Count(len(clusters), "cluster")
	}
	return finding.Count(len(clusters), "remote")
}

// listed names the clusters, shortened for a message.
func (m *mesh) listed(clusters []int) string {
	names := make([]string, len(clusters))
	for n, i := range clusters {
		names[n] = m.Spec.Clusters[i].Name
	}
	return finding.List(names, most)
}
