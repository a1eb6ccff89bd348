package seal

import (
	"fmt"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// If links.format changes, the link moves to another Secret on the hub. Nothing removes
// the earlier Secret, and Kiali may still use it: if a cluster has two kubeconfigs, Kiali
// uses the one whose folder comes first (kiali kubernetes/cluster_secret.go). This is
// the folder of kiali-multi-cluster-secret. So the link remembers the earlier Secret
// until a user has removed it.

// replaces returns the earlier Secret on the hub, or "".
func replaces(before *topology.SealedLink, want topology.SealedFor) string {
	switch {
	case before == nil || before.Spec.Secret.Namespace != want.Namespace:
		return "" // another Kiali, which never had the earlier Secret
	case before.Spec.Secret.Name != want.Name:
		return before.Spec.Secret.Name
	case before.Spec.Replaces != want.Name:
		return before.Spec.Replaces
	}
	return ""
}

// leftover says how to remove the earlier Secret, and the next steps. With a
// SealedSecret, its Secret is removed too. Then Kiali must read its links again. If the
// Secret had a separate volume, the operator must first remove the volume from the
// Deployment. Otherwise the next pod waits for it.
func leftover(r Remote, l *topology.SealedLink) string {
	spec := &r.Topology.Spec.Kiali
	kubectl := func(do string) string { return command.Kubectl(r.HubContext, spec.Namespace, do) }
	anew := kubectl("rollout restart deployment/" + spec.InstanceName)
	if l.Spec.Secret.Name == kiali.SingleSecret {
		anew = kubectl("annotate --overwrite kiali/" + spec.InstanceName + ` kiali.io/reconcile="$(date)"`)
	}
	return fmt.Sprintf("once the hub has the Secret %s, remove the earlier one: %s; %s; then: %s %s",
		l.Spec.Secret.Name, kubectl("delete "+l.Spec.Maker()+" "+l.Spec.Replaces), anew, r.does(command.Finish), command.HubContext(r.HubContext))
}
