package check

import (
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// aboutArgoCD are the checks of what a topology says about Argo CD.
func aboutArgoCD() []reading {
	return []reading{
		{find: (*source).argoCDRepository},
		{find: (*source).argoCDCluster},
		{reads: "delivery.argocd.sync.automated", find: (*source).argoCDSync},
		{reads: "delivery.argocd.source", find: (*source).argoCDPlugin},
		{reads: "delivery.argocd.generator delivery.argocd.placement", find: (*source).argoCDPlacement},
		{reads: "delivery.argocd.applications", find: (*source).argoCDApplications},
		{find: (*source).argoCDRollout},
		{find: (*source).argoCDNames},
		{reads: "delivery.argocd", each: (*source).argoCDUnused},
		{reads: "delivery.argocd cluster.argocd.server cluster.argocd.name", each: (*source).clusterArgoCD},
	}
}

// argoCD is what the topology says about Argo CD, or nil.
func (s *source) argoCD() *topology.ArgoCD {
	if s.Spec.Delivery == nil {
		return nil
	}
	return s.Spec.Delivery.ArgoCD
}

func (s *source) argoCDRepository() {
	if s.argoCD() != nil && strings.HasPrefix(s.Spec.Delivery.RepoURL, "oci://") {
		s.Add(s.At("spec", "delivery", "repoURL"), topology.RuleValue, "write the address of a Git repository, or use flux without argocd",
			"delivery.argocd reads a Git repository, found %q", finding.Shorten(s.Spec.Delivery.RepoURL))
	}
}

func (s *source) argoCDCluster() {
	argo := s.argoCD()
	if argo == nil {
		return
	}
	path := func(keys ...any) []any { return append([]any{"spec", "delivery", "argocd"}, keys...) }
	if i := s.index(argo.Cluster); i < 0 {
		if s.Has(path("cluster")...) {
			s.adrift = true
			s.Add(s.At(path("cluster")...), topology.RuleValue, s.nearName(argo.Cluster), "Argo CD runs on %q, which is not one of the clusters",
				finding.Shorten(argo.Cluster))
		}
	} else if server := s.At(path("cluster")...); !s.IsHub(&s.Spec.Clusters[i]) {
		if hub := s.hub; s.Readable("spec", "clusters", hub, "server") && !s.Has("spec", "clusters", hub, "server") &&
			s.Spec.Clusters[hub].ArgoCD == nil {
			s.Add(s.At("spec", "clusters", hub), topology.RuleMissing,
				"add server: or argocd: {server: …} to it, such as server: https://api.east.example.com:6443",
				"%s: server is missing; Argo CD runs on %q (%s) and needs this address", s.Called(hub), finding.Shorten(argo.Cluster),
				server.SeenFrom(s.At("spec", "clusters", hub)))
		}
	}
}

// argoCDNames checks that Argo CD can distinguish the clusters.
func (s *source) argoCDNames() {
	argo := s.argoCD()
	if argo == nil {
		return
	}
	servers := map[string]int{}
	for i := range s.Spec.Clusters {
		c := &s.Spec.Clusters[i]
		at := s.At("spec", "clusters", i, "name")
		if problem := topology.LabelValueProblem(c.Name); problem != "" {
			s.Add(at, "DL10", "rename the cluster (in Istio too), or deliver with Flux",
				"%s: with delivery.argocd, the name is also a label of the Application and %s", s.Called(i), problem)
		} else if name := s.Metadata.Name + "-" + topology.ObjectName(c.Name); argo.NamesByGenerator() && len(name) > topology.MaxApplication {
			s.Add(at, "DL10", "shorten the name of the topology or of the cluster, or use the generator list or git; these shorten the name",
				"%s: with the generator %s, its Application %q has %d characters; a name may have at most %d", s.Called(i), argo.Generator,
				finding.Shorten(name), len(name), topology.MaxApplication)
		}
		if argo.Pulled() {
			continue // each cluster applies its Application itself
		}
		server, name := s.ArgoCDKnows(c)
		key := strings.ToLower(server) + " " + name
		if j, ok := servers[key]; ok && key != " " && (c.ArgoCD != nil || s.Spec.Clusters[j].ArgoCD != nil) {
			here := s.At("spec", "clusters", i, "argocd")
			s.Add(here, "IN09", "for each cluster, write the server or name that Argo CD has registered",
				"Argo CD would deliver %s and %s to the same place; first at %s", s.Called(i), s.Called(j),
				s.At("spec", "clusters", j, "argocd").SeenFrom(here))
			continue
		}
		servers[key] = i
	}
}

// argoCDSync reports choices without an effect.
func (s *source) argoCDSync() {
	argo := s.argoCD()
	if argo == nil {
		return
	}
	path := func(key string) []any { return []any{"spec", "delivery", "argocd", "sync", key} }
	for _, choice := range []struct {
		key string
		on  bool
	}{{"automated", argo.Sync.Automated}, {"prune", argo.Sync.Prune}, {"selfHeal", argo.Sync.SelfHeal}} {
		at := s.At(path(choice.key)...)
		switch {
		case !choice.on || !s.Has(path(choice.key)...):
		case len(argo.Rollout) > 0:
			s.Add(at, topology.RuleValue, "remove it, or the rollout",
				"spec.delivery.argocd.sync.%s has no effect with a rollout; a rollout decides when a cluster is synced, and turns off prune "+
					"and selfHeal",
				choice.key)
		case !argo.Sync.Automated:
			s.Add(at, topology.RuleValue, "remove it, or automated: false", "spec.delivery.argocd.sync.%s has no effect with automated: false",
				choice.key)
		}
	}
}

// argoCDPlugin reports settings of the plugin without an effect. It also
// refuses the generator git with the plugin: the generator reads rendered
// files, but with the plugin nobody commits them.
func (s *source) argoCDPlugin() {
	argo := s.argoCD()
	if argo == nil {
		return
	}
	path := func(key string) []any { return []any{"spec", "delivery", "argocd", key} }
	switch {
	case argo.Source != "plugin" && s.Has(path("plugin")...):
		s.Add(s.At(path("plugin")...), topology.RuleValue, "add source: plugin, or remove it",
			"spec.delivery.argocd.plugin has no effect with source: %s", argo.Source)
	case argo.Source == "plugin" && argo.Generator == "git":
		s.Add(s.At(path("generator")...), topology.RuleValue, "write generator: clusters, or leave out generator for a list in the "+
			"ApplicationSet",
			"the generator git reads a rendered file for each cluster, but with source: plugin no rendered file is committed")
	}
}

// argoCDPlacement checks that the generator acm has a Placement.
func (s *source) argoCDPlacement() {
	argo := s.argoCD()
	if argo == nil {
		return
	}
	path := []any{"spec", "delivery", "argocd", "placement"}
	switch has := s.Has(path...); {
	case argo.Generator == "acm" && !has:
		s.Add(s.At("spec", "delivery", "argocd", "generator"), topology.RuleMissing,
			"add placement with the name of the Placement that selects the clusters, in Argo CD's namespace",
			"spec.delivery.argocd.placement is missing; the generator acm reads the decisions of a Placement")
	case argo.Generator != "acm" && has:
		s.Add(s.At(path...), topology.RuleValue, "write generator: acm, or remove it",
			"spec.delivery.argocd.placement has no effect with generator: %s", argo.Generator)
	}
}

// argoCDApplications refuses labels and annotations that Sightline sets itself,
// and values with an action of the ApplicationSet's template.
func (s *source) argoCDApplications() {
	argo := s.argoCD()
	if argo == nil {
		return
	}
	for _, list := range []struct {
		key   string
		texts map[string]string
		ours  []string
	}{
		{"labels", argo.Applications.Labels, []string{labels.Topology, labels.Cluster}},
		{"annotations", argo.Applications.Annotations, []string{"argocd.argoproj.io/manifest-generate-paths"}},
	} {
		for _, key := range sortedKeys(list.texts) {
			at := s.At("spec", "delivery", "argocd", "applications", list.key, key)
			switch value := list.texts[key]; {
			case slices.Contains(list.ours, key):
				s.Add(at, topology.RuleValue, "remove it", "every Application already has %s in its %s", key, list.key)
			case strings.Contains(value, "{{"):
				s.Add(at, topology.RuleValue, "write "+topology.InApplications+" for the name of the cluster",
					"%s is %q; the template of the ApplicationSet treats {{ as an action", key, finding.Shorten(value))
			case key == topology.Pulled && value != topology.InApplications:
				s.Add(at, topology.RuleValue, "write \""+topology.InApplications+"\"",
					"%s is %q, so ACM would send the Applications of all clusters to this cluster", key, finding.Shorten(value))
			}
		}
	}
}

// argoCDRollout checks that every step names clusters of the topology, and that
// each cluster is in at most one step.
func (s *source) argoCDRollout() {
	argo := s.argoCD()
	if argo == nil {
		return
	}
	type place struct{ step, name int }
	first := map[string]place{}
	path := func(p place) []any {
		return []any{"spec", "delivery", "argocd", "rollout", p.step, "clusters", p.name}
	}
	for i, step := range argo.Rollout {
		if in := []any{"spec", "delivery", "argocd", "rollout", i, "clusters"}; len(step.Clusters) == 0 && s.Has(in...) && s.Readable(in...) {
			s.Add(s.At(in...), topology.RuleValue, "name clusters, or remove the step", "step %d of the rollout has no clusters", i+1)
		}
		for j, name := range step.Clusters {
			here := place{i, j}
			at := s.At(path(here)...)
			if s.index(name) < 0 {
				s.Add(at, topology.RuleValue, s.nearName(name), "step %d of the rollout names %q, which is not one of the clusters", i+1,
					finding.Shorten(name))
			} else if before, ok := first[name]; ok && before.step != i { // the decoder reports a name that is twice in one list
				s.Add(at, topology.RuleDuplicate, "keep it in one step", "cluster %q is in two steps of the rollout; first at %s",
					finding.Shorten(name), s.At(path(before)...).SeenFrom(at))
			} else {
				first[name] = here
			}
		}
	}
}

// argoCDUnused reports argocd of a cluster if it has no effect.
func (s *source) argoCDUnused(i int) {
	hint := "add argocd: {} to spec.delivery, or remove it"
	if s.Spec.Delivery == nil {
		hint = "add delivery: {repoURL: …, argocd: {}} to spec, or remove it"
	}
	if at := s.At("spec", "clusters", i, "argocd"); s.argoCD() == nil && s.Has("spec", "clusters", i, "argocd") {
		s.Add(at, topology.RuleValue, hint, "%s: argocd has no effect without spec.delivery.argocd", s.Called(i))
	}
}

// clusterArgoCD checks that a cluster has either the server or the name that
// Argo CD knows.
func (s *source) clusterArgoCD(i int) {
	own := s.Spec.Clusters[i].ArgoCD
	if own == nil || s.argoCD() == nil {
		return
	}
	path := func(keys ...any) []any { return append([]any{"spec", "clusters", i, "argocd"}, keys...) }
	at := s.At(path()...)
	if s.argoCD().Pulled() {
		s.Add(at, topology.RuleValue, "remove it", "%s: argocd has no effect, because ACM brings each Application to its cluster", s.Called(i))
		return
	}
	switch server, name := s.Has(path("server")...), s.Has(path("name")...); {
	case server && name:
		s.Add(s.At(path("name")...), topology.RuleValue, "keep the one under which Argo CD has registered the cluster",
			"%s: argocd has both server and name; expected one of the two", s.Called(i))
	case !server && !name:
		s.Add(at, topology.RuleMissing, "add server: or name:, as argocd cluster list shows them, or remove argocd",
			"%s: argocd has neither server nor name; expected one of the two", s.Called(i))
	}
}
