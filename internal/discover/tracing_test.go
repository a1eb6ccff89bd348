package discover_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sightline-mesh/sightline/internal/discover"
)

// asks makes the hub's Kiali query traces.
func asks(fields string) func(*testing.T, world) {
	return func(t *testing.T, w world) {
		w.change(t, "east", "external_services: {", "external_services: {tracing: {enabled: true, "+fields+"}, ")
	}
}

// sends adds tracing to the mesh-wide Telemetries of both clusters.
func sends(entries string) func(*testing.T, world) {
	return func(t *testing.T, w world) {
		for _, folder := range []string{"east", "west"} {
			w.change(t, folder, "{metrics: [{providers: [{name: prometheus}]}]}", "{metrics: [{providers: [{name: prometheus}]}], tracing: ["+
				entries+"]}")
		}
	}
}

// provider adds an extension provider to Istio of both clusters.
func provider(t *testing.T, w world) {
	for _, folder := range []string{"east", "west"} {
		w.change(t, folder, `meshId: mesh1}\n`, `meshId: mesh1}\nextensionProviders: [{name: tempo-otlp, opentelemetry: {service: `+
			`otel.tracing.svc.cluster.local, port: 4317}}, {name: logs, envoyFileAccessLog: {path: /dev/stdout}}]\n`)
	}
}

// TestTracing reads the traces of a mesh for which nothing was rendered. If Kiali
// queries and the Telemetry sends, they are spec.tracing. Otherwise they stay where
// they were.
func TestTracing(t *testing.T) {
	t.Parallel()
	type change = func(*testing.T, world)
	const own = "provider: tempo, use_grpc: false, internal_url: \"http://tempo-query-frontend.tempo:3200\""
	const gateway = "provider: tempo, use_grpc: false, auth: {type: bearer, use_kiali_token: true}, internal_url: " +
		"\"https://tempo-simplest-gateway.tracing-system.svc.cluster.local:8080/api/traces/v1/north/tempo\""
	for _, test := range []struct {
		name       string
		changes    []change
		has, lacks []string
		found      string
	}{
		{"a Tempo by its URL", []change{asks(own + ", tempo_config: {org_id: north}"), sends("{providers: [{name: tempo-otlp}], " +
			"randomSamplingPercentage: 12.5}"), provider},
			[]string{"tracing:\n    provider: tempo-otlp # Telemetry istio-system/enable-prometheus-metrics of cluster1\n    sampling: 12.5 #",
				"# Kiali istio-system/kiali of cluster1, external_services.tracing\n      url: http://tempo-query-frontend.tempo:3200\n",
				"tenant: north #",
				"# NOTE: Istio of cluster1 has the extension providers tempo-otlp (opentelemetry at otel.tracing.svc.cluster.local:4317), " +
					"logs (envoyFileAccessLog)."},
			[]string{"telemetry:"}, ""},
		{"a TempoStack with a gateway", []change{asks(gateway), sends("{providers: [{name: tempo-otlp}], randomSamplingPercentage: 1}"),
			provider},
			[]string{"namespace: tracing-system #", "name: simplest #", "tenant: north #", "collectors:\n      manage: false #"},
			[]string{"sampling:", "storage:"}, ""},
		{"a Jaeger", []change{asks("provider: jaeger, use_grpc: false, in_cluster_url: \"http://jaeger-query.tracing:16686\""),
			sends("{providers: [{name: otel}]}")},
			[]string{"url: http://jaeger-query.tracing:16686\n"}, []string{"sampling:"},
			`AD10: Telemetry istio-system/enable-prometheus-metrics of cluster1 sends spans to the provider "otel", and Istio of cluster1 ` +
				"(istio-system/istiod) has no extension provider of that name"},
		{"Kiali alone", []change{asks(own)}, nil, []string{"\n  tracing:"}, ""},
		{"the Telemetry alone", []change{sends("{providers: [{name: tempo-otlp}]}"), provider},
			[]string{"telemetry:\n    # Telemetry", "tracing:\n      - providers:"}, []string{"\n  tracing:"}, ""},
		{"more than a topology says", []change{asks(own), sends("{providers: [{name: tempo-otlp}], customTags: {a: {literal: {value: b}}}}"),
			provider},
			[]string{"customTags:"}, []string{"\n  tracing:"}, ""},
		{"off", []change{asks(own + ", enabled: false")}, nil, []string{"\n  tracing:"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := guide()
			for _, change := range test.changes {
				change(t, w)
			}
			w["east"] = strings.Replace(w["east"], "{enabled: true, "+own+", enabled: false}", "{enabled: false, "+own+"}", 1)
			o := w.discovered(t, discover.Options{})
			for _, part := range test.has {
				assert.Contains(t, unbroken(o.text), part)
			}
			for _, part := range test.lacks {
				assert.NotContains(t, o.text, part)
			}
			if test.found != "" {
				assert.Contains(t, o.all(), test.found)
			} else {
				assert.Empty(t, o.all())
			}
		})
	}
}
