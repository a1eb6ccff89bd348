local meta = import 'meta.libsonnet';

// A namespace that nobody else creates. Deleting it would delete everything in it,
// so no engine removes it.
local namespace(topology, created) = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: created.name,
    labels: meta.labels('mesh-namespace', topology),
    annotations: meta.keep(meta.wave.operator),
  },
};

function(shape, topology, created) {
  [if shape.created then 'namespace']: namespace(topology, created),
}
