package check

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// metricsRules are about what Prometheus scrapes and what Kiali reads.
func metricsRules() []Rule {
	return []Rule{
		{
			ID:     "PM01",
			Title:  "a monitor is for its own namespace",
			What:   "No monitor of an OpenShift cluster has namespaceSelector.",
			Why:    "User workload monitoring ignores namespaceSelector, so the other namespaces are not scraped.",
			Fix:    "Remove it. Every namespace of the mesh has its own monitor.",
			Source: "cluster-monitoring-operator assets/prometheus-user-workload/prometheus.yaml (ignoreNamespaceSelectors)",
			mesh:   namespaceSelectors,
		},
		{
			ID:    "PM02",
			Title: "every namespace with proxies has one PodMonitor",
			What: "Each of these namespaces has one PodMonitor: the namespaces of the topology and the cluster, the namespaces of gateways, " +
				"waypoints and ztunnel, and the namespace of the control plane.",
			Why:    "Without a PodMonitor, the workloads in a namespace have no metrics. With two, every request counts twice.",
			Fix:    "Leave the PodMonitors as rendered, and list namespaces in the topology.",
			Source: "in the guide, one of two PodMonitors overwrites the other",
			mesh:   monitorCoverage,
		},
		{
			ID:     "PM03",
			Title:  "user workload monitoring watches the namespace",
			What:   "On OpenShift, no namespace of the mesh begins with openshift- or kube-.",
			Why:    "Such namespaces belong to the platform's monitoring. User workload monitoring silently ignores a monitor there.",
			Fix:    "Run the gateway or the control plane in another namespace.",
			Source: "cluster-monitoring-operator assets/prometheus-user-workload/prometheus.yaml (podMonitorNamespaceSelector)",
			mesh:   platformNamespaces,
		},
		{
			ID:    "PM04",
			Title: "relabelings are valid",
			What: "Every regex compiles as RE2 and has no leftover shell escapes. A replacement has no backslash, and refers only to groups " +
				"of the regex.",
			Why: "If a regex does not compile, Prometheus refuses its whole configuration. A regex with \\\\d never matches: the metrics of " +
				"agent and application are lost, and names begin with a backslash.",
			Fix:    "Write (\\d+) and $1, without shell escapes.",
			Source: "Prometheus model/relabel; the guide's here-documents",
			mesh:   relabelSyntax,
		},
		{
			ID: "PM05", Severity: finding.Warning,
			Title:  "keep and drop have a regex",
			What:   "A relabeling with the action keep or drop has a regex.",
			Why:    "Without a regex, keep and drop match everything, also a missing label: keep keeps all, drop drops all.",
			Fix:    "Add regex: \"true\", or the value that the label should have.",
			Source: "Prometheus model/relabel (the default regex is (.*))",
			mesh:   relabelWithoutRegex,
		},
		{
			ID:     "PM06",
			Title:  "every series has the mesh id",
			What:   "Each monitor adds the label mesh_id with the topology's mesh id, and query_scope of the hub has the same id.",
			Why:    "If the ids differ, graphs are empty, without an error.",
			Fix:    "Leave the relabeling and query_scope as rendered from spec.mesh.id.",
			Source: "kiali graph/util.go; tried",
			mesh:   meshIDEverywhere,
		},
		{
			ID:     "PM07",
			Title:  "query_scope has values, not patterns",
			What:   "No value of query_scope contains | * \" ' { or }.",
			Why:    "Kiali puts the value in quotes and compares for equality. a|b is not a choice, and a quote ends the query.",
			Fix:    "Choose a label that has one value on all series of the mesh.",
			Source: "kiali graph/util.go, business/metrics_labels_builder.go",
			mesh:   scopeValues,
		},
		{
			ID: "PM08", Also: finding.Warning,
			Title: "series have the labels of query_scope",
			What: "For each label of query_scope, the monitors add the label with this value, or it is an external label of the store's " +
				"series.",
			Why:    "Kiali asks only for series with the label. If no series has it, graphs are empty, without an error.",
			Fix:    "Remove the label from query_scope, or add it to remoteWrite.config.prometheus.externalLabels.",
			Source: "kiali/kiali issue 6990",
			mesh:   scopeLabels,
		},
		{
			ID:     "PM09",
			Title:  "istiod is scraped where it runs",
			What:   "Only clusters with controlPlane.mode local have a ServiceMonitor for istiod.",
			Why:    "On other clusters, the Service of istiod has no metrics port, so Prometheus never finds the target.",
			Fix:    "Leave the ServiceMonitors as rendered, and set controlPlane.mode.",
			Source: "istio manifests/charts/istio-control/istio-discovery/templates",
			mesh:   istiodMonitors,
		},
		{
			ID: "PM10", Severity: finding.Warning,
			Title:  "istiod is scraped once",
			What:   "The ServiceMonitor for istiod excludes Services with the label istio.io/tag.",
			Why:    "A revision tag has a Service that selects the same istiod. Without the exclusion, istiod counts twice.",
			Fix:    "Leave the selector as rendered.",
			Source: "istio manifests/charts/istio-control/istio-discovery/templates/revision-tags-svc.yaml",
			mesh:   revisionTags,
		},
		{
			ID:    "PM11",
			Title: "no label that Kiali needs is dropped",
			What: "No labeldrop, labelkeep or tagOverrides removes source_*, destination_*, reporter, request_protocol, response_code, " +
				"response_flags, grpc_response_status, connection_security_policy, app, namespace or mesh_id.",
			Why:    "Kiali makes the graph from these labels. Without one of them, the graph is empty or wrong.",
			Fix:    "Drop whole metrics that Kiali does not ask for, or request_operation.",
			Source: "kiali graph/telemetry/istio; kyma-project/kyma issue 9886",
			mesh:   droppedLabels,
		},
		{
			ID:    "PM12",
			Title: "Kiali has access to thanos-querier",
			What: "With metrics.store thanosQuerier, the hub asks port 9091 with auth.type bearer and use_kiali_token, and thanos_proxy is " +
				"enabled. The account of the hub's Kiali has cluster-monitoring-view.",
			Why:    "Otherwise Kiali gets 401 or 403, or asks for an endpoint that Thanos does not have.",
			Fix:    "Leave external_services.prometheus as rendered. For another store, choose thanos.",
			Source: "cluster-monitoring-operator assets/thanos-querier; kiali/kiali issue 4624",
			mesh:   thanosQuerier,
		},
		{
			ID: "PM13", Severity: finding.Warning,
			Title: "the store has the series of all clusters",
			What:  "With more than one cluster in the mesh, the store is not the hub's thanos-querier.",
			Why: "The hub's thanos-querier has only the series from the hub's proxies. The graph lacks traffic between two remotes, and " +
				"workloads on remotes have no metrics of their own.",
			Fix: "Send all series to one Thanos or Prometheus and write store: thanos or prometheus. If the hub's view is enough, add the " +
				"annotation sightline.dev/suppress: PM13 to the topology.",
			Source: "kiali/kiali issues 7129, 3962",
			mesh:   localStore,
		},
		{
			ID:     "PM17",
			Title:  "Kiali's own token is sent as a bearer token",
			What:   "Wherever use_kiali_token is true, auth.type next to it is bearer.",
			Why:    "With other types, Kiali ignores use_kiali_token; with oauth2, it refuses it. Kiali then asks without a login and gets 401.",
			Fix:    "Write type: bearer, or remove use_kiali_token.",
			Source: "kiali config/config.go",
			mesh:   kialiTokens,
		},
		{
			ID: "PM18", Severity: finding.Warning,
			Title:  "CAs are in the CA bundle",
			What:   "From v2.22 on, no external service has auth.ca_file.",
			Why:    "Kiali ignores ca_file since 2.21. The connection fails with an unknown authority.",
			Fix:    "Put the CA into the key additional-ca-bundle.pem of the ConfigMap <instance>-cabundle in Kiali's namespace.",
			Source: "kiali.io, TLS configuration",
			mesh:   caFiles,
		},
		{
			ID: "PM19", Severity: finding.Warning,
			Title:  "Kiali trusts the store's certificate",
			What:   "From v2.22 on, with a strategy other than openshift, the store is not an https Service on an OpenShift hub.",
			Why:    "Such a Service has a certificate from the cluster's service CA. Kiali loads this CA only with the strategy openshift.",
			Fix:    "Put the service CA into the key additional-ca-bundle.pem of the ConfigMap <instance>-cabundle, and suppress the rule.",
			Source: "kiali config/config.go (getCABundlePaths)",
			mesh:   serviceCA,
		},
		{
			ID: "PM20", Severity: finding.Warning,
			Title: "Kiali can check the health of the store",
			What: "From v2.27 on, health_check_url is set for a store with custom_headers, or with a path that has no /-/healthy (Mimir, " +
				"Cortex, VictoriaMetrics).",
			Why:    "Kiali asks <url>/-/healthy without the headers. It shows no metrics until this address answers.",
			Fix:    "Add health_check_url: an address of the store that answers without headers.",
			Source: "kiali prometheus/lazy_client.go",
			mesh:   healthCheck,
		},
		{
			ID:    "PM21",
			Title: "cluster-monitoring-config is managed as a whole or not at all",
			What: "With userWorkloadMonitoring.manage, config is the whole content of the ConfigMap and turns on enableUserWorkload. " +
				"Without manage, there is no config.",
			Why:    "The ConfigMap holds one string. Writing it replaces the retention, volumes and alerting that somebody else has set.",
			Fix:    "Give the whole content, or leave the ConfigMap to its owner.",
			Source: "cluster-monitoring-operator Documentation/api.md",
		},
		{
			ID: "PM22", Severity: finding.Warning,
			Title: "limits leave room for Istio's series",
			What:  "In remoteWrite.config.prometheus, enforcedLabelLimit is at least 40 and enforcedSampleLimit at least 5,000.",
			Why: "A series of Istio has about 30 labels, and a busy proxy has thousands of series. Above a limit, the scrape of the whole " +
				"target fails. Only the console's page of the target says why.",
			Fix:    "Raise the limit, or leave it out.",
			Source: "cluster-monitoring-operator Documentation/api.md",
			mesh:   lowLimits,
		},
		{
			ID: "PM23", Severity: finding.Warning,
			Title: "a mesh has one mesh-wide Telemetry",
			What: "No cluster gets two Telemetry resources without a selector in its root namespace. (IN12 checks two topologies that both " +
				"have one.)",
			Why:    "Istio uses the older one and ignores the other.",
			Fix:    "Write telemetry.manage: false, and keep the other Telemetry.",
			Source: "istio.io, Telemetry",
			mesh:   telemetries,
		},
		{
			ID: "PM24", Severity: finding.Warning,
			Title: "clusters of one store have one interval",
			What:  "Every interval is between 5 seconds and 5 minutes. All clusters of one store have the same interval.",
			Why: "A rate over less than two intervals is empty. If intervals differ, Kiali must use the longest, so rates are coarse " +
				"everywhere.",
			Fix:    "Use one interval. If a slow network leaves no choice, suppress the rule.",
			Source: "cluster-monitoring-operator Documentation/api.md; kiali thanos_proxy.scrape_interval",
			mesh:   intervals,
		},
		{
			ID: "PM25", Severity: finding.Warning,
			Title:  "series of two clusters stay separate",
			What:   "With remoteWrite, each cluster has different external labels.",
			Why:    "In the store, equal series of two clusters become one series, and requests get lost.",
			Fix:    "Leave the external label of remoteWrite.clusterLabel as rendered.",
			Source: "Thanos, external labels",
			mesh:   externalLabels,
		},
		{
			ID:    "PM26",
			Title: "credentials are references",
			What: "A field whose name says that it holds a credential has a reference: secret:<name>:<key>, the path of a file, or an " +
				"object with the name and key of a Secret. Such a name ends in password, token, secret, authorization or credentials, or in " +
				"key after api, access, secret, private and similar words. The rule also checks variables (name and value), program options " +
				"and headers with such names. It checks the topology and the rendered objects.",
			Why: "Any other value is the credential itself, and it would be in Git. No message repeats it.",
			Fix: "Put the credential into a Secret in Kiali's namespace and write the reference. If the credential was committed, create " +
				"a new one.",
			Source: "kiali config/credentials.go",
			mesh:   literalCredentials,
		},
	}
}

func (m *mesh) monitors() []*object { return m.kinds("PodMonitor", "ServiceMonitor") }

func namespaceSelectors(m *mesh, f *found) {
	for _, o := range m.monitors() {
		if m.of(o).Platform == "openshift" && o.has("namespaceSelector") {
			f.object(o, spec("namespaceSelector"), "remove it; every namespace of the mesh has its own monitor",
				"the %s %s has a namespaceSelector, but user workload monitoring ignores it", o.ID.Kind, o.ID.Name)
		}
	}
}

// place is the place of a name in the topology: the value at a path, or an entry
// of the list at the path. Rules look at many names, but need the position of only
// a few.
type place struct {
	path  fieldPath
	entry int // -1: the value itself
}

func (m *mesh) atPlace(p place) finding.Position {
	if p.entry < 0 {
		return m.At(p.path...)
	}
	return m.At(p.path.below(p.entry)...)
}

// covered visits the namespaces of a cluster in which proxies run, each with
// its place in the topology.
func (m *mesh) covered(i int, visit func(namespace string, at place)) {
	c := &m.Spec.Clusters[i]
	value := func(name string, path ...any) { visit(name, place{path, -1}) }
	list := func(names []string, path ...any) {
		for j, name := range names {
			visit(name, place{path, j})
		}
	}
	if c.InMesh() && !c.ServesExternal() {
		controlPlane := []any{"spec", "mesh", "controlPlaneNamespace"}
		if own := []any{"spec", "clusters", i, "controlPlane", "namespace"}; m.Has(own...) {
			controlPlane = own
		}
		value(c.ControlPlane.Namespace, controlPlane...)
		list(m.Spec.Namespaces, "spec", "namespaces")
		if m.Spec.Mesh.DataPlane == "ambient" {
			value(c.ZtunnelNamespace, "spec", "clusters", i, "ztunnelNamespace")
		}
	}
	if len(c.Namespaces)+len(c.Gateways)+len(c.Waypoints) > 0 {
		list(c.Namespaces, "spec", "clusters", i, "namespaces")
		list(c.Gateways, "spec", "clusters", i, "gateways")
		list(c.Waypoints, "spec", "clusters", i, "waypoints")
	}
}

func monitorCoverage(m *mesh, f *found) {
	if !m.Spec.Metrics.Monitors.Manage {
		return
	}
	monitors, told := map[string]int{}, map[string]bool{}
	for i := range m.clusters {
		clear(monitors)
		clear(told)
		for _, r := range m.clusters[i].Resources {
			id := resource.IDOf(m.body(r))
			switch {
			case id.Kind != "PodMonitor":
			case r.Body.Uses(resource.ScopeNamespace):
				for _, ns := range m.clusters[i].NamespacesOf(r) {
					monitors[ns]++
				}
			default:
				monitors[id.Namespace]++
			}
		}
		m.covered(i, func(ns string, at place) {
			if n := monitors[ns]; n != 1 && !told[ns] {
				told[ns] = true
				count := "no PodMonitor"
				if n > 1 {
					count = strconv.Itoa(n) + " PodMonitors"
				}
				f.cluster(m, i, m.atPlace(at), "leave the PodMonitors as rendered: one for each namespace", "the namespace %s has %s", ns,
					count)
			}
		})
	}
}

func platformNamespaces(m *mesh, f *found) {
	for i := range m.Spec.Clusters {
		if m.Spec.Clusters[i].Platform != "openshift" || !m.Spec.Metrics.Monitors.Manage {
			continue
		}
		m.covered(i, func(ns string, at place) {
			if strings.HasPrefix(ns, "openshift-") || strings.HasPrefix(ns, "kube-") {
				f.cluster(m, i, m.atPlace(at), "run its workloads in another namespace",
					"the namespace %s belongs to the platform, and user workload monitoring ignores monitors there", ns)
			}
		})
	}
}

const queryScope = "external_services.prometheus.query_scope"

func istiodMonitors(m *mesh, f *found) {
	for i := range m.clusters {
		if c := &m.Spec.Clusters[i]; c.ControlPlane.Mode == "local" || len(c.OtherControlPlanes()) > 0 {
			continue
		}
		for _, r := range m.clusters[i].Resources {
			object := m.body(r)
			if resource.IDOf(object).Kind == "ServiceMonitor" && valueAt(object, fieldPath{"spec", "selector", "matchLabels", "istio"}) == "pilot" {
				f.cluster(m, i, m.At("spec", "clusters", i, "controlPlane", "mode"),
					"leave it out, or write controlPlane: {mode: local} if an istiod runs here",
					"there is a ServiceMonitor for istiod, but no istiod runs here (controlPlane.mode: %s)", m.Spec.Clusters[i].ControlPlane.Mode)
			}
		}
	}
}

func revisionTags(m *mesh, f *found) {
	for _, o := range m.kinds("ServiceMonitor") {
		if o.value(spec("selector.matchLabels").below("istio")) != "pilot" {
			continue
		}
		expressions, _ := o.value(spec("selector.matchExpressions")).([]any)
		if !slices.ContainsFunc(expressions, func(e any) bool {
			return valueAt(e, fieldPath{"key"}) == "istio.io/tag" && valueAt(e, fieldPath{"operator"}) == "DoesNotExist"
		}) {
			f.object(o, spec("selector"), "leave the selector as rendered",
				"the ServiceMonitor %s also selects the Service of a revision tag, and scrapes istiod twice", o.ID.Name)
		}
	}
}
