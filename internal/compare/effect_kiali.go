package compare

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// remoteOnly is the field of a Kiali resource on a cluster without a Kiali server.
const remoteOnly = "remote_cluster_resources_only"

// instance identifies an installation for the operator.
func instance(c *Content) string {
	if name := textAt(c, "spec", "deployment", "instance_name"); name != "" {
		return name
	}
	return "kiali"
}

// immutable finds changes that the operator refuses. The operator compares the resource
// with the values in its status. It also refuses a second installation with the same name
// (kiali-operator roles/*/kiali-deploy/tasks/main.yml, "Never allow the …" and "There is
// already a Kiali Server installed …").
func (e *effects) immutable() {
	var all on[string]
	for _, c := range e.of("Kiali") {
		if c.Op != Changed {
			continue
		}
		for _, f := range []struct {
			field string
			unset any
		}{{"instance_name", "kiali"}, {"namespace", c.ID.Namespace}, {remoteOnly, false}} {
			old, new := at(c.Old, "spec", "deployment", f.field), at(c.New, "spec", "deployment", f.field)
			if old == nil || old == "" {
				old = f.unset
			}
			if new == nil || new == "" {
				new = f.unset
			}
			if !equal(old, new) {
				all.add(fmt.Sprintf("deployment.%s was %v and would be %v, but cannot change while the resource exists", f.field, old, new),
					c.Cluster)
			}
		}
	}
	e.bindings()
	for _, m := range e.moved() {
		if instance(m.old.Old) == instance(m.new.New) {
			all.add(fmt.Sprintf("it would be in the namespace %s, but %s still has one with the same instance name",
				m.new.ID.Namespace, m.old.ID.Namespace), m.old.Cluster)
		}
	}
	all.each(func(what string, clusters []string) {
		e.add(finding.Error, clusters, "the operator on %s refuses the Kiali resource: %s", clustersText(clusters), what)
	})
}

// bindings finds bindings that change to another role, which the API server refuses.
func (e *effects) bindings() {
	var all on[string]
	for _, c := range e.of("ClusterRoleBinding") {
		if c.Op == Changed && changes(c, "roleRef") {
			all.add(fmt.Sprintf("the %s: its role was %s and would be %s, but the role of a binding cannot change; delete it first",
				called(c.ID), textAt(c.Old, "roleRef", "name"), textAt(c.New, "roleRef", "name")), c.Cluster)
		}
	}
	all.each(func(what string, clusters []string) {
		e.add(finding.Error, clusters, "the API server of %s refuses %s", clustersText(clusters), what)
	})
}

// moved lists the Kiali resources that are no longer rendered, with the resources
// that replace them.
func (e *effects) moved() (pairs []struct{ old, new *Change }) {
	for _, old := range e.of("Kiali") {
		for _, new := range e.of("Kiali") {
			if old.Op == Removed && new.Op == Added && old.Cluster == new.Cluster {
				pairs = append(pairs, struct{ old, new *Change }{old, new})
			}
		}
	}
	return pairs
}

// kiali distinguishes restarts from mere reconciliation. The operator writes the whole
// spec into Kiali's ConfigMap, and restarts Kiali when that changes (tasks/main.yml, "Force
// the Kiali pod to restart if necessary"; templates/*/configmap.yaml). It also reconciles
// after a changed annotation, but not after a changed label (watches-os.yaml).
func (e *effects) kiali() {
	var all on[string]
	for _, c := range e.of("Kiali") {
		server := at(c.New, "spec", "deployment", remoteOnly) != true
		switch {
		case c.Op != Changed:
		case changes(c, "spec", "version"):
			// EffectOperator reports more about it.
		case changes(c, "spec") && server:
			all.add("restarts", c.Cluster)
		case changes(c, "spec"):
			all.add("remote", c.Cluster)
		case changes(c, "metadata", "annotations"):
			all.add("reconciled", c.Cluster)
		}
	}
	var renamed on[string]
	for _, m := range e.moved() {
		if instance(m.old.Old) != instance(m.new.New) {
			renamed.add(fmt.Sprintf("%s in place of %s", called(m.new.ID), called(m.old.ID)), m.old.Cluster)
		}
	}
	renamed.each(func(what string, clusters []string) {
		end := "both run until somebody deletes the old one"
		if e.Prunes {
			end = "the engine deletes the old one"
		}
		e.add(finding.Warning, clusters, "on %s there is %s; %s", clustersText(clusters), what, end)
	})
	all.each(func(what string, clusters []string) {
		switch what {
		case "restarts":
			e.add(finding.Info, clusters, "Kiali on %s restarts, because its configuration changes", clustersText(clusters))
		case "remote":
			e.add(finding.Info, clusters,
				"the operator reconciles the Kiali resource of %s; no Kiali runs there, so nothing restarts", clustersText(clusters))
		case "reconciled":
			e.add(finding.Info, clusters, "the operator reconciles the Kiali resource of %s, and Kiali does not restart", clustersText(clusters))
		}
	})
}

// switches tells whether a cluster becomes the hub or stops being the hub.
func switches(c *Change) bool {
	return !equal(at(c.Old, "spec", "deployment", remoteOnly), at(c.New, "spec", "deployment", remoteOnly))
}

// login finds changes to the login. Kiali sends the callback of the hub, and the
// OAuth server of a remote accepts only the URIs of its OAuthClient. So both must
// agree.
func (e *effects) login() {
	var uris, address, strategy on[string]
	for _, c := range e.of("Kiali") {
		if c.Op != Changed {
			continue
		}
		if changes(c, "spec", "auth", "openshift", "redirect_uris") {
			uris.add("", c.Cluster)
		}
		if switches(c) {
			continue
		}
		if textAt(c.Old, "spec", "auth", "strategy") != textAt(c.New, "spec", "auth", "strategy") {
			strategy.add("", c.Cluster)
		}
		if changes(c, "spec", "server", "web_root") || changes(c, "spec", "server", "web_fqdn") || changes(c, "spec", "deployment", "ingress") {
			address.add("", c.Cluster)
		}
	}
	uris.each(func(_ string, clusters []string) {
		e.add(finding.Warning, clusters,
			"users log in to %s with another redirect URI: until the hub and these clusters have the change, the login there fails",
			clustersText(clusters))
	})
	address.each(func(_ string, clusters []string) {
		e.add(finding.Warning, clusters,
			"Kiali on %s has another address: bookmarks and links to it break, and users log in again", clustersText(clusters))
	})
	strategy.each(func(_ string, clusters []string) {
		e.add(finding.Warning, clusters,
			"the login to Kiali on %s changes, and users who are logged in must log in again", clustersText(clusters))
	})
}

// accountOf is the name of the account of a token Secret.
func accountOf(c *Content) string {
	return annotation(c, "kubernetes.io/service-account.name")
}

// tokens finds tokens that become invalid because their Secret or their account goes.
func (e *effects) tokens() {
	var secrets, accounts on[string]
	for _, c := range e.of("Secret") {
		switch {
		case accountOf(c.Old) == "":
		case c.Op == Removed, accountOf(c.New) != accountOf(c.Old):
			secrets.add("", c.Cluster)
		}
	}
	for _, c := range e.of("Kiali") {
		switch {
		case at(c.Old, "spec", "deployment", remoteOnly) != true: // no link uses its account
		case c.Op == Removed, c.Op == Changed && changes(c, "spec", "version"):
			accounts.add("the operator removes the account", c.Cluster)
		}
	}
	for _, c := range e.of("ServiceAccount") {
		if c.Op == Removed && e.Prunes && e.stays(c) {
			accounts.add("the engine deletes the account", c.Cluster)
		}
	}
	secrets.each(func(_ string, clusters []string) {
		how := "as soon as somebody deletes the Secret"
		if e.Prunes {
			how = "when the engine deletes the Secret"
		}
		e.add(finding.Warning, clusters,
			"a token of Kiali's account on %s ends %s: a link with this token stops working", clustersText(clusters), how)
	})
	accounts.each(func(why string, clusters []string) {
		e.add(finding.Warning, clusters,
			"every token of Kiali's account on %s ends, because %s and a new account is created: seal the links again afterwards",
			clustersText(clusters), why)
	})
}

// version is the release line in a Kiali resource.
func version(c *Content) string {
	if v := textAt(c, "spec", "version"); v != "" {
		return v
	}
	return "default"
}

// operator finds changes of the versions of Kiali and of its operator.
func (e *effects) operator() {
	type change struct{ what, old, new string }
	var all on[change]
	for _, c := range e.of("Kiali") {
		if c.Op == Changed && version(c.Old) != version(c.New) {
			all.add(change{"line", version(c.Old), version(c.New)}, c.Cluster)
		}
	}
	for _, c := range e.of("Subscription") {
		for _, field := range []string{"channel", "source", "startingCSV", "installPlanApproval"} {
			if old, new := textAt(c.Old, "spec", field), textAt(c.New, "spec", field); c.Op == Changed && old != new {
				all.add(change{field, old, new}, c.Cluster)
			}
		}
		if c.Op != Changed {
			all.add(change{what: c.Op.String(), new: c.ID.Name}, c.Cluster)
		}
	}
	for _, c := range e.of("ApplicationSet", "HelmRelease") {
		for _, v := range chartVersions(c) {
			all.add(change{"chart", v[0], v[1]}, c.For)
		}
	}
	all.each(func(k change, clusters []string) {
		where := ""
		if len(clusters) > 0 {
			where = " on " + clustersText(clusters)
		}
		switch k.what {
		case "line":
			e.add(finding.Warning, clusters,
				"the release line of Kiali%s changes from %s to %s: the operator removes the old installation first", where, k.old, k.new)
		case "chart":
			e.add(finding.Info, clusters, "the version of the operator's chart%s changes from %s to %s", where, k.old, k.new)
		case "added":
			e.add(finding.Info, clusters, "the operator %s is installed%s", k.new, where)
		case "removed":
			e.add(finding.Warning, clusters,
				"the Subscription of the operator %s is removed%s: its ClusterServiceVersion keeps running, without updates, until somebody "+
					"deletes it",
				k.new, where)
		case "startingCSV":
			e.add(finding.Info, clusters,
				"the operator%s starts at %s instead of %s, if it is not installed yet", where, orNone(k.new), orNone(k.old))
		default:
			e.add(finding.Info, clusters, "the operator%s: %s changes from %s to %s", where, k.what, orNone(k.old), orNone(k.new))
		}
	})
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// chartVersions are the versions of the operator's chart before and after the change.
func chartVersions(c *Change) (pairs [][2]string) {
	if c.Op != Changed {
		return nil
	}
	if c.ID.Kind == "HelmRelease" {
		old, new := textAt(c.Old, "spec", "chart", "spec", "version"), textAt(c.New, "spec", "chart", "spec", "version")
		if old != new {
			pairs = append(pairs, [2]string{old, new})
		}
		return pairs
	}
	versions := func(c *Content) map[string]string {
		found := map[string]string{}
		sources, _ := at(c, "spec", "template", "spec", "sources").([]any)
		for _, s := range sources {
			source, _ := s.(map[string]any)
			if name, ok := source["chart"].(string); ok {
				found[name], _ = source["targetRevision"].(string)
			}
		}
		return found
	}
	old, new := versions(c.Old), versions(c.New)
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if now, ok := new[name]; ok && now != old[name] {
			pairs = append(pairs, [2]string{old[name], now})
		}
	}
	return pairs
}

// mesh finds a change of the mesh id. The series that Prometheus already has keep the
// old id.
func (e *effects) mesh() {
	type change struct{ old, new string }
	var all on[change]
	for _, c := range e.of("Kiali") {
		scope := func(of *Content) string {
			v, ok := at(of, "spec", "external_services", "prometheus", "query_scope").(map[string]any)
			if !ok {
				return ""
			}
			text, err := json.Marshal(v)
			if err != nil {
				return ""
			}
			return string(text)
		}
		if old, new := scope(c.Old), scope(c.New); c.Op == Changed && old != new && !switches(c) {
			all.add(change{old, new}, c.Cluster)
		}
	}
	all.each(func(k change, clusters []string) {
		e.add(finding.Warning, clusters,
			"Kiali on %s asks for series with %s instead of %s: the graph is empty until Prometheus has scraped such series, and does not "+
				"show earlier series",
			clustersText(clusters), scopeText(k.new), scopeText(k.old))
	})
}

func scopeText(s string) string {
	if s == "" {
		return "any labels"
	}
	return s
}
