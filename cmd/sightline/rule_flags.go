package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/render"
)

// ruleFlags has the flags of all commands that apply the rules.
type ruleFlags struct {
	suppress         []string
	warningsAsErrors bool
	requireLinks     bool
}

func (r *ruleFlags) add(flags *pflag.FlagSet) {
	flags.StringSliceVar(&r.suppress, "suppress", nil, "do not report the warnings of this rule (repeatable); errors stay")
	flags.BoolVar(&r.warningsAsErrors, "warnings-as-errors", false, "fail on warnings too")
	flags.BoolVar(&r.requireLinks, "require-links", false, "fail if a remote has no sealed link")
}

func (r *ruleFlags) check() error {
	rules := check.Rules()
	for i, id := range r.suppress {
		id = strings.ToUpper(id)
		r.suppress[i] = id
		if problem, hint := check.Suppressible(id, rules); problem != "" {
			return &hinted{fmt.Errorf("--suppress names %s", problem), hint}
		}
	}
	return nil
}

// find applies the rules to topologies without mistakes, to their links, and to the
// objects that are rendered in a format.
func (r *ruleFlags) find(inputs []*input, format render.Format, o check.Options) (finding.Findings, error) {
	looked := make([]check.Input, len(inputs))
	for i, in := range inputs {
		var err error
		if looked[i], err = in.checked(format); err != nil {
			return nil, err
		}
	}
	o.Suppress, o.RequireLinks = r.suppress, r.requireLinks
	return check.Find(looked, o)
}

// allow returns the warnings about topologies and a count of all findings in words. If
// a finding prevents the render, allow returns the warnings and errors as one error.
// Findings for information are only counted; verify shows them.
func (r *ruleFlags) allow(inputs []*input, format render.Format) (warnings finding.Findings, count string, err error) {
	findings, err := r.find(inputs, format, check.Options{})
	if err != nil {
		return nil, "", err
	}
	for _, f := range findings {
		if f.Severity != finding.Info {
			warnings = append(warnings, f)
		}
	}
	if r.fails(findings) {
		return nil, "", &invalid{findings: warnings, count: tally(findings)}
	}
	return warnings, tally(findings), nil
}

// fails tells whether a command fails because of one of the findings.
func (r *ruleFlags) fails(findings finding.Findings) bool {
	for _, f := range findings {
		if f.Severity == finding.Error || f.Severity == finding.Warning && r.warningsAsErrors {
			return true
		}
	}
	return false
}

// The errors of commands that have already printed their findings.
var (
	errFound   = errors.New("there are findings")
	errInvalid = errors.New("the topology is invalid")
)
