package discover

import (
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// wide lists the mesh-wide Telemetries of a cluster, the oldest first. Istio uses the
// oldest.
func (c *cluster) wide() []resource.Object {
	var wide []resource.Object
	for _, o := range c.of("Telemetry") {
		if namespace(o) == c.controlNS.value && at(o, "spec", "selector") == nil && at(o, "spec", "targetRef") == nil &&
			at(o, "spec", "targetRefs") == nil {
			wide = append(wide, o)
		}
	}
	slices.SortStableFunc(wide, func(a, b resource.Object) int {
		return strings.Compare(text(a, "metadata", "creationTimestamp"), text(b, "metadata", "creationTimestamp"))
	})
	return wide
}

// telemetry writes the content of the mesh-wide Telemetry.
func (d *Draft) telemetry() {
	spec := d.top.child("spec").child("telemetry")
	const usual = "enable-prometheus-metrics"
	base := map[string]any{"metrics": []any{map[string]any{"providers": []any{map[string]any{"name": "prometheus"}}}}}
	chosen := ""
	seen := false
	for _, c := range d.mesh.clusters {
		wide := c.wide()
		if len(wide) == 0 {
			continue
		}
		o := wide[0]
		if len(wide) > 1 {
			d.mesh.add(finding.Error, "AD10", d.mesh.path(c, "name"), "merge their content into one, "+place(o)+", and delete the others",
				"%s has the mesh-wide Telemetries %s, and Istio uses the oldest alone", c.name.value, finding.List(namesOf(wide), 5))
		}
		if !seen {
			seen, chosen = true, name(o)
			from := "Telemetry " + place(o) + " of " + c.name.value
			if name(o) != usual {
				spec.put("name", name(o), from)
			}
			extra := map[string]any{}
			for key, value := range object(o, "spec") {
				if !same(value, base[key]) && (key != "tracing" || !d.top.child("spec").has("tracing")) {
					extra[key] = value
				}
			}
			if len(extra) > 0 {
				spec.put("spec", extra, from)
			}
			continue
		}
		if name(o) != chosen {
			d.mesh.add(finding.Error, "AD10", d.mesh.path(c, "name"), "rename it: apply it under the other name, and delete this one",
				"the mesh-wide Telemetry of %s is named %s, and the topology has one name for all clusters, %s", c.name.value, name(o), chosen)
		}
	}
	if !seen && d.rendered() {
		spec.put("manage", false, "Kiali was rendered from a topology, and there is no rendered Telemetry")
	}
	for _, c := range d.mesh.clusters {
		for _, i := range c.istiods {
			if others := slices.DeleteFunc(slices.Clone(i.metricsBy), func(p string) bool { return p == "prometheus" }); len(others) > 0 && !seen {
				spec.ask("Istio of "+c.name.value+" sends metrics to "+strings.Join(others,
					", ")+" by default (defaultProviders.metrics), and a Telemetry replaces that. Write telemetry: {spec: {metrics: …}} with all "+
					"providers.", "")
			}
		}
	}
}
