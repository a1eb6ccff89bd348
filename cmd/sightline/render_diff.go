package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/compare"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
)

// change is what a plan does to a tree that is there: nil where there is none
// yet, or nothing changes.
type change struct {
	report *compare.Report
	failed error // why the tree that is there cannot be compared
}

// changeOf compares what a plan changes with what is there.
func changeOf(ctx context.Context, t *topology.Topology, out string, plan *tree.Plan, new []tree.File) (*change, error) {
	changes, err := plan.Changes(ctx)
	if err != nil {
		return nil, err
	}
	old := before(new, changes)
	if len(changes) == 0 || len(old) == 0 {
		return nil, nil
	}
	report, err := render.Compare(t, out, old, new, os.DirFS(out))
	return &change{report, err}, nil
}

// before undoes changes of a sorted tree.
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
		"on each of these clusters delete the Kiali resource, by hand or by a commit, and wait until its operator has removed what it made; "+
			"then render with --allow-immutable (sightline explain "+compare.Immutable+")",
		"%s: %s: %s", out, compare.Immutable, strings.Join(said, "; "))
}

// say prints one line for each group of changes, as many as a reader takes in.
func (c *change) say(w io.Writer) {
	if c == nil {
		return
	}
	if c.failed != nil {
		fmt.Fprintf(w, "  the tree that was there does not build, so what changes is not shown: %v\n", c.failed)
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
// writes nothing, so it neither waits for another run nor asks for clusters that
// leave.
func (o *renderOptions) compareOnly(ctx context.Context, inputs []*input, rendered [][]tree.File, stdout io.Writer) error {
	differs := false
	for i, in := range inputs {
		t, out := in.topology, o.directory(in.topology, len(inputs))
		dir, err := tree.Open(out, o.marker(t))
		if err != nil {
			return err
		}
		plan, err := dir.Compare(ctx, rendered[i], o.claims(ctx, in))
		if err != nil {
			return err
		}
		r := plan.Report()
		if dir.Unfinished() {
			fmt.Fprintf(stdout, saysUnfinished, out)
			differs = true
		}
		if r.Added+r.Changed+r.Removed == 0 {
			continue
		}
		differs = true
		fmt.Fprintf(stdout, "%s is not what %s renders to: %d to add, %d to change, %d to remove\n", out, t.Metadata.Name, r.Added, r.Changed,
			r.Removed)
		changes, err := plan.Changes(ctx)
		if err != nil {
			return err
		}
		for _, kind := range []tree.Kind{tree.Added, tree.Changed, tree.Removed} {
			var paths []string
			for _, c := range changes {
				if c.Kind == kind {
					paths = append(paths, c.Path)
				}
			}
			name(stdout, map[tree.Kind]string{tree.Added: "missing", tree.Changed: "differs", tree.Removed: "too many"}[kind], out, paths, "")
		}
		c, err := changeOf(ctx, t, out, plan, rendered[i])
		if err != nil {
			return err
		}
		c.say(stdout)
	}
	if differs {
		return errFound
	}
	return nil
}
