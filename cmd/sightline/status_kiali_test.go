package main

import (
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/kiali/kialitest"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// kialiOf is a server with a stand-in for Kiali that sees the whole mesh of a topology.
type kialiOf struct {
	*httptest.Server
	kialitest.API
}

func newKiali(t *testing.T, topo *topology.Topology) *kialiOf {
	k := &kialiOf{API: kialitest.API{Home: "east", Strategy: "anonymous", Namespaces: map[string][]string{}, Planes: map[string]string{},
		Tracing: "Healthy"}}
	for i := range topo.Spec.Clusters {
		c := &topo.Spec.Clusters[i]
		k.Answering = append(k.Answering, c.Name)
		k.Namespaces[c.Name] = append([]string{topo.Spec.Mesh.ControlPlaneNamespace}, slices.Concat(topo.Spec.Namespaces, c.Namespaces)...)
		k.Planes[c.Name] = c.Name
	}
	require.NoError(t, k.Become(topo.Hub().Kiali.Version.String()))
	k.Server = httptest.NewServer(&k.API)
	t.Cleanup(k.Close)
	return k
}
