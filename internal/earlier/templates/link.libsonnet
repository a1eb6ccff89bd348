local meta = import 'meta.libsonnet';

// The hub's access to a remote: on the remote a token, on the hub the sealed
// Secret with the kubeconfig that contains the token.

local tokenSecret(topology, name) = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: name,
    namespace: topology.kiali.namespace,
    labels: meta.labels('kiali', topology),
    annotations: meta.annotations(meta.wave.token) {
      'kubernetes.io/service-account.name': topology.kiali.serviceAccount,
    },
  },
  type: 'kubernetes.io/service-account-token',
};

// During a rotation there are two tokens: the one in use, and the next.
local remote(shape, topology, token) = {
  [if !shape.noFirstToken then 'kiali-token']: tokenSecret(topology, topology.kiali.serviceAccount),
  [if shape.laterTokens then 'token']: tokenSecret(topology, token.name),
};

// Kiali and its operator look for the metadata of the Secret. The controller
// creates the Secret, so the metadata is in the template.
local sealed(topology, name, data, metadata) = {
  apiVersion: 'bitnami.com/v1alpha1',
  kind: 'SealedSecret',
  metadata: {
    name: name,
    namespace: topology.kiali.namespace,
    labels: meta.labels('kiali', topology),
    annotations: meta.lateKind(meta.wave.link),
  },
  spec: {
    encryptedData: data,
    template: {
      metadata: metadata { labels+: meta.labels('kiali', topology) },
      type: 'Opaque',
    },
  },
};

local hub(shape, topology, cluster, link) = {
  // The operator watches this Secret by the label, and restarts Kiali when it
  // changes.
  [if shape.links == 'single' then 'kiali-links']: sealed(topology, 'kiali-multi-cluster-secret', cluster.links, {
    labels: { 'kiali.io/kiali-multi-cluster-secret': 'true' },
  }),
  // The operator finds these by the label when it reconciles Kiali.
  [if shape.links == 'perCluster' then 'kiali-link']: sealed(topology, link.secret, link.encryptedData, {
    labels: { 'kiali.io/multiCluster': 'true' },
    annotations: { 'kiali.io/cluster': link.name },
  }),
};

function(shape, topology, cluster, link, token)
  if shape.hub then hub(shape, topology, cluster, link) else remote(shape, topology, token)
