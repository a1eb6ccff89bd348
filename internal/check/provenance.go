package check

import (
	"encoding/json"
	"slices"
	"strings"

	"reflect"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// homes are the lines of a topology that parts of rendered objects come from,
// the most special first. %c stands for the cluster and %h for the hub.
var homes = []struct {
	kind, field string
	path        []any
}{
	{"Kiali", "spec.version", []any{"spec", "clusters", "%c", "kiali", "version"}},
	{"Kiali", "spec.version", []any{"spec", "kiali", "version"}},
	{"Kiali", "spec.auth.strategy", []any{"spec", "kiali", "auth", "strategy"}},
	{"Kiali", "spec.auth.openshift.redirect_uris", []any{"spec", "clusters", "%h", "kiali", "host"}},
	{"Kiali", "spec.auth.openshift.redirect_uris", []any{"spec", "clusters", "%h", "domain"}},
	{"Kiali", "spec.deployment.instance_name", []any{"spec", "kiali", "instanceName"}},
	{"Kiali", "spec.deployment.view_only_mode", []any{"spec", "kiali", "viewOnly"}},
	{"Kiali", "spec.external_services.prometheus.query_scope", []any{"spec", "metrics", "scope"}},
	{"Kiali", "spec.external_services.prometheus.query_scope.mesh_id", []any{"spec", "mesh", "id"}},
	{"Kiali", "spec.external_services.prometheus", []any{"spec", "metrics", "store"}},
	{"Kiali", "spec.external_services.prometheus", []any{"spec", "metrics"}},
	{"Kiali", "spec.kubernetes_config.cluster_name", []any{"spec", "clusters", "%c", "name"}},
	{"Kiali", "spec.server.web_root", []any{"spec", "clusters", "%c", "kiali", "webRoot"}},
	{"Kiali", "spec.clustering.ignore_home_cluster", []any{"spec", "clusters", "%c", "controlPlane", "mode"}},
	{"PodMonitor", "metadata.labels", []any{"spec", "metrics", "labels"}},
	{"PodMonitor", "spec", []any{"spec", "metrics"}},
	{"PrometheusRule", "metadata.labels", []any{"spec", "metrics", "labels"}},
	{"PrometheusRule", "spec", []any{"spec", "metrics", "alerts"}},
	{"ServiceMonitor", "metadata.labels", []any{"spec", "metrics", "labels"}},
	{"ServiceMonitor", "spec", []any{"spec", "clusters", "%c", "controlPlane"}},
	{"ServiceMonitor", "spec", []any{"spec", "metrics"}},
	{"ConfigMap", "data", []any{"spec", "clusters", "%c", "userWorkloadMonitoring", "config"}},
	{"ConfigMap", "data", []any{"spec", "metrics", "userWorkloadMonitoring", "config"}},
	{"ConfigMap", "data", []any{"spec", "metrics", "thanos", "remoteWrite"}},
	{"Subscription", "spec", []any{"spec", "kiali", "operator"}},
	{"Telemetry", "spec", []any{"spec", "telemetry", "spec"}},
	{"Telemetry", "", []any{"spec", "telemetry"}},
	{"ClusterRoleBinding", "", []any{"spec", "metrics", "store"}},
	{"SealedSecret", "", []any{"spec", "kiali", "links", "format"}},
}

// at gives the line that causes a part of an object: of the topology's own
// words about it, of an overlay that changed it, of the field that it follows
// from, or of its cluster.
func (o *object) at(path fieldPath) finding.Position {
	t := o.mesh.Topology
	if o.cluster < 0 && o.phase == resource.ACM {
		return t.KeyAt("spec", "metrics", "acm")
	}
	if o.cluster < 0 {
		switch generator, address := []any{"spec", "delivery", "argocd", "generator"}, []any{"spec", "delivery", "repoURL"}; {
		case strings.HasPrefix(o.ID.APIVersion, "source.toolkit.fluxcd.io/") && path.String() == "spec.url":
			if o.ID.Kind == "HelmRepository" {
				address = []any{"spec", "kiali", "operator", "chart", "repoURL"}
			}
			return t.At(address...)
		case o.ID.Kind == "ApplicationSet" && t.Has(generator...):
			return t.At(generator...)
		case strings.Contains(o.ID.APIVersion, "argoproj.io/"):
			return t.KeyAt("spec", "delivery", "argocd")
		}
		return t.KeyAt("spec", "delivery", "flux")
	}
	for _, own := range o.kialiSpecs() {
		if in := append(own, path[min(1, len(path)):]...); len(in) > len(own) && t.Has(in...) {
			return t.KeyAt(in...)
		}
	}
	if o.literal {
		if at, ok := o.overlay(path); ok {
			return at
		}
	}
	for _, home := range homes {
		if home.kind != o.ID.Kind || !within(path.String(), home.field) && home.field != "" {
			continue
		}
		in := slices.Clone(home.path)
		for i, step := range in {
			switch step {
			case "%c":
				in[i] = o.cluster
			case "%h":
				in[i] = o.mesh.hub
			}
		}
		if t.Has(in...) {
			return t.At(in...)
		}
	}
	for n := len(path) - 1; n > 1; n-- {
		for _, own := range o.kialiSpecs() {
			if in := append(own, path[1:n]...); t.Has(in...) {
				return t.KeyAt(in...)
			}
		}
	}
	return t.At("spec", "clusters", o.cluster)
}

// kialiSpecs are where the topology says what goes over the spec of a Kiali
// resource, the last word first.
func (o *object) kialiSpecs() [][]any {
	if o.ID.Kind != "Kiali" {
		return nil
	}
	specs := [][]any{{"spec", "clusters", o.cluster, "kiali", "spec"}}
	if o.cluster == o.mesh.hub {
		specs = append(specs, []any{"spec", "kiali", "spec"})
	}
	return specs
}

// overlay gives the line of the overlay that made a part of the object what it
// is, or failing that the object: the last one with which it is another than
// without. What none has changed is the templates'.
func (o *object) overlay(path fieldPath) (at finding.Position, ok bool) {
	c := o.mesh.of(o)
	overlays := o.mesh.Spec.Overlays
	for _, part := range []fieldPath{path, nil} {
		for i := len(overlays) - 1; i >= 0; i-- {
			if !matches(overlays[i].Match, c) || o.mesh.stage != nil && reflect.DeepEqual(o.before(i, part), o.before(i+1, part)) {
				continue
			}
			key := "kustomize"
			if overlays[i].Jsonnet != "" {
				key = "jsonnet"
			}
			return o.mesh.At("spec", "overlays", i, key), true
		}
	}
	return finding.Position{}, false
}

// before is a part of the object as it is with the first n overlays only, as
// JSON has it.
func (o *object) before(n int, part fieldPath) any {
	clusters, ok := o.mesh.stages[n]
	if !ok {
		clusters, _ = o.mesh.stage(n) // what fails with fewer overlays has no part in it
		o.mesh.stages[n] = clusters
	}
	if o.cluster >= len(clusters) {
		return nil
	}
	c := &clusters[o.cluster]
	for _, r := range c.Resources {
		for values := range c.Each(r) {
			if id, err := r.Body.ID(values); err != nil || id != o.ID {
				continue
			}
			content, err := r.Body.Fill(values)
			if err != nil {
				return nil
			}
			var v any
			data, err := json.Marshal(valueAt(content, part))
			if err != nil || json.Unmarshal(data, &v) != nil {
				return nil
			}
			return v
		}
	}
	return nil
}

func matches(m topology.Match, c *topology.Cluster) bool {
	if len(m.Names) > 0 && !slices.Contains(m.Names, c.Name) {
		return false
	}
	for key, value := range m.Labels {
		if own, ok := c.Labels[key]; !ok || own != value {
			return false
		}
	}
	return true
}
