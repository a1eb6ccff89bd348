// When Flux may treat the objects of each phase as ready, for kinds without a
// condition Ready. If an expression fails, Flux waits. All expressions fail
// while there is no status.
local condition(type, status) = "has(status.conditions) && status.conditions.exists(c, c.type == '%s' && c.status == '%s')" % [type, status];

local subscription = {
  apiVersion: 'operators.coreos.com/v1alpha1',
  kind: 'Subscription',
  current: "has(status.state) && status.state == 'AtLatestKnown' && has(status.installedCSV) && has(status.currentCSV) && status.installedCSV == status.currentCSV",
  failed: "has(status.state) && status.state == 'UpgradeFailed'",
};

local kiali = {
  apiVersion: 'kiali.io/v1alpha1',
  kind: 'Kiali',
  // While the operator works, the conditions of its last run are still there.
  inProgress: "!has(status.conditions) || status.conditions.exists(c, c.type == 'Running' && c.status == 'True' && c.reason == 'Running')",
  failed: condition('Failure', 'True'),
  current: condition('Successful', 'True'),
};

local sealedSecret = {
  apiVersion: 'bitnami.com/v1alpha1',
  kind: 'SealedSecret',
  failed: condition('Synced', 'False'),
  current: condition('Synced', 'True'),
};

// For Flux any Secret is ready once it exists. But this Secret exists before
// the cluster has filled or deleted it.
local token = {
  apiVersion: 'v1',
  kind: 'Secret',
  current: "type != 'kubernetes.io/service-account-token' || has(data.token)",
};

{
  operator: [subscription],
  kiali: [kiali],
  link: [sealedSecret, token],  // of the hub, and of a remote
  monitoring: [],
}
