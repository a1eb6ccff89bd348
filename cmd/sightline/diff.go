package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sightline-mesh/sightline/internal/compare"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
)

const diffDoc = `Show what a change of the topology does to the clusters, before it is merged.

On the right is the tree that "sightline render" would write. On the left is one
of these:

  -o DIR           the tree that was rendered into DIR before
  --against REF    the topology, its overlays and its links at a revision of
                   their Git repository, rendered by this program
  --live           the objects on the clusters, which are only read

diff compares objects, not files. Equal changes of several clusters and namespaces
are one entry. After the changes come their effects, each with the id of a rule:
"sightline explain EF08" tells more.

The exit code is 0 if nothing changes, and 1 if something does. It is 4 if more
changes than --max-clusters or --max-removed allow. docs/diff.md explains a diff,
and docs/ci.md posts one to a pull request.`

// diffOutputs are the outputs of diff.
func diffOutputs() []string { return []string{outputText, "markdown", outputJSON} }

type diffOptions struct {
	out         string
	against     string
	live        bool
	clusters    liveFlags
	format      string
	output      string
	maxClusters int
	maxRemoved  int
}

func newDiffCommand() *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:        "diff TOPOLOGY (-o DIR | --against REF | --live)",
		SuggestFor: []string{"plan", "preview", "compare"},
		Short:      "Show what a change does to the clusters, before it is merged",
		Long:       diffDoc,
		Example: `  sightline diff mesh.yaml -o rendered
  sightline diff mesh.yaml --against origin/main --output markdown
  sightline diff mesh.yaml --against HEAD --max-clusters 10 --max-removed 0
  sightline diff mesh.yaml --live --hub-context admin@east --context west=admin@west`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "out", "o", "", "directory with the rendered tree to compare with")
	f.StringVar(&o.against, "against", "", "Git revision of the topology to compare with")
	f.BoolVar(&o.live, "live", false, "compare with the objects on the clusters")
	f.StringArrayVar(&o.clusters.only, "cluster", nil, "with --live, ask this cluster only (repeatable)")
	f.StringArrayVar(&o.clusters.contexts, "context", nil, "with --live, context of a cluster, CLUSTER=NAME or NAME (repeatable); default: "+
		"the cluster's name")
	f.StringVar(&o.clusters.hubContext, "hub-context", "", "with --live, context of the hub; default: its name")
	f.StringVar(&o.clusters.acmContext, "acm-context", "", "with --live, context of an ACM hub that is no cluster of the topology")
	f.StringVar(&o.clusters.kubeconfig, "kubeconfig", "", "with --live, kubeconfig with the contexts; default: as for kubectl")
	f.StringVar(&o.format, "format", "", "format in which to compare: "+formatNames()+"; default: the format of the directory, else kustomize")
	f.StringVar(&o.output, "output", outputText, "how to print: "+finding.OneOf(diffOutputs()))
	f.IntVar(&o.maxClusters, "max-clusters", -1, "refuse if the change touches more clusters than this")
	f.IntVar(&o.maxRemoved, "max-removed", -1,
		"refuse if more objects than this are no longer rendered; those of clusters that leave count too")
	return cmd
}

func (o *diffOptions) check(args []string) error {
	sides := 0
	for _, given := range []bool{o.out != "", o.against != "", o.live} {
		if given {
			sides++
		}
	}
	switch {
	case len(args) == 0:
		return &hinted{errors.New("no topology"), "name one: sightline diff mesh.yaml -o rendered"}
	case len(args) > 1:
		return &hinted{fmt.Errorf("found %d topologies, expected one", len(args)), "compare one after the other"}
	case o.out == "-":
		return &hinted{errors.New(`-o - is no directory to compare with`), "name the rendered directory with -o DIR"}
	case sides == 0:
		return &hinted{errors.New("nothing to compare with"), "name the rendered directory with -o DIR, or a revision of Git with --against " +
			"REF, or the clusters with --live"}
	case sides > 1:
		return &hinted{errors.New("found more than one of -o, --against and --live, expected one"), "run diff once for each"}
	case o.against != "" && args[0] == "-":
		return &hinted{errors.New("standard input has no revisions"), "name the file of the topology"}
	case !o.live && (len(o.clusters.contexts) > 0 || len(o.clusters.only) > 0 || o.clusters.hubContext != "" ||
		o.clusters.acmContext != "" || o.clusters.kubeconfig != ""):
		return &hinted{errors.New("--cluster, --context, --hub-context, --acm-context and --kubeconfig have no meaning without --live"), ""}
	case o.format != "" && unknownFormat(o.format) != nil:
		return unknownFormat(o.format)
	}
	return unknownOutput(o.output, diffOutputs())
}

func (o *diffOptions) run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if err := o.check(args); err != nil {
		return err
	}
	in, err := readInput(args[0], stdin)
	if err != nil {
		return err
	}
	t := in.topology
	left, format, err := o.left(ctx, t, args[0], stderr)
	if err != nil {
		return err
	}
	// If render refuses the topology, there is no right side.
	closed, err := openAll(ctx, in)
	if err != nil {
		return err
	}
	defer closed()
	var rules ruleFlags
	if _, _, err := rules.allow([]*input{in}, format); err != nil {
		return err
	}
	new, err := in.rendering.Tree(format)
	if err != nil {
		return err
	}
	if o.live {
		report, failed := o.compareLive(ctx, t, new, stderr)
		if report == nil {
			return failed
		}
		return worse(o.print(report, stdout), failed)
	}
	var beside fs.FS
	if o.out != "" {
		beside = os.DirFS(o.out)
	}
	old, err := left(new)
	if err != nil {
		return err
	}
	report, err := render.Compare(t, o.name(), old, new, beside)
	if err != nil {
		return fmt.Errorf("%s: %w", o.name(), err)
	}
	return o.print(report, stdout)
}

// worse joins the result of a report with the error of clusters that could not be
// asked.
func worse(found, failed error) error {
	if failed == nil {
		return found
	}
	return several{failed, found}
}

// renderTree renders a topology. It returns findings as one error.
func renderTree(ctx context.Context, in *input, format render.Format) ([]tree.File, error) {
	wrong, err := in.readAuthorities()
	if err != nil {
		return nil, err
	}
	if len(wrong) > 0 {
		return nil, &invalid{findings: wrong}
	}
	from, closed, err := in.sources(ctx)
	if err != nil {
		return nil, err
	}
	defer closed()
	var found invalid
	files, err := render.Tree(in.topology, from, format)
	if err := found.collect(err); err != nil {
		return nil, err
	}
	return files, found.err()
}

// name returns the name of the left side in a report.
func (o *diffOptions) name() string {
	if o.out != "" {
		return o.out
	}
	return o.against
}

// side returns the tree on the left. It gets the tree on the right, because equal files
// need not be kept.
type side func(new []tree.File) ([]tree.File, error)

// left returns how to read the tree on the left, and its format.
func (o *diffOptions) left(ctx context.Context, t *topology.Topology, arg string, stderr io.Writer) (side, render.Format, error) {
	if o.out != "" {
		dir, format, err := o.rendered(t)
		if err != nil {
			return nil, "", err
		}
		if dir.Unfinished() {
			fmt.Fprintf(stderr, saysUnfinished, o.out)
		}
		if _, err := os.Stat(o.out); errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(stderr, "%s: there is no such directory, so every object is new\n", o.out)
			if slices.Contains(diffOutputs(), o.out) {
				fmt.Fprintf(stderr, "hint: %s\n", finding.Meant("--output "+o.out))
			}
		}
		// Equal files are read but not kept.
		return func(new []tree.File) ([]tree.File, error) {
			plan, err := dir.Compare(ctx, new, tree.Claims{Adopt: true})
			if err != nil {
				return nil, err
			}
			changes, err := plan.Changes(ctx)
			return before(new, changes), err
		}, format, nil
	}
	format := render.Format(o.format)
	if format == "" {
		format = render.Kustomize
	}
	return func([]tree.File) ([]tree.File, error) { return o.revision(ctx, t, arg, format, stderr) }, format, nil
}

// rendered opens the directory of a tree in any format. A directory that does not
// exist is an empty tree.
func (o *diffOptions) rendered(t *topology.Topology) (*tree.Dir, render.Format, error) {
	formats := render.Formats()
	if o.format != "" {
		formats = []render.Format{render.Format(o.format)}
	}
	var first error
	for _, format := range formats {
		dir, err := tree.Open(o.out, tree.Marker{Topology: t.Metadata.Name, Format: string(format), Version: thisBuild().Version})
		if err == nil {
			return dir, format, nil
		}
		if !errors.As(err, new(*finding.Refusal)) {
			return nil, "", err
		}
		if first == nil {
			first = err
		}
	}
	return nil, "", first
}

// print writes the report, and returns the error for the exit code.
func (o *diffOptions) print(r *compare.Report, stdout io.Writer) error {
	text := []byte(r.Text())
	switch o.output {
	case "markdown":
		text = []byte(r.Markdown())
	case "json":
		var err error
		if text, err = r.JSON(); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(stdout, seal.Redact(string(text))); err != nil {
		return err
	}
	touched, removed := len(r.Diff.Touched()), r.Diff.Count(compare.Removed)
	switch {
	case o.maxClusters >= 0 && touched > o.maxClusters:
		return finding.Refuse("split the change, or raise --max-clusters for it",
			"the change touches %s, and --max-clusters is %d", finding.Count(touched, "cluster"), o.maxClusters)
	case o.maxRemoved >= 0 && removed > o.maxRemoved:
		return finding.Refuse("the diff above names them; if they should go, raise --max-removed",
			"%s would no longer be rendered, and --max-removed is %d", finding.Count(removed, "object"), o.maxRemoved)
	case !r.Diff.Empty():
		return errFound
	}
	return nil
}
