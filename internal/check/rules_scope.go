package check

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
)

func meshIDEverywhere(m *mesh, f *found) {
	want := m.Spec.Mesh.ID
	if o := m.hubKiali(); o != nil && m.Spec.Metrics.Scope.Word() == "meshID" {
		if got, _ := o.value(spec(queryScope).below(kiali.MeshID)).(string); got != want {
			f.object(o, spec(queryScope).below(kiali.MeshID), "leave query_scope.mesh_id as rendered from spec.mesh.id; if the series have "+
				"no mesh id, write metrics: {scope: none}", "Kiali asks for the mesh id %q; expected %q, the mesh id on the series", got, want)
		}
	}
	for _, o := range m.monitors() {
		if got, ok := m.targetLabels(o)[kiali.MeshID]; !ok || got != want {
			f.object(o, fieldPath{"spec"}, "leave the relabeling to mesh_id as rendered from spec.mesh.id",
				"the %s %s puts the mesh id %q on its series; expected %q, because Kiali asks for it", o.ID.Kind, o.ID.Name, got, want)
		}
	}
}

// targetLabels are the constant labels that every endpoint of a monitor adds.
func (m *mesh) targetLabels(o *object) map[string]string {
	labels := map[string]string{}
	first := true
	for _, list := range []string{"podMetricsEndpoints", "endpoints"} {
		endpoints, _ := o.value(spec(list)).([]any)
		for i := range endpoints {
			own := map[string]string{}
			rules, _ := o.value(spec(list).below(i, "relabelings")).([]any)
			for _, rule := range rules {
				r := relabeling{}
				r.rule, _ = rule.(map[string]any)
				target, _ := r.text("targetLabel")
				if r.action() == "replace" && target != "" {
					own[target], _ = r.text("replacement")
				}
			}
			if first {
				labels, first = own, false
				continue
			}
			for name := range labels {
				if own[name] != labels[name] {
					delete(labels, name)
				}
			}
		}
	}
	return labels
}

func scopeValues(m *mesh, f *found) {
	o := m.hubKiali()
	if o == nil {
		return
	}
	for _, store := range []string{"external_services.prometheus", "external_services.custom_dashboards.prometheus"} {
		scope, _ := o.value(spec(store + ".query_scope")).(map[string]any)
		for _, label := range sortedKeys(scope) {
			if value, _ := scope[label].(string); strings.ContainsAny(value, `|*"'{}`) {
				f.object(o, spec(store+".query_scope").below(label), "choose a label that has one value on all series of the mesh",
					"query_scope asks for series whose %s is exactly %q; it is not a pattern", label, finding.Shorten(value))
			}
		}
	}
}

func scopeLabels(m *mesh, f *found) {
	o := m.hubKiali()
	if o == nil {
		return
	}
	scope, _ := o.value(spec(queryScope)).(map[string]any)
	for _, label := range sortedKeys(scope) {
		value, _ := scope[label].(string)
		if label == kiali.MeshID && m.Spec.Metrics.Scope.Word() == "meshID" || strings.ContainsAny(value, `|*"'{}`) {
			continue
		}
		missing := (*object)(nil)
		for _, monitor := range m.monitors() {
			if m.targetLabels(monitor)[label] != value {
				missing = monitor
			}
		}
		w := m.Spec.Metrics.Thanos.RemoteWrite
		external := ""
		if w != nil {
			external, _ = valueAt(w.Config, fieldPath{"prometheus", "externalLabels", label}).(string)
		}
		if missing == nil || external == value {
			continue
		}
		// Kiali asks for series that have both this label and the mesh id.
		alone := ""
		if scope[kiali.MeshID] != nil && m.Has("spec", "kiali", "spec", "external_services", "prometheus", "query_scope", label) {
			alone = "; to ask by this label only, write metrics: {scope: {" + label + ": " + finding.Shorten(value) + "}} instead"
		}
		const hint = "remove it; with the store thanos, you can add it to remoteWrite.config.prometheus.externalLabels"
		if decided := m.Spec.Metrics.Store == "thanosQuerier" || m.Spec.Metrics.Store == "thanos" && w != nil; !decided {
			if m.Spec.Metrics.Scope[label] == value {
				continue // the topology states the label itself
			}
			f.softer(finding.Warning).object(o, spec(queryScope).below(label),
				"make sure that the store's series have it as an external label, and suppress PM08"+alone,
				"query_scope asks for series with %s=%q, but no monitor of the topology adds this label", label, value)
			continue
		}
		f.object(o, spec(queryScope).below(label), hint, "query_scope asks for series with %s=%q, but no monitor and no external label "+
			"adds it; every graph would be empty", label, value)
	}
}

func droppedLabels(m *mesh, f *found) {
	m.relabelings(func(r relabeling) {
		if !r.metric && r.action() == "labeldrop" {
			r.metric = true // the labels of a target are on its series too
		}
		text, ok := r.text("regex")
		re, err := regexp.Compile("^(?s:" + text + ")$")
		if !ok || err != nil || !r.metric || r.action() != "labeldrop" && r.action() != "labelkeep" {
			return
		}
		var lost []string
		for _, label := range kiali.Labels() {
			if re.MatchString(label) == (r.action() == "labeldrop") {
				lost = append(lost, label)
			}
		}
		if len(lost) > 0 {
			f.relabeling(m, r, "regex", "drop whole metrics that Kiali does not ask for, or request_operation",
				"%s removes labels that Kiali's graph needs: %s", r.action(), finding.List(lost, most))
		}
	})
	for _, o := range m.kinds("Telemetry") {
		walk(o.content["spec"], fieldPath{"spec"}, func(path fieldPath, v any) {
			if len(path) < 3 || path[len(path)-1] != "operation" || v != "REMOVE" || path[len(path)-3] != "tagOverrides" {
				return
			}
			if tag, _ := path[len(path)-2].(string); slices.Contains(kiali.Labels(), tag) {
				f.object(o, path, "leave the tag, or remove request_operation", "the Telemetry %s removes the label %s, but Kiali's graph "+
					"needs this label",
					o.ID.Name, tag)
			}
		})
	}
}
