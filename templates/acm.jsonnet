// What is on an ACM hub that is no cluster of the topology.
local acm = import 'acm.libsonnet';
local meta = import 'meta.libsonnet';

function(
  shape=error 'must provide shape',
  topology=error 'must provide topology',
  rule=error 'must provide rule',
) meta.delivered(shape, { acm: acm(shape, topology, rule, null) })
