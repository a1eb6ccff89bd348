local meta = import 'meta.libsonnet';

local resource(topology, spec) = {
  apiVersion: 'kiali.io/v1alpha1',
  kind: 'Kiali',
  metadata: {
    name: topology.kiali.instanceName,
    namespace: topology.kiali.namespace,
    labels: meta.labels('kiali', topology),
    annotations: meta.lateKind(meta.wave.kiali),
  },
  spec: {
    version: 'default',
    // With the namespace it names the OAuthClient that the hub looks up on
    // every cluster, so it is the same everywhere and stated everywhere.
    deployment: { instance_name: topology.kiali.instanceName },
  } + spec,
};

local hub(topology, cluster) = {
  // thanos-querier answers only who may view cluster metrics.
  'kiali-cluster-monitoring-view': {
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
  },

  'kiali-hub': resource(topology, {
    external_services: {
      // Kiali takes Grafana for present unless told otherwise.
      grafana: { enabled: false },
      prometheus: {
        auth: { type: 'bearer', use_kiali_token: true },
        query_scope: { mesh_id: topology.mesh.id },
        // Thanos has none of the endpoints by which Kiali learns the scrape
        // interval, and rates over less than two intervals are empty.
        thanos_proxy: { enabled: true, scrape_interval: topology.metrics.interval },
        url: 'https://thanos-querier.openshift-monitoring.svc.cluster.local:9091',
      },
    },
    kubernetes_config: { cluster_name: cluster.name },
  }),
};

local remote(topology, cluster) = {
  'kiali-remote': resource(topology, {
    auth: { openshift: { redirect_uris: [cluster.callback] } },
    deployment+: { remote_cluster_resources_only: true },
  }),
};

function(shape, topology, cluster)
  if shape.hub then hub(topology, cluster) else remote(topology, cluster)
