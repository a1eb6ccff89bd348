package render

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Links are the sealed links beside a topology, by cluster. A link to a cluster
// that is no remote of the topology is not rendered.
type Links map[string]*topology.SealedLink

// sealed lists the remotes whose links are rendered, sorted by name, so that
// the order of the clusters does not matter.
func (l Links) sealed(t *topology.Topology) []*topology.Cluster {
	if !t.Spec.Kiali.Links.ByFile() || len(l) == 0 {
		return nil
	}
	return sortedByName(slices.DeleteFunc(t.Remotes(), func(c *topology.Cluster) bool {
		// A link that was sealed for another source is not used; check reports it.
		return l[c.Name] == nil || l[c.Name].Spec.Source() != t.Spec.Kiali.Links.Source
	}))
}

// sortedByName sorts clusters by their names.
func sortedByName(clusters []*topology.Cluster) []*topology.Cluster {
	slices.SortFunc(clusters, func(a, b *topology.Cluster) int { return strings.Compare(a.Name, b.Name) })
	return clusters
}

// generations lists the generations of a remote's tokens. Without a sealed
// link, this is the first generation, from which the first link will be made.
func (l Links) generations(t *topology.Topology, remote *topology.Cluster) []int {
	if remote.Access.Exec != nil || t.LinksOnACM() {
		return nil // a program or ACM has the credential
	}
	if link := l[remote.Name]; link != nil && t.Spec.Kiali.Links.ByFile() {
		return link.Spec.Tokens
	}
	return []int{1}
}

// items returns the sealed kubeconfigs of remotes. The keys of the Secret are
// the names of remotes, so all sealed data is one value.
func (l Links) items(remotes []*topology.Cluster) map[string]string {
	data := make(map[string]string, len(remotes))
	for _, c := range remotes {
		data[c.Name] = l[c.Name].Spec.EncryptedData
	}
	return data
}

// encryption returns the metadata of a Secret in the format of SOPS
// (getsops/sops stores/stores.go). l is the link of one of its remotes.
func encryption(l *topology.SealedLink) map[string]any {
	s := l.Spec.SOPS
	return map[string]any{
		"age":                seal.AgeKeys(s),
		"encrypted_regex":    "^(data|stringData)$",
		"lastmodified":       s.LastModified,
		"mac":                s.MAC,
		"mac_only_encrypted": true,
		"version":            sopsVersion,
	}
}

// sopsVersion is the version of SOPS with this format. Programs that decrypt do
// not read it.
const sopsVersion = "3.13.3"

// digest changes whenever a link is sealed again.
func (l Links) digest(remotes []*topology.Cluster) string {
	hash := sha256.New()
	for _, c := range remotes {
		hash.Write([]byte(c.Name + "\x00" + l[c.Name].Spec.EncryptedData + "\x00"))
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// podAnnotations returns the annotations of the hub's Kiali if each link has
// its own Secret. Kiali reads these Secrets only at startup, and the operator
// does not watch them. The annotations replace the operator's default
// (kiali-operator roles/*/kiali-deploy/defaults/main.yml), so the default is
// repeated here. Release lines before v2.11 have no default.
func podAnnotations(hub *topology.Cluster, digest string) map[string]string {
	annotations := map[string]string{labels.Links: digest}
	if !hub.KialiBefore(kiali.V2_11) {
		annotations["proxy.istio.io/config"] = `{ "holdApplicationUntilProxyStarts": true }`
	}
	return annotations
}

// itemsOf returns the items of a cluster's repeated resources, without the
// namespaces with proxies.
func itemsOf(t *topology.Topology, c *topology.Cluster, links Links) map[string][]resource.Item {
	items := map[string][]resource.Item{}
	add := func(scope string, item resource.Item) { items[scope] = append(items[scope], item) }
	for _, namespace := range slices.Sorted(slices.Values(t.Spec.CreateNamespaces)) {
		add(resource.ScopeCreated, resource.Item{"name": namespace})
	}
	if t.Spec.Metrics.Monitors.Manage {
		for _, namespace := range c.OtherControlPlanes() {
			add(resource.ScopeControlPlane, resource.Item{"name": namespace})
		}
	}
	if t.IsHub(c) {
		for _, remote := range managedItems(t) {
			add(resource.ScopeManaged, remote)
		}
	}
	if t.IsACMHub(c) {
		for _, rule := range acmRuleItems(t) {
			add(resource.ScopeRule, rule)
		}
	}
	if !t.IsHub(c) {
		for _, g := range links.generations(t, c) {
			if g != 1 {
				add(resource.ScopeToken, resource.Item{"name": t.TokenSecret(g)})
			}
		}
		return items
	}
	if t.Spec.Kiali.Links.Format != "perCluster" {
		return items
	}
	for _, fetched := range fetchedItems(t) {
		add(resource.ScopeFetched, fetched)
	}
	for _, c := range links.sealed(t) {
		data := map[string]string{c.Name: links[c.Name].Spec.EncryptedData}
		link := resource.Item{"name": c.Name, "secret": t.SealedFor(c).Name, "encryptedData": data}
		scope := resource.ScopeLink
		if links[c.Name].Spec.SOPS != nil {
			scope, link["sops"] = resource.ScopeEncrypted, encryption(links[c.Name])
		}
		add(scope, link)
	}
	return items
}

// itemHoles returns the fields of an item for each scope, with empty values.
func itemHoles() map[string]resource.Item {
	return map[string]resource.Item{
		resource.ScopeNamespace:    {"name": ""},
		resource.ScopeLink:         {"name": "", "secret": "", "encryptedData": map[string]string{}},
		resource.ScopeEncrypted:    {"name": "", "secret": "", "encryptedData": map[string]string{}, "sops": map[string]any{}},
		resource.ScopeToken:        {"name": ""},
		resource.ScopeManaged:      {"name": "", "managed": "", "bindings": []any{}},
		resource.ScopeRule:         {"name": "", "aggregation": ""},
		resource.ScopeCreated:      {"name": ""},
		resource.ScopeControlPlane: {"name": ""},
		resource.ScopeFetched:      {"name": "", "secret": "", "kubeconfig": map[string]string{}, "from": []any{}},
	}
}
