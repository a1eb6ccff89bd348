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

// meanings puts together what several topologies may mean, each of which has ways
// of its own: in some of the sets each of these is there. A topology without any is
// in none.
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

// examination is what is found in each of the ways in which something may be.
type examination struct {
	rules   *ruleFlags
	format  render.Format
	options check.Options
	guess   bool // something may not be as it was meant
	lists   []finding.Findings
	looked  []*input // that all rules could look at
	closing []func()
}

// examine applies the rules to each of several sets of topologies, their links
// and their overlays; guess says that these are guesses. What is wrong with a link or an overlay is a finding as well, and
// hides none that does not depend on it. The examination is to be closed, also after an
// error.
func (r *ruleFlags) examine(ctx context.Context, sets [][]*input, guess bool, format render.Format, o check.Options) (*examination, error) {
	e := &examination{rules: r, format: format, options: o, guess: guess}
	if len(sets) > 1 {
		saveMemory()
	}
	for _, inputs := range sets {
		if err := e.links(ctx, inputs); err != nil {
			return e, err
		}
		if e.guess { // of which nothing else is made
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

// findings are what is found in all of the ways.
func (e *examination) findings() finding.Findings { return check.Agreed(e.lists) }

func (e *examination) close() {
	for _, close := range e.closing {
		close()
	}
	e.closing = nil
}

// links looks at topologies with the links beside them. One that cannot be read may
// be as far as it could be, or not there.
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

// attempt looks at one guess. A topology that breaks the rules of the first pass
// may be one that no template and no rule of the second pass expects: then this guess
// says nothing.
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

// overlays looks at topologies with their overlays. Of what one lies over that
// cannot be read or fails, nobody knows what it is: the objects may be as they are
// without, or none.
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
				in.topology.Spec.Kiali.CA = "" // its file was what is wrong
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

// find looks at one way in which all may be.
func (e *examination) find(inputs []*input, found finding.Findings) error {
	more, err := e.rules.find(inputs, e.format, e.options)
	if err == nil {
		e.lists = append(e.lists, slices.Concat(found, more))
	}
	return err
}

// findingsOf takes the findings out of an error that has nothing else.
func findingsOf(err error) (finding.Findings, error) {
	var wrong *invalid
	if errors.As(err, &wrong) {
		return wrong.findings, nil
	}
	return nil, err
}

// bare is the input without its overlays; overlaid are the clusters that they match.
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
