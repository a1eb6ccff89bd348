// Package check knows the mesh. It finds mistakes in a topology whose values
// are all well formed, and mistakes in the objects that were rendered from it,
// including overlays. Every finding has the position of the line in the
// topology that causes it.
//
// A rule is an entry of [Rules]: its page, and a function that checks what was
// rendered. [Parse] applies the rules about what a topology says before anything
// is rendered; these rules are in the files written*.go. Package topology checks
// the form of a file, and package overlay checks overlays. Their findings have
// pages in this list too, so that one list explains every finding.
package check

import (
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// Rule is one thing that can be wrong.
type Rule struct {
	ID       string
	Severity finding.Severity // the highest severity of its findings
	Title    string           // what is true if the rule has no finding
	What     string           // what it checks
	Why      string           // what happens if it is not true
	Fix      string           // what to do
	Source   string           // the source of this knowledge

	Also     finding.Severity // Warning or Info, if some findings have this severity
	FoundBy  string           // the package that finds it, if it is another package
	Reserved string           // what must exist before there is something to check

	mesh   func(m *mesh, f *found)    // checks one topology
	meshes func(ms []*mesh, f *found) // checks all topologies that are given together
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

// Lookup finds a rule by its id, in upper or lower case. If there is no such
// rule, hint proposes a similar id.
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

// Severities returns the severities of the rule's findings in words.
func (r *Rule) Severities() string {
	if r.Also != finding.Error && r.Also != r.Severity {
		return r.Severity.String() + ", in part " + r.Also.String()
	}
	return r.Severity.String()
}
