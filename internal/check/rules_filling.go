package check

import (
	"net/url"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/openshift"
)

// fillingRules are about what fills the store: the Prometheus servers of
// OpenShift's monitoring operator, or something else.
func fillingRules() []Rule {
	return []Rule{
		{
			ID:    "PM27",
			Title: "OpenShift's monitoring operator accepts its config",
			What: "In cluster-monitoring-config and user-workload-monitoring-config, every field exists and has its type. No external label " +
				"is cluster, prometheus or prometheus_replica.",
			Why: "The operator accepts or refuses the whole content. From OpenShift 4.19 on it refuses the label cluster, and from 4.18 on " +
				"an unknown field. After a refusal monitoring stays unchanged, and no series reaches the store.",
			Fix:    "Follow the hint. For the label with the cluster's name, set remoteWrite.clusterLabel.",
			Source: "cluster-monitoring-operator pkg/manifests/config.go, types.go; commit 3c35f55f4",
			mesh:   monitoringConfigs,
		},
		{
			ID: "PM28", Severity: finding.Info,
			Title: "the store counts the two replicas once",
			What: "With remoteWrite, the store deduplicates by the external label prometheus_replica. No file can show this, so this is a " +
				"reminder.",
			Why: "User workload monitoring runs two Prometheus servers. Both write every series, and only the label prometheus_replica " +
				"differs. A store that does not deduplicate doubles every rate.",
			Fix: "Thanos: give each querier --query.replica-label=prometheus_replica, in addition to the replica label of its receivers. " +
				"Mimir: turn on the HA tracker. Then suppress PM28.",
			Source: "cluster-monitoring-operator assets/prometheus-user-workload/prometheus.yaml (replicas: 2); thanos docs/components/query.md",
			mesh:   twoReplicas,
		},
		{
			ID: "PM30", Severity: finding.Warning,
			Title: "Kiali v1.73 and v2.4 trust the store's certificate",
			What: "On OpenShift with Kiali v1.73 or v2.4, an https store is a Service of the cluster, or " +
				"external_services.prometheus.auth.ca_file names its CA.",
			Why: "The operator's role sets ca_file to the service CA, and these release lines trust only this file. Any other certificate, " +
				"even a public one, is from an unknown authority.",
			Fix: "Put the CA into a Secret, mount the Secret with deployment.custom_secrets and name the file in ca_file. Or use v2.11 " +
				"or a later release line.",
			Source: "kiali-operator roles/v2.4/kiali-deploy/tasks/main.yml; kiali config/config.go",
			mesh:   storesOfOldLines,
		},
		{
			ID: "PM29", Severity: finding.Info, Also: finding.Warning,
			Title: "the rendered monitors fill the store",
			What:  "With the store prometheus, metrics.scope says which series Kiali asks for. An empty query_scope in kiali.spec has no effect.",
			Why: "By default, Kiali asks for series with the label mesh_id. Only Sightline's monitors add this label. Istio's sample " +
				"Prometheus, a cloud's managed collector and a single monitor for all namespaces do not add it. Then every graph is empty, " +
				"without an error.",
			Fix: "If Sightline's monitors fill the store, write metrics.scope: meshID. If somebody else fills it, write metrics.scope: " +
				"none. If nobody reads the monitors, also write monitors: {manage: false}.",
			Source: "kiali graph/util.go; istio samples/addons/prometheus.yaml",
			mesh:   storeOfOthers,
		},
	}
}

func monitoringConfigs(m *mesh, f *found) {
	platform, workloads := openshift.Configs()
	said := map[string]bool{}
	for _, o := range m.kinds("ConfigMap") {
		config := openshift.Config{Namespace: o.ID.Namespace, Name: o.ID.Name}
		if config != platform && config != workloads {
			continue
		}
		// A config from the topology differs between clusters only by the
		// cluster's name.
		own := m.Has("spec", "clusters", o.cluster, "userWorkloadMonitoring")
		if !o.overlaid && !(config == platform && own) {
			if said[config.Name] {
				continue
			}
			said[config.Name] = true
		}
		text, _ := o.value(fieldPath{"data", "config.yaml"}).(string)
		content, err := decodeYAML(text)
		if err != nil {
			f.object(o, fieldPath{"data"}, "correct the YAML", "config.yaml of %s is not YAML: %v", config.Name, err)
			continue
		}
		for _, p := range config.Problems(content) {
			at, ok := m.configAt(o, config == workloads, p)
			switch {
			case !ok:
				f.object(o, fieldPath{"data"}, p.Hint, "OpenShift refuses %s: %s", config.Name, p.Message)
			case config == platform && own:
				f.cluster(m, o.cluster, at, p.Hint, "OpenShift refuses %s: %s", config.Name, p.Message)
			default:
				f.on(m, at, p.Hint, "OpenShift refuses %s: %s", config.Name, p.Message)
			}
		}
	}
}

// configAt returns the line of the topology from which a part of a monitoring
// config comes. ok is false if it does not come from the topology.
func (m *mesh) configAt(o *object, workloads bool, p openshift.Problem) (at finding.Position, ok bool) {
	path := []any{"spec", "metrics", "userWorkloadMonitoring", "config"}
	below := p.Path
	switch {
	case o.overlaid:
		return at, false
	case workloads:
		w := m.Spec.Metrics.Thanos.RemoteWrite
		path = []any{"spec", "metrics", "thanos", "remoteWrite"}
		switch {
		case startsWith(below, "prometheus", "externalLabels", w.ClusterLabel):
			path, below = append(path, "clusterLabel"), nil
		case startsWith(below, "prometheus", "remoteWrite", 0):
			path, below = append(path, "settings"), below[3:]
		default:
			path = append(path, "config")
		}
	case m.Has("spec", "clusters", o.cluster, "userWorkloadMonitoring"):
		path = []any{"spec", "clusters", o.cluster, "userWorkloadMonitoring", "config"}
	}
	path = append(path, below...)
	if p.Unknown {
		return m.KeyAt(path...), true
	}
	return m.At(path...), true
}

func startsWith(path []any, with ...any) bool {
	return len(path) >= len(with) && slices.Equal(path[:len(with)], with)
}

func twoReplicas(m *mesh, f *found) {
	if m.Spec.Metrics.Store != "thanos" || m.Spec.Metrics.Thanos.RemoteWrite == nil {
		return
	}
	f.on(m, m.KeyAt("spec", "metrics", "thanos", "remoteWrite"),
		"make the store deduplicate by prometheus_replica, then suppress PM28 (`sightline explain PM28`)",
		"both Prometheus servers of a cluster write every series; the store shows double rates unless it deduplicates by prometheus_replica")
}

// sample tells whether an address leads to Istio's sample Prometheus, also through
// a Route: the Service prometheus in the namespace of the control plane.
func (m *mesh) sample(address string) bool {
	u, err := url.Parse(address)
	first, rest, _ := strings.Cut(u.Hostname(), ".")
	ns := m.Spec.Mesh.ControlPlaneNamespace
	return err == nil && (first == "prometheus" && (rest == ns || strings.HasPrefix(rest, ns+".")) || first == "prometheus-"+ns)
}

func storeOfOthers(m *mesh, f *found) {
	for _, own := range [][]any{{"spec", "kiali", "spec"}, {"spec", "clusters", m.hub, "kiali", "spec"}} {
		path := append(own, "external_services", "prometheus", "query_scope")
		if scope, ok := m.free(path).(map[string]any); ok && len(scope) == 0 {
			f.softer(finding.Warning).on(m, m.KeyAt(path...), "remove it, and write metrics: {scope: none}",
				"an empty query_scope changes nothing; it is merged over the rendered query_scope")
		}
	}
	s := &m.Spec.Metrics
	if s.Store != "prometheus" || s.Scope.Word() != "meshID" || m.Has("spec", "metrics", "scope") {
		return
	}
	if address := s.Prometheus.URL; m.sample(address) {
		f.softer(finding.Warning).on(m, m.At("spec", "metrics", "prometheus", "url"),
			"write metrics: {scope: none, monitors: {manage: false}}; if a prometheus-operator fills the store by these monitors, write "+
				"scope: meshID",
			"%s looks like Istio's sample Prometheus, which reads no monitors; no series has the label mesh_id, but Kiali asks for it",
			finding.Shorten(
				address))
		return
	}
	f.on(m, m.At("spec", "metrics", "prometheus", "url"), "if these monitors fill the store, write metrics: {scope: meshID}; if not, "+
		"write scope: none; if nobody reads the monitors, also write monitors: {manage: false}",
		"Kiali asks this store for series with mesh_id=%q; only the monitors of this topology add this label", m.Spec.Mesh.ID)
}

// free returns the value at a path of kiali.spec, of the topology or of a
// cluster.
func (m *mesh) free(path []any) any {
	free, rest := any(m.Spec.Kiali.Spec), path[3:]
	if path[1] == "clusters" {
		free, rest = m.Spec.Clusters[path[2].(int)].Kiali.Spec, path[5:]
	}
	return valueAt(free, fieldPath(rest))
}
