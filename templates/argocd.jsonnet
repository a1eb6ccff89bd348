// What Argo CD needs to deliver the clusters: a project that says what may go
// where, and an ApplicationSet that makes an Application for each.
local meta = import 'meta.libsonnet';
local project = import 'project.libsonnet';

// Neither is a label of the engine's own, so clusters can be selected by them
// whatever else has labels.
local labels = {
  topology: 'sightline.dev/topology',
  cluster: 'sightline.dev/cluster',
  // By it ACM shows which Placement an ApplicationSet is for.
  placement: 'cluster.open-cluster-management.io/placement',
};

// ACM brings an Application to the cluster that it is for, whose own Argo CD
// applies it.
local inCluster = { server: 'https://kubernetes.default.svc' };

// Argo CD itself makes a name of the cluster's where the generator has none.
local applicationOf(topology, cluster) =
  topology.name + '-{{ ' + cluster + ' | lower | replace "." "-" | replace "_" "-" }}';

// Each generator with how the template names the values that it gives.
local generators(shape, topology, argocd) = {
  local named = {
    cluster: '{{ .cluster }}',
    managed: '{{ .managedCluster }}',
    application: '{{ .application }}',
    // A cluster has one of the two, and an absent key is an error otherwise.
    destination: if shape.byName
    then { server: '{{ dig "server" "" .destination }}', name: '{{ dig "name" "" .destination }}' }
    else { server: '{{ .destination.server }}' },
  },
  list: named { generator: { list: { elements: argocd.clusters } } },
  git: named { generator: { git: {
    repoURL: argocd.repoURL,
    revision: argocd.revision,
    files: [{ path: argocd.clusterFiles }],
  } } },
  clusters: {
    generator: { clusters: {
      selector: {
        matchLabels: { [labels.topology]: topology.name },
        // index gives nothing for a label that is not there, and no error.
        matchExpressions: [{ key: labels.cluster, operator: 'Exists' }],
      },
      values: { cluster: '{{ index .metadata.labels "' + labels.cluster + '" }}' },
    } },
    cluster: '{{ .values.cluster }}',
    managed: '{{ .name }}',  // ACM registers clusters by its names
    application: applicationOf(topology, '.values.cluster'),
    destination: { server: '{{ .server }}' },
  },
  // Argo CD knows the clusters of ACM by their names there. The ConfigMap is
  // ACM's own, and says where a Placement has its decisions.
  acm: {
    generator: { clusterDecisionResource: {
      configMapRef: 'acm-placement',
      labelSelector: { matchLabels: { [labels.placement]: argocd.placement } },
      requeueAfterSeconds: 180,
    } },
    cluster: '{{ ' + argocd.clusterOfACM + ' }}',
    managed: '{{ .clusterName }}',
    application: applicationOf(topology, argocd.clusterOfACM),
    destination: { name: '{{ .name }}' },
  },
}[shape.generator] + (if shape.pulled then { destination: inCluster } else {});

// Annotations with the name of the cluster; in the one that ACM reads with ACM's.
local named(argocd, made) =
  std.mapWithKey(
    function(key, text) std.strReplace(text, '{cluster}', if key == argocd.pulled then made.managed else made.cluster),
    argocd.applications.annotations
  );

// Sightline inside Argo CD renders the topology, so every cluster has one source.
local plugin(argocd, cluster) = {
  source: {
    path: argocd.path,
    plugin: {
      name: argocd.plugin.name,
      parameters: [
        { name: 'topology', string: argocd.plugin.topology },
        { name: 'cluster', string: cluster },
      ],
    },
  },
  madeOf: '.',
};

// Where the tree is, by its format. The paths that an Application is made of
// are relative to its own: without them every commit to the repository would
// have every Application made anew.
local sources(shape, argocd, cluster) = {
  kustomize: {
    source: { path: argocd.clustersPath + '/' + cluster },
    madeOf: '.;../../base;../../namespaces' + (if shape.components then ';../../overlays' else ''),
  },
  helm: {
    source: { path: argocd.chartPath, helm: { valueFiles: ['../clusters/' + cluster + '.yaml'] } },
    madeOf: '.;../clusters/' + cluster + '.yaml',
  },
  manifests: {
    source: { path: argocd.clustersPath + '/' + cluster, directory: { recurse: true } },
    madeOf: '.',
  },
}[shape.format];

// With the chart beside it, the operator is of the first sync wave: it runs
// before the Kiali resource comes, and goes after it.
local origin(shape, argocd, source) =
  local tree = { repoURL: argocd.repoURL, targetRevision: argocd.revision } + source;
  if !shape.operatorChart then { source: tree } else {
    sources: [
      {
        repoURL: argocd.chart.repoURL,
        chart: 'kiali-operator',
        targetRevision: argocd.chart.version,
        helm: { releaseName: 'kiali-operator', valuesObject: argocd.chart.values },
      },
      tree,
    ],
  };

// A rollout syncs by itself. Were sync automated as well, a controller in which
// progressive syncs are off would bring every change to all clusters at once.
local automated(shape, argocd) =
  if shape.automated && !shape.rollout
  then { automated: { prune: argocd.sync.prune, selfHeal: argocd.sync.selfHeal } }
  else {};

local application(shape, topology, argocd, made, from) =
  {
    metadata: {
      name: made.application,
      labels: argocd.applications.labels { [labels.topology]: topology.name, [labels.cluster]: made.cluster },
      annotations: named(argocd, made) { 'argocd.argoproj.io/manifest-generate-paths': from.madeOf },
    },
    spec: {
      project: argocd.project,
      // All objects of the tree name their namespaces. This is for those of the
      // operator's chart, and for the project, which permits no other.
      destination: made.destination { namespace: if shape.operatorChart then argocd.chart.namespace else argocd.home },
      syncPolicy: automated(shape, argocd) {
        syncOptions: [
          'ServerSideApply=true',
          // The operator brings the definition of the Kiali resource with it.
          'SkipDryRunOnMissingResource=true',
        ] + (if shape.operatorChart then ['CreateNamespace=true'] else []),
        // What takes its time on a new cluster, such as an operator's first
        // start, is waited for; the last tries are five minutes apart.
        retry: { limit: 10, backoff: { duration: '15s', factor: 2, maxDuration: '5m' } },
      },
    } + origin(shape, argocd, from.source),
  };

local template(shape, topology, argocd, made) =
  application(shape, topology, argocd, made, if shape.plugin then plugin(argocd, made.cluster) else sources(shape, argocd, made.cluster));

// An ACM hub that is no cluster of the topology has no operator of ours, and
// its objects are a kustomization whatever the format. The annotations are for
// what brings Applications to the clusters of the topology.
local acm(shape, topology, argocd) = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
} + application(
  shape { operatorChart: false, rollout: false },
  topology,
  argocd { home: 'open-cluster-management-observability', applications+: { annotations: {} } },
  argocd.acm,
  if shape.plugin then plugin(argocd, argocd.acm.cluster) else { source: { path: argocd.acm.path }, madeOf: '.' }
) { metadata+: { namespace: argocd.namespace, labels+: meta.labels('mesh-delivery', topology) } };

local applications(shape, topology, argocd) =
  local made = generators(shape, topology, argocd);
  {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: {
      name: topology.name,
      namespace: argocd.namespace,
      labels: meta.labels('mesh-delivery', topology) + (if shape.generator == 'acm' then { [labels.placement]: argocd.placement } else {}),
      // With it Argo CD lets go of the Applications before the ApplicationSet
      // is deleted; without it they would be deleted too.
      [if shape.kept then 'finalizers']: ['resources-finalizer.argocd.argoproj.io'],
    },
    spec: {
      goTemplate: true,
      goTemplateOptions: ['missingkey=error'],
      generators: [made.generator],
      // Whatever becomes of an Application, what it has brought stays.
      syncPolicy: { applicationsSync: argocd.applicationsSync, preserveResourcesOnDeletion: true },
      [if shape.rollout then 'strategy']: {
        type: 'RollingSync',
        rollingSync: { steps: [
          {
            matchExpressions: [{ key: labels.cluster, operator: 'In', values: step.clusters }],
            maxUpdate: step.maxUpdate,
          }
          for step in argocd.rollout
        ] },
      },
      template: template(shape, topology, argocd, made),
    },
  };

function(
  shape=error 'must provide shape',
  topology=error 'must provide topology',
  argocd=error 'must provide argocd',
) {
  appproject: project(shape, topology, argocd),
  applicationset: applications(shape, topology, argocd),
  [if shape.acm then 'application-acm']: acm(shape, topology, argocd),
}
