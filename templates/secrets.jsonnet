local kubeconfigs = import 'kubeconfigs.libsonnet';

// The Secrets with the kubeconfigs of the remotes, without data. They are for
// users who bring the kubeconfigs to the hub by hand, and are never rendered.
local secret(topology, made) = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: made.metadata { name: made.name, namespace: topology.kiali.namespace },
  type: 'Opaque',
};

function(
  shape=error 'must provide shape',
  topology=error 'must provide topology',
  links=error 'must provide links',
)
  if shape.links == 'single'
  then { single: secret(topology, kubeconfigs.single(topology)) }
  else { [link.name]: secret(topology, kubeconfigs.perCluster(topology, link)) for link in links }
