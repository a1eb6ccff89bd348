// What several components say alike.
local merge = std.native('merge');

{
  // What a reviewer sees of Argo CD's order: a resource waits until those of
  // lower waves are healthy. The service account that the token is for is made
  // by the operator once it has seen the Kiali resource, and a token without
  // its account is deleted by the cluster. A Policy of ACM registers what is
  // there already, or brings what Kiali cannot start without. Monitors come last
  // because nothing waits for them.
  wave: {
    operator: '0',
    access: '10',
    collection: '10',
    link: '20',
    policy: '20',
    kiali: '30',
    token: '40',
    push: '45',
    monitoring: '50',
  },

  labels(name, topology): {
    'app.kubernetes.io/name': name,
    'app.kubernetes.io/part-of': topology.name,
    'app.kubernetes.io/managed-by': 'sightline',
  },

  annotations(wave): {
    'argocd.argoproj.io/sync-wave': wave,
  },

  // For a resource whose definition may reach the cluster after the sync has
  // begun: without it Argo CD's dry run fails before the first wave.
  lateKind(wave): self.annotations(wave) {
    'argocd.argoproj.io/sync-options': 'SkipDryRunOnMissingResource=true',
  },

  // For an object that others rely on too: removing it from Git must not
  // remove it from the cluster, whichever engine applies it.
  keep(wave): self.annotations(wave) {
    'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false',
    'helm.sh/resource-policy': 'keep',
    'kustomize.toolkit.fluxcd.io/prune': 'disabled',
  },

  // What the engine has to be told about every object. Flux replaces ${…} in
  // whatever a Kustomization with a postBuild applies; users' texts have it for
  // reasons of their own, so no object takes part.
  delivered(shape, phases):
    local told = { annotations+: { 'kustomize.toolkit.fluxcd.io/substitute': 'disabled' } };
    if !shape.flux then phases else {
      [phase]: { [name]: phases[phase][name] { metadata+: told } for name in std.objectFields(phases[phase]) }
      for phase in std.objectFields(phases)
    },

  monitorLabels(shape, topology):
    local ours = self.labels('mesh-monitoring', topology);
    if shape.monitorLabels then merge(ours, topology.metrics.labels) else ours,

  // The mesh that a series is of; Kiali asks for no other.
  meshID(topology): {
    action: 'replace',
    replacement: topology.mesh.id,
    targetLabel: 'mesh_id',
  },

  // The namespace of istiod, which is the root namespace of its configuration.
  controlPlane(shape, topology, cluster):
    if shape.ownControlPlane then cluster.controlPlaneNamespace else topology.mesh.controlPlaneNamespace,

  interval(shape, topology, cluster):
    if shape.ownInterval then cluster.interval else topology.metrics.interval,
}
