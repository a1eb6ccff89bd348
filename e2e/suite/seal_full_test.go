//go:build full

package suite

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// TestSealForController is TestSeal with the real controller on the hub. The certificate
// comes from the controller, through the API server, and the controller opens the links.
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

// TestFormatChangeForController is TestFormatChange with the real controller. It keeps the
// earlier Secret. The Secret is deleted together with its SealedSecret.
func TestFormatChangeForController(t *testing.T) {
	rig.NeedDefinitions(t, "that the controller keeps the Secret from before the change of links.format")
	r := newRepository(t, "single")
	r.east.StartSealedSecrets(t)
	unsealed := func() []byte {
		r.t.Helper()
		return r.east.Unsealed(r.t, r.link()[0]).Data["cluster2"]
	}
	r.open = unsealed
	formatChange(t, r, func() { require.NotEmpty(t, unsealed()) }, "--context", "west", "--kubeconfig", kubeconfig(t, r.east, r.west), "--hub-context", "east")
}
