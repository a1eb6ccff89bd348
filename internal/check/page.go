package check

import (
	"fmt"
	"strings"
)

// Markdown is the page of all rules.
func Markdown() string {
	var b strings.Builder
	b.WriteString(`# Rules

` + "`sightline verify`" + ` applies these rules to topologies and to the objects rendered from them. ` + "`sightline render`" + ` applies them too, and
writes nothing if there is an error. ` + "`sightline explain RULE`" + ` shows one rule. To leave out warnings and information of a rule, use
` + "`--suppress RULE`" + ` or the annotation ` + "`sightline.dev/suppress`" + ` of the topology. You cannot suppress errors.

The rules EF and KC14 are about a change: ` + "`sightline diff`" + ` prints them. The rules ST are about a running mesh: ` + "`sightline status`" + ` checks
them. The rules AD are about clusters: ` + "`sightline init`" + ` checks them when it makes a topology.

This page is generated from the rules: ` + "`go test ./internal/check -update`" + `.
`)
	for _, r := range Rules() {
		fmt.Fprintf(&b, "\n## %s: %s\n\n*%s*", r.ID, r.Title, r.Severities())
		if r.Reserved != "" {
			fmt.Fprintf(&b, ", reserved: it waits for %s", r.Reserved)
		}
		fmt.Fprintf(&b, "\n\n%s\n\n%s\n\n**Fix:** %s\n\n**Source:** %s\n", r.What, r.Why, r.Fix, r.Source)
	}
	return b.String()
}
