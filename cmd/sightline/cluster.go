package main

import (
	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/finding"
)

// openContext returns a client for the cluster of a context. flag is the flag that
// names the context; the hint of the error has it.
func openContext(contexts *cluster.Contexts, flag, context string) (*cluster.Cluster, error) {
	if contexts.Has(context) {
		return contexts.Open(context, cluster.Options{})
	}
	hint := "the contexts are " + finding.List(contexts.Names(), listed)
	if len(contexts.Names()) == 0 {
		hint = "the kubeconfig has no contexts; name another with --kubeconfig FILE"
	}
	return nil, &hinted{contexts.Missing(context), "name one with " + flag + "; " + hint}
}
