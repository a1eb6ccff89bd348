package resource

import (
	"iter"
	"maps"
)

// Phase is a part of a cluster that is applied as one step.
type Phase string

// The phases. Monitoring gates nothing, so it comes last everywhere.
const (
	Operator   Phase = "operator"
	Kiali      Phase = "kiali"
	Link       Phase = "link"
	Monitoring Phase = "monitoring"
)

// Phases returns the phases in the order in which they are applied: on the
// hub the link's secrets are there before Kiali reads them, which it does once;
// on a remote the token follows the Kiali resource, because the operator makes
// the account that it is for.
func Phases(hub bool) []Phase {
	if hub {
		return []Phase{Operator, Link, Kiali, Monitoring}
	}
	return []Phase{Operator, Kiali, Link, Monitoring}
}

// Resource is a body with its place.
type Resource struct {
	Phase Phase
	Name  string // component-resource, the name of its file
	Body  *Body
	Only  []string // the namespaces that it is repeated for, where that is not all of the cluster's
}

// The scopes of values. A body with a hole of the scope Namespace is repeated
// for every namespace of the cluster.
const (
	ScopeTopology  = "topology"
	ScopeCluster   = "cluster"
	ScopeNamespace = "namespace"
)

// Cluster is one cluster, ready to be packaged: the resources of its shape,
// which it shares with all clusters of that shape, and its own values.
type Cluster struct {
	Name       string
	Hub        bool
	Resources  []Resource
	Values     Values // of the scopes topology and cluster
	Namespaces []string
	Components map[Phase][]string // the kustomize components that change the resources, in order
}

// Each yields the values of every object that the resource is on the cluster:
// one, or one for each namespace. The yielded map is valid until the next.
func (c *Cluster) Each(r Resource) iter.Seq[Values] {
	return func(yield func(Values) bool) {
		if !r.Body.Uses(ScopeNamespace) {
			yield(c.Values)
			return
		}
		values := maps.Clone(c.Values)
		for _, ns := range c.NamespacesOf(r) {
			values[ScopeNamespace] = map[string]any{"name": ns}
			if !yield(values) {
				return
			}
		}
	}
}

// NamespacesOf returns the namespaces that a repeated resource is repeated for.
func (c *Cluster) NamespacesOf(r Resource) []string {
	if r.Only != nil {
		return r.Only
	}
	return c.Namespaces
}

// In yields the resources of a phase, in order.
func (c *Cluster) In(phase Phase) iter.Seq[Resource] {
	return func(yield func(Resource) bool) {
		for _, r := range c.Resources {
			if r.Phase == phase && !yield(r) {
				return
			}
		}
	}
}
