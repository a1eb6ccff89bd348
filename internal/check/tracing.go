package check

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// gatewayURL tells whether a URL is the gateway of a TempoStack, and returns
// the tenant in it.
func gatewayURL(s string) (tenant string, ok bool) {
	u, err := url.Parse(s)
	if err != nil || !strings.Contains(u.Hostname(), "-gateway") {
		return "", false
	}
	_, rest, _ := strings.Cut(u.Path, "/api/traces/v1/")
	tenant, _, _ = strings.Cut(rest, "/")
	return tenant, true
}

// tenantRoles requires a role for every account that uses the gateway.
func tenantRoles(m *mesh, f *found) {
	const at = "external_services.tracing."
	if o := m.hubKiali(); o != nil && o.text(at+"provider") == "tempo" && o.is(at+"auth.use_kiali_token", true) {
		tenant, ok := gatewayURL(o.text(at + "internal_url"))
		tenant = cmp.Or(tenant, o.text(at+"tempo_config.tenant"), "<tenant>")
		if ok && !m.mayUse(tenant, "get", m.Account(), m.Spec.Kiali.Namespace) {
			f.object(o, spec(at+"internal_url"), "use spec.tracing; or bind a ClusterRole with apiGroups [tempo.grafana.com], resources "+
				"["+tenant+"], resourceNames [traces], verbs [get] to "+m.Account()+", and suppress TR04",
				"to read traces from the gateway, Kiali's account needs a role for the tenant, but none is rendered")
		}
	}
	for _, o := range m.kinds("OpenTelemetryCollector") {
		exporters, _ := o.value(spec("config.exporters")).(map[string]any)
		for _, name := range sortedKeys(exporters) {
			endpoint, _ := valueAt(exporters[name], fieldPath{"endpoint"}).(string)
			if tenant, ok := gatewayURL(endpoint); ok && !m.mayUse(tenant, "create", o.ID.Name+"-collector", o.ID.Namespace) {
				f.object(o, spec("config.exporters").below(name, "endpoint"),
					"bind a ClusterRole with apiGroups [tempo.grafana.com], resources ["+tenant+"], resourceNames [traces], verbs [create] to "+
						""+o.ID.Name+"-collector",
					"to write traces to the gateway, the account of %s needs a role for the tenant, but none is rendered", o)
			}
		}
	}
}

// mayUse tells whether a rendered role allows a verb on the traces of a tenant
// and is bound to the account.
func (m *mesh) mayUse(tenant, verb, account, namespace string) bool {
	return slices.ContainsFunc(m.kinds("ClusterRoleBinding"), func(binding *object) bool {
		subjects, _ := binding.content["subjects"].([]any)
		bound := slices.ContainsFunc(subjects, func(s any) bool {
			return valueAt(s, fieldPath{"kind"}) == "ServiceAccount" && valueAt(s, fieldPath{"name"}) == account && valueAt(s,
				fieldPath{"namespace"}) == namespace
		})
		return bound && slices.ContainsFunc(m.kinds("ClusterRole"), func(role *object) bool {
			rules, _ := role.content["rules"].([]any)
			return role.ID.Name == binding.value(fieldPath{"roleRef", "name"}) && slices.ContainsFunc(rules, func(rule any) bool {
				return lists(rule, "apiGroups", "tempo.grafana.com") && lists(rule, "resources", tenant) && lists(rule, "resourceNames", "traces") &&
					lists(rule, "verbs", verb)
			})
		})
	})
}

// lists tells whether a list in an RBAC rule has a value.
func lists(rule any, key, value string) bool {
	list, _ := valueAt(rule, fieldPath{key}).([]any)
	return slices.Contains(list, any(value)) || slices.Contains(list, any("*"))
}

func samplingOfTelemetry(m *mesh, f *found) {
	for _, o := range m.kinds("Telemetry") {
		entries, _ := o.value(spec("tracing")).([]any)
		for i, entry := range entries {
			v := valueAt(entry, fieldPath{"randomSamplingPercentage"})
			if v == nil {
				continue
			}
			if x, err := strconv.ParseFloat(fmt.Sprint(v), 64); err != nil || x < 0 || x > 100 {
				f.object(o, spec("tracing").below(i, "randomSamplingPercentage"), "write a number from 0 to 100; 1 means one of a hundred requests",
					"randomSamplingPercentage of the Telemetry is %v, which is not a percentage", v)
			}
		}
	}
}

func consoleLinks(m *mesh, f *found) {
	const at = "external_services.tracing."
	o := m.hubKiali()
	if o == nil || o.text(at+"tempo_config.url_format") != "openshift" {
		return
	}
	console := cmp.Or(m.Console(), "https://console-openshift-console.<domain of the hub>")
	hint := "write external_url: " + console + ", or suppress TR06 if the console has another host"
	external := o.text(at + "external_url")
	switch u, err := url.Parse(external); {
	case external == "":
		f.object(o, spec(at+"tempo_config.url_format"), hint, "with url_format openshift, external_url must be the console's URL, but it "+
			"is missing; there are no links to traces")
	case err == nil && strings.HasPrefix(u.Hostname(), "console-openshift-console.") &&
		(m.Console() == "" || strings.TrimRight(external, "/") == m.Console()):
	default:
		f.object(o, spec(at+"external_url"), hint, "with url_format openshift, external_url must be the console's URL, found %s",
			finding.Shorten(external))
	}
}

func secondTelemetry(ms []*mesh, f *found) {
	for j, m := range ms {
		for _, other := range ms[:j] {
			for _, pair := range sharedServers(m, other) {
				ours, theirs := m.telemetryOn(pair[0]), other.telemetryOn(pair[1])
				if ours.Name == "" || theirs.Name == "" || ours.Namespace != theirs.Namespace || ours.Name == theirs.Name {
					continue
				}
				at := m.KeyAt("spec", "telemetry")
				f.cluster(m, pair[0], at, "write telemetry: {manage: false} in one of the two topologies",
					"the Telemetry %s/%s is the second in its namespace, after %s of the topology %q; Istio uses only the oldest", ours.Namespace,
					ours.Name, theirs.Name, other.Metadata.Name)
			}
		}
	}
}

// telemetryOn is the identity of the Telemetry that is rendered for a cluster.
func (m *mesh) telemetryOn(i int) resource.ID {
	for _, r := range m.clusters[i].Resources {
		for values := range m.clusters[i].Each(r) {
			if id, err := r.Body.ID(values); err == nil && id.Kind == "Telemetry" {
				return id
			}
		}
	}
	return resource.ID{}
}

func linksOfLine(m *mesh, f *found) {
	if m.TracesIn() == "stack" && m.Spec.Tracing.ExternalURL() == "" && !m.LinksToConsole() {
		f.softer(finding.Info).on(m, m.At("spec", "tracing"), "use v2.17 or a later release line; if another page shows the traces, set "+
			"tempo.externalURL",
			"Kiali %s shows traces, but has no fields for links to them in OpenShift's console", m.Hub().Kiali.Version)
	}
}

func extensionProviders(m *mesh, f *found) {
	if m.Spec.Tracing == nil {
		return
	}
	hint := "add them to the Istio resource of each cluster (" + finding.Pages + "tracing.md), and suppress TR10"
	if !m.Spec.Telemetry.Manage {
		hint = "add them to the Istio resource of each cluster, and spec.tracing with the provider to the mesh's own Telemetry " +
			"(" + finding.Pages + "tracing.md); then suppress TR10"
	}
	f.on(m, m.At("spec", "tracing"), hint, "proxies send spans only after the owner of the mesh has added this to meshConfig on each "+
		"cluster: %s",
		extensionProvider(m.Topology))
}

// extensionProvider is the setting that meshConfig needs, in one line.
func extensionProvider(t *topology.Topology) string {
	service := "<the Service of your collector>"
	if t.TracesIn() == "stack" && t.Spec.Tracing.Collectors.Manage {
		namespace := t.Spec.Mesh.ControlPlaneNamespace
		if slices.ContainsFunc(t.Spec.Clusters, func(c topology.Cluster) bool { return c.ControlPlane.Namespace != namespace }) {
			namespace = "<controlPlane.namespace of the cluster>"
		}
		service = topology.Collector + "-collector." + namespace + ".svc.cluster.local"
	}
	return fmt.Sprintf("enableTracing: true, extensionProviders: [{name: %s, opentelemetry: {service: %s, port: %d}}]",
		t.Spec.Tracing.Provider, service, topology.CollectorPort)
}
