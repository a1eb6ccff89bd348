package check

import "github.com/sightline-mesh/sightline/internal/finding"

// statusRules are the checks of a running mesh. They look at no topology alone:
// `sightline status` makes them, package status judges.
func statusRules() []Rule {
	rules := []Rule{
		{
			ID:     "ST01",
			Title:  "the API server answers",
			What:   "Each cluster is asked for its version, and for something that only a known user may see. Rights: none.",
			Why:    "Nothing else of the cluster can be said. Kiali on the hub may reach it all the same, or not.",
			Fix:    "kubectl --context CONTEXT version, then auth whoami. Name the context with --context CLUSTER=CONTEXT.",
			Source: "kube-apiserver /version, /apis",
		},
		{
			ID:     "ST02",
			Title:  "the platform is the topology's",
			What:   "A cluster with the API config.openshift.io/v1 is OpenShift. Rights: none.",
			Why:    "Login, monitoring and the operator's catalog are others on OpenShift. Mostly the context leads to another cluster.",
			Fix:    "Correct platform in the topology, or name the right context.",
			Source: "openshift/api config/v1",
		},
		{
			ID:    "ST03",
			Title: "Istio calls the cluster by its name",
			What: "CLUSTER_ID of each Deployment with the label app=istiod in the namespace of the control plane is the cluster's name. Rights: " +
				"list Deployments.",
			Why: "Series carry Istio's name and Kiali looks for the topology's. The graph's nodes are inaccessible or missing, and nothing " +
				"gives an error.",
			Fix: "Install Istio with values.global.multiCluster.clusterName, or give the cluster Istio's name in the topology, render, and " +
				"seal its link again.",
			Source: "kiali/kiali istio/discovery.go, config/istio/util.go",
		},
		{
			ID:    "ST04",
			Title: "Istio has the mesh's id",
			What: "defaultConfig.meshId in the ConfigMap istio, or global.meshID in the values of istio-sidecar-injector, is mesh.id. Rights: " +
				"get these ConfigMaps.",
			Why:    "The rendered monitors write mesh.id on every series, whatever Istio calls its mesh. Traces and other tools use Istio's.",
			Fix:    "Install Istio with values.global.meshID, or correct mesh.id.",
			Source: "istio manifests/charts/istio-control/istio-discovery",
		},
		{
			ID:    "ST05",
			Title: "Istio has the cluster's network",
			What: "Where the topology says network, the label topology.istio.io/network of the control plane's namespace and global.network are " +
				"the same. Rights: list namespaces, get the ConfigMaps of Istio.",
			Why:    "With a wrong network, Istio sends requests to pods that cannot be reached directly.",
			Fix:    "Label the namespace, and install Istio with values.global.network.",
			Source: "istio.io, Install Multi-Primary on different networks",
		},
		{
			ID:    "ST06",
			Title: "the revisions run that the topology names",
			What: "The label istio.io/rev of each istiod is one of controlPlane.revisions, and no revision tag leads to one without istiod. " +
				"Rights: list Deployments and MutatingWebhookConfigurations.",
			Why:    "Series of revisions that the topology does not name cannot be told apart. Pods of a tag that leads nowhere get no proxy.",
			Fix:    "Correct controlPlane.revisions; istioctl tag set for the tag.",
			Source: "istio.io, Canary Upgrades",
		},
		{
			ID:     "ST07",
			Title:  "the rendered objects are there",
			What:   "Each object that is rendered for the cluster is on it. Rights: get on each, list for PodMonitors and ServiceMonitors.",
			Why:    "Nobody has applied them, or somebody has deleted them.",
			Fix:    "Look at the Application or Kustomization of the cluster; apply the phase that is missing.",
			Source: "the rendering",
		},
		{
			ID:     "ST08",
			Title:  "the objects are as rendered",
			What:   "Applying the rendered objects would change nothing. What a cluster or another owner adds counts for nothing. Rights: as ST07.",
			Why:    "Somebody has changed an object by hand, or Git is ahead of the cluster.",
			Fix:    "Apply again, or bring the change into the topology or an overlay.",
			Source: "the rendering; server-side apply",
		},
		{
			ID:    "ST09",
			Title: "Kiali's operator is installed and knows the release line",
			What: "The Subscription has installed an operator, or there is a Deployment with the label app.kubernetes.io/name=kiali-operator, " +
				"of a version that knows kiali.version. Rights: get the Subscription, list Deployments.",
			Why: "Without an operator nobody reads the Kiali resource. An older one says \"no known supported image\": no account, no token, " +
				"no link.",
			Fix:    "Install or update the operator.",
			Source: "kiali/kiali-operator, release branches and playbooks/kiali-default-supported-images.yml",
		},
		{
			ID:    "ST39",
			Title: "OpenShift has the login that Kiali asks for",
			What:  "With the strategy openshift, each OpenShift cluster knows the kind OAuthClient of oauth.openshift.io/v1. Rights: none.",
			Why: "A cluster whose API server accepts an OIDC provider itself has no OAuth server and no OAuthClient. Nobody logs in there, and a " +
				"hub that asks such a remote for its OAuth server does not start.",
			Fix:    "Write auth: {strategy: openid} in spec.kiali, with client_id and issuer_uri in kiali.spec.auth.openid.",
			Source: "openshift/enhancements, direct-external-oidc-provider; kiali.io, OpenID Connect strategy; kiali business/openshift_oauth.go",
		},
		{
			ID:    "ST10",
			Title: "the operator has reconciled the Kiali resource",
			What: "The condition Successful is True, Running says that the operator is done, and that is later than the last change of spec. " +
				"Rights: get the Kiali resource.",
			Why:    "The condition has no generation: right after a change, Successful is still that of the spec before.",
			Fix:    "Read the message of the condition Failure, then the log of the operator.",
			Source: "ansible-operator conditions; kiali-operator roles",
		},
		{
			ID:    "ST11",
			Title: "a pod of Kiali is ready",
			What: "On the hub a pod of Kiali is ready. If it has crashed, the last line of the level FTL of its log before is shown. Rights: " +
				"list pods, get pods/log in Kiali's namespace.",
			Why: "The Kiali resource stays Successful through a crash loop. Kiali ends at start if one remote refuses its token, or does not " +
				"answer in time.",
			Fix:    "The FTL line names the cause. \"asked for the client to provide credentials\" is a stale link: seal it again.",
			Source: "kiali/kiali cmd/server.go, kubernetes/client_factory.go",
		},
		{
			ID:    "ST12",
			Title: "the remote's token is filled and of the right account",
			What: "The token Secret of Kiali's account has a token, and the account is the one that it was made for. Rights: get the Secret and " +
				"the account.",
			Why: "A cluster deletes a token Secret that comes before its account, after it has accepted it. An account that is made anew voids " +
				"the tokens of the one before.",
			Fix:    "Apply the phase link again once the account exists, then seal the link again.",
			Source: "kubernetes pkg/controller/serviceaccount/tokens_controller.go",
		},
		{
			ID:    "ST13",
			Title: "the hub has the sealed link",
			What: "The Secret on the hub has the key of the remote, with the kubeconfig that sealed/ has, by its digest. Rights: get and list " +
				"Secrets in Kiali's namespace of the hub.",
			Why:    "Without the key, Kiali does not know the cluster. With an older one, it uses a token that may have ended.",
			Fix:    "Look at the status of the SealedSecret; seal again if the controller cannot open it.",
			Source: "kiali/kiali kubernetes/cluster_secret.go; sealed-secrets",
		},
		{
			ID:    "ST14",
			Title: "one Secret has each cluster",
			What:  "No two Secrets that Kiali reads have the same key, and none has a key that is no cluster of the topology. Rights: as ST13.",
			Why: "Kiali takes the first in the order of names and logs the other. After a change of links.format the old Secret stays and " +
				"wins, and a finished rotation ends the token in use.",
			Fix:    "Delete the Secret that is no longer rendered, then restart Kiali.",
			Source: "kiali/kiali kubernetes/cluster_secret.go",
		},
		{
			ID:    "ST15",
			Title: "the kubeconfig in the link is as Kiali reads it",
			What:  "It has one cluster, one user and one context of the remote's name, and leads to the topology's server. Rights: as ST13.",
			Why: "Kiali skips a file that it cannot read, with a line in its log. With a CA that cannot be read it ends at start. With the " +
				"address of another cluster it shows that one by this one's name.",
			Fix:    "Seal the link again.",
			Source: "kiali/kiali kubernetes/cluster_secret.go, client_factory.go",
		},
		{
			ID:    "ST16",
			Title: "the remote accepts the link's token",
			What: "The remote's API server is asked, with the token of the link, whose it is. Where the address in the link does not answer " +
				"from here, the one of the context is asked. Rights: as ST13.",
			Why:    "With a token that has ended, Kiali ends at its next start, and the cluster vanishes from the graph before.",
			Fix:    "Seal the link again, commit, and let the hub have it.",
			Source: "kube-apiserver SelfSubjectReview",
		},
		{
			ID:    "ST17",
			Title: "the link's account has the rights that Kiali needs",
			What: "The account has the rights that the operator's role of the release line, the platform and the login strategy gives it: to " +
				"read namespaces, pods, services, workloads and Istio's configuration; with anonymous also to change some; with openshift to read " +
				"the OAuthClient. All on the whole cluster. The API server is asked as the account. Rights: as ST13.",
			Why:    "Kiali starts without them, and shows an empty cluster, or a cluster without what it may not read.",
			Fix:    "The operator on the remote makes the roles: see ST10 of the remote.",
			Source: "kiali/kiali-operator roles/default/kiali-deploy/templates",
		},
		{
			ID:    "ST18",
			Title: "Kiali has started since the last change of a link",
			What: "A ready pod of Kiali is younger than the last change of a Secret with links. Rights: list pods, get and list Secrets in " +
				"Kiali's namespace of the hub.",
			Why:    "Kiali reads its links once, when it starts.",
			Fix:    "kubectl rollout restart of Kiali's Deployment on the hub.",
			Source: "kiali/kiali kubernetes/client_factory.go",
		},
		{
			ID:    "ST19",
			Title: "somebody reads the monitors",
			What: "On OpenShift user workload monitoring is on and a pod of its Prometheus is ready. On Kubernetes there is a Prometheus " +
				"resource. Rights: get cluster-monitoring-config, list pods in openshift-user-workload-monitoring; list prometheuses.",
			Why:    "Without it monitors are objects that nobody reads: no series, an empty graph, no error.",
			Fix:    "enableUserWorkload: true in the ConfigMap openshift-monitoring/cluster-monitoring-config; or install prometheus-operator.",
			Source: "openshift/cluster-monitoring-operator; prometheus-operator",
		},
		{
			ID:    "ST20",
			Title: "the monitors are selected",
			What: "On OpenShift no label keeps a namespace from user workload monitoring. On Kubernetes a Prometheus selects each monitor, by " +
				"its labels and those of its namespace. Rights: list namespaces, list prometheuses.",
			Why:    "A monitor that no Prometheus selects is read by nobody.",
			Fix:    "Give the monitors the label with metrics.labels, or label the namespace.",
			Source: "prometheus-operator api.md, podMonitorSelector; OpenShift, openshift.io/user-monitoring",
		},
		{
			ID:    "ST35",
			Title: "no second Telemetry holds for the mesh",
			What: "Where a Telemetry is rendered, it is the only one without selector in its namespace. Rights: list " +
				"telemetries.telemetry.istio.io.",
			Why: "Istio uses the oldest alone, for metrics, tracing and access logs together, and ignores the other without a word. Where ours " +
				"is the younger, proxies may have no metrics for Prometheus.",
			Fix:    "Move what it says to spec.tracing and telemetry.spec, and delete it. Or write telemetry: {manage: false}.",
			Source: "istio pilot/pkg/model/telemetry.go, namespaceWideTelemetryConfig; istioctl analyze, IST0160",
		},
		{
			ID:    "ST36",
			Title: "ACM collects from the cluster",
			What: "The ACM hub has the cluster's ManagedCluster, ManagedClusterConditionAvailable is True, and the add-on that collects on it is " +
				"Available and not Degraded: multicluster-observability-addon, or with collector: classic observability-controller. Rights on " +
				"the ACM hub: list managedclusters and managedclusteraddons.",
			Why: "Nothing of the cluster arrives in the store. A registered config that does not exist makes the add-on Degraded on every " +
				"cluster.",
			Fix:    "Import the cluster, correct managedCluster or acm.placement, or see what the add-on says.",
			Source: "open-cluster-management.io/api cluster/v1, addon/v1alpha1; multicluster-observability-operator pkg/config",
		},
		{
			ID:    "ST37",
			Title: "the Policies on the ACM hub are complied with",
			What:  "Each rendered Policy is placed on a cluster, and Compliant on all of them. Rights on the ACM hub: get the Policies.",
			Why: "A Policy brings Kiali the certificate for the store, without which its pod does not start. Before ACM 5.0 another registers " +
				"what is collected.",
			Fix:    "See what the Policy says of the cluster. Where it is placed on none, see its Placement and the ManagedClusterSetBinding.",
			Source: "governance-policy-propagator api/v1, status of the root Policy",
		},
		{
			ID: "ST38", Also: finding.Warning,
			Title: "ACM's Observability is as the topology says",
			What: "The MultiClusterObservability observability is there. With the collector mcoa, capabilities.userWorkloads.metrics.default is " +
				"on; with classic it is not. retentionResolutionRaw, and with classic observabilityAddonSpec.interval, are what metrics.acm says. " +
				"Rights on the ACM hub: get the MultiClusterObservability.",
			Why: "ACM runs one collector: what is rendered for the other counts for nothing. Where Kiali is told a longer retention than there " +
				"is, it offers times of which there are no series.",
			Fix:    "Edit the MultiClusterObservability, or write what it says into metrics.acm.",
			Source: "multicluster-observability-operator api/v1beta2, pkg/rendering/renderer_mcoa.go",
		},
		{
			ID:    "ST21",
			Title: "Kiali's API answers",
			What: "/api/auth/info and /api/status of Kiali answer, by a port-forward to its Service or at --kiali-url. Rights: get the Service, " +
				"list pods, create pods/portforward in Kiali's namespace of the hub; with the strategies openshift, header and token a bearer token.",
			Why: "One remote that hangs makes most of Kiali's API hang. With the strategy openid only a browser can log in, and what Kiali " +
				"sees is not checked.",
			Fix:    "Look at the pods of Kiali and at the remotes that do not answer.",
			Source: "kiali/kiali routing/routes.go",
		},
		{
			ID:    "ST22",
			Title: "Kiali gets an answer from each remote now",
			What:  "/api/status lists Kubernetes-<cluster> among the external services. Rights: as ST21.",
			Why: "Kiali lists it only if the API server answers now. What /api/config calls accessible proves nothing: it is true wherever " +
				"Kiali has a client.",
			Fix:    "See the link of the cluster, ST13 to ST18, then the way from the hub's pods to the API server.",
			Source: "kiali/kiali status/versions.go, istio/discovery.go",
		},
		{
			ID:    "ST23",
			Title: "Kiali shows the namespaces of each cluster",
			What: "/api/namespaces has each namespace of the mesh, for each cluster. With the strategies openshift, header and token, a token " +
				"shows those of the hub only. Rights: as ST21.",
			Why:    "A cluster whose token has ended loses its namespaces within seconds.",
			Fix:    "See the link of the cluster. One namespace that is missing: it does not exist, or discovery selectors leave it out.",
			Source: "kiali/kiali handlers/namespaces.go",
		},
		{
			ID:    "ST24",
			Title: "Kiali's and Istio's names of the control planes agree",
			What: "/api/mesh/controlplanes has a control plane on each cluster with an istiod, and its id is the cluster's name. From v2.4. " +
				"Rights: as ST21.",
			Why:    "Where they differ, Kiali looks for Istio's name among its clusters and finds nothing.",
			Fix:    "As ST03.",
			Source: "kiali/kiali istio/discovery.go",
		},
		{
			ID:    "ST25",
			Title: "fresh series come from each cluster",
			What: "The newest istio_requests_total that a proxy of the cluster has reported is no older than two intervals and a minute. " +
				"Rights: a login of the store; services/proxy, or pods/portforward and cluster-monitoring-view.",
			Why: "The graph is drawn from these series alone.",
			Fix: "See ST19, ST20 and ST03 of the cluster. For a store of all clusters: what brings the series there. Without any traffic there " +
				"are none.",
			Source: "istio.io, Istio Standard Metrics; kiali/kiali graph/telemetry",
		},
		{
			ID:    "ST26",
			Title: "series come from each namespace of the mesh",
			What: "Each namespace with a PodMonitor has series. One whose proxies are scraped and have seen no request is a warning. Rights: as " +
				"ST25.",
			Why:    "A namespace without a monitor is missing from the graph.",
			Fix:    "Look at the PodMonitor, at the pods, and whether they have a proxy.",
			Source: "prometheus-operator; openshift/cluster-monitoring-operator",
		},
		{
			ID:     "ST27",
			Title:  "series have the mesh's id",
			What:   "Every istio_requests_total of the cluster has the label mesh_id with mesh.id. Rights: as ST25.",
			Why:    "Kiali asks for this id only. Series without it are scraped by another monitor, and are not shown.",
			Fix:    "Remove the other monitor, or use metrics.scope for a store that somebody else fills.",
			Source: "kiali/kiali graph/util.go, query_scope",
		},
		{
			ID:     "ST28",
			Title:  "series name clusters of the topology only",
			What:   "source_cluster and destination_cluster of this mesh are names of the topology, or unknown. Rights: as ST25.",
			Why:    "Kiali says of others that the cluster is not found or not accessible.",
			Fix:    "As ST03. Kubernetes is the name that istiod takes if it is given none.",
			Source: "kiali/kiali issues 7672, 7305",
		},
		{
			ID:     "ST29",
			Title:  "each proxy is scraped once",
			What:   "No series is there twice, but for the labels of the target. Rights: as ST25.",
			Why:    "All numbers are doubled.",
			Fix:    "Find the monitors that select the same pods; istio-proxies-monitor of OpenShift AI has the same name as the guide's.",
			Source: "prometheus-operator",
		},
		{
			ID:     "ST30",
			Title:  "the store deduplicates replicas",
			What:   "No two values of prometheus_replica are in an answer. Rights: as ST25.",
			Why:    "User workload monitoring has two replicas. Both write, and every number is doubled.",
			Fix:    "--query.replica-label=prometheus_replica of Thanos, and the same of its receiver.",
			Source: "openshift/cluster-monitoring-operator; thanos.io, Querier",
		},
		{
			ID:     "ST31",
			Title:  "no target of the mesh is down",
			What:   "up is 1 for every target of the rendered monitors. Rights: as ST25.",
			Why:    "What a proxy counts meanwhile is lost to the graph.",
			Fix:    "The page Targets of the Prometheus says why: a port, a NetworkPolicy, strict mTLS on the port.",
			Source: "prometheus.io, jobs and instances",
		},
		{
			ID: "ST32", Severity: finding.Warning,
			Title:  "requests between clusters are seen",
			What:   "A series has two clusters of the topology as source and destination. Rights: as ST25.",
			Why:    "Without one, the graph has no edge between clusters. Nothing need be wrong: perhaps nobody has sent a request.",
			Fix:    "Send one. istioctl remote-clusters shows whether istiod knows the other cluster.",
			Source: "istio.io, Verify the installation",
		},
		{
			ID:    "ST33",
			Title: "tracing answers",
			What:  "Where the hub's Kiali is to show traces, /api/istio/status says that the tracing backend is Healthy. Rights: as ST21.",
			Why:   "The pages of traces stay empty. Kiali asks the address in its configuration; its page of the mesh shows the same.",
			Fix: "See external_services.tracing of the hub's Kiali resource, and what Kiali logs. From v2.11, /api/tracing/diagnose tries the " +
				"ports of the host.",
			Source: "kiali/kiali business/istio_status.go, tracing/discovery_client.go",
		},
		{
			ID:    "ST34",
			Title: "the mesh knows the provider of the Telemetry",
			What: "With spec.tracing, the mesh config of each istiod has the extension provider that the Telemetry names, with the Service of " +
				"the rendered collector, and enableTracing is not false. Rights: as ST04.",
			Why:    "Istio ignores a provider that it does not know, and proxies send no spans.",
			Fix:    "Add it to meshConfig of the Istio resource on each cluster: docs/tracing.md.",
			Source: "istio.io, MeshConfig.ExtensionProvider; istio pilot/pkg/model/telemetry.go",
		},
	}
	for i := range rules {
		rules[i].FoundBy = byStatus
		if rules[i].ID == "ST26" {
			rules[i].Also = finding.Warning
		}
	}
	return rules
}
