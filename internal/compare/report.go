package compare

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// Report is a difference in words.
type Report struct {
	Topology string // its name
	Against  string // the other side in words: rendered, main, the clusters
	Diff     *Diff
	Groups   []Group
	Effects  []Effect
	Facts    Facts
}

// NewReport groups a difference and finds its effects.
func NewReport(topology, against string, d *Diff, facts Facts) *Report {
	return &Report{Topology: topology, Against: against, Diff: d, Groups: d.Groups(), Effects: d.Effects(facts), Facts: facts}
}

// Text returns the report for a terminal. The last line has the counts.
func (r *Report) Text() string {
	var b strings.Builder
	for i := range r.Groups {
		b.WriteString(r.group(&r.Groups[i]))
	}
	if len(r.Effects) > 0 {
		b.WriteString("effects:\n")
		for _, e := range r.Effects {
			b.WriteString("  " + e.String() + "\n")
		}
	}
	b.WriteString(r.Counts() + "\n")
	return b.String()
}

// String is one line: the rule, and the severity if it is more than information.
func (e Effect) String() string {
	if e.Severity == finding.Info {
		return e.Rule + ": " + e.Text
	}
	return e.Severity.String() + ": " + e.Rule + ": " + e.Text
}

// Counts is a line with the number of differences.
func (r *Report) Counts() string {
	d := r.Diff
	if d.Empty() {
		return fmt.Sprintf("%s: no changes against %s", r.Topology, r.Against)
	}
	touched := len(d.Touched())
	added := d.Count(Added)
	objects := fmt.Sprintf("%s %s added, %s changed, %s removed", thousands(added), plural(added, "object"),
		thousands(d.Count(Changed)), thousands(d.Count(Removed)))
	text := fmt.Sprintf("%s: %s on %s %s", r.Topology, objects, thousands(touched), plural(touched, "cluster"))
	delivery := 0
	for i := range d.Changes {
		if d.Changes[i].Cluster == "" {
			delivery++
		}
	}
	if delivery > 0 {
		text += fmt.Sprintf("; %s %s of the delivery", thousands(delivery), plural(delivery, "object"))
	}
	return text
}

// Lines returns one line for each group.
func (r *Report) Lines() []string {
	lines := make([]string, len(r.Groups))
	for i := range r.Groups {
		what, where := r.head(&r.Groups[i])
		if where != "" {
			what += ": " + where
		}
		lines[i] = what
	}
	return lines
}

// width is the column at which the second column begins.
const width = 48

func columns(first, second string) string {
	if second == "" {
		return first + "\n"
	}
	return first + strings.Repeat(" ", max(width-len([]rune(first)), 2)) + second + "\n"
}

func (r *Report) group(g *Group) string {
	what, where := r.head(g)
	var b strings.Builder
	b.WriteString(columns(what, where))
	for _, f := range g.Fields() {
		b.WriteString(field(f))
	}
	if g.Values > 1 {
		fmt.Fprintf(&b, "    (%d different sets of values; these are of %s)\n", g.Values, called(g.Changes[0].ID)+onCluster(g.Changes[0].about()))
	}
	return b.String()
}

func onCluster(name string) string {
	if name == "" {
		return ""
	}
	return " on " + name
}

// head is the line of a group: its objects and their clusters.
func (r *Report) head(g *Group) (what, where string) {
	first := g.Changes[0]
	sign := string(g.Op) + " "
	if g.Kind == "" {
		return sign + clustersHead(g.Clusters), r.whole(g)
	}
	name := g.Names[0]
	if len(g.Clusters) <= 1 && len(g.Names) == 1 {
		name = first.ID.Name
	}
	if len(g.Namespaces) == 1 {
		name = g.Namespaces[0] + "/" + name
	}
	if more := len(g.Names) - 1; more > 0 {
		name += fmt.Sprintf(" and %s more", thousands(more))
	}
	what = sign + g.Kind + " " + name
	switch {
	case len(g.Changes) == 1:
		return what + onCluster(first.about()), ""
	case len(g.Clusters) == 0:
		return what, thousands(len(g.Changes)) + " objects"
	case len(g.Clusters) == 1:
		return what, fmt.Sprintf("%s objects on %s", thousands(len(g.Changes)), g.Clusters[0])
	case len(g.Clusters) <= most:
		return what, fmt.Sprintf("%s objects on %s", thousands(len(g.Changes)), strings.Join(g.Clusters, ", "))
	}
	return what, fmt.Sprintf("%s objects on %s clusters", thousands(len(g.Changes)), thousands(len(g.Clusters)))
}

func clustersHead(names []string) string {
	if len(names) == 1 {
		return "cluster " + names[0]
	}
	return fmt.Sprintf("%s clusters (%s)", thousands(len(names)), finding.List(names, most))
}

// whole names the objects that join or leave together with clusters.
func (r *Report) whole(g *Group) string {
	objects, others := 0, map[string][]string{}
	for _, c := range g.Changes {
		if c.Cluster != "" {
			objects++
		} else {
			others[c.ID.Kind] = append(others[c.ID.Kind], c.ID.Name)
		}
	}
	applications := r.Facts.Is
	if g.Op == Removed {
		applications = r.Facts.Was
	}
	for _, a := range applications {
		if within(g.Clusters, a.Cluster) {
			others["Application"] = append(others["Application"], a.Name)
		}
	}
	parts := []string{thousands(objects) + " " + plural(objects, "object")}
	for _, kind := range []string{"Application", "Kustomization", "HelmRelease"} {
		switch names := others[kind]; len(names) {
		case 0:
		case 1:
			parts = append(parts, kind+" "+names[0])
		default:
			parts = append(parts, thousands(len(names))+" "+plural(len(names), kind))
		}
	}
	return strings.Join(parts, ", ")
}

func field(f Field) string {
	name := "    " + f.Path.String()
	old, new := shown(f.Path, f.Old), shown(f.Path, f.New)
	switch f.Op {
	case Added:
		return columns(name, "+ "+new)
	case Removed:
		if f.Lost {
			return columns(name, "- "+old+" (would be lost by apply)")
		}
		return columns(name, "- "+old)
	case Moved:
		return columns(name, "order: "+old+" -> "+new)
	}
	a, isText := f.Old.(string)
	b, alsoText := f.New.(string)
	if isText && alsoText && (strings.Contains(a, "\n") || strings.Contains(b, "\n")) {
		text := name + "\n"
		for _, line := range lineDiff(masked(a), masked(b)) {
			text += "      " + line + "\n"
		}
		return text
	}
	return columns(name, old+" -> "+new)
}

// thousands writes a number with separators.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// lineDiff lists the removed lines of a text with "- " and the new lines with "+ ".
func lineDiff(old, new string) []string {
	a, b := strings.Split(strings.TrimSuffix(old, "\n"), "\n"), strings.Split(strings.TrimSuffix(new, "\n"), "\n")
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	var lines []string
	for len(a) > 0 || len(b) > 0 {
		i, j := nextCommon(a, b)
		for _, line := range a[:i] {
			lines = append(lines, "- "+line)
		}
		for _, line := range b[:j] {
			lines = append(lines, "+ "+line)
		}
		a, b = a[min(i+1, len(a)):], b[min(j+1, len(b)):]
	}
	const longest = 40
	if more := len(lines) - longest; more > 0 {
		lines = append(lines[:longest], fmt.Sprintf("(%s more lines)", thousands(more)))
	}
	if len(lines) == 0 {
		lines = []string{"(only the line break at the end)"}
	}
	return lines
}

// nextCommon is the position of the next line that both texts have.
func nextCommon(a, b []string) (int, int) {
	for sum := 0; sum < len(a)+len(b); sum++ {
		for i := max(0, sum-len(b)+1); i <= min(sum, len(a)-1); i++ {
			if j := sum - i; j < len(b) && a[i] == b[j] {
				return i, j
			}
		}
	}
	return len(a), len(b)
}
