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

// Links are the sealed links beside a topology, by the cluster that each leads
// to. One that leads to no remote of the topology is not rendered.
type Links map[string]*topology.SealedLink

// sealed are the remotes whose links are rendered, by their names: what is
// rendered does not depend on the order of the clusters.
func (l Links) sealed(t *topology.Topology) []*topology.Cluster {
	if !t.Spec.Kiali.Links.ByFile() || len(l) == 0 {
		return nil
	}
	var remotes []*topology.Cluster
	for i := range t.Spec.Clusters {
		// One that was sealed for another source is of no use; check says so.
		if c := &t.Spec.Clusters[i]; l[c.Name] != nil && !t.IsHub(c) && l[c.Name].Spec.Source() == t.Spec.Kiali.Links.Source {
			remotes = append(remotes, c)
		}
	}
	slices.SortFunc(remotes, func(a, b *topology.Cluster) int { return strings.Compare(a.Name, b.Name) })
	return remotes
}

// generations are those of the tokens that a remote has. Where nothing is
// sealed that is the first, which the first link will be made of.
func (l Links) generations(t *topology.Topology, remote *topology.Cluster) []int {
	if remote.Access.Exec != nil || t.LinksOnACM() {
		return nil // a program has the credential, or ACM
	}
	if link := l[remote.Name]; link != nil && t.Spec.Kiali.Links.ByFile() {
		return link.Spec.Tokens
	}
	return []int{1}
}

// items are the sealed kubeconfigs of remotes. The keys of a Secret are the
// names of remotes, so what is sealed is a value as a whole.
func (l Links) items(remotes []*topology.Cluster) map[string]string {
	data := make(map[string]string, len(remotes))
	for _, c := range remotes {
		data[c.Name] = l[c.Name].Spec.EncryptedData
	}
	return data
}

// encryption is what a Secret in the format of SOPS says about how its values are
// encrypted (getsops/sops stores/stores.go), given the link of one of the remotes in
// it.
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

// sopsVersion is that of SOPS whose format this is. Nothing that decrypts looks at it.
const sopsVersion = "3.13.3"

// digest is another one whenever something is sealed anew.
func (l Links) digest(remotes []*topology.Cluster) string {
	hash := sha256.New()
	for _, c := range remotes {
		hash.Write([]byte(c.Name + "\x00" + l[c.Name].Spec.EncryptedData + "\x00"))
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// podAnnotations are those of the hub's Kiali where each link has a Secret of
// its own: Kiali reads them once, at its start, and the operator watches none of
// them. What is said here takes the place of the operator's default
// (kiali-operator roles/*/kiali-deploy/defaults/main.yml), so that is repeated;
// the lines before v2.11 have none.
func podAnnotations(hub *topology.Cluster, digest string) map[string]string {
	annotations := map[string]string{labels.Links: digest}
	if !hub.KialiBefore(kiali.V2_11) {
		annotations["proxy.istio.io/config"] = `{ "holdApplicationUntilProxyStarts": true }`
	}
	return annotations
}

// itemsOf are what resources of a cluster are repeated for, beside namespaces with
// proxies.
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

// itemHoles are the values that an item of each scope has, empty.
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
