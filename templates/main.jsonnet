local kiali = import 'kiali.libsonnet';
local link = import 'link.libsonnet';
local meta = import 'meta.libsonnet';
local monitoring = import 'monitoring.libsonnet';
local operator = import 'operator.libsonnet';

function(
  shape=error 'must provide shape',
  topology=error 'must provide topology',
  cluster=error 'must provide cluster',
  namespace=error 'must provide namespace',
) meta.delivered(shape, {
  operator: operator(shape, topology),
  monitoring: monitoring(shape, topology, cluster, namespace),
  kiali: kiali(shape, topology, cluster),
  link: link(shape, topology),
})
