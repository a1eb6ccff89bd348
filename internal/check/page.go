package check

import (
	"fmt"
	"strings"
)

// Markdown is the page of all rules.
func Markdown() string {
	var b strings.Builder
	b.WriteString(`# Rules

` + "`sightline verify`" + ` applies these to topologies and to what is rendered from them; ` + "`sightline render`" + ` does so too, and writes nothing where
there is an error. ` + "`sightline explain RULE`" + ` shows one of them. Warnings and information are left out with ` + "`--suppress RULE`" + `, or by the
annotation ` + "`sightline.dev/suppress`" + ` of the topology; errors are not. The rules EF and KC14 are about a change, and ` + "`sightline diff`" + ` says them. The
rules ST are about a running mesh: ` + "`sightline status`" + ` checks them. The rules AD are about the clusters of which ` + "`sightline init`" + ` makes a topology.

This page is made from the rules themselves: ` + "`go test ./internal/check -update`" + `.
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
