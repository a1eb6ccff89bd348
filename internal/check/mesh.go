package check

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/delivery"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// Input is a topology that had no findings, with what was rendered from it.
type Input struct {
	Topology *topology.Topology
	Clusters []resource.Cluster // in the order of the topology
	Delivery []tree.File        // the delivery objects, if there are any
	ACM      []tree.File        // the objects of an ACM hub that is no cluster of the topology

	Links   map[string]*topology.SealedLink // beside the topology, by the names of their files
	Others  []string                        // files beside these
	Written string                          // the path of the directory that is written, in its repository; "": not known, or none
	Arg     string                          // how commands are told of the topology, "" where it is in no file

	// Stage renders with the first n overlays only, by which a finding is told
	// from what the templates say; nil where there are no overlays.
	Stage func(n int) ([]resource.Cluster, error)
}

// mesh is an input as rules look at it.
type mesh struct {
	*topology.Topology
	clusters     []resource.Cluster
	objects      []*object // every object whose content differs by more than well-formed names
	delivered    []*object // the delivery objects
	outside      []*object // those of an ACM hub that is no cluster of the topology
	applications []delivery.Application
	kialis       []*object    // the Kiali resource of each cluster, or nil
	hub          int          // index of the hub
	definitions  *Definitions // nil: there are none
	bodies       map[*resource.Body]resource.Object
	stage        func(n int) ([]resource.Cluster, error)
	stages       map[int][]resource.Cluster
	sizes        map[*object]delivery.Size

	links        map[string]*topology.SealedLink
	others       []string
	arg          string
	written      string
	requireLinks bool
	now          string
}

// body gives the object of a resource with its marks; one of an overlay has
// none.
func (m *mesh) body(r resource.Resource) resource.Object {
	if !r.Body.IsLiteral() {
		return r.Body.Object()
	}
	object, ok := m.bodies[r.Body]
	if !ok {
		object, _ = r.Body.Fill(nil) // it has been an object before it was a literal
		m.bodies[r.Body] = object
	}
	return object
}

// object is a rendered object with where it comes from.
type object struct {
	mesh    *mesh
	cluster int // or -1, of a delivery object, and on an ACM hub outside the topology
	phase   resource.Phase
	literal bool  // an overlay had a hand in it
	also    []int // other clusters, alike to the rules, on which an overlay has made the same of it
	ID      resource.ID
	content resource.Object
}

// clone is the object, to be said to be on more clusters.
func (o *object) clone() *object {
	same := *o
	same.also = slices.Clone(o.also)
	return &same
}

// on adds the clusters that another object is on.
func (o *object) on(other *object) {
	for _, i := range append([]int{other.cluster}, other.also...) {
		if i != o.cluster && !slices.Contains(o.also, i) {
			o.also = append(o.also, i)
		}
	}
}

// checkedOnce is what an object is checked once for. A body is that of all
// clusters of a shape. A literal is that of one cluster; only monitors, of which
// an overlay can make many, are checked for all clusters that are alike to the
// rules about them.
type checkedOnce struct {
	body     *resource.Body
	platform string
	line     kiali.Line
	cluster  int
}

// freeValues are the values of a cluster that users write as they like; an
// object without them is checked once for all clusters of its shape.
var freeValues = []string{"kialiSpec", "monitoringConfig", "workloadConfig"}

func newMesh(in Input, o Options) (*mesh, error) {
	m := &mesh{Topology: in.Topology, clusters: in.Clusters, definitions: o.Definitions, kialis: make([]*object, len(in.Clusters)), hub: -1,
		bodies: map[*resource.Body]resource.Object{}, stage: in.Stage, stages: map[int][]resource.Cluster{}, sizes: map[*object]delivery.Size{},
		links: in.Links, others: in.Others, arg: in.Arg, written: in.Written, requireLinks: o.RequireLinks, now: o.Now}
	seen := map[checkedOnce]*object{}
	for i := range in.Clusters {
		c := &in.Clusters[i]
		if c.Hub {
			m.hub = i
		}
		for _, r := range c.Resources {
			kind := resource.IDOf(m.body(r)).Kind
			isKiali := kind == "Kiali"
			free := slices.ContainsFunc(r.Body.Paths(resource.ScopeCluster), func(path string) bool { return slices.Contains(freeValues, path) })
			once := checkedOnce{body: r.Body}
			if r.Body.IsLiteral() {
				once.platform, once.line, once.cluster = in.Topology.Spec.Clusters[i].Platform, in.Topology.Spec.Clusters[i].Kiali.Version, i
				if kind == "PodMonitor" || kind == "ServiceMonitor" {
					once.cluster = -1
				}
			}
			first := seen[once] == nil
			if !isKiali && !free && !first {
				if r.Body.IsLiteral() {
					seen[once].also = append(seen[once].also, i)
				}
				continue
			}
			o, err := m.fill(i, r)
			if err != nil {
				return nil, err
			}
			if o == nil {
				continue
			}
			if first {
				seen[once] = o
			}
			if isKiali {
				m.kialis[i] = o
			}
			if free || first {
				m.objects = append(m.objects, o)
			}
		}
	}
	var err error
	if m.delivered, err = m.read(in.Delivery); err != nil {
		return nil, err
	}
	if m.outside, err = m.read(in.ACM); err != nil {
		return nil, err
	}
	for _, o := range m.outside {
		o.phase = resource.ACM
	}
	m.applications, err = delivery.Applications(in.Delivery)
	return m, err
}

// read finds the objects among files that are no cluster's; others list them, or
// are what an engine fills them from.
func (m *mesh) read(files []tree.File) ([]*object, error) {
	var objects []*object
	for _, f := range files {
		if path.Base(f.Path) == kustomize.File || !bytes.HasPrefix(f.Content, []byte("apiVersion:")) {
			continue
		}
		var content resource.Object
		if err := yaml.Unmarshal(f.Content, &content); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		objects = append(objects, &object{mesh: m, cluster: -1, ID: resource.IDOf(content), content: content})
	}
	return objects, nil
}

// fill gives the object that a resource is on a cluster, or the first of
// several that differ by their namespace only.
func (m *mesh) fill(i int, r resource.Resource) (*object, error) {
	for values := range m.clusters[i].Each(r) {
		content, err := r.Body.Fill(values)
		if err != nil {
			return nil, fmt.Errorf("cluster %s: %s %s: %w", m.clusters[i].Name, r.Phase, r.Name, err)
		}
		return &object{mesh: m, cluster: i, phase: r.Phase, literal: r.Body.IsLiteral(), ID: resource.IDOf(content), content: content}, nil
	}
	return nil, nil
}

// String names the object in messages.
func (o *object) String() string {
	if o.ID.Namespace == "" {
		return o.ID.Kind + " " + o.ID.Name
	}
	return o.ID.Kind + " " + o.ID.Namespace + "/" + o.ID.Name
}

// kinds yields the objects of some kinds.
func (m *mesh) kinds(kinds ...string) []*object {
	var of []*object
	for _, o := range m.objects {
		if slices.Contains(kinds, o.ID.Kind) {
			of = append(of, o)
		}
	}
	return of
}

func (m *mesh) of(o *object) *topology.Cluster { return &m.Spec.Clusters[o.cluster] }

// hubKiali is the Kiali resource of the hub, or nil.
func (m *mesh) hubKiali() *object {
	if m.hub < 0 {
		return nil
	}
	return m.kialis[m.hub]
}

// fieldPath leads to a part of an object: keys (string) and indexes (int).
type fieldPath []any

// spec is the path of a field below spec, written with dots.
func spec(field string) fieldPath {
	path := fieldPath{"spec"}
	for _, key := range strings.Split(field, ".") {
		path = append(path, key)
	}
	return path
}

func (p fieldPath) below(steps ...any) fieldPath { return append(slices.Clone(p), steps...) }

func (p fieldPath) String() string {
	var b strings.Builder
	for i, step := range p {
		switch step := step.(type) {
		case int:
			b.WriteString("[" + strconv.Itoa(step) + "]")
		case string:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(step)
		}
	}
	return b.String()
}

// value returns what is at a path of an object, or nil.
func (o *object) value(path fieldPath) any { return valueAt(o.content, path) }

func valueAt(v any, path fieldPath) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			if labels, ok := v.(map[string]string); ok {
				m = map[string]any{}
				for k, s := range labels {
					m[k] = s
				}
			}
			if v = m[step]; v == nil {
				return nil
			}
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return nil
			}
			v = list[step]
		}
	}
	return v
}

// text is the text at a field below spec, or "".
func (o *object) text(field string) string {
	s, _ := o.value(spec(field)).(string)
	return s
}

// is tells whether a field below spec has a boolean value.
func (o *object) is(field string, want bool) bool {
	b, ok := o.value(spec(field)).(bool)
	return ok && b == want
}

func (o *object) has(field string) bool { return o.value(spec(field)) != nil }

// number is the number at v, or -1.
func number(v any) int {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
	case string:
		if n, err := strconv.Atoi(v); err == nil {
			return n
		}
	case int:
		return v
	}
	return -1
}

// walk visits every value below v with its path.
func walk(v any, path fieldPath, visit func(path fieldPath, v any)) {
	visit(path, v)
	switch v := v.(type) {
	case map[string]any:
		for _, key := range sortedKeys(v) {
			walk(v[key], path.below(key), visit)
		}
	case map[string]string:
		for _, key := range sortedKeys(v) {
			visit(path.below(key), v[key])
		}
	case []any:
		for i, item := range v {
			walk(item, path.below(i), visit)
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

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
