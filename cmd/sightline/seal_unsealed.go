package main

import (
	"context"
	"fmt"
	"io"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// checkUnsealed does the same as checkLinks for links that seal does not make. There
// are no files to check. With --live and --hub-context it checks the Secret on the hub.
func (o *sealRun) checkUnsealed(ctx context.Context, t *topology.Topology, remotes []*topology.Cluster,
	stdout, stderr io.Writer) error {
	source := t.Spec.Kiali.Links.Source
	statuses := make([]linkStatus, len(remotes))
	for i, c := range remotes {
		statuses[i] = linkStatus{Cluster: c.Name, State: "not sealed: links.source is " + source, Problems: []linkProblem{}, at: positionOf(t, c)}
	}
	if !o.live || o.hubContext == "" {
		if err := o.reportStatuses(t, statuses, stdout, stderr); err != nil {
			return err
		}
		fmt.Fprintf(stderr, "hint: these links have no files to check; --live and --hub-context check them on the hub, "+
			"and sightline status also asks the remotes\n")
		return nil
	}
	h, err := o.openHub()
	if err != nil {
		return err
	}
	for i, c := range remotes {
		at := t.SealedFor(c)
		kubeconfig, err := h.link(ctx, at.Namespace, at.Name, at.Key)
		if err != nil {
			return o.late(ctx, h.Name(), err)
		}
		if kubeconfig == nil {
			statuses[i].NeedsWork = true
			statuses[i].Problems = []linkProblem{problemOf(finding.Finding{
				Message: fmt.Sprintf("the hub has no key %s in the Secret %s/%s, so Kiali does not know the cluster", at.Key, at.Namespace, at.Name),
				Hint:    unsealedHint(t, c, o.hubContext),
			})}
		}
	}
	return o.reportStatuses(t, statuses, stdout, stderr)
}

// unsealedHint says where to look if a link is missing that seal does not make.
func unsealedHint(t *topology.Topology, c *topology.Cluster, hub string) string {
	switch t.Spec.Kiali.Links.Source {
	case "externalSecrets":
	case "acm":
		return "read what ACM reports: " + command.Kubectl(hub, t.Spec.Metrics.ACM.PolicyNamespace, "get policy "+t.LinkAccount()+" -o yaml") +
			"; " + command.Kubectl(hub, c.ManagedCluster, "get managedserviceaccount,clusterpermission "+t.LinkAccount()+" -o yaml")
	default:
		return "check the program that fills the Secret"
	}
	at := t.SealedFor(c)
	return command.ExternalSecrets(hub, c.Name, at.Namespace, at.Name, t.Account())
}
