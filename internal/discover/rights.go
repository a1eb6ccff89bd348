package discover

import (
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// Readers is the group whose users have the rights.
const Readers = "sightline-init"

// Rights are the roles and bindings with which the users of the group [Readers] can
// read everything that [Kinds] lists. Every cluster needs the same. The rights on
// Secrets are a separate role, because RBAC has no right to metadata alone.
func Rights() (roles, secrets []resource.Object) {
	var rules, ofSecrets []any
	for _, k := range Kinds() {
		if k.Kind == "Secret" {
			ofSecrets = withRule(ofSecrets, &k, "list")
			continue
		}
		if k.Name != "" {
			rules = withRule(rules, &k, "get")
			continue
		}
		rules = withRule(rules, &k, "list")
		if k.Kind == "Pod" { // one with a proxy is read in full
			rules = withRule(rules, &k, "get")
		}
	}
	return granted(Readers, rules), granted(Readers+"-secrets", ofSecrets)
}

// withRule adds a verb on a kind to rules. If a rule for the same resources and names
// exists, it gets the verb.
func withRule(rules []any, k *Kind, verb string) []any {
	rule := map[string]any{"apiGroups": groupsOf(k), "resources": []any{strings.SplitN(k.Resource, ".", 2)[0]}}
	if k.Name != "" {
		rule["resourceNames"] = []any{k.Name}
	}
	for _, r := range rules {
		known, _ := r.(map[string]any)
		if !same(known["apiGroups"], rule["apiGroups"]) || !same(known["resources"], rule["resources"]) ||
			!same(known["resourceNames"], rule["resourceNames"]) {
			continue
		}
		if verbs := list(known, "verbs"); !slices.Contains(verbs, any(verb)) {
			known["verbs"] = append(verbs, verb)
		}
		return rules
	}
	rule["verbs"] = []any{verb}
	return append(rules, rule)
}

func groupsOf(k *Kind) []any {
	var groups []any
	for _, version := range k.APIVersions {
		group, _, ok := strings.Cut(version, "/")
		if !ok { // v1
			group = ""
		}
		if !slices.Contains(groups, any(group)) {
			groups = append(groups, group)
		}
	}
	return groups
}

// granted is a ClusterRole and its binding to the group.
func granted(name string, rules []any) []resource.Object {
	const rbac = "rbac.authorization.k8s.io"
	metadata := map[string]any{"name": name}
	return []resource.Object{
		{"apiVersion": rbac + "/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules},
		{"apiVersion": rbac + "/v1", "kind": "ClusterRoleBinding", "metadata": metadata,
			"roleRef":  map[string]any{"apiGroup": rbac, "kind": "ClusterRole", "name": name},
			"subjects": []any{map[string]any{"apiGroup": rbac, "kind": "Group", "name": Readers}}},
	}
}
