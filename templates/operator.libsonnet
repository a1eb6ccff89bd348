local meta = import 'meta.libsonnet';

// The namespace in which each platform's lifecycle manager installs operators for
// all namespaces.
local namespaces = { openshift: 'openshift-operators', kubernetes: 'operators' };

// The operator on every cluster: also on a remote, the operator on the same
// cluster reconciles the Kiali resource.
function(shape, topology)
  local catalog = topology.operator[shape.platform];
  if !shape.operator then {} else {
    // Named by platform, because a fleet may have both.
    ['kiali-operator-subscription' + (if shape.platform == 'openshift' then '' else '-' + shape.platform)]: {
      apiVersion: 'operators.coreos.com/v1alpha1',
      kind: 'Subscription',
      metadata: {
        name: catalog.package,
        namespace: namespaces[shape.platform],
        labels: meta.labels('kiali-operator', topology),
        annotations: meta.annotations(meta.wave.operator),
      },
      spec: {
        channel: topology.operator.channel,
        installPlanApproval: topology.operator.approval,
        name: catalog.package,
        source: catalog.source,
        sourceNamespace: catalog.sourceNamespace,
        [if shape.startingCSV then 'startingCSV']: topology.operator.startingCSV,
      },
    },
  }
