package kiali

import (
	"slices"
	"strings"
)

// Right is a right in RBAC on a whole cluster, on the objects of a resource.
type Right struct {
	Group, Resource string // such as apps and deployments; a subresource is pods/log
	Name            string // of the one object; "": all
	Verbs           []string
}

// Installation has the facts on which the rights of Kiali's account depend.
type Installation struct {
	Line      Line
	OpenShift bool
	Strategy  string // of authentication
	ViewOnly  bool   // deployment.view_only_mode
	Logs      bool   // the feature logs-tab is not disabled
	Client    string // the name of the OAuthClient, with the strategy openshift
}

// readKinds are the kinds that Kiali reads on a cluster that it shows (kiali
// cache/cache.go). The kinds without which Kiali shows nothing come first. need lists
// verbs that are enough, if Kiali does not need all verbs of its role.
var readKinds = []struct{ group, resources, need string }{
	{group: "", resources: "namespaces pods services configmaps"},
	{group: "apps", resources: "deployments replicasets statefulsets daemonsets"},
	{group: "networking.istio.io",
		resources: "virtualservices destinationrules envoyfilters gateways serviceentries sidecars workloadentries workloadgroups"},
	{group: "security.istio.io", resources: "authorizationpolicies peerauthentications requestauthentications"},
	{group: "telemetry.istio.io", resources: "telemetries"},
	{group: "extensions.istio.io", resources: "wasmplugins"},
	{group: "gateway.networking.k8s.io", resources: "gateways grpcroutes httproutes referencegrants"},
	{group: "inference.networking.k8s.io", resources: "inferencepools"},
	{group: "batch", resources: "cronjobs jobs"},
	{group: "", resources: "replicationcontrollers endpoints pods/log"},
	{group: "", resources: "pods/portforward", need: "create"},
	{group: "admissionregistration.k8s.io", resources: "mutatingwebhookconfigurations", need: "list"},
	{group: "apps.openshift.io", resources: "deploymentconfigs"},
	{group: "route.openshift.io", resources: "routes"},
}

// Rights are the rights of Kiali's account on a cluster that Kiali shows: for the
// kinds that Kiali reads, the verbs that the rules of its role allow
// ([AccountRules]). With the strategy anonymous, the account also changes objects for
// the users, unless viewOnly is set. The rights without which Kiali shows nothing
// come first.
func Rights(i Installation) []Right {
	platform := "kubernetes"
	if i.OpenShift {
		platform = "openshift"
	}
	rules := AccountRules(max(i.Line, V2_4), platform, EditsMesh(i.Strategy, i.ViewOnly))
	var all []Right
	for _, kind := range readKinds {
		for _, resource := range strings.Fields(kind.resources) {
			switch verbs := allowed(rules, kind.group, resource); {
			case len(verbs) == 0:
			case resource == "endpoints" && i.Line == Default: // its newest role does not have it
			case resource == "pods/log" && !i.Logs:
			case resource == "mutatingwebhookconfigurations" && i.Line.Before(V2_4):
			case kind.need != "":
				all = append(all, Right{Group: kind.group, Resource: resource, Verbs: strings.Fields(kind.need)})
			default:
				all = append(all, Right{Group: kind.group, Resource: resource, Verbs: verbs})
			}
		}
	}
	if i.Strategy == "openshift" && !i.Line.Before(V2_4) {
		all = append(all, Right{Group: "oauth.openshift.io", Resource: "oauthclients", Name: i.Client, Verbs: []string{"get"}})
	}
	return all
}

// allowed lists the verbs that rules allow on a resource.
func allowed(rules []Rule, group, resource string) []string {
	for _, r := range rules {
		if slices.Contains(r.Groups, group) && (slices.Contains(r.Resources, resource) || slices.Contains(r.Resources, "*")) {
			return r.Verbs
		}
	}
	return nil
}
