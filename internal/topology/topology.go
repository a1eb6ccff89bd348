// Package topology reads the description of a mesh that spans clusters: YAML
// in; a Topology with every default resolved out, or findings, each with the
// position of the line that causes it.
//
// The struct tags of the types are the definition of the format: keys,
// defaults, allowed values. The decoder knows nothing else.
package topology

import (
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// APIVersion and Kind head every topology.
const (
	APIVersion = "sightline.dev/v1alpha1"
	Kind       = "Topology"
)

// Topology is the whole input: the clusters of one mesh and what watches them.
type Topology struct {
	APIVersion string   `yaml:"apiVersion"` // made sure of by head
	Kind       string   `yaml:"kind"`       // likewise
	Metadata   Metadata `yaml:"metadata" required:"metadata: {name: east-west}"`
	Spec       Spec     `yaml:"spec" required:"spec: {mesh: …, kiali: …, clusters: …}"`

	file string
	root *yaml.Node
}

// Metadata names the topology; the name stands in the label part-of of every
// resource.
type Metadata struct {
	Name string `yaml:"name" required:"name: east-west" format:"label"`
}

// Spec is what the topology says about the mesh.
type Spec struct {
	Mesh       Mesh      `yaml:"mesh" required:"mesh: {id: mesh1}"`
	Kiali      Kiali     `yaml:"kiali" required:"kiali: {hub: cluster1}"`
	Metrics    Metrics   `yaml:"metrics"`
	Telemetry  Telemetry `yaml:"telemetry"`
	Namespaces []string  `yaml:"namespaces" format:"label"`
	Clusters   []Cluster `yaml:"clusters" required:"clusters: [{name: cluster1}]"`
}

// Mesh identifies the mesh. Its id is the label mesh_id on every series that
// the monitors scrape, and what the hub's Kiali limits its queries to.
type Mesh struct {
	ID                    string `yaml:"id" required:"id: mesh1" format:"meshID"`
	ControlPlaneNamespace string `yaml:"controlPlaneNamespace" default:"istio-system" format:"label"`
}

// Kiali describes the server on the hub and its counterparts on the remotes.
type Kiali struct {
	Hub          string   `yaml:"hub" required:"hub: cluster1"`
	Namespace    string   `yaml:"namespace" format:"label"` // default: the control plane's
	InstanceName string   `yaml:"instanceName" default:"kiali" format:"instanceName"`
	Operator     Operator `yaml:"operator"`
}

// Operator says how the Kiali operator comes to each cluster.
type Operator struct {
	Install string `yaml:"install" default:"olm" enum:"olm|none"`
	Channel string `yaml:"channel" default:"stable" format:"name"`
	Source  string `yaml:"source" default:"redhat-operators" format:"name"`
}

// Metrics says how the proxies and istiod are scraped.
type Metrics struct {
	Interval               string                 `yaml:"interval" default:"30s" format:"duration"`
	PrometheusMerge        bool                   `yaml:"prometheusMerge" default:"true"`
	UserWorkloadMonitoring UserWorkloadMonitoring `yaml:"userWorkloadMonitoring"`
}

// UserWorkloadMonitoring says whether the ConfigMap cluster-monitoring-config
// belongs to this topology, and its whole content if so: the ConfigMap's value
// is one text, in which nothing can be merged.
type UserWorkloadMonitoring struct {
	Manage bool           `yaml:"manage" default:"false"`
	Config map[string]any `yaml:"config"`
}

// Telemetry says whether and under which name the mesh-wide Telemetry belongs
// to this topology.
type Telemetry struct {
	Manage bool   `yaml:"manage" default:"true"`
	Name   string `yaml:"name" default:"enable-prometheus-metrics" format:"name"`
}

// Cluster is one member of the mesh. Its name is at once Istio's clusterName,
// Kiali's cluster name, the key of its kubeconfig and the last part of its
// login callback.
type Cluster struct {
	Name         string       `yaml:"name" required:"name: cluster1" format:"clusterName"`
	Platform     string       `yaml:"platform" default:"openshift" enum:"openshift"`
	Server       string       `yaml:"server" format:"server"` // as the hub's pods see it
	Domain       string       `yaml:"domain" format:"host"`   // ingress domain
	ControlPlane ControlPlane `yaml:"controlPlane"`
	Namespaces   []string     `yaml:"namespaces" format:"label"` // beside those of the topology
	Kiali        ClusterKiali `yaml:"kiali"`
}

// ControlPlane says where the istiod is that the cluster's proxies talk to.
type ControlPlane struct {
	Mode string `yaml:"mode" default:"local" enum:"local|remote|external|none"`
}

// ClusterKiali is what a cluster says about its own Kiali.
type ClusterKiali struct {
	Host string `yaml:"host" format:"host"` // of the hub's route, where it is not the default
}

// IsHub tells whether c runs the Kiali server.
func (t *Topology) IsHub(c *Cluster) bool { return c.Name == t.Spec.Kiali.Hub }

// Hub returns the cluster that runs the Kiali server, or nil.
func (t *Topology) Hub() *Cluster {
	for i := range t.Spec.Clusters {
		if c := &t.Spec.Clusters[i]; t.IsHub(c) {
			return c
		}
	}
	return nil
}

// At gives the position of the value at a path of keys (string) and list
// indexes (int), or of the nearest value above it where the topology leaves it
// to its default.
func (t *Topology) At(path ...any) Position {
	n := t.root
	for _, step := range path {
		below := child(n, step)
		if below == nil {
			break
		}
		n = below
	}
	return position(t.file, n)
}

// node returns what the topology itself gives at the path, or nil.
func (t *Topology) node(path ...any) *yaml.Node {
	n := t.root
	for _, step := range path {
		if n = child(n, step); n == nil {
			return nil
		}
	}
	return n
}

// mayHave tells whether the topology itself gives a value at the path, or has
// something above it that had to be refused, so that nobody can tell.
func (t *Topology) mayHave(path ...any) bool {
	n := t.root
	for _, step := range path {
		below := child(n, step)
		if below == nil {
			return n.Kind != yaml.MappingNode || slices.ContainsFunc(n.Content, isMerge)
		}
		n = below
	}
	return true
}

func child(n *yaml.Node, step any) *yaml.Node {
	switch step := step.(type) {
	case int:
		if n.Kind == yaml.SequenceNode && 0 <= step && step < len(n.Content) {
			return n.Content[step]
		}
	case string:
		if n.Kind != yaml.MappingNode {
			return nil
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return n.Content[i+1]
			}
		}
	}
	return nil
}

// Parse reads a topology. file is the name that positions carry. Where there
// are findings, the topology holds what could be read and must not be
// rendered; it is nil where the text is no mapping at all.
func Parse(file string, data []byte) (*Topology, Findings) {
	var findings Findings
	root := document(file, data, &findings)
	if root == nil {
		return nil, findings
	}
	d := decoder{file: file, findings: &findings, misplaced: map[string]bool{}}
	if root.Kind != yaml.MappingNode {
		at := d.at(root)
		if root.Value == "" && root.Kind == yaml.ScalarNode {
			at = Position{file, 1, 1} // the YAML reader places nothing after the end
		}
		d.findings.add(at, RuleKind, emptyHint, "expected a topology (a mapping with apiVersion, kind, metadata and spec), found %s", describe(root))
		return nil, findings
	}
	if !d.head(root) {
		return nil, findings.Sorted()
	}
	t := &Topology{file: file, root: root}
	v := reflect.ValueOf(t).Elem()
	setDefaults(v)
	d.structure(root, v, "")
	d.close()
	if t.Spec.Kiali.Namespace == "" {
		t.Spec.Kiali.Namespace = t.Spec.Mesh.ControlPlaneNamespace
	}
	t.check(&findings)
	return t, findings.Sorted()
}

// head makes sure that the document says it is a topology, so that a
// Kubernetes manifest named by mistake gives one finding and not a dozen.
func (d *decoder) head(root *yaml.Node) bool {
	version, kind := childNear(root, "apiVersion"), childNear(root, "kind")
	for _, n := range []*yaml.Node{version, kind} {
		if n != nil && !d.plain(n) {
			return false
		}
	}
	versionOK := version != nil && version.Value == APIVersion
	kindOK := kind != nil && kind.Value == Kind
	const want = "a topology has apiVersion: " + APIVersion + " and kind: " + Kind
	switch {
	case versionOK && kindOK:
		return true
	case version == nil && kind == nil:
		d.findings.add(d.at(root), RuleKind, emptyHint, "apiVersion and kind are missing; "+want)
	case version == nil && kindOK:
		d.findings.add(d.at(root), RuleKind, "add apiVersion: "+APIVersion, "apiVersion is missing; "+want)
	case kind == nil && versionOK:
		d.findings.add(d.at(root), RuleKind, "add kind: "+Kind, "kind is missing; "+want)
	case kindOK:
		d.findings.add(d.at(version), RuleKind, "write apiVersion: "+APIVersion, "apiVersion must be %q, found %s", APIVersion, describe(version))
	case versionOK:
		d.findings.add(d.at(kind), RuleKind, "write kind: "+Kind, "kind must be %q, found %s", Kind, describe(kind))
	default:
		var at *yaml.Node
		var says []string
		if kind != nil {
			at = kind
			says = append(says, "kind: "+bare(kind.Value))
		}
		if version != nil {
			at = version
			says = append(says, "apiVersion: "+bare(version.Value))
		}
		d.findings.add(d.at(at), RuleKind, wrongFileHint, "expected a topology, found %s; "+want, strings.Join(says, " of "))
	}
	return false
}

// childNear returns the value of a key, or of one that is mistyped for it.
func childNear(root *yaml.Node, key string) *yaml.Node {
	if n := child(root, key); n != nil {
		return n
	}
	fields := fieldsOf(reflect.TypeFor[Topology]())
	for i := 0; i+1 < len(root.Content); i += 2 {
		if at := nearestField(root.Content[i].Value, fields); at >= 0 && fields[at].key == key {
			return root.Content[i+1]
		}
	}
	return nil
}
