package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/topology"
)

const explainDoc = `Explain a field of a topology: its meaning, its type, its default, and the
resources that it changes.

FIELD is a path such as spec.kiali.links or spec.clusters[].server. Brackets may
have an index, or be left out. RULE is the id of a rule, such as PM13. Without an
argument, explain lists all fields; "rules" lists all rules.`

func newExplainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain [FIELD|RULE|rules]",
		Short: "Explain the fields of a topology, and the rules about them",
		Long:  explainDoc,
		Example: `  sightline explain
  sightline explain spec.kiali.links
  sightline explain spec.clusters.controlPlane.mode
  sightline explain PM13
  sightline explain rules`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return &hinted{fmt.Errorf("found %d arguments, expected one", len(args)),
					"name one field or one rule; an object, such as spec.kiali, is explained with its keys"}
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var paths []cobra.Completion
			for _, f := range topology.Fields() {
				if len(args) == 0 && strings.HasPrefix(f.Path, begun) {
					paths = append(paths, cobra.CompletionWithDesc(f.Path, f.Summary()))
				}
			}
			if len(args) == 0 {
				paths = append(paths, fitting([]string{"rules"}, begun)...)
				paths = append(paths, ruleIDs(begun, func(*check.Rule) bool { return true })...)
			}
			return paths, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return explainAll(cmd.OutOrStdout())
			}
			if args[0] == "rules" {
				return explainRules(cmd.OutOrStdout())
			}
			if ruleID.MatchString(args[0]) {
				return explainRule(cmd.OutOrStdout(), args[0])
			}
			return explainField(cmd.OutOrStdout(), args[0])
		},
	}
	cmd.AddCommand(newRelabelCommand())
	return cmd
}

// explainAll lists every field, each in one line.
func explainAll(out io.Writer) error {
	var all []row
	for _, f := range topology.Fields() {
		all = append(all, row{f.Path, summary(&f)})
	}
	_, err := io.WriteString(out, table(all, 0))
	return err
}

func summary(f *topology.Field) string {
	if f.Required != "" {
		return f.Summary() + " (required)"
	}
	return f.Summary()
}

func explainField(out io.Writer, path string) error {
	fields := topology.Fields()
	f, hint := topology.Lookup(fields, path)
	if f == nil {
		return &hinted{fmt.Errorf("a topology has no field %q", path), hint}
	}
	required, byDefault := f.Required, f.Default
	switch {
	case required != "":
		required = "yes, such as " + required
	case byDefault == "" && !f.Section:
		byDefault = "not set"
	}
	rows := []row{{"type", f.Type}}
	for _, r := range []row{
		{"form", f.Form},
		{"values", strings.Join(f.Values, ", ")},
		{"required", required},
		{"default", byDefault},
		{"changes", f.Changes},
	} {
		if r.text != "" {
			rows = append(rows, r)
		}
	}
	var keys []row
	for i := range fields {
		if below := &fields[i]; below.Parent() == f.Path {
			keys = append(keys, row{"  " + below.Key(), summary(below)})
		}
	}
	text := f.Path + "\n\n" + wrap(f.Comment, 0) + "\n\n" + table(rows, textWidth)
	if len(keys) > 0 {
		text += "\nkeys\n" + table(keys, textWidth)
	}
	_, err := io.WriteString(out, text)
	return err
}

// row is a row of a table. A long text takes several lines.
type row struct{ name, text string }

const textWidth = 80

// table prints rows as two columns. It wraps the texts at a width; with width 0, each
// row is one line.
func table(rows []row, width int) string {
	column := 0
	for _, r := range rows {
		column = max(column, len(r.name)+2)
	}
	var b strings.Builder
	for _, r := range rows {
		text := r.text
		if width > 0 {
			text = wrap(text, column)
		}
		fmt.Fprintf(&b, "%-*s%s\n", column, r.name, text)
	}
	return b.String()
}

// wrap breaks a text into lines that begin at a column.
func wrap(text string, column int) string {
	var b strings.Builder
	at := column
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case at+1+len(word) > textWidth:
			b.WriteString("\n" + strings.Repeat(" ", column))
			at = column
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += len(word)
	}
	return b.String()
}
