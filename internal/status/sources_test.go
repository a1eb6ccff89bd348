package status_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/status"
)

// TestSourcesOfLinks checks each source of links: what status expects on the
// remote, and its advice about a link that the hub does not have.
func TestSourcesOfLinks(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]struct {
		user   string // user of a good link
		token  bool   // whether the remote has a Secret with the token
		advice string // about a missing link
	}{
		"sealed":          {"system:serviceaccount:istio-system:kiali-service-account", true, "sightline seal west --topology mesh.yaml --hub-context east"},
		"sops":            {"system:serviceaccount:istio-system:kiali-service-account", true, "sightline seal west --topology mesh.yaml"},
		"externalSecrets": {"system:serviceaccount:istio-system:kiali-service-account", true, "get externalsecret kiali-multi-cluster-secret"},
		"external":        {"system:serviceaccount:istio-system:kiali-service-account", true, "links.source is external"},
		"acm": {"system:serviceaccount:open-cluster-management-agent-addon:mesh-kiali", false,
			"kubectl --context east -n west get managedserviceaccount,clusterpermission mesh-kiali"},
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			judged := func(change func(east, west *status.Cluster, f *status.Facts)) map[string]status.Result {
				e, f := good(t)
				e.Topology.Spec.Kiali.Links.Source = source
				f.Links["west"].User.Value = want.user
				change(f.Clusters["east"], f.Clusters["west"], &f)
				checks := map[string]status.Result{}
				for _, c := range status.Judge(e, f) {
					if c.Cluster == "west" {
						checks[c.Check] = c
					}
				}
				return checks
			}
			well := judged(func(_, _ *status.Cluster, _ *status.Facts) {})
			for _, id := range []string{"ST13", "ST15", "ST16"} {
				assert.Equal(t, status.Good, well[id].Mark, "%s: %+v", id, well[id])
			}
			assert.Equal(t, want.token, well["ST12"].Mark == status.Good, "the remote has a token Secret")

			gone := judged(func(east, _ *status.Cluster, _ *status.Facts) { east.LinkSecrets.Value = nil })["ST13"]
			assert.Equal(t, status.Bad, gone.Mark)
			assert.Contains(t, gone.Next, want.advice)

			other := judged(func(_, _ *status.Cluster, f *status.Facts) { f.Links["west"].User.Value = "somebody" })["ST16"]
			require.Equal(t, status.Bad, other.Mark)
			assert.Contains(t, other.Found, "somebody")
		})
	}
}
