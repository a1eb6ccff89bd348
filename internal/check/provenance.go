package check

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// decided lists fields of a topology that decide about parts of objects without
// placing a value there. The most specific come first. For a placed value, its row
// in render/values.go gives the origin. %c stands for the cluster.
var decided = []struct {
	kind, field string
	path        []any
}{
	{"Kiali", "spec.auth.openshift.impersonation", []any{"spec", "kiali", "auth", "impersonation", "enabled"}},
	{"Kiali", "spec.auth.strategy", []any{"spec", "kiali", "auth", "strategy"}},
	{"Kiali", "spec.deployment.view_only_mode", []any{"spec", "kiali", "viewOnly"}},
	{"Kiali", "spec.external_services.prometheus.query_scope", []any{"spec", "metrics", "scope"}},
	{"Kiali", "spec.external_services.prometheus", []any{"spec", "metrics", "store"}},
	{"Kiali", "spec.external_services.prometheus", []any{"spec", "metrics"}},
	{"Kiali", "spec.external_services.tracing", []any{"spec", "tracing"}},
	{"Kiali", "spec.clustering.ignore_home_cluster", []any{"spec", "clusters", "%c", "controlPlane", "mode"}},
	{"PodMonitor", "spec", []any{"spec", "metrics"}},
	{"PrometheusRule", "spec", []any{"spec", "metrics", "alerts"}},
	{"ServiceMonitor", "spec", []any{"spec", "clusters", "%c", "controlPlane"}},
	{"ServiceMonitor", "spec", []any{"spec", "metrics"}},
	{"Subscription", "spec", []any{"spec", "kiali", "operator"}},
	{"Telemetry", "spec.tracing", []any{"spec", "tracing"}},
	{"Telemetry", "", []any{"spec", "telemetry"}},
	{"OpenTelemetryCollector", "", []any{"spec", "tracing", "collectors"}},
	{"OpenTelemetryCollector", "", []any{"spec", "tracing"}},
	{"ClusterRoleBinding", "", []any{"spec", "metrics", "store"}},
	{"SealedSecret", "", []any{"spec", "kiali", "links", "format"}},
	{"ExternalSecret", "", []any{"spec", "kiali", "links", "externalSecrets"}},
	{"PushSecret", "", []any{"spec", "kiali", "links", "externalSecrets"}},
}

// at returns the line of the topology that causes a part of an object. In this
// order, it is the line in kiali.spec, the overlay that changed the part, the
// field from which the part follows, or the line of the cluster.
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
	if o.overlaid {
		if at, ok := o.overlay(path); ok {
			return at
		}
	}
	if at, ok := o.placed(path); ok {
		return at
	}
	for _, home := range decided {
		if home.kind != o.ID.Kind || !within(path.String(), home.field) && home.field != "" {
			continue
		}
		in := slices.Clone(home.path)
		if i := slices.Index(in, any("%c")); i >= 0 {
			in[i] = o.cluster
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

// placed returns the line of the field whose value a template places at a part of
// the object. ok is false if the topology does not have this line. If a value is
// merged over ours, the line is that of the merged value.
func (o *object) placed(path fieldPath) (at finding.Position, ok bool) {
	var v any = o.template()
	for n := 0; ; n++ {
		if ours, theirs, merge := resource.MergeOf(v); merge {
			for _, in := range o.origins(theirs) {
				if in = append(in, path[n:]...); n < len(path) && o.mesh.Has(in...) {
					return o.mesh.At(in...), true
				}
			}
			v = ours
		}
		_, isString := v.(string)
		if isString || n == len(path) {
			break
		}
		v = valueAt(v, path[n:n+1])
	}
	if list, isList := v.([]any); isList && len(list) == 1 {
		v = list[0]
	}
	text, _ := v.(string)
	for _, in := range o.origins(text) {
		if o.mesh.Has(in...) {
			return o.mesh.At(in...), true
		}
	}
	return finding.Position{}, false
}

// template is the object from the templates, with its holes. If an overlay changed
// the object, template is the object with the same name without overlays, or nil.
func (o *object) template() resource.Object {
	if !o.overlaid || o.mesh.stage == nil {
		return o.body.Object()
	}
	c := &o.mesh.staged(0)[o.cluster]
	for _, r := range c.Resources {
		for values := range c.Each(r) {
			if id, err := r.Body.ID(values); err == nil && id == o.ID {
				return r.Body.Object()
			}
		}
	}
	return nil
}

// origins lists the fields of the topology from which the values in a string
// with holes come. The field that wins comes first.
func (o *object) origins(text string) [][]any {
	var all [][]any
	for _, part := range resource.Parts(text) {
		if part.Path == "" || o.mesh.origins == nil {
			continue
		}
		for _, field := range o.mesh.origins(part.Path) {
			var in []any
			for key := range strings.SplitSeq(field, ".") {
				list, index, isList := strings.Cut(key, "[")
				in = append(in, list)
				switch {
				case isList && index == "hub]":
					in = append(in, o.mesh.hub)
				case isList:
					in = append(in, o.cluster)
				}
			}
			all = append(all, in)
		}
	}
	return all
}

// kialiSpecs lists the fields of the topology that are merged over the spec of
// a Kiali resource. The field that wins comes first.
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

// overlay returns the line of the last overlay that changed a part of the
// object. If no overlay changed the part, it returns the last overlay that
// changed the object.
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

// staged returns the clusters as rendered with only the first n overlays.
func (m *mesh) staged(n int) []resource.Cluster {
	clusters, ok := m.stages[n]
	if !ok {
		clusters, _ = m.stage(n) // if rendering with fewer overlays fails, there is nothing to compare
		m.stages[n] = clusters
	}
	return clusters
}

// before is a part of the object as rendered with only the first n overlays,
// with the types of JSON.
func (o *object) before(n int, part fieldPath) any {
	clusters := o.mesh.staged(n)
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
