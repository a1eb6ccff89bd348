package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Options are the inputs of [Find] other than the topologies.
type Options struct {
	Definitions *Definitions // the definitions of custom resources; nil: objects are not checked against schemas
	Suppress    []string     // ids of rules whose warnings and infos are left out

	RequireLinks bool // a remote without a sealed link is an error

	Now string // the time, in the form that sealed links use; "": nothing expires
}

// Find applies every rule to topologies without findings of their own, or to the [Rest] of topologies with findings.
// It returns its findings, sorted. It returns an error if an object cannot be filled; no topology should cause this.
func Find(inputs []Input, o Options) (finding.Findings, error) {
	kept, findings, err := find(inputs, o)
	if err != nil {
		return nil, err
	}
	guessed := func(f finding.Finding) bool {
		return slices.ContainsFunc(kept.meshes, func(m *mesh) bool { return m.Guessed(f.Position) })
	}
	return slices.DeleteFunc(append(findings, grouped(kept.all)...), guessed).Sorted(), nil
}

// About is a finding and the cluster that it is about, by its name; "" is the mesh
// as a whole. The message does not name the cluster.
type About struct {
	finding.Finding
	Cluster string
}

// FindEach is [Find] for one topology, with each finding by itself: none stands for
// those of several clusters. They are in the order of the rules.
func FindEach(input Input, o Options) ([]About, error) {
	kept, findings, err := find([]Input{input}, o)
	if err != nil {
		return nil, err
	}
	var all []About
	for _, f := range findings {
		all = append(all, About{Finding: f})
	}
	for _, r := range kept.all {
		about := About{Finding: r.Finding}
		if r.cluster >= 0 {
			about.Cluster = r.mesh.Spec.Clusters[r.cluster].Name
		}
		all = append(all, about)
	}
	return all, nil
}

// kept is what the rules find, without what is suppressed.
type kept struct {
	meshes []*mesh
	all    []raw
}

// find applies every rule. The findings are about what is suppressed.
func find(inputs []Input, o Options) (*kept, finding.Findings, error) {
	k := &kept{meshes: make([]*mesh, len(inputs))}
	for i, in := range inputs {
		var err error
		if k.meshes[i], err = newMesh(in, o); err != nil {
			return nil, nil, err
		}
	}
	rules := Rules()
	var all []raw
	for i := range rules {
		f := &found{&rules[i], rules[i].Severity, &all}
		if rules[i].mesh != nil {
			for _, m := range k.meshes {
				rules[i].mesh(m, f)
			}
		}
		if rules[i].meshes != nil {
			rules[i].meshes(k.meshes, f)
		}
	}
	var findings finding.Findings
	suppressed := map[*mesh]map[string]bool{}
	for _, m := range k.meshes {
		suppressed[m] = suppressions(m, o.Suppress, rules, &findings)
	}
	for _, r := range distinct(all) {
		if r.Severity == finding.Error || !suppressed[r.mesh][r.Rule] {
			k.all = append(k.all, r)
		}
	}
	return k, findings, nil
}

// suppressions reads the annotation. It adds a finding for a rule that has only
// errors, because errors cannot be suppressed, and for an unknown id.
func suppressions(m *mesh, more []string, rules []Rule, findings *finding.Findings) map[string]bool {
	ids := map[string]bool{}
	for _, id := range more {
		ids[id] = true
	}
	for _, id := range splitIDs(strings.ToUpper(m.Metadata.Annotations[labels.Suppress])) {
		if problem, hint := Suppressible(id, rules); problem != "" {
			*findings = append(*findings, finding.Finding{
				Position: m.At("metadata", "annotations", labels.Suppress), Rule: topology.RuleValue,
				Message: fmt.Sprintf("%s names %s", labels.Suppress, problem), Hint: hint,
			})
		}
		ids[id] = true
	}
	return ids
}

// Suppressible says why a rule cannot be suppressed, or returns "".
func Suppressible(id string, rules []Rule) (problem, hint string) {
	for i := range rules {
		switch r := &rules[i]; {
		case r.ID != id:
		case !r.Softens():
			return fmt.Sprintf("%s (%s), but this rule has only errors; errors cannot be suppressed", id, r.Title),
				"remove it, and correct the errors of the rule"
		default:
			return "", ""
		}
	}
	_, hint = Lookup(id)
	return fmt.Sprintf("%q, but there is no such rule", finding.Shorten(id)), hint
}

func splitIDs(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(", \t\n", r) })
}
