package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Summary counts results by their marks.
func Summary(results []Result) map[Mark]int {
	count := map[Mark]int{}
	for _, r := range results {
		count[r.Mark]++
	}
	return count
}

// Selected tells whether a check is in only, a list of ids and names of groups.
// An empty list selects every check.
func Selected(check string, only []string) bool {
	return len(only) == 0 || slices.ContainsFunc(only, func(o string) bool {
		return strings.EqualFold(o, check) || strings.EqualFold(o, GroupOf(check))
	})
}

// Known returns an error if the name is neither a check nor a group.
func Known(name string) error {
	var names []string
	for _, g := range Groups() {
		if strings.EqualFold(name, g.Name) || slices.ContainsFunc(g.Checks, func(c string) bool { return strings.EqualFold(c, name) }) {
			return nil
		}
		names = append(names, g.Name)
	}
	return fmt.Errorf("%q is neither a check nor a group; the groups are %s", cmp.Or(name, " "), strings.Join(names, ", "))
}

// Chosen returns the results of the checks in only, a list of ids and names of
// groups. It also returns each result that prevented one of these checks, so
// that a check that was not made never looks good.
func Chosen(results []Result, only []string) []Result {
	return slices.DeleteFunc(slices.Clone(results), func(r Result) bool {
		return !Selected(r.Check, only) && !slices.ContainsFunc(r.stops, func(check string) bool { return Selected(check, only) })
	})
}

// stops records that the last result prevents these checks of the cluster.
// Names are ids and names of groups.
func (j *judge) stops(names ...string) {
	last := &j.results[len(j.results)-1]
	for _, g := range Groups() {
		for _, check := range g.Checks {
			if check != last.Check && Selected(check, names) {
				last.stops = append(last.stops, check)
			}
		}
	}
}
