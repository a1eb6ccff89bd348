package status

import (
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// view checks what Kiali sees. Kiali calls every cluster accessible for which
// it has a client, so that field proves nothing (K:istio/discovery.go).
func (j *judge) view() {
	k := j.facts.Kiali
	if j.on = j.Topology.Hub(); k == nil {
		return
	}
	if !j.answers(k) {
		j.stops("view", "ST33")
		return
	}
	j.answering(k)
	j.seen(k)
	j.planes(k)
	j.tracing(k)
}

// answers tells whether Kiali answers.
func (j *judge) answers(k *Kiali) bool {
	switch {
	case k.NoAccess != "" && k.Strategy.Value == "openid":
		j.unchecked("ST21", "open Kiali in a browser and look at the page of the mesh", "%s", k.NoAccess)
	case k.NoAccess != "":
		j.unchecked("ST21", "name Kiali's address with --kiali-url, or give a token with --kiali-token-file -", "%s", k.NoAccess)
	case k.Services.Err != nil && (k.Services.Err.Status == 401 || k.Services.Err.Status == 403):
		j.unchecked("ST21", "give a token that Kiali takes: --kiali-token-file -", "Kiali refuses the login, with the strategy %s: %s",
			k.Strategy.Value, k.Services.Err.Text)
	case k.Services.Err != nil:
		next := j.in(j.Topology.Spec.Kiali.Namespace, "logs deployment/%s", j.Topology.Spec.Kiali.InstanceName)
		j.bad("ST21", next, "Kiali's API returned an error: %s", k.Services.Err.Text)
	default:
		j.good("ST21")
		return true
	}
	return false
}

// answering reads Kiali's list of services. Each cluster that answers now is in
// the list as Kubernetes-<name> (K:status/versions.go).
func (j *judge) answering(k *Kiali) {
	t := j.Topology
	if len(t.Spec.Clusters) < 2 {
		return
	}
	for i := range t.Spec.Clusters {
		j.on = &t.Spec.Clusters[i]
		if t.IsHub(j.on) {
			continue
		}
		if !slices.Contains(k.Services.Value, "Kubernetes-"+j.on.Name) {
			j.bad("ST22", "see the results of the group links for "+j.on.Name+"; then the log of Kiali on the hub",
				"Kiali gets no answer from the API server of %s now", j.on.Name)
			continue
		}
		j.good("ST22")
	}
}

func (j *judge) seen(k *Kiali) {
	t := j.Topology
	if k.Namespaces.Err != nil {
		j.on = t.Hub()
		j.asked("ST23", k.Namespaces.Err)
		return
	}
	for i := range t.Spec.Clusters {
		j.on = &t.Spec.Clusters[i]
		if !j.on.InMesh() {
			continue
		}
		have := k.Namespaces.Value[j.on.Name]
		var missing []string
		for _, ns := range j.namespaces() {
			if !slices.Contains(have, ns) {
				missing = append(missing, ns)
			}
		}
		// It is no fault of the mesh if a user may see only one cluster.
		home := slices.Contains([]string{"openshift", "header", "token"}, k.Strategy.Value) && !t.IsHub(j.on) && len(have) == 0
		switch {
		case home:
			j.unchecked("ST23", "log in to Kiali with a browser",
				"with the strategy %s a token is for the hub only: Kiali shows a program no namespaces of %s", k.Strategy.Value, j.on.Name)
		case len(have) == 0:
			j.bad("ST23", "see the results of the groups links and names for "+j.on.Name, "Kiali shows no namespace of %s", j.on.Name)
		case missing != nil:
			j.bad("ST23", "see that the namespace exists and that Kiali may read it (deployment.discovery_selectors)",
				"Kiali does not show the namespace %s of %s", first(missing), j.on.Name)
		default:
			j.good("ST23")
		}
	}
}

// namespaces lists the cluster's namespaces of the mesh: they have PodMonitors.
func (j *judge) namespaces() []string {
	var names []string
	for _, o := range j.Objects[j.on.Name] {
		if id := resource.IDOf(o); id.Kind == "PodMonitor" {
			names = append(names, id.Namespace)
		}
	}
	return names
}

func (j *judge) planes(k *Kiali) {
	t := j.Topology
	if j.on = t.Hub(); j.on.KialiBefore(kiali.V2_4) {
		j.unchecked("ST24", "", "Kiali %s does not list control planes; v2.4 and later do", j.on.Kiali.Version)
		return
	}
	if k.ControlPlanes.Err != nil {
		j.on = t.Hub()
		j.asked("ST24", k.ControlPlanes.Err)
		return
	}
	for i := range t.Spec.Clusters {
		j.on = &t.Spec.Clusters[i]
		if j.on.ControlPlane.Mode != "local" {
			continue
		}
		var ids []string
		for _, p := range k.ControlPlanes.Value {
			if p.Cluster == j.on.Name {
				ids = append(ids, p.ID)
			}
		}
		wrong := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == j.on.Name || id == "" })
		switch {
		case len(ids) == 0:
			j.bad("ST24", "see the results of the group links for "+j.on.Name, "Kiali finds no control plane on %s", j.on.Name)
		case len(wrong) > 0:
			j.bad("ST24", "give the cluster one name everywhere: sightline explain ST03",
				"Kiali calls the cluster %s, and its istiod calls itself %s: the graph's nodes are inaccessible", j.on.Name, strings.Join(wrong, ", "))
		default:
			j.good("ST24")
		}
	}
}

// tracing checks Kiali's status of the tracing backend. Kiali asks the backend
// at the configured address (K:business/istio_status.go). Kiali's diagnosis of
// tracing is not used, because it tries other ports.
func (j *judge) tracing(k *Kiali) {
	if !Traces(j.Expected) {
		return
	}
	j.on = j.Topology.Hub()
	switch {
	case k.Tracing.Err != nil:
		j.asked("ST33", k.Tracing.Err)
	case k.Tracing.Value == "":
		j.unchecked("ST33", "", "Kiali does not say whether the tracing backend answers: external_services.istio.component_status is off")
	case k.Tracing.Value != "Healthy":
		j.bad("ST33", "see external_services.tracing of the hub's Kiali resource; then "+
			j.in(j.Topology.Spec.Kiali.Namespace, "logs deployment/%s", j.Topology.Spec.Kiali.InstanceName),
			"Kiali calls the tracing backend %s", brief(k.Tracing.Value))
	default:
		j.good("ST33")
	}
}

// Traces tells whether the hub's Kiali should show traces.
func Traces(e Expected) bool {
	return In(KialiSpec(e, e.Topology.Hub()), "external_services", "tracing", "enabled") == true
}
