package render

import (
	"fmt"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Links from the External Secrets Operator: each remote pushes its token into a
// store, and templates on the hub make kubeconfigs from the store.

// fetched lists the remotes whose links come through a secret store, sorted by
// name.
func fetched(t *topology.Topology) []*topology.Cluster {
	if t.Spec.Kiali.Links.Source != "externalSecrets" {
		return nil
	}
	return sortedByName(t.Remotes())
}

// pushes tells whether a cluster has a token to push.
func pushes(t *topology.Topology, c *topology.Cluster) bool {
	return t.Spec.Kiali.Links.Source == "externalSecrets" && !t.IsHub(c) && c.Access.Exec == nil
}

// The names of an ExternalSecret's values in its template. A cluster's name has
// no '/', and no two of these names can be equal.
func tokenOf(c *topology.Cluster) string { return c.Name + ".token" }
func caOf(c *topology.Cluster) string    { return c.Name + ".ca" }

// kubeconfigTemplate returns the kubeconfig of a remote as a template of the
// External Secrets Operator.
func kubeconfigTemplate(c *topology.Cluster) string {
	ca := c.CAData()
	if ca == "" {
		ca = fmt.Sprintf("{{ index . `%s` | b64enc }}", caOf(c))
	}
	return string(resource.Encode(nil, c.Kubeconfig(ca, fmt.Sprintf("{{ index . `%s` }}", tokenOf(c)))))
}

// storeRefs returns the values that a remote's template needs from the store.
func storeRefs(t *topology.Topology, c *topology.Cluster) []any {
	var refs []any
	ref := func(as, property string) {
		// The last three are defaults. Without them, an engine that compares
		// with the object on the cluster would find them added.
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

// fetchedItems returns the links, if each has its own Secret.
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

// fetchedTemplates returns the templates of all remotes, for one Secret.
func fetchedTemplates(t *topology.Topology) map[string]string {
	all := map[string]string{}
	for _, c := range fetched(t) {
		all[c.Name] = kubeconfigTemplate(c)
	}
	return all
}

// fetchedRefs returns the values that these templates need from the store.
func fetchedRefs(t *topology.Topology) []any {
	var all []any
	for _, c := range fetched(t) {
		all = append(all, storeRefs(t, c)...)
	}
	return all
}

// refreshInterval returns the time between two reads, in the form to which the
// operator changes it: a Go duration.
func refreshInterval(t *topology.Topology) string {
	return goDuration(topology.Seconds(t.Spec.Kiali.Links.ExternalSecrets.RefreshInterval))
}

// goDuration formats seconds as Go does.
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
