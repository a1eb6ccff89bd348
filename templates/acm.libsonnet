// The objects on the ACM hub: what its Observability collects from every
// cluster, the Policies that register the collection, and the Policies that
// bring Kiali what it needs to read the store.
local kubeconfigs = import 'kubeconfigs.libsonnet';
local meta = import 'meta.libsonnet';
local policies = import 'policies.libsonnet';

local observability = 'open-cluster-management-observability';

local labels(topology) = meta.labels('mesh-observability', topology);

// A collector reads the objects with its label. From ACM 5.0 on, the add-on
// needs only one more label and annotation. On other objects this label holds
// the topology, so here another label holds it.
local collected(shape, topology, collector, name) = {
  metadata: {
    name: name,
    namespace: observability,
    labels: labels(topology) {
      'app.kubernetes.io/component': collector + '-metrics-collector',
      [if shape.acmCollects == 'labels' then 'app.kubernetes.io/part-of']: 'multicluster-observability-addon',
      [if shape.acmCollects == 'labels' then 'sightline.dev/topology']: topology.name,
    },
    annotations: meta.lateKind(meta.wave.collection) {
      [if shape.acmCollects == 'labels' then 'observability.open-cluster-management.io/placements']: topology.acm.placement,
    },
  },
};

// The add-on sets the Prometheus of each collector, so it is left out here. The
// series keep their labels from Prometheus.
local scrapeConfig(shape, topology, collector, name, matches, relabelings={}) = collected(shape, topology, collector, name) {
  apiVersion: 'monitoring.rhobs/v1alpha1',
  kind: 'ScrapeConfig',
  spec: {
    jobName: name,
    honorLabels: true,
    metricsPath: '/federate',
    params: { 'match[]': matches },
    scrapeInterval: topology.acm.interval,
  } + relabelings,
};

// Kiali asks for the metric names of the proxies.
local plainNames = {
  metricRelabelings: [{
    action: 'replace',
    sourceLabels: ['__name__'],
    regex: 'workload:(.+)',
    targetLabel: '__name__',
    replacement: '$1',
  }],
};

local prometheusRule(shape, topology, name, namespace) = collected(shape, topology, 'user-workload', name) {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata+: {
    // Otherwise Thanos Ruler would evaluate it, and the result
    // would be in a store from which nothing collects.
    labels+: { 'openshift.io/prometheus-rule-evaluation-scope': 'leaf-prometheus' },
    // User workload monitoring ignores the namespace of the
    // collector.
    annotations+: { 'observability.open-cluster-management.io/target-namespace': namespace },
  },
  spec: { groups: [{ name: 'mesh-workloads', interval: '30s', rules: topology.acm.rules }] },
};

local mcoa(shape, topology, rule) = {
  'acm-scrapeconfig-mesh': scrapeConfig(
    shape, topology, 'user-workload', topology.acm.federation, topology.acm.matches, if shape.acmRules != '' then plainNames else {}
  ),
  'acm-scrapeconfig-containers': scrapeConfig(shape, topology, 'platform', topology.acm.containers, topology.acm.containerMatches),
} + {
  '': {},
  one: { 'acm-prometheusrule': prometheusRule(shape, topology, topology.acm.aggregation, topology.acm.rulesNamespace) },
  namespaces: { 'acm-prometheusrule': prometheusRule(shape, topology, rule.aggregation, rule.name) },
}[shape.acmRules];

// The registration before ACM 5.0. The add-on's object has a list with ACM's
// defaults. A server-side apply from Git would replace the list; musthave adds
// to it.
local registration(topology) = {
  apiVersion: 'addon.open-cluster-management.io/v1alpha1',
  kind: 'ClusterManagementAddOn',
  metadata: { name: 'multicluster-observability-addon' },
  spec: { installStrategy: {
    type: 'Placements',
    placements: [{
      name: topology.acm.placementName,
      namespace: topology.acm.placementNamespace,
      configs: topology.acm.configs,
    }],
  } },
};

local onACM = { 'local-cluster': 'true' };

local registered(topology) = {
  'acm-registration-policy': policies.policy(topology, topology.acm.registrationPolicy, [
    policies.must('musthave', registration(topology)),
  ]),
  'acm-registration-placement': policies.placement(topology, topology.acm.registrationPolicy, onACM),
  'acm-registration-binding': policies.binding(topology, topology.acm.registrationPolicy),
};

// If Kiali is on the ACM hub, the cluster itself reads the Secrets. Otherwise
// the hub reads and encrypts them, and the cluster decrypts them before it
// evaluates the surrounding template.
local secret(shape, name, key) =
  local read = 'fromSecret "' + observability + '" "' + name + '" "' + key + '"';
  if shape.acmKiali == 'here'
  then { data: '{{ ' + read + ' }}', argument: '(' + read + ')' }
  else { data: '{{hub ' + read + ' hub}}', argument: '"{{hub ' + read + ' hub}}"' };

// The CAs of kiali.ca are in the same ConfigMap, so they are added here. PEM
// must keep its line breaks.
local authorities(shape, topology) =
  local server = secret(shape, 'observability-server-ca-certs', 'tls.crt').argument + ' | base64dec';
  local all = if shape.acmCA
  then 'printf "%s%s" ("' + topology.kiali.encodedCA + '" | base64dec) (' + server + ')'
  else server;
  '{{ ' + all + ' | toRawJson | toLiteral }}';

// ACM renews its certificates, and the Policy copies them again. The key
// tls.crt has the renewed CA and the previous one.
local certificates(shape, topology) = [
  policies.must('mustonlyhave', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'acm-observability-certs', namespace: topology.kiali.namespace, labels: meta.labels('kiali', topology) },
    type: 'Opaque',
    data: {
      [key]: secret(shape, 'observability-grafana-certs', key).data
      for key in ['tls.crt', 'tls.key']
    },
  }) { recordDiff: 'None' },
  policies.must('musthave', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: topology.acm.caBundle, namespace: topology.kiali.namespace, labels: meta.labels('kiali', topology) },
    data: { 'additional-ca-bundle.pem': authorities(shape, topology) },
  }),
];

// Hub templates read with an account in the Policy's namespace.
local reader(topology) =
  local metadata(namespace) = {
    name: topology.acm.certificatePolicy,
    namespace: namespace,
    labels: labels(topology),
    annotations: meta.annotations(meta.wave.access),
  };
  {
    'acm-certificate-reader': {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: metadata(topology.acm.policyNamespace),
    },
    'acm-certificate-role': {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: metadata(observability),
      rules: [{
        apiGroups: [''],
        resources: ['secrets'],
        resourceNames: ['observability-grafana-certs', 'observability-server-ca-certs'],
        verbs: ['get', 'list', 'watch'],
      }],
    },
    'acm-certificate-rolebinding': {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: metadata(observability),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: topology.acm.certificatePolicy },
      subjects: [{ kind: 'ServiceAccount', name: topology.acm.certificatePolicy, namespace: topology.acm.policyNamespace }],
    },
  };

local certified(shape, topology) =
  local here = shape.acmKiali == 'here';
  {
    'acm-certificate-policy':
      policies.policy(topology, topology.acm.certificatePolicy, certificates(shape, topology)) +
      (if here then {} else { spec+: { hubTemplateOptions: { serviceAccountName: topology.acm.certificatePolicy } } }),
    'acm-certificate-placement':
      policies.placement(topology, topology.acm.certificatePolicy, if here then onACM else { name: topology.acm.kialiCluster }),
    'acm-certificate-binding': policies.binding(topology, topology.acm.certificatePolicy),
  } + if here then {} else reader(topology);

// The ConfigMap holds one string for all clusters. Others may depend on it too.
local allowList(topology) = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: 'observability-metrics-custom-allowlist',
    namespace: observability,
    labels: labels(topology),
    annotations: meta.keep(meta.wave.collection),
  },
  data: topology.acm.allowList,
};

// ACM makes an account on each remote, renews its token, and gives it rights
// there.
local account(topology, managed) = {
  local metadata = {
    name: topology.acm.linkPolicy,
    namespace: managed.managed,
    labels: meta.labels('kiali', topology),
    annotations: meta.lateKind(meta.wave.access),
  },

  'acm-link-account': {
    apiVersion: 'authentication.open-cluster-management.io/v1beta1',
    kind: 'ManagedServiceAccount',
    metadata: metadata,
    spec: { rotation: { enabled: true, validity: topology.acm.validity } },
  },
  'acm-link-rights': {
    apiVersion: 'rbac.open-cluster-management.io/v1alpha1',
    kind: 'ClusterPermission',
    metadata: metadata,
    spec: { clusterRoleBindings: managed.bindings },
  },
};

// Links of ACM are in one Secret, because the operator watches only this
// Secret, and a renewed token must restart Kiali. The Secret has only the
// listed keys, so the key of a remote that leaves is removed.
local linked(topology, managed) =
  local made = kubeconfigs.single(topology);
  account(topology, managed) {
    'acm-link-policy': policies.policy(topology, topology.acm.linkPolicy, [
      policies.must('mustonlyhave', {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: made.metadata { name: made.name, namespace: topology.kiali.namespace },
        type: 'Opaque',
        data: topology.acm.kubeconfigs,
      }) { recordDiff: 'None' },
    ]),
    'acm-link-placement': policies.placement(topology, topology.acm.linkPolicy, onACM),
    'acm-link-binding': policies.binding(topology, topology.acm.linkPolicy),
  };

local observed(shape, topology, rule) =
  if !shape.acmHub then {} else
    {
      '': {},
      labels: mcoa(shape, topology, rule),
      policy: mcoa(shape, topology, rule) + registered(topology),
      allowList: { 'acm-allow-list': allowList(topology) },
    }[shape.acmCollects] +
    (if shape.acmKiali != '' then certified(shape, topology) else {});

function(shape, topology, rule, managed)
  observed(shape, topology, rule) +
  (if shape.acmLinks then linked(topology, managed) else {}) +
  (if shape.acmLinks || shape.acmHub && (shape.acmKiali != '' || shape.acmCollects == 'policy') then policies.home(topology) else {})
