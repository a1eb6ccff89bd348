local meta = import 'meta.libsonnet';

// The operator on every cluster: on a remote too, a Kiali resource is
// reconciled by the operator beside it.
function(shape, topology)
  if !shape.operator then {} else {
    'kiali-operator-subscription': {
      apiVersion: 'operators.coreos.com/v1alpha1',
      kind: 'Subscription',
      metadata: {
        name: topology.operator.package,
        namespace: 'openshift-operators',
        labels: meta.labels('kiali-operator', topology),
        annotations: meta.annotations(meta.wave.operator),
      },
      spec: {
        channel: topology.operator.channel,
        installPlanApproval: 'Automatic',
        name: topology.operator.package,
        source: topology.operator.source,
        sourceNamespace: 'openshift-marketplace',
      },
    },
  }
