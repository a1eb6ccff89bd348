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
	for _, in := range slices.Concat(o.placed(path, true), o.decided(path)) {
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

// placed lists the fields of the topology from which the value follows that a template
// places at a part of the object. If merged is true and the topology sets a value that is
// merged over ours, placed returns the merged value.
func (o *object) placed(path fieldPath, merged bool) [][]any {
	body := o.template()
	if body == nil {
		return nil
	}
	var v any = body.Object()
	for n := 0; ; n++ {
		if ours, theirs, merge := resource.MergeOf(v); merge {
			for _, in := range o.origins(theirs) {
				if in = append(in, path[n:]...); merged && n < len(path) && o.mesh.Has(in...) {
					return [][]any{in}
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
	return o.origins(text)
}

// decided lists the fields of the topology that decide whether a part of the object
// exists.
func (o *object) decided(path fieldPath) [][]any {
	field, below := strings.CutPrefix(path.String(), "spec.")
	if own, ok := reservedFields[field]; ok && below && o.ID.Kind == "Kiali" {
		var all [][]any
		for by := range strings.FieldsSeq(own.by) {
			all = append(all, topologyPath(by, o.mesh.hub, o.cluster))
		}
		return all
	}
	if o.mesh.decided == nil {
		return nil
	}
	return o.inTopology(o.mesh.decided(o.ID.Kind, path.String()))
}

// template is the body from the templates, with its holes. If an overlay changed
// the object, template is the body of the object with the same name without overlays,
// or nil.
func (o *object) template() *resource.Body {
	if !o.overlaid || o.mesh.stage == nil {
		return o.body
	}
	c := &o.mesh.staged(0)[o.cluster]
	for _, r := range c.Resources {
		for values := range c.Each(r) {
			if id, err := r.Body.ID(values); err == nil && id == o.ID {
				return r.Body
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
		all = append(all, o.inTopology(o.mesh.origins(part.Path))...)
	}
	return all
}

// inTopology returns the paths of fields written as [render.Origins] writes them.
func (o *object) inTopology(fields []string) [][]any {
	all := make([][]any, len(fields))
	for i, field := range fields {
		for key := range strings.SplitSeq(field, ".") {
			list, index, isList := strings.Cut(key, "[")
			all[i] = append(all[i], list)
			switch {
			case isList && index == "hub]":
				all[i] = append(all[i], o.mesh.hub)
			case isList:
				all[i] = append(all[i], o.cluster)
			}
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
