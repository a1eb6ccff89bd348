// Limits on what Prometheus takes from a proxy, by the label env of the
// cluster. They are high on purpose: a target beyond its limit is not scraped
// at all.
local limits = import 'limits.libsonnet';

function(resource, cluster)
  // A cluster without the label has no limits.
  local limit = std.get(limits, std.get(cluster.labels, 'env', ''), {});
  if resource.kind == 'PodMonitor' || resource.kind == 'ServiceMonitor'
  then resource { spec+: limit }
  else resource
