local fetched = import 'fetched.libsonnet';
local kubeconfigs = import 'kubeconfigs.libsonnet';
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

// A program instead of a token logs in as its own user on the cluster. This user
// gets the rights of Kiali's account.
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

// During a rotation there are two tokens: the one in use, and the next.
local remote(shape, topology, cluster, token) = {
  [if shape.subject then 'hub-access']: access(topology, cluster, topology.kiali.hubAccess, topology.kiali.role),
  [if shape.subjectLogin then 'hub-login']: access(topology, cluster, topology.kiali.hubAccess + '-login', cluster.loginRole),
  [if !shape.noFirstToken then 'kiali-token']: tokenSecret(topology, topology.kiali.serviceAccount),
  [if shape.laterTokens then 'token']: tokenSecret(topology, token.name),
};

// Kiali and its operator look for the metadata of the Secret. The controller
// creates the Secret, so the metadata is in the template.
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

// The Secret itself, with data encrypted by SOPS. The engine decrypts it before it
// applies it, and removes the field sops, because no API server knows this field.
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
