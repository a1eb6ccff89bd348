package kiali

// Right is a right in RBAC on a whole cluster, on objects of a resource.
type Right struct {
	Group, Resource string // such as apps and deployments; a subresource is pods/log
	Name            string // of the one object; "": all
	Verbs           []string
}

// Installation is what the rights of Kiali's account depend on.
type Installation struct {
	Line      Line
	OpenShift bool
	Strategy  string // of authentication
	ViewOnly  bool   // deployment.view_only_mode
	Logs      bool   // the feature logs-tab is not disabled
	Client    string // the name of the OAuthClient, with the strategy openshift
}

// Rights are those that the account of Kiali has on a cluster that it shows: the
// roles that the operator makes for it (kiali-operator roles/*/kiali-deploy/
// templates/{kubernetes,openshift}/{role,role-viewer,clusterrole-*}.yaml), for the
// kinds that Kiali reads (kiali cache/cache.go). With the strategy anonymous the
// account changes objects for the users, too, unless the mode is to view only.
// First come those without which Kiali shows nothing.
func Rights(i Installation) []Right {
	read := []string{"get", "list", "watch"}
	patch, edit := read, read
	if i.Strategy == "anonymous" && !i.ViewOnly {
		patch, edit = []string{"get", "list", "watch", "patch"}, []string{"get", "list", "watch", "create", "delete", "patch"}
	}
	var all []Right
	add := func(verbs []string, group string, resources ...string) {
		for _, resource := range resources {
			all = append(all, Right{Group: group, Resource: resource, Verbs: verbs})
		}
	}
	add(patch, "", "namespaces", "pods", "services")
	add(read, "", "configmaps")
	add(patch, "apps", "deployments", "replicasets", "statefulsets", "daemonsets")
	add(edit, "networking.istio.io",
		"virtualservices", "destinationrules", "envoyfilters", "gateways", "serviceentries", "sidecars", "workloadentries", "workloadgroups")
	add(edit, "security.istio.io", "authorizationpolicies", "peerauthentications", "requestauthentications")
	add(edit, "telemetry.istio.io", "telemetries")
	add(edit, "extensions.istio.io", "wasmplugins")
	add(edit, "gateway.networking.k8s.io", "gateways", "grpcroutes", "httproutes", "referencegrants")
	if !i.Line.Before(V2_17) {
		add(edit, "inference.networking.k8s.io", "inferencepools")
	}
	add(patch, "batch", "cronjobs", "jobs")
	add(patch, "", "replicationcontrollers")
	if i.Line.Before(Default) {
		add(read, "", "endpoints")
	}
	if i.Logs {
		add(read, "", "pods/log")
	}
	add([]string{"create"}, "", "pods/portforward")
	if !i.Line.Before(V2_4) {
		add([]string{"list"}, "admissionregistration.k8s.io", "mutatingwebhookconfigurations")
	}
	if i.OpenShift {
		add(patch, "apps.openshift.io", "deploymentconfigs")
		add([]string{"get"}, "route.openshift.io", "routes")
	}
	if i.Strategy == "openshift" && !i.Line.Before(V2_4) {
		all = append(all, Right{Group: "oauth.openshift.io", Resource: "oauthclients", Name: i.Client, Verbs: []string{"get"}})
	}
	return all
}
