// The PodMonitor of a namespace with proxies.
local meta = import 'meta.libsonnet';

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

// Of the ports that a pod declares, those with a proxy's metrics: of Envoy, of
// ztunnel, and of the agent in a gRPC application. A gateway declares two more.
local proxies = [
  { action: 'keep', sourceLabels: ['__meta_kubernetes_pod_container_name'], regex: 'istio-proxy' },
  {
    action: 'keep',
    sourceLabels: ['__meta_kubernetes_pod_container_port_name'],
    regex: 'http-envoy-prom|ztunnel-stats|mesh-metrics',
  },
];

// The agent beside Envoy serves Envoy's metrics, its own and the application's
// at one port, which annotations name. Istio writes them unless metrics are not
// merged, in the mesh or for the pod. The path tells its annotations from those
// of an application that opted out.
local merged = [
  {
    action: 'replace',
    sourceLabels: [
      '__meta_kubernetes_pod_annotation_prometheus_io_path',
      '__meta_kubernetes_pod_annotation_prometheus_io_port',
      '__meta_kubernetes_pod_ip',
    ],
    regex: '/stats/prometheus;' + address.regex,
    replacement: address.replacement,
    targetLabel: '__address__',
  }
  for address in [
    { regex: @'(\d+);(([A-Fa-f0-9]{1,4}::?){1,7}[A-Fa-f0-9]{1,4})', replacement: '[$2]:$1' },
    { regex: @'(\d+);((([0-9]+?)(\.|$)){4})', replacement: '$2:$1' },
  ]
];

// Kiali tells ztunnel's series from those of workloads by app="ztunnel",
// whatever other name its chart was installed under.
local ztunnel = [{
  action: 'replace',
  sourceLabels: ['__meta_kubernetes_pod_label_app'],
  regex: 'ztunnel',
  replacement: 'ztunnel',
  targetLabel: 'app',
}];

local identity(shape, topology) = [
  firstOf('app', [
    '__meta_kubernetes_pod_label_app_kubernetes_io_name',
    '__meta_kubernetes_pod_label_app',
  ]),
  firstOf('version', [
    '__meta_kubernetes_pod_label_app_kubernetes_io_version',
    '__meta_kubernetes_pod_label_version',
  ]),
] + (if shape.ambient then ztunnel else []) + [meta.meshID(topology)];

function(shape, topology, cluster, namespace) {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PodMonitor',
  metadata: {
    name: topology.monitors.name,
    namespace: namespace.name,
    labels: meta.monitorLabels(shape, topology),
    annotations: meta.lateKind(meta.wave.monitoring),
  },
  spec: {
    selector: {
      matchExpressions: [{ key: 'istio-prometheus-ignore', operator: 'DoesNotExist' }],
    },
    podMetricsEndpoints: [{
      path: '/stats/prometheus',
      interval: meta.interval(shape, topology, cluster),
      relabelings: proxies + (if shape.prometheusMerge then merged else []) + identity(shape, topology),
    }],
  },
}
