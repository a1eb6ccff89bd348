package discover

import (
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Compare adds fields to the draft as kiali.spec: those that the Kiali resources on
// the clusters have and the rendered ones, by cluster, do not have. A field that
// applying would change and that another field of the topology sets stays as
// rendered.
func (d *Draft) Compare(rendered map[string]resource.Object) {
	spec := d.top.child("spec")
	for i, c := range d.mesh.clusters {
		live := object(c.kiali, "spec")
		if live == nil {
			continue
		}
		extra := map[string]any{}
		beyond(live, object(rendered[c.name.value], "spec"), "", extra)
		withoutDefaults(extra, c.defaults(), c.applied())
		for _, field := range notCarried {
			// type: none sets no login.
			if path := strings.Split(field, "."); path[len(path)-1] != "type" || text(live, path...) != "none" {
				remove(extra, path)
			}
		}
		if len(extra) == 0 {
			continue
		}
		n := spec.child("kiali")
		if c != d.mesh.hub {
			n = spec.child("clusters").below[i].child("kiali")
		}
		already, _ := n.child("spec").value.(map[string]any)
		n.put("spec", resource.Merge(already, extra), "what Kiali "+place(c.kiali)+" of "+c.name.value+" has in addition to the rendered fields")
	}
}

// notCarried lists fields that other fields of the topology set, and fields with
// mistakes of the guide, which the rendered object corrects.
var notCarried = []string{
	"version", "deployment.instance_name", "deployment.namespace", "deployment.remote_cluster_resources_only", "deployment.view_only_mode",
	"auth.openshift.redirect_uris", "auth.strategy", "kubernetes_config.cluster_name", "server.web_root",
	"external_services.prometheus.query_scope", "external_services.prometheus.url",
	"external_services.prometheus.auth.type", "external_services.prometheus.auth.username", "external_services.prometheus.auth.password",
	"external_services.prometheus.auth.token", "external_services.prometheus.auth.use_kiali_token",
	"deployment.pod_annotations." + labels.Links,
}

// beyond collects the fields of one object that another object does not have, or has
// with another value.
func beyond(live, rendered map[string]any, at string, into map[string]any) {
	for key, value := range live {
		other, ok := rendered[key]
		a, isMap := value.(map[string]any)
		b, isToo := other.(map[string]any)
		switch {
		case !ok:
			into[key] = value
		case isMap && isToo:
			below := map[string]any{}
			if beyond(a, b, join(at, key), below); len(below) > 0 {
				into[key] = below
			}
		case !same(value, other):
			into[key] = value
		}
	}
}

// defaults is the schema of spec in the cluster's definition of Kiali resources. The
// API server fills in its defaults.
func (c *cluster) defaults() map[string]any {
	for _, v := range list(c.named("CustomResourceDefinition", "", kialiDefinition), "spec", "versions") {
		if schema := object(v, "schema", "openAPIV3Schema", "properties", "spec"); schema != nil {
			return schema
		}
	}
	return nil
}

// applied is the spec that kubectl apply has recorded, or nil.
func (c *cluster) applied() map[string]any {
	v, err := resource.DecodeJSON([]byte(annotation(c.kiali, "kubectl.kubernetes.io/last-applied-configuration")))
	if err != nil {
		return nil
	}
	return object(v, "spec")
}

// withoutDefaults removes values that are the definition's defaults, unless somebody
// has applied them.
func withoutDefaults(values, schema, applied map[string]any) {
	for key, value := range values {
		own := object(schema, "properties", key)
		below, isMap := value.(map[string]any)
		switch given := at(own, "default"); {
		case isMap:
			withoutDefaults(below, own, object(applied, key))
			if _, ok := applied[key]; len(below) == 0 && !ok {
				delete(values, key)
			}
		case given != nil && same(given, value) && applied[key] == nil:
			delete(values, key)
		}
	}
}

// remove removes a path from an object, and objects that become empty.
func remove(from map[string]any, path []string) {
	if len(path) == 1 {
		delete(from, path[0])
		return
	}
	below, ok := from[path[0]].(map[string]any)
	if !ok {
		return
	}
	if remove(below, path[1:]); len(below) == 0 {
		delete(from, path[0])
	}
}

// carrier is a free part of the topology that was copied from a cluster.
type carrier struct {
	node  *node
	path  []any
	leaf  bool // only the refused fields are left out; false: all of it is
	owner *node
	of    string
}

// carriers lists the free parts.
func (d *Draft) carriers() []carrier {
	spec := d.top.child("spec")
	all := []carrier{
		{node: spec.at("kiali.spec"), path: []any{"spec", "kiali", "spec"}, leaf: true, of: "the hub's Kiali resource"},
		{node: spec.at("telemetry.spec"), path: []any{"spec", "telemetry", "spec"}, leaf: true, of: "the mesh-wide Telemetry"},
		{node: spec.at("metrics.userWorkloadMonitoring.config"), path: []any{"spec", "metrics", "userWorkloadMonitoring", "config"},
			owner: spec.child("metrics"), of: "cluster-monitoring-config"},
	}
	for i, n := range spec.child("clusters").below {
		c := d.mesh.clusters[i]
		all = append(all,
			carrier{node: n.at("kiali.spec"), path: d.mesh.path(c, "kiali", "spec"), leaf: true, of: "the Kiali resource of " + c.name.value},
			carrier{node: n.at("userWorkloadMonitoring.config"), path: d.mesh.path(c, "userWorkloadMonitoring", "config"), owner: n,
				of: "cluster-monitoring-config of " + c.name.value})
	}
	return all
}

// Refused removes copied values from the draft if they have an error in the topology,
// and adds a finding for each. It tells whether there was one.
func (d *Draft) Refused(t *topology.Topology, findings finding.Findings) bool {
	errors := map[finding.Position]finding.Finding{}
	for _, f := range findings {
		if f.Severity == finding.Error {
			errors[f.Position] = f
		}
	}
	there := false
	for _, c := range d.carriers() {
		value, ok := c.node.value.(map[string]any)
		if !ok {
			continue
		}
		for _, path := range wrongIn(t, d.pathIn(t, c.path), value, errors) {
			f := errors[t.At(append(slices.Clone(d.pathIn(t, c.path)), path...)...)]
			field := topology.Dotted(path)
			d.mesh.add(finding.Warning, "AD13", c.path[:len(c.path)-1], "look at it with kubectl; to keep it, set it in the topology",
				"%s has %s, which is not carried over: %s", c.of, field, f.Message)
			there = true
			if !c.leaf {
				c.owner.drop("userWorkloadMonitoring")
				break
			}
			remove(value, keysOf(path))
		}
		if len(value) == 0 {
			c.node.value = nil
		}
	}
	return d.untraced(t, errors) || there
}

// untraced removes spec.tracing from the draft if it has an error. The settings stay
// in the fields from which they were read. It tells whether there was an error.
func (d *Draft) untraced(t *topology.Topology, errors map[finding.Position]finding.Finding) bool {
	spec := d.top.child("spec")
	if !spec.has("tracing") {
		return false
	}
	for _, path := range spec.child("tracing").paths([]any{"spec", "tracing"}) {
		f, ok := errors[t.At(path...)]
		if !ok {
			continue
		}
		spec.drop("tracing")
		d.mesh.add(finding.Warning, "AD13", []any{"spec", "kiali"}, "look at it; to have the topology set it, write tracing",
			"the clusters have traces that spec.tracing cannot have, so the settings stay in kiali.spec and telemetry.spec: %s", f.Message)
		keep := func(path string, more map[string]any) {
			already, _ := spec.at(path).value.(map[string]any)
			spec.at(path).value = resource.Merge(already, more)
		}
		own := object(d.mesh.hub.kiali, "spec", "external_services", "tracing")
		keep("kiali.spec", map[string]any{"external_services": map[string]any{"tracing": own}})
		if entry, _, ok := d.traced(); ok && entry != nil {
			keep("telemetry.spec", map[string]any{"tracing": []any{entry}})
		}
		return true
	}
	return false
}

// keysOf returns the keys of a path before the first index.
func keysOf(path []any) []string {
	var keys []string
	for _, step := range path {
		key, ok := step.(string)
		if !ok {
			break
		}
		keys = append(keys, key)
	}
	return keys
}

// wrongIn lists the paths below a value at which there is an error.
func wrongIn(t *topology.Topology, base []any, v any, errors map[finding.Position]finding.Finding) [][]any {
	var all [][]any
	var walk func(v any, path []any)
	walk = func(v any, path []any) {
		at := append(slices.Clone(base), path...)
		if _, ok := errors[t.At(at...)]; ok && len(path) > 0 {
			all = append(all, slices.Clone(path))
			return
		}
		switch v := v.(type) {
		case map[string]any:
			for _, key := range sortedKeys(v) {
				walk(v[key], append(path, key))
			}
		case []any:
			for i, item := range v {
				walk(item, append(path, i))
			}
		}
	}
	walk(v, nil)
	return all
}
