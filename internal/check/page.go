package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// subjects are the subjects of the rules by the letters of their ids, in the order of
// the page.
var subjects = []struct{ letters, subject string }{
	{"SY", "how a topology is written"},
	{"ID", "names of clusters, meshes and networks"},
	{"KC", "the Kiali resource, logins and release lines"},
	{"RS", "links, tokens and certificates"},
	{"PM", "monitors, metrics and their store"},
	{"TR", "traces"},
	{"IN", "the operator, and objects of every kind"},
	{"DL", "delivery by Argo CD, Flux and Helm"},
	{"SC", "definitions that you give with --crds"},
	{"OV", "overlays"},
	{"EF", "what a change means: sightline diff"},
	{"ST", "whether a mesh works: sightline status"},
	{"AD", "what clusters have: sightline init"},
}

// Markdown is the page of all rules, by their ids.
func Markdown() string {
	var b strings.Builder
	b.WriteString(`# Rules

` + "`sightline verify`" + ` applies these rules to topologies and to the objects rendered from them.
` + "`sightline render`" + ` applies them too, and writes nothing if there is an error.
` + "`sightline explain RULE`" + ` shows one rule. To leave out warnings and information of a rule, use
` + "`--suppress RULE`" + ` or the annotation ` + "`sightline.dev/suppress`" + ` of the topology. You cannot suppress errors.

Some rules belong to other commands: EF and KC14 to ` + "`sightline diff`" + `, ST to
` + "`sightline status`" + `, and AD to ` + "`sightline init`" + `.

| rules | subject |
|---|---|
`)
	for _, s := range subjects {
		rules := rulesOf(s.letters)
		fmt.Fprintf(&b, "| [%s to %s](#%s) | %s |\n", rules[0].ID, rules[len(rules)-1].ID, anchor(s.letters+": "+s.subject), s.subject)
	}
	b.WriteString("\nThis page is generated from the rules: `go test ./internal/check -update`.\n")
	for _, s := range subjects {
		fmt.Fprintf(&b, "\n## %s: %s\n", s.letters, s.subject)
		for _, r := range rulesOf(s.letters) {
			fmt.Fprintf(&b, "\n### %s: %s\n\n*%s*", r.ID, r.Title, r.Severities())
			if r.Reserved != "" {
				fmt.Fprintf(&b, ", reserved: it waits for %s", r.Reserved)
			}
			b.WriteString(finding.WithLinks(fmt.Sprintf("\n\n%s\n\n%s\n\n**Fix:** %s\n\n**Source:** %s\n", r.What, r.Why, r.Fix, r.Source)))
		}
	}
	return b.String()
}

// rulesOf are the rules whose ids begin with the letters, sorted.
func rulesOf(letters string) []Rule {
	rules := slices.DeleteFunc(Rules(), func(r Rule) bool { return !strings.HasPrefix(r.ID, letters) })
	slices.SortFunc(rules, func(a, b Rule) int { return cmp.Compare(a.ID, b.ID) })
	return rules
}

// anchor is the name that GitHub gives a heading.
func anchor(heading string) string {
	kept := strings.Map(func(r rune) rune {
		if strings.ContainsRune(":,.", r) {
			return -1
		}
		return r
	}, strings.ToLower(heading))
	return strings.ReplaceAll(kept, " ", "-")
}
