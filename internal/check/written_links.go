package check

import (
	"strings"

	"github.com/sightline-mesh/sightline/internal/topology"
)

// aboutLinks are the checks of what a topology says about the source of links.
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
			"spec.kiali.links.externalSecrets.store.name is missing; expected the secret store for the tokens")
	}
}

// storeKeys reports a key with which remotes would overwrite each other's
// tokens.
func (s *source) storeKeys() {
	links := s.Spec.Kiali.Links
	if links.Source == "externalSecrets" && len(s.Spec.Clusters) > 2 && !strings.Contains(links.ExternalSecrets.Key, "{cluster}") {
		s.Add(s.At(linksPath("externalSecrets", "key")...), topology.RuleValue, "write a key such as mesh/{cluster}",
			"every remote would store its token under the same key; expected {cluster} in the key, for the name of the remote")
	}
}

// unusedSources reports settings of a source that the topology does not use.
func (s *source) unusedSources() {
	for _, source := range []string{"acm", "externalSecrets", "sops"} {
		path := linksPath(source)
		if s.Spec.Kiali.Links.Source != source && s.Has(path...) {
			s.Add(s.KeyAt(path...), topology.RuleValue, "write source: "+source+", or remove it",
				"spec.kiali.links.%s has no effect, because source is %s", source, s.Spec.Kiali.Links.Source)
		}
	}
}
