local meta = import 'meta.libsonnet';

// Only these kinds may be synced. Argo CD never removes what its project no
// longer permits, so the list is the same for every topology. The operator's
// chart, an ACM hub, tracing, and remotes without an operator have more kinds.
// These are many, so they are permitted only if needed.
local permitted(shape) = {
  local only(condition, kinds) = if condition then kinds else [],

  cluster: only(shape.permitChart || shape.permitACM || shape.created, [
    { group: '', kind: 'Namespace' },
  ]) + only(shape.permitChart, [
    { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' },
  ]) + only(shape.permitRemote, [
    { group: 'oauth.openshift.io', kind: 'OAuthClient' },
  ]) + only(shape.permitChart || shape.permitTracing || shape.permitRemote, [
    { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole' },
  ]) + [
    { group: 'rbac.authorization.k8s.io', kind: 'ClusterRoleBinding' },
  ],
  namespaced: only(shape.permitChart || shape.permitRemote || shape.permitACM, [
    { group: '', kind: 'ServiceAccount' },
  ]) + only(shape.permitChart, [
    { group: 'apps', kind: 'Deployment' },
  ]) + only(shape.permitACM, [
    { group: 'authentication.open-cluster-management.io', kind: 'ManagedServiceAccount' },
    { group: 'cluster.open-cluster-management.io', kind: 'ManagedClusterSetBinding' },
    { group: 'cluster.open-cluster-management.io', kind: 'Placement' },
    { group: 'monitoring.rhobs', kind: 'ScrapeConfig' },
    { group: 'policy.open-cluster-management.io', kind: 'PlacementBinding' },
    { group: 'policy.open-cluster-management.io', kind: 'Policy' },
    { group: 'rbac.authorization.k8s.io', kind: 'Role' },
    { group: 'rbac.authorization.k8s.io', kind: 'RoleBinding' },
    { group: 'rbac.open-cluster-management.io', kind: 'ClusterPermission' },
  ]) + only(shape.permitTracing, [
    { group: 'cert-manager.io', kind: 'Certificate' },
    { group: 'opentelemetry.io', kind: 'OpenTelemetryCollector' },
    { group: 'route.openshift.io', kind: 'Route' },
    { group: 'tempo.grafana.com', kind: 'TempoStack' },
  ]) + [
    { group: '', kind: 'ConfigMap' },
    { group: '', kind: 'Secret' },
    { group: 'bitnami.com', kind: 'SealedSecret' },
    { group: 'external-secrets.io', kind: 'ExternalSecret' },
    { group: 'external-secrets.io', kind: 'PushSecret' },
    { group: 'kiali.io', kind: 'Kiali' },
    { group: 'monitoring.coreos.com', kind: 'PodMonitor' },
    { group: 'monitoring.coreos.com', kind: 'PrometheusRule' },
    { group: 'monitoring.coreos.com', kind: 'ServiceMonitor' },
    { group: 'operators.coreos.com', kind: 'Subscription' },
    { group: 'telemetry.istio.io', kind: 'Telemetry' },
  ],
};

function(shape, topology, argocd) {
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
    clusterResourceWhitelist: permitted(shape).cluster,
    namespaceResourceWhitelist: permitted(shape).namespaced,
  },
}
