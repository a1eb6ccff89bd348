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

// Input is a topology that had no findings, with what was rendered from it.
type Input struct {
	Topology *topology.Topology
	Clusters []resource.Cluster // in the order of the topology
	Delivery delivery.Output    // nothing where the topology has no delivery
	ACM      []tree.File        // the objects of an ACM hub that is no cluster of the topology

	Links   map[string]*topology.SealedLink // beside the topology, by the names of their files
	Others  []string                        // files beside these
	Written string                          // the path of the directory that is written, in its repository; "": not known, or none
	Arg     string                          // how commands are told of the topology, "" where it is in no file

	// Origins are the fields of the topology that a value which templates place
	// comes from (render.Origins); nil: nobody knows.
	Origins func(value string) []string

	// Stage renders with the first n overlays only, by which a finding is told
	// from what the templates say; nil where there are no overlays.
	Stage func(n int) ([]resource.Cluster, error)
}

// mesh is an input as rules look at it.
type mesh struct {
	*topology.Topology
	clusters     []resource.Cluster
	objects      []*object // every object whose content differs by more than well-formed names
	delivered    []*object // the delivery objects, as delivery.Output has them
	outside      []*object // those of an ACM hub that is no cluster of the topology
	applications []delivery.Application
	kialis       []*object    // the Kiali resource of each cluster, or nil
	hub          int          // index of the hub
	definitions  *Definitions // nil: there are none
	bodies       map[*resource.Body]resource.Object
	origins      func(value string) []string
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
		bodies: map[*resource.Body]resource.Object{}, origins: in.Origins, stage: in.Stage, stages: map[int][]resource.Cluster{},
		sizes: map[*object]delivery.Size{},
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
		objects = append(objects, m.elsewhere(content))
	}
	return objects, nil
}

// elsewhere is an object that is on no cluster of the topology.
func (m *mesh) elsewhere(content resource.Object) *object {
	return &object{mesh: m, cluster: -1, ID: resource.IDOf(content), content: content}
}

// fill gives the object that a resource is on a cluster, or the first of
// several that differ by their namespace only.
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

// ofClusters are the objects of the clusters, with those of an ACM hub that is no
// cluster of the topology.
func (m *mesh) ofClusters() []*object { return slices.Concat(m.objects, m.outside) }

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
