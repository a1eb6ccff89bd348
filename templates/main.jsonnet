local acm = import 'acm.libsonnet';
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
  rule=error 'must provide rule',
) meta.delivered(shape, {
  operator: operator(shape, topology),
  acm: acm(shape, topology, rule),
  monitoring: monitoring(shape, topology, cluster, namespace),
  kiali: kiali(shape, topology, cluster),
  link: links(shape, topology, cluster, link, token),
})
