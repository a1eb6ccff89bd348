package discover

import (
	"strings"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/openshift"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Kind is a kind of object that is read from a cluster: all its objects, or some.
type Kind struct {
	APIVersions     []string // the first that a cluster serves
	Kind            string
	Resource        string // its name in kubectl
	Namespace, Name string // of the only object; "": all namespaces, any name
	Labels, Fields  string // selectors
	Metadata        bool   // only the metadata is read
	For             string // what is read from it
}

// traces selects the objects that were rendered for traces.
const traces = labels.Name + "=mesh-tracing"

// openShift is the API that only OpenShift serves.
const openShift = "config.openshift.io/v1"

// Kinds lists the objects that are read from a cluster. Of Secrets, only the metadata
// is read, so no credential leaves the cluster.
func Kinds() []Kind {
	platform, workloads := openshift.Configs()
	account := kiali.Account(topology.Defaults().Kiali.InstanceName)
	return []Kind{
		{APIVersions: []string{"v1"}, Kind: "Namespace", Resource: "namespaces", For: "networks, injection, ambient mode"},
		{APIVersions: []string{openShift}, Kind: "ClusterVersion", Resource: "clusterversions.config.openshift.io", Name: "version",
			For: "the version of OpenShift"},
		{APIVersions: []string{openShift}, Kind: "Infrastructure", Resource: "infrastructures.config.openshift.io", Name: "cluster",
			For: "the URL of the API server"},
		{APIVersions: []string{openShift}, Kind: "Ingress", Resource: "ingresses.config.openshift.io", Name: "cluster",
			For: "the ingress domain"},
		{APIVersions: []string{"apps/v1"}, Kind: "Deployment", Resource: "deployments", Labels: labels.Istiod, For: "istiod and its CLUSTER_ID"},
		{APIVersions: []string{"apps/v1"}, Kind: "Deployment", Resource: "deployments",
			Labels: labels.Name + " in (kiali-operator,kiali)", For: "Kiali and its operator"},
		{APIVersions: []string{"apps/v1"}, Kind: "DaemonSet", Resource: "daemonsets", Labels: "app=ztunnel", For: "the data plane"},
		{APIVersions: []string{"v1"}, Kind: "Pod", Resource: "pods", Labels: "service.istio.io/canonical-name", Metadata: true,
			For: "the namespaces with proxies"},
		{APIVersions: []string{"v1"}, Kind: "ConfigMap", Resource: "configmaps", Labels: labels.Revision, For: "the mesh's id and configuration"},
		{APIVersions: []string{"v1"}, Kind: "ConfigMap", Resource: "configmaps", Labels: labels.Name + "=kiali", For: "CAs of Kiali"},
		{APIVersions: []string{"v1"}, Kind: "ConfigMap", Resource: "configmaps", Namespace: platform.Namespace, Name: platform.Name,
			For: "the monitoring of OpenShift"},
		{APIVersions: []string{"v1"}, Kind: "ConfigMap", Resource: "configmaps", Namespace: workloads.Namespace, Name: workloads.Name,
			For: "the monitoring of user workloads"},
		{APIVersions: []string{"v1"}, Kind: "ConfigMap", Resource: "configmaps", Namespace: "kube-public", Name: "cluster-info",
			For: "the URL of the API server"},
		{APIVersions: []string{"v1"}, Kind: "Service", Resource: "services", Labels: "operated-prometheus=true", For: "a Prometheus for Kiali"},
		{APIVersions: []string{"v1"}, Kind: "Service", Resource: "services", Namespace: "istio-system", Name: "prometheus",
			For: "Istio's sample Prometheus"},
		{APIVersions: []string{"apiextensions.k8s.io/v1"}, Kind: "CustomResourceDefinition", Resource: "customresourcedefinitions",
			Name: kialiDefinition, For: "what the definition of Kiali resources has by default"},
		{APIVersions: []string{"kiali.io/v1alpha1"}, Kind: "Kiali", Resource: "kialis.kiali.io", For: "Kiali's settings"},
		{APIVersions: []string{"telemetry.istio.io/v1", "telemetry.istio.io/v1alpha1"}, Kind: "Telemetry",
			Resource: "telemetries.telemetry.istio.io", For: "the mesh-wide Telemetry"},
		{APIVersions: []string{"monitoring.coreos.com/v1"}, Kind: "PodMonitor", Resource: "podmonitors.monitoring.coreos.com",
			For: "the monitors of proxies"},
		{APIVersions: []string{"monitoring.coreos.com/v1"}, Kind: "ServiceMonitor", Resource: "servicemonitors.monitoring.coreos.com",
			For: "the monitor of istiod"},
		{APIVersions: []string{"monitoring.coreos.com/v1"}, Kind: "PrometheusRule", Resource: "prometheusrules.monitoring.coreos.com",
			Labels: labels.Name + "=mesh-monitoring", For: "alerts about the mesh"},
		{APIVersions: []string{"tempo.grafana.com/v1alpha1"}, Kind: "TempoStack", Resource: "tempostacks.tempo.grafana.com",
			Labels: traces, For: "where traces are kept"},
		{APIVersions: []string{"opentelemetry.io/v1beta1"}, Kind: "OpenTelemetryCollector",
			Resource: "opentelemetrycollectors.opentelemetry.io", Labels: traces, For: "the collectors of traces"},
		{APIVersions: []string{"route.openshift.io/v1"}, Kind: "Route", Resource: "routes.route.openshift.io", Labels: traces,
			For: "where the hub receives spans"},
		{APIVersions: []string{"cert-manager.io/v1"}, Kind: "Certificate", Resource: "certificates.cert-manager.io", Labels: traces,
			For: "who issues the certificates of collectors"},
		{APIVersions: []string{"operators.coreos.com/v1alpha1"}, Kind: "Subscription", Resource: "subscriptions.operators.coreos.com",
			For: "how Kiali's operator is installed"},
		{APIVersions: []string{"admissionregistration.k8s.io/v1"}, Kind: "MutatingWebhookConfiguration",
			Resource: "mutatingwebhookconfigurations", Labels: labels.RevisionTag, Metadata: true, For: "revision tags"},
		{APIVersions: []string{"v1"}, Kind: "Secret", Resource: "secrets", Labels: kiali.RemoteSecretLabel, Metadata: true,
			For: "links to remotes, by name"},
		{APIVersions: []string{"v1"}, Kind: "Secret", Resource: "secrets", Labels: kiali.SingleSecretLabel, Metadata: true,
			For: "links to remotes, by name"},
		{APIVersions: []string{"v1"}, Kind: "Secret", Resource: "secrets", Fields: "type=kubernetes.io/service-account-token", Metadata: true,
			For: "tokens of Kiali's account, by name"},
		{APIVersions: []string{"v1"}, Kind: "Secret", Resource: "secrets", Labels: argoClusters, Metadata: true,
			For: "the clusters of Argo CD, by name"},
		{APIVersions: []string{"v1"}, Kind: "ServiceAccount", Resource: "serviceaccounts", Fields: "metadata.name=" + account,
			Metadata: true, For: "the account of a token"},
		{APIVersions: []string{"v1"}, Kind: "ServiceAccount", Resource: "serviceaccounts", Labels: labels.Name + "=kiali",
			Metadata: true, For: "Kiali's account on clusters without its operator"},
		{APIVersions: []string{"bitnami.com/v1alpha1"}, Kind: "SealedSecret", Resource: "sealedsecrets.bitnami.com", Metadata: true,
			For: "sealed links"},
		{APIVersions: []string{"external-secrets.io/v1", "external-secrets.io/v1beta1"}, Kind: "ExternalSecret",
			Resource: "externalsecrets.external-secrets.io", Labels: labels.Name + "=kiali", For: "links by External Secrets"},
		{APIVersions: []string{"external-secrets.io/v1"}, Kind: "ClusterSecretStore", Resource: "clustersecretstores.external-secrets.io",
			Metadata: true, For: "External Secrets"},
		{APIVersions: []string{"cluster.open-cluster-management.io/v1"}, Kind: "ManagedCluster",
			Resource: "managedclusters.cluster.open-cluster-management.io", For: "the clusters of ACM"},
		{APIVersions: []string{"operator.open-cluster-management.io/v1"}, Kind: "MultiClusterHub",
			Resource: "multiclusterhubs.operator.open-cluster-management.io", For: "the release of ACM"},
		{APIVersions: []string{"monitoring.rhobs/v1alpha1"}, Kind: "ScrapeConfig", Resource: "scrapeconfigs.monitoring.rhobs",
			Labels: labels.Ours, For: "what ACM collects"},
		{APIVersions: []string{"monitoring.coreos.com/v1"}, Kind: "PrometheusRule", Resource: "prometheusrules.monitoring.coreos.com",
			Labels: labels.Name + "=mesh-observability", For: "what ACM collects"},
		{APIVersions: []string{"v1"}, Kind: "ConfigMap", Resource: "configmaps", Labels: labels.Ours, For: "allow-lists of ACM"},
		{APIVersions: []string{"authentication.open-cluster-management.io/v1beta1"}, Kind: "ManagedServiceAccount",
			Resource: "managedserviceaccounts.authentication.open-cluster-management.io", Labels: labels.Ours, For: "links by ACM"},
		{APIVersions: []string{"policy.open-cluster-management.io/v1"}, Kind: "Policy", Resource: "policies.policy.open-cluster-management.io",
			Labels: labels.Ours, For: "what ACM brings to clusters"},
		{APIVersions: []string{"apps/v1"}, Kind: "Deployment", Resource: "deployments",
			Labels: labels.PartOf + " in (argocd,flux)", Metadata: true, For: "Argo CD and Flux"},
		{APIVersions: []string{"argoproj.io/v1alpha1"}, Kind: "ApplicationSet", Resource: "applicationsets.argoproj.io", Labels: labels.Ours,
			For: "delivery by Argo CD"},
		{APIVersions: []string{"argoproj.io/v1alpha1"}, Kind: "AppProject", Resource: "appprojects.argoproj.io", Labels: labels.Ours,
			For: "what Argo CD may bring"},
		{APIVersions: []string{"argoproj.io/v1alpha1"}, Kind: "Application", Resource: "applications.argoproj.io",
			Labels: labels.Topology, For: "how Argo CD knows the clusters"},
		{APIVersions: []string{"kustomize.toolkit.fluxcd.io/v1"}, Kind: "Kustomization",
			Resource: "kustomizations.kustomize.toolkit.fluxcd.io", Labels: labels.Ours, For: "delivery by Flux"},
		{APIVersions: []string{"source.toolkit.fluxcd.io/v1"}, Kind: "GitRepository",
			Resource: "gitrepositories.source.toolkit.fluxcd.io", Labels: labels.Ours, For: "where Flux reads"},
		{APIVersions: []string{"source.toolkit.fluxcd.io/v1"}, Kind: "OCIRepository",
			Resource: "ocirepositories.source.toolkit.fluxcd.io", Labels: labels.Ours, For: "where Flux reads"},
		{APIVersions: []string{"source.toolkit.fluxcd.io/v1"}, Kind: "HelmRepository",
			Resource: "helmrepositories.source.toolkit.fluxcd.io", Labels: labels.Ours, For: "the chart of Kiali's operator"},
		{APIVersions: []string{"helm.toolkit.fluxcd.io/v2"}, Kind: "HelmRelease",
			Resource: "helmreleases.helm.toolkit.fluxcd.io", Labels: labels.Ours, For: "delivery by Flux"},
	}
}

const kialiDefinition = "kialis.kiali.io"

// argoClusters selects the Secrets in which Argo CD keeps its clusters.
const argoClusters = "argocd.argoproj.io/secret-type=cluster"

// Command is the kubectl command that reads the objects, without "kubectl" and the
// context.
func (k *Kind) Command() string {
	words := []string{"get", k.Resource}
	switch {
	case k.Name != "":
		words = append(words, k.Name)
		if k.Namespace != "" {
			words = append(words, "-n", k.Namespace)
		}
	default:
		words = append(words, "-A")
	}
	if k.Labels != "" {
		words = append(words, "-l", quoted(k.Labels))
	}
	if k.Fields != "" {
		words = append(words, "--field-selector", k.Fields)
	}
	return strings.Join(words, " ")
}

func quoted(selector string) string {
	if strings.ContainsAny(selector, " ()") {
		return "'" + selector + "'"
	}
	return selector
}
