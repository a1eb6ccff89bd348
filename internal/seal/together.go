package seal

import (
	"fmt"
	"slices"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// recipients finds a link whose recipients differ from those in the topology.
func recipients(t *topology.Topology, l *topology.SealedLink) []Flaw {
	want := t.Spec.Kiali.Links.SOPS.Age
	if l.Spec.SOPS == nil || len(want) == 0 || slices.Equal(l.Spec.SOPS.Recipients(), slices.Sorted(slices.Values(want))) {
		return nil
	}
	at := l.At("spec", "sops", "age")
	return []Flaw{sealing("RS06", finding.Warning, at, fmt.Sprintf("it is encrypted for %s, but the topology names other recipients at %s",
		finding.Count(len(l.Spec.SOPS.Age), "age recipient"), t.At("spec", "kiali", "links", "sops", "age").SeenFrom(at)))}
}

// Apart returns flaws of links in the format of SOPS that share one Secret, by the names
// of their clusters. It does not repeat flaws of a single link. One data key encrypts
// all values of the Secret, and its MAC is over all of them.
func Apart(t *topology.Topology, links map[string]*topology.SealedLink) map[string]Flaw {
	in := map[string][]string{} // the remotes of each Secret
	for i := range t.Spec.Clusters {
		c := &t.Spec.Clusters[i]
		if l := links[c.Name]; l != nil && l.Spec.SOPS != nil && !t.IsHub(c) && t.Spec.Kiali.Links.Source == "sops" {
			secret := t.SealedFor(c).Name
			in[secret] = append(in[secret], c.Name)
		}
	}
	flaws := map[string]Flaw{}
	for secret, names := range in {
		slices.Sort(names)
		first := links[names[0]].Spec.SOPS
		i := slices.IndexFunc(names, func(name string) bool { return !links[name].Spec.SOPS.Together(first) })
		switch {
		case i >= 0:
			flaws[names[i]] = sealing("RS06", finding.Error, links[names[i]].At("spec", "sops"), fmt.Sprintf(
				"its data key differs from the one of %s, but the Secret %s has one data key for all", names[0], secret))
		case !slices.Equal(first.Keys, names):
			flaws[names[0]] = sealing("RS06", finding.Warning, links[names[0]].At("spec", "sops", "keys"), fmt.Sprintf(
				"the MAC of the Secret %s is over %s, but the Secret has %s: Flux ignores the MAC, but sops --decrypt refuses",
				secret, shortList(first.Keys), shortList(names)))
		}
	}
	return flaws
}

func shortList(names []string) string { return finding.Shorten(finding.List(names, 3)) }
