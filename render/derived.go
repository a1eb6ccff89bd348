package render

import (
	"cmp"
	"strings"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// allowed returns the names that Kiali may impersonate, or nil without
// impersonation.
func allowed(s site, names []string) any {
	switch {
	case !s.Spec.Kiali.Auth.Impersonation.Enabled:
		return nil
	case names == nil:
		return []string{}
	}
	return names
}

// ofSubject returns a value of the subject of a remote's login program.
func ofSubject(of func(*topology.Subject) any) func(s site) any {
	return func(s site) any {
		if s.onHub() || !s.withSubject() {
			return nil
		}
		return of(s.cluster.Access.Exec.Subject)
	}
}

// defaultPort is the port of Kiali's server (kiali config/config.go).
const defaultPort = 20001

// catalog returns the operator's catalog on a platform.
func catalog(t *topology.Topology, platform string) string {
	return cmp.Or(t.Spec.Kiali.Operator.Source, map[string]string{"openshift": "redhat-operators",
		"kubernetes": "operatorhubio-catalog"}[platform])
}

// operatorPackage returns the name of the operator in its catalog. The
// community's catalogs have the upstream package.
func operatorPackage(t *topology.Topology, platform string) string {
	name := "kiali-ossm"
	if kiali.CommunityCatalog(catalog(t, platform)) {
		name = "kiali"
	}
	return cmp.Or(t.Spec.Kiali.Operator.Package, name)
}

// ofACM returns v if takesPart is true, else nil.
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

// ofType returns a credential of the store, or nil if the login has another
// type.
func ofType(kind string, s site, credential string) any {
	if storeAuth(s.Topology).Type != kind {
		return nil
	}
	return credential
}

// managed returns the content of cluster-monitoring-config, or nil if somebody
// else manages it.
func managed(m *topology.UserWorkloadMonitoring) any {
	if m == nil || !m.Manage {
		return nil
	}
	return configText(m.Config)
}

func configText(config map[string]any) string { return string(resource.Encode(nil, config)) }

// callback returns the URI to which users of the hub return after a login.
func callback(t *topology.Topology) string {
	root := strings.TrimSuffix(t.Hub().Kiali.WebRoot, "/")
	return "https://" + t.HubHost() + root + "/api/auth/callback"
}

// kialiSpec returns the fields that the topology merges over the spec of a
// cluster's Kiali resource: first the hub's, then the cluster's.
func kialiSpec(t *topology.Topology, c *topology.Cluster) map[string]any {
	if t.IsHub(c) {
		return resource.Merge(t.Spec.Kiali.Spec, c.Kiali.Spec)
	}
	return c.Kiali.Spec
}
