package seal

import (
	"fmt"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// A change of links.format gives a link to another Secret on the hub. Nothing
// removes the one of before, and Kiali goes on using it: of two kubeconfigs for one
// cluster it takes the one whose folder comes first (kiali
// kubernetes/cluster_secret.go), which is that of kiali-multi-cluster-secret. So the
// link remembers the Secret until somebody has removed it.

// replaces is the Secret that the hub has from before, if any.
func replaces(before *topology.SealedLink, want topology.SealedFor) string {
	switch {
	case before == nil || before.Spec.Secret.Namespace != want.Namespace:
		return "" // another Kiali, which has never seen it
	case before.Spec.Secret.Name != want.Name:
		return before.Spec.Secret.Name
	case before.Spec.Replaces != want.Name:
		return before.Spec.Replaces
	}
	return ""
}

// leftover says how the Secret of before is removed, and what comes then. A
// SealedSecret takes its Secret along. Kiali has to read its links anew; where the
// Secret had a volume of its own, the operator has to take that out of the
// Deployment first, or the next pod waits for it.
func leftover(r Remote, l *topology.SealedLink) string {
	spec := &r.Topology.Spec.Kiali
	kubectl := func(do string) string { return command.Kubectl(r.HubContext, spec.Namespace, do) }
	anew := kubectl("rollout restart deployment/" + spec.InstanceName)
	if l.Spec.Secret.Name == kiali.SingleSecret {
		anew = kubectl("annotate --overwrite kiali/" + spec.InstanceName + ` kiali.io/reconcile="$(date)"`)
	}
	return fmt.Sprintf("once the hub has the Secret %s, remove the one of before: %s; %s; then: %s %s",
		l.Spec.Secret.Name, kubectl("delete "+l.Spec.Maker()+" "+l.Spec.Replaces), anew, r.does(command.Finish), command.HubContext(r.HubContext))
}
