package check

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// TestGrouped shows how equal findings of several clusters are reported: up to three
// on separate lines, more on one line.
func TestGrouped(t *testing.T) {
	top := &topology.Topology{}
	top.Spec.Kiali.Hub = "hub"
	for _, name := range []string{"hub", "a", "b", "c", "d"} {
		top.Spec.Clusters = append(top.Spec.Clusters, topology.Cluster{Name: name})
	}
	m := &mesh{Topology: top}
	at := func(line int) finding.Position { return finding.Position{File: "f", Line: line, Col: 1} }
	messages := func(clusters []int, line func(i int) int) (all []string) {
		var found []raw
		for _, i := range clusters {
			found = append(found, raw{finding.Finding{Position: at(line(i)), Rule: "PM02", Message: "no monitor"}, m, i, ""})
		}
		for _, f := range grouped(found) {
			all = append(all, f.String())
		}
		return all
	}
	own := func(i int) int { return i + 1 }
	assert.Equal(t, []string{`f:2:1: error: PM02: cluster "a": no monitor`}, messages([]int{1}, own))
	assert.Equal(t, []string{`f:1:1: error: PM02: cluster "hub": no monitor`, `f:2:1: error: PM02: cluster "a": no monitor`}, messages([]int{0, 1}, own))
	assert.Equal(t, []string{"f:9:1: error: PM02: 2 remotes (a, b): no monitor"}, messages([]int{1, 2}, func(int) int { return 9 }))
	assert.Equal(t, []string{"f:2:1: error: PM02: 4 remotes (a, b, c and 1 more): no monitor"}, messages([]int{1, 2, 3, 4}, own))
	assert.Equal(t, []string{"f:1:1: error: PM02: 5 clusters (hub, a, b and 2 more): no monitor"}, messages([]int{0, 1, 2, 3, 4}, own))
}

// TestDistinct shows which rule reports a field if several rules know the field.
func TestDistinct(t *testing.T) {
	m := &mesh{}
	ids := func(rules ...string) (kept []string) {
		var found []raw
		for _, rule := range rules {
			found = append(found, raw{finding.Finding{Rule: rule}, m, 0, "a.b"})
		}
		for _, r := range distinct(append(found, raw{finding.Finding{Rule: "KC13"}, m, 0, "a.bc"})) {
			if r.field == "a.b" {
				kept = append(kept, r.Rule)
			}
		}
		return kept
	}
	assert.Equal(t, []string{"PM18"}, ids("PM18", "KC09", "KC12", "KC13", "SC01"))
	assert.Equal(t, []string{"KC09"}, ids("KC13", "KC12", "KC09"))
	assert.Equal(t, []string{"KC12"}, ids("KC13", "KC12"))
	assert.Equal(t, []string{"KC13"}, ids("KC13", "SC01"))
	assert.Equal(t, []string{"PM18", "RS03"}, ids("PM18", "RS03"), "two rules that name the field have two defects")
}
