local meta = import 'meta.libsonnet';

// What the hub's access to a remote is made of.
function(shape, topology)
  if shape.hub then {} else {
    'kiali-token': {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: topology.kiali.serviceAccount,
        namespace: topology.kiali.namespace,
        labels: meta.labels('kiali', topology),
        annotations: meta.annotations(meta.wave.token) {
          'kubernetes.io/service-account.name': topology.kiali.serviceAccount,
        },
      },
      type: 'kubernetes.io/service-account-token',
    },
  }
