package check

import (
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Parse reads a topology of one document and applies the rules about what it
// says. If there are findings, the topology holds what could be read and must
// not be rendered. It is nil if the document is not an object.
func Parse(file string, data []byte) (*topology.Topology, finding.Findings) {
	return written(topology.Parse(file, data))
}

// ParseDirectory does what [Parse] does for the files of a directory.
func ParseDirectory(dir string, sources []topology.Source) (*topology.Topology, finding.Findings) {
	return written(topology.ParseDirectory(dir, sources))
}

// written applies the rules to a topology and adds their findings. Parts of the
// topology may be wrong.
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

// Meanings lists topologies that the author of a topology with findings may have meant.
// [Find] applies to each of them, and [Agreed] keeps the findings that all of them
// share. The value that a finding is about is in one of them and absent in another.
// Never write or render any of them. The list is empty if there are too many
// possibilities.
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

// mostMeanings limits how often a topology is checked, and mostLooks how often
// all its clusters together. With more, a check would take longer than a second.
const (
	mostMeanings = 24
	mostLooks    = 2000
)

// fit tells whether a topology can be rendered: the hub and the clusters on which
// engines run are in the topology, and every cluster has a different name.
func fit(t *topology.Topology) bool {
	names := map[string]bool{}
	for _, name := range namesOf(t) {
		names[strings.ToLower(name)] = true
	}
	return t.Hub() != nil && !read(t).adrift && !names[""] && len(names) == len(t.Spec.Clusters)
}

// Agreed returns the findings that are in every list.
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

// source is a topology as the rules see it before anything is rendered.
type source struct {
	*topology.Topology
	*finding.Findings
	hub     int // the index of the hub, or of the cluster that is probably meant, or -1
	names   []string
	twice   map[int]int // from each cluster with a repeated name to the first cluster of this name
	lacking [][]any     // paths of missing fields without which nothing can be rendered
	adrift  bool        // an engine runs on a cluster that is not in the topology
}

// reading is a check of what a topology says. It is skipped if a field that it
// reads was refused, because it would report the same mistake again.
type reading struct {
	reads string                 // fields below spec; those that begin with hub. or cluster. are fields of a cluster
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

// readable tells whether all fields of a list were accepted.
func (s *source) readable(fields string, cluster int) bool {
	for field := range strings.FieldsSeq(fields) {
		if !s.Readable(s.path(field, cluster)...) {
			return false
		}
	}
	return true
}

// path is the path of a field below spec.
func (s *source) path(field string, cluster int) []any { return topologyPath(field, s.hub, cluster) }

// topologyPath is the path of a field below spec. A field that begins with hub. or cluster. is
// a field of the cluster with this index.
func topologyPath(field string, hub, cluster int) []any {
	keys := keysOf(field)
	switch keys[0] {
	case "hub":
		return slices.Concat([]any{"spec", "clusters", hub}, keys[1:])
	case "cluster":
		return slices.Concat([]any{"spec", "clusters", cluster}, keys[1:])
	}
	return slices.Concat([]any{"spec"}, keys)
}

// nearName is the hint for a name that is not a cluster of the topology.
func (s *source) nearName(name string) string {
	if hint := finding.DidYouMean(name, s.names); hint != "" {
		return hint
	}
	return "name clusters of the topology"
}

// index is the index of a cluster in the topology, or -1.
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

// meantHub is the index of the hub or of the cluster that is probably meant, or
// -1 if that is unknown.
func meantHub(t *topology.Topology) int {
	name := t.Spec.Kiali.Hub
	if name == "" {
		return -1 // the decoder reports it
	}
	names := namesOf(t)
	for i := range names {
		// A name that the decoder refused may still be the hub's name.
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
