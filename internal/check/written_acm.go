package check

import (
	"fmt"
	"slices"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// aboutACM are the checks of what a topology says about the store acm.
func aboutACM() []reading {
	return []reading{
		{reads: "metrics.store metrics.acm metrics.acm.release", find: (*source).acmRelease},
		{reads: "metrics.store metrics.acm.hub", find: (*source).acmHub},
		{reads: "metrics.store metrics.acm.hub metrics.acm.access kiali.version hub.kiali.version", find: (*source).acmAccess},
		{reads: "metrics.store metrics.acm.interval", find: (*source).acmInterval},
		{reads: "metrics.store metrics.acm.collector metrics.acm.aggregate metrics.acm.rules metrics.acm.allowList", find: (*source).acmInVain},
		{reads: "metrics.store metrics.acm.hub delivery metrics.acm.argocd", find: (*source).acmDelivery},
	}
}

func acmPath(keys ...any) []any { return append([]any{"spec", "metrics", "acm"}, keys...) }

// acmVain reports that a field has no effect.
func (s *source) acmVain(because, hint string, keys ...any) {
	if path := acmPath(keys...); s.Has(path...) {
		s.Add(s.At(path...), topology.RuleValue, hint, "%s has no effect, because %s", topology.Dotted(path), because)
	}
}

func (s *source) acmRelease() {
	if !s.OnACM() {
		return
	}
	acm := &s.Spec.Metrics.ACM
	switch {
	case !s.Has(acmPath("release")...):
		s.Add(s.At(acmPath()...), topology.RuleMissing, "add it, such as acm: {release: \"2.16\"}; for a release newer than the last "+
			"known one, write the last known one",
			"spec.metrics.acm.release is missing; the objects for the store acm depend on it")
	case acm.Collector == "mcoa" && !acm.HasAddOn():
		s.Add(s.At(acmPath("collector")...), topology.RuleValue, "write collector: classic, or upgrade ACM",
			"the collector mcoa needs release 2.15 or later; in %s it is a preview with other names", acm.Release)
	}
}

func (s *source) acmHub() {
	if !s.OnACM() {
		return
	}
	acm := &s.Spec.Metrics.ACM
	switch i := s.index(acm.Hub); {
	case acm.Hub != "" && i < 0:
		s.Add(s.At(acmPath("hub")...), topology.RuleValue, s.nearName(acm.Hub)+"; if ACM runs on another cluster, leave it out",
			"ACM runs on %q, which is not one of the clusters", acm.Hub)
	case i >= 0 && s.Spec.Clusters[i].Platform != "openshift":
		s.Add(s.At(acmPath("hub")...), topology.RuleValue, "name the cluster on which ACM runs, or leave out hub",
			"ACM runs on OpenShift, but %s is a Kubernetes cluster", s.Called(i))
	case acm.Hub == "":
		for i := range s.Spec.Clusters {
			if s.Spec.Clusters[i].Name == topology.ACMTree {
				s.Add(s.At("spec", "clusters", i, "name"), "ID02", "rename the cluster, or name the ACM hub in spec.metrics.acm.hub",
					"the ACM hub has the tree %s/, so no cluster can have this name", topology.ACMTree)
			}
		}
	}
}

// acmAccess checks that the release line of Kiali supports the access to the
// store.
func (s *source) acmAccess() {
	if !s.OnACM() {
		return
	}
	acm := &s.Spec.Metrics.ACM
	hub := &s.Spec.Clusters[s.hub]
	if acm.Access == "internal" {
		if !s.KialiOnACM() {
			s.Add(s.At(acmPath("access")...), "PM42", "write access: route, or run Kiali on the ACM hub and name this cluster in hub",
				"access: internal uses the store's Service on the ACM hub, but Kiali runs on %s", s.Called(s.hub))
		}
		s.acmVain("access is internal", "remove it, or write access: route", "domain")
		return
	}
	if acm.Domain == "" && (acm.Hub == "" || s.index(acm.Hub) >= 0 && s.Readable("spec", "clusters", s.index(acm.Hub), "domain")) {
		s.Add(s.At(acmPath()...), topology.RuleMissing, "add the ingress domain of the ACM hub, such as acm: {domain: apps.hub.example.com}",
			"spec.metrics.acm.domain is missing; the host of the store's Route ends in it")
	}
	if line := hub.Kiali.Version; line == kiali.Default || line.Before(kiali.V2_22) {
		at := s.At("spec", "kiali", "version")
		if s.Has("spec", "clusters", s.hub, "kiali", "version") {
			at = s.At("spec", "clusters", s.hub, "kiali", "version")
		}
		hint := "pin kiali.version to v2.22 or a later release line"
		if s.KialiOnACM() {
			hint += "; or write access: internal, which needs no certificate"
		}
		what := fmt.Sprintf("the release line %s", line)
		if line == kiali.Default {
			what = "default may be an older release line, which"
		}
		s.Add(at, "PM42", hint, "%s cannot send a client certificate to its metrics store, but the Route of ACM's store asks for one", what)
	}
}

func (s *source) acmInterval() {
	if interval := s.Spec.Metrics.ACM.Interval; s.OnACM() && topology.Seconds(interval) < leastCollection {
		s.Add(s.At(acmPath("interval")...), "PM40", "write interval: 90s or more; the default of ACM is 5m",
			"the collection interval is %s; below %ds, the store refuses samples as out of order", interval, leastCollection)
	}
}

// acmInVain reports fields of the collector that the topology does not use.
func (s *source) acmInVain() {
	if !s.OnACM() {
		return
	}
	acm := &s.Spec.Metrics.ACM
	if acm.Collector == "classic" {
		const because, hint = "the collector is classic", "remove it, or write collector: mcoa"
		s.acmVain(because, hint, "aggregate")
		s.acmVain(because, hint, "rules")
		s.acmVain(because, hint, "placement")
		if acm.AllowList.In != "hub" {
			s.acmVain("the lists are not on the ACM hub", "remove it, or write in: hub", "allowList", "more")
		}
		return
	}
	s.acmVain("the collector is mcoa", "remove it, or write collector: classic", "allowList")
	if !acm.Aggregate {
		s.acmVain("aggregate is false", "remove it, or write aggregate: true", "rules")
		return
	}
	if acm.Rules.Namespace == "" {
		for _, key := range []string{"manage", "config"} {
			s.acmVain("no namespace is given for the rules", "add namespace: mesh-observability", "rules", key)
		}
		return
	}
	if i := slices.Index(s.Spec.CreateNamespaces, acm.Rules.Namespace); i >= 0 {
		s.Add(s.At("spec", "createNamespaces", i), topology.RuleValue, "remove it here", "spec.metrics.acm.rules already renders the "+
			"namespace %q",
			acm.Rules.Namespace)
	}
	if !acm.Rules.Manage {
		s.acmVain("user-workload-monitoring-config is not managed", "if config is the whole content, write manage: true; if not, remove "+
			"it", "rules",
			"config")
	}
	if path := acmPath("rules", "config", exempt); s.Has(path...) {
		s.Add(s.At(path...), topology.RuleValue, "remove it here", "%s is set by the namespace of spec.metrics.acm.rules", topology.Dotted(path))
	}
}

// exempt is the key of user-workload-monitoring-config that lists the namespaces
// whose rules may read the series of all namespaces.
const exempt = "namespacesWithoutLabelEnforcement"

// acmDelivery checks that an engine can reach an ACM hub outside the topology.
func (s *source) acmDelivery() {
	if !s.OnACM() {
		return
	}
	if !s.ACMOutside() {
		for _, key := range []string{"argocd", "flux"} {
			s.acmVain("the ACM hub is a cluster of the topology", "remove it; use the same field of the cluster", key)
		}
		return
	}
	if s.argoCD() == nil {
		s.acmVain("Argo CD does not deliver the topology", "remove it", "argocd")
		return
	}
	switch server, name := s.ArgoCDKnowsACM(); {
	case server != "" && name != "":
		s.Add(s.At(acmPath("argocd")...), topology.RuleValue, "keep the one that Argo CD has registered",
			"spec.metrics.acm.argocd has a server and a name; expected one of the two")
	case server == "" && name == "":
		s.Add(s.At(acmPath()...), topology.RuleMissing, "add how Argo CD knows the ACM hub, such as acm: {argocd: {name: in-cluster}} if "+
			"Argo CD runs there",
			"spec.metrics.acm.argocd is missing; the ACM hub is not in the topology, but Argo CD delivers to it too")
	}
}
