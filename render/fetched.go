package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Links that the External Secrets Operator brings: each remote pushes its token
// into a store, and the hub makes kubeconfigs of what is there, by templates.

// fetched are the remotes whose links come through a store of secrets, by their
// names.
func fetched(t *topology.Topology) []*topology.Cluster {
	if t.Spec.Kiali.Links.Source != "externalSecrets" {
		return nil
	}
	var remotes []*topology.Cluster
	for i := range t.Spec.Clusters {
		if c := &t.Spec.Clusters[i]; !t.IsHub(c) {
			remotes = append(remotes, c)
		}
	}
	slices.SortFunc(remotes, func(a, b *topology.Cluster) int { return strings.Compare(a.Name, b.Name) })
	return remotes
}

// pushes tells whether a cluster has a token to push.
func pushes(t *topology.Topology, c *topology.Cluster) bool {
	return t.Spec.Kiali.Links.Source == "externalSecrets" && !t.IsHub(c) && c.Access.Exec == nil
}

// The values that an ExternalSecret takes out of the store are by these names in
// its template. A name of a cluster has no '/', and none of the two could be that
// of another.
func tokenOf(c *topology.Cluster) string { return c.Name + ".token" }
func caOf(c *topology.Cluster) string    { return c.Name + ".ca" }

// kubeconfigTemplate is the kubeconfig of a remote as a template of the External
// Secrets Operator.
func kubeconfigTemplate(c *topology.Cluster) string {
	ca := c.CAData()
	if ca == "" {
		ca = fmt.Sprintf("{{ index . `%s` | b64enc }}", caOf(c))
	}
	return string(resource.Encode(nil, c.Kubeconfig(ca, fmt.Sprintf("{{ index . `%s` }}", tokenOf(c)))))
}

// storeRefs are what the template of a remote needs of the store.
func storeRefs(t *topology.Topology, c *topology.Cluster) []any {
	var refs []any
	ref := func(as, property string) {
		// The last three are defaults. An engine that compares with what the cluster
		// made of an object would find them added.
		refs = append(refs, map[string]any{"secretKey": as, "remoteRef": map[string]any{
			"key": t.StoreKey(c), "property": property,
			"conversionStrategy": "Default", "decodingStrategy": "None", "metadataPolicy": "None",
		}})
	}
	if c.CAData() == "" && !c.Access.InsecureSkipTLSVerify {
		ref(caOf(c), "ca.crt")
	}
	if c.Access.Exec == nil {
		ref(tokenOf(c), "token")
	}
	return refs
}

// fetchedItems are the links where each has a Secret of its own.
func fetchedItems(t *topology.Topology) []resource.Item {
	var items []resource.Item
	for _, c := range fetched(t) {
		items = append(items, resource.Item{
			"name": c.Name, "secret": t.SealedFor(c).Name,
			"kubeconfig": map[string]string{c.Name: kubeconfigTemplate(c)}, "from": storeRefs(t, c),
		})
	}
	return items
}

// fetchedTemplates are the templates of all remotes, for one Secret.
func fetchedTemplates(t *topology.Topology) map[string]string {
	all := map[string]string{}
	for _, c := range fetched(t) {
		all[c.Name] = kubeconfigTemplate(c)
	}
	return all
}

// fetchedRefs are what these need of the store.
func fetchedRefs(t *topology.Topology) []any {
	var all []any
	for _, c := range fetched(t) {
		all = append(all, storeRefs(t, c)...)
	}
	return all
}

// refreshInterval is the time between two looks, as the operator writes it when it
// changes an object: a Go duration.
func refreshInterval(t *topology.Topology) string {
	return goDuration(topology.Seconds(t.Spec.Kiali.Links.ExternalSecrets.RefreshInterval))
}

// goDuration writes seconds as Go does.
func goDuration(seconds int) string {
	switch h, m, s := seconds/3600, seconds/60%60, seconds%60; {
	case h > 0:
		return fmt.Sprintf("%dh%dm%ds", h, m, s)
	case m > 0:
		return fmt.Sprintf("%dm%ds", m, s)
	default:
		return fmt.Sprintf("%ds", s)
	}
}
