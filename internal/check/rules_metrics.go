package check

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// metricsRules are about what is scraped, and what Kiali asks for it.
func metricsRules() []Rule {
	return []Rule{
		{
			ID:     "PM01",
			Title:  "a monitor is for its own namespace",
			What:   "No monitor of an OpenShift cluster has namespaceSelector.",
			Why:    "User workload monitoring ignores it, so the other namespaces are not scraped.",
			Fix:    "Remove it; every namespace of the mesh has a monitor of its own.",
			Source: "cluster-monitoring-operator assets/prometheus-user-workload/prometheus.yaml (ignoreNamespaceSelectors)",
			mesh:   namespaceSelectors,
		},
		{
			ID:    "PM02",
			Title: "every namespace with proxies has one PodMonitor",
			What: "The namespaces of the topology and the cluster, its gateways, waypoints, ztunnel and the control plane have one PodMonitor " +
				"each.",
			Why:    "Without one the workloads there have no metrics; with two every request counts twice.",
			Fix:    "Leave the PodMonitors as they are rendered, and list namespaces in the topology.",
			Source: "the guide overwrites one of its two PodMonitors with the other",
			mesh:   monitorCoverage,
		},
		{
			ID:     "PM03",
			Title:  "user workload monitoring looks at the namespace",
			What:   "On OpenShift no namespace of the mesh is openshift-* or kube-*.",
			Why:    "These belong to the platform's own monitoring. A monitor there is ignored, and nothing says so.",
			Fix:    "Run the gateway or the control plane in a namespace of its own.",
			Source: "cluster-monitoring-operator assets/prometheus-user-workload/prometheus.yaml (podMonitorNamespaceSelector)",
			mesh:   platformNamespaces,
		},
		{
			ID:    "PM04",
			Title: "relabelings do what they say",
			What: "Every regex compiles as RE2 and has no escapes left over from a shell; replacements have no backslash, and refer to groups " +
				"that the regex has.",
			Why: "A regex that does not compile stops the whole configuration of Prometheus. One with \\\\d never matches: the metrics of " +
				"agent and application are lost, and names begin with a backslash.",
			Fix:    "Write (\\d+) and $1, as in a file that no shell has read.",
			Source: "Prometheus model/relabel; the guide's here-documents",
			mesh:   relabelSyntax,
		},
		{
			ID: "PM05", Severity: finding.Warning,
			Title:  "keep and drop have a regex",
			What:   "A relabeling with the action keep or drop has a regex.",
			Why:    "Without one it matches everything, the missing label too: keep keeps all, drop drops all.",
			Fix:    "Add regex: \"true\", or what the label should be.",
			Source: "Prometheus model/relabel (the default regex is (.*))",
			mesh:   relabelWithoutRegex,
		},
		{
			ID:     "PM06",
			Title:  "every series has the mesh id that Kiali asks for",
			What:   "Each monitor puts the topology's mesh id on its series as mesh_id, and query_scope of the hub has the same.",
			Why:    "A difference gives empty graphs and no error anywhere.",
			Fix:    "Leave the relabeling and query_scope as they are rendered from spec.mesh.id.",
			Source: "kiali graph/util.go; tried",
			mesh:   meshIDEverywhere,
		},
		{
			ID:     "PM07",
			Title:  "query_scope is compared, not matched",
			What:   "No value of query_scope has | * \" ' { } in it.",
			Why:    "Kiali puts the text between quotes and asks for equality. a|b is no choice, and a quote ends the query.",
			Fix:    "Choose a label that has one value on all series of the mesh.",
			Source: "kiali graph/util.go, business/metrics_labels_builder.go",
			mesh:   scopeValues,
		},
		{
			ID: "PM08", Also: finding.Warning,
			Title:  "the labels of query_scope are on the series",
			What:   "Each label of query_scope is one that the monitors add with that value, or an external label of the store's series.",
			Why:    "Kiali asks for series with the label only, and gets none: empty graphs, no error.",
			Fix:    "Remove it from query_scope, or add it to remoteWrite.config.prometheus.externalLabels.",
			Source: "kiali/kiali issue 6990",
			mesh:   scopeLabels,
		},
		{
			ID:     "PM09",
			Title:  "istiod is scraped where it runs",
			What:   "A ServiceMonitor of istiod is on clusters with controlPlane.mode local only.",
			Why:    "On others the Service of istiod has no port for it, and the target is never found.",
			Fix:    "Leave the ServiceMonitors as they are rendered, and give controlPlane.mode.",
			Source: "istio manifests/charts/istio-control/istio-discovery/templates",
			mesh:   istiodMonitors,
		},
		{
			ID: "PM10", Severity: finding.Warning,
			Title:  "istiod is scraped once",
			What:   "The ServiceMonitor of istiod leaves out Services with the label istio.io/tag.",
			Why:    "A revision tag has a Service that selects the same istiod, which is then counted twice.",
			Fix:    "Leave the selector as it is rendered.",
			Source: "istio manifests/charts/istio-control/istio-discovery/templates/revision-tags-svc.yaml",
			mesh:   revisionTags,
		},
		{
			ID:    "PM11",
			Title: "no label that Kiali needs is dropped",
			What: "No labeldrop, labelkeep or tagOverrides takes source_*, destination_*, reporter, request_protocol, response_code, " +
				"response_flags, grpc_response_status, connection_security_policy, app, namespace or mesh_id from the series.",
			Why:    "The graph is made of these labels. Without one of them it is empty or wrong.",
			Fix:    "Drop whole metrics that Kiali does not ask for, or request_operation.",
			Source: "kiali graph/telemetry/istio; kyma-project/kyma issue 9886",
			mesh:   droppedLabels,
		},
		{
			ID:    "PM12",
			Title: "Kiali may ask thanos-querier",
			What: "With metrics.store thanosQuerier the hub asks port 9091 with auth.type bearer and use_kiali_token, thanos_proxy is enabled, " +
				"and the account of the hub's Kiali has cluster-monitoring-view.",
			Why:    "Otherwise it gets 401 or 403, or asks for an endpoint that Thanos does not have.",
			Fix:    "Leave external_services.prometheus as it is rendered, or choose the store thanos for another one.",
			Source: "cluster-monitoring-operator assets/thanos-querier; kiali/kiali issue 4624",
			mesh:   thanosQuerier,
		},
		{
			ID: "PM13", Severity: finding.Warning,
			Title: "the store has the series of all clusters",
			What:  "With more than one cluster in the mesh the store is not the hub's own thanos-querier.",
			Why: "It has what the hub's proxies report, and nothing else. Traffic between two remotes is not in the graph, and workloads of " +
				"remotes have no metrics of their own.",
			Fix: "Send all series to one Thanos or Prometheus and write store: thanos or prometheus; or add the annotation " +
				"sightline.dev/suppress: PM13 to the topology if the hub's view will do.",
			Source: "kiali/kiali issues 7129, 3962",
			mesh:   localStore,
		},
		{
			ID:     "PM17",
			Title:  "Kiali's own token is sent as a bearer token",
			What:   "Where use_kiali_token is true, the auth.type beside it is bearer.",
			Why:    "Any other type ignores it, and oauth2 refuses it: Kiali asks without a login and gets 401.",
			Fix:    "Write type: bearer, or remove use_kiali_token.",
			Source: "kiali config/config.go",
			mesh:   kialiTokens,
		},
		{
			ID: "PM18", Severity: finding.Warning,
			Title:  "CAs are in the bundle",
			What:   "From v2.22 on no external service has auth.ca_file.",
			Why:    "It is ignored since 2.21. The connection fails with an unknown authority.",
			Fix:    "Put the CA into the key additional-ca-bundle.pem of the ConfigMap <instance>-cabundle in Kiali's namespace.",
			Source: "kiali.io, TLS configuration",
			mesh:   caFiles,
		},
		{
			ID: "PM19", Severity: finding.Warning,
			Title:  "Kiali trusts the store's certificate",
			What:   "From v2.22 on, with another strategy than openshift, the store is not an https Service of the OpenShift hub.",
			Why:    "Such a Service has a certificate of the cluster's service CA, which Kiali loads with the strategy openshift only.",
			Fix:    "Put the service CA into the key additional-ca-bundle.pem of the ConfigMap <instance>-cabundle, and suppress the rule.",
			Source: "kiali config/config.go (getCABundlePaths)",
			mesh:   serviceCA,
		},
		{
			ID: "PM20", Severity: finding.Warning,
			Title: "Kiali can see that the store is there",
			What: "From v2.27 on a store with custom_headers, or with a path that is known to have no /-/healthy (Mimir, Cortex, " +
				"VictoriaMetrics), has a health_check_url.",
			Why:    "Kiali asks <url>/-/healthy without the headers, and shows no metrics at all until it answers.",
			Fix:    "Add health_check_url: an address of the store that answers without headers.",
			Source: "kiali prometheus/lazy_client.go",
			mesh:   healthCheck,
		},
		{
			ID:     "PM21",
			Title:  "cluster-monitoring-config is ours as a whole or not at all",
			What:   "With userWorkloadMonitoring.manage its config is the whole text and turns on enableUserWorkload; without, there is no config.",
			Why:    "The ConfigMap is one text. Writing it replaces retention, volumes and alerting that somebody else has set.",
			Fix:    "Give the whole content, or leave it to whoever owns it.",
			Source: "cluster-monitoring-operator Documentation/api.md",
		},
		{
			ID: "PM22", Severity: finding.Warning,
			Title: "limits leave room for Istio's series",
			What:  "enforcedLabelLimit is at least 40 and enforcedSampleLimit at least 5,000 in remoteWrite.config.prometheus.",
			Why: "A series of Istio has about 30 labels, and a busy proxy thousands of series. Above a limit the whole target fails, and only " +
				"its page in the console says why.",
			Fix:    "Raise the limit, or leave it out.",
			Source: "cluster-monitoring-operator Documentation/api.md",
			mesh:   lowLimits,
		},
		{
			ID: "PM23", Severity: finding.Warning,
			Title: "a mesh has one mesh-wide Telemetry",
			What: "No cluster gets two Telemetry resources without selector in its root namespace. IN12 is about two topologies that both " +
				"have one there.",
			Why:    "Istio takes one of them, the older, and ignores the other.",
			Fix:    "Write telemetry.manage: false, and keep the other one.",
			Source: "istio.io, Telemetry",
			mesh:   telemetries,
		},
		{
			ID: "PM24", Severity: finding.Warning,
			Title: "intervals are those of one store",
			What:  "Every interval is between 5 seconds and 5 minutes, and the clusters of one store have the same.",
			Why: "A rate over less than two intervals is empty. With different ones Kiali has to be told the longest, and asks for coarse " +
				"rates everywhere.",
			Fix:    "Use one interval; or suppress the rule where a slow line leaves no choice.",
			Source: "cluster-monitoring-operator Documentation/api.md; kiali thanos_proxy.scrape_interval",
			mesh:   intervals,
		},
		{
			ID: "PM25", Severity: finding.Warning,
			Title:  "series of two clusters stay two",
			What:   "With remoteWrite each cluster's external labels differ from those of the others.",
			Why:    "Equal series of two clusters would be one in the store, and requests get lost.",
			Fix:    "Leave the external label of remoteWrite.clusterLabel as it is rendered.",
			Source: "Thanos, external labels",
			mesh:   externalLabels,
		},
		{
			ID:    "PM26",
			Title: "credentials are references",
			What: "A field whose name says that it holds a credential (its last word is password, token, secret, authorization, credentials, or " +
				"key after api, access, secret, private and the like) has secret:<name>:<key>, the path of a file, or an object with the name and " +
				"key of a Secret. So do variables (name and value), options of a program and headers of these names, in the topology and in what is " +
				"rendered.",
			Why:    "Everything else is the credential itself, and it would stand in Git. No message repeats it.",
			Fix:    "Put it into a Secret in Kiali's namespace, write the reference, and make a new credential if this one was committed.",
			Source: "kiali config/credentials.go",
			mesh:   literalCredentials,
		},
	}
}

func (m *mesh) monitors() []*object { return m.kinds("PodMonitor", "ServiceMonitor") }

func namespaceSelectors(m *mesh, f *found) {
	for _, o := range m.monitors() {
		if m.of(o).Platform == "openshift" && o.has("namespaceSelector") {
			f.object(o, spec("namespaceSelector"), "remove it; every namespace of the mesh has a monitor of its own",
				"the %s %s has a namespaceSelector, which user workload monitoring ignores", o.ID.Kind, o.ID.Name)
		}
	}
}

// place is that of a name in the topology: the value at a path, or an entry of the
// list there. Rules look at many names, and say of few where they are.
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

// covered lists the namespaces of a cluster in which proxies run, with the
// place in the topology that says so.
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
	list(c.Namespaces, "spec", "clusters", i, "namespaces")
	list(c.Gateways, "spec", "clusters", i, "gateways")
	list(c.Waypoints, "spec", "clusters", i, "waypoints")
}

func monitorCoverage(m *mesh, f *found) {
	if !m.Spec.Metrics.Monitors.Manage {
		return
	}
	for i := range m.clusters {
		monitors := map[string]int{}
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
		told := map[string]bool{}
		m.covered(i, func(ns string, at place) {
			if n := monitors[ns]; n != 1 && !told[ns] {
				told[ns] = true
				count := "no PodMonitor"
				if n > 1 {
					count = strconv.Itoa(n) + " PodMonitors"
				}
				f.cluster(m, i, m.atPlace(at), "leave the PodMonitors as they are rendered: one for each namespace", "the namespace %s has %s", ns,
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
				f.cluster(m, i, m.atPlace(at), "run what is there in a namespace of its own",
					"the namespace %s is the platform's, and user workload monitoring does not look at monitors there", ns)
			}
		})
	}
}

const queryScope = "external_services.prometheus.query_scope"

func meshIDEverywhere(m *mesh, f *found) {
	want := m.Spec.Mesh.ID
	if o := m.hubKiali(); o != nil && m.Spec.Metrics.Scope.Word() == "meshID" {
		if got, _ := o.value(spec(queryScope).below(kiali.MeshID)).(string); got != want {
			f.object(o, spec(queryScope).below(kiali.MeshID), "leave query_scope.mesh_id as it is rendered from spec.mesh.id; or write metrics: "+
				"{scope: none} where the series have none", "Kiali asks for the mesh id %q; expected %q, which is on the series", got, want)
		}
	}
	for _, o := range m.monitors() {
		if got, ok := m.targetLabels(o)[kiali.MeshID]; !ok || got != want {
			f.object(o, fieldPath{"spec"}, "leave the relabeling to mesh_id as it is rendered from spec.mesh.id",
				"the %s %s puts the mesh id %q on its series; expected %q, which Kiali asks for", o.ID.Kind, o.ID.Name, got, want)
		}
	}
}

// targetLabels are the constant labels that every endpoint of a monitor adds.
func (m *mesh) targetLabels(o *object) map[string]string {
	labels := map[string]string{}
	first := true
	for _, list := range []string{"podMetricsEndpoints", "endpoints"} {
		endpoints, _ := o.value(spec(list)).([]any)
		for i := range endpoints {
			own := map[string]string{}
			rules, _ := o.value(spec(list).below(i, "relabelings")).([]any)
			for _, rule := range rules {
				r := relabeling{}
				r.rule, _ = rule.(map[string]any)
				target, _ := r.text("targetLabel")
				if r.action() == "replace" && target != "" {
					own[target], _ = r.text("replacement")
				}
			}
			if first {
				labels, first = own, false
				continue
			}
			for name := range labels {
				if own[name] != labels[name] {
					delete(labels, name)
				}
			}
		}
	}
	return labels
}

func scopeValues(m *mesh, f *found) {
	o := m.hubKiali()
	if o == nil {
		return
	}
	for _, store := range []string{"external_services.prometheus", "external_services.custom_dashboards.prometheus"} {
		scope, _ := o.value(spec(store + ".query_scope")).(map[string]any)
		for _, label := range sortedKeys(scope) {
			if value, _ := scope[label].(string); strings.ContainsAny(value, `|*"'{}`) {
				f.object(o, spec(store+".query_scope").below(label), "choose a label that has one value on all series of the mesh",
					"query_scope asks for series whose %s is %q to the letter; it is no pattern", label, finding.Shorten(value))
			}
		}
	}
}

func scopeLabels(m *mesh, f *found) {
	o := m.hubKiali()
	if o == nil {
		return
	}
	scope, _ := o.value(spec(queryScope)).(map[string]any)
	for _, label := range sortedKeys(scope) {
		value, _ := scope[label].(string)
		if label == kiali.MeshID && m.Spec.Metrics.Scope.Word() == "meshID" || strings.ContainsAny(value, `|*"'{}`) {
			continue
		}
		missing := (*object)(nil)
		for _, monitor := range m.monitors() {
			if m.targetLabels(monitor)[label] != value {
				missing = monitor
			}
		}
		w := m.Spec.Metrics.Thanos.RemoteWrite
		external := ""
		if w != nil {
			external, _ = valueAt(w.Config, fieldPath{"prometheus", "externalLabels", label}).(string)
		}
		if missing == nil || external == value {
			continue
		}
		// Beside the mesh's id it has to be on the same series.
		alone := ""
		if scope[kiali.MeshID] != nil && m.Has("spec", "kiali", "spec", "external_services", "prometheus", "query_scope", label) {
			alone = "; to ask by this label alone, write metrics: {scope: {" + label + ": " + finding.Shorten(value) + "}} in its place"
		}
		const hint = "remove it; or add it to remoteWrite.config.prometheus.externalLabels, with the store thanos"
		if decided := m.Spec.Metrics.Store == "thanosQuerier" || m.Spec.Metrics.Store == "thanos" && w != nil; !decided {
			if m.Spec.Metrics.Scope[label] == value {
				continue // the topology says so, and only it can know
			}
			f.softer(finding.Warning).object(o, spec(queryScope).below(label),
				"make sure that the store's series have it as an external label, and suppress PM08"+alone,
				"query_scope asks for series with %s=%q, which no monitor of the topology adds", label, value)
			continue
		}
		f.object(o, spec(queryScope).below(label), hint, "query_scope asks for series with %s=%q, which no monitor and no external label adds; "+
			"every graph would be empty", label, value)
	}
}

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
					"there is a ServiceMonitor of istiod, and no istiod runs here (controlPlane.mode: %s)", m.Spec.Clusters[i].ControlPlane.Mode)
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
			f.object(o, spec("selector"), "leave the selector as it is rendered",
				"the ServiceMonitor %s takes the Service of a revision tag too, and scrapes an istiod twice", o.ID.Name)
		}
	}
}

func droppedLabels(m *mesh, f *found) {
	m.relabelings(func(r relabeling) {
		if !r.metric && r.action() == "labeldrop" {
			r.metric = true // labels of a target are those of its series
		}
		text, ok := r.text("regex")
		re, err := regexp.Compile("^(?s:" + text + ")$")
		if !ok || err != nil || !r.metric || r.action() != "labeldrop" && r.action() != "labelkeep" {
			return
		}
		var lost []string
		for _, label := range kiali.Labels() {
			if re.MatchString(label) == (r.action() == "labeldrop") {
				lost = append(lost, label)
			}
		}
		if len(lost) > 0 {
			f.relabeling(m, r, "regex", "drop whole metrics that Kiali does not ask for, or request_operation",
				"%s takes %s from the series, which Kiali's graph needs", r.action(), finding.List(lost, most))
		}
	})
	for _, o := range m.kinds("Telemetry") {
		walk(o.content["spec"], fieldPath{"spec"}, func(path fieldPath, v any) {
			if len(path) < 3 || path[len(path)-1] != "operation" || v != "REMOVE" || path[len(path)-3] != "tagOverrides" {
				return
			}
			if tag, _ := path[len(path)-2].(string); slices.Contains(kiali.Labels(), tag) {
				f.object(o, path, "leave the tag, or remove request_operation", "the Telemetry %s takes %s from the series, which Kiali's graph needs",
					o.ID.Name, tag)
			}
		})
	}
}
