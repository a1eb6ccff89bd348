package topology

import (
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// inCluster is the URL under which Argo CD knows the cluster that it runs on.
const inCluster = "https://kubernetes.default.svc"

// maxApplication is how long the name of an Application may be: with tracking
// by label every object has it as the value of one.
const maxApplication = 63

// Application is the name of the Argo CD Application that delivers a cluster:
// that of the topology, and the cluster's in the letters that names of objects
// have.
func (t *Topology) Application(c *Cluster) string {
	return fitted(maxApplication, t.Metadata.Name, c.Name)
}

// ArgoCDKnows is how Argo CD knows a cluster: by the URL of a server or by a
// name; the other is "".
func (t *Topology) ArgoCDKnows(c *Cluster) (server, name string) {
	switch own := c.ArgoCD; {
	case own != nil && own.Name != "":
		return "", own.Name
	case own != nil && own.Server != "":
		return strings.TrimSuffix(own.Server, "/"), ""
	case t.Spec.Delivery.ArgoCD.Cluster == c.Name:
		return inCluster, ""
	}
	return strings.TrimSuffix(c.Server, "/"), ""
}

func (t *Topology) checkArgoCD(findings *finding.Findings) {
	d, argo := t.Spec.Delivery, t.Spec.Delivery.ArgoCD
	path := func(keys ...any) []any { return append([]any{"spec", "delivery", "argocd"}, keys...) }
	if strings.HasPrefix(d.RepoURL, "oci://") {
		findings.Add(t.At("spec", "delivery", "repoURL"), RuleValue, "give the Git repository, or use flux without argocd", "delivery.argocd reads a Git repository, found %q", finding.Shorten(d.RepoURL))
	}
	if i := t.index(argo.Cluster); i < 0 {
		if t.Has(path("cluster")...) {
			findings.Add(t.At(path("cluster")...), RuleValue, t.nearName(argo.Cluster), "Argo CD runs on %q, which is not one of the clusters", finding.Shorten(argo.Cluster))
		}
	} else if server := t.At(path("cluster")...); !t.IsHub(&t.Spec.Clusters[i]) {
		if hub := t.index(t.Spec.Kiali.Hub); hub >= 0 && !t.mayHave("spec", "clusters", hub, "server") && t.Spec.Clusters[hub].ArgoCD == nil {
			findings.Add(t.At("spec", "clusters", hub), RuleMissing, "add server: or argocd: {server: …} to it, such as server: https://api.east.example.com:6443",
				"%s: server is missing; Argo CD, which runs on %q (%s), reaches it by that", t.Called(hub), finding.Shorten(argo.Cluster), server.SeenFrom(t.At("spec", "clusters", hub)))
		}
	}
	t.checkSync(findings)
	t.checkRollout(findings)
	servers := map[string]int{}
	for i := range t.Spec.Clusters {
		c := &t.Spec.Clusters[i]
		at := t.At("spec", "clusters", i, "name")
		if problem, _ := formats["labelValue"].problem(c.Name); problem != "" {
			findings.Add(at, "DL10", "rename the cluster in Istio too, or have Flux deliver it",
				"%s: with delivery.argocd the name is also the label of an Application and %s", t.Called(i), problem)
		} else if name := t.Metadata.Name + "-" + objectName(c.Name); argo.Generator == "clusters" && len(name) > maxApplication {
			findings.Add(at, "DL10", "shorten the name of the topology or of the cluster, or use the generator list or git, which can shorten it",
				"%s: with the generator clusters its Application is %q, which has %d characters; a name may have at most %d", t.Called(i), finding.Shorten(name), len(name), maxApplication)
		}
		server, name := t.ArgoCDKnows(c)
		key := strings.ToLower(server) + " " + name
		if j, ok := servers[key]; ok && key != " " && (c.ArgoCD != nil || t.Spec.Clusters[j].ArgoCD != nil) {
			here := t.At("spec", "clusters", i, "argocd")
			findings.Add(here, "IN09", "give each cluster the server or name that Argo CD has registered for it",
				"Argo CD would deliver %s and %s to the same place; first at %s", t.Called(i), t.Called(j), t.At("spec", "clusters", j, "argocd").SeenFrom(here))
			continue
		}
		servers[key] = i
	}
}

// checkSync finds choices that nothing follows.
func (t *Topology) checkSync(findings *finding.Findings) {
	argo := t.Spec.Delivery.ArgoCD
	path := func(key string) []any { return []any{"spec", "delivery", "argocd", "sync", key} }
	for _, choice := range []struct {
		key string
		on  bool
	}{{"automated", argo.Sync.Automated}, {"prune", argo.Sync.Prune}, {"selfHeal", argo.Sync.SelfHeal}} {
		at := t.At(path(choice.key)...)
		switch {
		case !choice.on || !t.Has(path(choice.key)...):
		case len(argo.Rollout) > 0:
			findings.Add(at, RuleValue, "remove it, or the rollout", "spec.delivery.argocd.sync.%s has no effect with a rollout, which decides when a cluster is synced and neither prunes nor heals", choice.key)
		case !argo.Sync.Automated && !t.refusedBool(argo.Sync.Automated, path("automated")...):
			findings.Add(at, RuleValue, "remove it, or automated: false", "spec.delivery.argocd.sync.%s has no effect with automated: false", choice.key)
		}
	}
}

// checkRollout makes sure that every step is about clusters of the topology,
// and each of these is in one step at most.
func (t *Topology) checkRollout(findings *finding.Findings) {
	type place struct{ step, name int }
	first := map[string]place{}
	path := func(p place) []any {
		return []any{"spec", "delivery", "argocd", "rollout", p.step, "clusters", p.name}
	}
	for i, step := range t.Spec.Delivery.ArgoCD.Rollout {
		if n := t.node("spec", "delivery", "argocd", "rollout", i, "clusters"); len(step.Clusters) == 0 && n != nil && len(n.Content) == 0 {
			findings.Add(t.At("spec", "delivery", "argocd", "rollout", i, "clusters"), RuleValue, "name clusters, or remove the step", "step %d of the rollout has no clusters", i+1)
		}
		for j, name := range step.Clusters {
			here := place{i, j}
			at := t.At(path(here)...)
			if t.index(name) < 0 {
				findings.Add(at, RuleValue, t.nearName(name), "step %d of the rollout names %q, which is not one of the clusters", i+1, finding.Shorten(name))
			} else if before, ok := first[name]; ok && before.step != i { // twice in one list is found by the decoder
				findings.Add(at, RuleDuplicate, "leave it in one step", "cluster %q is in two steps of the rollout; first at %s", finding.Shorten(name), t.At(path(before)...).SeenFrom(at))
			} else {
				first[name] = here
			}
		}
	}
}

// checkClusterArgoCD makes sure that Argo CD is told of a cluster in one way.
func (t *Topology) checkClusterArgoCD(i int, findings *finding.Findings) {
	own := t.Spec.Clusters[i].ArgoCD
	if own == nil {
		return
	}
	path := func(keys ...any) []any { return append([]any{"spec", "clusters", i, "argocd"}, keys...) }
	at := t.At(path()...)
	switch server, name := t.mayHave(path("server")...), t.mayHave(path("name")...); {
	case t.Spec.Delivery.ArgoCD == nil:
		findings.Add(at, RuleValue, "add argocd: {} to spec.delivery, or remove it", "%s: argocd has no effect without spec.delivery.argocd", t.Called(i))
	case server && name:
		findings.Add(t.At(path("name")...), RuleValue, "keep the one under which Argo CD has registered the cluster", "%s: argocd has both server and name; expected one of the two", t.Called(i))
	case !server && !name:
		findings.Add(at, RuleMissing, "add server: or name:, as argocd cluster list shows them, or remove argocd", "%s: argocd has neither server nor name; expected one of the two", t.Called(i))
	}
}
