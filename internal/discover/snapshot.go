// Package discover makes a topology from the objects on clusters. It is pure. It
// takes a [Snapshot] for each cluster, and returns a commented topology and findings.
// Snapshots come from API servers (package observe) or from dumps ([Dump]).
package discover

import (
	"maps"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// Snapshot is what was read from one cluster.
type Snapshot struct {
	Label   string // the context, or the folder of a dump
	Given   string // the name that the user gives the cluster; "": none
	Dumped  bool   // from files; the cluster may have kinds that are not in the files
	Server  string // the API server's URL in the kubeconfig; "": not known
	Objects []resource.Object
	Unread  []Unread

	asked map[string]bool // resources for which a dump has a file, by their names in kubectl
}

// Unread is a kind that could not be read, with the reason.
type Unread struct {
	Kind   Kind
	Reason string // without any credential
	Absent bool   // because the cluster does not know it
}

// From names the source of the snapshot.
func (s *Snapshot) From() string {
	if s.Dumped {
		return "the dump " + s.Label
	}
	return "the context " + s.Label
}

// kubectl is a command that reads more from the cluster.
func (s *Snapshot) kubectl(args string) string {
	if s.Dumped {
		return command.Kubectl("", "", args)
	}
	return command.Kubectl(s.Label, "", args)
}

// of lists the objects of a kind, sorted by namespace and name.
func (s *Snapshot) of(kind string) []resource.Object {
	var found []resource.Object
	seen := map[resource.ID]bool{}
	for _, o := range s.Objects {
		id := resource.IDOf(o)
		id.APIVersion = "" // an object is the same in every version
		if text(o, "kind") == kind && !seen[id] {
			seen[id] = true
			found = append(found, o)
		}
	}
	slices.SortStableFunc(found, func(a, b resource.Object) int { return strings.Compare(place(a), place(b)) })
	return found
}

// named is the object of a kind with a namespace and a name, or nil.
func (s *Snapshot) named(kind, namespace, name string) resource.Object {
	for _, o := range s.of(kind) {
		if id := resource.IDOf(o); id.Namespace == namespace && id.Name == name {
			return o
		}
	}
	return nil
}

// serves tells whether the cluster knows a kind, as far as that was asked.
func (s *Snapshot) serves(kind string) bool {
	if len(s.of(kind)) > 0 {
		return true
	}
	return !s.Dumped && !slices.ContainsFunc(s.Unread, func(u Unread) bool { return u.Kind.Kind == kind })
}

// at is the value at a path of keys; nil if there is none.
func at(v any, path ...string) any {
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

// text is the string at a path; "" if there is none.
func text(v any, path ...string) string {
	s, _ := at(v, path...).(string)
	return s
}

func object(v any, path ...string) map[string]any {
	m, _ := at(v, path...).(map[string]any)
	return m
}

func list(v any, path ...string) []any {
	l, _ := at(v, path...).([]any)
	return l
}

func label(o resource.Object, key string) string      { return text(o, "metadata", "labels", key) }
func annotation(o resource.Object, key string) string { return text(o, "metadata", "annotations", key) }
func namespace(o resource.Object) string              { return text(o, "metadata", "namespace") }
func name(o resource.Object) string                   { return text(o, "metadata", "name") }

// place is the namespace and the name of an object.
func place(o resource.Object) string {
	if namespace(o) == "" {
		return name(o)
	}
	return namespace(o) + "/" + name(o)
}

// isOurs tells whether Sightline has rendered an object. Helm replaces our name with
// its name.
func isOurs(o resource.Object) bool {
	by := label(o, labels.ManagedBy)
	return label(o, labels.PartOf) != "" && annotation(o, "argocd.argoproj.io/sync-wave") != "" && (by == labels.Sightline ||
		by == labels.Helm)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// most is the most frequent value, the first one if there are several, or "" for no
// values.
func most(values []string) string {
	count := map[string]int{}
	for _, v := range values {
		if v != "" {
			count[v]++
		}
	}
	best := ""
	for _, v := range sortedKeys(count) {
		if best == "" || count[v] > count[best] {
			best = v
		}
	}
	return best
}
