package check

import (
	"net/url"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
)

// kialiRules are about the Kiali resources of the hub and the remotes.
func kialiRules() []Rule {
	return []Rule{
		{
			ID:    "KC01",
			Title: "hub and remotes have one instance name and one namespace",
			What:  "deployment.instance_name and the namespace are the same in the Kiali resources of all clusters.",
			Why: "On every cluster, the hub's Kiali looks for an OAuthClient with the hub's instance name and namespace. If a remote has " +
				"other names, its OAuthClient has another name, and users cannot log in there.",
			Fix:    "Leave both to spec.kiali.instanceName and spec.kiali.namespace.",
			Source: "kiali business/openshift_oauth.go",
			mesh:   oneInstance,
		},
		{
			ID:    "KC02",
			Title: "a remote's first redirect URI is the hub's callback for it",
			What: "With the strategy openshift, the first entry of auth.openshift.redirect_uris of a remote on OpenShift is https://<the " +
				"hub's host><its web root>/api/auth/callback/<the cluster's name>. A redirect URI of the hub has the same host.",
			Why: "Kiali uses only the first URI. The last part of the URI tells the hub which cluster a login is for. With any other URI, " +
				"the login ends in an error page of the OAuth server.",
			Fix:    "Leave out redirect_uris. Sightline renders it from the hub's domain or kiali.host.",
			Source: "kiali business/openshift_oauth.go, routing/router.go; kiali/kiali issues 8500, 7925",
			mesh:   callbacks,
		},
		{
			ID:     "KC03",
			Title:  "no redirect URI has a placeholder",
			What:   "No entry of auth.openshift.redirect_uris has one of the characters { } < >.",
			Why:    "The operator takes the string as it is, and the login fails at its last step.",
			Fix:    "Write the host, or leave out redirect_uris.",
			Source: "the guide's {kiali-route-hostname}, which operator and API server accept",
			mesh:   placeholders,
		},
		{
			ID: "KC04", Severity: finding.Warning,
			Title:  "the hub's redirect URI includes the web root",
			What:   "If the web root of an OpenShift hub is not /, auth.openshift.redirect_uris is below the web root.",
			Why:    "The operator's default redirect URI lacks the web root, so the login returns to a page that does not exist.",
			Fix:    "Leave out redirect_uris. If the host is known, Sightline renders it with the web root.",
			Source: "kiali-operator roles/default/kiali-deploy/templates/openshift/oauth.yaml",
			mesh:   webRootCallback,
		},
		{
			ID:     "KC05",
			Title:  "with several clusters, the login works on all of them",
			What:   "With more than one cluster, the strategy is not token or header.",
			Why:    "A token is valid on one cluster only. The other clusters answer 401.",
			Fix:    "Choose openshift, openid or anonymous.",
			Source: "kiali.io, authentication strategies",
		},
		{
			ID: "KC06", Also: finding.Warning,
			Title: "the strategy fits the platforms",
			What:  "The strategy openshift needs a hub on OpenShift. With this strategy, all remotes should be on OpenShift too.",
			Why: "The strategy openshift uses the OAuth server of each cluster. A Kubernetes remote has no OAuth server, so users see " +
				"the cluster as inaccessible.",
			Fix:    "Choose openid (every API server of the mesh must accept the provider), or remove the remote.",
			Source: "kiali business/openshift_oauth.go",
			mesh:   platformOfRemotes,
		},
		{
			ID: "KC07", Also: finding.Warning,
			Title: "the operator supports impersonation",
			What: "auth.openshift.impersonation needs the strategy openshift, Kiali 2.30 or later, and a definition (CRD) with the field. " +
				"Its lists are not empty and name no system: account.",
			Why: "If the definition lacks the field, the API server drops it silently, and every user must log in as before. With empty " +
				"lists, Kiali's account may act as any user.",
			Fix:    "Update the operator until its definition has the field, and compare with verify --crds. Without --crds it is a warning.",
			Source: "kiali/kiali pull request 10039; kiali-operator pull request 1078",
			mesh:   impersonation,
		},
		{
			ID: "KC26", Severity: finding.Warning,
			Title: "settings for openid come with the strategy openid",
			What:  "If auth.openid is set, the strategy is openid.",
			Why: "With another strategy, Kiali ignores auth.openid. If the API servers of OpenShift accept an OIDC provider themselves, " +
				"OpenShift has no OAuthClient. The default strategy openshift then lets nobody in. Only the cluster knows this: status asks " +
				"the cluster (ST39).",
			Fix:    "Write auth: {strategy: openid} in spec.kiali.",
			Source: "kiali config/config.go; OpenShift, configuring an external OIDC identity provider; kiali.io, OpenID Connect strategy",
			mesh:   providerUnasked,
		},
		{
			ID:     "KC08",
			Title:  "with remotes, Kiali sees whole clusters",
			What:   "With more than one cluster, deployment.cluster_wide_access is not false.",
			Why:    "Without cluster-wide access, Kiali sees only its home cluster.",
			Fix:    "Remove the field. To narrow what users see, use deployment.discovery_selectors.",
			Source: "kiali istio/discovery.go",
			mesh:   clusterWide,
		},
		{
			ID:     "KC09",
			Title:  "the Kiali release line supports every field",
			What:   "The operator's role for spec.version knows each field of the Kiali resource, and each choice in the topology.",
			Why:    "A role ignores fields that it does not know. The definition may still accept the field, for other release lines.",
			Fix:    "Choose a release line from the message, or remove the field.",
			Source: "kiali-operator roles/*/kiali-deploy/defaults/main.yml",
			mesh:   fieldsOfOtherLines,
		},
		{
			ID:     "KC10",
			Title:  "Kiali runs in the namespace of its resource",
			What:   "deployment.namespace is absent, or is the namespace of the Kiali resource.",
			Why:    "The operator of OpenShift Service Mesh refuses any other namespace.",
			Fix:    "Remove the field, and write spec.kiali.namespace.",
			Source: "kiali-operator manifests/kiali-ossm (ALLOW_AD_HOC_KIALI_NAMESPACE)",
			mesh:   deploymentNamespace,
		},
		{
			ID:     "KC11",
			Title:  "the operator accepts the instance name",
			What:   "The instance name is a DNS label of at most 40 characters. (PM26 checks a literal login_token.signing_key.)",
			Why:    "If the name is too long, the operator fails on the cluster, long after the commit.",
			Fix:    "Shorten spec.kiali.instanceName.",
			Source: "kiali-operator roles/default/kiali-deploy/tasks/main.yml",
			mesh:   instanceName,
		},
		{
			ID: "KC12", Severity: finding.Warning,
			Title:  "no field is deprecated",
			What:   "No field of a Kiali resource has a replacement or is detected by Kiali itself.",
			Why:    "A deprecated field works with this release line, but not with one of the next.",
			Fix:    "Use the replacement from the message.",
			Source: "kiali-operator crd-docs",
			mesh:   deprecatedFields,
		},
		{
			ID:    "KC13",
			Title: "every field exists",
			What: "At least one version of the operator knows each field of a Kiali resource. With --crds, the given definition has the " +
				"field.",
			Why: "From Kiali 2.15 on, the API server drops an unknown field silently. With earlier definitions it keeps the field, but " +
				"nothing reads it.",
			Fix:    "Write the field from the hint, or remove it.",
			Source: "kiali-operator crd-docs, manifests/kiali-upstream/*/kiali.crd.yaml",
			mesh:   unknownFields,
		},
		{
			ID: "KC14", FoundBy: byCompare,
			Title: "no immutable field changes",
			What: "In the new tree, deployment.instance_name, deployment.namespace and deployment.remote_cluster_resources_only of a Kiali " +
				"resource are the same as in the previous tree. The role of a ClusterRoleBinding does not change either.",
			Why: "The operator compares these fields with the status of the resource and refuses the change. It then applies nothing else " +
				"of the resource either. The API server refuses to change the role of a binding.",
			Fix: "Delete the Kiali resource on the cluster and wait for the operator to clean up. Then render with --allow-immutable, and " +
				"apply. A remote gets a new account with a new token, so seal its link again. For a ClusterRoleBinding: delete it and apply it " +
				"again.",
			Source: "kiali-operator roles/*/kiali-deploy/tasks/main.yml (Ensure the deployment.instance_name has not changed), those tasks run " +
				"with ansible-core",
		},
		{
			ID: "KC15", Severity: finding.Warning,
			Title: "Grafana has an address or is off",
			What:  "On an OpenShift hub external_services.grafana is off, or has an address.",
			Why: "By default, Kiali asks http://grafana.istio-system:3000. OpenShift has no Grafana there, so Kiali always shows it as " +
				"unreachable.",
			Fix:    "Add internal_url and external_url, or leave out grafana in kiali.spec.",
			Source: "kiali-operator roles/default/kiali-deploy/defaults/main.yml",
			mesh:   grafana,
		},
		{
			ID: "KC16", Severity: finding.Warning, Also: finding.Info,
			Title: "users log in as themselves",
			What: "The strategy is not anonymous on an OpenShift hub. On other hubs, anonymous comes with kiali.viewOnly. With openid, " +
				"disable_rbac is not set.",
			Why: "Everybody who reaches Kiali sees what Kiali's account sees. Without kiali.viewOnly, everybody can also change what " +
				"Kiali's account can change.",
			Fix:    "On OpenShift leave out the strategy, and users log in there. Elsewhere use openid, or write viewOnly: true.",
			Source: "kiali.io, authentication strategies",
			mesh:   anonymous,
		},
		{
			ID: "KC17", Severity: finding.Warning,
			Title: "hub and remotes have one Kiali release line",
			What:  "Every cluster has the Kiali release line of the hub.",
			Why: "The access rights on a remote come from the remote's release line. The hub's Kiali may need rights that an older " +
				"release line does not grant.",
			Fix:    "Remove kiali.version from the cluster, or update the other clusters soon.",
			Source: "kiali-operator roles/*/kiali-deploy/templates",
			mesh:   oneVersion,
		},
		{
			ID: "KC18", Severity: finding.Warning,
			Title: "no cluster is listed by hand",
			What: "Every entry of clustering.clusters has a secret_name, or the cluster has an address in clustering.kiali_urls. No entry " +
				"is for a remote of the topology.",
			Why: "Kiali expects to reach a listed cluster, but without a Secret it cannot. An entry for a remote overrides the link that " +
				"Kiali finds by itself.",
			Fix:    "Remove the entry. The remotes of the topology need no entry.",
			Source: "kiali-operator roles/default/kiali-deploy/tasks/main.yml",
			mesh:   clustersByHand,
		},
		{
			ID: "KC19", Severity: finding.Info,
			Title: "the Kiali release line is pinned",
			What:  "spec.kiali.version is a release line, not default.",
			Why: "default is the newest release line that the operator knows. An update of the operator then changes Kiali on every " +
				"cluster, without a commit.",
			Fix:    "Write the release line that you have tested, such as version: v2.22.",
			Source: "kiali-operator playbooks/kiali-default-supported-images.yml",
			mesh:   movingVersion,
		},
		{
			ID:     "KC20",
			Title:  "the first label of the hub's host is short enough",
			What:   "<instance name>-<namespace> has at most 63 characters. OpenShift makes the host of the Route from this string.",
			Why:    "A label of a host name has at most 63 characters. The router refuses a longer one, and Kiali has no address.",
			Fix:    "Shorten spec.kiali.instanceName or spec.kiali.namespace, or set kiali.host of the hub.",
			Source: "RFC 1035; OpenShift's default host of a Route",
		},
	}
}

func oneInstance(m *mesh, f *found) {
	hub := m.hubKiali()
	if hub == nil {
		return
	}
	for i, o := range m.kialis {
		if o == nil || i == m.hub {
			continue
		}
		name, want := o.text("deployment.instance_name")+" in "+o.ID.Namespace, hub.text("deployment.instance_name")+" in "+hub.ID.Namespace
		if name != want {
			f.object(o, spec("deployment.instance_name"), "leave both to spec.kiali.instanceName and spec.kiali.namespace",
				"its Kiali is %s, but the hub's is %s; the hub looks for an OAuthClient with the hub's names", name, want)
		}
	}
}

// redirectURIs lists the redirect URIs that the OAuthClient of a Kiali resource
// allows.
func redirectURIs(o *object) []string {
	list, _ := o.value(spec("auth.openshift.redirect_uris")).([]any)
	uris := make([]string, len(list))
	for i := range list {
		uris[i], _ = list[i].(string)
	}
	return uris
}

// cut shortens a string for a message. It keeps more than finding.Shorten,
// because the end of a URI matters.
func cut(s string) string {
	const most = 200
	if text := []rune(s); len(text) > most {
		return string(text[:most]) + "…"
	}
	return s
}

func isPlaceholder(uri string) bool { return strings.ContainsAny(uri, "{}<>") }

func callbacks(m *mesh, f *found) {
	if m.Spec.Kiali.Auth.Strategy != "openshift" || m.Spec.Kiali.Auth.Impersonation.Enabled {
		return
	}
	hub := m.Hub()
	base := "https://" + m.HubHost() + strings.TrimSuffix(hub.Kiali.WebRoot, "/") + "/api/auth/callback/"
	path := spec("auth.openshift.redirect_uris")
	for i, o := range m.kialis {
		if o == nil || m.of(o).Platform != "openshift" {
			continue
		}
		uris := redirectURIs(o)
		if i == m.hub {
			if len(uris) > 0 && !isPlaceholder(uris[0]) && !strings.HasPrefix(uris[0], "https://") {
				f.object(o, path, "leave out auth.openshift.redirect_uris; the operator makes it from the Route",
					"the hub's redirect URI is %s; expected an https URL, because nobody can log in without https", cut(uris[0]))
			} else if host := m.HubHost(); len(uris) > 0 && !isPlaceholder(uris[0]) && host != "" &&
				!strings.HasPrefix(uris[0]+"/", "https://"+host+"/") {
				f.object(o, path, "write kiali.host of the hub (the remotes' redirect URIs follow from it), or leave out redirect_uris",
					"the hub's redirect URI is %s; expected one at https://%s, because the logins of the remotes return there", cut(uris[0]), host)
			}
			continue
		}
		want := base + m.of(o).Name
		if len(uris) == 0 {
			f.object(o, path, "leave out auth.openshift.redirect_uris, and it is rendered",
				"auth.openshift.redirect_uris is empty; expected %s; without it the operator fails", want)
			continue
		}
		if uris[0] != want && !isPlaceholder(uris[0]) {
			f.object(o, path, "leave out auth.openshift.redirect_uris, and it is rendered",
				"the first redirect URI is %s; expected %s; its last part tells the hub which cluster a login is for", cut(uris[0]), want)
		}
	}
}

func placeholders(m *mesh, f *found) {
	for _, o := range m.kialis {
		if o == nil {
			continue
		}
		for i, uri := range redirectURIs(o) {
			if isPlaceholder(uri) {
				f.object(o, spec("auth.openshift.redirect_uris").below(i), "write the host, or leave out redirect_uris, and it is rendered",
					"the redirect URI %s still has a placeholder", cut(uri))
			}
		}
	}
}

func webRootCallback(m *mesh, f *found) {
	o := m.hubKiali()
	if o == nil || m.of(o).Platform != "openshift" || m.Spec.Kiali.Auth.Strategy != "openshift" || m.of(o).KialiBefore(kiali.V2_4) {
		return
	}
	root := strings.TrimSuffix(o.text("server.web_root"), "/")
	uris := redirectURIs(o)
	if root == "" || len(uris) > 0 && isPlaceholder(uris[0]) {
		return
	}
	path := spec("auth.openshift.redirect_uris")
	if len(uris) == 0 {
		f.object(o, path, "leave out auth.openshift.redirect_uris, and it is rendered with the web root",
			"there is no redirect URI, and the operator's default lacks the web root %s", root)
		return
	}
	if u, err := url.Parse(uris[0]); err != nil || !strings.HasPrefix(u.Path, root+"/") {
		f.object(o, path, "leave out auth.openshift.redirect_uris, and it is rendered with the web root",
			"the redirect URI %s is not below the web root %s", cut(uris[0]), root)
	}
}

func clusterWide(m *mesh, f *found) {
	if len(m.Spec.Clusters) < 2 {
		return
	}
	for _, o := range m.kialis {
		if o != nil && o.is("deployment.cluster_wide_access", false) {
			f.object(o, spec("deployment.cluster_wide_access"), "remove it; to narrow what users see, use deployment.discovery_selectors",
				"cluster_wide_access is false, so Kiali sees only its home cluster; the topology has %d clusters",
				len(m.Spec.Clusters))
		}
	}
}

func deploymentNamespace(m *mesh, f *found) {
	for _, o := range m.kialis {
		if o == nil {
			continue
		}
		if ns := o.text("deployment.namespace"); ns != "" && ns != o.ID.Namespace {
			f.object(o, spec("deployment.namespace"), "remove it, and write spec.kiali.namespace",
				"deployment.namespace is %q, but the Kiali resource is in %q; the operator of OpenShift Service Mesh refuses this",
				finding.Shorten(ns),
				o.ID.Namespace)
		}
	}
}

func instanceName(m *mesh, f *found) {
	for _, o := range m.kialis {
		if o == nil {
			continue
		}
		if name := o.text("deployment.instance_name"); len(name) > 40 {
			f.object(o, spec("deployment.instance_name"), "shorten spec.kiali.instanceName",
				"deployment.instance_name has %d characters; the operator takes at most 40", len(name))
		}
	}
}

func grafana(m *mesh, f *found) {
	o := m.hubKiali()
	const at = "external_services.grafana."
	if o == nil || m.of(o).Platform != "openshift" || o.is(at+"enabled", false) {
		return
	}
	if o.text(at+"internal_url") == "" && o.text(at+"in_cluster_url") == "" && o.text(at+"external_url") == "" {
		f.object(o, spec(at+"enabled"), "add internal_url and external_url, or leave out grafana in kiali.spec",
			"Grafana is on but has no address; Kiali asks http://grafana.istio-system:3000, which does not exist on OpenShift")
	}
}

func anonymous(m *mesh, f *found) {
	openshift := m.hub >= 0 && m.Spec.Clusters[m.hub].Platform == "openshift"
	switch at := m.At("spec", "kiali", "auth", "strategy"); {
	case m.hub < 0 || m.Spec.Kiali.Auth.Strategy != "anonymous":
	case !m.Spec.Kiali.ViewOnly && openshift:
		f.on(m, at, "leave the strategy out, and users log in to OpenShift",
			"with the strategy anonymous, everybody who reaches the Route can change what Kiali's account can change, on every cluster")
	case !m.Spec.Kiali.ViewOnly:
		f.on(m, at, "write viewOnly: true in spec.kiali, or the strategy openid",
			"with the strategy anonymous, everybody who reaches Kiali can change what its account can change, on every cluster")
	case openshift:
		f.on(m, at, "leave the strategy out, and users log in to OpenShift",
			"with the strategy anonymous, everybody who reaches the Route can see what Kiali's account can see")
	}
	if o := m.hubKiali(); o != nil && o.is("auth.openid.disable_rbac", true) {
		f.softer(finding.Info).object(o, spec("auth.openid.disable_rbac"), "remove it if each user should see only what the user's "+
			"rights allow",
			"with disable_rbac, every user who can log in has the rights of Kiali's account")
	}
}

func clustersByHand(m *mesh, f *found) {
	o := m.hubKiali()
	if o == nil {
		return
	}
	entries, _ := o.value(spec("clustering.clusters")).([]any)
	peers := o.peers()
	for i := range entries {
		path := spec("clustering.clusters").below(i)
		name, _ := o.value(path.below("name")).(string)
		secret, _ := o.value(path.below("secret_name")).(string)
		remote := false
		for j := range m.Spec.Clusters {
			remote = remote || j != m.hub && m.Spec.Clusters[j].Name == name
		}
		switch {
		case secret == "" && !peers[name]:
			f.object(o, path, "remove the entry; the links of the topology's remotes need none",
				"clustering.clusters lists %q without secret_name; Kiali expects to reach this cluster, but cannot", finding.Shorten(name))
		case remote && !m.hasLink(name): // else RS12 has more to say
			f.object(o, path, "remove the entry; the links of the topology's remotes need none",
				"clustering.clusters lists %q, but Kiali finds the link of this cluster by itself; the entry overrides the link", name)
		}
	}
}
