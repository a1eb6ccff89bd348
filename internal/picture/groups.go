package picture

import (
	"cmp"
	"slices"
)

// A drawing shows up to mostBoxes remotes as boxes, up to mostSquares as
// squares, and more as numbers.
const (
	mostBoxes   = 12
	mostSquares = 400
	mostGroups  = 24
)

// group is a group of remotes: of one network, or of one network and region in
// a large mesh.
type group struct {
	name    string
	remotes []Cluster
}

// byNetwork groups the remotes by network. The hub's network comes first, the
// others in the order of the topology.
func (p *Picture) byNetwork() []group {
	named := func(network string) string {
		if network == "" {
			return ""
		}
		return "network " + network
	}
	all := groups(p.Remotes, func(c *Cluster) string { return named(c.Network) })
	slices.SortStableFunc(all, func(a, b group) int {
		first := func(g *group) int {
			if g.name == named(p.Hub.Network) {
				return 0
			}
			return 1
		}
		return cmp.Compare(first(&a), first(&b))
	})
	return all
}

// byPlace groups the remotes of a large mesh by network and region, sorted by
// name. If there are too many groups, it groups by region only. If there are
// still too many, it keeps the largest and puts the others into one group.
func byPlace(remotes []Cluster) []group {
	all := groups(remotes, func(c *Cluster) string {
		switch {
		case c.Network != "" && c.Region != "" && c.Network != c.Region:
			return c.Network + ", " + c.Region
		case c.Network != "":
			return "network " + c.Network
		case c.Region != "":
			return c.Region
		}
		return ""
	})
	if len(all) > mostGroups {
		if regions := groups(remotes, func(c *Cluster) string { return c.Region }); len(regions) > 1 {
			all = regions
		}
	}
	if len(all) > mostGroups {
		slices.SortStableFunc(all, func(a, b group) int { return cmp.Compare(len(b.remotes), len(a.remotes)) })
		rest := group{name: counts(len(all)-mostGroups+1, "more group")}
		for _, g := range all[mostGroups-1:] {
			rest.remotes = append(rest.remotes, g.remotes...)
		}
		slices.SortFunc(all[:mostGroups-1], func(a, b group) int { return cmp.Compare(a.name, b.name) })
		return append(all[:mostGroups-1:mostGroups-1], rest)
	}
	slices.SortStableFunc(all, func(a, b group) int { return cmp.Compare(a.name, b.name) })
	return all
}

func groups(remotes []Cluster, of func(*Cluster) string) []group {
	var all []group
	at := map[string]int{}
	for i := range remotes {
		name := of(&remotes[i])
		n, ok := at[name]
		if !ok {
			n = len(all)
			at[name] = n
			all = append(all, group{name: name})
		}
		all[n].remotes = append(all[n].remotes, remotes[i])
	}
	for i := range all {
		if all[i].name == "" {
			all[i].name = "no network named"
			if len(all) == 1 {
				all[i].name = "remotes"
			}
		}
	}
	return all
}

// troubled counts the clusters whose worst note has the given grade.
func (g *group) troubled(grade Grade) int {
	n := 0
	for i := range g.remotes {
		if Worst(g.remotes[i].Notes) == grade {
			n++
		}
	}
	return n
}

// unlinked counts the remotes without a link.
func (g *group) unlinked() int {
	n := 0
	for i := range g.remotes {
		if g.remotes[i].Link.None {
			n++
		}
	}
	return n
}

// networks counts the networks of the mesh.
func (p *Picture) networks() int {
	seen := map[string]bool{}
	for _, c := range append([]Cluster{p.Hub}, p.Remotes...) {
		if c.Network != "" {
			seen[c.Network] = true
		}
	}
	return len(seen)
}
