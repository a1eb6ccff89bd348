package render

import (
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// whereNoOperator returns v if the remotes have no operator, else nil.
func whereNoOperator(s site, v any) any {
	if s.Spec.Kiali.Operator.Remotes != "none" {
		return nil
	}
	return v
}

// accountRules returns the rules of the role for Kiali's account on a cluster,
// in the form of a ClusterRole.
func accountRules(t *topology.Topology, c *topology.Cluster) []any {
	var rules []any
	for _, r := range kiali.AccountRules(c.Kiali.Version, c.Platform, t.EditsMesh()) {
		rules = append(rules, resource.Object{"apiGroups": texts(r.Groups), "resources": texts(r.Resources), "verbs": texts(r.Verbs)})
	}
	return rules
}

func texts(list []string) []any {
	all := make([]any, len(list))
	for i, s := range list {
		all[i] = s
	}
	return all
}
