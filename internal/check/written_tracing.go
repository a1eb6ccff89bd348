package check

import (
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// aboutTracing are the checks of what a topology says about traces.
func aboutTracing() []reading {
	const backend = "hub.platform tracing tracing.tempo tracing.tempo.url tracing.jaeger "
	return []reading{
		{reads: backend, find: (*source).tracesIn},
		{reads: backend + "hub.kiali.version kiali.version", find: (*source).tracesOfLine},
		{reads: backend + "tracing.tempo.manage tracing.tempo.storage", find: (*source).tempoStack},
		{reads: backend + "tracing.collectors tracing.collectors.manage hub.domain", find: (*source).collectors},
		{reads: "tracing telemetry telemetry.manage telemetry.spec", find: (*source).tracesOfTelemetry},
	}
}

func (s *source) tracing(keys ...any) []any { return append([]any{"spec", "tracing"}, keys...) }

func (s *source) tracesIn() {
	tracing := s.Spec.Tracing
	switch {
	case tracing == nil:
	case tracing.Jaeger != nil && s.Has(s.tracing("tempo")...):
		s.Add(s.At(s.tracing("tempo")...), topology.RuleValue, "remove tempo or jaeger",
			"spec.tracing has both tempo and jaeger, but Kiali uses one backend")
	case s.TracesIn() == "tempo" && tracing.Tempo.URL == "":
		s.Add(s.At(s.tracing("tempo")...), topology.RuleMissing,
			"add it, such as tracing: {tempo: {url: http://tempo-query-frontend.tempo:3200}}; or write jaeger: {url: "+
				"http://jaeger-query.tracing:16686}",
			"spec.tracing.tempo.url is missing; on a Kubernetes hub, Kiali cannot log in to the gateway of a TempoStack")
	}
}

// tracesOfLine refuses tracing with v1.73: this release line has other fields
// for tracing and does not support Tempo.
func (s *source) tracesOfLine() {
	if hub := &s.Spec.Clusters[s.hub]; s.Spec.Tracing != nil && hub.Kiali.Version == kiali.V1_73 {
		s.Add(s.At(s.tracing()...), "TR08", "use v2.4 or a later release line; or remove it, and write external_services.tracing with "+
			"in_cluster_url in kiali.spec",
			"Kiali v1.73 has other fields for tracing, and supports only Jaeger")
	}
}

// tempoStack reports fields of a TempoStack that have no effect, and missing
// fields of a managed TempoStack.
func (s *source) tempoStack() {
	if s.Spec.Tracing == nil {
		return
	}
	tempo := &s.Spec.Tracing.Tempo
	if s.TracesIn() != "stack" {
		why := "the Tempo is known by its URL"
		if tempo.URL == "" {
			why = "a hub of Kubernetes asks a Tempo by its URL"
		}
		for _, key := range []string{"manage", "name", "namespace", "tenantID", "storage"} {
			if path := s.tracing("tempo", key); s.Has(path...) && (key != "manage" || tempo.Manage) && s.Spec.Tracing.Jaeger == nil {
				s.Add(s.At(path...), topology.RuleValue, "remove it; without url, the hub's own TempoStack is used on OpenShift",
					"%s has no effect, because %s", topology.Dotted(path), why)
			}
		}
		return
	}
	switch {
	case tempo.Manage && tempo.Storage == nil:
		s.Add(s.At(s.tracing("tempo", "manage")...), topology.RuleMissing, "add storage: {secretName: tempo-object-storage} next to it",
			"spec.tracing.tempo.storage is missing; the TempoStack needs a Secret with the object storage")
	case !tempo.Manage:
		for _, key := range []string{"storage", "tenantID"} {
			if path := s.tracing("tempo", key); s.Has(path...) {
				s.Add(s.At(path...), topology.RuleValue, "write manage: true, or remove it", "%s has no effect, because the TempoStack is not managed",
					topology.Dotted(path))
			}
		}
	}
}

func (s *source) collectors() {
	if s.Spec.Tracing == nil {
		return
	}
	collectors := &s.Spec.Tracing.Collectors
	at := s.tracing("collectors")
	if s.TracesIn() != "stack" || !collectors.Manage {
		why := "the collectors are not managed"
		if collectors.Manage {
			why = "collectors are rendered only for a TempoStack on an OpenShift hub"
		}
		if collectors.Manage && s.Has(at...) || s.Has(append(at, "certificates")...) || s.Has(append(at, "receiver")...) {
			s.Add(s.At(at...), topology.RuleValue, "remove it; let your own collectors send the spans of each cluster to the backend",
				"spec.tracing.collectors has no effect, because %s", why)
		}
		return
	}
	certificates := collectors.Certificates
	switch both := certificates != nil && certificates.CertManager != nil && certificates.Secrets != nil; {
	case !s.Receives():
		for _, key := range []string{"certificates", "receiver"} {
			if path := append(at, key); s.Has(path...) {
				s.Add(s.At(path...), topology.RuleValue, "remove it", "%s has no effect, because no remote has proxies", topology.Dotted(path))
			}
		}
		return
	case both:
		s.Add(s.At(append(at, "certificates")...), topology.RuleValue, "remove one of the two",
			"spec.tracing.collectors.certificates has both certManager and secrets")
	case certificates == nil || certificates.CertManager == nil && certificates.Secrets == nil:
		s.Add(s.At(append(at, "certificates")...), "TR09",
			"add certificates: {certManager: {issuer: mesh-ca}}; or certificates: {secrets: {server: otel-remote-server, client: "+
				"otel-hub-client}} with existing Secrets; or collectors: {manage: false}",
			"spec.tracing.collectors.certificates is missing; the hub accepts spans only from remotes with a certificate")
	}
	if collectors.Receiver.Host == "" {
		s.Add(s.At(append(at, "receiver")...), topology.RuleMissing,
			"add domain: apps.east.example.com to the hub, or receiver: {host: otel.example.com}",
			"spec.tracing.collectors.receiver.host is missing, and the hub has no domain from which it could follow")
	}
}

// tracesOfTelemetry refuses tracing settings in two places.
func (s *source) tracesOfTelemetry() {
	if s.Spec.Tracing == nil {
		return
	}
	if path := []any{"spec", "telemetry", "spec", "tracing"}; s.Has(path...) {
		s.Add(s.At(path...), topology.RuleValue, "remove it here, and write provider and sampling in spec.tracing; for other settings, "+
			"use an overlay",
			"spec.telemetry.spec.tracing is set by spec.tracing")
	}
	for _, key := range []string{"provider", "sampling"} {
		if path := s.tracing(key); !s.Spec.Telemetry.Manage && s.Has(path...) {
			s.Add(s.At(path...), topology.RuleValue, "remove it, and add the lines to the mesh's own Telemetry ("+finding.Pages+"tracing.md)",
				"%s has no effect, because telemetry.manage is false", topology.Dotted(path))
		}
	}
}
