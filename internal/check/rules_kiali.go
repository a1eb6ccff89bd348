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
			Why: "On every cluster the hub's Kiali looks for an OAuthClient named by its own instance and namespace. Where a remote made " +
				"another one, users cannot log in there.",
			Fix:    "Leave both to spec.kiali.instanceName and spec.kiali.namespace.",
			Source: "kiali business/openshift_oauth.go",
			mesh:   oneInstance,
		},
		{
			ID:    "KC02",
			Title: "a remote's first redirect URI is the hub's callback for it",
			What: "With the strategy openshift, auth.openshift.redirect_uris of a remote on OpenShift begins with https://<the hub's host><its " +
				"web root>/api/auth/callback/<the cluster's name>. That of the hub, if there is one, is at the same host.",
			Why: "Kiali uses the first URI only, and the hub tells by its last part which cluster a login is for. Any other one ends in an " +
				"error page of the OAuth server.",
			Fix:    "Leave redirect_uris out; it is rendered from the hub's domain or kiali.host.",
			Source: "kiali business/openshift_oauth.go, routing/router.go; kiali/kiali issues 8500, 7925",
			mesh:   callbacks,
		},
		{
			ID:     "KC03",
			Title:  "no redirect URI is a template",
			What:   "No entry of auth.openshift.redirect_uris has one of the characters { } < >.",
			Why:    "The operator takes the text as it is, and the login fails at its last step.",
			Fix:    "Write the host, or leave redirect_uris out.",
			Source: "the guide's own {kiali-route-hostname}, which operator and API server accept",
			mesh:   placeholders,
		},
		{
			ID: "KC04", Severity: finding.Warning,
			Title:  "a web root is in the hub's redirect URI too",
			What:   "On an OpenShift hub whose web root is not /, auth.openshift.redirect_uris leads below it.",
			Why:    "The operator's own redirect URI leaves the web root out, so the login comes back to a page that is not there.",
			Fix:    "Leave redirect_uris out; with a known host it is rendered with the web root.",
			Source: "kiali-operator roles/default/kiali-deploy/templates/openshift/oauth.yaml",
			mesh:   webRootCallback,
		},
		{
			ID:     "KC05",
			Title:  "several clusters need a login that knows several",
			What:   "With more than one cluster the strategy is neither token nor header.",
			Why:    "A token is of one cluster; the others answer 401.",
			Fix:    "Choose openshift, openid or anonymous.",
			Source: "kiali.io, authentication strategies",
		},
		{
			ID: "KC06", Also: finding.Warning,
			Title:  "the strategy fits the platforms",
			What:   "openshift needs a hub on OpenShift, and with openshift all remotes should be on OpenShift.",
			Why:    "The strategy openshift asks each cluster's own OAuth server. A remote of Kubernetes has none, so users see it as inaccessible.",
			Fix:    "Choose openid, which every API server of the mesh has to accept; or leave the remote out.",
			Source: "kiali business/openshift_oauth.go",
			mesh:   platformOfRemotes,
		},
		{
			ID: "KC07", Also: finding.Warning,
			Title: "impersonation is known to the operator",
			What: "auth.openshift.impersonation comes with the strategy openshift, a server from 2.30 on, and a definition that has the field; " +
				"its lists name no system: account and are not empty.",
			Why: "A definition without the field drops it silently, and every user is asked to log in as before. With empty lists Kiali's " +
				"account may act as anybody.",
			Fix:    "Update the operator until its definition has the field, and compare with verify --crds. Without --crds it is a warning.",
			Source: "kiali/kiali pull request 10039; kiali-operator pull request 1078",
			mesh:   impersonation,
		},
		{
			ID: "KC26", Severity: finding.Warning,
			Title: "a provider of logins is asked",
			What:  "Where auth.openid is given, the strategy is openid.",
			Why: "Kiali ignores auth.openid with another strategy. On OpenShift whose API servers accept an OIDC provider themselves there is " +
				"no OAuthClient, so the strategy openshift, the default, lets nobody in. Only the cluster knows: status asks it (ST39).",
			Fix:    "Write auth: {strategy: openid} in spec.kiali.",
			Source: "kiali config/config.go; OpenShift, configuring an external OIDC identity provider; kiali.io, OpenID Connect strategy",
			mesh:   providerUnasked,
		},
		{
			ID:     "KC08",
			Title:  "with remotes, Kiali sees whole clusters",
			What:   "deployment.cluster_wide_access is not false where there is more than one cluster.",
			Why:    "Without it Kiali does not look beyond its home cluster at all.",
			Fix:    "Remove the field. deployment.discovery_selectors narrow what users see.",
			Source: "kiali istio/discovery.go",
			mesh:   clusterWide,
		},
		{
			ID:     "KC09",
			Title:  "the chosen line reads every field",
			What:   "Each field of a Kiali resource, and each choice that the topology makes, is known to the role of spec.version.",
			Why:    "A role ignores what it does not know, though the definition has the field for other lines.",
			Fix:    "Choose one of the lines that the message names, or remove the field.",
			Source: "kiali-operator roles/*/kiali-deploy/defaults/main.yml",
			mesh:   fieldsOfOtherLines,
		},
		{
			ID:     "KC10",
			Title:  "Kiali runs in the namespace of its resource",
			What:   "deployment.namespace is absent, or the namespace of the Kiali resource.",
			Why:    "The operator of OpenShift Service Mesh refuses another one.",
			Fix:    "Remove it, and write spec.kiali.namespace.",
			Source: "kiali-operator manifests/kiali-ossm (ALLOW_AD_HOC_KIALI_NAMESPACE)",
			mesh:   deploymentNamespace,
		},
		{
			ID:     "KC11",
			Title:  "the instance name has the operator's form",
			What:   "The instance name is a DNS label of at most 40 characters. PM26 is about a login_token.signing_key that is written out.",
			Why:    "The operator fails on the cluster, long after the commit.",
			Fix:    "Shorten spec.kiali.instanceName.",
			Source: "kiali-operator roles/default/kiali-deploy/tasks/main.yml",
			mesh:   instanceName,
		},
		{
			ID: "KC12", Severity: finding.Warning,
			Title:  "no field is deprecated",
			What:   "No field of a Kiali resource is one that has a successor or that Kiali finds out by itself.",
			Why:    "It works with this line and not with one of the next.",
			Fix:    "Use what the message names.",
			Source: "kiali-operator crd-docs",
			mesh:   deprecatedFields,
		},
		{
			ID:     "KC13",
			Title:  "every field exists",
			What:   "Each field of a Kiali resource is one that some operator knows; with --crds, one that the given definition has.",
			Why:    "From 2.15 on the API server drops a field that it does not know, and says nothing; earlier ones keep it, and nothing reads it.",
			Fix:    "Write the field that the hint names, or remove it.",
			Source: "kiali-operator crd-docs, manifests/kiali-upstream/*/kiali.crd.yaml",
			mesh:   unknownFields,
		},
		{
			ID: "KC14", FoundBy: byCompare,
			Title: "what cannot change has not changed",
			What: "deployment.instance_name, deployment.namespace and deployment.remote_cluster_resources_only of a Kiali resource are as in " +
				"the tree that was rendered before. The same holds for the role of a ClusterRoleBinding.",
			Why: "The operator compares them with the status of the resource, and refuses the change: everything else in it is not applied " +
				"either. The API server refuses another role for a binding.",
			Fix: "Delete the Kiali resource on the cluster and let the operator clean up; then render with --allow-immutable, and apply. A " +
				"remote gets a new account with a new token, so seal its link again. A ClusterRoleBinding is deleted and applied again.",
			Source: "kiali-operator roles/*/kiali-deploy/tasks/main.yml (Ensure the deployment.instance_name has not changed), those tasks run " +
				"with ansible-core",
		},
		{
			ID: "KC15", Severity: finding.Warning,
			Title: "Grafana is there if Kiali is told so",
			What:  "On an OpenShift hub external_services.grafana is off, or has an address.",
			Why: "By default Kiali asks http://grafana.istio-system:3000, which OpenShift does not have, and shows Grafana as unreachable for " +
				"ever.",
			Fix:    "Add internal_url and external_url, or leave grafana out of kiali.spec.",
			Source: "kiali-operator roles/default/kiali-deploy/defaults/main.yml",
			mesh:   grafana,
		},
		{
			ID: "KC16", Severity: finding.Warning, Also: finding.Info,
			Title: "users log in as themselves",
			What: "The strategy is not anonymous on an OpenShift hub, nor on any hub without kiali.viewOnly, and openid does not have " +
				"disable_rbac.",
			Why:    "Everybody who reaches Kiali sees, and unless kiali.viewOnly is set changes, what Kiali's own account may.",
			Fix:    "Leave the strategy out on OpenShift, and users log in there. Elsewhere use openid, or write viewOnly: true.",
			Source: "kiali.io, authentication strategies",
			mesh:   anonymous,
		},
		{
			ID: "KC17", Severity: finding.Warning,
			Title:  "hub and remotes have one version",
			What:   "Every cluster has the hub's line of Kiali.",
			Why:    "A remote's access rights are those of its own line. The hub's server may ask for what an older line does not allow.",
			Fix:    "Remove kiali.version from the cluster, or update the others soon.",
			Source: "kiali-operator roles/*/kiali-deploy/templates",
			mesh:   oneVersion,
		},
		{
			ID: "KC18", Severity: finding.Warning,
			Title: "no cluster is listed by hand as well",
			What:  "clustering.clusters has no entry without secret_name or an address in clustering.kiali_urls, and none for a remote.",
			Why: "Kiali takes an entry without a Secret for a cluster that it should reach and cannot. An entry for a remote goes over the one " +
				"that it finds by itself.",
			Fix:    "Remove the entry. The links of the topology's remotes need none.",
			Source: "kiali-operator roles/default/kiali-deploy/tasks/main.yml",
			mesh:   clustersByHand,
		},
		{
			ID: "KC19", Severity: finding.Info,
			Title: "the Kiali release line is pinned",
			What:  "spec.kiali.version is a line, and not default.",
			Why: "default is the newest line that the operator knows: an update of the operator changes Kiali on every cluster, with no commit " +
				"to see it by.",
			Fix:    "Write the line that you have tested, such as version: v2.22.",
			Source: "kiali-operator playbooks/kiali-default-supported-images.yml",
			mesh:   movingVersion,
		},
		{
			ID:     "KC20",
			Title:  "the first label of the hub's host fits",
			What:   "<instance name>-<namespace>, of which OpenShift makes the host of the Route, has at most 63 characters.",
			Why:    "A label of a host name has no more. The router refuses the Route, and Kiali has no address.",
			Fix:    "Shorten spec.kiali.instanceName or spec.kiali.namespace, or give the hub a kiali.host.",
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
				"its Kiali is %s, and the hub's is %s; the hub looks for an OAuthClient of its own name", name, want)
		}
	}
}

// redirectURIs lists what an OAuthClient would allow.
func redirectURIs(o *object) []string {
	list, _ := o.value(spec("auth.openshift.redirect_uris")).([]any)
	uris := make([]string, len(list))
	for i := range list {
		uris[i], _ = list[i].(string)
	}
	return uris
}

// cut is a text of which the end matters, as far as a message has room.
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
				f.object(o, path, "leave auth.openshift.redirect_uris out, and the operator makes it of the Route",
					"the hub's redirect URI is %s; expected a URL with https, since nobody can log in otherwise", cut(uris[0]))
			} else if host := m.HubHost(); len(uris) > 0 && !isPlaceholder(uris[0]) && host != "" &&
				!strings.HasPrefix(uris[0]+"/", "https://"+host+"/") {
				f.object(o, path, "write kiali.host of the hub, from which the remotes' redirect URIs follow too; or leave redirect_uris out",
					"the hub's redirect URI is %s; expected one at https://%s, to which the logins of the remotes come back", cut(uris[0]), host)
			}
			continue
		}
		want := base + m.of(o).Name
		if len(uris) == 0 {
			f.object(o, path, "leave auth.openshift.redirect_uris out, and it is rendered",
				"auth.openshift.redirect_uris is empty; expected %s, without which the operator fails", want)
			continue
		}
		if uris[0] != want && !isPlaceholder(uris[0]) {
			f.object(o, path, "leave auth.openshift.redirect_uris out, and it is rendered",
				"the first redirect URI is %s; expected %s, by which the hub tells which cluster a login is for", cut(uris[0]), want)
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
				f.object(o, spec("auth.openshift.redirect_uris").below(i), "write the host, or leave redirect_uris out, and it is rendered",
					"the redirect URI %s still has a place to fill in", cut(uri))
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
		f.object(o, path, "leave auth.openshift.redirect_uris out, and it is rendered with the web root",
			"there is no redirect URI, and the operator's own leaves out the web root %s", root)
		return
	}
	if u, err := url.Parse(uris[0]); err != nil || !strings.HasPrefix(u.Path, root+"/") {
		f.object(o, path, "leave auth.openshift.redirect_uris out, and it is rendered with the web root",
			"the redirect URI %s is not below the web root %s", cut(uris[0]), root)
	}
}

func clusterWide(m *mesh, f *found) {
	if len(m.Spec.Clusters) < 2 {
		return
	}
	for _, o := range m.kialis {
		if o != nil && o.is("deployment.cluster_wide_access", false) {
			f.object(o, spec("deployment.cluster_wide_access"), "remove it; deployment.discovery_selectors narrow what users see",
				"cluster_wide_access is false, and with it Kiali does not look beyond its home cluster; the topology has %d clusters",
				len(m.Spec.Clusters))
		}
	}
}

func fieldsOfOtherLines(m *mesh, f *found) {
	for _, o := range m.kialis {
		if o == nil {
			continue
		}
		for _, u := range unreadFields(o) {
			if !u.known {
				continue
			}
			hint := "write such a line as kiali.version, or remove the field"
			if instead, _ := kiali.Replacement(u.name); instead != "" {
				hint = instead
			}
			f.object(o, u.path, hint, "Kiali %s does not read %s; %s", m.of(o).Kiali.Version, u.name, u.field.Known())
		}
	}
}

func deprecatedFields(m *mesh, f *found) {
	for _, o := range m.kialis {
		if o == nil {
			continue
		}
		line := m.of(o).Kiali.Version
		walk(o.content["spec"], fieldPath{"spec"}, func(path fieldPath, v any) {
			if len(path) == 1 {
				return
			}
			field, isKnown := kiali.Fields()[path[1:].String()]
			if !isKnown || field.Section() || !field.In(line) {
				return
			}
			if instead, since := kiali.Replacement(path[1:].String()); since != 0 && !line.Before(since) {
				f.object(o, path, instead, "%s is deprecated", path[1:])
			}
		})
	}
}

func unknownFields(m *mesh, f *found) {
	for _, o := range m.kialis {
		if o == nil {
			continue
		}
		if d := m.definitions.of(o.ID); d != nil { // which knows better
			if content, err := plain(o); err == nil {
				for _, path := range d.dropped(content) {
					at := parsePath(path)
					f.object(o, at, nearHint(at[1:].String()), "the definition of Kiali resources has no field %s, and the API server would drop it "+
						"without a word", path)
				}
			}
			continue
		}
		for _, u := range unreadFields(o) {
			if !u.known {
				f.object(o, u.path, nearHint(u.name), "no operator knows the field %s; the API server would drop it without a word",
					finding.Shorten(u.name))
			}
		}
	}
}

func nearHint(name string) string {
	if near := kiali.NearField(name); near != "" && near != name {
		return finding.Meant(near)
	}
	return "remove it; the fields are listed in the operator's crd-docs"
}

func deploymentNamespace(m *mesh, f *found) {
	for _, o := range m.kialis {
		if o == nil {
			continue
		}
		if ns := o.text("deployment.namespace"); ns != "" && ns != o.ID.Namespace {
			f.object(o, spec("deployment.namespace"), "remove it, and write spec.kiali.namespace",
				"deployment.namespace is %q, and the Kiali resource is in %q; the operator of OpenShift Service Mesh refuses that", finding.Shorten(ns),
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
		f.object(o, spec(at+"enabled"), "add internal_url and external_url beside it, or leave grafana out of kiali.spec",
			"Grafana is on and has no address; Kiali asks http://grafana.istio-system:3000, which OpenShift does not have")
	}
}

func anonymous(m *mesh, f *found) {
	openshift := m.hub >= 0 && m.Spec.Clusters[m.hub].Platform == "openshift"
	switch at := m.At("spec", "kiali", "auth", "strategy"); {
	case m.hub < 0 || m.Spec.Kiali.Auth.Strategy != "anonymous":
	case !m.Spec.Kiali.ViewOnly && openshift:
		f.on(m, at, "leave the strategy out, and users log in to OpenShift",
			"the strategy anonymous lets everybody who reaches the Route change what Kiali's account may change, on every cluster")
	case !m.Spec.Kiali.ViewOnly:
		f.on(m, at, "write viewOnly: true in spec.kiali, or the strategy openid",
			"the strategy anonymous lets everybody who reaches Kiali change what its account may change, on every cluster")
	case openshift:
		f.on(m, at, "leave the strategy out, and users log in to OpenShift",
			"the strategy anonymous lets everybody who reaches the Route see what Kiali's account may see")
	}
	if o := m.hubKiali(); o != nil && o.is("auth.openid.disable_rbac", true) {
		f.softer(finding.Info).object(o, spec("auth.openid.disable_rbac"), "remove it where users should see no more than their own rights allow",
			"disable_rbac gives every user who can log in the rights of Kiali's account")
	}
}

func oneVersion(m *mesh, f *found) {
	if m.hub < 0 {
		return
	}
	hub := m.Spec.Clusters[m.hub].Kiali.Version
	for i := range m.Spec.Clusters {
		if own := m.Spec.Clusters[i].Kiali.Version; own != hub {
			at := m.At("spec", "kiali", "version")
			if m.Has("spec", "clusters", i, "kiali", "version") {
				at = m.At("spec", "clusters", i, "kiali", "version")
			}
			f.cluster(m, i, at, "remove kiali.version here, or update the others soon",
				"its Kiali is %s, and the hub's is %s; a remote's access rights are those of its own line", own, hub)
		}
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
				"clustering.clusters lists %q without secret_name; Kiali knows such a cluster and cannot reach it", finding.Shorten(name))
		case remote && !m.hasLink(name): // else RS12 has more to say
			f.object(o, path, "remove the entry; the links of the topology's remotes need none",
				"clustering.clusters lists %q, whose link Kiali finds by itself; the entry goes over it", name)
		}
	}
}

func movingVersion(m *mesh, f *found) {
	const hint = "write the line that you have tested, such as version: v2.22"
	if m.Spec.Kiali.Version == kiali.Default && m.hub >= 0 {
		f.on(m, m.At("spec", "kiali", "version"), hint, "the version of Kiali is default, so an update of the operator changes it without a "+
			"commit")
	}
	for i := range m.Spec.Clusters {
		if m.Has("spec", "clusters", i, "kiali", "version") && m.Spec.Clusters[i].Kiali.Version == kiali.Default &&
			m.Spec.Kiali.Version != kiali.Default {
			f.cluster(m, i, m.At("spec", "clusters", i, "kiali", "version"), hint,
				"the version of Kiali is default, so an update of the operator changes it without a commit")
		}
	}
}
