// Limits for the series of each proxy, by the label env of the cluster. They
// are high on purpose: Prometheus does not scrape a target above its limit at
// all.
local limits = import 'limits.libsonnet';

function(resource, cluster)
  // A cluster without the label has no limits.
  local limit = std.get(limits, std.get(cluster.labels, 'env', ''), {});
  if resource.kind == 'PodMonitor' || resource.kind == 'ServiceMonitor'
  then resource { spec+: limit }
  else resource
