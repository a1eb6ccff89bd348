package seal

import (
	"fmt"
	"time"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// The states of a link.
const (
	Missing    = "missing"    // there is none
	Unreadable = "unreadable" // the file is not one
	Unused     = "unused"     // the cluster is no remote of the topology
	Outdated   = "outdated"   // something has changed since, or has expired
	Current    = "current"
)

// Status is what is known about a link without its credential.
type Status struct {
	State    string
	Work     bool // somebody has to do something
	Findings finding.Findings
}

func (s *Status) add(severity finding.Severity, hint, format string, args ...any) {
	s.Findings = append(s.Findings, finding.Finding{Severity: severity, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// work adds a finding that somebody has to do something about.
func (s *Status) work(severity finding.Severity, hint, format string, args ...any) {
	s.add(severity, hint, format, args...)
	s.Work = true
}

// Check looks at the link of a remote, which is nil where there is none. The
// certificate is that of the controller on the hub as it is now, or nil where
// nobody has asked.
func Check(r Remote, l *topology.SealedLink, certificate *Certificate, now time.Time) Status {
	s := Status{State: Current}
	for _, flaw := range Flaws(r.Topology, r.Cluster, l, stamp(now)) {
		f := flaw.Finding
		switch {
		case flaw.Rule == "RS12":
			f.Hint = leftover(r, l)
		case flaw.Step == command.Again && flaw.Sealing:
			f.Hint += r.again()
		}
		s.Findings = append(s.Findings, f)
		// A CA that is about to expire may have no successor yet.
		s.Work = s.Work || flaw.Rule != "RS04" || flaw.Severity == finding.Error
	}
	if l == nil {
		s.State = Missing
		return s
	}
	if l.Spec.Certificate != nil {
		s.sealedWith(l, certificate, now, r.again()+" "+string(command.Rekey))
	}
	if Rotating(l) {
		s.add(finding.Info, underWay(r, l), "a rotation is under way: the remote has tokens of the generations %s, and the link uses %d",
			generations(l.Spec.Tokens), l.Spec.Generation)
	}
	if s.Work {
		s.State = Outdated
	}
	return s
}

// AddApart adds what is wrong with the links of one Secret.
func (s *Status) AddApart(r Remote, flaw Flaw) {
	f := flaw.Finding
	f.Hint += r.again()
	s.Findings = append(s.Findings, f)
	s.Work, s.State = true, Outdated
}

// sealedWith looks at the certificate that a link is sealed with. The controller
// opens what was sealed with an expired one; kubeseal and this command no longer
// seal with it.
func (s *Status) sealedWith(l *topology.SealedLink, certificate *Certificate, now time.Time, rekey string) {
	const what = "the certificate of the hub that it is sealed with"
	hint := "with the controller's newest certificate: " + rekey
	switch end, err := time.Parse(time.RFC3339, l.Spec.Certificate.NotAfter); {
	case err != nil:
		s.work(finding.Error, hint, "when %s expires cannot be read: %q", what, finding.Shorten(l.Spec.Certificate.NotAfter))
	case !now.Before(end):
		s.work(finding.Error, hint, "%s expired on %s", what, day(end))
	case end.Sub(now) <= Near:
		s.work(finding.Warning, hint, "%s expires on %s", what, day(end))
	}
	if certificate != nil && certificate.Fingerprint != l.Spec.Certificate.Fingerprint {
		s.add(finding.Info, "the controller keeps the keys of earlier certificates; if it has lost them: "+rekey,
			"sealed for another certificate than the hub's present one")
	}
}
