package render

import (
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// value is a value that templates place. Its row in values is the only
// description of it.
type value struct {
	hole  string // the path in templates, beginning with the scope
	chart string // the path in the chart; "": one chart value stands for two
	from  string // the fields of the topology from which it follows, the deciding one first
	doc   string // what it is, for readers of the chart

	// of returns the value, or nil if a shape has none.
	of func(s site) any
	// otherwise returns the chart's default if no cluster has to set the value.
	// If otherwise is nil, the default is the topology's value, and a value of
	// clusters has no default.
	otherwise func(t *topology.Topology) any
}

// site is the source of values: a topology with its links and, for the scope
// cluster, a cluster.
type site struct {
	*topology.Topology
	cluster *topology.Cluster
	links   Links
	home    string // the URI to which logins on the hub return
}

func (s site) onHub() bool { return s.IsHub(s.cluster) }

// withSubject tells whether the program of the cluster's link has a subject
// that gets rights.
func (s site) withSubject() bool {
	return s.cluster.Access.Exec != nil && s.cluster.Access.Exec.Subject != nil
}

// leaves are values by their path within a scope.
type leaves = map[string]any

// given returns v, or nil if v is empty.
func given[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// Origins returns the fields of the topology from which a value of templates
// follows, the deciding one first. In a path, spec.clusters[] stands for the
// cluster and spec.clusters[hub] for the hub.
func Origins(hole string) []string {
	for i := range values {
		if values[i].hole == hole {
			return strings.Fields(values[i].from)
		}
	}
	return nil
}

// inScope returns the existing values of one scope, by path.
func inScope(scope string, s site) leaves {
	all := leaves{}
	for i := range values {
		v := &values[i]
		if path, ok := strings.CutPrefix(v.hole, scope+"."); ok {
			if value := v.of(s); value != nil {
				all[path] = value
			}
		}
	}
	return all
}

// topologyValues returns the values that all clusters share.
func topologyValues(t *topology.Topology) leaves {
	return inScope(resource.ScopeTopology, site{Topology: t})
}

// clusterValues returns the values of one cluster.
func clusterValues(t *topology.Topology, c *topology.Cluster, home string, links Links) leaves {
	return inScope(resource.ScopeCluster, site{Topology: t, cluster: c, home: home, links: links})
}

// general returns the value's default in the chart, or nil for a value of
// clusters without a default.
func (v *value) general(t *topology.Topology) any {
	switch {
	case v.otherwise != nil:
		return v.otherwise(t)
	case strings.HasPrefix(v.hole, resource.ScopeTopology+"."):
		return v.of(site{Topology: t})
	}
	return nil
}
