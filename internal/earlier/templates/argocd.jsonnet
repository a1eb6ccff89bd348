// The objects with which Argo CD delivers the clusters: a project, which limits
// what may go where, and an ApplicationSet, which makes an Application for each
// cluster.
local meta = import 'meta.libsonnet';
local project = import 'project.libsonnet';

// Argo CD does not use these labels itself. So they select clusters, whatever
// other labels exist.
local labels = {
  topology: 'sightline.dev/topology',
  cluster: 'sightline.dev/cluster',
};

// Each generator, and the template expressions for its values.
local generators(shape, topology, argocd) = {
  local named = {
    cluster: '{{ .cluster }}',
    application: '{{ .application }}',
    // A cluster has either a server or a name. The absent key would be an
    // error.
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
        // index returns an empty string for an absent label, without an error.
        matchExpressions: [{ key: labels.cluster, operator: 'Exists' }],
      },
      values: { cluster: '{{ index .metadata.labels "' + labels.cluster + '" }}' },
    } },
    cluster: '{{ .values.cluster }}',
    application: topology.name + '-{{ .values.cluster | lower | replace "." "-" | replace "_" "-" }}',
    destination: { server: '{{ .server }}' },
  },
}[shape.generator];

// Where the tree is, by format. The paths of an Application's input are
// relative to the path of its source. Without these paths, every commit to the
// repository would render every Application again.
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

// If the tree is a second source beside the operator's chart, the operator is
// in the first sync wave. It runs before the Kiali resource is created, and is
// removed after it.
local origin(shape, argocd, source) =
  local tree = { repoURL: argocd.repoURL, targetRevision: argocd.revision } + source;
  if !shape.operatorChart then { source: tree } else {
    sources: [
      {
        repoURL: argocd.chart.repoURL,
        chart: 'kiali-operator',
        targetRevision: argocd.chart.version,
        // The tree has the Kiali resource.
        helm: { releaseName: 'kiali-operator', valuesObject: { cr: { create: false } } },
      },
      tree,
    ],
  };

// A rollout starts syncs by itself. Automated sync must be off: if progressive
// syncs are off in the controller, it would bring every change to all clusters
// at once.
local automated(shape, argocd) =
  if shape.automated && !shape.rollout
  then { automated: { prune: argocd.sync.prune, selfHeal: argocd.sync.selfHeal } }
  else {};

local template(shape, topology, argocd, made) =
  local from = sources(shape, argocd, made.cluster);
  {
    metadata: {
      name: made.application,
      labels: { [labels.topology]: topology.name, [labels.cluster]: made.cluster },
      annotations: { 'argocd.argoproj.io/manifest-generate-paths': from.madeOf },
    },
    spec: {
      project: argocd.project,
      // All objects of the tree name their namespaces. This namespace is for
      // the objects of the operator's chart.
      destination: made.destination + (if shape.operatorChart then { namespace: argocd.chart.namespace } else {}),
      syncPolicy: automated(shape, argocd) {
        syncOptions: [
          'ServerSideApply=true',
          // The operator brings the definition of the Kiali resource.
          'SkipDryRunOnMissingResource=true',
        ] + (if shape.operatorChart then ['CreateNamespace=true'] else []),
        // Some things take time on a new cluster, such as the first start of an
        // operator. Argo CD tries again; the last tries are five minutes apart.
        retry: { limit: 10, backoff: { duration: '15s', factor: 2, maxDuration: '5m' } },
      },
    } + origin(shape, argocd, from.source),
  };

local applications(shape, topology, argocd) =
  local made = generators(shape, topology, argocd);
  {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: {
      name: topology.name,
      namespace: argocd.namespace,
      labels: meta.labels('mesh-delivery', topology),
      // With this finalizer, Argo CD releases the Applications before it
      // deletes the ApplicationSet. Otherwise it would delete them too.
      [if shape.kept then 'finalizers']: ['resources-finalizer.argocd.argoproj.io'],
    },
    spec: {
      goTemplate: true,
      goTemplateOptions: ['missingkey=error'],
      generators: [made.generator],
      // The objects on a cluster stay, whatever happens to their Application.
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
  appproject: project(topology, argocd),
  applicationset: applications(shape, topology, argocd),
}
