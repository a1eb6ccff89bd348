package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/picture"
	"github.com/sightline-mesh/sightline/internal/status"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/render"
)

const graphDoc = `Draw the mesh of a topology: the hub, and the remotes by network. The drawing shows
how Kiali reaches each remote, and until when its link is sealed; where metrics
and traces go; how users log in; and where control planes are. Findings of
"sightline verify" colour their clusters.

svg is a drawing for slides and README files, in light or dark colours as the
reader's screen. mermaid is a diagram for Markdown. html is one page that needs no
network: the drawing, and a table of all clusters with a search field.

Up to twelve clusters are drawn one by one. More clusters are groups by network
and region (the label region or topology.kubernetes.io/region), and some hundreds
are numbers. graph asks no cluster and no clock. --status adds the results of
"sightline status --output json".

-o writes a file in place of standard output. A name that ends in .svg, .html, .mmd
or .mermaid also chooses the output. A file that is not a drawing of sightline stays
as it is.`

// The outputs of graph.
const (
	outputSVG     = "svg"
	outputMermaid = "mermaid"
	outputHTML    = "html"
)

func graphOutputs() []string { return []string{outputSVG, outputMermaid, outputHTML} }

type graphOptions struct {
	example exampleFlag
	output  string // "": by the name of the file
	out     string
	status  string
}

func newGraphCommand() *cobra.Command {
	var o graphOptions
	cmd := &cobra.Command{
		Use:        "graph [TOPOLOGY]",
		SuggestFor: []string{"draw", "diagram", "picture", "dot", "svg"},
		Short:      "Draw the mesh, for a slide, a README or a browser",
		Long:       graphDoc,
		Example: `  sightline graph mesh.yaml > mesh.svg
  sightline graph mesh.yaml -o mesh.html
  sightline graph --example=thanos --output mermaid`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.example.add(cmd.Flags())
	cmd.Flags().StringVarP(&o.out, "out", "o", "", "file to write the drawing to; default: standard output")
	cmd.Flags().StringVar(&o.output, "output", "", "what to draw: "+finding.OneOf(graphOutputs())+
		"; default: by the name of the file, else svg")
	cmd.Flags().StringVar(&o.status, "status", "", "file with the output of \"sightline status --output json\"")
	return cmd
}

func (o *graphOptions) run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if o.output == "" {
		o.output = outputOf(o.out)
	}
	if err := unknownOutput(o.output, graphOutputs()); o.output != "" && err != nil {
		return err
	}
	if len(args) > 1 {
		return &hinted{fmt.Errorf("found %d topologies, expected one", len(args)), "draw one after the other"}
	}
	if err := o.guardFile(); err != nil {
		return err
	}
	if o.output == "" {
		return &hinted{fmt.Errorf("%s: no output of graph ends in %s", o.out, filepath.Ext(o.out)),
			"name a file that ends in .svg, .mmd or .html, or choose with --output"}
	}
	inputs, err := o.example.inputs(args, stdin)
	if err == nil {
		err = readLinks(inputs)
	}
	if err != nil {
		return err
	}
	in := inputs[0]
	results, err := o.results(in.topology)
	if err != nil {
		return err
	}
	closed, err := openAll(ctx, in)
	if err != nil {
		return err
	}
	defer closed()
	looked, err := in.checked(render.Kustomize)
	if err != nil {
		return err
	}
	about, err := check.FindEach(looked, check.Options{})
	if err != nil {
		return err
	}
	drawn := picture.Of(in.topology, picture.Facts{Findings: about, Links: in.links, Results: results})
	if err := o.print(stdout, drawn); err != nil {
		return err
	}
	var findings finding.Findings
	for _, f := range about {
		findings = append(findings, f.Finding)
	}
	fmt.Fprintf(stderr, "%s: %s; %s\n", in.topology.Metadata.Name, finding.Count(len(in.topology.Spec.Clusters), "cluster"), tally(findings))
	return nil
}

func (o *graphOptions) print(stdout io.Writer, drawn *picture.Picture) error {
	var data []byte
	switch o.output {
	case outputMermaid:
		data = drawn.Mermaid()
	case outputHTML:
		data = drawn.HTML()
	default:
		data = drawn.SVG()
	}
	if o.out != "" && o.out != "-" {
		file := o.out
		if to, err := filepath.EvalSymlinks(file); err == nil {
			file = to // a symbolic link stays
		}
		return writeWhole(file, data)
	}
	_, err := stdout.Write(data)
	return err
}

// outputOf returns the output that the name of a file asks for: svg without an
// ending, and "" if no output has the ending, such as .png.
func outputOf(file string) string {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".html", ".htm":
		return outputHTML
	case ".mmd", ".mermaid":
		return outputMermaid
	case ".svg", "", ".":
		return outputSVG
	}
	return ""
}

// guardFile refuses to replace a file that graph has not drawn, such as the topology.
func (o *graphOptions) guardFile() error {
	if o.out == "" || o.out == "-" {
		return nil
	}
	info, err := os.Stat(o.out)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	switch {
	case info.IsDir():
		return &hinted{fmt.Errorf("%s is a directory", o.out), "name a file in it"}
	case !info.Mode().IsRegular():
		return &hinted{fmt.Errorf("%s is not a regular file", o.out), "without -o, the drawing goes to standard output"}
	}
	data, err := readFile(o.out)
	if err != nil || picture.Drawn(data) {
		return err
	}
	return finding.Refuse("name another file", "%s is not a drawing of sightline, so it is not replaced", o.out)
}

// results reads the results of status from the file of --status, or returns nil
// without this flag.
func (o *graphOptions) results(t *topology.Topology) ([]status.Result, error) {
	if o.status == "" {
		return nil, nil
	}
	data, err := readFile(o.status)
	if err != nil {
		return nil, fmt.Errorf("--status: %w", err)
	}
	var report statusReport
	hint := "write it with: sightline status TOPOLOGY --output json > FILE"
	if err := json.Unmarshal(data, &report); err != nil || report.Topology == "" || report.Results == nil {
		return nil, &hinted{fmt.Errorf("--status: %s is not what status prints as JSON", o.status), hint}
	}
	if report.Topology != t.Metadata.Name {
		return nil, &hinted{fmt.Errorf("--status: %s is about the topology %q, expected %q", o.status, report.Topology, t.Metadata.Name), hint}
	}
	known := map[string]bool{"": true}
	for i := range t.Spec.Clusters {
		known[t.Spec.Clusters[i].Name] = true
	}
	for _, r := range report.Results {
		if !known[r.Cluster] {
			return nil, &hinted{fmt.Errorf("--status: %s has a cluster %q, which is not in the topology", o.status, r.Cluster),
				"run status again: the topology has changed"}
		}
	}
	return report.Results, nil
}
