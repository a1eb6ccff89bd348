local meta = import 'meta.libsonnet';

// The namespaces in which each platform's lifecycle manager has its catalogs,
// and installs operators for all namespaces.
local platforms = {
  openshift: { namespace: 'openshift-operators', catalogs: 'openshift-marketplace' },
  kubernetes: { namespace: 'operators', catalogs: 'olm' },
};

// The operator on every cluster: also on a remote, the operator on the same
// cluster reconciles the Kiali resource.
function(shape, topology)
  local platform = platforms[shape.platform];
  local catalog = topology.operator[shape.platform];
  if !shape.operator then {} else {
    // Named by platform, because a fleet may have both.
    ['kiali-operator-subscription' + (if shape.platform == 'openshift' then '' else '-' + shape.platform)]: {
      apiVersion: 'operators.coreos.com/v1alpha1',
      kind: 'Subscription',
      metadata: {
        name: catalog.package,
        namespace: platform.namespace,
        labels: meta.labels('kiali-operator', topology),
        annotations: meta.annotations(meta.wave.operator),
      },
      spec: {
        channel: topology.operator.channel,
        installPlanApproval: 'Automatic',
        name: catalog.package,
        source: catalog.source,
        sourceNamespace: platform.catalogs,
      },
    },
  }
