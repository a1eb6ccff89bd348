package topology

// Tracing says which share of the requests leaves traces, which backend keeps them, and how they reach it.
type Tracing struct {
	// The name of the entry in meshConfig.extensionProviders of Istio that proxies send their spans to. The entry belongs to the
	// mesh's owner, on every cluster. Changes: the Telemetry.
	Provider string `yaml:"provider" default:"otel" format:"name"`
	// How many of a hundred requests leave a trace, such as 1 or 0.5. Changes: the Telemetry.
	Sampling string `yaml:"sampling" default:"1" format:"percent"`
	// A Tempo. On an OpenShift hub it is a TempoStack there with tenants, which Kiali and the collectors reach through its gateway;
	// with url it is any other Tempo.
	Tempo Tempo `yaml:"tempo"`
	// A Jaeger that Kiali asks in place of Tempo. Changes: the hub's Kiali resource.
	Jaeger *Jaeger `yaml:"jaeger"`
	// OpenTelemetry collectors that take the spans of each cluster to the TempoStack on the hub.
	Collectors Collectors `yaml:"collectors"`
}

// Tempo is the backend of traces.
type Tempo struct {
	// Whether the TempoStack belongs to the topology. If not, somebody else makes it, with the tenant in the mode openshift and the
	// gateway enabled. Changes: the TempoStack.
	Manage bool `yaml:"manage" default:"false"`
	// The namespace of the TempoStack. Changes: the TempoStack, the hub's Kiali resource and the collectors of traces on the hub.
	Namespace string `yaml:"namespace" default:"tempo" format:"label"`
	// The name of the TempoStack. Changes: the TempoStack, the hub's Kiali resource and the collectors of traces on the hub.
	Name string `yaml:"name" default:"mesh" format:"label"`
	// The tenant that has the spans of the mesh. Default: mesh.id on an OpenShift hub, in lower case and with - for _ and '.'; with
	// url, none. Changes: the TempoStack, the roles of the ClusterRoleBindings, the hub's Kiali resource and the collectors of traces on
	// the hub.
	Tenant string `yaml:"tenant" format:"label"`
	// The UUID of the tenant, with manage: true. Traces are kept under it, so another one hides those from before. Default: one that
	// follows from the tenant's name. Changes: the TempoStack.
	TenantID string `yaml:"tenantID" format:"uuid"`
	// Where the TempoStack keeps traces. Required with manage: true. Changes: the TempoStack.
	Storage *TempoStorage `yaml:"storage"`
	// The URL of another Tempo, as the hub's pods see it: of the HTTP port of its query frontend, such as
	// http://tempo-query-frontend.tempo:3200. Required on a Kubernetes hub without jaeger. Changes: the hub's Kiali resource, and
	// whether there are objects for a TempoStack: the TempoStack, ClusterRoleBindings with their roles, the collectors of traces,
	// Certificates and the Route.
	URL string `yaml:"url" format:"url"`
	// The URL that links in Kiali lead to, as browsers see it. Default: the console of the hub, with v2.17 and later lines and
	// without url; else there are no links. Changes: the hub's Kiali resource.
	ExternalURL string `yaml:"externalURL" format:"url"`
}

// TempoStorage is where a TempoStack keeps traces.
type TempoStorage struct {
	// The Secret with the object storage, in the namespace of the TempoStack: for s3 with the keys bucket, endpoint, access_key_id
	// and access_key_secret. It is not rendered.
	Secret string `yaml:"secretName" required:"secretName: tempo-object-storage" format:"name"`
	// The kind of object storage.
	Type string `yaml:"type" default:"s3" enum:"s3|azure|gcs"`
	// The size of the volume of each ingester.
	Size string `yaml:"size" default:"10Gi" format:"quantity"`
}

// Jaeger is a backend of traces that is no Tempo.
type Jaeger struct {
	// The URL of its query service, as the hub's pods see it. Kiali speaks gRPC to port 16685, and HTTP to others.
	URL string `yaml:"url" required:"url: http://jaeger-query.tracing:16686" format:"url"`
	// The URL that links in Kiali lead to, as browsers see it.
	ExternalURL string `yaml:"externalURL" format:"url"`
}

// Collectors take the spans of each cluster to the TempoStack on the hub: one on each cluster with proxies, and on the hub one that
// receives what those of the remotes send.
type Collectors struct {
	// Whether the collectors belong to the topology. There are some with a TempoStack on the hub only. Changes: the
	// collectors of traces, the Certificates, the Route and the ClusterRoleBindings.
	Manage bool `yaml:"manage" default:"true"`
	// Where the hub receives the spans of the remotes.
	Receiver Receiver `yaml:"receiver"`
	// Where both sides of that connection have their certificates from. Required with remotes. Changes: the Certificates and the
	// collectors of traces.
	Certificates *Certificates `yaml:"certificates"`
}

// Receiver is where the hub receives the spans of the remotes.
type Receiver struct {
	// The host of its Route, which ends no TLS. Default: otel-remote-<kiali.namespace>.<domain of the hub>. Changes: the Route, the
	// Certificate of the hub and the collectors of traces on the remotes.
	Host string `yaml:"host" format:"host"`
}

// Certificates are those of the connection between remotes and hub, on which both sides show one. It has one of the two.
type Certificates struct {
	// Certificate objects for cert-manager on each cluster. Changes: the Certificates.
	CertManager *CertManager `yaml:"certManager"`
	// Secrets that are there already. Changes: the collectors of traces.
	Secrets *CertificateSecrets `yaml:"secrets"`
}

// CertManager says who issues the certificates. The issuers of all clusters need the same CA, and one that cert-manager writes into the
// key ca.crt of the Secrets.
type CertManager struct {
	// The name of the issuer, on every cluster.
	Issuer string `yaml:"issuer" required:"issuer: mesh-ca" format:"name"`
	// What it is.
	Kind string `yaml:"kind" default:"ClusterIssuer" enum:"ClusterIssuer|Issuer"`
}

// CertificateSecrets are Secrets with the keys ca.crt, tls.crt and tls.key.
type CertificateSecrets struct {
	// The one of the hub's receiver, in Kiali's namespace. Its certificate is for the host of the receiver.
	Server string `yaml:"server" required:"server: otel-remote-server" format:"name"`
	// The one of each remote's collector, in the namespace of the control plane.
	Client string `yaml:"client" required:"client: otel-hub-client" format:"name"`
}
