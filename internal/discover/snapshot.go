// Package discover makes a topology of what is on clusters. It is pure: what was
// read of them, a [Snapshot] for each, goes in; a commented topology and
// findings come out. Snapshots come from API servers (package observe) or from
// dumps ([Dump]).
package discover

import (
	"maps"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// Snapshot is what was read of one cluster.
type Snapshot struct {
	Label   string // the context, or the folder of a dump
	Given   string // the name that the user gives the cluster; "": none
	Dumped  bool   // from files: a kind that is not among them may be on the cluster
	Server  string // the API server's URL in the kubeconfig; "": not known
	Objects []resource.Object
	Unread  []Unread

	asked map[string]bool // resources that a dump has a file of, by kubectl's names
}

// Unread is a kind that could not be read, and why.
type Unread struct {
	Kind   Kind
	Reason string // without any credential
	Absent bool   // because the cluster does not know it
}

// From says in words where the snapshot comes from.
func (s *Snapshot) From() string {
	if s.Dumped {
		return "the dump " + s.Label
	}
	return "the context " + s.Label
}

// kubectl is a command that reads more of the cluster.
func (s *Snapshot) kubectl(args string) string {
	if s.Dumped {
		return command.Kubectl("", "", args)
	}
	return command.Kubectl(s.Label, "", args)
}

// of lists the objects of a kind, in the order of their namespaces and names.
func (s *Snapshot) of(kind string) []resource.Object {
	var found []resource.Object
	seen := map[resource.ID]bool{}
	for _, o := range s.Objects {
		id := resource.IDOf(o)
		id.APIVersion = "" // the same object, whatever version it was asked in
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

// isOurs tells whether Sightline has rendered an object. Helm puts its own name
// in place of ours.
func isOurs(o resource.Object) bool {
	by := label(o, labels.ManagedBy)
	return label(o, labels.PartOf) != "" && annotation(o, "argocd.argoproj.io/sync-wave") != "" && (by == labels.Sightline ||
		by == labels.Helm)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// most is the value that most have, the first in order where several do; "" of
// none.
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
