local meta = import 'meta.libsonnet';

local labels(topology) = meta.labels('mesh-monitoring', topology);

local meshID(topology) = {
  action: 'replace',
  replacement: topology.mesh.id,
  targetLabel: 'mesh_id',
};

// The first label that is set wins. $1$2 and not ${1}${2}: Flux takes the
// braces for a variable of its own and leaves nothing.
local firstOf(target, sources) = {
  action: 'replace',
  sourceLabels: sources,
  separator: ';',
  regex: '(.+);.*|.*;(.+)',
  replacement: '$1$2',
  targetLabel: target,
};

local annotatedPort = [
  '__meta_kubernetes_pod_annotation_prometheus_io_port',
  '__meta_kubernetes_pod_ip',
];

// Proxies announce one port for all their metrics in an annotation. A target
// without it would be scraped at each port that the container declares.
local merged = [
  {
    action: 'keep',
    sourceLabels: ['__meta_kubernetes_pod_annotationpresent_prometheus_io_scrape'],
    regex: 'true',
  },
  {
    action: 'replace',
    sourceLabels: annotatedPort,
    regex: @'(\d+);(([A-Fa-f0-9]{1,4}::?){1,7}[A-Fa-f0-9]{1,4})',
    replacement: '[$2]:$1',
    targetLabel: '__address__',
  },
  {
    action: 'replace',
    sourceLabels: annotatedPort,
    regex: @'(\d+);((([0-9]+?)(\.|$)){4})',
    replacement: '$2:$1',
    targetLabel: '__address__',
  },
];

local podMonitor(shape, topology, namespace) = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PodMonitor',
  metadata: {
    name: 'istio-proxies-monitor',
    namespace: namespace.name,
    labels: labels(topology),
    annotations: meta.lateKind(meta.wave.monitoring),
  },
  spec: {
    selector: {
      matchExpressions: [{ key: 'istio-prometheus-ignore', operator: 'DoesNotExist' }],
    },
    podMetricsEndpoints: [
      {
        path: '/stats/prometheus',
        interval: topology.metrics.interval,
        relabelings: [
          {
            action: 'keep',
            sourceLabels: ['__meta_kubernetes_pod_container_name'],
            regex: 'istio-proxy',
          },
        ] + (if shape.prometheusMerge then merged else []) + [
          firstOf('app', [
            '__meta_kubernetes_pod_label_app_kubernetes_io_name',
            '__meta_kubernetes_pod_label_app',
          ]),
          firstOf('version', [
            '__meta_kubernetes_pod_label_app_kubernetes_io_version',
            '__meta_kubernetes_pod_label_version',
          ]),
          meshID(topology),
        ],
      } + (if shape.prometheusMerge then {} else { port: 'http-envoy-prom' }),
    ],
  },
};

local istiod(topology) = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'ServiceMonitor',
  metadata: {
    name: 'istiod-monitor',
    namespace: topology.mesh.controlPlaneNamespace,
    labels: labels(topology),
    annotations: meta.lateKind(meta.wave.monitoring),
  },
  spec: {
    targetLabels: ['app'],
    selector: {
      matchLabels: { istio: 'pilot' },
      // The Service of a revision tag selects an istiod that its own Service
      // selects already.
      matchExpressions: [{ key: 'istio.io/tag', operator: 'DoesNotExist' }],
    },
    endpoints: [{
      port: 'http-monitoring',
      path: '/metrics',
      interval: topology.metrics.interval,
      relabelings: [meshID(topology)],
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

local clusterMonitoring(topology) = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: 'cluster-monitoring-config',
    namespace: 'openshift-monitoring',
    labels: labels(topology),
    annotations: meta.keep(meta.wave.monitoring),
  },
  data: { 'config.yaml': topology.monitoringConfig },
};

function(shape, topology, namespace) {
  [if shape.monitoringConfig then 'cluster-monitoring-config']: clusterMonitoring(topology),
  [if shape.telemetry then 'telemetry']: telemetry(topology),
  [if shape.controlPlane then 'istiod-servicemonitor']: istiod(topology),
  podmonitor: podMonitor(shape, topology, namespace),
}
