package main

import (
	"fmt"
	"io"
	"regexp"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
)

// ruleID matches the id of a rule, also with a digit too few or too many. It matches
// no field.
var ruleID = regexp.MustCompile(`^[A-Za-z]{2}[0-9]{1,3}$`)

// explainRule prints the page of a rule, as in docs/rules.md. It prints the addresses of
// other pages, because the reader may have only the program.
func explainRule(out io.Writer, id string) error {
	r, hint := check.Lookup(id)
	if r == nil {
		return &hinted{fmt.Errorf("there is no rule %q", id), hint}
	}
	text := fmt.Sprintf("%s (%s)\n%s\n\n", r.ID, r.Severities(), wrap(r.Title, 0)) +
		table([]row{{"what", finding.WithPages(r.What)}, {"why", finding.WithPages(r.Why)}, {"fix", finding.WithPages(r.Fix)},
			{"source", finding.WithPages(r.Source)}}, textWidth)
	if r.Reserved != "" {
		text += "\n" + wrap("Reserved: it waits for "+r.Reserved+".", 0) + "\n"
	}
	_, err := io.WriteString(out, text)
	return err
}

// explainRules lists every rule, each in one line.
func explainRules(out io.Writer) error {
	var all []row
	for _, r := range check.Rules() {
		all = append(all, row{r.ID, r.Title + " (" + r.Severities() + ")"})
	}
	_, err := io.WriteString(out, table(all, 0))
	return err
}
