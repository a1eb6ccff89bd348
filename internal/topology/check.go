package topology

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// check finds what the decoder cannot: what one value means for another. It is
// silent about what follows from a finding of the decoder.
func (t *Topology) check(findings *finding.Findings) {
	if len(t.Spec.Clusters) == 0 {
		switch n := t.node("spec", "clusters"); {
		case n != nil && n.Kind == yaml.SequenceNode:
			findings.Add(t.At("spec", "clusters"), RuleValue, "add one, such as - name: cluster1", "spec.clusters must name at least one cluster")
		case t.Has("spec") && !t.mayHave("spec", "clusters"):
			findings.Add(t.At("spec"), RuleMissing, "add it, such as clusters: [{name: cluster1}]", "spec.clusters is missing")
		}
		return
	}
	twice := t.checkNames(findings)
	hub := t.checkHub(findings)
	if hub < 0 {
		return
	}
	t.checkHost(hub, len(t.Spec.Clusters)-len(twice) > 1, findings)
	t.checkChoices(hub, findings)
	for i := range t.Spec.Clusters {
		if i != hub && !twice[i] && !t.mayHave("spec", "clusters", i, "server") {
			findings.Add(t.At("spec", "clusters", i), RuleMissing, formats["server"].hint, "%s: server is missing; the hub's Kiali reaches a remote by it", t.Called(i))
		}
	}
}

// Called names a cluster in messages.
func (t *Topology) Called(i int) string {
	if name := t.Spec.Clusters[i].Name; name != "" {
		return fmt.Sprintf("cluster %q", finding.Shorten(name))
	}
	return fmt.Sprintf("spec.clusters[%d]", i)
}

// checkNames returns the clusters whose name another one has already.
func (t *Topology) checkNames(findings *finding.Findings) map[int]bool {
	first, twice := map[string]int{}, map[int]bool{}
	for i, c := range t.Spec.Clusters {
		if c.Name == "" {
			continue // found by the decoder
		}
		key := strings.ToLower(c.Name)
		j, ok := first[key]
		if !ok {
			first[key] = i
			continue
		}
		twice[i] = true
		message := fmt.Sprintf("two clusters are named %q", finding.Shorten(c.Name))
		if other := t.Spec.Clusters[j].Name; other != c.Name {
			message = fmt.Sprintf("the cluster names %q and %q differ by letter case only", finding.Shorten(other), finding.Shorten(c.Name))
		}
		at := t.At("spec", "clusters", i, "name")
		findings.Add(at, "ID01", "give each cluster a name of its own; letter case does not tell names apart",
			"%s; first at %s", message, t.At("spec", "clusters", j, "name").SeenFrom(at))
	}
	return twice
}

// checkHub returns the index of the cluster that is the hub, or is meant to be,
// or -1 if that cannot be told.
func (t *Topology) checkHub(findings *finding.Findings) int {
	name := t.Spec.Kiali.Hub
	if name == "" {
		return -1 // found by the decoder
	}
	var names []string
	for i, c := range t.Spec.Clusters {
		if c.Name == name {
			return i
		}
		// A name that the decoder refused may still be the one.
		if n := t.node("spec", "clusters", i, "name"); c.Name == "" && n != nil && n.Value == name {
			return i
		}
		if c.Name != "" {
			names = append(names, c.Name)
		}
	}
	near := finding.Nearest(name, names)
	if near == "" && len(names) < len(t.Spec.Clusters) {
		return -1 // it may be the one whose name was refused
	}
	hint := "name one of spec.clusters"
	switch {
	case near != "":
		hint = finding.DidYouMean(name, names)
	case len(names) <= 10:
		hint = "the clusters are " + strings.Join(names, ", ")
	}
	findings.Add(t.At("spec", "kiali", "hub"), "ID04", hint, "the hub %q is not one of the clusters", finding.Shorten(name))
	if near == "" {
		return -1
	}
	return slices.IndexFunc(t.Spec.Clusters, func(c Cluster) bool { return c.Name == near })
}

// checkHost makes sure that the hub's Kiali has a host, which remotes need.
func (t *Topology) checkHost(hub int, remotes bool, findings *finding.Findings) {
	c := &t.Spec.Clusters[hub]
	if t.mayHave("spec", "clusters", hub, "kiali", "host") || t.refused(c.Platform, "spec", "clusters", hub, "platform") {
		return
	}
	if t.Spec.Kiali.Auth.Strategy == "openshift" && remotes && !t.mayHave("spec", "clusters", hub, "domain") {
		findings.Add(t.At("spec", "clusters", hub), RuleMissing, "give the ingress domain of the cluster, such as domain: apps.east.example.com",
			"%s: domain is missing; the remotes' login callbacks need the host of the hub's Kiali", t.Called(hub))
	}
	if c.Platform == "kubernetes" && c.Domain == "" {
		return // it has none
	}
	label := t.Spec.Kiali.InstanceName + "-" + t.Spec.Kiali.Namespace
	if len(label) > 63 {
		findings.Add(t.At("spec", "kiali", "instanceName"), "KC20", "shorten spec.kiali.instanceName or spec.kiali.namespace, or give the hub a kiali.host",
			"the host of the hub's Kiali begins with %q, which has %d characters; a part of a host may have at most 63", label, len(label))
	}
}
