local meta = import 'meta.libsonnet';
local proxies = import 'proxies.libsonnet';

local labels(topology) = meta.labels('mesh-monitoring', topology);

local istiod(shape, topology, cluster) = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'ServiceMonitor',
  metadata: {
    name: 'istiod-monitor',
    namespace: topology.mesh.controlPlaneNamespace,
    labels: meta.monitorLabels(shape, topology),
    annotations: meta.lateKind(meta.wave.monitoring),
  },
  spec: {
    // With several revisions, the revision of the istiod from which a series
    // comes.
    targetLabels: ['app'] + (if shape.revisions then ['istio.io/rev'] else []),
    selector: {
      matchLabels: { istio: 'pilot' },
      // The Service of a revision tag selects an istiod that its own Service
      // selects already.
      matchExpressions: [{ key: 'istio.io/tag', operator: 'DoesNotExist' }],
    },
    endpoints: [{
      port: 'http-monitoring',
      path: '/metrics',
      interval: meta.interval(shape, topology, cluster),
      relabelings: [meta.meshID(topology)],
    }],
  },
};

local telemetry(topology) = {
  apiVersion: 'telemetry.istio.io/v1',
  kind: 'Telemetry',
  metadata: {
    name: topology.telemetry.name,
    namespace: topology.mesh.controlPlaneNamespace,
    labels: labels(topology),
    annotations: meta.lateKind(meta.wave.monitoring),
  },
  spec: { metrics: [{ providers: [{ name: 'prometheus' }] }] },
};

// Each holds one string. Others may depend on it too.
local config(topology, name, namespace, text) = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: name,
    namespace: namespace,
    labels: labels(topology),
    annotations: meta.keep(meta.wave.monitoring),
  },
  data: { 'config.yaml': text },
};

local clusterMonitoring(topology, text) =
  config(topology, 'cluster-monitoring-config', 'openshift-monitoring', text);

function(shape, topology, cluster, namespace)
  {
    '': {},
    topology: { 'cluster-monitoring-config': clusterMonitoring(topology, topology.monitoringConfig) },
    cluster: { 'cluster-monitoring-config': clusterMonitoring(topology, cluster.monitoringConfig) },
  }[shape.monitoringConfig] {
    [if shape.remoteWrite then 'user-workload-monitoring-config']:
      config(topology, 'user-workload-monitoring-config', 'openshift-user-workload-monitoring', cluster.workloadConfig),
    [if shape.telemetry then 'telemetry']: telemetry(topology),
    // The name contains the revisions, because revisions differ between
    // clusters.
    [if shape.istiodMonitor then 'istiod-servicemonitor' + (if shape.revisions then '-revisions' else '')]:
      istiod(shape, topology, cluster),
    [if shape.monitors then 'podmonitor']: proxies(shape, topology, cluster, namespace),
  }
