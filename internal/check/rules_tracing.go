package check

import (
	"net/url"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
)

// tracingRules are about the one tracing backend that a Kiali has.
func tracingRules() []Rule {
	return []Rule{
		{
			ID: "TR01", Also: finding.Warning,
			Title: "the tracing backend is asked by the protocol that its port speaks",
			What: "With provider tempo, use_grpc is false for the HTTP port 3200 and for the gateway, and the gRPC port 9095 is not given in " +
				"internal_url, which is the HTTP address; grpc_port has the other. With Jaeger, use_grpc is false for the HTTP port 16686, and " +
				"not for the gRPC port 16685.",
			Why:    "use_grpc is true unless said otherwise. Kiali then speaks gRPC to an HTTP port, and the traces tab stays empty.",
			Fix:    "Add use_grpc: false, or give the gRPC address. With spec.tracing it follows from the URL.",
			Source: "kiali-operator roles/default/kiali-deploy/defaults/main.yml; kiali/kiali tracing/client.go",
			mesh:   tracingProtocol,
		},
		{
			ID:     "TR02",
			Title:  "links to OpenShift's traces say where",
			What:   "With tempo_config.url_format openshift, tempo_config has name, namespace and tenant.",
			Why:    "The console's page of traces needs all three in its address; without them the links lead nowhere.",
			Fix:    "Add the name and namespace of the TempoStack, and the tenant.",
			Source: "kiali.io, Tempo configuration",
			mesh:   tempoLinks,
		},
		{
			ID: "TR03", Severity: finding.Warning,
			Title:  "there is one tracing backend, the hub's",
			What:   "No remote has external_services.tracing in its kiali.spec.",
			Why:    "A remote runs no Kiali server, so its setting has no effect. The hub's Kiali asks one backend for the spans of all clusters.",
			Fix:    "Give the backend in spec.kiali.spec, and have each cluster's collector send its spans there.",
			Source: "kiali.io, multi-cluster tracing",
			mesh:   tracingOnRemotes,
		},
		{
			ID: "TR04", Severity: finding.Warning,
			Title: "whoever asks the gateway may use the tenant",
			What: "Where the hub's Kiali asks the gateway of a TempoStack with its own token, a ClusterRole with get of the tenant's traces is " +
				"bound to its account; and one with create to the account of each collector that writes to the gateway.",
			Why: "The gateway answers 403 to everybody else. The traces tab stays empty, or spans are lost.",
			Fix: "With spec.tracing both are rendered. Else add a ClusterRole with apiGroups [tempo.grafana.com], resources [<tenant>], " +
				"resourceNames [traces], verbs [get], and bind it to <instance>-service-account; suppress the rule where somebody else has done so.",
			Source: "tempo-operator, multitenancy",
			mesh:   tenantRoles,
		},
		{
			ID:     "TR05",
			Title:  "sampling is a percentage",
			What:   "spec.tracing.sampling, and randomSamplingPercentage of the Telemetry, are numbers from 0 to 100.",
			Why:    "Istio's webhook refuses the Telemetry, and with it the metrics.",
			Fix:    "Write a percentage: 1 is one request of a hundred.",
			Source: "istio pkg/config/validation, Telemetry",
			mesh:   samplingOfTelemetry,
		},
		{
			ID: "TR06", Severity: finding.Warning,
			Title: "links to OpenShift's traces lead to the console",
			What: "With tempo_config.url_format openshift, external_url is the URL of the hub's console, " +
				"https://console-openshift-console.<domain>.",
			Why: "Kiali adds /observe/traces to external_url, which is a page of the console; the gateway and Tempo have none. Without " +
				"external_url there are no links.",
			Fix:    "Give the console's URL. Where the console has another host, suppress the rule.",
			Source: "kiali/kiali frontend, utils/tracing; kiali.io, Tempo configuration",
			mesh:   consoleLinks,
		},
		{
			ID:    "TR07",
			Title: "a root namespace has one Telemetry",
			What:  "No two topologies render Telemetries of different names into one namespace of one cluster.",
			Why: "Istio uses the oldest Telemetry without selector of the root namespace, for metrics, tracing and access logs together, and " +
				"ignores the other without a word.",
			Fix:    "Write telemetry: {manage: false} in one of the two.",
			Source: "istio pilot/pkg/model/telemetry.go, namespaceWideTelemetryConfig; istioctl analyze, IST0160",
			meshes: secondTelemetry,
		},
		{
			ID: "TR08", Also: finding.Info,
			Title:  "the line of Kiali has the fields of traces",
			What:   "With spec.tracing the hub's Kiali is v2.4 or later. Before v2.17 it has no fields for links to the console.",
			Why:    "v1.73 has other fields, and knows Jaeger only. v2.4 and v2.11 show the traces of a TempoStack, but cannot link to them.",
			Fix:    "Use a later line.",
			Source: "kiali-operator roles/*/kiali-deploy/defaults/main.yml",
			mesh:   linksOfLine,
		},
		{
			ID:    "TR09",
			Title: "spans of remotes are sent with a certificate",
			What: "Where the collectors are rendered and a remote has proxies, spec.tracing.collectors.certificates says where both sides have " +
				"their certificates from.",
			Why: "The hub's receiver is reached from everywhere. Without a certificate anybody could write traces, so there is no such receiver.",
			Fix: "Name an issuer of cert-manager that every cluster has, of one CA; or Secrets with ca.crt, tls.crt and tls.key that are there " +
				"already.",
			Source: "opentelemetry-collector config/configtls",
		},
		{
			ID: "TR10", Severity: finding.Info,
			Title: "the mesh knows the collector",
			What: "With spec.tracing, what the owner of the mesh adds to meshConfig of Istio on each cluster: the extension provider that the " +
				"Telemetry names.",
			Why:    "Istio ignores a provider that it does not know, and proxies send no spans. meshConfig is not Sightline's.",
			Fix:    "Add the lines on each cluster (docs/tracing.md), and suppress the rule. sightline status looks whether they are there.",
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

// jaegerProtocol: Jaeger's query service has HTTP on 16686 and gRPC on 16685, and
// Kiali takes Jaeger and gRPC unless told otherwise.
func jaegerProtocol(o *object, f *found) {
	const at = "external_services.tracing.internal_url"
	u, err := url.Parse(o.text(at))
	if err != nil {
		return
	}
	switch grpc := !o.is("external_services.tracing.use_grpc", false); {
	case grpc && u.Port() == "16686":
		f.object(o, spec(at), "add use_grpc: false beside internal_url, or give port 16685",
			"Jaeger's port 16686 speaks HTTP, and Kiali asks by gRPC unless use_grpc is false")
	case !grpc && u.Port() == "16685":
		f.object(o, spec(at), "remove use_grpc: false, or give port 16686",
			"Jaeger's port 16685 speaks gRPC, and with use_grpc: false Kiali asks by HTTP")
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
		f.object(o, path, "add use_grpc: false beside internal_url, or give the address of the query frontend's gRPC port 9095",
			"Tempo's %s speaks HTTP, and Kiali asks by gRPC unless use_grpc is false", tempoPort(u))
	case grpc && u.Port() == "9095" && u.Scheme == "http":
		f.softer(finding.Warning).object(o, spec(at), "write use_grpc: false with the HTTP port 3200, or leave the port to grpc_port",
			"port 9095 speaks gRPC, and internal_url is an http URL")
	case !grpc && u.Port() == "9095":
		f.softer(finding.Warning).object(o, spec(at), "give the HTTP port of the query frontend, 3200",
			"Tempo's port 9095 speaks gRPC, and Kiali asks by HTTP")
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
		f.object(o, spec(at+"url_format"), "add "+strings.Join(missing, ", ")+" beside it, as the TempoStack has them",
			"url_format openshift needs name, namespace and tenant in tempo_config; missing: %s", strings.Join(missing, ", "))
	}
}

func tracingOnRemotes(m *mesh, f *found) {
	for i, o := range m.kialis {
		if i != m.hub && o != nil && o.has("external_services.tracing") {
			f.object(o, spec("external_services.tracing"), "move it to spec.kiali.spec, which is the hub's",
				"external_services.tracing has no effect on a remote, which runs no Kiali server")
		}
	}
}
