package resource

import (
	"iter"
	"maps"
	"slices"
)

// Phase is a part of a cluster that is applied as one step.
type Phase string

// The phases. Monitoring gates nothing, so it comes last everywhere.
const (
	Operator   Phase = "operator"
	Kiali      Phase = "kiali"
	Link       Phase = "link"
	Monitoring Phase = "monitoring"
	ACM        Phase = "acm" // the objects on the cluster on which ACM runs
)

// Phases returns the phases in the order in which they are applied. On the hub,
// the link's Secrets exist before Kiali starts, because Kiali reads them once.
// On a remote, the token follows the Kiali resource, because the operator
// creates the token's account. The Policies on the ACM hub come early, because
// one of them copies the certificate that Kiali's pod needs to start.
func Phases(hub bool) []Phase {
	if hub {
		return []Phase{Operator, ACM, Link, Kiali, Monitoring}
	}
	return []Phase{Operator, ACM, Kiali, Link, Monitoring}
}

// Resource is a body with its place.
type Resource struct {
	Phase Phase
	Name  string // component-resource, also the name of its file
	Body  *Body
	Only  []string // the names of the items for which it is repeated, if these are not all items of the cluster
}

// The scopes of values. The first two have one set of values for each cluster. A
// body with a hole of another scope is repeated for every item of this scope on
// the cluster. Each item has a name.
const (
	ScopeTopology     = "topology"
	ScopeCluster      = "cluster"
	ScopeNamespace    = "namespace"
	ScopeLink         = "link"         // on the hub, a remote's link, if each has its own Secret
	ScopeEncrypted    = "encrypted"    // as ScopeLink, if SOPS encrypted the Secret
	ScopeToken        = "token"        // on a remote, a token after the first
	ScopeFetched      = "fetched"      // as ScopeLink, if the kubeconfig is made from a secret store
	ScopeManaged      = "managed"      // on the ACM hub, a remote whose link a Policy makes
	ScopeRule         = "rule"         // on the ACM hub, a namespace of the mesh
	ScopeCreated      = "created"      // a namespace that is created
	ScopeControlPlane = "controlPlane" // a namespace of a further istiod, which serves other clusters
)

// repeating returns the scopes for which bodies are repeated.
func repeating() []string {
	return []string{ScopeNamespace, ScopeLink, ScopeEncrypted, ScopeToken, ScopeFetched, ScopeManaged, ScopeRule, ScopeCreated,
		ScopeControlPlane}
}

// Item is one of the items for which a body is repeated: its values by their
// path. One value is the item's name, which can be the name of a file.
type Item map[string]any

// Name is the name of the item.
func (i Item) Name() string { return text(i["name"]) }

// Cluster is one cluster, ready for output: the resources of its shape, shared
// with all clusters of the shape, and its own values.
type Cluster struct {
	Name       string
	Hub        bool
	Resources  []Resource
	Values     Values // of the scopes topology and cluster
	Namespaces []string

	// MeshNamespaces are the Namespaces that every cluster of the mesh has, in
	// the same order.
	MeshNamespaces []string

	Items      map[string][]Item  // of the other scopes
	Components map[Phase][]string // the kustomize components that change the resources, in order
}

// Each yields the values of every object of the resource on the cluster: of one
// object, or of one object for each item for which it is repeated. A yielded
// map is valid until the next one.
func (c *Cluster) Each(r Resource) iter.Seq[Values] {
	return func(yield func(Values) bool) {
		scope := r.Body.Repeated()
		if scope == "" {
			yield(c.Values)
			return
		}
		values := maps.Clone(c.Values)
		if scope == ScopeNamespace {
			namespace := map[string]any{}
			values[scope] = namespace
			for _, ns := range c.NamespacesOf(r) {
				namespace["name"] = ns
				if !yield(values) {
					return
				}
			}
			return
		}
		for _, item := range c.Items[scope] {
			if r.Only != nil && !slices.Contains(r.Only, item.Name()) {
				continue
			}
			values[scope] = item
			if !yield(values) {
				return
			}
		}
	}
}

// ItemOf names the item to which values from Each belong, or "" if the resource
// is not repeated.
func (r Resource) ItemOf(values Values) string {
	return text(values[r.Body.Repeated()]["name"])
}

// NamespacesOf returns the namespaces in which the cluster has a resource with
// one object for each namespace.
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
