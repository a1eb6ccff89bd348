package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/discover"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/render"
)

const initDoc = `Write a topology for the clusters that you have. It describes what runs there now,
and a comment on each value says where it was read.

init reads the clusters by contexts of the kubeconfig, or from dumps of them:

  --context west            the context west
  --context west=admin@w    the context admin@w, of a cluster that Istio calls west
  --context 'prod-*'        every context that matches the pattern
  --from DIR                a folder for each cluster, with the output of "kubectl
                            get -o yaml"; --dump-script prints the commands

init changes nothing on a cluster, and reads no value of a Secret. If no cluster
tells a value, the topology has a question in a comment, with the command that
answers it. If values contradict each other, there is a finding: "sightline
explain AD01" tells more about one.

"sightline diff mesh.yaml --live" then shows what a first sync would change.

Exit codes: 0 done; 1 the topology is written, but values contradict each other or
are missing; 2 wrong usage, or a cluster or a file cannot be read; 4 the output
file exists.`

type initOptions struct {
	contexts   []string
	kubeconfig string
	from       string
	hub        string
	name       string
	out        string
	dir        string
	script     bool
	rights     bool
}

func newInitCommand() *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:        "init (--context NAME[=CONTEXT]... | --from DIR)",
		SuggestFor: []string{"import", "discover", "adopt", "new", "create"},
		Short:      "Write a topology for the clusters that you have",
		Long:       initDoc,
		Example: `  sightline init --context east --context west --hub east -o mesh.yaml
  sightline init --context 'admin@*' --hub east --dir mesh
  sightline init --dump-script > dump.sh
  sightline init --from dumps --hub east > mesh.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &hinted{fmt.Errorf("found %q, expected flags only", args[0]), "name the topology to write with -o " + command.Word(args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.contexts, "context", nil, "read the cluster of this context: NAME, NAME=CONTEXT or a pattern (repeatable)")
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig with the contexts; default: as for kubectl")
	f.StringVar(&o.from, "from", "", "read dumps instead of clusters: a directory with a folder for each cluster")
	f.StringVar(&o.hub, "hub", "", "cluster on which Kiali's server runs; default: the cluster with a Kiali server")
	f.StringVar(&o.name, "name", "", "name of the topology; default: a name from the mesh id")
	f.StringVarP(&o.out, "out", "o", "", "file to write the topology to; default: standard output")
	f.StringVar(&o.dir, "dir", "", "directory to write the topology to, with a file for each cluster")
	f.BoolVar(&o.script, "dump-script", false, "print a shell script that dumps a cluster for --from")
	f.BoolVar(&o.rights, "rights", false, "print the roles that init needs on a cluster, and ask no cluster")
	return cmd
}

func (o *initOptions) run(ctx context.Context, stdout, stderr io.Writer) error {
	if o.script {
		_, err := stdout.Write(discover.Script())
		return err
	}
	if o.rights {
		return printReaders(stdout)
	}
	if err := o.check(); err != nil {
		return err
	}
	var snapshots []*discover.Snapshot
	var failed error
	var err error
	if o.from != "" {
		snapshots, failed, err = o.dumps(stderr)
	} else {
		snapshots, failed, err = o.live(ctx, stderr)
	}
	if err != nil {
		return err
	}
	draft, err := discover.New(snapshots, discover.Options{Hub: o.hub, Name: o.name})
	var none *discover.NoHub
	if errors.As(err, &none) {
		return &hinted{none, none.Hint()}
	}
	if err != nil {
		return err
	}
	t, wrong, err := o.settle(ctx, draft)
	if err != nil {
		return err
	}
	if err := o.write(draft, stdout); err != nil {
		return err
	}
	found := o.report(draft, t, wrong, stderr)
	if failed != nil {
		return failed
	}
	return found
}

func (o *initOptions) check() error {
	switch {
	case len(o.contexts) > 0 && o.from != "":
		return &hinted{errors.New("found --context and --from, expected one of the two"),
			"read all clusters by contexts, or dump all of them and use --from"}
	case o.out != "" && o.dir != "":
		return &hinted{errors.New("found -o and --dir, expected one of the two"), "-o writes one file; --dir writes one for each cluster"}
	case len(o.contexts) == 0 && o.from == "":
		return o.noSource()
	case o.name != "" && topology.LabelProblem(o.name) != "":
		return &hinted{fmt.Errorf("--name %s %s", finding.Shorten(o.name), topology.LabelProblem(o.name)),
			"it becomes a label and the name of a folder, such as mesh1"}
	}
	for _, path := range []string{o.out, o.dir} {
		if path == "" {
			continue
		}
		if taken(path) {
			return finding.Refuse("choose another name with -o or --dir, and compare the two",
				"%s is there already, and init overwrites nothing", path)
		}
	}
	return nil
}

// taken tells whether a path exists. An empty folder does not count.
func taken(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	if !info.IsDir() {
		return true
	}
	entries, err := os.ReadDir(path)
	return err != nil || len(entries) > 0
}

// longestSettling is how often settle repeats its check at most.
const longestSettling = 5

// settle checks and renders the draft as verify does. The draft drops values of the
// clusters that have an error, and settle repeats. It returns the topology and the
// findings that remain.
func (o *initOptions) settle(ctx context.Context, draft *discover.Draft) (*topology.Topology, finding.Findings, error) {
	compared := false
	for range longestSettling {
		t, findings := o.parse(draft)
		if t == nil {
			return nil, nil, &hinted{fmt.Errorf("the topology that was made cannot be read: %v", findings[0]),
				"an object has an unexpected form; leave it out: dump the clusters and use --from"}
		}
		if draft.Refused(t, findings) {
			continue
		}
		if len(findings) > 0 {
			return t, findings, nil
		}
		clusters, findings, err := o.rendered(ctx, t)
		if err != nil {
			return nil, nil, err
		}
		if !compared {
			compared = true
			objects, err := objectsOf(clusters)
			if err != nil {
				return nil, nil, err
			}
			draft.Compare(kialis(objects))
			continue
		}
		if !draft.Refused(t, findings) {
			return t, findings, nil
		}
	}
	t, findings := o.parse(draft)
	return t, findings, nil
}

// parse parses the text of the draft as it will be written.
func (o *initOptions) parse(draft *discover.Draft) (*topology.Topology, finding.Findings) {
	if o.dir == "" {
		return check.Parse(o.file(), draft.Text())
	}
	var sources []topology.Source
	for _, f := range draft.Directory() {
		sources = append(sources, topology.Source{Name: filepath.Join(o.dir, filepath.FromSlash(f.Name)), Data: f.Data})
	}
	return check.ParseDirectory(o.dir, sources)
}

// file returns the file name for findings about the topology.
func (o *initOptions) file() string {
	if o.out == "" {
		return "<stdout>"
	}
	return o.out
}

func (o *initOptions) rendered(ctx context.Context, t *topology.Topology) ([]resource.Cluster, finding.Findings, error) {
	in := &input{topology: t}
	closed, err := openAll(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	defer closed()
	clusters, err := in.rendering.Clusters()
	if err != nil {
		return nil, nil, err
	}
	to, err := in.checked(render.Kustomize)
	if err != nil {
		return nil, nil, err
	}
	findings, err := check.Find([]check.Input{to}, check.Options{})
	return clusters, findings, err
}

// kialis returns the rendered Kiali resource of each cluster, by the name of the
// cluster.
func kialis(objects map[string][]resource.Object) map[string]resource.Object {
	all := map[string]resource.Object{}
	for cluster, of := range objects {
		for _, o := range of {
			if resource.IDOf(o).Kind == "Kiali" {
				all[cluster] = o
			}
		}
	}
	return all
}

func (o *initOptions) write(draft *discover.Draft, stdout io.Writer) error {
	switch {
	case o.dir != "":
		for _, f := range draft.Directory() {
			path := filepath.Join(o.dir, filepath.FromSlash(f.Name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			if err := writeNew(path, f.Data); err != nil {
				return err
			}
		}
		return nil
	case o.out != "":
		return writeNew(o.out, draft.Text())
	}
	_, err := stdout.Write(draft.Text())
	return err
}

// writeNew writes a file that must not be there yet.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// report prints the findings and the next command.
func (o *initOptions) report(draft *discover.Draft, t *topology.Topology, wrong finding.Findings, stderr io.Writer) error {
	found := draft.Findings(t)
	all := append(found, slices.DeleteFunc(wrong, func(f finding.Finding) bool {
		// If init could not read a value, its own finding already says that the value is
		// missing.
		return f.Severity != finding.Error || f.Rule == topology.RuleMissing &&
			slices.ContainsFunc(found, func(other finding.Finding) bool {
				return other.Severity == finding.Error && other.File == f.File && other.Line == f.Line
			})
	})...).Sorted()
	_ = printFindings(stderr, all)
	fmt.Fprintf(stderr, "%s: %s, %s; %s\n", t.Metadata.Name, finding.Count(len(draft.Clusters()), "cluster"),
		finding.Count(draft.Questions(), "question"), tally(all))
	arg := o.out
	if arg == "" {
		arg = o.dir
	}
	failed := slices.ContainsFunc(all, func(f finding.Finding) bool { return f.Severity == finding.Error })
	if arg != "" {
		fmt.Fprintf(stderr, "next: %s\n", command.Verify(arg))
		if o.from == "" && !failed {
			fmt.Fprintf(stderr, "then: %s\n", command.Live(arg, o.liveFlags(draft, t)...))
		}
	}
	if failed {
		return errFound
	}
	return nil
}

// liveFlags returns the flags with which diff --live asks the same clusters.
func (o *initOptions) liveFlags(draft *discover.Draft, t *topology.Topology) (flags []string) {
	contexts := draft.Contexts()
	for i := range t.Spec.Clusters {
		name := t.Spec.Clusters[i].Name
		if context := contexts[name]; context != name && len(contexts) <= listed {
			flags = append(flags, command.Context(name, context))
		}
	}
	if acm := draft.ACMContext(); acm != "" {
		flags = append(flags, "--acm-context "+command.Word(acm))
	}
	return append(flags, command.Kubeconfig(o.kubeconfig))
}
