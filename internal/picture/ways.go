package picture

import (
	"net/url"
	"slices"

	"github.com/sightline-mesh/sightline/internal/openshift"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// login says how users log in.
func login(t *topology.Topology) string {
	auth := &t.Spec.Kiali.Auth
	if auth.Impersonation.Enabled {
		return "one OpenShift login, by impersonation"
	}
	switch auth.Strategy {
	case "openshift":
		if len(t.Spec.Clusters) == 1 {
			return "OpenShift login"
		}
		return "OpenShift login on each cluster"
	case "openid":
		return "OpenID Connect"
	case "anonymous":
		return "no login"
	case "token":
		return "a token that users paste"
	case "header":
		return "a proxy in front of Kiali"
	}
	return auth.Strategy
}

// delivery says how objects come to the clusters.
func delivery(t *topology.Topology) string {
	d := t.Spec.Delivery
	switch {
	case d == nil:
		return ""
	case d.ArgoCD != nil && d.ArgoCD.Pulled():
		return "Argo CD on each cluster, by ACM"
	case d.ArgoCD != nil && slices.ContainsFunc(t.Spec.Clusters, func(c topology.Cluster) bool {
		return c.Name == d.ArgoCD.Cluster && c.ArgoCD != nil
	}):
		return "Argo CD elsewhere"
	case d.ArgoCD != nil:
		return "Argo CD on " + d.ArgoCD.Cluster
	case d.Flux != nil && d.Flux.Mode == "standalone":
		return "Flux on each cluster"
	case d.Flux != nil:
		return "Flux on " + d.Flux.Cluster
	}
	return ""
}

// store returns the store from which Kiali reads metrics.
func store(t *topology.Topology) Backend {
	m := &t.Spec.Metrics
	switch m.Store {
	case "thanos":
		b := Backend{Name: "Thanos", Place: host(m.Thanos.URL), By: "metrics by other means"}
		if m.Thanos.RemoteWrite != nil {
			b.By = "metrics by remote write"
		}
		return b
	case "prometheus":
		b := Backend{Name: "Prometheus", Place: host(m.Prometheus.URL), By: "metrics by other means"}
		if len(t.Spec.Clusters) == 1 {
			b.By = ""
		}
		return b
	case "acm":
		place := "on an ACM hub outside"
		if m.ACM.Hub != "" {
			place = "on " + m.ACM.Hub
		}
		return Backend{Name: "ACM", Place: place, By: "series collected by ACM"}
	}
	return Backend{Name: openshift.Querier().Name, Place: "on " + t.Spec.Kiali.Hub}
}

// traces returns the backend of traces.
func traces(t *topology.Topology) Backend {
	by := "traces by other means"
	switch t.TracesIn() {
	case "jaeger":
		return Backend{Name: "Jaeger", Place: host(t.QueryURL()), By: by}
	case "tempo":
		return Backend{Name: "Tempo", Place: host(t.QueryURL()), By: by}
	case "stack":
		if t.Spec.Tracing.Collectors.Manage {
			by = "traces by collectors"
		}
		tempo := &t.Spec.Tracing.Tempo
		return Backend{Name: "TempoStack", Place: tempo.Namespace + "/" + tempo.Name + " on " + t.Spec.Kiali.Hub, By: by}
	}
	return Backend{}
}

func host(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return ""
}
