package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
)

// madeLink is the hub's rendered access to a remote.
type madeLink struct {
	by     string // the kind of the object that makes the Secret, as in messages
	secret string
	data   string // the data of the remote in it
}

// makers read the objects that make Secrets of links, by kind: the metadata of the
// Secret, and its data or their templates by remote.
var makers = map[string]func(c *Content) (metadata, data any){
	"SealedSecret": func(c *Content) (any, any) {
		return at(c, "spec", "template", "metadata"), at(c, "spec", "encryptedData")
	},
	"ExternalSecret": func(c *Content) (any, any) {
		return at(c, "spec", "target", "template", "metadata"), at(c, "spec", "target", "template", "data")
	},
	"Policy": func(c *Content) (any, any) { // the Secret is its only object
		v := first(at(c, "spec", "policy-templates"))
		v = first(valueAt(valueAt(valueAt(v, "objectDefinition"), "spec"), "object-templates"))
		secret := valueAt(v, "objectDefinition")
		return valueAt(secret, "metadata"), valueAt(secret, "data")
	},
	"Secret": func(c *Content) (any, any) {
		if at(c, "sops") == nil {
			return nil, nil
		}
		return at(c, "metadata"), at(c, "data")
	},
}

// encryptedSecret is the name of a Secret in the format of SOPS in messages.
const encryptedSecret = "Secret of SOPS"

// linksOf lists the links that an object makes, by remote.
func linksOf(kind, id string, c *Content) map[string]madeLink {
	metadata, data := makers[kind](c)
	labels, _ := valueAt(metadata, "labels").(map[string]any)
	if labels[kiali.SingleSecretLabel] == nil && labels[kiali.RemoteSecretLabel] == nil {
		return nil
	}
	by := kind
	if kind == "Secret" {
		by = encryptedSecret
	}
	links := map[string]madeLink{}
	items, _ := data.(map[string]any)
	for remote, v := range items {
		text, _ := v.(string)
		links[remote] = madeLink{by, id, text}
	}
	return links
}

func first(v any) any {
	if items, _ := v.([]any); len(items) > 0 {
		return items[0]
	}
	return nil
}

func valueAt(v any, key string) any {
	m, _ := v.(map[string]any)
	return m[key]
}

// madeLinks lists the links before and after the change.
func (e *effects) madeLinks() (old, new map[string]madeLink) {
	old, new = map[string]madeLink{}, map[string]madeLink{}
	for _, kind := range slices.Sorted(maps.Keys(makers)) {
		for _, c := range e.of(kind) {
			id := c.ID.Namespace + "/" + c.ID.Name
			maps.Copy(old, linksOf(kind, id, c.Old))
			maps.Copy(new, linksOf(kind, id, c.New))
		}
	}
	return old, new
}

// oldLinks finds Secrets that Kiali still uses after their links have moved to other
// Secrets.
func (e *effects) oldLinks() {
	old, new := e.madeLinks()
	var all on[string]
	for _, remote := range slices.Sorted(maps.Keys(old)) {
		if now, ok := new[remote]; ok && now.by == old[remote].by && now.secret != old[remote].secret {
			all.add(old[remote].secret, remote)
		}
	}
	if len(all.order) == 0 {
		return
	}
	secrets := slices.Sorted(slices.Values(all.order))
	remotes := map[string]bool{}
	for _, of := range all.clusters {
		maps.Copy(remotes, of)
	}
	names := slices.Sorted(maps.Keys(remotes))
	severity, what := finding.Warning, "nothing removes them, and Kiali uses the one that comes first by its name: "+
		"delete the old "+old[names[0]].by+"s on the hub after the new ones are there"
	if e.Prunes {
		severity, what = finding.Info, "the engine deletes the old ones; while both are there, Kiali uses the one that comes first by its name"
	}
	e.add(severity, names, "the links to %s move to other Secrets, away from %s: %s", clustersText(names), finding.List(secrets, most), what)
}

// move is a change of the object that makes a link.
type move struct{ from, to string }

// links finds changes of the hub's access to remotes.
func (e *effects) links() {
	old, new := e.madeLinks()
	var all on[move]
	for _, remote := range slices.Sorted(maps.Keys(new)) {
		switch was, now := old[remote], new[remote]; {
		case was.by != now.by:
			all.add(move{was.by, now.by}, remote)
		case was.secret == now.secret && was.data != now.data && now.by != "ExternalSecret" && now.by != "Policy": // these have templates
			all.add(move{now.by, now.by}, remote)
		}
	}
	made := map[madeLink]bool{}
	for _, l := range new {
		made[madeLink{by: l.by, secret: l.secret}] = true
	}
	var left on[madeLink]
	for _, remote := range slices.Sorted(maps.Keys(old)) {
		if _, ok := new[remote]; ok {
			continue
		}
		if l := (madeLink{by: old[remote].by, secret: old[remote].secret}); e.Prunes || made[l] {
			all.add(move{l.by, ""}, remote)
		} else {
			left.add(l, remote)
		}
	}
	left.each(func(l madeLink, clusters []string) {
		e.add(finding.Warning, clusters, "the link to %s is no longer rendered, but no engine deletes the %s %s on the hub: Kiali uses the link "+
			"until somebody removes it", clustersText(clusters), l.by, l.secret)
	})
	restarts := ""
	if e.Hub != "" {
		restarts = fmt.Sprintf("; Kiali on %s restarts to read it, and does not start while one of its remotes does not answer", e.Hub)
	}
	all.each(func(m move, clusters []string) {
		switch {
		case m.from == "":
			e.add(finding.Info, clusters, "the hub gets a link to %s%s", clustersText(clusters), restarts)
		case m.to == "":
			e.add(finding.Warning, clusters,
				"the hub loses its link to %s: Kiali no longer shows %s%s",
				clustersText(clusters), verb(clusters, "it", "them"), strings.Replace(restarts, " to read it", "", 1))
		case m.from == m.to:
			e.add(finding.Info, clusters, "the link to %s is sealed again%s", clustersText(clusters), restarts)
		default:
			e.moves(m, clusters)
		}
	})
}

// moves says what happens to a Secret that another object now makes. A Secret belongs
// to the SealedSecret or the ExternalSecret that made it, and is deleted with that
// object. A Secret of SOPS belongs to the engine.
func (e *effects) moves(m move, clusters []string) {
	goes, stays := "the "+m.from+" and the Secret with it", "with the "+m.from+" until somebody deletes that with --cascade=orphan"
	switch {
	case m.from == "Policy":
		e.add(finding.Warning, clusters, "the link to %s moves from the Policy to the %s; the Policy writes the Secret as long "+
			"as it is there, and leaves it when it goes: docs/links.md", clustersText(clusters), m.to)
		return
	case m.from == encryptedSecret:
		goes, stays = "the Secret", "as it is until the "+m.to+" takes it over"
	}
	if e.Prunes {
		e.add(finding.Warning, clusters, "the link to %s moves from the %s to the %s, and the engine deletes %s: Kiali is without the cluster "+
			"until there is a new one. Switch prune off first: "+finding.Pages+"links.md", clustersText(clusters), m.from, m.to, goes)
		return
	}
	e.add(finding.Warning, clusters, "the link to %s moves from the %s to the %s; the Secret stays %s: "+finding.Pages+"links.md",
		clustersText(clusters),
		m.from, m.to, stays)
}
