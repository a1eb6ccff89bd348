package check

import (
	"cmp"
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
			What: "With provider tempo, use_grpc is false for the HTTP port 3200 and for the gateway, and the gRPC port 9095 is not given with " +
				"an http URL in internal_url. With Jaeger, use_grpc is false for the HTTP port 16686.",
			Why:    "use_grpc is true unless said otherwise. Kiali then speaks gRPC to an HTTP port, and the traces tab stays empty.",
			Fix:    "Add use_grpc: false, or give the gRPC address.",
			Source: "kiali-operator roles/default/kiali-deploy/defaults/main.yml; kiali.io, Tempo configuration",
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
			ID: "TR04", Severity: finding.Info,
			Title: "Kiali may read the traces of its tenant",
			What: "Where the hub's Kiali asks the gateway of a TempoStack with its own token, an overlay gives its account a ClusterRole for " +
				"the tenant: get of traces in tempo.grafana.com.",
			Why: "The gateway answers 403 to everybody else, and the traces tab stays empty.",
			Fix: "Add a ClusterRole with apiGroups [tempo.grafana.com], resources [<tenant>], resourceNames [traces], verbs [get], and bind it " +
				"to <instance>-service-account; or suppress the rule where it is there.",
			Source: "tempo-operator, multitenancy",
			mesh:   tenantRole,
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
	if u, err := url.Parse(o.text(at)); err == nil && u.Port() == "16686" && !o.is("external_services.tracing.use_grpc", false) {
		f.object(o, spec(at), "add use_grpc: false beside internal_url, or give port 16685",
			"Jaeger's port 16686 speaks HTTP, and Kiali asks by gRPC unless use_grpc is false")
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
	}
}

func tempoPort(u *url.URL) string {
	if u.Port() == "3200" {
		return "port 3200"
	}
	return "gateway"
}

func tenantRole(m *mesh, f *found) {
	o := m.hubKiali()
	const at = "external_services.tracing."
	if o == nil || o.text(at+"provider") != "tempo" || !o.is(at+"auth.use_kiali_token", true) || !strings.Contains(o.text(at+"internal_url"),
		"-gateway") {
		return
	}
	for _, role := range m.kinds("ClusterRole") {
		rules, _ := role.content["rules"].([]any)
		for _, rule := range rules {
			if groups, _ := valueAt(rule, fieldPath{"apiGroups"}).([]any); len(groups) > 0 && groups[0] == "tempo.grafana.com" {
				return
			}
		}
	}
	tenant := cmp.Or(o.text(at+"tempo_config.tenant"), "<tenant>")
	f.object(o, spec(at+"internal_url"), "add a ClusterRole with apiGroups [tempo.grafana.com], resources ["+tenant+"], resourceNames "+
		"[traces], verbs [get] and bind it to "+m.Account()+", or suppress TR04",
		"the gateway lets Kiali's account read traces with a role for the tenant only, and none is rendered")
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
