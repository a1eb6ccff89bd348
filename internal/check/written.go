package check

import (
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Parse reads a topology of one document and applies the rules about what it
// says. Where there are findings, the topology holds what could be read and must
// not be rendered; it is nil where the text is no mapping at all.
func Parse(file string, data []byte) (*topology.Topology, finding.Findings) {
	return written(topology.Parse(file, data))
}

// ParseDirectory does what [Parse] does for the files of a directory.
func ParseDirectory(dir string, sources []topology.Source) (*topology.Topology, finding.Findings) {
	return written(topology.ParseDirectory(dir, sources))
}

// written adds what the rules find in a topology that may be wrong in part.
func written(t *topology.Topology, findings finding.Findings) (*topology.Topology, finding.Findings) {
	if t == nil {
		return nil, findings
	}
	more := slices.DeleteFunc(*read(t).Findings, func(f finding.Finding) bool { return t.Removed(f.Position) })
	return t, append(findings, more...).Sorted()
}

// read applies the rules about what a topology says.
func read(t *topology.Topology) *source {
	s := &source{Topology: t, Findings: &finding.Findings{}, hub: meantHub(t), names: namesOf(t)}
	s.twice = s.repeated()
	s.check(aboutNames())
	if s.hub >= 0 {
		s.check(slices.Concat(aboutClusters(), aboutKiali(), aboutMetrics(), aboutACM(), aboutOverlays(), aboutDelivery(), aboutArgoCD(), aboutFlux()))
	}
	return s
}

// Rest is a topology that had findings, without the values that can be left out
// or that have a default, so that [Find] can tell what else is wrong. It must not be
// written anywhere. It is nil where more than such values is wrong.
func Rest(t *topology.Topology) *topology.Topology {
	if t == nil {
		return nil
	}
	rest, findings := t.Without(read(t).needless)
	if rest == nil || len(findings) > 0 || len(*read(rest).Findings) > 0 {
		return nil
	}
	return rest
}

// source is the text of a topology as rules look at it, before anything is
// rendered.
type source struct {
	*topology.Topology
	*finding.Findings
	hub      int // the cluster that is the hub, or is meant to be, or -1
	names    []string
	needless [][]any     // paths of values that the hint says to remove
	twice    map[int]int // clusters whose name another one has already, to the first of that name
}

// reading is a check of what a topology says. It finds nothing where a field
// that it reads was refused: what would follow is the same mistake again.
type reading struct {
	reads string                 // fields below spec; hub. and cluster. are those of a cluster
	find  func(s *source)        // looks at the whole
	each  func(s *source, i int) // looks at one cluster
}

func (s *source) check(readings []reading) {
	for _, r := range readings {
		if r.find != nil && s.readable(r.reads, s.hub) {
			r.find(s)
		}
		for i := range s.Spec.Clusters {
			if r.each != nil && s.readable(r.reads, i) {
				r.each(s, i)
			}
		}
	}
}

// readable tells whether no field of a list was refused.
func (s *source) readable(fields string, cluster int) bool {
	for field := range strings.FieldsSeq(fields) {
		if !s.Readable(s.path(field, cluster)...) {
			return false
		}
	}
	return true
}

// path is that of a field below spec.
func (s *source) path(field string, cluster int) []any {
	path := []any{"spec"}
	for i, key := range strings.Split(field, ".") {
		switch {
		case i == 0 && key == "hub":
			path = append(path, "clusters", s.hub)
		case i == 0 && key == "cluster":
			path = append(path, "clusters", cluster)
		default:
			path = append(path, key)
		}
	}
	return path
}

// nearName is the hint where a name is none of the clusters'.
func (s *source) nearName(name string) string {
	if hint := finding.DidYouMean(name, s.names); hint != "" {
		return hint
	}
	return "name clusters of the topology"
}

// index is the place of a cluster in the topology, or -1.
func (s *source) index(cluster string) int {
	if cluster == "" {
		return -1
	}
	return slices.Index(s.names, cluster)
}

func namesOf(t *topology.Topology) []string {
	names := make([]string, len(t.Spec.Clusters))
	for i := range t.Spec.Clusters {
		names[i] = t.Spec.Clusters[i].Name
	}
	return names
}

// meantHub is the index of the cluster that is the hub, or is meant to be, or -1
// if that cannot be told.
func meantHub(t *topology.Topology) int {
	name := t.Spec.Kiali.Hub
	if name == "" {
		return -1 // found by the decoder
	}
	names := namesOf(t)
	for i := range names {
		// A name that the decoder refused may still be the one.
		if names[i] == name || names[i] == "" && t.Text("spec", "clusters", i, "name") == name {
			return i
		}
	}
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "" })
	if near := finding.Nearest(name, names); near != "" {
		return slices.Index(namesOf(t), near)
	}
	return -1
}
