package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/manifests"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
)

const renderDoc = `Render topologies into a directory, or as one stream.

"-" reads a topology from standard input; --example renders a built-in one. One
topology is written to DIR, several to DIR/<name>.

render first applies the rules of "sightline verify". If there is an error, it
writes nothing. It prints warnings at the end, with the count that verify prints.

render includes the links that "sightline seal" has written beside a topology.

render replaces and removes only files whose first line says that sightline
generated them. Other files stay. If one is in the way, render refuses, unless
--adopt replaces it. render removes a cluster that left the topology only with
--allow-remove. A run that fails changes nothing; of several topologies, each is
written completely or not at all. If a tree changes, render prints a line for each
group of changes. "sightline diff" shows before a render what the changes mean.

With --check, render writes nothing. The exit code is 1 if the directory is not
what it would write. --output json, sarif and github print each file that differs
as a finding (DL14), or the mistakes in the topology.

The format helm is one chart for all clusters, and a file of values for each. It is
written only if Helm renders it to the same objects as the other formats have.

With "-o -", render prints the objects to standard output as one YAML stream, in
the order in which to apply them. A comment before each object names its cluster
and phase.`

type renderOptions struct {
	example     exampleFlag
	out         string
	format      string
	clusters    []string
	allowRemove []string
	adopt       bool
	checkOnly   bool
	output      string // of checkOnly

	allowImmutable bool
	rules          ruleFlags
}

func newRenderCommand() *cobra.Command {
	var o renderOptions
	cmd := &cobra.Command{
		Use:        "render [TOPOLOGY...] -o DIR",
		SuggestFor: []string{"template", "build", "generate", "create"},
		Short:      "Render topologies into a directory, or as one stream",
		Long:       renderDoc,
		Example: `  sightline render --example -o rendered
  sightline render mesh.yaml -o rendered --format manifests
  sightline render mesh.yaml -o - --cluster west | less`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.example.add(cmd.Flags())
	cmd.Flags().StringVarP(&o.out, "out", "o", "", `directory to write, or "-" for one stream on standard output`)
	cmd.Flags().StringVar(&o.format, "format", string(render.Kustomize), "format of the directory: "+formatNames())
	cmd.Flags().StringArrayVar(&o.clusters, "cluster", nil, `print only this cluster, with "-o -" (repeatable)`)
	cmd.Flags().StringArrayVar(&o.allowRemove, "allow-remove", nil,
		`allow to remove the files of this cluster, or of "all" clusters that left (repeatable)`)
	cmd.Flags().BoolVar(&o.adopt, "adopt", false, "also replace files in the way that sightline did not generate")
	cmd.Flags().BoolVar(&o.checkOnly, "check", false, "write nothing, and exit with 1 if the directory differs from what render would write")
	cmd.Flags().StringVar(&o.output, "output", outputText, "with --check, how to print the differences: "+finding.OneOf(findingOutputs()))
	cmd.Flags().BoolVar(&o.allowImmutable, "allow-immutable", false, "write a change that Kiali's operator refuses (KC14)")
	o.rules.add(cmd.Flags())
	return cmd
}

func formatNames() string { return finding.OneOf(formatList()) }

func formatList() []string {
	var names []string
	for _, f := range render.Formats() {
		names = append(names, string(f))
	}
	return names
}

// unknownFormat returns the error of a format that does not exist, or nil.
func unknownFormat(format string) error { return unknownOf("format", format, formatList()) }

func (o *renderOptions) run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.out != "-" {
		untilEndsItself(ctx, "nothing was written")
	}
	err := o.render(ctx, args, stdin, stdout, stderr)
	if found := (*invalid)(nil); errors.As(err, &found) {
		failed := o.further(ctx, found, len(args))
		found.after = unlooked(found.unlooked) + "nothing written: " + cmp.Or(found.count, tally(found.findings))
		if o.output != outputText {
			if err := printEncoded(stdout, o.output, found.findings); err != nil {
				return err
			}
			fmt.Fprintln(stderr, found.after)
			err = errInvalid
		}
		if failed != nil {
			return several{err, failed}
		}
	}
	return err
}

func (o *renderOptions) render(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	inputs, err := o.example.inputs(args, stdin)
	if err != nil {
		return err
	}
	if err := readLinks(inputs); err != nil {
		return withMeaning(err, inputs)
	}
	o.placed(inputs, len(inputs))
	closed, err := openAll(ctx, inputs...)
	if err != nil {
		return withMeaning(err, inputs)
	}
	defer closed()
	warnings, count, err := o.rules.allow(inputs, render.Format(o.format))
	if err != nil {
		return err
	}
	if err := o.finish(ctx, inputs, stdout, stderr); err != nil {
		return err
	}
	if err := printFindings(stderr, warnings); err != nil {
		return err
	}
	if len(warnings) > 0 || o.out != "-" { // a stream without warnings needs no count
		fmt.Fprintln(stderr, count)
	}
	return nil
}

// placed notes the output directory in each input.
func (o *renderOptions) placed(inputs []*input, several int) {
	if o.out == "-" {
		return
	}
	for _, in := range inputs {
		in.output = pathInRepository(o.directory(in.topology, several))
	}
}

// withMeaning is for an error about the files beside topologies. The topologies
// themselves have no mistakes, so they are the only meaning.
func withMeaning(err error, inputs []*input) error {
	if found := (*invalid)(nil); errors.As(err, &found) {
		found.meanings = [][]*input{inputs}
	}
	return err
}

// further adds the findings of the rules to the findings that prevent a render. So a
// user sees all mistakes at once.
func (o *renderOptions) further(ctx context.Context, found *invalid, several int) error {
	if len(found.meanings) == 0 {
		return nil
	}
	for _, inputs := range found.meanings {
		o.placed(inputs, several)
	}
	e, err := o.rules.examine(ctx, found.meanings, true, render.Format(o.format), check.Options{})
	defer e.close()
	known := map[finding.Finding]bool{}
	for _, f := range found.findings {
		known[f] = true
	}
	more := slices.DeleteFunc(e.findings(), func(f finding.Finding) bool { return known[f] })
	found.count = tally(slices.Concat(found.findings, more))
	more = slices.DeleteFunc(more, func(f finding.Finding) bool { return f.Severity == finding.Info }) // verify shows them
	found.findings = append(found.findings, more...).Sorted()
	return err
}

// finish writes, prints or compares the rendered files.
func (o *renderOptions) finish(ctx context.Context, inputs []*input, stdout, stderr io.Writer) error {
	if o.out == "-" {
		saveMemory()
		var buffer []byte
		return o.each(inputs, func(objects []tree.File) error {
			buffer = manifests.Stream(buffer[:0], objects)
			_, err := stdout.Write(buffer)
			return err
		})
	}
	rendered := make([][]tree.File, len(inputs))
	for i, in := range inputs {
		var err error
		if rendered[i], err = in.rendering.Tree(render.Format(o.format)); err != nil {
			return err
		}
	}
	if err := o.apart(inputs); err != nil {
		return err
	}
	if o.checkOnly {
		return o.compareOnly(ctx, inputs, rendered, stdout)
	}
	return o.write(ctx, inputs, rendered, stderr)
}

// apart refuses to write into a directory that is a topology, because the next run
// would read the tree as a part of the topology.
func (o *renderOptions) apart(inputs []*input) error {
	for _, to := range inputs {
		out := o.directory(to.topology, len(inputs))
		there, err := os.Stat(out)
		if err != nil {
			continue // a new directory is no topology
		}
		for _, from := range inputs {
			if read, err := os.Stat(from.arg); err == nil && read.IsDir() && os.SameFile(there, read) {
				return finding.Refuse(
					"write to a folder in it or beside it, such as -o "+filepath.Join(out,
						"rendered")+"; a topology does not include folders that render has written",
					"%s is the topology itself: the next run would read the rendered files as a part of it", out)
			}
		}
	}
	return nil
}

func (o *renderOptions) check() error {
	switch {
	case o.out == "" && unknownOutput(o.output, findingOutputs()) != nil:
		return &hinted{errors.New("no output directory"), finding.Meant("-o " + command.Word(o.output))}
	case o.out == "":
		return &hinted{errors.New("no output directory"), `name one with -o DIR, or print to standard output with "-o -"`}
	case unknownFormat(o.format) != nil:
		return unknownFormat(o.format)
	case o.out == "-" && o.format == string(render.Helm):
		return &hinted{errors.New("a chart is no stream of objects"),
			"name a directory with -o DIR, or leave out --format helm to print the objects"}
	case o.out != "-" && len(o.clusters) > 0:
		return &hinted{errors.New("--cluster selects what is printed, and a directory always holds the whole topology"),
			`use --cluster with "-o -"`}
	case unknownOutput(o.output, findingOutputs()) != nil:
		return unknownOutput(o.output, findingOutputs())
	case o.output != outputText && !o.checkOnly:
		return &hinted{errors.New("--output is for --check"), "add --check; or print the findings with sightline verify --output " + o.output}
	case o.rules.check() != nil:
		return o.rules.check()
	case o.out == "-" && len(o.allowRemove) > 0:
		return &hinted{errors.New(`--allow-remove has no meaning with "-o -"`), ""}
	case o.out == "-" && o.adopt:
		return &hinted{errors.New(`--adopt has no meaning with "-o -"`), ""}
	case o.out == "-" && o.checkOnly:
		return &hinted{errors.New(`--check has no meaning with "-o -"`), "name the directory to compare with: -o DIR"}
	}
	return nil
}

// write compares every directory before it changes the first file.
func (o *renderOptions) write(ctx context.Context, inputs []*input, rendered [][]tree.File, stderr io.Writer) error {
	// Until here a signal ends the process at once. From here on, the run may have to
	// undo changes first.
	if err := endsItself(ctx); err != nil {
		return err
	}
	plans, changes := make([]*tree.Plan, len(inputs)), make([]*change, len(inputs))
	var leaving []string // the clusters whose files are removed
	for i, in := range inputs {
		out := o.directory(in.topology, len(inputs))
		dir, err := tree.Lock(out, o.marker(in.topology))
		if err != nil {
			return err
		}
		defer dir.Unlock()
		if !dir.Locked() {
			fmt.Fprintf(stderr, "%s: this file system has no locks; make sure that no other render writes here now\n", out)
		}
		if plans[i], err = dir.Compare(ctx, rendered[i], o.claims(ctx, in)); err != nil {
			return interrupted(err, out)
		}
		leaving = append(leaving, plans[i].RemovedClusters()...)
		if err := o.guardRemovals(out, plans[i].RemovedClusters()); err != nil {
			return err
		}
		if changes[i], err = changeOf(ctx, in.topology, out, plans[i], rendered[i]); err != nil {
			return interrupted(err, out)
		}
		if err := o.guardImmutable(out, changes[i]); err != nil {
			return err
		}
	}
	o.sayNotRemoved(stderr, leaving)
	for i, in := range inputs {
		t, out := in.topology, o.directory(in.topology, len(inputs))
		if err := plans[i].Apply(ctx); err != nil {
			return interrupted(err, out)
		}
		r := plans[i].Report()
		fmt.Fprintf(stderr, "%s: %s, %d files: %d added, %d changed, %d removed\n", t.Metadata.Name,
			finding.Count(len(t.Spec.Clusters), "cluster"), r.Added+r.Changed+r.Unchanged, r.Added, r.Changed, r.Removed)
		changes[i].say(stderr)
		name(stderr, "removed", out, plans[i].Removed(), "")
		name(stderr, "kept", out, plans[i].Kept(), ", which has files that sightline did not write")
	}
	return nil
}

// claims returns how to recognize files of Sightline without its first line.
func (o *renderOptions) claims(ctx context.Context, in *input) tree.Claims {
	return tree.Claims{
		Adopt:  o.adopt,
		Inputs: in.paths(),
		Wrote:  render.WroteEarlier,
		Before: func() func(string, []byte) bool {
			none := func(string, []byte) bool { return false }
			from, closed, err := in.sources(ctx)
			if err != nil {
				return none
			}
			defer closed()
			known, err := render.Earlier(in.topology, from, render.Format(o.format))
			if err != nil {
				// The earlier version could not render this topology. So the files are of
				// another topology, and render names them.
				return none
			}
			return known
		},
	}
}

// name prints a line for each file or folder of a tree, up to a limit: what happened
// to it, its path, and why.
func name(w io.Writer, what, out string, paths []string, why string) {
	const most = 20
	for i, p := range paths {
		if i == most {
			fmt.Fprintf(w, "  %s %d more\n", what, len(paths)-most)
			return
		}
		fmt.Fprintf(w, "  %s %s%s\n", what, filepath.Join(out, filepath.FromSlash(p)), why)
	}
}

func (o *renderOptions) marker(t *topology.Topology) tree.Marker {
	return tree.Marker{Topology: t.Metadata.Name, Format: o.format, Version: thisBuild().Version}
}

// directory returns the output directory of one of several topologies.
func (o *renderOptions) directory(t *topology.Topology, several int) string {
	if several > 1 {
		return filepath.Join(o.out, t.Metadata.Name)
	}
	return o.out
}

func interrupted(err error, out string) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted; %s is as it was", out)
	}
	return err
}

// sayNotRemoved names the clusters of --allow-remove that are not removed. This is no
// failure: the flag may stay in a pipeline after the cluster is gone.
func (o *renderOptions) sayNotRemoved(stderr io.Writer, leaving []string) {
	for _, name := range o.allowRemove {
		if name == "all" || slices.Contains(leaving, name) {
			continue
		}
		fmt.Fprintf(stderr, "--allow-remove %s: no cluster of this name is removed\n", name)
		if hint := finding.DidYouMean(name, leaving); hint != "" {
			fmt.Fprintf(stderr, "hint: %s\n", hint)
		}
	}
}

func (o *renderOptions) guardRemovals(out string, removed []string) error {
	if slices.Contains(o.allowRemove, "all") {
		return nil
	}
	removed = slices.DeleteFunc(removed, func(name string) bool { return slices.Contains(o.allowRemove, name) })
	if len(removed) == 0 {
		return nil
	}
	flags := make([]string, len(removed))
	for i, name := range removed {
		flags[i] = "--allow-remove " + name
	}
	return finding.Refuse("to remove them, add "+strings.Join(flags, " ")+"; an engine that prunes then deletes their objects",
		"%s: this would remove all files of %s: %s", out, finding.Count(len(removed), "cluster"), strings.Join(removed, ", "))
}
