local health = import 'health.libsonnet';
local meta = import 'meta.libsonnet';

// For failures that Flux repeats before the interval ends: the operator has not
// yet brought the definition of a kind, or a cluster was away.
local retryInterval = '1m';

local metadata(flux, name) = {
  name: name,
  namespace: flux.namespace,
  labels: meta.labels('mesh-delivery', flux.topology),
};

local source(shape, flux) = {
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: flux.source.kind,
  metadata: metadata(flux, flux.source.name),
  spec: {
    interval: flux.interval,
    url: flux.source.url,
    ref: flux.source.ref,
  } + if shape.secretRef then { secretRef: { name: flux.secretRef } } else {},
};

local sourceRef(flux) = { kind: flux.source.kind, name: flux.source.name };

// The Kustomization of all other Flux objects. It removes the objects of a
// cluster that left. Their own deletionPolicy decides what happens on the
// cluster.
local root(flux, step) = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: metadata(flux, flux.topology.name),
  spec: {
    deletionPolicy: 'Orphan',
    interval: flux.interval,
    path: step.root,
    prune: true,
    retryInterval: retryInterval,
    sourceRef: sourceRef(flux),
    timeout: flux.timeout,
  },
};

local order(shape, step) =
  (if shape.dependsOn then { dependsOn: [{ name: step.dependsOn }] } else {}) +
  (if shape.wait && std.length(health[shape.phase]) > 0 then { healthCheckExprs: health[shape.phase] } else {});

local kubeConfig(shape, step) =
  if shape.kubeConfig then { kubeConfig: { secretRef: { name: step.kubeConfig } } } else {};

local kustomization(flux, step) = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: metadata(flux, step.name),
  spec: {
    deletionPolicy: flux.deletionPolicy,
    interval: flux.interval,
    path: step.path,
    prune: flux.prune,
    retryInterval: retryInterval,
    sourceRef: sourceRef(flux),
    timeout: flux.timeout,
    wait: flux.wait,
  },
};

// Helm uninstalls a release when its HelmRelease is deleted. There is no other
// policy. So if the objects are to stay, the HelmRelease stays.
local release(shape, flux, step) = {
  local action = {
    disableWait: !flux.wait,
    strategy: { name: 'RetryOnFailure', retryInterval: retryInterval },
  },

  apiVersion: 'helm.toolkit.fluxcd.io/v2',
  kind: 'HelmRelease',
  metadata: metadata(flux, step.name) +
            if shape.keep then { annotations: { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' } } else {},
  spec: {
    driftDetection: { mode: 'enabled' },
    install: action,
    interval: flux.interval,
    timeout: flux.timeout,
    upgrade: action,
  } + kubeConfig(shape, step),
};

// One phase of the chart.
local chart(shape, flux, step) = release(shape, flux, step) {
  spec+: order(shape, step) {
    chart: { spec: {
      chart: flux.chart,
      // The chart's version may stay the same, but the commit changes.
      reconcileStrategy: 'Revision',
      sourceRef: sourceRef(flux),
      valuesFiles: [flux.chart + '/values.yaml', step.values],
    } },
    releaseName: step.release,
    storageNamespace: flux.releaseNamespace,
    targetNamespace: flux.releaseNamespace,
    values: { phases: {
      [phase]: false
      for phase in std.objectFields(health)
      if phase != shape.phase
    } },
  },
};

local operatorRepository(flux) = {
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'HelmRepository',
  metadata: metadata(flux, flux.operator.repository),
  spec: { interval: flux.interval, url: flux.operator.url },
};

// The operator from its own chart.
local operator(shape, flux, step) = release(shape, flux, step) {
  spec+: {
    chart: { spec: {
      chart: 'kiali-operator',
      sourceRef: { kind: 'HelmRepository', name: flux.operator.repository },
      version: flux.operator.version,
    } },
    install+: { createNamespace: true },
    releaseName: 'kiali-operator',
    // By default, Helm's records are in the namespace of this object. A cluster
    // without Flux does not have this namespace.
    storageNamespace: flux.operator.namespace,
    targetNamespace: flux.operator.namespace,
    // The operator owns the definition of the Kiali resource, and changes it
    // with new versions.
    upgrade+: { crds: 'CreateReplace' },
    // The Kiali resource is rendered.
    values: { cr: { create: false } },
  },
};

// The objects of a phase, or without a phase the objects that exist once.
function(
  shape=error 'must provide shape',
  flux=error 'must provide flux',
  step=error 'must provide step',
)
  if shape.phase == '' then {
    source: source(shape, flux),
    root: root(flux, step),
    'operator-repository': operatorRepository(flux),
  } else {
    kustomization: kustomization(flux, step) { spec+: kubeConfig(shape, step) + order(shape, step) },
    chart: chart(shape, flux, step),
    'operator-release': operator(shape, flux, step),
    // Around the operator's release. It is on the cluster of Flux.
    operator: kustomization(flux, step),
  }
