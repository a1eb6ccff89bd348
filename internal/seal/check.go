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
	Missing    = "missing"    // there is no link
	Unreadable = "unreadable" // the file is no valid link
	Unused     = "unused"     // the cluster is no remote of the topology
	Outdated   = "outdated"   // something has changed since, or has expired
	Current    = "current"
)

// Status is the state of a link, as far as it is known without the credential.
type Status struct {
	State    string
	Work     bool // the link needs work
	Findings finding.Findings
}

func (s *Status) add(severity finding.Severity, hint, format string, args ...any) {
	s.Findings = append(s.Findings, finding.Finding{Severity: severity, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// work adds a finding and notes that the link needs work.
func (s *Status) work(severity finding.Severity, hint, format string, args ...any) {
	s.add(severity, hint, format, args...)
	s.Work = true
}

// Check returns the state of the link of a remote. l is nil if there is no link. The
// certificate is the present one of the controller on the hub, or nil if it is unknown.
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
		// If a CA expires soon, the new one may not exist yet.
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

// AddApart adds a flaw that [Apart] has found.
func (s *Status) AddApart(r Remote, flaw Flaw) {
	f := flaw.Finding
	f.Hint += r.again()
	s.Findings = append(s.Findings, f)
	s.Work, s.State = true, Outdated
}

// sealedWith checks the certificate of a link. If it has expired, the controller still
// opens the link. But kubeseal and this command no longer seal with it.
func (s *Status) sealedWith(l *topology.SealedLink, certificate *Certificate, now time.Time, rekey string) {
	const what = "the hub's certificate in the link"
	hint := "with the controller's newest certificate: " + rekey
	switch end, err := time.Parse(time.RFC3339, l.Spec.Certificate.NotAfter); {
	case err != nil:
		s.work(finding.Error, hint, "%s has a date that cannot be read: %q", what, finding.Shorten(l.Spec.Certificate.NotAfter))
	case !now.Before(end):
		s.work(finding.Error, hint, "%s expired on %s", what, day(end))
	case end.Sub(now) <= Near:
		s.work(finding.Warning, hint, "%s expires on %s", what, day(end))
	}
	if certificate != nil && certificate.Fingerprint != l.Spec.Certificate.Fingerprint {
		s.add(finding.Info, "the controller keeps the keys of earlier certificates; if it has lost them: "+rekey,
			"it is not sealed with the hub's present certificate")
	}
}
