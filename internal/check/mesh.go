package check

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"sync"

	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/delivery"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// Input is a topology without findings, and what was rendered from it.
type Input struct {
	Topology *topology.Topology
	Clusters []resource.Cluster // in the order of the topology
	Delivery delivery.Output    // nothing where the topology has no delivery
	ACM      []tree.File        // the objects of an ACM hub outside the topology

	Links   map[string]*topology.SealedLink // the sealed links next to the topology, by the names of their files
	Others  []string                        // other files in their folder
	Written string                          // the path of the output directory in its Git repository; "": unknown, or not in a repository
	Arg     string                          // the topology's argument for commands; "" if it is not in a file

	// Origins lists the fields of the topology from which a template's value
	// comes (render.Origins). nil: unknown.
	Origins func(value string) []string

	// Decided lists the fields of the topology that decide whether a part of an object
	// exists (render.Decided). nil: unknown.
	Decided func(kind, field string) []string

	// Stage renders with only the first n overlays. It shows which overlay
	// caused a finding. nil: there are no overlays.
	Stage func(n int) ([]resource.Cluster, error)
}

// mesh is an input as the rules see it.
type mesh struct {
	*topology.Topology
	clusters     []resource.Cluster
	objects      []*object // every distinct object; objects that differ only in well-formed names are here once
	delivered    []*object // the delivery objects, as delivery.Output has them
	outside      []*object // the objects of an ACM hub outside the topology
	applications []delivery.Application
	kialis       []*object    // the Kiali resource of each cluster, or nil
	hub          int          // index of the hub
	definitions  *Definitions // nil: there are none
	bodies       map[*resource.Body]resource.Object
	origins      func(value string) []string
	decided      func(kind, field string) []string
	stage        func(n int) ([]resource.Cluster, error)
	stages       map[int][]resource.Cluster
	sizes        map[*object]delivery.Size
	credentials  func() []credentialIn // in all objects

	links        map[string]*topology.SealedLink
	others       []string
	arg          string
	written      string
	requireLinks bool
	now          string
}

// body returns the object of a resource with its holes. An object that an
// overlay changed has no holes.
func (m *mesh) body(r resource.Resource) resource.Object {
	if !r.Body.IsLiteral() {
		return r.Body.Object()
	}
	object, ok := m.bodies[r.Body]
	if !ok {
		object, _ = r.Body.Fill(nil) // a literal always comes from an object
		m.bodies[r.Body] = object
	}
	return object
}

// checkedOnce is the key under which an object is checked only once. All
// clusters of a shape share a body. A literal belongs to one cluster. An overlay
// can create many literal monitors, so these are checked once for all clusters
// that are equal for the rules about monitors.
type checkedOnce struct {
	body     *resource.Body
	platform string
	line     kiali.Line
	cluster  int
}

// freeValues are the values of a cluster with content that users choose freely.
// An object without such a value is checked once for all clusters of its shape.
var freeValues = []string{"kialiSpec", "monitoringConfig", "workloadConfig"}

func newMesh(in Input, o Options) (*mesh, error) {
	m := &mesh{Topology: in.Topology, clusters: in.Clusters, definitions: o.Definitions, kialis: make([]*object, len(in.Clusters)), hub: -1,
		bodies: map[*resource.Body]resource.Object{}, origins: in.Origins, decided: in.Decided, stage: in.Stage,
		stages: map[int][]resource.Cluster{}, sizes: map[*object]delivery.Size{},
		links: in.Links, others: in.Others, arg: in.Arg, written: in.Written, requireLinks: o.RequireLinks, now: o.Now}
	m.credentials = sync.OnceValue(m.findCredentials)
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
			if !first && !free && r.Body.IsOverlaid() {
				seen[once].also = append(seen[once].also, i)
			}
			if !isKiali && !free && !first {
				continue
			}
			o, err := m.fill(i, r)
			if err != nil {
				return nil, err
			}
			if o == nil {
				continue
			}
			if isKiali {
				m.kialis[i] = o
				o = o.clone() // which may stand for those of other clusters as well
			}
			if first {
				seen[once] = o
			}
			if free || first {
				m.objects = append(m.objects, o)
			}
		}
	}
	for _, content := range in.Delivery.Objects {
		m.delivered = append(m.delivered, m.elsewhere(content))
	}
	var err error
	if m.outside, err = m.read(in.ACM); err != nil {
		return nil, err
	}
	for _, o := range m.outside {
		o.phase = resource.ACM
	}
	m.applications, err = delivery.Applications(in.Delivery.Files)
	return m, err
}

// read returns the objects in files that belong to no cluster. It skips
// kustomizations and files that an engine reads as parameters.
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
		objects = append(objects, m.elsewhere(content))
	}
	return objects, nil
}

// elsewhere makes an object that is not on a cluster of the topology.
func (m *mesh) elsewhere(content resource.Object) *object {
	return &object{mesh: m, cluster: -1, ID: resource.IDOf(content), content: content}
}

// fill returns the object of a resource on a cluster. If several objects differ
// only in their namespace, it returns the first.
func (m *mesh) fill(i int, r resource.Resource) (*object, error) {
	for values := range m.clusters[i].Each(r) {
		content, err := r.Body.Fill(values)
		if err != nil {
			return nil, fmt.Errorf("cluster %s: %s %s: %w", m.clusters[i].Name, r.Phase, r.Name, err)
		}
		return &object{mesh: m, cluster: i, phase: r.Phase, overlaid: r.Body.IsOverlaid(), body: r.Body, ID: resource.IDOf(content),
			content: content}, nil
	}
	return nil, nil
}

// ofClusters lists the objects of the clusters and of an ACM hub outside the
// topology.
func (m *mesh) ofClusters() []*object { return slices.Concat(m.objects, m.outside) }

// kinds returns the objects of the given kinds.
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
