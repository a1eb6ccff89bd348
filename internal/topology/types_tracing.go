package topology

// Tracing says which percentage of requests is traced, which backend stores the traces, and how they reach
// it.
type Tracing struct {
	// The name of the entry in Istio's meshConfig.extensionProviders. Proxies send their spans to this provider. The owner of
	// the mesh must add the entry on every cluster. Changes: the Telemetry.
	Provider string `yaml:"provider" default:"otel" format:"name"`
	// How many of a hundred requests are traced, such as 1 or 0.5. Changes: the Telemetry.
	Sampling string `yaml:"sampling" default:"1" format:"percent"`
	// A Tempo. On an OpenShift hub, it is a TempoStack with tenants on the hub; Kiali and the collectors use its gateway. With url,
	// it is any other Tempo.
	Tempo Tempo `yaml:"tempo"`
	// A Jaeger that Kiali reads instead of Tempo. Changes: the hub's Kiali resource.
	Jaeger *Jaeger `yaml:"jaeger"`
	// OpenTelemetry collectors that send the spans of each cluster to the TempoStack on the hub.
	Collectors Collectors `yaml:"collectors"`
}

// Tempo is a tracing backend.
type Tempo struct {
	// Whether Sightline renders the TempoStack. If not, somebody else creates it, with the gateway enabled and the tenant in mode
	// openshift. Changes: the TempoStack.
	Manage bool `yaml:"manage" default:"false"`
	// The namespace of the TempoStack. Changes: the TempoStack, the hub's Kiali resource and the collectors of traces on the hub.
	Namespace string `yaml:"namespace" default:"tempo" format:"label"`
	// The name of the TempoStack. Changes: the TempoStack, the hub's Kiali resource and the collectors of traces on the hub.
	Name string `yaml:"name" default:"mesh" format:"label"`
	// The tenant for the spans of the mesh. Default: mesh.id on an OpenShift hub, in lower case and with - for _ and '.'; with url,
	// none. Changes: the TempoStack, the roles of the ClusterRoleBindings, the hub's Kiali resource and the collectors of traces on
	// the hub.
	Tenant string `yaml:"tenant" format:"label"`
	// The UUID of the tenant, with manage: true. Traces are stored under it, so a change hides the old traces. Default: a UUID that
	// follows from the tenant's name. Changes: the TempoStack.
	TenantID string `yaml:"tenantID" format:"uuid"`
	// The object storage of the TempoStack. Required with manage: true. Changes: the
	// TempoStack.
	Storage *TempoStorage `yaml:"storage"`
	// The URL at which the hub's pods reach another Tempo: the HTTP port of its query frontend, such as
	// http://tempo-query-frontend.tempo:3200. Required on a Kubernetes hub without jaeger. Changes: the hub's Kiali resource, and
	// whether there are objects for a TempoStack: the TempoStack, ClusterRoleBindings with their roles, the collectors of traces,
	// Certificates and the Route.
	URL string `yaml:"url" format:"url"`
	// The URL for links in Kiali, as browsers reach it. Default: the console of the hub, with v2.17 or later and without url;
	// else there are no links. Changes: the hub's Kiali resource.
	ExternalURL string `yaml:"externalURL" format:"url"`
}

// TempoStorage is the object storage of a TempoStack.
type TempoStorage struct {
	// The Secret with the access to the object storage, in the namespace of the TempoStack. For s3 it has the keys bucket,
	// endpoint, access_key_id and access_key_secret. Sightline does not render it.
	Secret string `yaml:"secretName" required:"secretName: tempo-object-storage" format:"name"`
	// The kind of object storage.
	Type string `yaml:"type" default:"s3" enum:"s3|azure|gcs"`
	// The size of the volume of each ingester.
	Size string `yaml:"size" default:"10Gi" format:"quantity"`
}

// Jaeger is a tracing backend other than Tempo.
type Jaeger struct {
	// The URL at which the hub's pods reach its query service. Kiali uses gRPC on port 16685, and HTTP on other
	// ports.
	URL string `yaml:"url" required:"url: http://jaeger-query.tracing:16686" format:"url"`
	// The URL for links in Kiali, as browsers reach it.
	ExternalURL string `yaml:"externalURL" format:"url"`
}

// Collectors send the spans of each cluster to the TempoStack on the hub. Each cluster with proxies has one collector. The hub has
// another one that receives the spans of the remotes.
type Collectors struct {
	// Whether Sightline renders the collectors. It renders them only with a TempoStack on the hub. Changes: the
	// collectors of traces, the Certificates, the Route and the ClusterRoleBindings.
	Manage bool `yaml:"manage" default:"true"`
	// Where the hub receives the spans of the remotes.
	Receiver Receiver `yaml:"receiver"`
	// The certificates for both sides of the connection from remotes to the hub. Required with remotes. Changes: the
	// Certificates and the collectors of traces.
	Certificates *Certificates `yaml:"certificates"`
}

// Receiver is where the hub receives the spans of the remotes.
type Receiver struct {
	// The host of its Route. The Route passes TLS through. Default: otel-remote-<kiali.namespace>.<domain of the hub>. Changes: the
	// Route, the Certificate of the hub and the collectors of traces on the remotes.
	Host string `yaml:"host" format:"host"`
}

// Certificates are the certificates for both sides of the connection between remotes and hub. It has either certManager
// or secrets.
type Certificates struct {
	// Certificate objects for cert-manager on each cluster. Changes: the Certificates.
	CertManager *CertManager `yaml:"certManager"`
	// Existing Secrets. Changes: the collectors of traces.
	Secrets *CertificateSecrets `yaml:"secrets"`
}

// CertManager says who issues the certificates. The issuers on all clusters need the same CA, and cert-manager must write this CA
// into the key ca.crt of the Secrets.
type CertManager struct {
	// The name of the issuer, on every cluster.
	Issuer string `yaml:"issuer" required:"issuer: mesh-ca" format:"name"`
	// The kind of the issuer.
	Kind string `yaml:"kind" default:"ClusterIssuer" enum:"ClusterIssuer|Issuer"`
}

// CertificateSecrets are Secrets with the keys ca.crt, tls.crt and tls.key.
type CertificateSecrets struct {
	// The Secret of the hub's receiver, in Kiali's namespace. Its certificate is for the host of the
	// receiver.
	Server string `yaml:"server" required:"server: otel-remote-server" format:"name"`
	// The Secret of each remote's collector, in the namespace of the control
	// plane.
	Client string `yaml:"client" required:"client: otel-hub-client" format:"name"`
}
