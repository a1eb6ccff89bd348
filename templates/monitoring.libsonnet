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
    // With several revisions, the revision of the istiod from which
    // a series comes.
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

// The user's spec is merged over the rendered spec, because Istio uses only one
// mesh-wide Telemetry, for metrics, tracing and access logs.
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

// What ACM's classic collector collects from a namespace.
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

// The namespace for rules that read all namespaces. ACM brings the rules, and
// needs an existing namespace.
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
    // The name contains the revisions, because revisions differ
    // between clusters.
    [if shape.istiodMonitor then 'istiod-servicemonitor' + (if shape.revisions then '-revisions' else '')]:
      istiod(shape, topology, cluster, meta.controlPlane(shape, topology, cluster)),
    [if shape.otherIstiods then 'others-servicemonitor']: istiod(shape { revisions: false }, topology, cluster, controlPlane.name),
    [if shape.monitors then 'podmonitor']: proxies(shape, topology, cluster, namespace),
    [if shape.alerts then 'prometheusrule']: alerts(shape, topology, namespace),
  } + (if shape.kialiHealth then kialihealth(shape, topology, cluster) else {})
  + tracing.objects(shape, topology, cluster)
