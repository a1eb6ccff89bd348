package compare

import "github.com/sightline-mesh/sightline/internal/finding"

// stored are the remotes whose kubeconfigs ExternalSecrets make.
func (e *effects) stored() (old, new map[string]bool) {
	old, new = map[string]bool{}, map[string]bool{}
	for _, c := range e.of("ExternalSecret") {
		for into, content := range map[*map[string]bool]*Content{&old: c.Old, &new: c.New} {
			data, _ := at(content, "spec", "target", "template", "data").(map[string]any)
			for remote := range data {
				(*into)[remote] = true
			}
		}
	}
	return old, new
}

// moves says what becomes of a Secret whose owner is another one: it belongs to the
// SealedSecret or the ExternalSecret that made it, and goes with that.
func (e *effects) moves(toStore bool, clusters []string) {
	from, to := "ExternalSecret", "SealedSecret"
	if toStore {
		from, to = to, from
	}
	if e.Prunes {
		e.add(finding.Warning, clusters, "the link to %s moves from the %s to the %s, and the engine deletes the %s and the "+
			"Secret with it: Kiali is without the cluster until there is a new one. Switch prune off first: docs/links.md", clustersText(clusters),
			from, to, from)
		return
	}
	e.add(finding.Warning, clusters, "the link to %s moves from the %s to the %s; the Secret stays with the %s until somebody "+
		"deletes that with --cascade=orphan: docs/links.md", clustersText(clusters), from, to, from)
}
