package compare

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// MarkdownLimit is the largest number of characters of a comment on GitHub.
const MarkdownLimit = 65536

// Markdown returns the report for a pull request, with at most MarkdownLimit
// characters. If it is too long, the longest groups lose their fields first, then the
// last groups are removed. The report says what was removed.
func (r *Report) Markdown() string { return r.markdown(MarkdownLimit) }

func (r *Report) markdown(limit int) string {
	top := fmt.Sprintf("### Sightline: %s\n\n%s\n\n", r.Topology, strings.TrimPrefix(r.Counts(), r.Topology+": "))
	if r.Diff.Empty() {
		return strings.TrimSpace(top) + "\n"
	}
	c := cut{}
	for i := range r.Groups {
		c.groups = append(c.groups, r.group(&r.Groups[i]))
	}
	for _, e := range r.Effects {
		grave := ""
		if e.Severity != finding.Info {
			grave = "**" + e.Severity.String() + "**: "
		}
		c.effects = append(c.effects, "- `"+e.Rule+"` "+grave+e.Text+"\n")
	}
	text := func() string {
		f := fence(c.groups)
		return top + section("**Effects**\n\n", c.effects, "") + section(f+"diff\n", c.groups, f+"\n") + c.sentence(r)
	}
	if size := utf8.RuneCountInString(text()); size > limit {
		const sentence = 300
		for size += sentence; size > limit; {
			n := c.shorten()
			if n == 0 {
				break
			}
			size -= n
		}
	}
	return text()
}

func section(open string, parts []string, end string) string {
	if len(parts) == 0 {
		return ""
	}
	return open + strings.Join(parts, "") + end + "\n"
}

// fence is longer than every fence in the text.
func fence(parts []string) string {
	f := "```"
	for slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(p, f) }) {
		f += "`"
	}
	return f
}

// cut is a report that gets shorter.
type cut struct {
	groups, effects []string

	fieldless, groupless, effectless int // groups without their fields, groups and effects that are left out
}

// shorten removes the fields of the longest group, or else the last group, or else
// the last effect. It returns the number of removed characters, or 0 if nothing is
// left to remove.
func (c *cut) shorten() int {
	longest := -1
	for i, g := range c.groups {
		if strings.Count(g, "\n") > 1 && (longest < 0 || len(g) > len(c.groups[longest])) {
			longest = i
		}
	}
	take := func(from *[]string, count *int) int {
		last := len(*from) - 1
		n := utf8.RuneCountInString((*from)[last])
		*from = (*from)[:last]
		*count++
		return n
	}
	switch {
	case longest >= 0:
		head, rest, _ := strings.Cut(c.groups[longest], "\n")
		c.groups[longest] = head + "\n"
		c.fieldless++
		return utf8.RuneCountInString(rest)
	case len(c.groups) > 0:
		return take(&c.groups, &c.groupless)
	case len(c.effects) > 0:
		return take(&c.effects, &c.effectless)
	}
	return 0
}

func (c *cut) sentence(r *Report) string {
	var what []string
	if c.fieldless > 0 {
		what = append(what, fmt.Sprintf("the fields of the %s longest of %s groups", thousands(c.fieldless), thousands(len(r.Groups))))
	}
	if c.groupless > 0 {
		what = append(what, fmt.Sprintf("%s of %s groups", thousands(c.groupless), thousands(len(r.Groups))))
	}
	if c.effectless > 0 {
		what = append(what, fmt.Sprintf("%s of %s effects", thousands(c.effectless), thousands(len(r.Effects))))
	}
	if len(what) == 0 {
		return ""
	}
	return fmt.Sprintf("Left out to stay within %s characters: %s. `sightline diff` shows all.\n", thousands(MarkdownLimit),
		strings.Join(what, ", "))
}

// JSON returns the report as one object, indented.
func (r *Report) JSON() ([]byte, error) {
	type place struct {
		Cluster   string `json:"cluster,omitempty"`
		Namespace string `json:"namespace,omitempty"`
		Name      string `json:"name"`
	}
	type fieldJSON struct {
		Path string `json:"path"`
		Op   string `json:"op"`
		Old  any    `json:"old,omitempty"`
		New  any    `json:"new,omitempty"`
		Lost bool   `json:"lost,omitempty"`
	}
	type groupJSON struct {
		Op         string      `json:"op"`
		Kind       string      `json:"kind,omitempty"`
		Names      []string    `json:"names,omitempty"`
		Namespaces []string    `json:"namespaces,omitempty"`
		Clusters   []string    `json:"clusters,omitempty"`
		Objects    int         `json:"objects"`
		Values     int         `json:"values,omitempty"`
		Example    *place      `json:"example,omitempty"`
		Fields     []fieldJSON `json:"fields,omitempty"`
	}
	type effectJSON struct {
		Rule     string   `json:"rule"`
		Severity string   `json:"severity"`
		Text     string   `json:"text"`
		Clusters []string `json:"clusters,omitempty"`
	}
	out := struct {
		Topology string `json:"topology"`
		Against  string `json:"against"`
		Clusters struct {
			Touched []string `json:"touched"`
			Added   []string `json:"added"`
			Removed []string `json:"removed"`
		} `json:"clusters"`
		Objects struct {
			Added   int `json:"added"`
			Changed int `json:"changed"`
			Removed int `json:"removed"`
		} `json:"objects"`
		Groups  []groupJSON  `json:"groups"`
		Effects []effectJSON `json:"effects"`
	}{Topology: r.Topology, Against: r.Against, Groups: []groupJSON{}, Effects: []effectJSON{}}
	list := func(names []string) []string { return append([]string{}, names...) }
	out.Clusters.Touched, out.Clusters.Added, out.Clusters.Removed = list(r.Diff.Touched()), list(r.Diff.AddedClusters), list(
		r.Diff.RemovedClusters)
	out.Objects.Added, out.Objects.Changed, out.Objects.Removed = r.Diff.Count(Added), r.Diff.Count(Changed), r.Diff.Count(Removed)
	for _, g := range r.Groups {
		j := groupJSON{Op: g.Op.String(), Kind: g.Kind, Clusters: g.Clusters, Objects: len(g.Changes)}
		if g.Kind != "" {
			first := g.Changes[0]
			j.Names, j.Namespaces, j.Values = g.Names, g.Namespaces, g.Values
			j.Example = &place{first.about(), first.ID.Namespace, first.ID.Name}
		}
		for _, f := range g.Fields() {
			j.Fields = append(j.Fields, fieldJSON{f.Path.String(), f.Op.String(), safe(lastKey(f.Path), f.Old), safe(lastKey(f.Path), f.New),
				f.Lost})
		}
		out.Groups = append(out.Groups, j)
	}
	for _, e := range r.Effects {
		out.Effects = append(out.Effects, effectJSON{e.Rule, e.Severity.String(), e.Text, e.Clusters})
	}
	data, err := json.MarshalIndent(out, "", "  ")
	return append(data, '\n'), err
}
