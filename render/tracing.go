package render

import (
	"github.com/sightline-mesh/sightline/internal/topology"
)

// tracing sets the fields for tracing.
func (s *shape) tracing(t *topology.Topology, c *topology.Cluster) {
	s.Tracing = t.TracesIn()
	if s.Tracing == "" {
		return
	}
	tracing := t.Spec.Tracing
	if t.Collects(c) {
		s.Collector = "hub"
		if s.Hub {
			s.Collector = "gateway"
		}
	}
	if s.Hub {
		s.TracingGRPC = t.ByGRPC()
		s.TracingLinks = tracing.ExternalURL() != ""
		s.TracingConsole = s.TracingLinks && t.LinksToConsole()
		s.TracingTenant = tracing.Tempo.Tenant != ""
		s.TempoStack = s.Tracing == "stack" && tracing.Tempo.Manage
		s.Receiver = t.Receives()
	}
	if s.Receiver || s.Collector == "hub" {
		s.Certificates = "secrets"
		if tracing.Collectors.Certificates.CertManager != nil {
			s.Certificates = "certManager"
		}
	}
}

// tracingValues are the rows of [values] for tracing.
var tracingValues = []value{
	{hole: "topology.tracing.provider", chart: "tracing.provider", from: "spec.tracing.provider",
		doc: "The entry in meshConfig.extensionProviders of Istio that proxies send their spans to.",
		of:  ofTracing(func(s site) any { return s.Spec.Tracing.Provider })},
	{hole: "topology.tracing.sampling", chart: "tracing.sampling", from: "spec.tracing.sampling",
		doc: "The percentage of requests that Istio traces.",
		of:  ofTracing(func(s site) any { return s.Spec.Tracing.Percentage() })},
	{hole: "topology.tracing.queryURL", chart: "tracing.queryURL", from: "spec.tracing",
		doc: "The URL that the hub's Kiali asks for traces.",
		of:  ofTracing(func(s site) any { return given(s.QueryURL()) })},
	{hole: "topology.tracing.externalURL", chart: "tracing.externalURL", from: "spec.tracing.tempo.externalURL",
		doc: "The page to which links to traces in Kiali lead.",
		of:  ofTracing(func(s site) any { return given(s.Spec.Tracing.ExternalURL()) })},
	{hole: "topology.tracing.tenant", chart: "tracing.tenant", from: "spec.tracing.tempo.tenant",
		doc: "The tenant of Tempo that has the spans of the mesh.",
		of:  ofTracing(func(s site) any { return given(s.Spec.Tracing.Tempo.Tenant) })},
	{hole: "topology.tracing.tempo.name", chart: "tracing.tempo.name", from: "spec.tracing.tempo.name",
		doc: "The name of the TempoStack.",
		of:  ofStack(func(s site) any { return s.Spec.Tracing.Tempo.Name })},
	{hole: "topology.tracing.tempo.namespace", chart: "tracing.tempo.namespace", from: "spec.tracing.tempo.namespace",
		doc: "The namespace of the TempoStack.",
		of:  ofStack(func(s site) any { return s.Spec.Tracing.Tempo.Namespace })},
	{hole: "topology.tracing.gateway", chart: "tracing.gateway", from: "spec.tracing.tempo",
		doc: "The tenant's URL at the gateway of the TempoStack, to which the hub's collectors send spans.",
		of:  ofStack(func(s site) any { return s.Spec.Tracing.Tempo.Gateway() })},
	{hole: "topology.tracing.readRole", chart: "tracing.readRole", from: "spec.kiali.instanceName",
		doc: "The name of the ClusterRole that lets Kiali read the traces of the tenant.",
		of:  ofStack(func(s site) any { return s.Spec.Kiali.InstanceName + "-" + s.Spec.Kiali.Namespace + "-traces-read" })},
	{hole: "topology.tracing.writeRole", chart: "tracing.writeRole", from: "spec.kiali.instanceName",
		doc: "The name of the ClusterRole that lets the hub's collectors write the traces of the tenant.",
		of:  ofStack(func(s site) any { return s.Spec.Kiali.InstanceName + "-" + s.Spec.Kiali.Namespace + "-traces-write" })},
	{hole: "topology.tracing.tenantID", chart: "tracing.tenantID", from: "spec.tracing.tempo.tenantID",
		doc: "The UUID of the tenant.",
		of:  ofTempoStack(func(s site) any { return s.Spec.Tracing.Tempo.TenantID })},
	{hole: "topology.tracing.storage.secret", chart: "tracing.storage.secret", from: "spec.tracing.tempo.storage.secretName",
		doc: "The Secret with the object storage of the TempoStack.",
		of:  ofTempoStack(func(s site) any { return s.Spec.Tracing.Tempo.Storage.Secret })},
	{hole: "topology.tracing.storage.type", chart: "tracing.storage.type", from: "spec.tracing.tempo.storage.type",
		doc: "The kind of that storage.",
		of:  ofTempoStack(func(s site) any { return s.Spec.Tracing.Tempo.Storage.Type })},
	{hole: "topology.tracing.storage.size", chart: "tracing.storage.size", from: "spec.tracing.tempo.storage.size",
		doc: "The size of the volume of each ingester.",
		of:  ofTempoStack(func(s site) any { return s.Spec.Tracing.Tempo.Storage.Size })},
	{hole: "topology.tracing.receiver", chart: "tracing.receiver", from: "spec.tracing.collectors.receiver.host",
		doc: "The host of the Route at which the hub receives the spans of remotes.",
		of:  ofReceiver(func(s site) any { return s.Spec.Tracing.Collectors.Receiver.Host })},
	{hole: "topology.tracing.serverSecret", chart: "tracing.serverSecret", from: "spec.tracing.collectors.certificates.secrets.server",
		doc: "The Secret with the certificate of the hub's receiver.",
		of:  ofSecrets(func(s *topology.CertificateSecrets) any { return s.Server })},
	{hole: "topology.tracing.clientSecret", chart: "tracing.clientSecret", from: "spec.tracing.collectors.certificates.secrets.client",
		doc: "The Secret with the certificate of a remote's collector.",
		of:  ofSecrets(func(s *topology.CertificateSecrets) any { return s.Client })},
	{hole: "topology.tracing.issuer", chart: "tracing.issuer", from: "spec.tracing.collectors.certificates.certManager.issuer",
		doc: "The issuer of these certificates.",
		of:  ofIssuer(func(i *topology.CertManager) any { return i.Issuer })},
	{hole: "topology.tracing.issuerKind", chart: "tracing.issuerKind", from: "spec.tracing.collectors.certificates.certManager.kind",
		doc: "The kind of this issuer: ClusterIssuer or Issuer.",
		of:  ofIssuer(func(i *topology.CertManager) any { return i.Kind })},
}

// ofTracing limits a value to topologies with tracing.
func ofTracing(of func(s site) any) func(s site) any {
	return func(s site) any {
		if s.TracesIn() == "" {
			return nil
		}
		return of(s)
	}
}

// ofStack limits a value to topologies with a TempoStack.
func ofStack(of func(s site) any) func(s site) any {
	return func(s site) any {
		if s.TracesIn() != "stack" {
			return nil
		}
		return of(s)
	}
}

// ofTempoStack limits a value to topologies that render the TempoStack.
func ofTempoStack(of func(s site) any) func(s site) any {
	return ofStack(func(s site) any {
		if !s.Spec.Tracing.Tempo.Manage {
			return nil
		}
		return of(s)
	})
}

// ofReceiver limits a value to topologies whose hub receives the spans of
// remotes.
func ofReceiver(of func(s site) any) func(s site) any {
	return func(s site) any {
		if !s.Receives() {
			return nil
		}
		return of(s)
	}
}

// ofIssuer returns a value of the issuer of certificates.
func ofIssuer(of func(*topology.CertManager) any) func(s site) any {
	return ofReceiver(func(s site) any {
		if c := s.Spec.Tracing.Collectors.Certificates; c != nil && c.CertManager != nil {
			return of(c.CertManager)
		}
		return nil
	})
}

// ofSecrets returns a value of the Secrets of certificates.
func ofSecrets(of func(*topology.CertificateSecrets) any) func(s site) any {
	return ofReceiver(func(s site) any {
		if c := s.Spec.Tracing.Collectors.Certificates; c != nil && c.Secrets != nil {
			return of(c.Secrets)
		}
		return nil
	})
}
