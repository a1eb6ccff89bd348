package check

import "github.com/sightline-mesh/sightline/internal/finding"

// byCompare finds what a change means. Its findings are about two trees, not
// about a line of the topology.
const byCompare = "compare"

// effectRules are about changes, not about topologies: diff says them.
func effectRules() []Rule {
	effects := []Rule{
		{
			ID: "EF01", Severity: finding.Info, Also: finding.Warning,
			Title: "what a change of the Kiali resource does to Kiali",
			What:  "The spec of a Kiali resource changes, or its annotations; or another resource takes its place.",
			Why: "The operator writes the whole spec into Kiali's ConfigMap, and restarts Kiali when that ConfigMap changes. So every change " +
				"of the spec on the hub is a restart. On a remote no Kiali runs; there the operator only brings the account and its rights up to " +
				"date. A changed annotation has the resource reconciled, without a restart.",
			Fix: "Nothing to fix. Put several changes of the hub's Kiali into one commit.",
			Source: "kiali-operator roles/*/kiali-deploy/tasks/main.yml (Force the Kiali pod to restart if necessary), " +
				"templates/*/configmap.yaml, watches-os.yaml",
		},
		{
			ID: "EF02", Severity: finding.Warning,
			Title: "logins go on to work through the change",
			What:  "The redirect URIs of a cluster, the address of Kiali, or the strategy of its login change.",
			Why: "The hub sends users to the OAuth server of a cluster with a URI that has to be in the OAuthClient there. Until both have the " +
				"change, the login to that cluster fails.",
			Fix:    "Bring the change to the hub and the remotes at the same time, and tell the users.",
			Source: "kiali business/openshift_oauth.go; kiali-operator templates/openshift/oauth.yaml",
		},
		{
			ID: "EF03", Severity: finding.Warning, Also: finding.Info,
			Title: "no link is left in an old Secret",
			What:  "links.format changes: the links move from one Secret to several, or back.",
			Why: "Kiali reads every Secret that is there. Of two with the same cluster it uses the one that comes first by its name, and says " +
				"so in its log only. With the old Secret still there, a token that is rotated later ends while it is in use.",
			Fix: "When the new Secrets are there, delete the old SealedSecret on the hub; its controller deletes the Secret with it. Where the " +
				"engine prunes, it does that.",
			Source: "kiali kubernetes/cluster_secret.go, seen with Kiali 2.31",
		},
		{
			ID: "EF04", Severity: finding.Info, Also: finding.Warning,
			Title: "what becomes of the hub's links",
			What:  "A sealed link is new, sealed anew, or gone.",
			Why: "Kiali reads its links once, when it starts. Its operator restarts it for a changed Secret. Kiali does not start while a " +
				"remote with a link does not answer.",
			Fix:    "Nothing to fix. Look at Kiali on the hub after the change.",
			Source: "kiali kubernetes/client_factory.go, cmd/server.go; kiali-operator playbooks/kiali-multi-cluster-secret-detected.yml",
		},
		{
			ID: "EF05", Severity: finding.Warning,
			Title: "no token ends while a link uses it",
			What: "The Secret of a token is no longer rendered, or its account goes: with the Kiali resource, or for a moment with another line " +
				"of Kiali.",
			Why: "A token ends with its Secret and with its account. The link that was made of it does not work any more, and Kiali on the hub " +
				"does not start with it.",
			Fix: "Rotate tokens with sightline seal --rotate. After another line of Kiali, apply the phase link of the remote again and seal " +
				"its link again.",
			Source: "kubernetes pkg/controller/serviceaccount/tokens_controller.go; kiali-operator playbooks/kiali-deploy.yml (purge old install)",
		},
		{
			ID: "EF06", Severity: finding.Info, Also: finding.Warning,
			Title: "which namespaces join the graph or leave it",
			What:  "A namespace of a cluster gets its first PodMonitor, or loses it.",
			Why: "OpenShift's monitoring scrapes a namespace by the PodMonitor in it. Without one the traffic that its proxies report is " +
				"missing.",
			Fix:    "Nothing to fix, if it is meant.",
			Source: "cluster-monitoring-operator assets/prometheus-user-workload/prometheus.yaml",
		},
		{
			ID: "EF07", Severity: finding.Info, Also: finding.Warning,
			Title:  "which clusters join the graph or leave it",
			What:   "A cluster is in one of the two topologies only.",
			Why:    "What becomes of the objects of a cluster that leaves depends on the engine and its settings.",
			Fix:    "The steps that remove a cluster with its objects are in docs/argocd.md and docs/flux.md.",
			Source: "argo-cd applicationset/controllers, kustomize-controller internal/controller (deletionPolicy)",
		},
		{
			ID: "EF08", Severity: finding.Info,
			Title: "how often targets are scraped",
			What:  "The interval of a monitor changes.",
			Why: "The load of Prometheus and its store grows with the number of scrapes. Rates in Kiali need an interval that Kiali knows of; " +
				"it is rendered with the monitors.",
			Fix:    "Nothing to fix. How many targets there are is not known without the clusters, so it is not counted.",
			Source: "prometheus scrape/scrape.go",
		},
		{
			ID: "EF09", Severity: finding.Info, Also: finding.Warning,
			Title: "what becomes of objects that are no longer rendered",
			What:  "An object is no longer rendered for a cluster that stays.",
			Why: "An engine that prunes deletes it. Argo CD does so in namespaces that its project permits. Others leave it on the cluster, " +
				"where it goes on to work.",
			Fix: "Add a namespace that leaves to delivery.argocd.permit.namespaces, for the one commit that removes it. Delete by hand what " +
				"nothing deletes. Set --max-removed in CI to have such a change confirmed.",
			Source: "argo-cd docs/user-guide/sync-options.md (Prune=false); kustomize-controller (prune); docs/testing.md, TestArgoCD and TestFlux",
		},
		{
			ID: "EF10", Severity: finding.Info, Also: finding.Warning,
			Title: "what an engine makes anew, no longer, or under another name",
			What: "The Applications of the ApplicationSet, and the Kustomizations and HelmReleases of Flux, before and after the change. With " +
				"the generator clusters they depend on what Argo CD knows, and are not compared.",
			Why:    "An Application under another name is another Application: it takes the objects over, while the old one may still be there.",
			Fix:    "Keep the names of the topology and of its clusters. Where a new name is meant, remove the old Application without its objects.",
			Source: "argo-cd applicationset/generators, run in e2e/appset",
		},
		{
			ID: "EF11", Severity: finding.Info, Also: finding.Warning,
			Title: "which operators and lines change",
			What:  "The Subscription or the chart of Kiali's operator changes, or the line that a Kiali resource asks for.",
			Why: "For another line the operator removes the old installation before it makes the new one. A Subscription that goes leaves its " +
				"operator running, without updates.",
			Fix: "Bring the hub and the remotes to the same line within a short time. Delete the ClusterServiceVersion of an operator that is " +
				"to go.",
			Source: "kiali-operator playbooks/kiali-deploy.yml; operator-lifecycle-manager pkg/controller/operators/olm",
		},
		{
			ID: "EF12", Severity: finding.Info, Also: finding.Warning,
			Title: "what the monitoring of OpenShift makes of the change",
			What:  "cluster-monitoring-config or user-workload-monitoring-config changes.",
			Why: "The monitoring operator applies it, and restarts Prometheus where its configuration is another. With enableUserWorkload off, " +
				"nothing scrapes the proxies.",
			Fix:    "Nothing to fix, if it is meant.",
			Source: "cluster-monitoring-operator pkg/manifests/config.go, pkg/operator/operator.go",
		},
		{
			ID: "EF13", Severity: finding.Warning,
			Title:  "Kiali asks for the series that there are",
			What:   "The labels that Kiali narrows its queries to change, such as mesh_id.",
			Why:    "Series that Prometheus has already keep their labels. The graph shows only what is scraped after the change.",
			Fix:    "Keep mesh.id, or tell the users that the graph begins anew.",
			Source: "kiali graph/util.go (query_scope)",
		},
		{
			ID: "EF14", Severity: finding.Warning,
			Title: "applying takes nothing away that clusters have",
			What: "With --live: a setting that an object on a cluster has and the rendered one has not, and that would go: in a list or a " +
				"string, which are replaced as a whole, or set by an earlier apply. What others have added to an object stays, and is not found.",
			Why: "config.yaml of cluster-monitoring-config is one string: whoever applies another one removes retention, storage and remote " +
				"write that somebody has set there.",
			Fix:    "Put what is to stay into the topology: userWorkloadMonitoring.config, kiali.spec, or an overlay.",
			Source: "kubernetes docs, server-side apply; cluster-monitoring-operator pkg/manifests/config.go",
		},
	}
	for i := range effects {
		effects[i].FoundBy = byCompare
	}
	return effects
}
