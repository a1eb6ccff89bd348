package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/topologies"
)

func newExampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "example [NAME]",
		Short: "Print an example of a topology",
		Long:  "Print an example of a topology. Without NAME, list the examples.",
		Example: `  sightline example
  sightline example thanos > mesh.yaml
  sightline example argocd | sightline verify -`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return &hinted{fmt.Errorf("found %d names, expected one", len(args)), "print one after the other"}
			}
			return nil
		},
		ValidArgs: topologies.Names(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listExamples(cmd.OutOrStdout())
			}
			text, _, ok := topologies.Example(args[0])
			if !ok {
				return noSuchExample(args[0])
			}
			_, err := cmd.OutOrStdout().Write(text)
			return err
		},
	}
}

func noSuchExample(name string) error {
	hint := finding.DidYouMean(name, topologies.Names())
	if hint == "" {
		hint = "the examples are " + strings.Join(topologies.Names(), ", ")
	}
	return &hinted{fmt.Errorf("there is no example %q", name), hint}
}

// listExamples prints the names of the examples, each with its first sentence.
func listExamples(out io.Writer) error {
	var rows []row
	for _, name := range topologies.Names() {
		text, _, _ := topologies.Example(name)
		var says []string
		for line := range strings.Lines(string(text)) {
			comment, ok := strings.CutPrefix(line, "# ")
			if !ok {
				break
			}
			if !strings.HasPrefix(comment, "yaml-language-server:") {
				says = append(says, strings.TrimSpace(comment))
			}
		}
		sentence, _, _ := strings.Cut(strings.Join(says, " "), ". ")
		rows = append(rows, row{name, strings.TrimSuffix(sentence, ".")})
	}
	_, err := io.WriteString(out, table(rows, textWidth))
	return err
}

// exampleFlag is the flag --example of the commands that read topologies.
type exampleFlag struct{ name string }

func (e *exampleFlag) add(flags *pflag.FlagSet) {
	flags.StringVar(&e.name, "example", "", "use a built-in example instead of a topology; \"sightline example\" lists them")
	flags.Lookup("example").NoOptDefVal = topologies.Default
}

// inputs reads the topologies that the arguments name, or the example.
func (e *exampleFlag) inputs(args []string, stdin io.Reader) ([]*input, error) {
	switch {
	case e.name == "" && len(args) == 0:
		return nil, &hinted{errors.New("no topology"),
			`name a file or a directory, "-" for standard input, or --example for the built-in example`}
	case e.name == "":
		return readInputs(args, stdin)
	case len(args) > 0:
		hint := "choose an example with --example=NAME"
		if slices.Contains(topologies.Names(), args[0]) {
			hint = "choose the example with --example=" + args[0]
		}
		return nil, &hinted{fmt.Errorf("found --example and %q, expected one of the two", args[0]), hint}
	}
	text, file, ok := topologies.Example(e.name)
	if !ok {
		return nil, noSuchExample(e.name)
	}
	t, findings := check.Parse(file, text)
	if len(findings) > 0 {
		return nil, &invalid{findings: findings}
	}
	return []*input{{topology: t}}, nil
}
