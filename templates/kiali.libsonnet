local account = import 'account.libsonnet';
local merge = std.native('merge');
local meta = import 'meta.libsonnet';
local tracing = import 'tracing.libsonnet';

local resource(shape, topology, cluster, spec) = {
  local ours = {
    version: cluster.version,
    // The hub looks on every cluster for an OAuthClient named after
    // it and the namespace. So it is set on every cluster, to the
    // same value.
    deployment: { instance_name: topology.kiali.instanceName },
  } + spec,

  apiVersion: 'kiali.io/v1alpha1',
  kind: 'Kiali',
  metadata: {
    name: topology.kiali.instanceName,
    namespace: topology.kiali.namespace,
    labels: meta.labels('kiali', topology),
    annotations: meta.lateKind(meta.wave.kiali),
  },
  spec: if shape.kialiSpec then merge(ours, cluster.kialiSpec) else ours,
};

// thanos-querier answers only accounts that may view cluster metrics.
local monitoringView(topology) = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: {
    name: topology.kiali.monitoringView,
    labels: meta.labels('kiali', topology),
    annotations: meta.annotations(meta.wave.access),
  },
  roleRef: {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'ClusterRole',
    name: 'cluster-monitoring-view',
  },
  subjects: [{
    kind: 'ServiceAccount',
    name: topology.kiali.serviceAccount,
    namespace: topology.kiali.namespace,
  }],
};

// Thanos lacks the endpoints from which Kiali learns the scrape interval. Rates
// over less than two intervals are empty.
local thanosProxy(shape, topology) = {
  thanos_proxy: { enabled: true, scrape_interval: topology.store.interval } +
                (if shape.retention then { retention_period: topology.store.retention } else {}),
};

// The file with the CAs of the store for release lines up to v2.4. They trust
// only these CAs.
local storeCA(shape, topology) =
  if shape.caFile == '' then {} else { auth+: { ca_file: shape.caFile } };

local credentials(shape, topology) = storeCA(shape, topology) + {
  none: {},
  basic: { auth+: { type: 'basic', username: topology.store.username, password: topology.store.password } },
  bearer: { auth+: { type: 'bearer', token: topology.store.token } },
}[shape.storeAuth];

local stores(shape, topology) = {
  thanosQuerier: thanosProxy(shape, topology) {
    auth: { type: 'bearer', use_kiali_token: true },
    url: 'https://thanos-querier.openshift-monitoring.svc.cluster.local:9091',
  },
  thanos: thanosProxy(shape, topology) + credentials(shape, topology) { url: topology.store.url },
  // Kiali asks a Prometheus for its retention and for its global
  // interval, which may differ from the interval of the monitors.
  // Otherwise both are set here.
  prometheus: credentials(shape, topology) + (if shape.retention then thanosProxy(shape, topology) else {}) { url: topology.store.url },
  acm: thanosProxy(shape, topology) + {
    // A Policy of ACM keeps this Secret equal to ACM's Secret.
    route: {
      url: topology.store.url,
      auth: {
        type: 'none',
        cert_file: 'secret:acm-observability-certs:tls.crt',
        key_file: 'secret:acm-observability-certs:tls.key',
      },
    },
    internal: {
      url: 'http://observability-thanos-query-frontend.open-cluster-management-observability.svc.cluster.local:9090',
    },
    '': {},
  }[shape.acmAccess],
};

// Which series Kiali asks for.
local scope(shape, topology) = {
  meshID: { query_scope: { mesh_id: topology.mesh.id } },
  labels: { query_scope: topology.store.scope },
  none: {},
}[shape.scope];

// To set the host of a Route, the operator needs the whole spec. To set the
// host of an Ingress, the Ingress must be enabled.
local ingress(shape, topology, cluster) = {
  // Kiali tells a login provider where to return. Behind a proxy that ends
  // TLS, its default would be http and the port of its pods.
  server+: { web_fqdn: cluster.host, web_schema: 'https', web_port: '443' },
} + {
  openshift: {
    deployment+: { ingress: { override_yaml: { spec: {
      host: cluster.host,
      port: { targetPort: cluster.port },
      tls: { insecureEdgeTerminationPolicy: 'Redirect', termination: 'reencrypt' },
      to: { kind: 'Service', name: topology.kiali.instanceName },
    } } } },
  },
  kubernetes: {
    deployment+: { ingress: { enabled: true } },
  },
}[shape.platform];

// What the hub and the remotes have in common.
local common(shape, topology) =
  (if shape.strategy == '' then {} else { auth+: { strategy: shape.strategy } }) +
  (if shape.impersonate then { auth+: { openshift+: { impersonation: {
     enabled: true,
     allowed_users: topology.kiali.impersonation.users,
     allowed_groups: topology.kiali.impersonation.groups,
   } } } } else {}) +
  (if shape.viewOnly then { deployment+: { view_only_mode: true } } else {});

local callback(shape, cluster) =
  if shape.callback then { auth+: { openshift: { redirect_uris: [cluster.callback] } } } else {};

// Kiali reads the CAs at startup, so they are applied before it.
local authorities(shape, topology) = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: topology.kiali.caBundle,
    namespace: topology.kiali.namespace,
    labels: meta.labels('kiali', topology),
    annotations: meta.annotations(meta.wave.access),
  },
  data: { 'additional-ca-bundle.pem': topology.kiali.ca } +
        { [if shape.loginCA != '' then shape.loginCA]: topology.kiali.ca },
};

// A release line that mounts no ConfigMap for CAs mounts Secrets.
local authoritiesInSecret(topology) = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: topology.kiali.caSecret,
    namespace: topology.kiali.namespace,
    labels: meta.labels('kiali', topology),
    annotations: meta.annotations(meta.wave.access),
  },
  type: 'Opaque',
  data: { 'additional-ca-bundle.pem': topology.kiali.caData },
};

local hub(shape, topology, cluster) = tracing.readers(shape, topology) {
  [if shape.ca == 'configMap' then 'kiali-cabundle']: authorities(shape, topology),
  [if shape.ca == 'secret' then 'kiali-ca']: authoritiesInSecret(topology),
  [if shape.store == 'thanosQuerier' then 'kiali-cluster-monitoring-view']: monitoringView(topology),

  'kiali-hub': resource(
    shape,
    topology,
    cluster,
    common(shape, topology) +
    callback(shape, cluster) +
    (if shape.ingressHost then ingress(shape, topology, cluster) else {}) +
    (if shape.webRoot then { server+: { web_root: cluster.webRoot } } else {}) +
    // For earlier release lines, the default namespace of istiod is
    // the namespace of Kiali.
    (if shape.istioNamespace then { istio_namespace: meta.controlPlane(shape, topology, cluster) } else {}) +
    // The hub is outside the mesh.
    (if shape.mesh then {} else { clustering+: { ignore_home_cluster: true } }) +
    // By default, Kiali removes the program from a kubeconfig.
    (if shape.execProvider then { clustering+: { enable_exec_provider: true } } else {}) +
    // Kiali stops at startup while one remote does not answer. With
    // the operator's default, the old pod ends before the new pod
    // is ready.
    (if shape.newPodFirst then { deployment+: { strategy: {
       type: 'RollingUpdate',
       rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
     } } } else {}) +
    (if shape.ca == 'secret' then { deployment+: { custom_secrets: [{
       name: topology.kiali.caSecret,
       mount: '/kiali-ca',
     }] } } else {}) +
    (if shape.kialiHealth then { server+: { observability+: { metrics+: { health_status: { enabled: true } } } } } else {}) +
    // Nothing watches these Secrets, and Kiali reads them once, at
    // startup.
    (if shape.links == 'perCluster' then { deployment+: { pod_annotations: cluster.podAnnotations } } else {}) +
    {
      external_services: {
        // By default, Kiali expects Grafana.
        grafana: { enabled: false },
        prometheus: stores(shape, topology)[shape.store] + scope(shape, topology),
      } + tracing.kiali(shape, topology),
      kubernetes_config: { cluster_name: cluster.name },
    }
  ),
};

local remote(shape, topology, cluster) = if shape.account then account(shape, topology, cluster) else {
  'kiali-remote': resource(
    shape,
    topology,
    cluster,
    common(shape, topology) + callback(shape, cluster) + { deployment+: { remote_cluster_resources_only: true } }
  ),
};

function(shape, topology, cluster)
  if shape.hub then hub(shape, topology, cluster) else remote(shape, topology, cluster)
