package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// linkStatus is the result of --check for one link, in the output json.
type linkStatus struct {
	Cluster      string        `json:"cluster"`
	File         string        `json:"file"`
	State        string        `json:"state"`
	NeedsWork    bool          `json:"needsWork"`
	Generation   int           `json:"generation,omitempty"`
	Tokens       []int         `json:"tokens,omitempty"`
	Certificate  string        `json:"certificate,omitempty"`
	Recipients   []string      `json:"recipients,omitempty"` // of age
	TokenExpires string        `json:"tokenExpires,omitempty"`
	CAExpires    string        `json:"caExpires,omitempty"`
	Problems     []linkProblem `json:"problems"`

	at finding.Position // of the link, or of the cluster without a link
}

type linkProblem struct {
	Severity string `json:"severity"`
	Rule     string `json:"rule,omitempty"` // a rule of verify, if verify reports the problem too
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`

	finding finding.Finding
}

// checkLinks prints the state of the links of remotes to stdout. If these are all
// remotes, it also prints the links that belong to no remote.
func (o *sealRun) checkLinks(ctx context.Context, t *topology.Topology, remotes []*topology.Cluster, all bool, links string,
	stdout, stderr io.Writer) error {
	if !t.Spec.Kiali.Links.ByFile() {
		return o.checkUnsealed(ctx, t, remotes, stdout, stderr)
	}
	var certificate *seal.Certificate
	if t.Spec.Kiali.Links.Source == "sealed" && (o.cert != "" || o.hubContext != "") {
		var err error
		certificate, err = o.certificate(ctx)
		switch {
		case err != nil && !o.live:
			return err
		case err != nil: // the other clusters can still be asked
			fmt.Fprintf(stderr, "%s: warning: %s\n", t.Metadata.Name, seal.Redact(err.Error()))
		}
	}
	read := map[string]*topology.SealedLink{}
	broken := map[string]finding.Findings{}
	for _, c := range remotes {
		l, findings, err := readLink(filepath.Join(links, c.Name+".yaml"))
		if err != nil {
			return err
		}
		if len(findings) > 0 {
			broken[c.Name] = findings
		} else {
			read[c.Name] = l
		}
	}
	var live map[string]seal.Live
	if o.live {
		var err error
		if live, err = o.asked(ctx, t, remotes, read, stderr); err != nil {
			return err
		}
	}
	apart := seal.Apart(t, read)
	statuses := []linkStatus{}
	for _, c := range remotes {
		file := filepath.Join(links, c.Name+".yaml")
		l, findings := read[c.Name], broken[c.Name]
		s := linkStatus{Cluster: c.Name, File: file, at: finding.Position{File: file, Line: 1, Col: 1}}
		if l == nil && len(findings) == 0 {
			s.at = positionOf(t, c)
		}
		if len(findings) > 0 {
			s.State, s.NeedsWork = seal.Unreadable, true
			for _, f := range findings {
				p := problemOf(f)
				p.Message, p.Hint = fmt.Sprintf("%s: %s", f.Position, seal.Redact(f.Message)), seal.Redact(f.Hint)
				s.Problems = append(s.Problems, p)
			}
		} else {
			r, now := o.remote(t, c), time.Now()
			status := seal.Check(r, l, certificate, now)
			if flaw, ok := apart[c.Name]; ok {
				status.AddApart(r, flaw)
			}
			if found, ok := live[c.Name]; ok {
				status.AddLive(r, l, found, now)
			}
			s.take(status)
		}
		if l != nil {
			spec := &l.Spec
			s.Generation, s.Tokens, s.Certificate = spec.Generation, spec.Tokens, spec.Fingerprint()
			if spec.SOPS != nil {
				s.Recipients = spec.SOPS.Recipients()
			}
			s.TokenExpires, s.CAExpires = spec.TokenExpires, spec.CAExpires
		}
		statuses = append(statuses, s)
	}
	if all {
		unused, err := unusedLinks(t, links)
		if err != nil {
			return err
		}
		statuses = append(statuses, unused...)
	}
	return o.reportStatuses(t, statuses, stdout, stderr)
}

// reportStatuses prints statuses. It returns errFound if a link needs work.
func (o *sealOptions) reportStatuses(t *topology.Topology, statuses []linkStatus, stdout, stderr io.Writer) error {
	if err := o.printStatuses(stdout, statuses); err != nil {
		return err
	}
	work := 0
	for i := range statuses {
		if statuses[i].NeedsWork {
			work++
		}
	}
	switch {
	case work == 0:
		fmt.Fprintf(stderr, "%s: looked at %s, nothing to do\n", t.Metadata.Name, finding.Count(len(statuses), "link"))
		return nil
	case work == 1:
		fmt.Fprintf(stderr, "%s: looked at %s, 1 needs work\n", t.Metadata.Name, finding.Count(len(statuses), "link"))
	default:
		fmt.Fprintf(stderr, "%s: looked at %s, %d need work\n", t.Metadata.Name, finding.Count(len(statuses), "link"), work)
	}
	return errFound
}

func (s *linkStatus) take(status seal.Status) {
	s.State, s.NeedsWork = status.State, status.Work
	s.Problems = []linkProblem{}
	for _, p := range status.Findings {
		s.Problems = append(s.Problems, problemOf(p))
	}
}

// unusedLinks returns the statuses of links that belong to no remote of the topology.
func unusedLinks(t *topology.Topology, links string) ([]linkStatus, error) {
	entries, err := readFolder(links)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var unused []linkStatus
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), ".yaml")
		if !ok || strings.HasPrefix(name, ".") || slices.ContainsFunc(t.Spec.Clusters,
			func(c topology.Cluster) bool { return c.Name == name && !t.IsHub(&c) }) {
			continue
		}
		file := filepath.Join(links, entry.Name())
		s := linkStatus{Cluster: name, File: file, at: finding.Position{File: file, Line: 1, Col: 1}}
		s.take(seal.Status{State: seal.Unused, Work: true, Findings: finding.Findings{
			{Rule: "RS19", Severity: finding.Warning, Message: "the topology has no such remote", Hint: "if the cluster is gone, remove the file: " +
				command.Remove(s.File)},
		}})
		unused = append(unused, s)
	}
	return unused, nil
}

func problemOf(f finding.Finding) linkProblem {
	return linkProblem{f.Severity.String(), f.Rule, f.Message, f.Hint, f}
}

// positionOf returns the position of a cluster in a topology.
func positionOf(t *topology.Topology, c *topology.Cluster) finding.Position {
	return t.At("spec", "clusters", slices.IndexFunc(t.Spec.Clusters, func(other topology.Cluster) bool { return other.Name == c.Name }))
}

// linkFindings returns the problems of links as findings. A finding is in the file of
// the link, or at the cluster without a link.
func linkFindings(statuses []linkStatus) finding.Findings {
	var all finding.Findings
	for i := range statuses {
		for _, p := range statuses[i].Problems {
			f := p.finding
			if f.Position == (finding.Position{}) {
				f.Position = statuses[i].at
				f.Message = statuses[i].Cluster + ": " + f.Message
			}
			f.Rule = cmp.Or(f.Rule, "link") // a problem that only seal finds has no rule
			all = append(all, f)
		}
	}
	return all.Sorted()
}

func (o *sealOptions) printStatuses(stdout io.Writer, statuses []linkStatus) error {
	switch o.output {
	case outputSARIF, outputGitHub:
		return printEncoded(stdout, o.output, linkFindings(statuses))
	case outputJSON:
		enc := json.NewEncoder(stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(statuses)
	}
	var text strings.Builder
	for i := range statuses {
		s := &statuses[i]
		fmt.Fprintf(&text, "%s: %s", s.Cluster, s.State)
		if s.Generation > 0 {
			fmt.Fprintf(&text, ", generation %d", s.Generation)
		}
		text.WriteString("\n")
		for _, p := range s.Problems {
			rule := ""
			if p.Rule != "" {
				rule = p.Rule + ": "
			}
			fmt.Fprintf(&text, "%s: %s: %s%s\n", s.Cluster, p.Severity, rule, p.Message)
			if p.Hint != "" {
				fmt.Fprintf(&text, "hint: %s\n", p.Hint)
			}
		}
	}
	_, err := io.WriteString(stdout, text.String())
	return err
}
