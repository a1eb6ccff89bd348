// The PodMonitor of a namespace with proxies.
local meta = import 'meta.libsonnet';

// The first label that is set wins. Do not write ${1}${2} instead of $1$2: Flux
// treats the braces as a variable and replaces it with nothing.
local firstOf(target, sources) = {
  action: 'replace',
  sourceLabels: sources,
  separator: ';',
  regex: '(.+);.*|.*;(.+)',
  replacement: '$1$2',
  targetLabel: target,
};

// The declared ports of a pod that have a proxy's metrics: of Envoy, of
// ztunnel, and of the agent in a gRPC application. A gateway declares two more
// ports.
local proxies = [
  { action: 'keep', sourceLabels: ['__meta_kubernetes_pod_container_name'], regex: 'istio-proxy' },
  {
    action: 'keep',
    sourceLabels: ['__meta_kubernetes_pod_container_port_name'],
    regex: 'http-envoy-prom|ztunnel-stats|mesh-metrics',
  },
];

// The agent next to Envoy serves the metrics of Envoy, agent and application at
// one port. Annotations name this port. Istio writes them if metrics are merged
// in the mesh and for the pod. The path distinguishes Istio's annotations from
// those of an application that opted out.
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

// Kiali recognizes ztunnel's series by app="ztunnel", also if its chart was
// installed under another name.
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
