local fetched = import 'fetched.libsonnet';
local kubeconfigs = import 'kubeconfigs.libsonnet';
local meta = import 'meta.libsonnet';

// What the hub's access to a remote is made of: on the remote a token, on the
// hub the sealed Secret with the kubeconfig that the token is in.

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

// A program in place of a token is somebody of its own on the cluster, and gets the
// rights of Kiali's account.
local access(topology, cluster, name, role) = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: {
    name: name,
    labels: meta.labels('kiali', topology),
    annotations: meta.annotations(meta.wave.token),
  },
  roleRef: {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'ClusterRole',
    name: role,
  },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: cluster.subject.kind, name: cluster.subject.name }],
};

// While a token is rotated there are two: the one in use, and the next.
local remote(shape, topology, cluster, token) = {
  [if shape.subject then 'hub-access']: access(topology, cluster, topology.kiali.hubAccess, topology.kiali.role),
  [if shape.subjectLogin then 'hub-login']: access(topology, cluster, topology.kiali.hubAccess + '-login', cluster.loginRole),
  [if !shape.noFirstToken then 'kiali-token']: tokenSecret(topology, topology.kiali.serviceAccount),
  [if shape.laterTokens then 'token']: tokenSecret(topology, token.name),
};

// The metadata that Kiali and its operator look for is the Secret's, which the
// controller makes, and so stands in the template.
local sealed(topology, secret, data) = {
  apiVersion: 'bitnami.com/v1alpha1',
  kind: 'SealedSecret',
  metadata: {
    name: secret.name,
    namespace: topology.kiali.namespace,
    labels: meta.labels('kiali', topology),
    annotations: meta.lateKind(meta.wave.link),
  },
  spec: {
    encryptedData: data,
    template: {
      metadata: secret.metadata,
      type: 'Opaque',
    },
  },
};

// The Secret itself, with what SOPS made of its data. Whoever applies it decrypts it
// first, and leaves out the field sops, which no API server knows.
local bySOPS(topology, secret, data, encryption) = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: secret.metadata {
    name: secret.name,
    namespace: topology.kiali.namespace,
    annotations+: meta.annotations(meta.wave.link),
  },
  type: 'Opaque',
  data: data,
  sops: encryption,
};

local hub(shape, topology, cluster, link, encrypted) =
  if shape.sops then {
    [if shape.links == 'single' then 'kiali-links']: bySOPS(topology, kubeconfigs.single(topology), cluster.links, cluster.encryption),
    [if shape.links == 'perCluster' then 'kiali-link']:
      bySOPS(topology, kubeconfigs.perCluster(topology, encrypted), encrypted.encryptedData, encrypted.sops),
  } else {
    [if shape.links == 'single' then 'kiali-links']: sealed(topology, kubeconfigs.single(topology), cluster.links),
    [if shape.links == 'perCluster' then 'kiali-link']: sealed(topology, kubeconfigs.perCluster(topology, link), link.encryptedData),
  };

function(shape, topology, cluster, link, encrypted, token, fetch)
  if shape.hub
  then hub(shape, topology, cluster, link, encrypted) + fetched.hub(shape, topology, cluster, fetch)
  else remote(shape, topology, cluster, token) + fetched.remote(shape, topology, cluster)
