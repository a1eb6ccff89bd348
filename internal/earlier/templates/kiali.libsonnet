local merge = std.native('merge');
local meta = import 'meta.libsonnet';

local resource(shape, topology, cluster, spec) = {
  local ours = {
    version: cluster.version,
    // The hub looks on every cluster for an OAuthClient named after it and the
    // namespace. So it is set on every cluster, to the same value.
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
local thanosProxy(topology) = {
  thanos_proxy: { enabled: true, scrape_interval: topology.store.interval },
};

local credentials(shape, topology) = {
  none: {},
  basic: { auth: { type: 'basic', username: topology.store.username, password: topology.store.password } },
  bearer: { auth: { type: 'bearer', token: topology.store.token } },
}[shape.storeAuth];

local stores(shape, topology) = {
  thanosQuerier: thanosProxy(topology) {
    auth: { type: 'bearer', use_kiali_token: true },
    url: 'https://thanos-querier.openshift-monitoring.svc.cluster.local:9091',
  },
  thanos: thanosProxy(topology) + credentials(shape, topology) { url: topology.store.url },
  prometheus: credentials(shape, topology) { url: topology.store.url },
};

// To set the host of a Route, the operator needs the whole spec. To set the
// host of an Ingress, the Ingress must be enabled.
local ingress(shape, topology, cluster) = {
  openshift: {
    deployment+: { ingress: { override_yaml: { spec: {
      host: cluster.host,
      port: { targetPort: 20001 },
      tls: { insecureEdgeTerminationPolicy: 'Redirect', termination: 'reencrypt' },
      to: { kind: 'Service', name: topology.kiali.instanceName },
    } } } },
  },
  kubernetes: {
    deployment+: { ingress: { enabled: true } },
    server+: { web_fqdn: cluster.host },
  },
}[shape.platform];

// What the hub and the remotes have in common.
local common(shape) =
  (if shape.strategy == '' then {} else { auth+: { strategy: shape.strategy } }) +
  (if shape.viewOnly then { deployment+: { view_only_mode: true } } else {});

local callback(shape, cluster) =
  if shape.callback then { auth+: { openshift: { redirect_uris: [cluster.callback] } } } else {};

local hub(shape, topology, cluster) = {
  [if shape.store == 'thanosQuerier' then 'kiali-cluster-monitoring-view']: monitoringView(topology),

  'kiali-hub': resource(
    shape,
    topology,
    cluster,
    common(shape) +
    callback(shape, cluster) +
    (if shape.ingressHost then ingress(shape, topology, cluster) else {}) +
    (if shape.webRoot then { server+: { web_root: cluster.webRoot } } else {}) +
    // For earlier release lines, the default namespace of istiod is the
    // namespace of Kiali.
    (if shape.istioNamespace then { istio_namespace: topology.mesh.controlPlaneNamespace } else {}) +
    // The hub is outside the mesh.
    (if shape.mesh then {} else { clustering+: { ignore_home_cluster: true } }) +
    // By default, Kiali removes the program from a kubeconfig.
    (if shape.execProvider then { clustering+: { enable_exec_provider: true } } else {}) +
    // Nothing watches these Secrets, and Kiali reads them once, at startup.
    (if shape.links == 'perCluster' then { deployment+: { pod_annotations: cluster.podAnnotations } } else {}) +
    {
      external_services: {
        // By default, Kiali expects Grafana.
        grafana: { enabled: false },
        prometheus: stores(shape, topology)[shape.store] { query_scope: { mesh_id: topology.mesh.id } },
      },
      kubernetes_config: { cluster_name: cluster.name },
    }
  ),
};

local remote(shape, topology, cluster) = {
  'kiali-remote': resource(
    shape,
    topology,
    cluster,
    common(shape) + callback(shape, cluster) + { deployment+: { remote_cluster_resources_only: true } }
  ),
};

function(shape, topology, cluster)
  if shape.hub then hub(shape, topology, cluster) else remote(shape, topology, cluster)
