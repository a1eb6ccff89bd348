// Kiali's health metrics of the mesh, and alerts on them. The series have the
// label namespace. Prometheus renames it to exported_namespace, because
// namespace is the namespace of Kiali.
local meta = import 'meta.libsonnet';

local series(topology, more, offset='') =
  'kiali_health_status{namespace="' + topology.kiali.namespace + '"' + more + '}' + offset;

// The name of the port depends on whether Kiali serves TLS, which it does with
// a certificate of OpenShift. User workload monitoring accepts a CA only from
// an object.
local endpoint(topology) = {
  openshift: {
    port: 'tcp-metrics',
    scheme: 'https',
    tlsConfig: {
      ca: { configMap: { name: topology.kiali.instanceName + '-cabundle-openshift', key: 'service-ca.crt' } },
      serverName: topology.kiali.instanceName + '.' + topology.kiali.namespace + '.svc',
    },
  },
  kubernetes: { port: 'http-metrics' },
};

local monitor(shape, topology, cluster) = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'ServiceMonitor',
  metadata: {
    name: topology.kiali.instanceName + '-health',
    namespace: topology.kiali.namespace,
    labels: meta.monitorLabels(shape, topology),
    annotations: meta.lateKind(meta.wave.monitoring),
  },
  spec: {
    selector: { matchLabels: { 'app.kubernetes.io/name': 'kiali', 'app.kubernetes.io/instance': topology.kiali.instanceName } },
    endpoints: [endpoint(topology)[shape.platform] {
      path: '/metrics',
      interval: meta.interval(shape, topology, cluster),
      relabelings: [meta.meshID(topology)],
    }],
  },
};

// 3 is a failure, the worst of the values 0 to 3.
local rules(topology) = [
  {
    alert: 'MeshWorkloadFailing',
    expr: 'max by (cluster, exported_namespace, name) (' + series(topology, ', health_type="workload"') + ') == 3',
    'for': '15m',
    labels: { severity: 'warning', mesh: topology.mesh.id },
    annotations: { summary: 'Kiali calls a workload of the mesh failing' },
  },
  {
    alert: 'MeshClusterUnseen',
    expr: 'count by (cluster) (' + series(topology, '', ' offset 1h') + ') unless count by (cluster) (' + series(topology, '') + ')',
    'for': '15m',
    labels: { severity: 'warning', mesh: topology.mesh.id },
    annotations: { summary: 'Kiali sees nothing of a cluster any more', check: 'ST22' },
  },
];

function(shape, topology, cluster) {
  'kiali-servicemonitor': monitor(shape, topology, cluster),
  'kiali-prometheusrule': {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: {
      name: topology.kiali.instanceName + '-health',
      namespace: topology.kiali.namespace,
      labels: meta.monitorLabels(shape, topology),
      annotations: meta.lateKind(meta.wave.monitoring),
    },
    spec: { groups: [{ name: 'kiali', rules: rules(topology) }] },
  },
}
