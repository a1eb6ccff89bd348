// Package picture draws a mesh: its hub and remotes, the links between them,
// and the paths of metrics, traces and logins. A [Picture] holds everything
// that is drawn. It can be written as an SVG drawing, as a Mermaid diagram, or
// as an HTML page with the drawing and a table of the clusters. Equal input
// gives equal bytes.
package picture

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/status"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Facts are facts about a topology that are not in its file.
type Facts struct {
	Findings []check.About
	Links    map[string]*topology.SealedLink // by cluster name
	Results  []status.Result                 // results of status; nil: status was not asked
}

// Picture is everything that is drawn of a mesh.
type Picture struct {
	Name, MeshID string

	Hub      Cluster
	Remotes  []Cluster // in the order of the topology
	Login    string    // how users log in
	Delivery string    // how objects come to the clusters; "": the topology does not say it
	Kiali    string    // the server with its release line
	Host     string    // Kiali's host, or ""
	Store    Backend   // of metrics
	Traces   Backend   // Name is "" if there is none
	Notes    []Note    // about the whole mesh
	Asked    bool      // status was asked
}

// Backend is a store of metrics or traces.
type Backend struct {
	Name  string // such as Thanos
	Place string // its host, or where it runs
	By    string // how the remotes' data comes there; "": it does not
}

// Cluster is a member of the mesh.
type Cluster struct {
	Name, Platform  string
	Network, Region string // may be empty
	ControlPlane    string // where its istiod is
	Namespaces      []string
	Link            Link // for a remote
	Series          bool // the store gets its series
	Spans           bool // the backend of traces gets its spans
	Notes           []Note
	Good            int // number of good results of status
	Unchecked       int // number of unchecked results of status
}

// Link is the way from Kiali to a remote.
type Link struct {
	Text string
	None bool // there is no link
}

// Grade is the severity of a note.
type Grade int

// The grades, the least severe first.
const (
	Fine Grade = iota
	Information
	Warning
	Error
)

func (g Grade) String() string { return [...]string{"", "information", "warning", "error"}[g] }

// Note is a finding, or a result of status.
type Note struct {
	Grade              Grade
	Rule, Text, Advice string
	Seen               bool // from status; otherwise from a rule
}

// Worst returns the highest grade of the notes.
func Worst(notes []Note) Grade {
	worst := Fine
	for _, n := range notes {
		worst = max(worst, n.Grade)
	}
	return worst
}

// counted counts the notes of a grade.
func counted(notes []Note, g Grade) int {
	n := 0
	for i := range notes {
		if notes[i].Grade == g {
			n++
		}
	}
	return n
}

// Of returns the picture of a topology with a hub.
func Of(t *topology.Topology, facts Facts) *Picture {
	p := &Picture{Name: t.Metadata.Name, MeshID: t.Spec.Mesh.ID, Login: login(t), Delivery: delivery(t), Host: t.HubHost(), Store: store(t),
		Traces: traces(t), Asked: facts.Results != nil}
	notes := notesOf(facts)
	p.Notes = notes[""]
	good, unchecked := map[string]int{}, map[string]int{}
	for _, r := range facts.Results {
		switch r.Mark {
		case status.Good:
			good[r.Cluster]++
		case status.Unchecked:
			unchecked[r.Cluster]++
		}
	}
	for i := range t.Spec.Clusters {
		c := &t.Spec.Clusters[i]
		hub := t.IsHub(c)
		drawn := Cluster{
			Name: c.Name, Platform: platform(c), Network: c.Network, Region: cmp.Or(c.Labels["topology.kubernetes.io/region"], c.Labels["region"]),
			ControlPlane: controlPlane(c), Namespaces: namespaces(t, c), Notes: notes[c.Name],
			Series: c.InMesh() && (hub || p.Store.By != ""), Spans: t.Collects(c) || t.TracesIn() != "" && t.TracesIn() != "stack" && c.InMesh(),
			Good: good[c.Name], Unchecked: unchecked[c.Name],
		}
		if hub {
			p.Hub, p.Kiali = drawn, "Kiali"
			if line := c.Kiali.Version.String(); line != "default" {
				p.Kiali = "Kiali " + line
			}
			continue
		}
		drawn.Link = link(t, facts.Links[c.Name])
		p.Remotes = append(p.Remotes, drawn)
	}
	return p
}

// notesOf returns the notes by cluster, the most severe first.
func notesOf(facts Facts) map[string][]Note {
	notes := map[string][]Note{}
	for _, f := range facts.Findings {
		grade := [...]Grade{finding.Error: Error, finding.Warning: Warning, finding.Info: Information}[f.Severity]
		notes[f.Cluster] = append(notes[f.Cluster], Note{Grade: grade, Rule: f.Rule, Text: f.Message, Advice: f.Hint})
	}
	for _, r := range facts.Results {
		if r.Mark == status.Bad || r.Mark == status.Warning {
			grade := Error
			if r.Mark == status.Warning {
				grade = Warning
			}
			notes[r.Cluster] = append(notes[r.Cluster], Note{Grade: grade, Rule: r.Check, Text: r.Found, Advice: r.Next, Seen: true})
		}
	}
	for of := range notes {
		slices.SortStableFunc(notes[of], func(a, b Note) int {
			return cmp.Or(cmp.Compare(b.Grade, a.Grade), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Text, b.Text))
		})
		notes[of] = slices.Compact(notes[of])
	}
	return notes
}

func platform(c *topology.Cluster) string {
	if c.Platform == "openshift" {
		return "OpenShift"
	}
	return "Kubernetes"
}

// controlPlane says where a cluster's istiod runs.
func controlPlane(c *topology.Cluster) string {
	switch c.ControlPlane.Mode {
	case "none":
		return "not in the mesh"
	case "local":
		if len(c.ControlPlane.Revisions) > 1 {
			return "istiod here, revisions " + strings.Join(c.ControlPlane.Revisions, ", ")
		}
		return "istiod here"
	}
	if c.ControlPlane.Primary == "" {
		return "istiod outside"
	}
	return "istiod of " + c.ControlPlane.Primary
}

func namespaces(t *topology.Topology, c *topology.Cluster) []string {
	if !c.InMesh() {
		return nil
	}
	all := slices.Concat(t.Spec.Namespaces, c.Namespaces, c.Gateways, c.Waypoints)
	slices.Sort(all)
	return slices.Compact(all)
}

// link describes the way from Kiali to a remote. It does not read the clock, so
// the link may have expired.
func link(t *topology.Topology, l *topology.SealedLink) Link {
	how := "sealed"
	switch source := t.Spec.Kiali.Links.Source; source {
	case "externalSecrets":
		return Link{Text: "link from the store " + t.Spec.Kiali.Links.ExternalSecrets.Store.Name}
	case "external":
		return Link{Text: "link made elsewhere"}
	case "sealed":
	case "sops":
		how = "encrypted"
	default:
		return Link{Text: "link by " + source}
	}
	if l == nil {
		return Link{Text: "no link", None: true}
	}
	until := ""
	for _, end := range []string{l.Spec.TokenExpires, l.Spec.CAExpires} {
		if end != "" && (until == "" || end < until) {
			until = end
		}
	}
	if until == "" {
		return Link{Text: how + ", no expiry"}
	}
	day, _, _ := strings.Cut(until, "T")
	return Link{Text: how + " until " + day}
}
