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
Before you uninstall the operator, delete the Kiali resource: only the operator
removes its finalizer.
  kubectl -n istio-system delete kiali kiali
`
	assert.Equal(t, strings.TrimPrefix(`
On cluster1: kiali, link, monitoring, operator, from the topology.

The operator has finished when this command returns:
  kubectl -n istio-system wait --for=condition=Successful kiali/kiali --timeout=10m

This is the hub. Kiali reads the Secrets with the kubeconfigs of the remotes when
it starts. So install the phase link before kiali. A kubeconfig has the token
that the phase link makes on the remote. So install the remotes before the hub.
`+uninstall, "\n"), notes("{cluster: {name: cluster1}, shape: {hub: true}}"))
	assert.Equal(t, strings.TrimPrefix(`
On cluster2: operator, from the topology.

Install the next phase when these commands return:
  kubectl wait --for=create crd/kialis.kiali.io --timeout=10m
  kubectl wait --for=condition=Established crd/kialis.kiali.io --timeout=2m

This is a remote.
`+uninstall, "\n"), notes("{cluster: {name: cluster2}, phases: {kiali: false, link: false, monitoring: false}}"))
	assert.Contains(t, notes("cluster: {name: cluster2}"), `
This is a remote. The token for the hub exists when this command returns.
It belongs in the kubeconfig of cluster2 on the hub.
  kubectl -n istio-system wait --for=jsonpath='{.data.token}' secret/kiali-service-account --timeout=1m
`)
}
