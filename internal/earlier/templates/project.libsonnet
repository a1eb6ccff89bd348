local meta = import 'meta.libsonnet';

// Only these kinds may be synced. Argo CD never removes what its project no
// longer permits, so the list is the same for every topology.
local permitted = {
  cluster: [
    { group: '', kind: 'Namespace' },  // of the operator's chart
    { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' },  // of the operator's chart
    { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole' },  // of the operator's chart
    { group: 'rbac.authorization.k8s.io', kind: 'ClusterRoleBinding' },
  ],
  namespaced: [
    { group: '', kind: 'ConfigMap' },
    { group: '', kind: 'Secret' },
    { group: '', kind: 'ServiceAccount' },  // of the operator's chart
    { group: 'apps', kind: 'Deployment' },  // of the operator's chart
    { group: 'bitnami.com', kind: 'SealedSecret' },
    { group: 'kiali.io', kind: 'Kiali' },
    { group: 'monitoring.coreos.com', kind: 'PodMonitor' },
    { group: 'monitoring.coreos.com', kind: 'ServiceMonitor' },
    { group: 'operators.coreos.com', kind: 'Subscription' },
    { group: 'telemetry.istio.io', kind: 'Telemetry' },
  ],
};

function(topology, argocd) {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: {
    name: argocd.project,
    namespace: argocd.namespace,
    labels: meta.labels('mesh-delivery', topology),
  },
  spec: {
    description: 'The mesh of the topology ' + topology.name,
    sourceRepos: argocd.repositories,
    destinations: argocd.destinations,
    clusterResourceWhitelist: permitted.cluster,
    namespaceResourceWhitelist: permitted.namespaced,
  },
}
