package render

import "strings"

// decisions says which fields of the topology decide about parts of objects in which
// templates place no value. There, templates branch on the shape, and a body does not
// show the field of the shape. The most specific parts come first. For a part with a
// value, the value's row in values gives the origin.
var decisions = []struct {
	kind, field string
	from        string // as in value
}{
	{"Kiali", "spec.auth.openshift.impersonation", "spec.kiali.auth.impersonation.enabled"},
	{"Kiali", "spec.deployment.ingress", "spec.clusters[].kiali.host"},
	{"Kiali", "spec.deployment.custom_secrets", "spec.kiali.ca"},
	{"Kiali", "spec.external_services.prometheus.query_scope", "spec.metrics.scope"},
	{"Kiali", "spec.external_services.prometheus.auth", "spec.metrics.prometheus.auth spec.metrics.thanos.auth spec.metrics.acm.access"},
	{"Kiali", "spec.external_services.prometheus", "spec.metrics.store spec.metrics"},
	{"Kiali", "spec.external_services.tracing", "spec.tracing"},
	{"Kiali", "spec.server.observability", "spec.metrics.alerts"},
	{"PodMonitor", "spec", "spec.metrics"},
	{"PrometheusRule", "spec", "spec.metrics.alerts"},
	{"ServiceMonitor", "spec", "spec.clusters[].controlPlane spec.metrics"},
	{"Subscription", "spec", "spec.kiali.operator"},
	{"Telemetry", "spec.tracing", "spec.tracing"},
	{"Telemetry", "", "spec.telemetry"},
	{"OpenTelemetryCollector", "", "spec.tracing.collectors spec.tracing"},
	{"ClusterRoleBinding", "", "spec.metrics.store"},
	{"SealedSecret", "", "spec.kiali.links.format"},
	{"ExternalSecret", "", "spec.kiali.links.externalSecrets"},
	{"PushSecret", "", "spec.kiali.links.externalSecrets"},
}

// Decided returns the fields of the topology that decide whether a part of an object of a
// kind exists, the deciding one first, in the form of [Origins].
func Decided(kind, field string) []string {
	var from []string
	for _, d := range decisions {
		rest, below := strings.CutPrefix(field, d.field)
		if d.kind == kind && below && (d.field == "" || rest == "" || rest[0] == '.' || rest[0] == '[') {
			from = append(from, strings.Fields(d.from)...)
		}
	}
	return from
}
