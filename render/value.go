package render

import (
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// value is a value that templates place. Its row in values is the only place
// where it is said what it is.
type value struct {
	hole  string // where templates have it: its scope, and its path within that
	chart string // where the chart has it; "": the chart has one value for two
	from  string // the fields of the topology that it follows from, the one with the last word first
	doc   string // what it is, for those who read the chart

	// of gives the value, nil for a shape that has none.
	of func(s site) any
	// otherwise is its default in the chart where no cluster has to say it; nil: it
	// is the topology's value, and a value of clusters has no default.
	otherwise func(t *topology.Topology) any
}

// site is what values are taken from: a topology with its links and, for those
// of the scope cluster, a cluster.
type site struct {
	*topology.Topology
	cluster *topology.Cluster
	links   Links
	home    string // where logins on the hub come back to
}

func (s site) onHub() bool { return s.IsHub(s.cluster) }

// withSubject tells whether the program of the cluster's link is somebody whom we
// give rights.
func (s site) withSubject() bool {
	return s.cluster.Access.Exec != nil && s.cluster.Access.Exec.Subject != nil
}

// leaves are values by their path within a scope.
type leaves = map[string]any

// given is a value, or nil where it is empty.
func given[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// Origins are the fields of the topology that a value which templates place follows
// from, the one with the last word first. In spec.clusters[] stands for the cluster
// and spec.clusters[hub] for the hub.
func Origins(hole string) []string {
	for i := range values {
		if values[i].hole == hole {
			return strings.Fields(values[i].from)
		}
	}
	return nil
}

// inScope gives the values of one scope that there are, by their paths.
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

// topologyValues are the values that all clusters share.
func topologyValues(t *topology.Topology) leaves {
	return inScope(resource.ScopeTopology, site{Topology: t})
}

// clusterValues are the values of one cluster.
func clusterValues(t *topology.Topology, c *topology.Cluster, home string, links Links) leaves {
	return inScope(resource.ScopeCluster, site{Topology: t, cluster: c, home: home, links: links})
}

// general is the value's default in the chart, nil for a value of clusters that
// has none.
func (v *value) general(t *topology.Topology) any {
	switch {
	case v.otherwise != nil:
		return v.otherwise(t)
	case strings.HasPrefix(v.hole, resource.ScopeTopology+"."):
		return v.of(site{Topology: t})
	}
	return nil
}
