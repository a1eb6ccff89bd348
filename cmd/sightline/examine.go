package main

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/render"
)

// meanings combines the ways in which several topologies may have been meant. It
// returns sets with one way of each topology, so that each way is in at least one set.
// A topology without a way is in no set.
func meanings(ways [][]*input) [][]*input {
	most := 0
	for _, of := range ways {
		most = max(most, len(of))
	}
	sets := make([][]*input, most)
	for n := range sets {
		for _, of := range ways {
			if len(of) > 0 {
				same := *of[n%len(of)]
				sets[n] = append(sets[n], &same)
			}
		}
	}
	return sets
}

// examination collects the findings for each way in which the input may have been
// meant.
type examination struct {
	rules   *ruleFlags
	format  render.Format
	options check.Options
	guess   bool // the input has mistakes, so its meaning is a guess
	lists   []finding.Findings
	looked  []*input // the inputs that all rules could check
	closing []func()
}

// examine applies the rules to each of several sets of topologies, with their links
// and overlays. guess says that the sets are guesses. A mistake in a link or an overlay
// is a finding. It hides only findings that depend on it. Close the examination, also
// after an error.
func (r *ruleFlags) examine(ctx context.Context, sets [][]*input, guess bool, format render.Format, o check.Options) (*examination, error) {
	e := &examination{rules: r, format: format, options: o, guess: guess}
	if len(sets) > 1 {
		saveMemory()
	}
	for _, inputs := range sets {
		if err := e.links(ctx, inputs); err != nil {
			return e, err
		}
		if e.guess { // nothing is rendered from a guess later
			e.close()
			for _, in := range inputs {
				in.rendering = nil
			}
		}
	}
	if len(sets) > 0 {
		e.looked = slices.DeleteFunc(slices.Clone(sets[0]), func(in *input) bool { return in.overlaid != nil })
	}
	return e, nil
}

// findings returns the findings that all ways have.
func (e *examination) findings() finding.Findings { return check.Agreed(e.lists) }

func (e *examination) close() {
	for _, close := range e.closing {
		close()
	}
	e.closing = nil
}

// links examines topologies with the links beside them. For a link that cannot be
// read, there are two guesses: the part that could be read, and no link.
func (e *examination) links(ctx context.Context, inputs []*input) error {
	found, err := findingsOf(readLinks(inputs))
	if err != nil {
		return err
	}
	without := make([]*input, len(inputs))
	for i, in := range inputs {
		less := *in
		less.links = maps.Clone(in.links)
		for _, name := range in.unsure {
			e.guess = true
			delete(less.links, name)
			if in.links[name] == nil {
				in.links[name] = topology.SomeLink(filepath.Join(in.linkFolder(), name+".yaml"), name)
			}
		}
		without[i] = &less
	}
	if err := e.attempt(func() error { return e.overlays(ctx, inputs, found) }); err != nil || len(found) == 0 {
		return err
	}
	return e.attempt(func() error { return e.overlays(ctx, without, found) })
}

// attempt examines one guess. Templates and later rules expect a topology that passes
// the first rules. A guess may not, so a panic or a template error only drops the guess.
func (e *examination) attempt(do func() error) (err error) {
	guess := e.guess
	defer func() {
		if guess && recover() != nil {
			err = nil
		}
	}()
	err = do()
	if wrong := (*render.TemplateError)(nil); guess && errors.As(err, &wrong) {
		return nil
	}
	return err
}

// overlays examines topologies with their overlays. If an overlay cannot be read or
// fails, the objects of its clusters are unknown. There are two guesses: the objects
// without the overlay, and no objects.
func (e *examination) overlays(ctx context.Context, inputs []*input, found finding.Findings) error {
	broken := false
	for _, in := range inputs {
		closed, err := openAll(ctx, in)
		more, err := findingsOf(err)
		if err != nil {
			return err
		}
		if found = append(found, more...); len(more) > 0 {
			broken, e.guess = true, true
			if closed, err = openAll(ctx, in.bare()); errors.As(err, new(*invalid)) {
				in.topology.Spec.Kiali.CA = "" // the error was about its file
				closed, err = openAll(ctx, in)
			}
			if err != nil {
				return err
			}
		}
		e.closing = append(e.closing, closed)
	}
	if err := e.find(inputs, found); err != nil || !broken {
		return err
	}
	for _, in := range inputs {
		in.empty = in.overlaid
	}
	return e.find(inputs, found)
}

// find applies the rules to one guess.
func (e *examination) find(inputs []*input, found finding.Findings) error {
	more, err := e.rules.find(inputs, e.format, e.options)
	if err == nil {
		e.lists = append(e.lists, slices.Concat(found, more))
	}
	return err
}

// findingsOf returns the findings of an error of type *invalid, or any other error.
func findingsOf(err error) (finding.Findings, error) {
	var wrong *invalid
	if errors.As(err, &wrong) {
		return wrong.findings, nil
	}
	return nil, err
}

// bare removes the overlays of the input, and notes the clusters that they match in
// overlaid.
func (in *input) bare() *input {
	in.overlaid = map[int]bool{}
	for i := range in.topology.Spec.Clusters {
		for j := range in.topology.Spec.Overlays {
			if in.topology.Spec.Overlays[j].Matches(&in.topology.Spec.Clusters[i]) {
				in.overlaid[i] = true
			}
		}
	}
	bare := *in.topology
	bare.Spec.Overlays = nil
	in.topology = &bare
	return in
}
