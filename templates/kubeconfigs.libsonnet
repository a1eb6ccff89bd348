local meta = import 'meta.libsonnet';

// The Secrets on the hub that Kiali and its operator look for, from any source:
// their names and metadata.
{
  // The operator watches this Secret by the label, and restarts Kiali when it
  // changes.
  single(topology): {
    name: 'kiali-multi-cluster-secret',
    metadata: { labels: meta.labels('kiali', topology) { 'kiali.io/kiali-multi-cluster-secret': 'true' } },
  },

  // The operator finds these by the label when it reconciles Kiali.
  perCluster(topology, link): {
    name: link.secret,
    metadata: {
      labels: meta.labels('kiali', topology) { 'kiali.io/multiCluster': 'true' },
      annotations: { 'kiali.io/cluster': link.name },
    },
  },
}
