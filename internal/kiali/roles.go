package kiali

import (
	"slices"
	"strings"
)

// Rule is one rule of a role, as in Kubernetes.
type Rule struct {
	Groups    []string // "" is the core group
	Resources []string
	Verbs     []string
}

// The roles that the operator makes for Kiali's account, by release line: the content
// of kiali-operator roles/<line>/kiali-deploy/templates/<platform>/role-viewer.yaml,
// and after more the additional rules of role.yaml. from and before limit a rule to
// some of the lines from v2.4 on.
var accountRules = []struct {
	groups, resources string
	verbs, more       string
	openShift         bool
	from, before      Line
}{
	{groups: "", resources: "configmaps endpoints pods/log", verbs: "get list watch"},
	{groups: "", resources: "namespaces pods replicationcontrollers services", verbs: "get list watch", more: "patch"},
	{groups: "", resources: "pods/portforward", verbs: "create post"},
	{groups: "extensions apps", resources: "daemonsets deployments replicasets statefulsets", verbs: "get list watch", more: "patch"},
	{groups: "batch", resources: "cronjobs jobs", verbs: "get list watch", more: "patch"},
	{groups: "networking.istio.io security.istio.io extensions.istio.io telemetry.istio.io gateway.networking.k8s.io", resources: "*",
		verbs: "get list watch", more: "create delete patch"},
	{groups: "inference.networking.k8s.io", resources: "*", verbs: "get list watch", more: "create delete patch", from: V2_17},
	{groups: "apps.openshift.io", resources: "deploymentconfigs", verbs: "get list watch", more: "patch", openShift: true},
	{groups: "project.openshift.io", resources: "projects", verbs: "get", openShift: true, before: V2_17},
	{groups: "route.openshift.io", resources: "routes", verbs: "get", openShift: true},
	{groups: "authentication.k8s.io", resources: "tokenreviews", verbs: "create"},
	{groups: "admissionregistration.k8s.io", resources: "mutatingwebhookconfigurations", verbs: "get list watch"},
}

// AccountRules are the rules of the role of Kiali's account on a cluster of a
// platform, openshift or kubernetes. edit tells whether the account may change the
// mesh too. For the default line, they are the rules of all lines together, because
// the line of the hub's operator is not known. v1.73 has none, because it knows no
// remote clusters.
func AccountRules(line Line, platform string, edit bool) []Rule {
	if line.Before(V2_4) {
		return nil
	}
	var rules []Rule
	for _, r := range accountRules {
		switch {
		case r.openShift && platform != "openshift":
			continue
		case line != Default && (line.Before(r.from) || r.before != 0 && !line.Before(r.before)):
			continue
		}
		rule := Rule{Groups: strings.Split(r.groups, " "), Resources: strings.Fields(r.resources), Verbs: strings.Fields(r.verbs)}
		if edit {
			rule.Verbs = slices.Concat(rule.Verbs, strings.Fields(r.more))
		}
		rules = append(rules, rule)
	}
	return rules
}

// EditsMesh tells whether Kiali's account may change the mesh. It may only read if
// users log in with their own rights, or if kiali.viewOnly is set (kiali-operator
// roles/*/kiali-deploy/templates/*/rolebinding.yaml).
func EditsMesh(strategy string, viewOnly bool) bool { return strategy == "anonymous" && !viewOnly }

// AccountRole is the name of the role to which the operator binds Kiali's account.
// The role may only read, unless all users act through the account and it may change
// the mesh (kiali-operator roles/*/kiali-deploy/templates/*/rolebinding.yaml).
func AccountRole(instance string, edit bool) string {
	if edit {
		return instance
	}
	return instance + "-viewer"
}

// Account is the name of Kiali's service account (kiali-operator
// roles/*/kiali-deploy/templates/*/serviceaccount.yaml).
func Account(instance string) string { return instance + "-service-account" }

// OAuthClient is the name of the OAuthClient that Kiali looks for on each
// OpenShift cluster (kiali business/openshift_oauth.go).
func OAuthClient(instance, namespace string) string { return instance + "-" + namespace }
