// The objects on an ACM hub outside the topology.
local acm = import 'acm.libsonnet';
local meta = import 'meta.libsonnet';

function(
  shape=error 'must provide shape',
  topology=error 'must provide topology',
  rule=error 'must provide rule',
) meta.delivered(shape, { acm: acm(shape, topology, rule, null) })
