package render

import (
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// whereNoOperator is a value of remotes without an operator, nil where they have
// one.
func whereNoOperator(s site, v any) any {
	if s.Spec.Kiali.Operator.Remotes != "none" {
		return nil
	}
	return v
}

// accountRules are the rules of the role of Kiali's account on a cluster, as a
// ClusterRole has them.
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
