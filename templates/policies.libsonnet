// Policies of ACM and their placement on clusters.
local meta = import 'meta.libsonnet';

local metadata(topology, name, wave) = {
  name: name,
  namespace: topology.acm.policyNamespace,
  labels: meta.labels('mesh-policies', topology),
  annotations: meta.lateKind(wave),
};

{
  // An object that must exist. The controller on the cluster watches the
  // objects that the templates read.
  must(type, object): { complianceType: type, objectDefinition: object },

  policy(topology, name, objects): {
    apiVersion: 'policy.open-cluster-management.io/v1',
    kind: 'Policy',
    metadata: metadata(topology, name, meta.wave.policy),
    spec: {
      disabled: false,
      remediationAction: 'enforce',
      'policy-templates': [{ objectDefinition: {
        apiVersion: 'policy.open-cluster-management.io/v1',
        kind: 'ConfigurationPolicy',
        metadata: { name: name },
        spec: { remediationAction: 'enforce', severity: 'high', 'object-templates': objects },
      } }],
    },
  },

  // A cluster that is away for a while keeps its Policies.
  placement(topology, name, clusters): {
    apiVersion: 'cluster.open-cluster-management.io/v1beta1',
    kind: 'Placement',
    metadata: metadata(topology, name, meta.wave.access),
    spec: {
      predicates: [{ requiredClusterSelector: { labelSelector: { matchLabels: clusters } } }],
      tolerations: [
        { key: 'cluster.open-cluster-management.io/unreachable', operator: 'Exists' },
        { key: 'cluster.open-cluster-management.io/unavailable', operator: 'Exists' },
      ],
    },
  },

  binding(topology, name): {
    apiVersion: 'policy.open-cluster-management.io/v1',
    kind: 'PlacementBinding',
    metadata: metadata(topology, name, meta.wave.access),
    placementRef: { apiGroup: 'cluster.open-cluster-management.io', kind: 'Placement', name: name },
    subjects: [{ apiGroup: 'policy.open-cluster-management.io', kind: 'Policy', name: name }],
  },

  // The namespace of the Policies. A Placement in it selects clusters of
  // the bound cluster sets. The set global has all clusters.
  home(topology): {
    'acm-policy-namespace': {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name: topology.acm.policyNamespace,
        labels: meta.labels('mesh-policies', topology),
        annotations: meta.keep(meta.wave.operator),
      },
    },
    'acm-policy-clusters': {
      apiVersion: 'cluster.open-cluster-management.io/v1beta2',
      kind: 'ManagedClusterSetBinding',
      metadata: metadata(topology, 'global', meta.wave.access) { annotations: meta.keep(meta.wave.access) {
        'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false,SkipDryRunOnMissingResource=true',
      } },
      spec: { clusterSet: 'global' },
    },
  },
}
