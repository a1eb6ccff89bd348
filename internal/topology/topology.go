// Package topology reads the description of a mesh that spans clusters. From
// YAML it makes a Topology in which every default is set, or findings, each with
// the position of the line that causes it. It checks the form of each value.
// Package check has the rules about how values fit together.
//
// The struct tags of the types define the format: keys, defaults, allowed
// values. The decoder knows nothing else.
package topology

import (
	"math"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// APIVersion and Kind are at the top of every topology.
const (
	APIVersion = "sightline.dev/v1alpha1"
	Kind       = "Topology"
	// ClusterKind is the kind of a document with one cluster.
	ClusterKind = "Cluster"
)

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

// Remotes lists the clusters other than the hub.
func (t *Topology) Remotes() []*Cluster {
	remotes := make([]*Cluster, 0, len(t.Spec.Clusters))
	for i := range t.Spec.Clusters {
		if c := &t.Spec.Clusters[i]; !t.IsHub(c) {
			remotes = append(remotes, c)
		}
	}
	return remotes
}

// Source is a file of a topology. Positions carry its name.
type Source struct {
	Name string
	Data []byte
}

// Parse reads a topology of one document. check.Parse also applies the rules;
// render only a topology that has passed them. If there are findings, the
// topology holds what could be read and must not be rendered. It is nil if the
// document is not an object.
func Parse(file string, data []byte) (*Topology, finding.Findings) {
	var findings finding.Findings
	d, root := only(file, data, aTopology, Kind, &findings)
	if root == nil {
		return nil, findings.Sorted()
	}
	t := d.topology(root)
	d.close()
	t.resolve()
	return t, d.all(findings)
}

// ParseDirectory reads a topology from several files. Together they hold one
// document of kind Topology and any number of kind Cluster, in any order. A
// finding about all files has dir as its file.
func ParseDirectory(dir string, sources []Source) (*Topology, finding.Findings) {
	var findings finding.Findings
	var t *Topology
	var clusters []clusterDocument
	d := newDecoder(dir, aTopology, &findings)
	failed := false
	for _, source := range sources {
		d.file = source.Name
		before := len(findings)
		for _, doc := range documents(source.Name, source.Data, math.MaxInt, aTopology, &findings) {
			root := doc.Content[0]
			d.credentials(doc)
			switch d.head(root, Kind, ClusterKind) {
			case ClusterKind:
				clusters = append(clusters, d.cluster(root))
			case Kind:
				if t != nil {
					findings.Add(d.at(root), RuleKind, "keep one of the two", "found a second topology in the directory; first at %s",
						position(t.file, t.root))
					continue
				}
				t = d.topology(root)
			}
		}
		failed = failed || t == nil && len(findings) > before
	}
	d.close()
	if t == nil {
		if !failed {
			findings.Add(finding.Position{File: dir, Line: 1, Col: 1}, RuleKind, "add a file with kind Topology; the clusters can stay in "+
				"other files",
				"the directory has no document of kind %s", Kind)
		}
		return nil, d.all(findings)
	}
	// Sorted by name, not by file, so that renaming a file changes nothing.
	slices.SortStableFunc(clusters, func(a, b clusterDocument) int { return strings.Compare(a.cluster.Name, b.cluster.Name) })
	t.inline = len(t.Spec.Clusters)
	t.documents = clusters
	for _, c := range clusters {
		t.Spec.Clusters = append(t.Spec.Clusters, c.cluster)
	}
	t.resolve()
	return t, d.all(findings)
}

// clusterDocument is a cluster in its own document.
type clusterDocument struct {
	file    string
	root    *yaml.Node
	cluster Cluster
}

func (d *decoder) topology(root *yaml.Node) *Topology {
	t := &Topology{file: d.file, root: root, repairs: d.repairs, removed: d.taken}
	v := reflect.ValueOf(t).Elem()
	setDefaults(v)
	d.structure(root, v, "")
	t.inline = len(t.Spec.Clusters)
	return t
}

// cluster reads a document of kind Cluster: metadata.name, and in spec
// everything else about the cluster.
func (d *decoder) cluster(root *yaml.Node) clusterDocument {
	var doc member
	v := reflect.ValueOf(&doc).Elem()
	setDefaults(v)
	d.structure(root, v, "")
	c := Cluster(doc.Spec)
	c.Name = doc.Metadata.Name
	return clusterDocument{d.file, root, c}
}

// head checks that the document has the expected apiVersion and kind, so that a
// Kubernetes manifest named by mistake gives one finding and not a dozen.
//
// It returns the kind, which is one of kinds, or "" with a finding.
func (d *decoder) head(root *yaml.Node, kinds ...string) string {
	if root.Kind != yaml.MappingNode {
		at := d.at(root)
		if root.Value == "" && root.Kind == yaml.ScalarNode {
			at = finding.Position{File: d.file, Line: 1, Col: 1} // the YAML reader gives no position for an empty file
		}
		found := describe(root)
		if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!str" {
			found = "a string" // the string may be a token
		}
		d.findings.Add(at, RuleKind, d.want.emptyHint, "expected a %s (an object with apiVersion, kind, metadata and spec), found %s",
			d.want.what, found)
		return ""
	}
	version, kind := childNear(root, "apiVersion"), childNear(root, "kind")
	for _, n := range []*yaml.Node{version, kind} {
		if n != nil && !d.plain(n) {
			return ""
		}
	}
	versionOK := version != nil && version.Value == APIVersion
	kindOK := kind != nil && slices.Contains(kinds, kind.Value)
	allowed := finding.OneOf(kinds)
	want := "a " + d.want.what + " has apiVersion: " + APIVersion + " and kind: " + allowed
	switch {
	case versionOK && kindOK:
		return kind.Value
	case version == nil && kind == nil:
		d.findings.Add(d.at(root), RuleKind, d.want.emptyHint, "apiVersion and kind are missing; %s", want)
	case version == nil && kindOK:
		d.findings.Add(d.at(root), RuleKind, "add apiVersion: "+APIVersion, "apiVersion is missing; %s", want)
	case kind == nil && versionOK:
		d.findings.Add(d.at(root), RuleKind, "add kind: "+allowed, "kind is missing; %s", want)
	case kindOK:
		d.findings.Add(d.at(version), RuleKind, "write apiVersion: "+APIVersion, "apiVersion must be %q, found %s",
			APIVersion, describe(version))
	case versionOK && kind.Value == ClusterKind && slices.Contains(kinds, Kind):
		d.findings.Add(d.at(kind), RuleKind, "name the directory with the topology and its clusters",
			"found one cluster of a topology, expected the topology")
	case versionOK:
		hint := "write kind: " + allowed
		if d.want.what == aSealedLink.what {
			hint = d.want.wrongFileHint // nobody writes one by hand
		}
		d.findings.Add(d.at(kind), RuleKind, hint, "kind must be %s, found %s", allowed, describe(kind))
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
		d.findings.Add(d.at(at), RuleKind, d.want.wrongFileHint, "expected a %s, found %s; %s", d.want.what, strings.Join(says, " of "), want)
	}
	return ""
}

// childNear returns the value of a key, or of a mistyped form of the key.
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
