package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/status"
)

// statusReport is the output json of status.
type statusReport struct {
	Topology string              `json:"topology"`
	Good     int                 `json:"good"`
	Bad      int                 `json:"bad"`
	Warnings int                 `json:"warnings"`
	Unasked  int                 `json:"unchecked"`
	Results  []status.Result     `json:"results"`
	Clusters []statusClusterLine `json:"clusters"`
}

type statusClusterLine struct {
	Name     string `json:"name"`
	Good     int    `json:"good"`
	Bad      int    `json:"bad"`
	Warnings int    `json:"warnings"`
	Unasked  int    `json:"unchecked"`
}

func (o *statusOptions) print(stdout io.Writer, e status.Expected, results []status.Result) error {
	count := status.Summary(results)
	report := statusReport{
		Topology: e.Topology.Metadata.Name, Good: count[status.Good], Bad: count[status.Bad], Warnings: count[status.Warning],
		Unasked: count[status.Unchecked],
		Results: results,
	}
	if results == nil {
		report.Results = []status.Result{}
	}
	for _, c := range e.Clusters() {
		name := c.Name
		own := status.Summary(slices.DeleteFunc(slices.Clone(results), func(r status.Result) bool { return r.Cluster != name }))
		if len(own) > 0 {
			report.Clusters = append(report.Clusters, statusClusterLine{name, own[status.Good], own[status.Bad], own[status.Warning],
				own[status.Unchecked]})
		}
	}
	if o.output == "json" {
		enc := json.NewEncoder(stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(report)
	}
	for i, r := range results { // a terminal is written to directly, without the stream visible
		report.Results[i].Found, report.Results[i].Next = finding.VisibleText(r.Found), finding.VisibleText(r.Next)
	}
	paint := func(_ status.Mark, text string) string { return text }
	if screen := terminal(stdout); screen != nil {
		stdout, paint = screen, coloured
	}
	_, err := io.WriteString(stdout, report.text(paint))
	return err
}

func coloured(mark status.Mark, text string) string {
	return painted(map[status.Mark]int{status.Good: green, status.Bad: red, status.Warning: yellow, status.Unchecked: cyan}[mark], text)
}

// sign returns the character for a mark.
func sign(mark status.Mark) string {
	return map[status.Mark]string{status.Good: "√", status.Bad: "×", status.Warning: "‼", status.Unchecked: "?"}[mark]
}

func (r *statusReport) text(paint func(status.Mark, string) string) string {
	var b strings.Builder
	for _, g := range status.Groups() {
		of := slices.DeleteFunc(slices.Clone(r.Results), func(x status.Result) bool { return x.Group != g.Name })
		if len(of) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s\n%s\n", g.Name, strings.Repeat("-", len(g.Name)))
		for _, l := range statusLines(of) {
			where := ""
			if len(l.clusters) > 0 {
				where = ": " + finding.List(l.clusters, listed)
			}
			if len(l.clusters) > listed {
				where = fmt.Sprintf(": %d clusters: %s", len(l.clusters), finding.List(l.clusters, listed))
			}
			fmt.Fprintf(&b, "%s %s %s%s\n", paint(l.mark, sign(l.mark)), l.check, title(l.check), where)
			if l.found != "" {
				note := ""
				if len(l.clusters) > 1 {
					note = l.clusters[0] + ": "
				}
				if l.mark == status.Unchecked {
					note = "not checked: " + note
				}
				fmt.Fprintf(&b, "    %s%s\n", note, l.found)
			}
			if l.next != "" {
				fmt.Fprintf(&b, "    next: %s\n", l.next)
			}
			if l.mark == status.Bad {
				fmt.Fprintf(&b, "    more: sightline explain %s\n", l.check)
			}
		}
		b.WriteByte('\n')
	}
	if len(r.Results) == 0 {
		b.WriteString("nothing to check: the topology does not have the parts that --only names\n\n")
	}
	r.table(&b)
	fmt.Fprintf(&b, "%s: %d good, %d failed, %s, %d not checked\n", r.Topology, r.Good, r.Bad, finding.Count(r.Warnings, "warning"), r.Unasked)
	return b.String()
}

// table writes a line for each cluster. In a fleet, it leaves out clusters where all is
// good.
func (r *statusReport) table(b *strings.Builder) {
	shown := r.Clusters
	if len(shown) > 20 {
		shown = slices.DeleteFunc(slices.Clone(shown), func(c statusClusterLine) bool { return c.Bad+c.Warnings+c.Unasked == 0 })
	}
	width := len("cluster")
	for _, c := range shown {
		width = max(width, len(c.Name))
	}
	if len(shown) > 0 {
		fmt.Fprintf(b, "%-*s  good  failed  warnings  not checked\n", width, "cluster")
	}
	for _, c := range shown {
		fmt.Fprintf(b, "%-*s  %4d  %6d  %8d  %11d\n", width, c.Name, c.Good, c.Bad, c.Warnings, c.Unasked)
	}
	if quiet := len(r.Clusters) - len(shown); quiet > 0 {
		fmt.Fprintf(b, "%s where all is good\n", finding.Count(quiet, "cluster"))
	}
	b.WriteByte('\n')
}

// statusLine is a result that one or more clusters have.
type statusLine struct {
	check, found, next string
	mark               status.Mark
	clusters           []string
}

// statusLines groups results that differ only in the name of the cluster.
func statusLines(results []status.Result) []statusLine {
	type key struct {
		check, found, next string
		mark               status.Mark
	}
	var all []statusLine
	at := map[key]int{}
	for _, r := range results {
		k := key{r.Check, r.Found, r.Next, r.Mark}
		if r.Cluster != "" {
			k.found, k.next = strings.ReplaceAll(k.found, r.Cluster, "\x00"), strings.ReplaceAll(k.next, r.Cluster, "\x00")
		}
		i, ok := at[k]
		if !ok {
			i = len(all)
			at[k] = i
			all = append(all, statusLine{check: r.Check, found: r.Found, next: r.Next, mark: r.Mark})
		}
		if r.Cluster != "" {
			all[i].clusters = append(all[i].clusters, r.Cluster)
		}
	}
	return all
}

// progress is a line on a terminal with the number of clusters that were asked.
type progress struct {
	out   io.Writer
	all   int
	mutex sync.Mutex
	count int
}

// newProgress returns a progress that prints only on a terminal, and only for more than
// one cluster.
func newProgress(stderr io.Writer, clusters int) *progress {
	p := &progress{out: io.Discard, all: clusters}
	if screen := terminal(stderr); screen != nil && clusters > 1 {
		p.out = screen
	}
	return p
}

func (p *progress) begin() { p.count = 0 }

func (p *progress) done(string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.count++
	fmt.Fprintf(p.out, "\rasked %d of %d clusters", p.count, p.all)
}

// end clears the line.
func (p *progress) end() { fmt.Fprint(p.out, "\r\x1b[K") }
