package discover

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Draft is a topology made from the objects on clusters.
type Draft struct {
	mesh     *mesh
	options  Options
	defaults *topology.Spec
	top      *node
	beside   []string // what else is on the clusters
	delivery

	instance, kialiNS string // of Kiali
	monitorName       string
	interval          string
	version           map[*cluster]string         // of Kiali, where it is not the topology's
	configs           map[*cluster]map[string]any // cluster-monitoring-config, where it is not the topology's
}

// New makes a draft. The error is a [NoHub].
func New(snapshots []*Snapshot, o Options) (*Draft, error) {
	m, err := read(snapshots, o)
	if err != nil {
		return nil, err
	}
	d := &Draft{mesh: m, options: o, defaults: topology.Defaults(), top: &node{}}
	d.top.put("apiVersion", topology.APIVersion, "")
	d.top.put("kind", topology.Kind, "")
	d.monitorName = d.findMonitorName()
	d.build()
	d.inspect()
	return d, nil
}

// Clusters lists the names of the clusters, the hub first.
func (d *Draft) Clusters() []string {
	var names []string
	for _, c := range d.mesh.clusters {
		names = append(names, c.name.value)
	}
	return names
}

// Contexts are the contexts with which the clusters were read, by the names of the
// clusters.
func (d *Draft) Contexts() map[string]string {
	of := map[string]string{}
	for _, c := range d.mesh.clusters {
		if !c.Dumped {
			of[c.name.value] = c.Label
		}
	}
	return of
}

// ACMContext is the context of an ACM hub that is no cluster of the topology, or ""
// if there is none or if it was not read with a context.
func (d *Draft) ACMContext() string {
	for _, c := range d.mesh.outside {
		if !c.Dumped && d.top.has("spec.metrics.acm") {
			return c.Label
		}
	}
	return ""
}

// head is the beginning of the file.
const head = `# Written by sightline init. A comment behind a value, or above it, says where it
# was read. Answer the questions, then run sightline verify.
`

// Text is the topology as one file.
func (d *Draft) Text() []byte {
	p := newPrinter()
	p.WriteString(head)
	p.nodes(d.top.below, "", 0)
	return p.Bytes()
}

// Source is a file of a directory topology.
type Source struct {
	Name string // relative to the directory, with slashes
	Data []byte
}

// Directory is the topology as a directory: a file for the mesh, and one for
// each cluster.
func (d *Draft) Directory() []Source {
	spec := d.top.child("spec")
	clusters := spec.child("clusters")
	shared := &node{below: slices.Clone(d.top.below)}
	for i, n := range shared.below {
		if n == spec {
			own := *spec
			own.below = slices.DeleteFunc(slices.Clone(spec.below), func(n *node) bool { return n == clusters })
			shared.below[i] = &own
		}
	}
	p := newPrinter()
	p.WriteString(head)
	p.nodes(shared.below, "", 0)
	files := []Source{{"topology.yaml", p.Bytes()}}
	for _, c := range clusters.below {
		p := newPrinter()
		top := &node{}
		top.put("apiVersion", topology.APIVersion, "")
		top.put("kind", topology.ClusterKind, "")
		item := &node{}
		for _, n := range c.below {
			if n.key == "name" {
				top.put("metadata.name", n.value, n.note)
				continue
			}
			item.below = append(item.below, n)
		}
		p.comment(0, c.above...)
		p.nodes(top.below, "", 0)
		p.WriteString("spec:")
		q := newPrinter()
		if q.nodes(item.below, "spec.clusters[]", 2); q.Len() == 0 {
			q.WriteString(" {}\n")
		} else {
			p.WriteByte('\n')
		}
		p.Write(q.Bytes())
		files = append(files, Source{"clusters/" + fileName(nameOf(c)) + ".yaml", p.Bytes()})
	}
	return files
}

var notInFiles = regexp.MustCompile(`[^a-z0-9_-]+`)

// fileName is a valid file name for a cluster with any name.
func fileName(cluster string) string {
	return cmp.Or(strings.Trim(notInFiles.ReplaceAllString(strings.ToLower(cluster), "-"), "-"), "cluster")
}

func nameOf(item *node) string {
	s, _ := item.child("name").value.(string)
	return s
}

// Findings are the contradictions, at the lines of the written topology.
func (d *Draft) Findings(t *topology.Topology) finding.Findings {
	var all finding.Findings
	for _, r := range d.mesh.found {
		all = append(all, finding.Finding{Position: t.At(d.pathIn(t, r.path)...), Rule: r.rule, Severity: r.severity, Message: r.message,
			Hint: r.hint})
	}
	return all.Sorted()
}

// pathIn is a path in the topology as it was read back. A directory has its clusters
// sorted by name.
func (d *Draft) pathIn(t *topology.Topology, path []any) []any {
	if len(path) < 3 || path[1] != "clusters" {
		return path
	}
	c := d.mesh.clusters[path[2].(int)]
	for i := range t.Spec.Clusters {
		if t.Spec.Clusters[i].Name == c.name.value {
			return append([]any{"spec", "clusters", i}, path[3:]...)
		}
	}
	return path[:2]
}

// Questions counts the questions in the topology.
func (d *Draft) Questions() int {
	return strings.Count(string(d.Text()), "# QUESTION: ")
}
