package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/relabel"
	"github.com/sightline-mesh/sightline/internal/resource"
)

const relabelDoc = `Explain what the rendered PodMonitors do to a pod: which of its ports Prometheus
scrapes, with which labels, and what each relabeling does. The engine is that of
Prometheus.

The pods are samples as Istio makes them. --pod uses one of your pods:

  kubectl get pod NAME -n NAMESPACE -o yaml > pod.yaml

--example uses the built-in east-west example, and --example=NAME another one.`

type relabelOptions struct {
	example exampleFlag
	pod     string
	cluster string
}

func newRelabelCommand() *cobra.Command {
	var o relabelOptions
	cmd := &cobra.Command{
		Use:   "relabel [TOPOLOGY]",
		Short: "Explain why a pod is scraped where it is",
		Long:  relabelDoc,
		Example: `  sightline explain relabel mesh.yaml
  sightline explain relabel mesh.yaml --pod pod.yaml --cluster west
  sightline explain relabel --example`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	o.example.add(cmd.Flags())
	cmd.Flags().StringVar(&o.pod, "pod", "", "file with a pod, as kubectl writes it")
	cmd.Flags().StringVar(&o.cluster, "cluster", "",
		"use the PodMonitors of this cluster; default: the hub, or the first cluster with a PodMonitor")
	return cmd
}

func (o *relabelOptions) run(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	inputs, err := o.example.inputs(args, stdin)
	if err != nil {
		return err
	}
	cluster, monitors, err := o.monitors(ctx, inputs[0])
	if err != nil {
		return err
	}
	pods, err := o.pods(monitors)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, p := range pods {
		m := monitors[p.Namespace]
		if m == nil {
			return &hinted{fmt.Errorf("cluster %q has no PodMonitor in the namespace %q of the pod", cluster, p.Namespace),
				"it has in " + finding.List(slices.Sorted(maps.Keys(monitors)), listed) + "; list the namespace in the topology"}
		}
		targets, err := m.Targets(p)
		if err != nil {
			return fmt.Errorf("PodMonitor %s/%s: %w", m.Metadata.Namespace, m.Metadata.Name, err)
		}
		title := "pod " + p.Name
		if p.Title != "" {
			title += " (" + p.Title + ")"
		}
		fmt.Fprintf(&b, "%s in %s on %s\n", title, p.Namespace, cluster)
		printTargets(&b, targets)
		b.WriteByte('\n')
	}
	_, err = io.WriteString(stdout, strings.TrimSuffix(b.String(), "\n"))
	return err
}

// monitors returns the name of the cluster, and its PodMonitors by namespace.
func (o *relabelOptions) monitors(ctx context.Context, in *input) (cluster string, monitors map[string]*relabel.Monitor, err error) {
	closed, err := openAll(ctx, in)
	if err != nil {
		return "", nil, err
	}
	defer closed()
	clusters, err := in.rendering.Clusters()
	if err != nil {
		return "", nil, err
	}
	clusters = slices.SortedStableFunc(slices.Values(clusters), func(a, b resource.Cluster) int {
		if a.Hub != b.Hub && a.Hub {
			return -1
		}
		return 0
	})
	var names []string
	for i := range clusters {
		c := &clusters[i]
		names = append(names, c.Name)
		if o.cluster != "" && c.Name != o.cluster {
			continue
		}
		monitors := map[string]*relabel.Monitor{}
		for _, r := range c.Resources {
			for values := range c.Each(r) {
				object, err := r.Body.Fill(values)
				if err != nil {
					return "", nil, err
				}
				if resource.IDOf(object).Kind != "PodMonitor" {
					break
				}
				m, err := relabel.ParseMonitor(object)
				if err != nil {
					return "", nil, err
				}
				monitors[m.Metadata.Namespace] = m
			}
		}
		if len(monitors) > 0 {
			return c.Name, monitors, nil
		}
	}
	if o.cluster != "" && !slices.Contains(names, o.cluster) {
		return "", nil, &hinted{fmt.Errorf("no cluster %q in the topology", o.cluster), "the clusters are " + finding.List(names, listed)}
	}
	return "", nil, &hinted{errors.New("there is no PodMonitor"), "a cluster with controlPlane.mode: none has no PodMonitor"}
}

// pods returns the pod of --pod. Without --pod it returns samples in a namespace with
// a PodMonitor, if possible one with workloads.
func (o *relabelOptions) pods(monitors map[string]*relabel.Monitor) ([]relabel.Pod, error) {
	if o.pod == "" {
		namespaces := slices.Sorted(maps.Keys(monitors))
		return relabel.Samples(namespaces[len(namespaces)-1]), nil
	}
	data, err := readFile(o.pod)
	if err != nil {
		return nil, err
	}
	p, err := relabel.ParsePod(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.pod, err)
	}
	return []relabel.Pod{p}, nil
}

func printTargets(b *strings.Builder, targets []relabel.Target) {
	scraped := 0
	for i, t := range targets {
		fmt.Fprintf(b, "  target %d: %s (%s)\n", i+1, t.From, t.Address)
		for _, s := range t.Steps {
			number := "  operator"
			if s.Number > 0 {
				number = fmt.Sprintf("  rule %d", s.Number)
			}
			fmt.Fprintf(b, "  %s: %s\n      %s\n", number, s.Rule, s.Effect)
		}
		switch {
		case !t.Kept:
			b.WriteString("    not scraped\n")
		case t.SameAs > 0:
			fmt.Fprintf(b, "    now the same as target %d; Prometheus keeps one of them\n", t.SameAs)
		default:
			scraped++
			fmt.Fprintf(b, "    scraped: %s every %s\n", t.URL, t.Every)
			var pairs []string
			for _, name := range slices.Sorted(maps.Keys(t.Labels)) {
				pairs = append(pairs, fmt.Sprintf("%s=%q", name, t.Labels[name]))
			}
			fmt.Fprintf(b, "    labels: %s\n", strings.Join(pairs, ", "))
		}
	}
	switch scraped {
	case 0:
		b.WriteString("  => not scraped at all\n")
	case 1:
		b.WriteString("  => scraped once\n")
	default:
		fmt.Fprintf(b, "  => scraped %d times, so every request counts %[1]d times\n", scraped)
	}
}
