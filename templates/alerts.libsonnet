// The alerts about a namespace of the mesh, on the hub. Prometheus on OpenShift
// limits a rule to its namespace, so each namespace has a rule. The selectors
// also name the namespace, for a Prometheus without this limit.
local meta = import 'meta.libsonnet';

local requests(namespace, more) =
  'istio_requests_total{namespace="' + namespace.name + '"' + more + '}';

// A proxy keeps its series as long as it is scraped, also without traffic.
local silent(topology, namespace, reporter, cluster) =
  local series(offset) =
    'count by (' + cluster + ', namespace) (' +
    requests(namespace, ', mesh_id="' + topology.mesh.id + '", reporter="' + reporter + '"') + offset + ')';
  series(' offset 1h') + ' unless ' + series('');

local rules(topology, namespace) = [
  {
    alert: 'MeshNamespaceSilent',
    expr: silent(topology, namespace, 'source', 'source_cluster') + ' or ' +
          silent(topology, namespace, 'destination', 'destination_cluster'),
    'for': '15m',
    labels: { severity: 'warning', mesh: topology.mesh.id },
    annotations: { summary: 'No proxy of a cluster is scraped in the namespace any more', check: 'ST25' },
  },
  {
    alert: 'MeshTargetDown',
    expr: 'up{namespace="' + namespace.name + '", job="' + namespace.name + '/' + topology.monitors.name + '"} == 0',
    'for': '15m',
    labels: { severity: 'warning', mesh: topology.mesh.id },
    annotations: { summary: 'A proxy of the mesh cannot be scraped', check: 'ST31' },
  },
  {
    alert: 'MeshSeriesWithoutID',
    expr: 'count by (namespace) (' + requests(namespace, ', mesh_id=""') + ') > 0',
    'for': '15m',
    labels: { severity: 'warning', mesh: topology.mesh.id },
    annotations: { summary: 'Series of the mesh have no mesh_id, and Kiali does not show them', check: 'ST27' },
  },
  {
    alert: 'MeshProxyDoubled',
    expr: 'count by (namespace) (count without (instance, job, container, endpoint, prometheus, prometheus_replica) (' +
          requests(namespace, '') + ') > 1) > 0',
    'for': '15m',
    labels: { severity: 'warning', mesh: topology.mesh.id },
    annotations: { summary: 'Proxies are scraped more than once, and every number is doubled', check: 'ST29' },
  },
];

function(shape, topology, namespace) {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata: {
    name: 'mesh-alerts',
    namespace: namespace.name,
    labels: meta.monitorLabels(shape, topology),
    annotations: meta.lateKind(meta.wave.monitoring),
  },
  spec: { groups: [{ name: 'mesh', rules: rules(topology, namespace) }] },
}
