// What several components have in common.
local merge = std.native('merge');

{
  // The order in Argo CD: a resource waits until the resources of lower waves
  // are healthy. The operator creates the account of the token after it has
  // seen the Kiali resource, and the cluster deletes a token without its
  // account. Monitors come last because nothing waits for them.
  wave: {
    operator: '0',
    access: '10',
    link: '20',
    kiali: '30',
    token: '40',
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
  // begun. Without it, Argo CD's dry run fails before the first wave.
  lateKind(wave): self.annotations(wave) {
    'argocd.argoproj.io/sync-options': 'SkipDryRunOnMissingResource=true',
  },

  // For an object on which others depend too. Removing it from Git must not
  // remove it from the cluster, with any engine.
  keep(wave): self.annotations(wave) {
    'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false',
    'helm.sh/resource-policy': 'keep',
    'kustomize.toolkit.fluxcd.io/prune': 'disabled',
  },

  // The setting for the engine on every object. Flux replaces ${…} in every
  // object of a Kustomization with a postBuild. Strings of users may contain it
  // for other reasons, so every object opts out.
  delivered(shape, phases):
    local told = { annotations+: { 'kustomize.toolkit.fluxcd.io/substitute': 'disabled' } };
    if !shape.flux then phases else {
      [phase]: { [name]: phases[phase][name] { metadata+: told } for name in std.objectFields(phases[phase]) }
      for phase in std.objectFields(phases)
    },

  monitorLabels(shape, topology):
    local ours = self.labels('mesh-monitoring', topology);
    if shape.monitorLabels then merge(ours, topology.metrics.labels) else ours,

  // The mesh of a series. Kiali asks only for this mesh.
  meshID(topology): {
    action: 'replace',
    replacement: topology.mesh.id,
    targetLabel: 'mesh_id',
  },

  interval(shape, topology, cluster):
    if shape.ownInterval then cluster.interval else topology.metrics.interval,
}
