package seal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Flaw is one thing that is wrong with a link, as far as the topology and the
// link itself tell. Its rule is one of those that verify applies.
type Flaw struct {
	finding.Finding              // with no position where there is no link
	Sealing         bool         // what mends it is a command of seal, which the hint leads up to
	Step            command.Step // of that command
}

// Flaws are what is wrong with the link of a cluster, which is nil where there is
// none. The time is that of the links, in RFC 3339 and UTC; if it is "", nothing
// expires.
func Flaws(t *topology.Topology, c *topology.Cluster, l *topology.SealedLink, now string) []Flaw {
	if l == nil {
		return []Flaw{sealing("RS18", finding.Warning, finding.Position{}, "no sealed link, so Kiali on the hub cannot show the cluster")}
	}
	flaws := ownership(t, c, l)
	if is, source := l.Spec.Source(), t.Spec.Kiali.Links.Source; is != source {
		flaws = append(flaws, sealing("RS06", finding.Error, l.At("spec"), fmt.Sprintf("it was sealed for links.source: %s, and that is %s now",
			is, source)))
	} else if message, at := unopenable(t, c, l); message != "" {
		flaws = append(flaws, sealing("RS06", finding.Error, at, message))
	}
	flaws = append(flaws, recipients(t, l)...)
	flaws = append(flaws, expiry("RS13", "the token in the kubeconfig", l.Spec.TokenExpires, l.At("spec", "tokenExpires"), now)...)
	flaws = append(flaws, expiry("RS04", "the CA in the kubeconfig", l.Spec.CAExpires, l.At("spec", "caExpires"), now)...)
	if l.Spec.Revoked() {
		f := sealing("RS13", finding.Warning, l.At("spec", "tokens"), fmt.Sprintf(
			"the token in the kubeconfig, of generation %d, is revoked, so Kiali does not see the cluster until the link is sealed "+
				"again", l.Spec.Generation))
		f.Hint = "once the Secret " + t.TokenSecret(slices.Max(l.Spec.Tokens)) + " is on the remote: "
		flaws = append(flaws, f)
	}
	if l.Spec.Replaces != "" {
		f := sealing("RS12", finding.Warning, l.At("spec", "replaces"), fmt.Sprintf(
			"links.format has changed: once the hub has the Secret %s, remove the SealedSecret %s from it", l.Spec.Secret.Name, finding.Shorten(
				l.Spec.Replaces)))
		f.Hint, f.Step = "`sightline seal --check` has the commands; then: ", command.Finish
		flaws = append(flaws, f)
	}
	return flaws
}

// sealing is a flaw that sealing again mends.
func sealing(rule string, severity finding.Severity, at finding.Position, message string) Flaw {
	return Flaw{Finding: finding.Finding{Position: at, Rule: rule, Severity: severity, Message: message}, Sealing: true}
}

// ownership finds a link that is another cluster's.
func ownership(t *topology.Topology, c *topology.Cluster, l *topology.SealedLink) []Flaw {
	switch at := l.At("spec", "server"); {
	case l.Name() != c.Name:
		return []Flaw{{Finding: finding.Finding{Position: l.At("metadata", "name"), Rule: "RS01",
			Message: fmt.Sprintf("the file has the name of the cluster, and the link in it is for %q", finding.Shorten(l.Name())),
			Hint:    "name the file after the cluster that it was sealed for, and seal the other link"}}}
	case l.Spec.Secret.Key != c.Name:
		return []Flaw{sealing("RS01", finding.Error, l.At("spec", "secret", "key"),
			fmt.Sprintf("it is sealed for the key %q, expected the cluster's name", finding.Shorten(l.Spec.Secret.Key)))}
	case l.Spec.Server != c.Server:
		i := slices.IndexFunc(t.Spec.Clusters, func(other topology.Cluster) bool { return other.Name == c.Name })
		return []Flaw{sealing("RS01", finding.Error, at, fmt.Sprintf("it is sealed for the server %s, and the topology says %s at %s",
			finding.Shorten(l.Spec.Server), finding.Shorten(c.Server), t.At("spec", "clusters", i, "server").SeenFrom(at)))}
	}
	return nil
}

// unopenable says why the controller on the hub cannot open a link, and where that
// stands; "" if it can.
func unopenable(t *topology.Topology, c *topology.Cluster, l *topology.SealedLink) (string, finding.Position) {
	is, want := l.Spec.Secret, t.SealedFor(c)
	switch problem := damaged(&l.Spec); {
	case l.Spec.SOPS != nil && is.Name != want.Name:
		return fmt.Sprintf("it is encrypted as a part of the Secret %q, and with links.format %s that is not its Secret",
			finding.Shorten(is.Name), t.Spec.Kiali.Links.Format), l.At("spec", "secret", "name")
	case l.Spec.SOPS != nil && problem != "":
		return "encryptedData " + problem, l.At("spec", "encryptedData")
	case l.Spec.SOPS != nil: // the namespace is no part of what is encrypted
	case is.Namespace != want.Namespace:
		return fmt.Sprintf("it is sealed for the namespace %q, and Kiali's is %q; it can be opened nowhere else", finding.Shorten(is.Namespace),
				want.Namespace),
			l.At("spec", "secret", "namespace")
	case is.Name != want.Name:
		return fmt.Sprintf("it is sealed for the Secret %q, and with links.format %s that is not its Secret; it can be opened as no other",
			finding.Shorten(is.Name), t.Spec.Kiali.Links.Format), l.At("spec", "secret", "name")
	case problem != "":
		return "encryptedData " + problem, l.At("spec", "encryptedData")
	}
	return "", finding.Position{}
}

// expiry finds that something has expired or does so soon. All times have the same
// form, in which the later is the greater.
func expiry(rule, what, end string, at finding.Position, now string) []Flaw {
	from, err := time.Parse(time.RFC3339, now)
	switch {
	case end == "" || err != nil:
		return nil
	case end <= now:
		return []Flaw{sealing(rule, finding.Error, at, what+" expired on "+date(end))}
	case end <= stamp(from.Add(Near)):
		return []Flaw{sealing(rule, finding.Warning, at, what+" expires on "+date(end))}
	}
	return nil
}

// date is the day of a time in RFC 3339.
func date(instant string) string {
	day, _, _ := strings.Cut(instant, "T")
	return day
}
