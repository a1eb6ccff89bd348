package render

import (
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// shape is everything about a cluster that templates may branch on. Clusters
// of one shape have the same bodies.
type shape struct {
	Hub              bool `json:"hub"`
	Operator         bool `json:"operator"`     // the operator comes by OLM
	ControlPlane     bool `json:"controlPlane"` // an istiod runs here
	Telemetry        bool `json:"telemetry"`
	MonitoringConfig bool `json:"monitoringConfig"` // cluster-monitoring-config is ours
	PrometheusMerge  bool `json:"prometheusMerge"`
}

func shapeOf(t *topology.Topology, c *topology.Cluster) shape {
	istiod := c.ControlPlane.Mode == "local"
	return shape{
		Hub:              t.IsHub(c),
		Operator:         t.Spec.Kiali.Operator.Install == "olm",
		ControlPlane:     istiod,
		Telemetry:        istiod && t.Spec.Telemetry.Manage,
		MonitoringConfig: t.Spec.Metrics.UserWorkloadMonitoring.Manage,
		PrometheusMerge:  t.Spec.Metrics.PrometheusMerge,
	}
}

// leaves are values by their path; what is derived from the topology is
// derived here, once.
type leaves = map[string]any

func topologyValues(t *topology.Topology) leaves {
	s := t.Spec
	kiali := s.Kiali.InstanceName + "-" + s.Kiali.Namespace
	values := leaves{
		"name":                       t.Metadata.Name,
		"mesh.id":                    s.Mesh.ID,
		"mesh.controlPlaneNamespace": s.Mesh.ControlPlaneNamespace,
		"kiali.instanceName":         s.Kiali.InstanceName,
		"kiali.namespace":            s.Kiali.Namespace,
		"kiali.serviceAccount":       s.Kiali.InstanceName + "-service-account", // as the operator names it
		"kiali.monitoringView":       kiali + "-monitoring-view",
		"operator.package":           operatorPackage(s.Kiali.Operator.Source),
		"operator.channel":           s.Kiali.Operator.Channel,
		"operator.source":            s.Kiali.Operator.Source,
		"metrics.interval":           s.Metrics.Interval,
		"telemetry.name":             s.Telemetry.Name,
	}
	if uwm := s.Metrics.UserWorkloadMonitoring; uwm.Manage {
		values["monitoringConfig"] = string(resource.Encode(nil, uwm.Config))
	}
	return values
}

// operatorPackage names the operator in a catalog: the community's catalog
// has the upstream package.
func operatorPackage(source string) string {
	if source == "community-operators" {
		return "kiali"
	}
	return "kiali-ossm"
}

func clusterValues(c *topology.Cluster, hubHost string) leaves {
	return leaves{
		"name": c.Name,
		// Kiali's server takes the first redirect URI of a remote's
		// OAuthClient, and routes the callback by its last part.
		"callback": "https://" + hubHost + "/api/auth/callback/" + c.Name,
	}
}

// hubHost is the host of the hub's Kiali: what the topology says, else what
// OpenShift names a route by default.
func hubHost(t *topology.Topology) string {
	hub := t.Hub()
	if hub.Kiali.Host != "" {
		return hub.Kiali.Host
	}
	return t.Spec.Kiali.InstanceName + "-" + t.Spec.Kiali.Namespace + "." + hub.Domain
}

// namespacesOf lists the namespaces of a cluster in which proxies run, the
// control plane's with its gateways among them, sorted, each once.
func namespacesOf(t *topology.Topology, c *topology.Cluster) []string {
	namespaces := slices.Concat([]string{t.Spec.Mesh.ControlPlaneNamespace}, t.Spec.Namespaces, c.Namespaces)
	slices.Sort(namespaces)
	return slices.Compact(namespaces)
}

// nested turns leaves into the tree that templates see, each leaf as value
// gives it.
func nested(flat leaves, value func(path string, leaf any) any) map[string]any {
	tree := map[string]any{}
	for path, leaf := range flat {
		m := tree
		keys := strings.Split(path, ".")
		for _, key := range keys[:len(keys)-1] {
			below, ok := m[key].(map[string]any)
			if !ok {
				below = map[string]any{}
				m[key] = below
			}
			m = below
		}
		m[keys[len(keys)-1]] = value(path, leaf)
	}
	return tree
}
