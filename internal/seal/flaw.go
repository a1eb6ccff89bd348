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

// Flaw is a mistake in a link that the topology and the link show. verify applies its
// rule too.
type Flaw struct {
	finding.Finding              // without a position if there is no link
	Sealing         bool         // a command of seal corrects it, and the end of the hint is that command
	Step            command.Step // the step of that command
}

// Flaws returns the flaws of the link of a cluster. l is nil if there is no link. now is
// the present time in RFC 3339 and UTC; if it is "", nothing expires.
func Flaws(t *topology.Topology, c *topology.Cluster, l *topology.SealedLink, now string) []Flaw {
	if l == nil {
		return []Flaw{sealing("RS18", finding.Warning, finding.Position{}, "no sealed link, so Kiali on the hub cannot show the cluster")}
	}
	flaws := ownership(t, c, l)
	if is, source := l.Spec.Source(), t.Spec.Kiali.Links.Source; is != source {
		flaws = append(flaws, sealing("RS06", finding.Error, l.At("spec"), fmt.Sprintf(
			"it was sealed for links.source: %s, but the topology now says %s", is, source)))
	} else if message, at := unopenable(t, c, l); message != "" {
		flaws = append(flaws, sealing("RS06", finding.Error, at, message))
	}
	flaws = append(flaws, recipients(t, l)...)
	flaws = append(flaws, expiry("RS13", "the token in the kubeconfig", l.Spec.TokenExpires, l.At("spec", "tokenExpires"), now)...)
	flaws = append(flaws, expiry("RS04", "the CA in the kubeconfig", l.Spec.CAExpires, l.At("spec", "caExpires"), now)...)
	if l.Spec.Revoked() {
		f := sealing("RS13", finding.Warning, l.At("spec", "tokens"), fmt.Sprintf(
			"the token in the kubeconfig, of generation %d, is revoked, so Kiali cannot show the cluster until the link is sealed "+
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

// sealing returns a flaw that a new seal corrects.
func sealing(rule string, severity finding.Severity, at finding.Position, message string) Flaw {
	return Flaw{Finding: finding.Finding{Position: at, Rule: rule, Severity: severity, Message: message}, Sealing: true}
}

// ownership finds a link that belongs to another cluster.
func ownership(t *topology.Topology, c *topology.Cluster, l *topology.SealedLink) []Flaw {
	switch at := l.At("spec", "server"); {
	case l.Name() != c.Name:
		return []Flaw{{Finding: finding.Finding{Position: l.At("metadata", "name"), Rule: "RS01",
			Message: fmt.Sprintf("the file has the name of the cluster, but the link in it is for %q", finding.Shorten(l.Name())),
			Hint:    "give the file the name of its cluster, and seal the other link"}}}
	case l.Spec.Secret.Key != c.Name:
		return []Flaw{sealing("RS01", finding.Error, l.At("spec", "secret", "key"),
			fmt.Sprintf("it is sealed for the key %q, expected the cluster's name", finding.Shorten(l.Spec.Secret.Key)))}
	case l.Spec.Server != c.Server:
		i := slices.IndexFunc(t.Spec.Clusters, func(other topology.Cluster) bool { return other.Name == c.Name })
		return []Flaw{sealing("RS01", finding.Error, at, fmt.Sprintf("it is sealed for the server %s, but the topology says %s at %s",
			finding.Shorten(l.Spec.Server), finding.Shorten(c.Server), t.At("spec", "clusters", i, "server").SeenFrom(at)))}
	}
	return nil
}

// unopenable says why the controller on the hub cannot open a link, with the position of
// the reason. It returns "" if the controller can open it.
func unopenable(t *topology.Topology, c *topology.Cluster, l *topology.SealedLink) (string, finding.Position) {
	is, want := l.Spec.Secret, t.SealedFor(c)
	switch problem := damaged(&l.Spec); {
	case l.Spec.SOPS != nil && is.Name != want.Name:
		return fmt.Sprintf("it is encrypted as a part of the Secret %q, but with links.format %s it belongs to another Secret",
			finding.Shorten(is.Name), t.Spec.Kiali.Links.Format), l.At("spec", "secret", "name")
	case l.Spec.SOPS != nil && problem != "":
		return "encryptedData " + problem, l.At("spec", "encryptedData")
	case l.Spec.SOPS != nil: // the encryption does not include the namespace
	case is.Namespace != want.Namespace:
		return fmt.Sprintf("it is sealed for the namespace %q, but Kiali's is %q; the controller opens it only in its namespace",
				finding.Shorten(is.Namespace), want.Namespace),
			l.At("spec", "secret", "namespace")
	case is.Name != want.Name:
		return fmt.Sprintf("it is sealed for the Secret %q, but with links.format %s it belongs to another Secret",
			finding.Shorten(is.Name), t.Spec.Kiali.Links.Format), l.At("spec", "secret", "name")
	case problem != "":
		return "encryptedData " + problem, l.At("spec", "encryptedData")
	}
	return "", finding.Position{}
}

// expiry returns a flaw if end has passed or is near. All times have the same form, so
// they can be compared as strings.
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

// date returns the day of a time in RFC 3339.
func date(instant string) string {
	day, _, _ := strings.Cut(instant, "T")
	return day
}
