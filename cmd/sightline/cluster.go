package main

import (
	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/finding"
)

// openContext opens the cluster that a context leads to. The flag is the one
// that names the context.
func openContext(contexts *cluster.Contexts, flag, context string) (*cluster.Cluster, error) {
	if contexts.Has(context) {
		return contexts.Open(context, cluster.Options{})
	}
	hint := "the contexts are " + finding.List(contexts.Names(), listed)
	if len(contexts.Names()) == 0 {
		hint = "there are none; name a kubeconfig with --kubeconfig FILE"
	}
	return nil, &hinted{contexts.Missing(context), "name one with " + flag + "; " + hint}
}
