package seal

import (
	"fmt"
	"slices"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// recipients finds a link that is encrypted for others than the topology names.
func recipients(t *topology.Topology, l *topology.SealedLink) []Flaw {
	want := t.Spec.Kiali.Links.SOPS.Age
	if l.Spec.SOPS == nil || len(want) == 0 || slices.Equal(l.Spec.SOPS.Recipients(), slices.Sorted(slices.Values(want))) {
		return nil
	}
	at := l.At("spec", "sops", "age")
	return []Flaw{sealing("RS06", finding.Warning, at, fmt.Sprintf("it is encrypted for %s, and the topology names others at %s",
		finding.Count(len(l.Spec.SOPS.Age), "age recipient"), t.At("spec", "kiali", "links", "sops", "age").SeenFrom(at)))}
}

// Apart are what is wrong with links in the format of SOPS that are in one Secret,
// beside what is wrong with each of them, by the names of their clusters. One data key
// encrypts all values of the Secret, and its MAC is over all of them.
func Apart(t *topology.Topology, links map[string]*topology.SealedLink) map[string]Flaw {
	in := map[string][]string{} // the remotes, by their Secret
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
				"it is encrypted with another data key than that of %s, and the Secret %s has one for all", names[0], secret))
		case !slices.Equal(first.Keys, names):
			flaws[names[0]] = sealing("RS06", finding.Warning, links[names[0]].At("spec", "sops", "keys"), fmt.Sprintf(
				"the MAC of the Secret %s is over %s, and the Secret has %s: Flux does not look at the MAC, but sops --decrypt refuses",
				secret, shortList(first.Keys), shortList(names)))
		}
	}
	return flaws
}

func shortList(names []string) string { return finding.Shorten(finding.List(names, 3)) }
