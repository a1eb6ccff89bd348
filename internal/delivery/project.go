package delivery

import (
	"maps"
	"slices"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// MostDestinations is how many destinations a project lists: about 100 kB of
// YAML. A topology that would have more permits every namespace of its clusters.
const MostDestinations = 1000

// destinations are what the project permits: the namespaces that the clusters
// have objects in, on each cluster.
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
				to := destination(t, &t.Spec.Clusters[i])
				to["namespace"] = namespace
				all = append(all, to)
			}
		}
	}
	return all, nil
}

// namespacesOf lists the namespaces that a cluster has objects in, or is to have
// no more, sorted.
func namespacesOf(t *topology.Topology, c *resource.Cluster) ([]string, error) {
	argo := t.Spec.Delivery.ArgoCD
	in := map[string]bool{t.Spec.Kiali.Namespace: true} // the Application's own
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
	delete(in, "") // of objects that are in no namespace
	return slices.Sorted(maps.Keys(in)), nil
}
