// Package topology reads the description of a mesh that spans clusters: YAML
// in; a Topology with every default resolved out, or findings, each with the
// position of the line that causes it.
//
// The struct tags of the types are the definition of the format: keys,
// defaults, allowed values. The decoder knows nothing else.
package topology

import (
	"fmt"
	"reflect"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// APIVersion and Kind head every topology.
const (
	APIVersion = "sightline.dev/v1alpha1"
	Kind       = "Topology"
)

// Topology is the whole input: the clusters of one mesh and what watches them.
type Topology struct {
	APIVersion string   `yaml:"apiVersion" required:"true"`
	Kind       string   `yaml:"kind" required:"true"`
	Metadata   Metadata `yaml:"metadata" required:"true"`
	Spec       Spec     `yaml:"spec" required:"true"`

	file string
	root *yaml.Node
}

// Metadata names the topology; the name stands in the label part-of of every
// resource.
type Metadata struct {
	Name string `yaml:"name" required:"true" format:"label"`
}

// Spec is what the topology says about the mesh.
type Spec struct {
	Mesh       Mesh      `yaml:"mesh" required:"true"`
	Kiali      Kiali     `yaml:"kiali" required:"true"`
	Metrics    Metrics   `yaml:"metrics"`
	Telemetry  Telemetry `yaml:"telemetry"`
	Namespaces []string  `yaml:"namespaces" format:"label"`
	Clusters   []Cluster `yaml:"clusters" required:"true"`
}

// Mesh identifies the mesh. Its id is the label mesh_id on every series that
// the monitors scrape, and what the hub's Kiali limits its queries to.
type Mesh struct {
	ID                    string `yaml:"id" required:"true" format:"meshID"`
	ControlPlaneNamespace string `yaml:"controlPlaneNamespace" default:"istio-system" format:"label"`
}

// Kiali describes the server on the hub and its counterparts on the remotes.
type Kiali struct {
	Hub          string   `yaml:"hub" required:"true"`
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
	Name         string       `yaml:"name" required:"true" format:"clusterName"`
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

// has tells whether the topology itself gives a value at the path.
func (t *Topology) has(path ...any) bool {
	n := t.root
	for _, step := range path {
		if n = child(n, step); n == nil {
			return false
		}
	}
	return true
}

func child(n *yaml.Node, step any) *yaml.Node {
	switch step := step.(type) {
	case int:
		if n.Kind == yaml.SequenceNode && step < len(n.Content) {
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
	d := decoder{file: file, findings: &findings}
	if root.Kind != yaml.MappingNode {
		d.findings.add(d.at(root), RuleKind, emptyHint, "expected a topology (a mapping with apiVersion, kind, metadata and spec), found %s", describe(root))
		return nil, findings
	}
	if !d.head(root) {
		return nil, findings
	}
	t := &Topology{file: file, root: root}
	v := reflect.ValueOf(t).Elem()
	setDefaults(v)
	d.structure(root, v, "")
	if t.Spec.Kiali.Namespace == "" {
		t.Spec.Kiali.Namespace = t.Spec.Mesh.ControlPlaneNamespace
	}
	t.check(&findings)
	return t, findings.Sorted()
}

// head makes sure that the document says it is a topology, so that a
// Kubernetes manifest named by mistake gives one finding and not a dozen.
func (d *decoder) head(root *yaml.Node) bool {
	for _, want := range []struct{ key, value string }{{"apiVersion", APIVersion}, {"kind", Kind}} {
		n := child(root, want.key)
		switch {
		case n == nil:
			d.findings.add(d.at(root), RuleKind, fmt.Sprintf("add %s: %s", want.key, want.value), "%s is missing; a topology has apiVersion: %s and kind: %s", want.key, APIVersion, Kind)
			return false
		case n.Value != want.value:
			d.findings.add(d.at(n), RuleKind, fmt.Sprintf("write %s: %s", want.key, want.value), "%s must be %s, found %s", want.key, strconv.Quote(want.value), describe(n))
			return false
		}
	}
	return true
}
