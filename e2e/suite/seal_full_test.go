//go:build full

package suite

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// TestSealForController is TestSeal with the real controller on the hub: the
// certificate comes from it, through the API server, and it opens the links.
func TestSealForController(t *testing.T) {
	rig.NeedDefinitions(t, "that the hub's controller opens sealed links")
	for _, format := range []string{"single", "perCluster"} {
		t.Run(format, func(t *testing.T) {
			r := newRepository(t, format)
			r.east.StartSealedSecrets(t)
			r.open = func() []byte {
				r.t.Helper()
				secret := r.east.Unsealed(r.t, r.link()[0])
				require.Len(r.t, secret.Data, 1)
				require.Contains(r.t, secret.Data, "cluster2")
				return secret.Data["cluster2"]
			}
			life(t, r, "--context", "west", "--kubeconfig", kubeconfig(t, r.east, r.west), "--hub-context", "east")
		})
	}
}

// kubeconfig is a file with the contexts of the clusters.
func kubeconfig(t *testing.T, clusters ...*rig.Cluster) string {
	t.Helper()
	rules := clientcmd.ClientConfigLoadingRules{}
	for _, c := range clusters {
		rules.Precedence = append(rules.Precedence, c.Kubeconfig)
	}
	config, err := rules.Load()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "config")
	require.NoError(t, clientcmd.WriteToFile(*config, file))
	return file
}
