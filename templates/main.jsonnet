local acm = import 'acm.libsonnet';
local kiali = import 'kiali.libsonnet';
local links = import 'link.libsonnet';
local meta = import 'meta.libsonnet';
local monitoring = import 'monitoring.libsonnet';
local namespaces = import 'namespaces.libsonnet';
local operator = import 'operator.libsonnet';

function(
  shape=error 'must provide shape',
  topology=error 'must provide topology',
  cluster=error 'must provide cluster',
  namespace=error 'must provide namespace',
  link=error 'must provide link',
  encrypted=error 'must provide encrypted',
  token=error 'must provide token',
  rule=error 'must provide rule',
  created=error 'must provide created',
  controlPlane=error 'must provide controlPlane',
  fetched=error 'must provide fetched',
  managed=error 'must provide managed',
) meta.delivered(shape, {
  operator: operator(shape, topology) + namespaces(shape, topology, created),
  acm: acm(shape, topology, rule, managed),
  monitoring: monitoring(shape, topology, cluster, namespace, controlPlane),
  kiali: kiali(shape, topology, cluster),
  link: links(shape, topology, cluster, link, encrypted, token, fetched),
})
