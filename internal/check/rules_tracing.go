package check

import (
	"net/url"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
)

// tracingRules are about the tracing backend of the hub's Kiali.
func tracingRules() []Rule {
	return []Rule{
		{
			ID: "TR01", Also: finding.Warning,
			Title: "Kiali uses the protocol of the tracing backend's port",
			What: "With provider tempo, use_grpc is false for the HTTP port 3200 and for the gateway. The gRPC port 9095 is in grpc_port, " +
				"not in internal_url, because internal_url is the HTTP address. With Jaeger, use_grpc is false for the HTTP port 16686, but " +
				"not for the gRPC port 16685.",
			Why:    "use_grpc is true by default. Kiali then uses gRPC on an HTTP port, and the traces tab stays empty.",
			Fix:    "Add use_grpc: false, or use the gRPC address. With spec.tracing it follows from the URL.",
			Source: "kiali-operator roles/default/kiali-deploy/defaults/main.yml; kiali/kiali tracing/client.go",
			mesh:   tracingProtocol,
		},
		{
			ID:     "TR02",
			Title:  "links to OpenShift's traces are complete",
			What:   "With tempo_config.url_format openshift, tempo_config has name, namespace and tenant.",
			Why:    "The address of the console's traces page needs all three. Without them, the links lead nowhere.",
			Fix:    "Add the name and namespace of the TempoStack, and the tenant.",
			Source: "kiali.io, Tempo configuration",
			mesh:   tempoLinks,
		},
		{
			ID: "TR03", Severity: finding.Warning,
			Title: "only the hub has a tracing backend",
			What:  "No remote has external_services.tracing in its kiali.spec.",
			Why: "No Kiali server runs on a remote, so the setting has no effect. The hub's Kiali reads the spans of all clusters from " +
				"one backend.",
			Fix:    "Set the backend in spec.kiali.spec. Let the collector of each cluster send its spans there.",
			Source: "kiali.io, multi-cluster tracing",
			mesh:   tracingOnRemotes,
		},
		{
			ID: "TR04", Severity: finding.Warning,
			Title: "accounts at the gateway have a role for the tenant",
			What: "If the hub's Kiali asks the gateway of a TempoStack with its own token, a ClusterRole with get of the tenant's traces is " +
				"bound to its account. If a collector writes to the gateway, a ClusterRole with create is bound to the collector's account.",
			Why: "The gateway answers 403 to any other account. The traces tab stays empty, or spans are lost.",
			Fix: "With spec.tracing, Sightline renders both. Otherwise add a ClusterRole with apiGroups [tempo.grafana.com], resources " +
				"[<tenant>], resourceNames [traces], verbs [get], and bind it to <instance>-service-account. If somebody else has done so, " +
				"suppress the rule.",
			Source: "tempo-operator, multitenancy",
			mesh:   tenantRoles,
		},
		{
			ID:     "TR05",
			Title:  "sampling is a percentage",
			What:   "spec.tracing.sampling, and randomSamplingPercentage of the Telemetry, are numbers from 0 to 100.",
			Why:    "Otherwise Istio's webhook refuses the Telemetry, and the settings for metrics in it too.",
			Fix:    "Write a percentage: 1 means one of a hundred requests.",
			Source: "istio pkg/config/validation, Telemetry",
			mesh:   samplingOfTelemetry,
		},
		{
			ID: "TR06", Severity: finding.Warning,
			Title: "links to OpenShift's traces lead to the console",
			What: "With tempo_config.url_format openshift, external_url is the URL of the hub's console, " +
				"https://console-openshift-console.<domain>.",
			Why: "Kiali appends /observe/traces to external_url. This is a page of the console; the gateway and Tempo do not have it. " +
				"Without external_url there are no links.",
			Fix:    "Write the console's URL. If the console has another host, suppress the rule.",
			Source: "kiali/kiali frontend, utils/tracing; kiali.io, Tempo configuration",
			mesh:   consoleLinks,
		},
		{
			ID:    "TR07",
			Title: "a root namespace has one Telemetry",
			What:  "No two topologies render Telemetries of different names into one namespace of one cluster.",
			Why: "Istio uses only the oldest Telemetry without a selector in the root namespace, for metrics, tracing and access logs. It " +
				"silently ignores the others.",
			Fix:    "Write telemetry: {manage: false} in one of the two topologies.",
			Source: "istio pilot/pkg/model/telemetry.go, namespaceWideTelemetryConfig; istioctl analyze, IST0160",
			meshes: secondTelemetry,
		},
		{
			ID: "TR08", Also: finding.Info,
			Title:  "the Kiali release line supports traces",
			What:   "With spec.tracing, the hub's Kiali is v2.4 or later. Before v2.17, Kiali has no fields for links to the console.",
			Why:    "v1.73 has other fields and supports only Jaeger. v2.4 and v2.11 show the traces of a TempoStack, but cannot link to them.",
			Fix:    "Use a later release line.",
			Source: "kiali-operator roles/*/kiali-deploy/defaults/main.yml",
			mesh:   linksOfLine,
		},
		{
			ID:    "TR09",
			Title: "remotes send spans with a certificate",
			What: "If Sightline renders the collectors and a remote has proxies, spec.tracing.collectors.certificates names the source of " +
				"the certificates for both sides.",
			Why: "The hub's receiver is reachable from outside. Without certificates anybody could write traces, so Sightline renders no " +
				"receiver without them.",
			Fix: "Name an issuer of cert-manager that every cluster has, with the same CA. Or name existing Secrets with ca.crt, tls.crt " +
				"and tls.key.",
			Source: "opentelemetry-collector config/configtls",
		},
		{
			ID: "TR10", Severity: finding.Info,
			Title: "Istio knows the collector",
			What: "With spec.tracing, the owner of the mesh must add the extension provider from the Telemetry to Istio's meshConfig on " +
				"each cluster. This is a reminder.",
			Why:    "Istio ignores an unknown provider, and proxies send no spans. Sightline does not manage meshConfig.",
			Fix:    "Add the lines on each cluster (docs/tracing.md), and suppress the rule. sightline status checks them.",
			Source: "istio.io, MeshConfig.ExtensionProvider",
			mesh:   extensionProviders,
		},
	}
}

func tracingProtocol(m *mesh, f *found) {
	o := m.hubKiali()
	switch {
	case o == nil:
	case o.text("external_services.tracing.provider") == "tempo" && !m.of(o).KialiBefore(kiali.V2_4):
		tempoProtocol(o, f)
	case o.text("external_services.tracing.provider") != "tempo" && o.has("external_services.tracing"):
		jaegerProtocol(o, f)
	}
}

// jaegerProtocol checks use_grpc for Jaeger: its query service has HTTP on port
// 16686 and gRPC on port 16685. Kiali's defaults are Jaeger and gRPC.
func jaegerProtocol(o *object, f *found) {
	const at = "external_services.tracing.internal_url"
	u, err := url.Parse(o.text(at))
	if err != nil {
		return
	}
	switch grpc := !o.is("external_services.tracing.use_grpc", false); {
	case grpc && u.Port() == "16686":
		f.object(o, spec(at), "add use_grpc: false next to internal_url, or use port 16685",
			"Jaeger's port 16686 speaks HTTP, but Kiali uses gRPC unless use_grpc is false")
	case !grpc && u.Port() == "16685":
		f.object(o, spec(at), "remove use_grpc: false, or use port 16686",
			"Jaeger's port 16685 speaks gRPC, but with use_grpc: false Kiali uses HTTP")
	}
}

func tempoProtocol(o *object, f *found) {
	const at = "external_services.tracing.internal_url"
	u, err := url.Parse(o.text(at))
	if err != nil || u.Host == "" {
		return
	}
	grpc := !o.is("external_services.tracing.use_grpc", false)
	switch {
	case grpc && (u.Port() == "3200" || strings.Contains(u.Path, "/api/traces/") || strings.Contains(u.Hostname(), "-gateway")):
		path := spec(at)
		if o.has("external_services.tracing.use_grpc") {
			path = spec("external_services.tracing.use_grpc")
		}
		f.object(o, path, "add use_grpc: false next to internal_url, or use the address of the query frontend's gRPC port 9095",
			"Tempo's %s speaks HTTP, but Kiali uses gRPC unless use_grpc is false", tempoPort(u))
	case grpc && u.Port() == "9095" && u.Scheme == "http":
		f.softer(finding.Warning).object(o, spec(at), "write use_grpc: false with the HTTP port 3200, or leave the port to grpc_port",
			"port 9095 speaks gRPC, but internal_url is an http URL")
	case !grpc && u.Port() == "9095":
		f.softer(finding.Warning).object(o, spec(at), "use the HTTP port of the query frontend, 3200",
			"Tempo's port 9095 speaks gRPC, but Kiali uses HTTP")
	}
}

func tempoPort(u *url.URL) string {
	if u.Port() == "3200" {
		return "port 3200"
	}
	return "gateway"
}

func tempoLinks(m *mesh, f *found) {
	o := m.hubKiali()
	const at = "external_services.tracing.tempo_config."
	if o == nil || o.text(at+"url_format") != "openshift" {
		return
	}
	var missing []string
	for _, key := range []string{"name", "namespace", "tenant"} {
		if o.text(at+key) == "" {
			missing = append(missing, key)
		}
	}
	if len(missing) > 0 {
		f.object(o, spec(at+"url_format"), "add "+strings.Join(missing, ", ")+" next to it, with the values of the TempoStack",
			"url_format openshift needs name, namespace and tenant in tempo_config; missing: %s", strings.Join(missing, ", "))
	}
}

func tracingOnRemotes(m *mesh, f *found) {
	for i, o := range m.kialis {
		if i != m.hub && o != nil && o.has("external_services.tracing") {
			f.object(o, spec("external_services.tracing"), "move it to spec.kiali.spec, which is for the hub",
				"external_services.tracing has no effect on a remote; no Kiali server runs there")
		}
	}
}
