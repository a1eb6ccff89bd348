// Package check knows the mesh: it finds what is wrong with a topology although
// each of its values is well formed, and what is wrong with the objects that
// were rendered from it, overlays included. Every finding has the position of
// the line of the topology that causes it.
//
// A rule is an entry of [Rules]: its page, and a function that looks at what was
// rendered. Rules about what a topology says are applied by [Parse], before
// anything is rendered; they are in the files written*.go. What the package
// topology finds in the form of a file, and the package overlay, has a page in
// the list too, so that one list explains every finding.
package check

import (
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// Rule is one thing that can be wrong.
type Rule struct {
	ID       string
	Severity finding.Severity // the gravest that it finds
	Title    string           // what is true where the rule has nothing to say
	What     string           // what it looks at
	Why      string           // what happens otherwise
	Fix      string           // what to do
	Source   string           // where that is known from

	Also     finding.Severity // Warning or Info, where some of its findings are no errors
	FoundBy  string           // the package that finds it, where that is not this one
	Reserved string           // what has to come before there is something to check

	mesh   func(m *mesh, f *found)    // looks at one topology
	meshes func(ms []*mesh, f *found) // looks at all that are given together
}

const (
	byReader  = "topology"
	byOverlay = "overlay"
	byRender  = "render"
	byStatus  = "status"

	byDiscover = "discover"
)

// Rules lists every rule, in the order of their pages.
func Rules() []Rule {
	return slices.Concat(
		textRules(),
		identityRules(),
		kialiRules(),
		typeRules(),
		accessRules(),
		metricsRules(),
		fillingRules(),
		acmRules(),
		seriesRules(),
		tracingRules(),
		installRules(),
		refusedRules(),
		substitutionRules(),
		sizeRules(),
		deliveryRules(),
		argoCDRules(),
		fluxRules(),
		schemaRules(),
		overlayRules(),
		effectRules(),
		statusRules(),
		adoptRules(),
	)
}

// Lookup finds a rule by its id in any case. Without one, the hint says what
// may have been meant.
func Lookup(id string) (rule *Rule, hint string) {
	rules := Rules()
	ids := make([]string, len(rules))
	for i := range rules {
		if ids[i] = rules[i].ID; strings.EqualFold(ids[i], id) {
			return &rules[i], ""
		}
	}
	if near := finding.Nearest(id, ids); near != "" {
		return nil, finding.Meant(near)
	}
	return nil, "sightline explain rules lists them"
}

// Softens tells whether the rule has findings that can be suppressed.
func (r *Rule) Softens() bool {
	return r.Severity != finding.Error || r.Also != finding.Error
}

// Severities says in words what the rule's findings are.
func (r *Rule) Severities() string {
	if r.Also != finding.Error && r.Also != r.Severity {
		return r.Severity.String() + ", in part " + r.Also.String()
	}
	return r.Severity.String()
}
