package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/chart"
)

// TestNotes shows what Helm prints after an installation on the hub and on a
// remote.
func TestNotes(t *testing.T) {
	files, err := charted(everyExample(t)["east-west"], Sources{Templates: shippedTemplates}, nil)
	require.NoError(t, err)
	loaded, err := chart.Load(files)
	require.NoError(t, err)
	notes := func(values string) string {
		rendered, err := loaded.Manifests([]byte(values))
		require.NoError(t, err)
		return rendered["east-west/templates/NOTES.txt"]
	}
	const uninstall = `
Before you uninstall the operator, delete the Kiali resource: without it nobody
takes the finalizer off.
  kubectl -n istio-system delete kiali kiali
`
	assert.Equal(t, strings.TrimPrefix(`
On cluster1: kiali, link, monitoring, operator, as the topology has it.

The operator has done its work when this returns:
  kubectl -n istio-system wait --for=condition=Successful kiali/kiali --timeout=10m

This is the hub. Its Kiali sees a remote whose kubeconfig is in a Secret here
when it starts, so the phase link comes before kiali. The token in a kubeconfig
is the one of the phase link on the remote, so the remotes come before the hub.
`+uninstall, "\n"), notes("{cluster: {name: cluster1}, shape: {hub: true}}"))
	assert.Equal(t, strings.TrimPrefix(`
On cluster2: operator, as the topology has it.

The next phase can follow when these return:
  kubectl wait --for=create crd/kialis.kiali.io --timeout=10m
  kubectl wait --for=condition=Established crd/kialis.kiali.io --timeout=2m

This is a remote.
`+uninstall, "\n"), notes("{cluster: {name: cluster2}, phases: {kiali: false, link: false, monitoring: false}}"))
	assert.Contains(t, notes("cluster: {name: cluster2}"), `
This is a remote. The token that the hub comes with is there when this returns;
it belongs into the kubeconfig of cluster2 on the hub.
  kubectl -n istio-system wait --for=jsonpath='{.data.token}' secret/kiali-service-account --timeout=1m
`)
}
