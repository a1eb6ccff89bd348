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
		s.check(slices.Concat(aboutClusters(), aboutKiali(), aboutLinks(), aboutMetrics(), aboutACM(), aboutTracing(), aboutOverlays(),
			aboutDelivery(),
			aboutArgoCD(), aboutFlux()))
	}
	return s
}

// Meanings are the ways in which a topology that had findings may have been meant,
// so that [Find] can tell what else is wrong: what it finds in all of them is (see
// [Agreed]). None must be written anywhere. What a finding is about is there in one and
// not in another. There are none where nobody can tell.
func Meanings(t *topology.Topology) []*topology.Topology {
	if t == nil {
		return nil
	}
	most := min(mostMeanings, mostLooks/max(1, len(t.Spec.Clusters)))
	var all []*topology.Topology
	add := func(m *topology.Topology) {
		if m != nil && fit(m) {
			all = append(all, m)
		}
	}
	for _, meant := range t.Meanings(most) {
		more := []*topology.Topology{meant}
		s := read(meant)
		for _, path := range s.lacking {
			meant.Lack(path...)
		}
		if len(s.lacking) > 0 {
			more = meant.Meanings(most)
		}
		for _, m := range more {
			s := read(m)
			if len(all) > most || len(s.twice) > 1 {
				return nil
			}
			for i, j := range s.twice {
				add(m.Without([]finding.Position{m.At("spec", "clusters", i)}))
				add(m.Without([]finding.Position{m.At("spec", "clusters", j)}))
			}
			add(m)
			var at []finding.Position
			for _, f := range *s.Findings {
				if f.Rule != topology.RuleMissing {
					at = append(at, f.Position)
				}
			}
			if len(at) > 0 {
				add(m.Without(at))
			}
		}
	}
	return all
}

// A topology is looked at so many times, and all its clusters together. With more
// ways than that, nobody can tell in a second.
const (
	mostMeanings = 24
	mostLooks    = 2000
)

// fit tells whether a topology can be rendered: its hub is a cluster, as are those
// that engines run on, and each cluster has a name of its own.
func fit(t *topology.Topology) bool {
	names := map[string]bool{}
	for _, name := range namesOf(t) {
		names[strings.ToLower(name)] = true
	}
	return t.Hub() != nil && !read(t).adrift && !names[""] && len(names) == len(t.Spec.Clusters)
}

// Agreed are the findings that are in each of several lists.
func Agreed(lists []finding.Findings) finding.Findings {
	if len(lists) == 0 {
		return nil
	}
	agreed := slices.Clone(lists[0])
	for _, other := range lists[1:] {
		there := map[finding.Finding]bool{}
		for _, f := range other {
			there[f] = true
		}
		agreed = slices.DeleteFunc(agreed, func(f finding.Finding) bool { return !there[f] })
	}
	return agreed
}

// source is the text of a topology as rules look at it, before anything is
// rendered.
type source struct {
	*topology.Topology
	*finding.Findings
	hub     int // the cluster that is the hub, or is meant to be, or -1
	names   []string
	twice   map[int]int // clusters whose name another one has already, to the first of that name
	lacking [][]any     // paths of texts without which nothing can be rendered
	adrift  bool        // a name that is none of the clusters' says where an engine runs
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
