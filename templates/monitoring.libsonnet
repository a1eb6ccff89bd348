local merge = std.native('merge');
local alerts = import 'alerts.libsonnet';
local kialihealth = import 'kialihealth.libsonnet';
local meta = import 'meta.libsonnet';
local proxies = import 'proxies.libsonnet';
local tracing = import 'tracing.libsonnet';

local labels(topology) = meta.labels('mesh-monitoring', topology);

local istiod(shape, topology, cluster, namespace) = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'ServiceMonitor',
  metadata: {
    name: 'istiod-monitor',
    namespace: namespace,
    labels: meta.monitorLabels(shape, topology),
    annotations: meta.lateKind(meta.wave.monitoring),
  },
  spec: {
    // With several revisions, which istiod a series is of.
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

// What users give goes over ours, because Istio uses one mesh-wide Telemetry
// alone: for metrics, tracing and access logs together.
local telemetry(shape, topology, cluster) = {
  local ours = { metrics: [{ providers: [{ name: 'prometheus' }] }] } + tracing.telemetry(shape, topology),

  // Istio serves v1 from 1.22 on.
  apiVersion: 'telemetry.istio.io/' + (if shape.telemetryAlpha then 'v1alpha1' else 'v1'),
  kind: 'Telemetry',
  metadata: {
    name: topology.telemetry.name,
    namespace: meta.controlPlane(shape, topology, cluster),
    labels: labels(topology),
    annotations: meta.lateKind(meta.wave.monitoring),
  },
  spec: if shape.telemetrySpec then merge(ours, topology.telemetry.spec) else ours,
};

// One text each, which others may rely on too.
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

// What the classic collector of ACM takes from a namespace.
local allowList(topology, namespace) = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: 'observability-metrics-custom-allowlist',
    namespace: namespace.name,
    labels: labels(topology),
    annotations: meta.annotations(meta.wave.monitoring),
  },
  data: { 'uwl_metrics_list.yaml': topology.acm.namespaceList },
};

// The namespace of rules that see all namespaces. The rules themselves come by
// ACM, to a namespace that is there.
local rulesNamespace(topology) = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: topology.acm.rulesNamespace,
    labels: labels(topology),
    annotations: meta.keep(meta.wave.access),
  },
};

local clusterMonitoring(topology, text) =
  config(topology, 'cluster-monitoring-config', 'openshift-monitoring', text);

function(shape, topology, cluster, namespace, controlPlane)
  {
    '': {},
    topology: { 'cluster-monitoring-config': clusterMonitoring(topology, topology.monitoringConfig) },
    cluster: { 'cluster-monitoring-config': clusterMonitoring(topology, cluster.monitoringConfig) },
  }[shape.monitoringConfig] {
    [if shape.remoteWrite then 'user-workload-monitoring-config']:
      config(topology, 'user-workload-monitoring-config', 'openshift-user-workload-monitoring', cluster.workloadConfig),
    [if shape.acmConfig then 'user-workload-monitoring-config']:
      config(topology, 'user-workload-monitoring-config', 'openshift-user-workload-monitoring', topology.acm.workloadConfig),
    [if shape.acmNamespace then 'acm-rules-namespace']: rulesNamespace(topology),
    [if shape.acmAllowLists then 'acm-allow-list']: allowList(topology, namespace),
    [if shape.telemetry then 'telemetry']: telemetry(shape, topology, cluster),
    // Named by what it has more, because revisions differ between clusters.
    [if shape.istiodMonitor then 'istiod-servicemonitor' + (if shape.revisions then '-revisions' else '')]:
      istiod(shape, topology, cluster, meta.controlPlane(shape, topology, cluster)),
    [if shape.otherIstiods then 'others-servicemonitor']: istiod(shape { revisions: false }, topology, cluster, controlPlane.name),
    [if shape.monitors then 'podmonitor']: proxies(shape, topology, cluster, namespace),
    [if shape.alerts then 'prometheusrule']: alerts(shape, topology, namespace),
  } + (if shape.kialiHealth then kialihealth(shape, topology, cluster) else {})
  + tracing.objects(shape, topology, cluster)
