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

// Selected tells whether a check is one of those asked for, by ids and names of
// groups; with none, every check is.
func Selected(check string, only []string) bool {
	return len(only) == 0 || slices.ContainsFunc(only, func(o string) bool {
		return strings.EqualFold(o, check) || strings.EqualFold(o, GroupOf(check))
	})
}

// Known says what is wrong with the name of a check or group, or nil.
func Known(name string) error {
	var names []string
	for _, g := range Groups() {
		if strings.EqualFold(name, g.Name) || slices.ContainsFunc(g.Checks, func(c string) bool { return strings.EqualFold(c, name) }) {
			return nil
		}
		names = append(names, g.Name)
	}
	return fmt.Errorf("%q is no check and no group; the groups are %s", cmp.Or(name, " "), strings.Join(names, ", "))
}

// Chosen are the results of the checks asked for, by ids and names of groups, and
// those that say why one of them was not made: nothing passes for good because
// it was not asked.
func Chosen(results []Result, only []string) []Result {
	return slices.DeleteFunc(slices.Clone(results), func(r Result) bool {
		return !Selected(r.Check, only) && !slices.ContainsFunc(r.stops, func(check string) bool { return Selected(check, only) })
	})
}

// stops says of the last result that for it these checks of the cluster are not
// made: ids, and names of groups.
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
