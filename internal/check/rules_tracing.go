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
			Title:  "Tempo is asked by the protocol that its port speaks",
			What:   "With provider tempo, use_grpc is false for the HTTP port 3200 and for the gateway, and the gRPC port 9095 is not given with an http URL in internal_url.",
			Why:    "use_grpc is true unless said otherwise. Kiali then speaks gRPC to an HTTP port, and the traces tab stays empty.",
			Fix:    "Add use_grpc: false, or give the gRPC address.",
			Source: "kiali-operator roles/default/kiali-deploy/defaults/main.yml; kiali.io, Tempo configuration",
			mesh:   tempoProtocol,
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
	}
}

func tempoProtocol(m *mesh, f *found) {
	o := m.hubKiali()
	if o == nil || o.text("external_services.tracing.provider") != "tempo" || m.of(o).KialiBefore(kiali.V2_4) {
		return
	}
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
