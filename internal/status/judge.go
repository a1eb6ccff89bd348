package status

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Mark is the outcome of a check.
type Mark string

// The marks. A warning is worth knowing, but it is no failure.
const (
	Good      Mark = "good"
	Bad       Mark = "bad"
	Warning   Mark = "warning"
	Unchecked Mark = "unchecked"
)

// Result is what a check found about a cluster, or about the whole mesh if
// Cluster is "".
type Result struct {
	Check   string `json:"check"`
	Group   string `json:"group"`
	Cluster string `json:"cluster,omitempty"`
	Mark    Mark   `json:"mark"`
	Found   string `json:"found,omitempty"`
	Next    string `json:"next,omitempty"` // what to do, usually a command

	stops []string // checks that this result prevented
}

// Group is a group of checks.
type Group struct {
	Name   string
	Checks []string // ids, in order
}

// Groups lists the checks, the most important first.
func Groups() []Group {
	return []Group{
		{"reach", []string{"ST01", "ST02"}},
		{"names", []string{"ST03", "ST04", "ST05", "ST06"}},
		{"objects", []string{"ST07", "ST08"}},
		{"kiali", []string{"ST09", "ST39", "ST10", "ST11"}},
		{"links", []string{"ST12", "ST13", "ST14", "ST15", "ST16", "ST17", "ST18"}},
		{"monitoring", []string{"ST19", "ST20", "ST35"}},
		{"acm", []string{"ST36", "ST37", "ST38"}},
		{"view", []string{"ST21", "ST22", "ST23", "ST24"}},
		{"data", []string{"ST25", "ST26", "ST27", "ST28", "ST29", "ST30", "ST31", "ST32"}},
		{"tracing", []string{"ST33", "ST34"}},
	}
}

// Judge compares facts with expectations. The results are in the order of the
// checks, and within a check in the order of the topology's clusters.
func Judge(e Expected, f Facts) []Result {
	j := &judge{Expected: e, facts: f}
	for _, c := range e.Clusters() {
		j.on = c
		got := f.Clusters[c.Name]
		if !j.reached(got) {
			if got != nil {
				j.unasked()
			}
			continue
		}
		j.platform(got)
		j.objects(got)
		if c == e.Outside {
			continue
		}
		j.names(got)
		j.operator(got)
		j.login(got)
		j.resource(got)
		j.monitoring(got)
		j.telemetries(got)
		j.provider(got)
		if e.Topology.IsHub(c) {
			j.pods(got)
		} else {
			j.token(got)
		}
	}
	j.acm()
	j.links()
	j.view()
	j.data()
	order := map[string]int{}
	for _, g := range Groups() {
		for _, id := range g.Checks {
			order[id] = len(order)
		}
	}
	slices.SortStableFunc(j.results, func(a, b Result) int { return cmp.Compare(order[a.Check], order[b.Check]) })
	return j.results
}

// unasked names the checks that cannot be made because the cluster does not
// answer.
func (j *judge) unasked() {
	if j.on == j.Outside {
		j.stops("reach", "objects", "acm")
		return
	}
	stopped := []string{"reach", "names", "objects", "kiali", "ST12", "ST34", "monitoring"}
	if j.facts.Stores[""] == nil { // each cluster has its own store
		stopped = append(stopped, "data")
	}
	if j.Topology.IsHub(j.on) {
		stopped = append(stopped, "links", "view", "tracing", "data")
	}
	if j.on == j.ACMHub() {
		stopped = append(stopped, "acm")
	}
	j.stops(stopped...)
}

// GroupOf returns the group of a check.
func GroupOf(check string) string {
	for _, g := range Groups() {
		if slices.Contains(g.Checks, check) {
			return g.Name
		}
	}
	return ""
}

type judge struct {
	Expected
	facts   Facts
	on      *topology.Cluster // the cluster that results are about; nil: the mesh
	results []Result
}

func (j *judge) add(check string, mark Mark, next, format string, args ...any) {
	r := Result{Check: check, Group: GroupOf(check), Mark: mark, Found: fmt.Sprintf(format, args...), Next: next}
	if j.on != nil {
		r.Cluster = j.on.Name
	}
	j.results = append(j.results, r)
}

func (j *judge) good(check string) { j.add(check, Good, "", "") }
func (j *judge) bad(check, next, format string, args ...any) {
	j.add(check, Bad, next, format, args...)
}
func (j *judge) warn(check, next, format string, args ...any) {
	j.add(check, Warning, next, format, args...)
}
func (j *judge) unchecked(check, next, format string, args ...any) {
	j.add(check, Unchecked, next, format, args...)
}

// asked tells whether a question has an answer. If it has none, asked adds an
// unchecked result for the check.
func (j *judge) asked(check string, failure *Failure) bool {
	switch {
	case failure == nil:
		return true
	case failure.Status == 403 || failure.Status == 401:
		j.unchecked(check, "grant the right: "+command.Rights(j.Arg)+" prints all that are needed", "%s", failure.Text)
	default:
		j.unchecked(check, "", "%s", failure.Text)
	}
	return false
}

// context returns the name of the context of j.on for commands.
func (j *judge) context() string {
	if got := j.facts.Clusters[j.on.Name]; got != nil && got.Context != "" {
		return got.Context
	}
	return j.on.Name
}

// kubectl returns a kubectl command for the cluster j.on.
func (j *judge) kubectl(format string, args ...any) string { return j.in("", format, args...) }

// in returns a kubectl command for a namespace of the cluster j.on.
func (j *judge) in(namespace, format string, args ...any) string {
	return command.Kubectl(j.context(), namespace, fmt.Sprintf(format, args...))
}

// hub makes the hub the cluster of the next results. It returns nil if the hub
// does not answer.
func (j *judge) hub() *Cluster {
	j.on = j.Topology.Hub()
	got := j.facts.Clusters[j.on.Name]
	if got == nil || got.NoAccess != "" || got.Failure != nil {
		return nil
	}
	return got
}

// first shortens a list of names for a message.
func first(names []string) string {
	const most = 3
	text := ""
	for i, name := range names {
		if i == most {
			return fmt.Sprintf("%s and %d more", text, len(names)-most)
		}
		if i > 0 {
			text += ", "
		}
		text += name
	}
	return text
}
