package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/compare"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
)

// change is what a plan changes in an existing tree. It is nil if there is no tree
// yet, or nothing changes.
type change struct {
	report *compare.Report
	failed error // why the existing tree cannot be compared
}

// changeOf compares the existing tree with the tree after a plan.
func changeOf(ctx context.Context, t *topology.Topology, out string, plan *tree.Plan, new []tree.File) (*change, error) {
	if r := plan.Report(); r.Changed+r.Removed == 0 && (r.Added == 0 || r.Unchanged == 0) {
		return nil, nil
	}
	changes, err := plan.Changes(ctx)
	if err != nil {
		return nil, err
	}
	old := before(new, changes)
	report, err := render.Compare(t, out, old, new, os.DirFS(out))
	return &change{report, err}, nil
}

// before returns a sorted tree as it was before changes.
func before(files []tree.File, changes []tree.Change) []tree.File {
	of := make(map[string]tree.Change, len(changes))
	var old []tree.File
	for _, c := range changes {
		of[c.Path] = c
		if c.Kind == tree.Removed {
			old = append(old, tree.File{Path: c.Path, Content: c.Old})
		}
	}
	for _, f := range files {
		switch c, ok := of[f.Path]; {
		case !ok:
			old = append(old, f)
		case c.Kind == tree.Changed:
			old = append(old, tree.File{Path: f.Path, Content: c.Old})
		}
	}
	slices.SortFunc(old, func(a, b tree.File) int { return strings.Compare(a.Path, b.Path) })
	return old
}

// guardImmutable refuses a change that Kiali's operator would refuse.
func (o *renderOptions) guardImmutable(out string, c *change) error {
	if c == nil || c.failed != nil || o.allowImmutable {
		return nil
	}
	var said []string
	for _, e := range c.report.Effects {
		if e.Rule == compare.Immutable {
			said = append(said, e.Text)
		}
	}
	if len(said) == 0 {
		return nil
	}
	return finding.Refuse(
		"on each of these clusters delete the Kiali resource, by hand or by a commit; wait until the operator has removed Kiali; "+
			"then render with --allow-immutable (sightline explain "+compare.Immutable+")",
		"%s: %s: %s", out, compare.Immutable, strings.Join(said, "; "))
}

// say prints one line for each group of changes, up to a limit.
func (c *change) say(w io.Writer) {
	if c == nil {
		return
	}
	if c.failed != nil {
		fmt.Fprintf(w, "  the existing tree does not build, so the changes are not shown: %v\n", c.failed)
		return
	}
	const most = 10
	lines := c.report.Lines()
	for i, line := range lines {
		if i == most {
			fmt.Fprintf(w, "  and %s more\n", finding.Count(len(lines)-most, "group"))
			return
		}
		fmt.Fprintln(w, "  "+line)
	}
}

// compareOnly compares the directories with what would be written to them. It
// writes nothing. So it does not wait for another run, and it does not ask about
// clusters that leave.
func (o *renderOptions) compareOnly(ctx context.Context, inputs []*input, rendered [][]tree.File, stdout io.Writer) error {
	differs := false
	var found finding.Findings
	for i, in := range inputs {
		d, err := o.drift(ctx, in, o.directory(in.topology, len(inputs)), rendered[i])
		if err != nil {
			return err
		}
		differs = differs || d.unfinished || len(d.changes) > 0
		found = append(found, d.findings()...)
		if o.output == outputText {
			d.say(stdout)
		}
	}
	if o.output != outputText {
		if err := printEncoded(stdout, o.output, found.Sorted()); err != nil {
			return err
		}
	}
	if differs {
		return errFound
	}
	return nil
}

// drift is how a directory differs from what would be written to it.
type drift struct {
	topology   string
	out        string
	unfinished bool // a killed run has left parts of two trees
	changes    []tree.Change
	means      *change
}

func (o *renderOptions) drift(ctx context.Context, in *input, out string, rendered []tree.File) (*drift, error) {
	dir, err := tree.Open(out, o.marker(in.topology))
	if err != nil {
		return nil, err
	}
	plan, err := dir.Compare(ctx, rendered, o.claims(ctx, in))
	if err != nil {
		return nil, err
	}
	d := &drift{topology: in.topology.Metadata.Name, out: out, unfinished: dir.Unfinished()}
	if d.changes, err = plan.Changes(ctx); err != nil {
		return nil, err
	}
	d.means, err = changeOf(ctx, in.topology, out, plan, rendered)
	return d, err
}

// paths are the files of a kind of change.
func (d *drift) paths(kind tree.Kind) (paths []string) {
	for _, c := range d.changes {
		if c.Kind == kind {
			paths = append(paths, c.Path)
		}
	}
	return paths
}

func (d *drift) say(w io.Writer) {
	if d.unfinished {
		fmt.Fprintf(w, saysUnfinished, d.out)
	}
	if len(d.changes) == 0 {
		return
	}
	added, changed, removed := d.paths(tree.Added), d.paths(tree.Changed), d.paths(tree.Removed)
	fmt.Fprintf(w, "%s is not what %s renders to: %d to add, %d to change, %d to remove\n", d.out, d.topology, len(added), len(changed),
		len(removed))
	name(w, "missing", d.out, added, "")
	name(w, "differs", d.out, changed, "")
	name(w, "too many", d.out, removed, "")
	d.means.say(w)
}

// findings are the differences for programs: one for each file.
func (d *drift) findings() (all finding.Findings) {
	add := func(path, format string, args ...any) {
		all.Add(finding.Position{File: filepath.Join(d.out, filepath.FromSlash(path)), Line: 1, Col: 1}, check.RuleTree,
			"run the same sightline render without --check, and commit the directory", format, args...)
	}
	if d.unfinished {
		add("", "a render was killed while it changed the directory, so it may have parts of two trees")
	}
	for _, c := range d.changes {
		switch c.Kind {
		case tree.Added:
			add(c.Path, "the file is missing; render writes it for the topology %q", d.topology)
		case tree.Changed:
			add(c.Path, "the file differs from the one that render writes for the topology %q", d.topology)
		case tree.Removed:
			add(c.Path, "render writes no such file for the topology %q", d.topology)
		}
	}
	return all
}
