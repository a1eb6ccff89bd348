package seal

import (
	"fmt"
	"time"

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
	Problems []Problem
}

// Problem is one thing about a link.
type Problem struct {
	Severity finding.Severity
	Message  string
	Hint     string
}

func (s *Status) add(severity finding.Severity, hint, format string, args ...any) {
	s.Problems = append(s.Problems, Problem{severity, fmt.Sprintf(format, args...), hint})
}

// work adds a problem that somebody has to do something about.
func (s *Status) work(severity finding.Severity, hint, format string, args ...any) {
	s.add(severity, hint, format, args...)
	s.Work = true
}

// Check looks at the link of a remote, which is nil where there is none. The
// certificate is that of the controller on the hub as it is now, or nil where
// nobody has asked.
func Check(r Remote, l *topology.SealedLink, certificate *Certificate, now time.Time) Status {
	var s Status
	c, again := r.Cluster, r.again()
	if l == nil {
		s.State = Missing
		s.work(finding.Error, again, "there is no sealed link, so Kiali does not see the cluster")
		return s
	}
	spec, want := &l.Spec, r.Topology.SealedFor(c)
	if err := owns(l, c); err != nil {
		s.work(finding.Error, "remove the file; then: "+again, "%s", err)
	}
	if spec.Secret != want {
		s.work(finding.Error, again, "sealed for the key %s of %s/%s, expected %s of %s/%s, and it can be opened nowhere else",
			spec.Secret.Key, spec.Secret.Namespace, spec.Secret.Name, want.Key, want.Namespace, want.Name)
	}
	if problem := damaged(spec); problem != "" {
		s.work(finding.Error, again, "encryptedData %s", problem)
	}
	if spec.Server != c.Server {
		s.work(finding.Error, again, "sealed for the server %s, and the topology says %s", finding.Shorten(spec.Server), finding.Shorten(c.Server))
	}
	s.expires("the token", spec.TokenExpires, now, finding.Warning, true, "with a token that does not expire: "+again)
	// A CA that is about to expire may have no successor yet.
	s.expires("a CA of the API server", spec.CAExpires, now, finding.Warning, false, again)
	// The controller opens what was sealed with an expired certificate; kubeseal and
	// this command no longer seal with it.
	s.expires("the certificate of the hub that it is sealed with", spec.Certificate.NotAfter, now, finding.Warning, true, "with the controller's newest certificate: "+again+" --rekey")
	if certificate != nil && certificate.Fingerprint != spec.Certificate.Fingerprint {
		s.add(finding.Info, "the controller keeps the keys of earlier certificates; if it has lost them: "+again+" --rekey", "sealed for another certificate than the hub's present one")
	}
	if spec.Revoked() {
		s.work(finding.Error, underWay(r, l), "the token in the link, of generation %d, is revoked, so Kiali does not see the cluster", spec.Generation)
	}
	if spec.Replaces != "" {
		s.work(finding.Warning, leftover(r, l), "links.format has changed, and unless somebody has removed it the hub still has the Secret %s", spec.Replaces)
	}
	if Rotating(l) {
		s.add(finding.Info, underWay(r, l), "a rotation is under way: the remote has tokens of the generations %s, and the link uses %d", generations(spec.Tokens), spec.Generation)
	}
	s.State = Current
	if s.Work {
		s.State = Outdated
	}
	return s
}

// expires adds a problem about something that ends, or is near its end.
func (s *Status) expires(what, when string, now time.Time, soon finding.Severity, renewable bool, hint string) {
	if when == "" {
		return
	}
	end, err := time.Parse(time.RFC3339, when)
	switch {
	case err != nil:
		s.work(finding.Error, hint, "when %s expires cannot be read: %q", what, finding.Shorten(when))
	case !now.Before(end):
		s.work(finding.Error, hint, "%s expired on %s", what, day(end))
	case end.Sub(now) <= Near && renewable:
		s.work(soon, hint, "%s expires on %s", what, day(end))
	case end.Sub(now) <= Near:
		s.add(soon, hint, "%s expires on %s", what, day(end))
	}
}
