local meta = import 'meta.libsonnet';

// The objects that the operator creates on a remote for Kiali's account, for
// remotes without an operator. They have the same names as in the operator, so
// that each can take over from the other.
local object(topology, name, more) = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  metadata: {
    name: name,
    labels: meta.labels('kiali', topology),
    annotations: meta.annotations(meta.wave.access),
  },
} + more;

local binding(topology, name, role) = object(topology, name, {
  kind: 'ClusterRoleBinding',
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  subjects: [{
    kind: 'ServiceAccount',
    name: topology.kiali.serviceAccount,
    namespace: topology.kiali.namespace,
  }],
});

// Users log in on this cluster with it. Kiali reads it with the account, and
// uses the first redirect URI.
local login(topology, cluster) = {
  'kiali-oauthclient': object(topology, topology.kiali.oauthClient, {
    apiVersion: 'oauth.openshift.io/v1',
    kind: 'OAuthClient',
    grantMethod: 'auto',
    redirectURIs: [cluster.callback],
  }),
  'kiali-oauth-role': object(topology, cluster.loginRole, {
    kind: 'ClusterRole',
    rules: [{
      apiGroups: ['oauth.openshift.io'],
      resources: ['oauthclients'],
      resourceNames: [topology.kiali.oauthClient],
      verbs: ['get'],
    }],
  }),
  'kiali-oauth-binding': binding(topology, cluster.loginRole, cluster.loginRole),
};

function(shape, topology, cluster) {
  'kiali-account': object(topology, topology.kiali.serviceAccount, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata+: { namespace: topology.kiali.namespace },
  }),
  'kiali-account-role': object(topology, topology.kiali.role, {
    kind: 'ClusterRole',
    rules: cluster.accountRules,
  }),
  'kiali-account-binding': binding(topology, topology.kiali.instanceName, topology.kiali.role),
} + (if shape.callback then login(topology, cluster) else {})
