package render

import (
	"cmp"
	"strings"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// allowed are the names that Kiali may act as, or nil where it acts as nobody.
func allowed(s site, names []string) any {
	switch {
	case !s.Spec.Kiali.Auth.Impersonation.Enabled:
		return nil
	case names == nil:
		return []string{}
	}
	return names
}

// ofSubject gives a value of who a remote's login program is on its cluster.
func ofSubject(of func(*topology.Subject) any) func(s site) any {
	return func(s site) any {
		if s.onHub() || !s.withSubject() {
			return nil
		}
		return of(s.cluster.Access.Exec.Subject)
	}
}

// defaultPort is that of Kiali's server (kiali config/config.go).
const defaultPort = 20001

// catalog is where the operator comes from on a platform.
func catalog(t *topology.Topology, platform string) string {
	return cmp.Or(t.Spec.Kiali.Operator.Source, map[string]string{"openshift": "redhat-operators",
		"kubernetes": "operatorhubio-catalog"}[platform])
}

// operatorPackage names the operator in its catalog: those of the community have
// the upstream package.
func operatorPackage(t *topology.Topology, platform string) string {
	name := "kiali-ossm"
	if kiali.CommunityCatalog(catalog(t, platform)) {
		name = "kiali"
	}
	return cmp.Or(t.Spec.Kiali.Operator.Package, name)
}

// ofACM is a value of the store acm, nil where it does not take part.
func ofACM[T any](takesPart bool, v T) any {
	if !takesPart {
		return nil
	}
	return v
}

func storeURL(t *topology.Topology) string {
	switch t.Spec.Metrics.Store {
	case "prometheus":
		return t.Spec.Metrics.Prometheus.URL
	case "thanos":
		return t.Spec.Metrics.Thanos.URL
	case "acm":
		return acmURL(t)
	}
	return ""
}

func storeAuth(t *topology.Topology) topology.StoreAuth {
	switch t.Spec.Metrics.Store {
	case "prometheus":
		return t.Spec.Metrics.Prometheus.Auth
	case "thanos":
		return t.Spec.Metrics.Thanos.Auth
	}
	return topology.StoreAuth{Type: "none"}
}

// ofType is a credential of the store, nil where its login is of another type.
func ofType(kind string, s site, credential string) any {
	if storeAuth(s.Topology).Type != kind {
		return nil
	}
	return credential
}

// managed is the content of cluster-monitoring-config, nil where it is somebody
// else's.
func managed(m *topology.UserWorkloadMonitoring) any {
	if m == nil || !m.Manage {
		return nil
	}
	return configText(m.Config)
}

func configText(config map[string]any) string { return string(resource.Encode(nil, config)) }

// callback is the URI that users of the hub come back to from a login.
func callback(t *topology.Topology) string {
	root := strings.TrimSuffix(t.Hub().Kiali.WebRoot, "/")
	return "https://" + t.HubHost() + root + "/api/auth/callback"
}

// kialiSpec is what the topology merges over the spec of a cluster's Kiali
// resource: what it says about the hub, and over that what the cluster says.
func kialiSpec(t *topology.Topology, c *topology.Cluster) map[string]any {
	if t.IsHub(c) {
		return resource.Merge(t.Spec.Kiali.Spec, c.Kiali.Spec)
	}
	return c.Kiali.Spec
}
