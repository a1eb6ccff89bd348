local account = import 'account.libsonnet';
local merge = std.native('merge');
local meta = import 'meta.libsonnet';
local tracing = import 'tracing.libsonnet';

local resource(shape, topology, cluster, spec) = {
  local ours = {
    version: cluster.version,
    // With the namespace it names the OAuthClient that the hub looks up on
    // every cluster, so it is the same everywhere and stated everywhere.
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

// thanos-querier answers only who may view cluster metrics.
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

// Thanos has none of the endpoints by which Kiali learns the scrape interval,
// and rates over less than two intervals are empty.
local thanosProxy(shape, topology) = {
  thanos_proxy: { enabled: true, scrape_interval: topology.store.interval } +
                (if shape.retention then { retention_period: topology.store.retention } else {}),
};

// Where the CAs are that a line up to v2.4 trusts for its store: only these.
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
  // Kiali asks a Prometheus for its global interval, which is not that of our
  // monitors, and for the time that it keeps series; or it is told both.
  prometheus: credentials(shape, topology) + (if shape.retention then thanosProxy(shape, topology) else {}) { url: topology.store.url },
  acm: thanosProxy(shape, topology) + {
    // The Secret is one that a Policy of ACM keeps as ACM's own.
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

// The operator gives a Route no host of its own choice but by replacing the
// whole spec, and an Ingress only if there is to be one.
local ingress(shape, topology, cluster) = {
  // Kiali tells a login provider where to come back to. Behind a proxy that ends
  // TLS it would take http and the port of its pods.
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

// What hub and remote say alike.
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

// Kiali reads the CAs at its start, so they come before it.
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

// A line that mounts no ConfigMap for CAs mounts Secrets.
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
    // Earlier lines take the namespace of Kiali for that of istiod.
    (if shape.istioNamespace then { istio_namespace: meta.controlPlane(shape, topology, cluster) } else {}) +
    // The hub has no mesh of its own to show.
    (if shape.mesh then {} else { clustering+: { ignore_home_cluster: true } }) +
    // Kiali takes the program out of a kubeconfig unless told otherwise.
    (if shape.execProvider then { clustering+: { enable_exec_provider: true } } else {}) +
    // Kiali stops at its start while one remote does not answer. The operator's
    // default ends the old pod before the new one is ready.
    (if shape.newPodFirst then { deployment+: { strategy: {
       type: 'RollingUpdate',
       rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
     } } } else {}) +
    (if shape.ca == 'secret' then { deployment+: { custom_secrets: [{
       name: topology.kiali.caSecret,
       mount: '/kiali-ca',
     }] } } else {}) +
    (if shape.kialiHealth then { server+: { observability+: { metrics+: { health_status: { enabled: true } } } } } else {}) +
    // Nobody watches these Secrets, and Kiali reads them once, at its start.
    (if shape.links == 'perCluster' then { deployment+: { pod_annotations: cluster.podAnnotations } } else {}) +
    {
      external_services: {
        // Kiali takes Grafana for present unless told otherwise.
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
