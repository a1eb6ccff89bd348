package check

import (
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// adoptRules are about clusters from which `sightline init` makes a topology.
// Package discover finds them.
func adoptRules() []Rule {
	rules := []Rule{
		{
			ID:    "AD01",
			Title: "the name in --context is the name in Istio",
			What: "NAME in --context NAME=CONTEXT, CLUSTER_ID of istiod and ISTIO_META_CLUSTER_ID of the proxies are the same. If they " +
				"differ, the topology gets the name that the proxies have.",
			Why: "Series carry the name from Istio, and Kiali looks for the name in the topology. If they differ, graphs are empty, " +
				"without an error.",
			Fix: "Use the name from Istio. To change the name in Istio, install Istio with values.global.multiCluster.clusterName and " +
				"run init again.",
			Source: "istio manifests/charts/istio-control/istio-discovery; kiali/kiali istio/discovery.go",
		},
		{
			ID: "AD02", Also: finding.Warning,
			Title: "the clusters form one mesh",
			What: "Istio has the same mesh id on every cluster: defaultConfig.meshId, or global.meshID. It is a warning if monitors write a " +
				"different mesh_id on series.",
			Why:    "A topology describes one mesh. Kiali shows the series of one mesh id only.",
			Fix:    "Run init once for each mesh, or install Istio with one values.global.meshID.",
			Source: "istio manifests/charts/istio-control/istio-discovery; kiali/kiali graph/util.go",
		},
		{
			ID:     "AD03",
			Title:  "each cluster has a different name in Istio",
			What:   "No two clusters have the same CLUSTER_ID. Without values.global.multiCluster.clusterName, the name is Kubernetes.",
			Why:    "Istio and Kiali treat two clusters with one name as one cluster. Endpoints mix, and the graph shows one cluster.",
			Fix:    "Install Istio with a different clusterName on each cluster.",
			Source: "istio.io, Install Multi-Primary",
		},
		{
			ID: "AD04", Also: finding.Warning,
			Title: "a cluster has one control plane",
			What: "All istiods of a cluster are in one namespace. The istiod of OpenShift's ingress does not count. It is a warning if no " +
				"cluster has an istiod.",
			Why:    "Control planes in two namespaces are two meshes, and a topology describes one mesh.",
			Fix:    "Make a topology for each mesh, from dumps that leave out the other control plane.",
			Source: "istio.io, Install Multiple Istio Control Planes in a Single Cluster",
		},
		{
			ID: "AD05", Also: finding.Warning,
			Title: "pods on the hub can reach each API server",
			What: "The URL of a remote's API server has no loopback address, and no host with api-int, .svc or .internal. OpenShift states " +
				"its URL in Infrastructure, status.apiServerURL. On the hub it is a warning.",
			Why:    "Kiali's pod connects to this URL. A loopback address leads to the pod itself.",
			Fix:    topology.ServerHint,
			Source: "openshift/api config/v1; kiali/kiali kubernetes/client_factory.go",
		},
		{
			ID: "AD06", Also: finding.Warning,
			Title: "the Kiali resources belong together",
			What: "On hub and remotes, the Kiali resources have one namespace and one instance name. Link Secrets are for clusters of the " +
				"topology. It is a warning if a resource's name differs from its instance name, if a resource places its server in another " +
				"namespace, or if a cluster has several resources.",
			Why:    "On every cluster, the hub's Kiali looks for an OAuthClient with a name made of instance name and namespace.",
			Fix:    "Move the resource that differs and delete the old one.",
			Source: "kiali/kiali business/openshift_oauth.go, kubernetes/cluster_secret.go",
		},
		{
			ID: "AD07", Severity: finding.Warning,
			Title: "nothing else scrapes the targets of the rendered monitors",
			What: "No PodMonitor with another name scrapes the proxies' metrics path or selects their container. No other ServiceMonitor " +
				"selects istiod.",
			Why:    "Two monitors of one target double every number.",
			Fix:    "Delete the other monitor when you apply the rendered ones. To keep it, write metrics: {monitors: {manage: false}}.",
			Source: "prometheus-operator; istio samples/addons/extras/prometheus-operator.yaml",
		},
		{
			ID: "AD08", Severity: finding.Warning,
			Title: "no command was copied with its shell escapes",
			What: "Monitors have no backslash before a dollar sign or before another backslash. Login callbacks have no placeholder. If " +
				"other namespaces have a PodMonitor, the namespace of the control plane has one too.",
			Why:    "The API server accepts such objects. But the relabelings match nothing, the login fails, or the gateways are not scraped.",
			Fix:    "The rendered objects correct this: see docs/corrections.md, S1, S2 and C1.",
			Source: "docs/corrections.md",
		},
		{
			ID: "AD09", Severity: finding.Warning, Also: finding.Info,
			Title: "token Secrets are for Kiali's account",
			What: "A Secret named like Kiali's account is in Kiali's namespace. Its annotation names this account, the account exists, and " +
				"the cluster has filled the Secret. It is information if a Secret from kiali-prepare-remote-cluster.sh is there.",
			Why:    "The cluster deletes a token Secret without an account, or leaves it empty. Then the hub has no link.",
			Fix:    "Delete the wrong Secret. Apply the rendered Secret once the account exists.",
			Source: "kubernetes pkg/controller/serviceaccount/tokens_controller.go; kiali/kiali hack/istio/multicluster",
		},
		{
			ID:     "AD10",
			Title:  "a mesh has one mesh-wide Telemetry",
			What:   "The root namespace of each cluster has one Telemetry without a selector. Its name is the same on all clusters.",
			Why:    "If there are several, Istio uses the oldest for metrics, tracing and access logs, and ignores the others.",
			Fix:    "Merge their settings into one, and delete the others.",
			Source: "istio pilot/pkg/model/telemetry.go",
		},
		{
			ID: "AD11", Severity: finding.Warning,
			Title:  "everything could be read",
			What:   "The cluster let init list each kind that it knows. For each kind that the cluster refused, the topology has a question.",
			Why:    "The topology may lack what init could not read.",
			Fix:    "Grant the right to list the kind and run init again, or answer the question.",
			Source: "kubernetes.io, Authorization",
		},
		{
			ID:    "AD12",
			Title: "dumps can be read and hold no credential",
			What: "Each file of a dump is YAML or JSON. No Secret has data, and no kubeconfig has a credential. Sightline neither keeps " +
				"nor prints them.",
			Why:    "People copy dumps and attach them to tickets.",
			Fix:    "Delete the file. docs/adopt.md has commands that leave out credentials.",
			Source: "kubernetes.io, Secrets",
		},
		{
			ID: "AD13", Also: finding.Warning,
			Title: "the topology can express what the clusters have",
			What: "A cluster shows every value that a topology requires. The topology has a field for everything that the Kiali resource, " +
				"the Subscription and the monitoring ConfigMaps have.",
			Why:    "A first sync would change what the topology does not have.",
			Fix:    "Answer the question, or look at the value on the cluster. diff --live shows what would change.",
			Source: "docs/adopt.md",
		},
	}
	for i := range rules {
		rules[i].FoundBy = byDiscover
	}
	return rules
}
