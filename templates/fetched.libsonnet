local kubeconfigs = import 'kubeconfigs.libsonnet';
local meta = import 'meta.libsonnet';

// Links from the External Secrets Operator: a remote pushes its token into a
// store, and the hub makes kubeconfigs from the store.

local push(topology, cluster) = {
  local entry(key) = { conversionStrategy: 'None', match: { secretKey: key, remoteRef: { remoteKey: cluster.storeKey, property: key } } },

  apiVersion: 'external-secrets.io/v1alpha1',
  kind: 'PushSecret',
  metadata: {
    name: topology.kiali.serviceAccount,
    namespace: topology.kiali.namespace,
    labels: meta.labels('kiali', topology),
    annotations: meta.lateKind(meta.wave.push),
  },
  spec: {
    data: [entry('token'), entry('ca.crt')],
    // With Delete it has a finalizer. If the store or the operator
    // is gone first, it would stay for ever.
    deletionPolicy: 'None',
    refreshInterval: topology.externalSecrets.interval,
    secretStoreRefs: [topology.externalSecrets.store],
    selector: { secret: { name: topology.kiali.serviceAccount } },
    // If the store is a cluster, it would copy the type too. The
    // account of the token does not exist there, so the cluster
    // would delete the Secret.
    template: { engineVersion: 'v2', mergePolicy: 'Replace', type: 'Opaque' },
    updatePolicy: 'Replace',
  },
};

local fetch(topology, secret, templates, from) = {
  apiVersion: 'external-secrets.io/v1',
  kind: 'ExternalSecret',
  metadata: {
    name: secret.name,
    namespace: topology.kiali.namespace,
    labels: meta.labels('kiali', topology),
    annotations: meta.lateKind(meta.wave.link),
  },
  spec: {
    data: from,
    refreshInterval: topology.externalSecrets.interval,
    secretStoreRef: topology.externalSecrets.store,
    target: {
      name: secret.name,
      creationPolicy: 'Owner',
      // With Delete, a store that is empty for a moment would
      // remove every link.
      deletionPolicy: 'Retain',
      template: {
        data: templates,
        engineVersion: 'v2',
        mergePolicy: 'Replace',
        metadata: secret.metadata,
        type: 'Opaque',
      },
    },
  },
};

{
  remote(shape, topology, cluster): {
    [if shape.pushed then 'kiali-push']: push(topology, cluster),
  },
  hub(shape, topology, cluster, fetched): {
    [if shape.fetched == 'single' then 'kiali-links-fetched']:
      fetch(topology, kubeconfigs.single(topology), cluster.fetched, cluster.fetchedFrom),
    [if shape.fetched == 'perCluster' then 'kiali-link-fetched']:
      fetch(topology, kubeconfigs.perCluster(topology, fetched), fetched.kubeconfig, fetched.from),
  },
}
