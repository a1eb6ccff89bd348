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

local proxies = {
  action: 'keep',
  sourceLabels: ['__meta_kubernetes_pod_container_name'],
  regex: 'istio-proxy',
};

local annotatedPort = [
  '__meta_kubernetes_pod_annotation_prometheus_io_port',
  '__meta_kubernetes_pod_ip',
];

// Proxies name one port for all their metrics in an annotation. Without the
// annotation, each declared port of the container would be scraped.
local announced = [
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

local endpoint(shape, topology, cluster, relabelings) = {
  path: '/stats/prometheus',
  interval: meta.interval(shape, topology, cluster),
  relabelings: [proxies] + relabelings + identity(shape, topology),
};

// Envoy's own port, and the only port of ztunnel.
local declared(shape, topology, cluster) = [
  endpoint(shape, topology, cluster, []) { port: name }
  for name in ['http-envoy-prom'] + (if shape.ambient then ['ztunnel-stats'] else [])
];

function(shape, topology, cluster, namespace) {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PodMonitor',
  metadata: {
    name: 'istio-proxies-monitor',
    namespace: namespace.name,
    labels: meta.monitorLabels(shape, topology),
    annotations: meta.lateKind(meta.wave.monitoring),
  },
  spec: {
    selector: {
      matchExpressions: [{ key: 'istio-prometheus-ignore', operator: 'DoesNotExist' }],
    },
    podMetricsEndpoints:
      if shape.prometheusMerge
      then [endpoint(shape, topology, cluster, announced)]
      else declared(shape, topology, cluster),
  },
}
