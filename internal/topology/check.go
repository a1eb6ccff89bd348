package topology

import (
	"slices"
	"strings"
)

// check finds what the decoder cannot: what one value means for another.
func (t *Topology) check(findings *Findings) {
	clusters := t.Spec.Clusters
	if len(clusters) == 0 {
		if t.has("spec", "clusters") {
			findings.add(t.At("spec", "clusters"), RuleValue, "", "spec.clusters must name at least one cluster")
		}
		return
	}
	first := map[string]int{}
	for i, c := range clusters {
		if c.Name == "" {
			continue // found by the decoder
		}
		key := strings.ToLower(c.Name)
		if j, ok := first[key]; ok {
			at := t.At("spec", "clusters", j, "name")
			findings.add(t.At("spec", "clusters", i, "name"), "ID01", "give each cluster a name of its own; letter case does not tell names apart",
				"two clusters are named %q; first at %d:%d", c.Name, at.Line, at.Col)
			continue
		}
		first[key] = i
	}
	t.checkHub(findings)
	for i, c := range clusters {
		if c.Name != "" && !t.IsHub(&clusters[i]) && !t.has("spec", "clusters", i, "server") {
			findings.add(t.At("spec", "clusters", i), RuleMissing, formats["server"].hint, "cluster %q: server is missing; the hub reaches a remote by it", c.Name)
		}
	}
}

func (t *Topology) checkHub(findings *Findings) {
	name := t.Spec.Kiali.Hub
	if name == "" {
		return // found by the decoder
	}
	if t.Hub() == nil {
		var names []string
		for _, c := range t.Spec.Clusters {
			names = append(names, c.Name)
		}
		hint := "name one of spec.clusters"
		if near := nearest(name, names); near != "" {
			hint = "did you mean \"" + near + "\"?"
		}
		findings.add(t.At("spec", "kiali", "hub"), "ID04", hint, "the hub %q is not one of the clusters", shorten(name))
		return
	}
	i := slices.IndexFunc(t.Spec.Clusters, func(c Cluster) bool { return c.Name == name })
	if len(t.Spec.Clusters) > 1 && !t.has("spec", "clusters", i, "domain") && !t.has("spec", "clusters", i, "kiali", "host") {
		findings.add(t.At("spec", "clusters", i), RuleMissing, "give the ingress domain of the cluster, such as apps.east.example.com",
			"cluster %q: domain is missing; the remotes' login callbacks need the host of the hub's Kiali", name)
	}
}
