package check

import "github.com/sightline-mesh/sightline/internal/finding"

// statusRules are the checks of a running mesh. `sightline status` collects the
// facts, and package status judges them.
func statusRules() []Rule {
	rules := []Rule{
		{
			ID:     "ST01",
			Title:  "the API server answers",
			What:   "Sightline asks each cluster for its version, and for something that only a logged-in user may see. Rights: none.",
			Why:    "Sightline can check nothing else on the cluster. Kiali on the hub may still reach the cluster, or not.",
			Fix:    "kubectl --context CONTEXT version, then auth whoami. Name the context with --context CLUSTER=CONTEXT.",
			Source: "kube-apiserver /version, /apis",
		},
		{
			ID:     "ST02",
			Title:  "the platform is as in the topology",
			What:   "A cluster with the API config.openshift.io/v1 is OpenShift. Rights: none.",
			Why:    "Login, monitoring and the operator's catalog differ on OpenShift. Usually the context leads to another cluster.",
			Fix:    "Correct platform in the topology, or name the right context.",
			Source: "openshift/api config/v1",
		},
		{
			ID:    "ST03",
			Title: "Istio has the cluster's name",
			What: "CLUSTER_ID of each Deployment with the label app=istiod in the namespace of the control plane is the cluster's name. Rights: " +
				"list Deployments.",
			Why: "Series carry the name from Istio, and Kiali looks for the name in the topology. If they differ, nodes of the graph are " +
				"inaccessible or missing, without an error.",
			Fix: "Install Istio with values.global.multiCluster.clusterName. Or use Istio's name in the topology, render, and seal the link " +
				"of the cluster again.",
			Source: "kiali/kiali istio/discovery.go, config/istio/util.go",
		},
		{
			ID:    "ST04",
			Title: "Istio has the mesh id",
			What: "defaultConfig.meshId in the ConfigMap istio, or global.meshID in the values of istio-sidecar-injector, is mesh.id. Rights: " +
				"get these ConfigMaps.",
			Why:    "The rendered monitors write mesh.id on every series, whatever Istio has. Traces and other tools use the id from Istio.",
			Fix:    "Install Istio with values.global.meshID, or correct mesh.id.",
			Source: "istio manifests/charts/istio-control/istio-discovery",
		},
		{
			ID:    "ST05",
			Title: "Istio has the cluster's network",
			What: "If the topology sets network, the label topology.istio.io/network of the control plane's namespace and global.network " +
				"have the same value. Rights: list namespaces, get the ConfigMaps of Istio.",
			Why:    "With a wrong network, Istio sends requests to pods that cannot be reached directly.",
			Fix:    "Label the namespace, and install Istio with values.global.network.",
			Source: "istio.io, Install Multi-Primary on different networks",
		},
		{
			ID:    "ST06",
			Title: "the revisions in the topology run",
			What: "The label istio.io/rev of each istiod is in controlPlane.revisions. Each revision tag points to a revision that has an " +
				"istiod. Rights: list Deployments and MutatingWebhookConfigurations.",
			Why: "Kiali cannot distinguish the series of revisions that the topology does not name. If a tag points to no istiod, its " +
				"pods get no proxy.",
			Fix:    "Correct controlPlane.revisions. For a tag, use istioctl tag set.",
			Source: "istio.io, Canary Upgrades",
		},
		{
			ID:     "ST07",
			Title:  "the rendered objects exist",
			What:   "Each object that is rendered for the cluster exists on it. Rights: get on each, list for PodMonitors and ServiceMonitors.",
			Why:    "Nobody has applied the objects, or somebody has deleted them.",
			Fix:    "Look at the Application or Kustomization of the cluster. Apply the missing phase.",
			Source: "the rendering",
		},
		{
			ID:    "ST08",
			Title: "the objects are as rendered",
			What: "An apply of the rendered objects would change nothing. Fields that the cluster or another owner added do not count. " +
				"Rights: as ST07.",
			Why:    "Somebody has changed an object by hand, or Git is newer than the cluster.",
			Fix:    "Apply again, or put the change into the topology or an overlay.",
			Source: "the rendering; server-side apply",
		},
		{
			ID:    "ST09",
			Title: "Kiali's operator is installed and knows the release line",
			What: "The Subscription has installed an operator, or there is a Deployment with the label " +
				"app.kubernetes.io/name=kiali-operator. Its version knows kiali.version. Rights: get the Subscription, list Deployments.",
			Why: "Without an operator, nothing reads the Kiali resource. An operator that is too old says \"no known supported image\": no " +
				"account, no token, no link.",
			Fix:    "Install or update the operator.",
			Source: "kiali/kiali-operator, release branches and playbooks/kiali-default-supported-images.yml",
		},
		{
			ID:    "ST39",
			Title: "OpenShift has the login that Kiali asks for",
			What:  "With the strategy openshift, each OpenShift cluster knows the kind OAuthClient of oauth.openshift.io/v1. Rights: none.",
			Why: "If a cluster's API server uses an OIDC provider directly, the cluster has no OAuth server and no OAuthClient. Nobody can log " +
				"in there. Kiali on the hub does not start if it asks such a remote for its OAuth server.",
			Fix:    "Write auth: {strategy: openid} in spec.kiali, with client_id and issuer_uri in kiali.spec.auth.openid.",
			Source: "openshift/enhancements, direct-external-oidc-provider; kiali.io, OpenID Connect strategy; kiali business/openshift_oauth.go",
		},
		{
			ID:    "ST10",
			Title: "the operator has reconciled the Kiali resource",
			What: "The condition Successful is True, the condition Running says that the operator is done, and both are later than the last " +
				"change of spec. Rights: get the Kiali resource.",
			Why:    "The condition has no generation. Right after a change, Successful may still describe the previous spec.",
			Fix:    "Read the message of the condition Failure, then the log of the operator.",
			Source: "ansible-operator conditions; kiali-operator roles",
		},
		{
			ID:    "ST11",
			Title: "a pod of Kiali is ready",
			What: "On the hub, a pod of Kiali is ready. If the pod has crashed, the message shows the last FTL line of its previous log. " +
				"Rights: list pods, get pods/log in Kiali's namespace.",
			Why: "The Kiali resource stays Successful during a crash loop. Kiali exits at startup if one remote refuses its token, or does " +
				"not answer in time.",
			Fix:    "The FTL line names the cause. \"asked for the client to provide credentials\" is a stale link: seal it again.",
			Source: "kiali/kiali cmd/server.go, kubernetes/client_factory.go",
		},
		{
			ID:    "ST12",
			Title: "the remote's token is filled and belongs to the right account",
			What: "The token Secret of Kiali's account has a token. The token was created for the account that exists now. Rights: get the " +
				"Secret and the account.",
			Why: "A cluster accepts a token Secret that comes before its account, and then deletes it. If the account is created again, its " +
				"old tokens stop working.",
			Fix:    "Apply the phase link again once the account exists, then seal the link again.",
			Source: "kubernetes pkg/controller/serviceaccount/tokens_controller.go",
		},
		{
			ID:    "ST13",
			Title: "the hub has the sealed link",
			What: "The Secret on the hub has the key of the remote. Its kubeconfig is the one in sealed/, compared by digest. Rights: get " +
				"and list Secrets in Kiali's namespace of the hub.",
			Why:    "Without the key, Kiali does not know the cluster. With an old kubeconfig, Kiali uses a token that may have ended.",
			Fix:    "Look at the status of the SealedSecret. If the controller cannot open it, seal the link again.",
			Source: "kiali/kiali kubernetes/cluster_secret.go; sealed-secrets",
		},
		{
			ID:    "ST14",
			Title: "each cluster is in one Secret",
			What:  "No two Secrets that Kiali reads have the same key. Every key is a cluster of the topology. Rights: as ST13.",
			Why: "Kiali uses the Secret whose name sorts first and logs the other. After a change of links.format, the old Secret stays and " +
				"wins. When a rotation finishes, the token in use ends.",
			Fix:    "Delete the Secret that is no longer rendered, then restart Kiali.",
			Source: "kiali/kiali kubernetes/cluster_secret.go",
		},
		{
			ID:    "ST15",
			Title: "Kiali can read the kubeconfig in the link",
			What: "The kubeconfig has one cluster, one user and one context, all with the remote's name. Its server is the one in the " +
				"topology. Rights: as ST13.",
			Why: "Kiali skips a file that it cannot read, with a line in its log. It exits at startup if it cannot read the CA. With the " +
				"address of another cluster, it shows the other cluster under this name.",
			Fix:    "Seal the link again.",
			Source: "kiali/kiali kubernetes/cluster_secret.go, client_factory.go",
		},
		{
			ID:    "ST16",
			Title: "the remote accepts the link's token",
			What: "Sightline sends the link's token to the remote's API server and asks for the user name. If the address in the link does " +
				"not answer from here, Sightline uses the address from the context. Rights: as ST13.",
			Why:    "With an ended token, Kiali exits at its next start. Before that, the cluster disappears from the graph.",
			Fix:    "Seal the link again, commit, and sync the hub.",
			Source: "kube-apiserver SelfSubjectReview",
		},
		{
			ID:    "ST17",
			Title: "the link's account has the rights that Kiali needs",
			What: "Sightline asks the API server for the rights of the link's account, on the whole cluster. The account needs the rights " +
				"of the operator's role for the release line, the platform and the login strategy: to read namespaces, pods, services, " +
				"workloads and Istio's configuration; with anonymous also to change some of them; with openshift also to read the OAuthClient. " +
				"Rights: as ST13.",
			Why:    "Kiali starts without these rights. It shows an empty cluster, or a cluster without the parts that it may not read.",
			Fix:    "The operator on the remote creates the roles: see ST10 of the remote.",
			Source: "kiali/kiali-operator roles/default/kiali-deploy/templates",
		},
		{
			ID:    "ST18",
			Title: "Kiali restarted after the last change of a link",
			What: "A ready pod of Kiali is younger than the last change of a Secret with links. Rights: list pods, get and list Secrets in " +
				"Kiali's namespace of the hub.",
			Why:    "Kiali reads its links once, at startup.",
			Fix:    "kubectl rollout restart of Kiali's Deployment on the hub.",
			Source: "kiali/kiali kubernetes/client_factory.go",
		},
		{
			ID:    "ST19",
			Title: "a Prometheus reads the monitors",
			What: "On OpenShift, user workload monitoring is on and a pod of its Prometheus is ready. On Kubernetes, there is a Prometheus " +
				"resource. Rights: get cluster-monitoring-config, list pods in openshift-user-workload-monitoring; list prometheuses.",
			Why: "Without a Prometheus, nothing reads the monitors: no series, an empty graph, no error.",
			Fix: "Write enableUserWorkload: true in the ConfigMap openshift-monitoring/cluster-monitoring-config, or install " +
				"prometheus-operator.",
			Source: "openshift/cluster-monitoring-operator; prometheus-operator",
		},
		{
			ID:    "ST20",
			Title: "a Prometheus selects the monitors",
			What: "On OpenShift, no label excludes a namespace from user workload monitoring. On Kubernetes, a Prometheus selects each " +
				"monitor by its labels and by the labels of its namespace. Rights: list namespaces, list prometheuses.",
			Why:    "Nothing reads a monitor that no Prometheus selects.",
			Fix:    "Give the monitors the label with metrics.labels, or label the namespace.",
			Source: "prometheus-operator api.md, podMonitorSelector; OpenShift, openshift.io/user-monitoring",
		},
		{
			ID:    "ST35",
			Title: "the mesh has one mesh-wide Telemetry",
			What: "If a Telemetry is rendered, it is the only one without a selector in its namespace. Rights: list " +
				"telemetries.telemetry.istio.io.",
			Why: "Istio uses only the oldest Telemetry, for metrics, tracing and access logs, and silently ignores the other. If the " +
				"rendered one is newer, proxies may have no metrics for Prometheus.",
			Fix:    "Move its settings to spec.tracing and telemetry.spec, and delete it. Or write telemetry: {manage: false}.",
			Source: "istio pilot/pkg/model/telemetry.go, namespaceWideTelemetryConfig; istioctl analyze, IST0160",
		},
		{
			ID:    "ST36",
			Title: "ACM collects from the cluster",
			What: "The ACM hub has the cluster's ManagedCluster, and ManagedClusterConditionAvailable is True. The add-on that collects from the " +
				"cluster is Available and not Degraded. The add-on is multicluster-observability-addon, or with collector: classic " +
				"observability-controller. Rights on the ACM hub: list managedclusters and managedclusteraddons.",
			Why: "Otherwise no series of the cluster arrive in the store. If a registered config does not exist, the add-on is Degraded on every " +
				"cluster.",
			Fix:    "Import the cluster, correct managedCluster or acm.placement, or read the conditions of the add-on.",
			Source: "open-cluster-management.io/api cluster/v1, addon/v1alpha1; multicluster-observability-operator pkg/config",
		},
		{
			ID:    "ST37",
			Title: "the Policies on the ACM hub are complied with",
			What: "Each rendered Policy is placed on at least one cluster, and Compliant on all its clusters. Rights on the ACM hub: get the " +
				"Policies.",
			Why: "One Policy brings Kiali the certificate for the store. Without it, Kiali's pod does not start. Before ACM 5.0, another Policy " +
				"registers the collection.",
			Fix: "Read the status of the Policy for the cluster. If it is placed on no cluster, check its Placement and the " +
				"ManagedClusterSetBinding.",
			Source: "governance-policy-propagator api/v1, status of the root Policy",
		},
		{
			ID: "ST38", Also: finding.Warning,
			Title: "ACM's Observability is as the topology says",
			What: "The MultiClusterObservability observability exists. With the collector mcoa, capabilities.userWorkloads.metrics.default is " +
				"on; with classic, it is off. retentionResolutionRaw is as in metrics.acm, and with classic observabilityAddonSpec.interval too. " +
				"Rights on the ACM hub: get the MultiClusterObservability.",
			Why: "ACM runs only one collector. Objects that are rendered for the other collector have no effect. If Kiali has a longer retention " +
				"than the store, it offers times without series.",
			Fix:    "Edit the MultiClusterObservability, or write its values into metrics.acm.",
			Source: "multicluster-observability-operator api/v1beta2, pkg/rendering/renderer_mcoa.go",
		},
		{
			ID:    "ST21",
			Title: "Kiali's API answers",
			What: "/api/auth/info and /api/status of Kiali answer, through a port-forward to its Service or at --kiali-url. Rights: get the " +
				"Service, list pods, create pods/portforward in Kiali's namespace of the hub; with the strategies openshift, header and token " +
				"a bearer token.",
			Why: "One remote that does not answer blocks most of Kiali's API. With the strategy openid only a browser can log in, so " +
				"Sightline cannot check what Kiali shows.",
			Fix:    "Look at the pods of Kiali and at the remotes that do not answer.",
			Source: "kiali/kiali routing/routes.go",
		},
		{
			ID:    "ST22",
			Title: "Kiali reaches each remote now",
			What:  "/api/status lists Kubernetes-<cluster> among the external services. Rights: as ST21.",
			Why: "Kiali lists a cluster only if its API server answers now. The value accessible in /api/config proves nothing: it is true " +
				"whenever Kiali has a client.",
			Fix:    "Check the link of the cluster, ST13 to ST18. Then check the network from the hub's pods to the API server.",
			Source: "kiali/kiali status/versions.go, istio/discovery.go",
		},
		{
			ID:    "ST23",
			Title: "Kiali shows the namespaces of each cluster",
			What: "/api/namespaces has each namespace of the mesh, for each cluster. With the strategies openshift, header and token, a " +
				"token shows only the namespaces of the hub. Rights: as ST21.",
			Why:    "When a token ends, its cluster loses its namespaces within seconds.",
			Fix:    "Check the link of the cluster. If one namespace is missing, it does not exist, or discovery selectors exclude it.",
			Source: "kiali/kiali handlers/namespaces.go",
		},
		{
			ID:    "ST24",
			Title: "Kiali and Istio have the same name for each control plane",
			What: "From v2.4 on, /api/mesh/controlplanes has a control plane for each cluster with an istiod, and its id is the cluster's " +
				"name. Rights: as ST21.",
			Why:    "If the names differ, Kiali looks for Istio's name among its clusters and finds nothing.",
			Fix:    "As ST03.",
			Source: "kiali/kiali istio/discovery.go",
		},
		{
			ID:    "ST25",
			Title: "each cluster has fresh series",
			What: "The newest istio_requests_total from a proxy of the cluster is at most two intervals and one minute old. Rights: a login " +
				"of the store; services/proxy, or pods/portforward and cluster-monitoring-view.",
			Why: "The graph is drawn from these series only.",
			Fix: "See ST19, ST20 and ST03 of the cluster. With one store for all clusters, check what sends the series to the store. " +
				"Without traffic there are no series.",
			Source: "istio.io, Istio Standard Metrics; kiali/kiali graph/telemetry",
		},
		{
			ID:    "ST26",
			Title: "each namespace of the mesh has series",
			What: "Each namespace with a PodMonitor has series. It is a warning if Prometheus scrapes the proxies of a namespace and they " +
				"have seen no request. Rights: as ST25.",
			Why:    "The graph lacks a namespace without a monitor.",
			Fix:    "Look at the PodMonitor and at the pods. Check that the pods have a proxy.",
			Source: "prometheus-operator; openshift/cluster-monitoring-operator",
		},
		{
			ID:     "ST27",
			Title:  "series have the mesh id",
			What:   "Every istio_requests_total of the cluster has the label mesh_id with the value of mesh.id. Rights: as ST25.",
			Why:    "Kiali asks for this id only. Series without it come from another monitor, and Kiali does not show them.",
			Fix:    "Remove the other monitor, or use metrics.scope for a store that somebody else fills.",
			Source: "kiali/kiali graph/util.go, query_scope",
		},
		{
			ID:     "ST28",
			Title:  "series name only clusters of the topology",
			What:   "source_cluster and destination_cluster of this mesh are names of the topology, or unknown. Rights: as ST25.",
			Why:    "For any other name, Kiali says that the cluster is not found or not accessible.",
			Fix:    "As ST03. Kubernetes is the default name of istiod.",
			Source: "kiali/kiali issues 7672, 7305",
		},
		{
			ID:    "ST29",
			Title: "each proxy is scraped once",
			What:  "No two series differ only in the labels of the target. Rights: as ST25.",
			Why:   "All numbers are doubled.",
			Fix: "Find the monitors that select the same pods. istio-proxies-monitor from OpenShift AI has the same name as the one in " +
				"the guide.",
			Source: "prometheus-operator",
		},
		{
			ID:     "ST30",
			Title:  "the store deduplicates replicas",
			What:   "An answer has at most one value of prometheus_replica. Rights: as ST25.",
			Why:    "User workload monitoring has two replicas. Both write, so every number is doubled.",
			Fix:    "Set --query.replica-label=prometheus_replica for the Thanos querier, in addition to the replica label of its receivers.",
			Source: "openshift/cluster-monitoring-operator; thanos.io, Querier",
		},
		{
			ID:     "ST31",
			Title:  "no target of the mesh is down",
			What:   "up is 1 for every target of the rendered monitors. Rights: as ST25.",
			Why:    "The graph loses what a proxy counts while its target is down.",
			Fix:    "The page Targets of Prometheus shows the reason: a port, a NetworkPolicy, strict mTLS on the port.",
			Source: "prometheus.io, jobs and instances",
		},
		{
			ID: "ST32", Severity: finding.Warning,
			Title:  "the graph can show requests between clusters",
			What:   "A series has two different clusters of the topology as source and destination. Rights: as ST25.",
			Why:    "Without such a series, the graph has no edge between clusters. This may be right: perhaps nobody has sent a request.",
			Fix:    "Send a request. istioctl remote-clusters shows whether istiod knows the other cluster.",
			Source: "istio.io, Verify the installation",
		},
		{
			ID:    "ST33",
			Title: "the tracing backend answers",
			What:  "If the hub's Kiali has tracing, /api/istio/status says that the tracing backend is Healthy. Rights: as ST21.",
			Why:   "The pages for traces stay empty. Kiali asks the address in its configuration. Kiali's mesh page shows the same status.",
			Fix: "Check external_services.tracing of the hub's Kiali resource, and Kiali's log. From v2.11 on, /api/tracing/diagnose tries " +
				"the ports of the host.",
			Source: "kiali/kiali business/istio_status.go, tracing/discovery_client.go",
		},
		{
			ID:    "ST34",
			Title: "Istio knows the provider of the Telemetry",
			What: "With spec.tracing, the mesh config of each istiod has the extension provider from the Telemetry, with the Service of the " +
				"rendered collector. enableTracing is not false. Rights: as ST04.",
			Why:    "Istio ignores an unknown provider, and proxies send no spans.",
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
