package check

import (
	"strings"

	"github.com/sightline-mesh/sightline/internal/topology"
)

// aboutLinks are the checks of what a topology says about where links come from.
func aboutLinks() []reading {
	const links = "kiali.links."
	return []reading{
		{reads: links + "source " + links + "externalSecrets.store.name", find: (*source).secretStore},
		{reads: links + "source " + links + "externalSecrets.key", find: (*source).storeKeys},
		{reads: links + "source", find: (*source).unusedSources},
	}
}

func linksPath(keys ...any) []any { return append([]any{"spec", "kiali", "links"}, keys...) }

func (s *source) secretStore() {
	if links := s.Spec.Kiali.Links; links.Source == "externalSecrets" && links.ExternalSecrets.Store.Name == "" {
		s.Add(s.At(linksPath("source")...), topology.RuleMissing, "add externalSecrets: {store: {name: vault}}, the ClusterSecretStore on "+
			"every cluster",
			"spec.kiali.links.externalSecrets.store.name is missing; expected the store that the tokens come through")
	}
}

// storeKeys finds remotes that would write over each other's tokens.
func (s *source) storeKeys() {
	links := s.Spec.Kiali.Links
	if links.Source == "externalSecrets" && len(s.Spec.Clusters) > 2 && !strings.Contains(links.ExternalSecrets.Key, "{cluster}") {
		s.Add(s.At(linksPath("externalSecrets", "key")...), topology.RuleValue, "write it like mesh/{cluster}",
			"every remote would put its token under the same key; expected {cluster} in it, for the name of the remote")
	}
}

// unusedSources finds what is said of a source that is not the one.
func (s *source) unusedSources() {
	for _, source := range []string{"externalSecrets", "sops"} {
		path := linksPath(source)
		if s.Spec.Kiali.Links.Source != source && s.Has(path...) {
			s.Add(s.KeyAt(path...), topology.RuleValue, "write source: "+source+", or remove it",
				"spec.kiali.links.%s has no effect, because source is %s", source, s.Spec.Kiali.Links.Source)
		}
	}
}
