// Tracing: the objects with which spans from every cluster reach the TempoStack
// on the hub, and Kiali finds them.
local meta = import 'meta.libsonnet';

local labels(topology) = meta.labels('mesh-tracing', topology);

local account = '/var/run/secrets/kubernetes.io/serviceaccount/';
local certificates = '/etc/otel-tls/';

// For each token, the gateway asks the hub whether its account may access the
// tenant's traces.
local role(topology, name, verb) = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: {
    name: name,
    labels: labels(topology),
    annotations: meta.annotations(meta.wave.access),
  },
  rules: [{
    apiGroups: ['tempo.grafana.com'],
    resources: [topology.tracing.tenant],
    resourceNames: ['traces'],
    verbs: [verb],
  }],
};

local binding(topology, name, accounts) = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: {
    name: name,
    labels: labels(topology),
    annotations: meta.annotations(meta.wave.access),
  },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: name },
  subjects: [{ kind: 'ServiceAccount', name: a.name, namespace: a.namespace } for a in accounts],
};

local collector(topology, name, namespace, secret, config) = {
  apiVersion: 'opentelemetry.io/v1beta1',
  kind: 'OpenTelemetryCollector',
  metadata: {
    name: name,
    namespace: namespace,
    labels: labels(topology),
    annotations: meta.lateKind(meta.wave.monitoring),
  },
  spec: {
    mode: 'deployment',
    config: config,
  } + (if secret == null then {} else {
         volumes: [{ name: 'tls', secret: { secretName: secret } }],
         volumeMounts: [{ name: 'tls', mountPath: certificates, readOnly: true }],
       }),
};

// The certificate of a collector, and the CA of its peers.
local shown = {
  cert_file: certificates + 'tls.crt',
  key_file: certificates + 'tls.key',
  reload_interval: '10m',
};

local http = '0.0.0.0:4318';

// Spans from the cluster's proxies. Kiali reads the cluster from the proxies'
// own attributes. This attribute is for Tempo's pages.
local fromProxies(cluster) = {
  receivers: { otlp: { protocols: {
    grpc: { endpoint: '0.0.0.0:4317' },
    http: { endpoint: http },
  } } },
  processors: { 'resource/cluster': { attributes: [
    { key: 'k8s.cluster.name', value: cluster.name, action: 'upsert' },
  ] }, batch: {} },
  service: { pipelines: { traces: { receivers: ['otlp'], processors: ['resource/cluster', 'batch'] } } },
};

// Spans from the collectors of remotes. They need a certificate.
local fromRemotes = {
  receivers: { otlp: { protocols: { http: {
    endpoint: http,
    tls: shown { client_ca_file: certificates + 'ca.crt' },
  } } } },
  processors: { batch: {} },
  service: { pipelines: { traces: { receivers: ['otlp'], processors: ['batch'] } } },
};

// From v0.144 of the collector on, the exporter is called otlp_http, but the
// old name still works. Earlier versions know only the old name.
local toGateway(topology) = {
  extensions: { bearertokenauth: { filename: account + 'token' } },
  exporters: { 'otlphttp/tempo': {
    endpoint: topology.tracing.gateway,
    headers: { 'X-Scope-OrgID': topology.tracing.tenant },
    auth: { authenticator: 'bearertokenauth' },
    tls: { ca_file: account + 'service-ca.crt' },
  } },
  service+: { extensions: ['bearertokenauth'], pipelines+: { traces+: { exporters: ['otlphttp/tempo'] } } },
};

local toHub(topology) = {
  exporters: { 'otlphttp/hub': {
    endpoint: 'https://' + topology.tracing.receiver + ':443',
    tls: shown { ca_file: certificates + 'ca.crt' },
  } },
  service+: { pipelines+: { traces+: { exporters: ['otlphttp/hub'] } } },
};

local receiver = 'otel-remote';

// Only the receiver itself ends TLS, because it must see the certificate of the
// remote.
local route(topology) = {
  apiVersion: 'route.openshift.io/v1',
  kind: 'Route',
  metadata: {
    name: receiver,
    namespace: topology.kiali.namespace,
    labels: labels(topology),
    annotations: meta.annotations(meta.wave.monitoring),
  },
  spec: {
    host: topology.tracing.receiver,
    to: { kind: 'Service', name: receiver + '-collector' },
    port: { targetPort: 'otlp-http' },
    tls: { termination: 'passthrough' },
  },
};

// The Secrets of the certificates: filled by cert-manager, or existing ones.
local serverSecret(shape, topology) =
  if shape.certificates == 'secrets' then topology.tracing.serverSecret else 'otel-remote-server';

local clientSecret(shape, topology) =
  if shape.certificates == 'secrets' then topology.tracing.clientSecret else 'otel-hub-client';

local certificate(topology, secret, namespace, spec) = {
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: {
    name: secret,
    namespace: namespace,
    labels: labels(topology),
    annotations: meta.lateKind(meta.wave.access),
  },
  spec: spec {
    secretName: secret,
    issuerRef: { group: 'cert-manager.io', kind: topology.tracing.issuerKind, name: topology.tracing.issuer },
  },
};

local serverCertificate(shape, topology) = certificate(topology, serverSecret(shape, topology), topology.kiali.namespace, {
  dnsNames: [
    topology.tracing.receiver,
    receiver + '-collector.' + topology.kiali.namespace + '.svc',
  ],
  usages: ['digital signature', 'key encipherment', 'server auth'],
});

local clientCertificate(shape, topology, namespace) = certificate(topology, clientSecret(shape, topology), namespace, {
  commonName: 'otel-collector',
  usages: ['digital signature', 'key encipherment', 'client auth'],
});

local tempoStack(topology) = {
  apiVersion: 'tempo.grafana.com/v1alpha1',
  kind: 'TempoStack',
  metadata: {
    name: topology.tracing.tempo.name,
    namespace: topology.tracing.tempo.namespace,
    labels: labels(topology),
    annotations: meta.lateKind(meta.wave.monitoring),
  },
  spec: {
    storageSize: topology.tracing.storage.size,
    storage: { secret: { type: topology.tracing.storage.type, name: topology.tracing.storage.secret } },
    tenants: {
      mode: 'openshift',
      authentication: [{ tenantName: topology.tracing.tenant, tenantId: topology.tracing.tenantID }],
    },
    template: {
      gateway: { enabled: true },
      // Kiali speaks Tempo's own API.
      queryFrontend: { jaegerQuery: { enabled: false } },
    },
  },
};

{
  // For the Telemetry.
  telemetry(shape, topology):
    if shape.tracing == '' then {} else {
      tracing: [{
        providers: [{ name: topology.tracing.provider }],
        randomSamplingPercentage: topology.tracing.sampling,
      }],
    },

  // For the hub's Kiali resource.
  kiali(shape, topology)::
    local asked(provider) = {
      enabled: true,
      provider: provider,
      // Kiali's default is gRPC.
      use_grpc: shape.tracingGRPC,
      internal_url: topology.tracing.queryURL,
    } + (if shape.tracingLinks then { external_url: topology.tracing.externalURL } else {});
    local tenant = if shape.tracingTenant then { tempo_config+: { org_id: topology.tracing.tenant } } else {};
    {
      '': {},
      jaeger: { tracing: asked('jaeger') },
      tempo: { tracing: asked('tempo') + tenant },
      stack: { tracing: asked('tempo') + tenant {
        auth: { type: 'bearer', use_kiali_token: true },
      } + (if shape.tracingConsole then { tempo_config+: {
             url_format: 'openshift',
             name: topology.tracing.tempo.name,
             namespace: topology.tracing.tempo.namespace,
             tenant: topology.tracing.tenant,
           } } else {}) },
    }[shape.tracing],

  // The rights of Kiali to read the tenant's traces.
  readers(shape, topology)::
    if !shape.hub || shape.tracing != 'stack' then {} else {
      'tracing-read-role': role(topology, topology.tracing.readRole, 'get'),
      'tracing-read-binding': binding(topology, topology.tracing.readRole, [
        { name: topology.kiali.serviceAccount, namespace: topology.kiali.namespace },
      ]),
    },

  // All other objects.
  objects(shape, topology, cluster)::
    local own = meta.controlPlane(shape, topology, cluster);
    local issued = shape.certificates == 'certManager';
    {
      [if shape.tempoStack then 'tracing-tempostack']: tempoStack(topology),
      [if shape.collector == 'gateway' || shape.receiver then 'tracing-write-role']:
        role(topology, topology.tracing.writeRole, 'create'),
      [if shape.collector == 'gateway' || shape.receiver then 'tracing-write-binding']:
        binding(
          topology,
          topology.tracing.writeRole,
          (if shape.collector == 'gateway' then [{ name: 'otel-collector', namespace: own }] else []) +
          (if shape.receiver then [{ name: receiver + '-collector', namespace: topology.kiali.namespace }] else [])
        ),
      [if shape.collector == 'gateway' then 'tracing-collector-hub']:
        collector(topology, 'otel', own, null, fromProxies(cluster) + toGateway(topology)),
      [if shape.collector == 'hub' then 'tracing-collector-remote']:
        collector(topology, 'otel', own, clientSecret(shape, topology), fromProxies(cluster) + toHub(topology)),
      [if shape.collector == 'hub' && issued then 'tracing-client-certificate']: clientCertificate(shape, topology, own),
      [if shape.receiver then 'tracing-receiver']:
        collector(topology, receiver, topology.kiali.namespace, serverSecret(shape, topology), fromRemotes + toGateway(topology)),
      [if shape.receiver then 'tracing-receiver-route']: route(topology),
      [if shape.receiver && issued then 'tracing-server-certificate']: serverCertificate(shape, topology),
    },
}
