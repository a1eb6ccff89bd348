local kiali = import 'kiali.libsonnet';
local links = import 'link.libsonnet';
local meta = import 'meta.libsonnet';
local monitoring = import 'monitoring.libsonnet';
local operator = import 'operator.libsonnet';

function(
  shape=error 'must provide shape',
  topology=error 'must provide topology',
  cluster=error 'must provide cluster',
  namespace=error 'must provide namespace',
  link=error 'must provide link',
  token=error 'must provide token',
  // Later versions pass these values. Nothing here uses them.
  rule=null,
  created=null,
  controlPlane=null,
  fetched=null,
  managed=null,
  encrypted=null,
) meta.delivered(shape, {
  operator: operator(shape, topology),
  monitoring: monitoring(shape, topology, cluster, namespace),
  kiali: kiali(shape, topology, cluster),
  link: links(shape, topology, cluster, link, token),
})
