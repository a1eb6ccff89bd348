package discover

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/openshift"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// acmAnswers is the beginning of the host of ACM's store, for which Observability
// makes a Route. acmInside is the address of the store inside the cluster.
const (
	acmAnswers = "https://observatorium-api-" + topology.ACMNamespace + "."
	acmInside  = "http://observability-thanos-query-frontend." + topology.ACMNamespace + ".svc.cluster.local:9090"
	acmList    = "observability-metrics-custom-allowlist"
)

// collects tells whether an object on an ACM hub was rendered: a part of the
// collection, or a Policy for it.
func collects(o resource.Object) bool {
	return label(o, labels.ManagedBy) == labels.Sightline &&
		slices.Contains([]string{"mesh-observability", "mesh-policies"}, label(o, labels.Name))
}

// acmHub is the cluster on which ACM runs, in the mesh or outside.
func (d *Draft) acmHub() *cluster {
	for _, c := range append(slices.Clone(d.mesh.clusters), d.mesh.outside...) {
		if len(c.of("MultiClusterHub"))+len(c.of("ManagedCluster")) > 0 {
			return c
		}
	}
	return nil
}

// acm writes metrics.acm, and tells whether the store is ACM's. If Kiali reads
// this store but no object of ours exists, acm keeps Kiali's address and certificate,
// because the store acm would collect more.
func (d *Draft) acm(spec *node) bool {
	kiali := object(d.mesh.hub.kiali, "spec", "external_services", "prometheus")
	url := text(kiali, "url")
	inside := url == acmInside
	if !isOurs(d.mesh.hub.kiali) || !inside && !strings.HasPrefix(url, acmAnswers) || !d.collected() {
		return false
	}
	from := kialiFrom(d.mesh.hub, "external_services.prometheus")
	spec.put("store", "acm", from+", and objects that were rendered for ACM")
	a := spec.child("acm")
	hub := d.acmHub()
	within := hub != nil && slices.Contains(d.mesh.clusters, hub)
	if within {
		a.put("hub", hub.name.value, "ACM runs there")
	}
	d.acmRelease(a, hub)
	if inside {
		a.put("access", "internal", from+".url")
	} else if domain, _, _ := strings.Cut(strings.TrimPrefix(url, acmAnswers), "/"); !within || domain != hub.domain.value {
		a.put("domain", domain, from+".url")
	}
	for field, value := range map[string][2]string{"retention": {text(kiali, "thanos_proxy", "retention_period"), "365d"},
		"interval": {text(kiali, "thanos_proxy", "scrape_interval"), "5m"}} {
		if value[0] != "" && value[0] != value[1] {
			a.put(field, value[0], from+".thanos_proxy")
		}
	}
	if hub != nil {
		d.acmCollection(a, hub)
	}
	d.acmOnClusters(a, hub)
	return true
}

// collected tells whether something was rendered for ACM: objects on its hub, an
// object that a Policy made for Kiali, or objects on clusters for the collector.
func (d *Draft) collected() bool {
	if hub := d.acmHub(); hub != nil && slices.ContainsFunc(hub.Objects, collects) {
		return true
	}
	return slices.ContainsFunc(d.mesh.hub.of("ConfigMap"), func(o resource.Object) bool {
		return label(o, labels.ManagedBy) == labels.Sightline && !isOurs(o) &&
			text(o, "data", "additional-ca-bundle.pem") != ""
	})
}

// acmRelease writes the release of ACM.
func (d *Draft) acmRelease(a *node, hub *cluster) {
	if hub != nil {
		for _, o := range hub.of("MultiClusterHub") {
			if parts := strings.Split(text(o, "status", "currentVersion"), "."); len(parts) > 2 {
				a.put("release", parts[0]+"."+parts[1], "MultiClusterHub "+place(o)+", status.currentVersion")
				return
			}
		}
	}
	a.child("release").ask("which release does ACM have? Write release: \"2.16\".",
		command.Kubectl("", "", "get multiclusterhubs.operator.open-cluster-management.io -A"))
	d.mesh.add(finding.Error, "AD13", []any{"spec", "metrics"}, "give init the context or the dump of ACM's hub as well, or write "+
		"metrics: {acm: {release: \"2.16\"}}", "no cluster has the release of ACM")
}

// acmCollection writes the settings of the collection on the ACM hub.
func (d *Draft) acmCollection(a *node, hub *cluster) {
	from := " of " + hub.From()
	configs := slices.DeleteFunc(hub.of("ScrapeConfig"), func(o resource.Object) bool { return !collects(o) })
	rules := slices.DeleteFunc(hub.of("PrometheusRule"), func(o resource.Object) bool { return !collects(o) })
	if len(configs) == 0 {
		a.put("collector", "classic", "there is no rendered ScrapeConfig")
	} else if len(rules) == 0 {
		a.put("aggregate", false, "there is no rendered PrometheusRule"+from)
	}
	if list := hub.named("ConfigMap", topology.ACMNamespace, acmList); list != nil && collects(list) {
		a.put("allowList.in", "hub", "ConfigMap "+place(list)+from)
	}
	for _, o := range rules {
		ns := annotation(o, "observability.open-cluster-management.io/target-namespace")
		if !strings.HasSuffix(name(o), "-"+ns) && ns != "" {
			a.put("rules.namespace", ns, "PrometheusRule "+place(o)+from)
		}
	}
	placement := ""
	for _, o := range configs {
		placement = annotation(o, "observability.open-cluster-management.io/placements")
	}
	for _, o := range hub.of("Policy") {
		if !collects(o) {
			continue
		}
		if ns := namespace(o); ns != "mesh-policies" {
			a.put("policyNamespace", ns, "Policy "+place(o)+from)
		}
		if at := placementIn(o); at != "" {
			placement = at
		}
	}
	if placement != "" && placement != "open-cluster-management-global-set/global" {
		a.put("placement", placement, "the Policy that registers the collection"+from)
	}
}

// placementIn is the Placement with which a Policy registers the collection, or ""
// for another Policy.
func placementIn(policy resource.Object) string {
	for _, t := range list(policy, "spec", "policy-templates") {
		for _, o := range list(t, "objectDefinition", "spec", "object-templates") {
			for _, p := range list(o, "objectDefinition", "spec", "installStrategy", "placements") {
				return text(p, "namespace") + "/" + text(p, "name")
			}
		}
	}
	return ""
}

// acmOnClusters writes the settings that the clusters of the mesh have for the
// collector.
func (d *Draft) acmOnClusters(a *node, hub *cluster) {
	_, workloads := openshift.Configs()
	lists := false
	for _, c := range d.mesh.clusters {
		lists = lists || slices.ContainsFunc(c.of("ConfigMap"), func(o resource.Object) bool {
			return name(o) == acmList && namespace(o) != topology.ACMNamespace && isOurs(o)
		})
		o, content, ok := c.content(workloads)
		exempt := list(content, "namespacesWithoutLabelEnforcement")
		if a.has("rules.manage") || !ok || !isOurs(o) || len(exempt) == 0 {
			continue
		}
		from := "ConfigMap " + place(o) + " of " + c.name.value
		a.put("rules.manage", true, from)
		if !a.has("rules.namespace") {
			a.put("rules.namespace", exempt[0], from)
		}
		rest := maps.Clone(content)
		if delete(rest, "namespacesWithoutLabelEnforcement"); len(exempt) > 1 {
			rest["namespacesWithoutLabelEnforcement"] = exempt
		}
		if len(rest) > 0 {
			a.put("rules.config", rest, "")
		}
	}
	classic := a.has("collector")
	switch {
	case hub == nil && lists:
		a.put("collector", "classic", "the ConfigMaps "+acmList+" that were rendered")
	case classic && !lists && !a.has("allowList.in"):
		a.put("allowList.in", "none", "there is no ConfigMap "+acmList+" that was rendered")
	}
	if argo := d.argoCD; argo != nil {
		for _, o := range argo.of("Application") {
			if label(o, labels.Cluster) != topology.ACMTree || !delivers(o) {
				continue
			}
			for _, key := range []string{"server", "name"} {
				if to := text(o, "spec", "destination", key); to != "" {
					a.put("argocd."+key, to, "Application "+place(o))
				}
			}
		}
	}
	if secret := d.secrets[""]; secret != "" && secret != "acm-kubeconfig" {
		a.put("flux.kubeConfigSecret", secret, "Flux' objects for the ACM hub")
	}
}

// acmPath is the path of the Kustomization of an ACM hub outside the topology.
var acmPath = regexp.MustCompile(`^\./(.*/)?` + topology.ACMTree + `$`)
