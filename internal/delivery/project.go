package delivery

import (
	"maps"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// MostDestinations is the maximum number of destinations that a project lists:
// about 100 kB of YAML. If a topology needs more, the project permits every
// namespace of its clusters.
const MostDestinations = 1000

// destinations returns what the project permits: on each cluster, the
// namespaces in which the cluster has objects.
func destinations(t *topology.Topology, in Input, order []int) ([]any, error) {
	most := 0
	for i := range in.Clusters {
		most += len(in.Clusters[i].Namespaces)
	}
	all := []any{}
	seen := map[string]bool{}
	for _, i := range order {
		namespaces := []string{"*"}
		if most <= MostDestinations && !in.AnyNamespace {
			var err error
			if namespaces, err = namespacesOf(t, &in.Clusters[i]); err != nil {
				return nil, err
			}
		}
		server, name := t.ArgoCDKnows(&t.Spec.Clusters[i])
		for _, namespace := range namespaces {
			if key := server + " " + name + " " + namespace; !seen[key] {
				seen[key] = true
				to := permitted(server, name)
				to["namespace"] = namespace
				all = append(all, to)
			}
		}
	}
	return all, nil
}

// permitted returns how a project lists a cluster that Argo CD knows by a server or
// by a name. Argo CD compares both as patterns: to it, the brackets of an IPv6
// address are a list of characters.
func permitted(server, name string) map[string]any {
	return destination(literally.Replace(server), literally.Replace(name))
}

// literally puts a backslash before the characters that are special in a pattern of
// github.com/gobwas/glob, which Argo CD uses.
var literally = strings.NewReplacer(`*`, `\*`, `?`, `\?`, `\`, `\\`, `[`, `\[`, `]`, `\]`, `{`, `\{`, `}`, `\}`)

// namespacesOf lists the namespaces in which a cluster has objects, and the
// namespaces from which Argo CD must still remove objects. They are sorted.
func namespacesOf(t *topology.Topology, c *resource.Cluster) ([]string, error) {
	argo := t.Spec.Delivery.ArgoCD
	in := map[string]bool{t.Spec.Kiali.Namespace: true} // the namespace of the Application itself
	if t.OperatorByChart() || argo.Permit.OperatorChart {
		in[t.Spec.Kiali.Operator.Chart.Namespace] = true
	}
	for _, namespace := range slices.Concat(c.Namespaces, argo.Permit.Namespaces) {
		in[namespace] = true
	}
	for _, r := range c.Resources {
		for values := range c.Each(r) {
			id, err := r.Body.ID(values)
			if err != nil {
				return nil, err
			}
			in[id.Namespace] = true
		}
	}
	delete(in, "") // the key of objects without a namespace
	return slices.Sorted(maps.Keys(in)), nil
}
