package suite

import (
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/kiali/kialitest"
)

// kialiAPI is a stand-in for Kiali at an address. It can end and start again.
type kialiAPI struct {
	kialitest.API
	server  *http.Server
	address string
}

func startKiali(t *testing.T, address, line string) *kialiAPI {
	t.Helper()
	k := &kialiAPI{API: kialitest.API{Home: "cluster1", Strategy: "anonymous"}, address: address}
	require.NoError(t, k.Become(line))
	k.start(t)
	t.Cleanup(func() { _ = k.server.Close() })
	return k
}

func (k *kialiAPI) start(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", k.address)
	require.NoError(t, err)
	k.server = &http.Server{Handler: &k.API}
	go func() { _ = k.server.Serve(listener) }()
}
