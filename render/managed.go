package render

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Links from ACM: each remote has a ManagedServiceAccount with the rights of
// Kiali's account. One Policy on the ACM hub fills the Secret with all
// kubeconfigs.

// byACM lists the remotes whose links a Policy makes, sorted by name.
func byACM(t *topology.Topology) []*topology.Cluster {
	if !t.LinksOnACM() {
		return nil
	}
	return sortedByName(t.Remotes())
}

// managedItems returns the remotes with the rights of their accounts.
func managedItems(t *topology.Topology) []resource.Item {
	var items []resource.Item
	for _, c := range byACM(t) {
		items = append(items, resource.Item{"name": c.Name, "managed": c.ManagedCluster, "bindings": managedBindings(t, c)})
	}
	return items
}

// managedBindings gives the account of a remote the roles of Kiali's own
// account. The operator creates these roles. Without an operator, Sightline
// renders them.
func managedBindings(t *topology.Topology, c *topology.Cluster) []any {
	spec := &t.Spec.Kiali
	account := t.LinkAccount()
	bind := func(name, role string) map[string]any {
		return map[string]any{
			"name":    name,
			"roleRef": map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
			"subject": map[string]any{"apiGroup": "authentication.open-cluster-management.io", "kind": "ManagedServiceAccount", "name": account},
		}
	}
	bindings := []any{bind(account, kiali.AccountRole(spec.InstanceName, t.EditsMesh()))}
	login := spec.Auth.Strategy == "openshift" && !spec.Auth.Impersonation.Enabled && c.Platform == "openshift"
	if login && !c.KialiBefore(kiali.V2_4) {
		bindings = append(bindings, bind(account+"-login", c.Kiali.Version.LoginRole(spec.InstanceName, spec.Namespace)))
	}
	return bindings
}

// managedTemplates returns the kubeconfigs of the remotes as templates of a
// Policy. A Secret has its values in base64, and a kubeconfig has its CA in
// base64 too.
func managedTemplates(t *topology.Topology) map[string]string {
	all := map[string]string{}
	for _, c := range byACM(t) {
		all[c.Name] = managedTemplate(t, c)
	}
	return all
}

func managedTemplate(t *topology.Topology, c *topology.Cluster) string {
	read := func(key string) string {
		return fmt.Sprintf("(fromSecret %q %q %q", c.ManagedCluster, t.LinkAccount(), key)
	}
	const ca, token = "\x00ca\x00", "\x00token\x00"
	given := c.CAData()
	if given == "" {
		given = ca
	}
	text, _ := json.Marshal(c.Kubeconfig(given, token)) // it only has strings, lists and objects
	escaped := func(mark string) string { return strings.ReplaceAll(mark, "\x00", `\u0000`) }
	var arguments string
	if strings.Contains(string(text), escaped(ca)) { // the topology has no CA, and the certificate is checked
		arguments = read("ca.crt") + ") "
	}
	// A raw string of a template has no escapes, but printf has the sign %.
	format := strings.NewReplacer("%", "%%", "`", `\u0060`, escaped(ca), "%s", escaped(token), "%s").Replace(string(text))
	return "{{ printf `" + format + "` " + arguments + read("token") + " | base64dec) | base64enc }}"
}

// validity returns the validity of a token in ACM's form: a Go duration.
func validity(t *topology.Topology) string {
	return goDuration(topology.Seconds(t.Spec.Kiali.Links.ACM.Validity))
}

// managedValues are the values for these links.
var managedValues = []value{
	{hole: "topology.acm.linkPolicy", chart: "acm.linkPolicy", from: "metadata.name",
		doc: "The name of the Policy that makes the links, and of the accounts.",
		of:  func(s site) any { return ofACM(s.LinksOnACM(), s.LinkAccount()) }},
	{hole: "topology.acm.validity", chart: "acm.validity", from: "spec.kiali.links.acm.validity",
		doc: "How long a token of these accounts is valid.",
		of:  func(s site) any { return ofACM(s.LinksOnACM(), validity(s.Topology)) }},
	{hole: "topology.acm.kubeconfigs", chart: "acm.kubeconfigs", from: "spec.kiali.links.source",
		doc: "The kubeconfigs of the remotes, as templates of this Policy.",
		of:  func(s site) any { return ofACM(s.LinksOnACM(), managedTemplates(s.Topology)) }},
}
