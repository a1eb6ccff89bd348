package check

import (
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
)

func platformOfRemotes(m *mesh, f *found) {
	if m.Spec.Kiali.Auth.Strategy != "openshift" {
		return
	}
	for i := range m.Spec.Clusters {
		if i != m.hub && m.Spec.Clusters[i].Platform != "openshift" {
			f.softer(finding.Warning).cluster(m, i, m.At("spec", "clusters", i, "platform"),
				"with auth: {strategy: openid} in spec.kiali, users can log in on every cluster whose API server accepts the provider",
				"users log in at the OAuth server of each cluster, and Kubernetes has none; users see the cluster as inaccessible")
		}
	}
}

func impersonation(m *mesh, f *found) {
	const at = "auth.openshift.impersonation"
	for _, o := range m.kialis {
		if o == nil || !o.has(at) {
			continue
		}
		path := spec(at)
		bad, refused := fieldPath(nil), ""
		empty := true
		for _, list := range []string{"allowed_users", "allowed_groups"} {
			names := textsOf(o.value(path.below(list)))
			empty = empty && len(names) == 0
			for i, name := range names {
				if name == "" || strings.HasPrefix(name, "system:") {
					bad, refused = path.below(list, i), name
				}
			}
		}
		switch {
		case m.Spec.Kiali.Auth.Strategy != "openshift":
			f.object(o, path, "remove it, or leave out spec.kiali.auth.strategy on OpenShift",
				"impersonation needs the strategy openshift, but the strategy is %s", m.Spec.Kiali.Auth.Strategy)
		case m.of(o).Kiali.Version != kiali.Default:
			f.object(o, path, "remove it, and users log in to each cluster", "Kiali %s has no impersonation; it exists from 2.30 on",
				m.of(o).Kiali.Version)
		case m.definitions == nil:
			f.softer(finding.Warning).object(o, path.below("allowed_groups"),
				"compare with the definition of your operator: sightline verify --crds FOLDER; then suppress KC07",
				"the operator's definition may lack auth.openshift.impersonation; the API server drops a field that the definition lacks")
		case !m.definitions.hasField("Kiali", path):
			f.object(o, path.below("allowed_groups"), "remove it, or update the operator first",
				"the definition of the Kiali resource has no auth.openshift.impersonation; the API server drops the field")
		case bad != nil:
			f.object(o, bad, "name users and groups that do not begin with system:", "Kiali refuses to impersonate %q", refused)
		case empty:
			f.softer(finding.Warning).object(o, path, "add allowed_users or allowed_groups",
				"no user or group is named, so Kiali's account may act as any user that is not a system account")
		}
	}
}

func providerUnasked(m *mesh, f *found) {
	if o := m.hubKiali(); o != nil && o.has("auth.openid") && m.Spec.Kiali.Auth.Strategy != "openid" {
		f.object(o, spec("auth.openid"), "write auth: {strategy: openid} in spec.kiali, or remove it",
			"auth.openid has no effect with the strategy %s; if the API servers accept an OIDC provider themselves, OpenShift has no "+
				"OAuthClient, and only the strategy openid lets users in", m.Spec.Kiali.Auth.Strategy)
	}
}

// textsOf returns the strings of a list, either []any from YAML or []string
// from the topology.
func textsOf(v any) []string {
	texts, ok := v.([]string)
	if list, isList := v.([]any); isList && !ok {
		for _, item := range list {
			text, _ := item.(string)
			texts = append(texts, text)
		}
	}
	return texts
}
