package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/render"
)

const verifyDoc = `Apply every rule to topologies and to the objects that they render to. Nothing is
written.

"-" reads a topology from standard input; --example uses a built-in one. Findings
go to standard output. Each names the line of the topology that causes it. On a
terminal, verify shows this line, with a mark under the place. "sightline explain
RULE" tells more about a finding.

--output json, sarif and github are for programs. sarif is for code scanning and
editors (SARIF 2.1.0). github is for a step of a GitHub workflow: GitHub then shows
each finding at its line of a pull request.

With --format helm, verify also makes the chart, and checks that it renders to the
objects of the other formats.

With --crds, verify also compares the objects with the definitions of their kinds,
as an API server does. The folder has the output of kubectl:

  kubectl get crd -o yaml > crds/all.yaml

To accept a known warning, use --suppress, or this annotation of the topology:

  metadata:
    annotations:
      sightline.dev/suppress: PM13, KC19`

type verifyOptions struct {
	example exampleFlag
	crds    string
	format  string
	output  string
	rules   ruleFlags
}

func newVerifyCommand() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:        "verify [TOPOLOGY...]",
		SuggestFor: []string{"lint", "check", "validate", "test"},
		Short:      "Find mistakes before anything is written",
		Long:       verifyDoc,
		Example: `  sightline verify mesh.yaml
  sightline verify mesh.yaml --crds crds --warnings-as-errors
  sightline verify mesh.yaml --output json
  sightline verify mesh.yaml --output sarif > findings.sarif`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.example.add(cmd.Flags())
	cmd.Flags().StringVar(&o.crds, "crds", "", "folder with the CustomResourceDefinitions of the clusters, to check the objects against")
	cmd.Flags().StringVar(&o.format, "format", string(render.Kustomize), "format in which to render the topologies: "+formatNames())
	cmd.Flags().StringVar(&o.output, "output", outputText, "how to print findings: "+finding.OneOf(findingOutputs()))
	o.rules.add(cmd.Flags())
	return cmd
}

func (o *verifyOptions) run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if err := unknownOutput(o.output, findingOutputs()); err != nil {
		return err
	}
	if err := unknownFormat(o.format); err != nil {
		return err
	}
	if err := o.rules.check(); err != nil {
		return err
	}
	definitions, err := readDefinitions(o.crds)
	if err != nil {
		return err
	}
	inputs, err := o.example.inputs(args, stdin)
	sets := [][]*input{inputs}
	var before finding.Findings // about the topologies themselves
	var wrong *invalid
	if errors.As(err, &wrong) {
		before, sets, err = wrong.findings, wrong.meanings, nil
	}
	if err != nil {
		return err
	}
	found, err := o.rules.examine(ctx, sets, len(before) > 0, render.Format(o.format), check.Options{
		Definitions: definitions,
		Now:         time.Now().UTC().Format(time.RFC3339),
	})
	defer found.close()
	findings := found.findings()
	if err == nil && o.format == string(render.Helm) && !found.guess && len(before) == 0 {
		var broken finding.Findings
		broken, err = chartFindings(inputs)
		findings = append(findings, broken...)
	}
	findings = append(before, findings...).Sorted()
	if err != nil && len(findings) == 0 {
		return err
	}
	if failed := o.print(stdout, findings); failed != nil || err != nil {
		return cmp.Or(failed, err)
	}
	for _, in := range found.looked {
		fmt.Fprintf(stderr, "%s: looked at %s\n", in.topology.Metadata.Name, finding.Count(len(in.topology.Spec.Clusters), "cluster"))
	}
	if wrong != nil {
		fmt.Fprint(stderr, unlooked(wrong.unlooked))
	}
	half := unfinished(stderr, found.looked)
	fmt.Fprintln(stderr, tally(findings))
	switch {
	case slices.ContainsFunc(findings, func(f finding.Finding) bool { return f.Severity == finding.Error }):
		return errInvalid
	case o.rules.fails(findings):
		return errFound
	}
	return half
}

// unlooked returns a line for each topology whose rendered objects were not checked,
// because the topology has mistakes.
func unlooked(names []string) string {
	var lines strings.Builder
	for _, name := range names {
		lines.WriteString(name + ": the rendered objects were not checked; correct these mistakes to see findings about them\n")
	}
	return lines.String()
}

// chartFindings makes a chart of each topology, and returns what prevents it as
// findings.
func chartFindings(inputs []*input) (finding.Findings, error) {
	var findings finding.Findings
	for _, in := range inputs {
		_, err := in.rendering.Tree(render.Helm)
		if refusal := (*finding.Refusal)(nil); errors.As(err, &refusal) {
			findings.Add(refusal.Position, check.RuleChart, refusal.Hint, "%s", refusal.Message)
		} else if err != nil {
			return nil, err
		}
	}
	return findings, nil
}

// tally returns the number of findings of each severity, in words.
func tally(findings finding.Findings) string {
	var counts []string
	for _, s := range []finding.Severity{finding.Error, finding.Warning, finding.Info} {
		n := 0
		for _, f := range findings {
			if f.Severity == s {
				n++
			}
		}
		switch {
		case n > 0 && s == finding.Info:
			counts = append(counts, fmt.Sprintf("%d for information", n))
		case n > 0:
			counts = append(counts, finding.Count(n, s.String()))
		}
	}
	if len(counts) == 0 {
		return "no findings"
	}
	return strings.Join(counts, ", ")
}

func (o *verifyOptions) print(stdout io.Writer, findings finding.Findings) error {
	if o.output == outputText {
		return printFindings(stdout, findings)
	}
	return printEncoded(stdout, o.output, findings)
}

// readDefinitions reads the YAML and JSON files of a folder, but not of the folders
// below it.
func readDefinitions(dir string) (*check.Definitions, error) {
	if dir == "" {
		return nil, nil
	}
	entries, err := readFolder(dir)
	if err != nil {
		return nil, err
	}
	var files []check.Source
	for _, entry := range entries {
		if entry.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(entry.Name())) {
			continue
		}
		name := filepath.Join(dir, entry.Name())
		data, err := readFile(name)
		if err != nil {
			return nil, err
		}
		files = append(files, check.Source{Name: name, Data: data})
	}
	definitions, err := check.ParseDefinitions(files)
	if err == nil && definitions.Len() == 0 {
		return nil, &hinted{fmt.Errorf("%s has no CustomResourceDefinitions", dir), "write them into this folder: kubectl get crd -o yaml > " +
			filepath.Join(dir, "all.yaml")}
	}
	return definitions, err
}
