package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// Effect says what a change means for the operators or the users of the fleet.
type Effect struct {
	Rule     string // its page is in internal/check
	Severity finding.Severity
	Text     string
	Clusters []string // that it is about, sorted
}

// Facts are facts about the new topology that the change itself does not show.
type Facts struct {
	Hub     string
	Engine  string // that delivers: argocd, flux or ""
	Prunes  bool   // the engine deletes objects that are no longer rendered
	Deletes bool   // the engine deletes what it has for a cluster that leaves
	Alone   bool   // each cluster has an engine of its own

	Was, Is []Application // that Argo CD makes
}

// Application is the Application that Argo CD makes for a cluster.
type Application struct{ Cluster, Name string }

// The engines.
const (
	ArgoCD = "argocd"
	Flux   = "flux"
)

// The rules of effects.
const (
	EffectKiali      = "EF01"
	EffectLogin      = "EF02"
	EffectOldLinks   = "EF03"
	EffectLinks      = "EF04"
	EffectToken      = "EF05"
	EffectNamespaces = "EF06"
	EffectClusters   = "EF07"
	EffectScrapes    = "EF08"
	EffectPrune      = "EF09"
	EffectDelivery   = "EF10"
	EffectOperator   = "EF11"
	EffectMonitoring = "EF12"
	EffectMesh       = "EF13"
	EffectLost       = "EF14"
	Immutable        = "KC14"
)

// rules are in the order of the report: the most serious first.
func effectRules() map[string]func(*effects) {
	return map[string]func(*effects){
		Immutable:        (*effects).immutable,
		EffectKiali:      (*effects).kiali,
		EffectLogin:      (*effects).login,
		EffectOldLinks:   (*effects).oldLinks,
		EffectLinks:      (*effects).links,
		EffectToken:      (*effects).tokens,
		EffectNamespaces: (*effects).namespaces,
		EffectClusters:   (*effects).clusters,
		EffectScrapes:    (*effects).scrapes,
		EffectPrune:      (*effects).prune,
		EffectDelivery:   (*effects).delivery,
		EffectOperator:   (*effects).operator,
		EffectMonitoring: (*effects).monitoring,
		EffectMesh:       (*effects).mesh,
		EffectLost:       (*effects).lost,
	}
}

// EffectRules returns the ids of the rules of effects, sorted.
func EffectRules() []string { return slices.Sorted(maps.Keys(effectRules())) }

// Effects returns the effects of a change, the most serious first, then sorted by
// rule.
func (d *Diff) Effects(facts Facts) []Effect {
	e := &effects{Facts: facts, diff: d, kinds: map[string][]*Change{}}
	for i := range d.Changes {
		c := &d.Changes[i]
		e.kinds[c.ID.Kind] = append(e.kinds[c.ID.Kind], c)
	}
	rules := effectRules()
	for _, id := range EffectRules() {
		e.rule = id
		rules[id](e)
	}
	slices.SortStableFunc(e.found, func(a, b Effect) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Rule, b.Rule))
	})
	return e.found
}

type effects struct {
	Facts
	diff  *Diff
	kinds map[string][]*Change
	rule  string
	found []Effect
}

func (e *effects) add(severity finding.Severity, clusters []string, format string, args ...any) {
	e.found = append(e.found, Effect{e.rule, severity, fmt.Sprintf(format, args...), clusters})
}

// stays tells whether the cluster of a change exists before and after the change.
func (e *effects) stays(c *Change) bool {
	return !within(e.diff.AddedClusters, c.about()) && !within(e.diff.RemovedClusters, c.about())
}

// of yields the changes of objects of a kind, on clusters that stay.
func (e *effects) of(kinds ...string) []*Change {
	var of []*Change
	for _, kind := range kinds {
		for _, c := range e.kinds[kind] {
			if e.stays(c) {
				of = append(of, c)
			}
		}
	}
	return of
}

// on collects clusters by a text about them, and keeps the order.
type on[K comparable] struct {
	order    []K
	clusters map[K]map[string]bool
}

func (o *on[K]) add(k K, cluster string) {
	if o.clusters == nil {
		o.clusters = map[K]map[string]bool{}
	}
	if o.clusters[k] == nil {
		o.order = append(o.order, k)
		o.clusters[k] = map[string]bool{}
	}
	if cluster != "" {
		o.clusters[k][cluster] = true
	}
}

func (o *on[K]) each(say func(k K, clusters []string)) {
	for _, k := range o.order {
		say(k, slices.Sorted(maps.Keys(o.clusters[k])))
	}
}

// most is the number of clusters that an effect names.
const most = 3

// clustersText names clusters: west, or 212 clusters (a, b, c and 209 more).
func clustersText(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return fmt.Sprintf("%s (%s)", finding.Count(len(names), "cluster"), finding.List(names, most))
}

// namesText names things of a kind.
func namesText(names []string, noun string) string {
	if len(names) == 1 {
		return "the " + noun + " " + names[0]
	}
	return fmt.Sprintf("%s (%s)", finding.Count(len(names), noun), finding.List(names, most))
}

// at is the value at a path of keys of a content, or nil.
func at(c *Content, keys ...string) any {
	if c == nil {
		return nil
	}
	var v any = c.Object
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

func textAt(c *Content, keys ...string) string {
	s, _ := at(c, keys...).(string)
	return s
}

func annotation(c *Content, name string) string { return textAt(c, "metadata", "annotations", name) }

// below tells whether a path begins with another path.
func below(p Path, keys ...string) bool {
	if len(p) < len(keys) {
		return false
	}
	for i, k := range keys {
		if p[i].List || p[i].Key != k {
			return false
		}
	}
	return true
}

// concerns tells whether a field is at a path, below it or above it.
func concerns(f Field, keys ...string) bool {
	return below(f.Path, keys...) || len(f.Path) < len(keys) && below(f.Path, keys[:len(f.Path)]...)
}

func changes(c *Change, keys ...string) bool {
	return slices.ContainsFunc(c.Fields, func(f Field) bool { return concerns(f, keys...) })
}

// called names an object for a user: its kind, namespace and name.
func called(id resource.ID) string {
	name := id.Name
	if id.Namespace != "" {
		name = id.Namespace + "/" + name
	}
	return strings.TrimSpace(id.Kind + " " + name)
}
