package check

import (
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// adoptRules are what `sightline init` finds on the clusters that it makes a
// topology of; package discover looks for it.
func adoptRules() []Rule {
	rules := []Rule{
		{
			ID:    "AD01",
			Title: "the name given for a cluster is Istio's",
			What: "The name in --context NAME=CONTEXT, CLUSTER_ID of istiod and ISTIO_META_CLUSTER_ID of the proxies are one name. The topology " +
				"gets what the proxies have.",
			Why:    "Series carry Istio's name, and Kiali looks for the topology's. Graphs are empty, and nothing gives an error.",
			Fix:    "Give the cluster Istio's name, or install Istio with values.global.multiCluster.clusterName and run init again.",
			Source: "istio manifests/charts/istio-control/istio-discovery; kiali/kiali istio/discovery.go",
		},
		{
			ID: "AD02", Also: finding.Warning,
			Title: "the clusters form one mesh",
			What: "Istio has the same mesh id on every cluster: defaultConfig.meshId, or global.meshID. A warning: monitors write another " +
				"mesh_id on series.",
			Why:    "A topology is about one mesh. Kiali shows the series of one mesh id only.",
			Fix:    "Run init once for each mesh, or install Istio with one values.global.meshID.",
			Source: "istio manifests/charts/istio-control/istio-discovery; kiali/kiali graph/util.go",
		},
		{
			ID:     "AD03",
			Title:  "Istio has another name for each cluster",
			What:   "No two clusters have the same CLUSTER_ID. Without values.global.multiCluster.clusterName it is Kubernetes.",
			Why:    "Istio and Kiali take the two for one: endpoints mix, and the graph shows one cluster.",
			Fix:    "Install Istio with a clusterName of its own on each cluster.",
			Source: "istio.io, Install Multi-Primary",
		},
		{
			ID: "AD04", Also: finding.Warning,
			Title: "a cluster has one control plane",
			What: "All istiods of a cluster are in one namespace; the istiod of OpenShift's own ingress does not count. A warning: no cluster " +
				"has an istiod.",
			Why:    "Two namespaces are two meshes, and a topology is about one.",
			Fix:    "Make a topology for each mesh, from dumps without the other's control plane.",
			Source: "istio.io, Install Multiple Istio Control Planes in a Single Cluster",
		},
		{
			ID: "AD05", Also: finding.Warning,
			Title: "pods on the hub can reach each API server",
			What: "The URL of a remote's API server is none of loopback, api-int, .svc and .internal. OpenShift tells its own by " +
				"Infrastructure, status.apiServerURL. On the hub it is a warning.",
			Why:    "Kiali's pod connects to this URL. A loopback address in its kubeconfig leads to the pod itself.",
			Fix:    topology.ServerHint,
			Source: "openshift/api config/v1; kiali/kiali kubernetes/client_factory.go",
		},
		{
			ID: "AD06", Also: finding.Warning,
			Title: "the Kiali resources belong together",
			What: "They have one namespace and one instance name on hub and remotes, and link Secrets are for clusters of the topology. A " +
				"warning: a resource is named otherwise than its instance, puts its server elsewhere, or is one of several.",
			Why:    "The hub looks on every cluster for an OAuthClient that is named by both.",
			Fix:    "Move the resource that differs, and delete the old one.",
			Source: "kiali/kiali business/openshift_oauth.go, kubernetes/cluster_secret.go",
		},
		{
			ID: "AD07", Severity: finding.Warning,
			Title: "nothing else scrapes what the rendered monitors scrape",
			What: "No PodMonitor of another name has the path of proxies' metrics or a rule for their container, and no other ServiceMonitor " +
				"selects istiod.",
			Why:    "Every number is doubled.",
			Fix:    "Delete the other monitor when the rendered ones come, or keep it and write metrics: {monitors: {manage: false}}.",
			Source: "prometheus-operator; istio samples/addons/extras/prometheus-operator.yaml",
		},
		{
			ID: "AD08", Severity: finding.Warning,
			Title: "no command was copied with what was meant for a shell",
			What: "Monitors have no backslash before a dollar or another backslash, login callbacks no placeholder, and the control plane's " +
				"namespace has a PodMonitor where others have one.",
			Why:    "Such objects are accepted. The rules match nothing, the login fails, and the gateways are not scraped.",
			Fix:    "The rendered objects put it right: see docs/corrections.md, S1, S2 and C1.",
			Source: "docs/corrections.md",
		},
		{
			ID: "AD09", Severity: finding.Warning, Also: finding.Info,
			Title: "token Secrets are for Kiali's account",
			What: "A Secret with the name of Kiali's account is in Kiali's namespace, its annotation names that account, the account exists, " +
				"and the cluster has filled it. Info: a Secret of kiali-prepare-remote-cluster.sh is there.",
			Why:    "A cluster deletes a token Secret without its account, or leaves it empty, and the hub has no link.",
			Fix:    "Delete the Secret that is wrong, and apply the rendered one once the account exists.",
			Source: "kubernetes pkg/controller/serviceaccount/tokens_controller.go; kiali/kiali hack/istio/multicluster",
		},
		{
			ID:     "AD10",
			Title:  "a mesh has one mesh-wide Telemetry",
			What:   "The root namespace of each cluster has one Telemetry without a selector, of the same name on all clusters.",
			Why:    "Of several, Istio uses the oldest for metrics, tracing and access logs together, and ignores the others.",
			Fix:    "Bring what they say into one, and delete the others.",
			Source: "istio pilot/pkg/model/telemetry.go",
		},
		{
			ID: "AD11", Severity: finding.Warning,
			Title:  "everything could be read",
			What:   "The cluster let init list each kind that it knows. What it refused is a question in the topology.",
			Why:    "What was not read may be missing in the topology.",
			Fix:    "Give the right to list the kind and run init again, or answer the question.",
			Source: "kubernetes.io, Authorization",
		},
		{
			ID:     "AD12",
			Title:  "dumps can be read, and hold no credential",
			What:   "Each file of a dump is YAML or JSON. No Secret has data, no kubeconfig a credential. Neither is kept or printed.",
			Why:    "Dumps are copied and attached to tickets.",
			Fix:    "Delete the file. docs/adopt.md has commands that leave credentials out.",
			Source: "kubernetes.io, Secrets",
		},
		{
			ID: "AD13", Also: finding.Warning,
			Title: "the topology can say what the clusters have",
			What: "What a topology needs is told by a cluster, and what Kiali's resource, the Subscription or the monitoring ConfigMap have has " +
				"a place in it.",
			Why:    "A first sync would change what is not in the topology.",
			Fix:    "Answer the question, or look at the value on the cluster; diff --live shows what would change.",
			Source: "docs/adopt.md",
		},
	}
	for i := range rules {
		rules[i].FoundBy = byDiscover
	}
	return rules
}
