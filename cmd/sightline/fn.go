package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/kio/kioutil"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
)

const fnDoc = `Be a KRM function: read a ResourceList from standard input, and write one to
standard output. kpt runs such functions, and kustomize with --enable-exec.

The configuration of the function is a topology, or a ConfigMap:

  apiVersion: v1
  kind: ConfigMap
  metadata: {name: mesh}
  data:
    topology: mesh.yaml   # a file or directory, relative to the working directory
    cluster: west         # optional: only this cluster

With a ConfigMap, the function reads the sealed links and the overlays beside the
topology's file. If the configuration is a topology, the function reads no links.

The output has the items of the input, and the objects of all clusters. Each of
these has a path in the annotation internal.config.kubernetes.io/path. They
replace the objects that an earlier run has added for the same topology. Findings
are in the results, with file and severity. If there is an error, the exit code is
3, and the items stay as they were.`

func newFnCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "fn",
		Short: "Be a KRM function, for kpt and kustomize",
		Long:  fnDoc,
		Example: `  sightline fn < resourcelist.yaml
  kpt fn eval --exec "sightline fn" --fn-config mesh.yaml
  kustomize build --enable-alpha-plugins --enable-exec .`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &hinted{fmt.Errorf("fn takes no arguments, found %q", args[0]),
					"give the topology as the function's configuration, or name it there"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runFunction(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}

// inConfig is the file name in findings about a topology that is the configuration
// of the function.
const inConfig = "functionConfig"

// runFunction is one run of the KRM function
// (https://github.com/kubernetes-sigs/kustomize/blob/master/cmd/config/docs/api-conventions/functions-spec.md).
func runFunction(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	list := &kio.ByteReadWriter{Reader: stdin, Writer: stdout, KeepReaderAnnotations: true, OmitReaderAnnotations: true}
	items, err := list.Read()
	switch {
	case err != nil:
		return &hinted{fmt.Errorf("standard input is not a ResourceList: %w", err), "kpt and kustomize write one; see sightline fn --help"}
	case list.WrappingKind != kio.ResourceListKind:
		return &hinted{errors.New("standard input is not a ResourceList"), "kpt and kustomize write one; see sightline fn --help"}
	case list.FunctionConfig == nil:
		return &hinted{errors.New("the ResourceList has no functionConfig"),
			"give the topology itself, or a ConfigMap with data: {topology: mesh.yaml}"}
	}
	made, results, err := functionObjects(ctx, list.FunctionConfig)
	var wrong *invalid
	if errors.As(err, &wrong) {
		results = wrong.findings
	} else if err != nil {
		return err
	}
	if list.Results, err = resultNodes(results); err != nil {
		return err
	}
	if wrong == nil {
		if items, err = withMade(items, made); err != nil {
			return err
		}
	}
	if err := list.Write(items); err != nil {
		return err
	}
	if wrong != nil {
		return wrong
	}
	return nil
}

// functionObjects renders the objects that the configuration asks for. If a topology
// has errors, the error is an *invalid with the findings.
func functionObjects(ctx context.Context, config *yaml.RNode) ([]tree.File, finding.Findings, error) {
	o := &renderOptions{out: "-", format: string(render.Manifests)}
	files, warnings, err := o.function(ctx, config)
	var wrong *invalid
	if errors.As(err, &wrong) {
		if failed := o.further(ctx, wrong, 1); failed != nil {
			return nil, nil, failed
		}
	}
	return files, warnings, err
}

func (o *renderOptions) function(ctx context.Context, config *yaml.RNode) (files []tree.File, warnings finding.Findings, err error) {
	in, clusters, err := functionInput(config)
	if err != nil {
		return nil, nil, err
	}
	o.clusters = clusters
	if err = readLinks([]*input{in}); err != nil {
		return nil, nil, withMeaning(err, []*input{in})
	}
	closed, err := openAll(ctx, in)
	if err != nil {
		return nil, nil, withMeaning(err, []*input{in})
	}
	defer closed()
	if warnings, _, err = o.rules.allow([]*input{in}, render.Manifests); err != nil {
		return nil, nil, err
	}
	files, err = o.objects([]*input{in})
	return files, warnings, err
}

// functionInput reads the topology that the configuration is or names, without its
// links. It returns the wanted clusters too; an empty list means all.
func functionInput(config *yaml.RNode) (*input, []string, error) {
	if config.GetKind() != "ConfigMap" {
		text, err := config.String()
		if err != nil {
			return nil, nil, err
		}
		t, findings := check.Parse(inConfig, []byte(text))
		if len(findings) > 0 {
			var ways []*input
			for _, meant := range check.Meanings(t) {
				ways = append(ways, &input{topology: meant})
			}
			return nil, nil, &invalid{findings: findings, meanings: meanings([][]*input{ways})}
		}
		return &input{topology: t}, nil, nil
	}
	var clusters []string
	data := config.GetDataMap()
	for key := range data {
		if !slices.Contains([]string{"topology", "cluster"}, key) {
			return nil, nil, &hinted{fmt.Errorf("the ConfigMap %s has a key %q", config.GetName(), key), "the keys are topology and cluster"}
		}
	}
	if data["topology"] == "" || data["topology"] == "-" {
		return nil, nil, &hinted{fmt.Errorf("the ConfigMap %s names no topology", config.GetName()), "give data: {topology: mesh.yaml}"}
	}
	if data["cluster"] != "" {
		clusters = []string{data["cluster"]}
	}
	inputs, err := readInputs([]string{data["topology"]}, nil)
	if err != nil {
		return nil, nil, err
	}
	return inputs[0], clusters, nil
}

// withMade returns the items of the input, and after them the rendered objects. It
// leaves out the items that an earlier run has added. Such an item has our label, the
// label of the same topology, and the path of a rendered object.
func withMade(items []*yaml.RNode, made []tree.File) ([]*yaml.RNode, error) {
	var added []*yaml.RNode
	ours := map[string]bool{}
	for _, f := range made {
		node, err := yaml.Parse(string(f.Content))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		for _, annotation := range [][2]string{{kioutil.PathAnnotation, f.Path}, {kioutil.IndexAnnotation, "0"}} {
			if err := node.PipeE(yaml.SetAnnotation(annotation[0], annotation[1])); err != nil {
				return nil, fmt.Errorf("%s: %w", f.Path, err)
			}
		}
		ours[node.GetLabels()[labels.PartOf]] = true
		added = append(added, node)
	}
	items = slices.DeleteFunc(items, func(item *yaml.RNode) bool {
		of := item.GetLabels()
		at := item.GetAnnotations()[kioutil.PathAnnotation]
		return of[labels.ManagedBy] == labels.Sightline && ours[of[labels.PartOf]] && strings.HasPrefix(at, "clusters/")
	})
	return append(items, added...), nil
}

// resultNodes returns findings as the results of a ResourceList.
func resultNodes(findings finding.Findings) (*yaml.RNode, error) {
	if len(findings) == 0 {
		return nil, nil
	}
	var results []map[string]any
	for _, f := range findings {
		message := f.Rule + ": " + f.Message
		if f.Hint != "" {
			message += "; " + f.Hint
		}
		results = append(results, map[string]any{
			"message":  seal.Redact(message),
			"severity": f.Severity.String(),
			"file":     map[string]any{"path": f.File},
			"tags":     map[string]any{"rule": f.Rule, "line": strconv.Itoa(f.Line), "column": strconv.Itoa(f.Col)},
		})
	}
	var out bytes.Buffer
	if err := yaml.NewEncoder(&out).Encode(results); err != nil {
		return nil, err
	}
	return yaml.Parse(out.String())
}
