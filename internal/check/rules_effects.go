package check

import "github.com/sightline-mesh/sightline/internal/finding"

// byCompare is the package that finds what a change means. Its findings are
// about two trees, not about a line of the topology.
const byCompare = "compare"

// effectRules are about changes, not about topologies. The command diff prints
// them.
func effectRules() []Rule {
	effects := []Rule{
		{
			ID: "EF01", Severity: finding.Info, Also: finding.Warning,
			Title: "what a change of a Kiali resource does",
			What:  "The spec or the annotations of a Kiali resource change, or another resource replaces it.",
			Why: "The operator writes the whole spec into Kiali's ConfigMap, and restarts Kiali when the ConfigMap changes. So every change " +
				"of the spec on the hub restarts Kiali. No Kiali runs on a remote; there the operator only updates the account and its rights. " +
				"A changed annotation triggers a reconciliation without a restart.",
			Fix: "Nothing to fix. Put several changes of the hub's Kiali into one commit.",
			Source: "kiali-operator roles/*/kiali-deploy/tasks/main.yml (Force the Kiali pod to restart if necessary), " +
				"templates/*/configmap.yaml, watches-os.yaml",
		},
		{
			ID: "EF02", Severity: finding.Warning,
			Title: "logins continue to work during the change",
			What:  "The redirect URIs of a cluster, the address of Kiali, or the login strategy change.",
			Why: "The hub sends users to the OAuth server of a cluster with a redirect URI. The OAuthClient on the cluster must list this " +
				"URI. Until hub and cluster both have the change, logins to the cluster fail.",
			Fix:    "Apply the change to the hub and the remotes at the same time, and tell the users.",
			Source: "kiali business/openshift_oauth.go; kiali-operator templates/openshift/oauth.yaml",
		},
		{
			ID: "EF03", Severity: finding.Warning, Also: finding.Info,
			Title: "no link stays in an old Secret",
			What:  "links.format changes: the links move from one Secret to several, or back.",
			Why: "Kiali reads every link Secret. If two Secrets are for the same cluster, Kiali uses the one whose name sorts first, and " +
				"only its log says so. If that is the old Secret, its token stops working at the next rotation while Kiali still uses it.",
			Fix: "When the new Secrets exist, delete the old SealedSecret on the hub; its controller deletes the Secret with it. An engine " +
				"that prunes deletes the SealedSecret itself.",
			Source: "kiali kubernetes/cluster_secret.go, seen with Kiali 2.31",
		},
		{
			ID: "EF04", Severity: finding.Info, Also: finding.Warning,
			Title: "what happens to the hub's links",
			What:  "A sealed link is new, sealed again, or gone.",
			Why: "Kiali reads its links once, at startup. The operator restarts Kiali when a Secret changes. Kiali does not start while a " +
				"linked remote does not answer.",
			Fix: "Look at Kiali on the hub after the change. If no engine deletes the object that makes a link, delete it on the hub when the " +
				"remote leaves.",
			Source: "kiali kubernetes/client_factory.go, cmd/server.go; kiali-operator playbooks/kiali-multi-cluster-secret-detected.yml",
		},
		{
			ID: "EF05", Severity: finding.Warning,
			Title: "no token ends while a link uses it",
			What: "The Secret of a token is no longer rendered, or its account goes away: with the Kiali resource, or briefly when the " +
				"Kiali release line changes.",
			Why: "A token ends when its Secret or its account is deleted. A link with this token stops working, and Kiali on the hub does " +
				"not start with such a link.",
			Fix: "Rotate tokens with sightline seal --rotate. After a change of the Kiali release line, apply the phase link of the remote " +
				"again and seal its link again.",
			Source: "kubernetes pkg/controller/serviceaccount/tokens_controller.go; kiali-operator playbooks/kiali-deploy.yml (purge old install)",
		},
		{
			ID: "EF06", Severity: finding.Info, Also: finding.Warning,
			Title: "which namespaces join or leave the graph",
			What:  "A namespace of a cluster gets its first PodMonitor, or loses its PodMonitor.",
			Why: "OpenShift's monitoring scrapes a namespace only if the namespace has a PodMonitor. Without one, the traffic that its " +
				"proxies report is missing.",
			Fix:    "Nothing to fix if you meant it.",
			Source: "cluster-monitoring-operator assets/prometheus-user-workload/prometheus.yaml",
		},
		{
			ID: "EF07", Severity: finding.Info, Also: finding.Warning,
			Title:  "which clusters join or leave the graph",
			What:   "A cluster is in only one of the two topologies.",
			Why:    "The engine and its settings decide what happens to the objects of a cluster that leaves.",
			Fix:    "docs/argocd.md and docs/flux.md have the steps to remove a cluster with its objects.",
			Source: "argo-cd applicationset/controllers, kustomize-controller internal/controller (deletionPolicy)",
		},
		{
			ID: "EF08", Severity: finding.Info,
			Title: "how often targets are scraped",
			What:  "The interval of a monitor changes.",
			Why: "The load on Prometheus and its store grows with the number of scrapes. For correct rates, Kiali must know the interval; " +
				"Sightline renders it with the monitors.",
			Fix:    "Nothing to fix. Sightline does not count targets, because only the clusters know their number.",
			Source: "prometheus scrape/scrape.go",
		},
		{
			ID: "EF09", Severity: finding.Info, Also: finding.Warning,
			Title: "what happens to objects that are no longer rendered",
			What:  "An object is no longer rendered for a cluster that stays in the topology.",
			Why: "An engine that prunes deletes the object; Argo CD does so only in namespaces that its project permits. Other engines " +
				"leave the object on the cluster, and it keeps working.",
			Fix: "If a namespace leaves, add it to delivery.argocd.permit.namespaces for the one commit that removes it. Delete by hand " +
				"what no engine deletes. In CI, set --max-removed so that somebody must confirm such a change.",
			Source: "argo-cd docs/user-guide/sync-options.md (Prune=false); kustomize-controller (prune); docs/testing.md, TestArgoCD and TestFlux",
		},
		{
			ID: "EF10", Severity: finding.Info, Also: finding.Warning,
			Title: "which objects of an engine are new, gone or renamed",
			What: "The Applications of the ApplicationSet, and the Kustomizations and HelmReleases of Flux, before and after the change. " +
				"With the generator clusters, the Applications depend on the clusters that Argo CD knows, so they are not compared.",
			Why: "An Application with another name is a different Application. It takes over the objects while the old Application may " +
				"still exist.",
			Fix: "Keep the names of the topology and its clusters. If you want a new name, delete the old Application without deleting " +
				"its objects.",
			Source: "argo-cd applicationset/generators, run in e2e/appset",
		},
		{
			ID: "EF11", Severity: finding.Info, Also: finding.Warning,
			Title: "which operators and release lines change",
			What:  "The Subscription or the chart of Kiali's operator changes, or the release line of a Kiali resource changes.",
			Why: "When the release line changes, the operator removes the old installation before it creates the new one. If a Subscription " +
				"is removed, its operator keeps running, but gets no updates.",
			Fix: "Bring the hub and the remotes to the same release line within a short time. To remove an operator, also delete its " +
				"ClusterServiceVersion.",
			Source: "kiali-operator playbooks/kiali-deploy.yml; operator-lifecycle-manager pkg/controller/operators/olm",
		},
		{
			ID: "EF12", Severity: finding.Info, Also: finding.Warning,
			Title: "what a change of the monitoring configuration does",
			What:  "cluster-monitoring-config or user-workload-monitoring-config changes.",
			Why: "The monitoring operator applies the change, and restarts Prometheus if its configuration differs. If enableUserWorkload " +
				"is off, nothing scrapes the proxies.",
			Fix:    "Nothing to fix if you meant it.",
			Source: "cluster-monitoring-operator pkg/manifests/config.go, pkg/operator/operator.go",
		},
		{
			ID: "EF13", Severity: finding.Warning,
			Title:  "Kiali's queries match the existing series",
			What:   "The labels in Kiali's queries change, such as mesh_id.",
			Why:    "Existing series in Prometheus keep their old labels. The graph shows only data that is scraped after the change.",
			Fix:    "Keep mesh.id, or tell the users that the graph starts empty.",
			Source: "kiali graph/util.go (query_scope)",
		},
		{
			ID: "EF14", Severity: finding.Warning,
			Title: "an apply removes no setting from a cluster",
			What: "With --live: an object on a cluster has a setting that the rendered object lacks, and an apply would remove it. This " +
				"happens to settings in a list or a string, because an apply replaces them as a whole, and to settings from an earlier apply. " +
				"Fields that others added to an object stay, and are not reported.",
			Why: "config.yaml of cluster-monitoring-config is one string. An apply replaces the whole string, and with it the retention, " +
				"storage and remote write that somebody has set there.",
			Fix:    "Put the settings that must stay into the topology: userWorkloadMonitoring.config, kiali.spec, or an overlay.",
			Source: "kubernetes docs, server-side apply; cluster-monitoring-operator pkg/manifests/config.go",
		},
	}
	for i := range effects {
		effects[i].FoundBy = byCompare
	}
	return effects
}
