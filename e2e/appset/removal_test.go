package appset

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
)

// TestRemovedCluster removes a cluster from the topology. With create-update
// its Application stays. With sync this Application is removed, and no other.
// The objects on the cluster stay in both cases, because no Application has a
// finalizer.
func TestRemovedCluster(t *testing.T) {
	for _, generator := range generatorNames {
		for _, mode := range []string{"create-update", "sync"} {
			t.Run(generator+"/"+mode, func(t *testing.T) {
				m := mesh{argocd: "generator: " + generator + ", applicationsSync: " + mode}
				e := started(t, m, "kustomize")
				require.Len(t, e.applications(), 3)

				m.without = "south"
				e.commit(m.String(), "kustomize")
				assert.NotContains(t, e.files(), "rendered/mesh/argocd/clusters/south.yaml")
				assert.True(t, permits(e, "https://api.south.example.com:6443"), "what deletes the objects of the Application needs the project as it was")
				e.apply()
				assert.False(t, permits(e, "https://api.south.example.com:6443"))
				if generator == "clusters" { // this generator uses the labels of the Secret
					e = relabelled(t, e, "south/admin")
				}
				e.reconcile()
				require.Empty(t, e.problem())

				want := []string{"mesh-east", "mesh-west-1-eu"}
				if mode == "create-update" {
					want = []string{"mesh-east", "mesh-south", "mesh-west-1-eu"}
				}
				apps := e.applications()
				assert.Equal(t, want, slices.Sorted(maps.Keys(apps)))
				for name, app := range apps {
					assert.Empty(t, app.Finalizers, name)
				}
			})
		}
	}
}

// permits asks Argo CD whether the project permits a cluster. Argo CD does not
// touch objects on another cluster, even if their Application is deleted.
func permits(e *engine, server string) bool {
	e.t.Helper()
	permitted, err := e.project().IsDestinationPermitted(&v1alpha1.Cluster{Server: server}, "istio-system", func(string) ([]*v1alpha1.Cluster, error) { return nil, nil })
	require.NoError(e.t, err)
	return permitted
}

// relabelled returns the engine after somebody removed the labels of the mesh
// from a registered cluster.
func relabelled(t *testing.T, before *engine, cluster string) *engine {
	t.Helper()
	clusters := fleet()
	for i := range clusters {
		if clusters[i].name == cluster {
			clusters[i].labels = nil
		}
	}
	after := newEngine(before.repository, before.namespace, clusters...)
	after.apply()
	for _, app := range before.applications() {
		app.ResourceVersion = ""
		require.NoError(t, after.client.Create(t.Context(), &app))
	}
	return after
}

// TestDeletedApplicationSet deletes the ApplicationSet. With create-update, the
// controller releases the Applications first, so that the cluster's garbage
// collector does not remove them.
func TestDeletedApplicationSet(t *testing.T) {
	for mode, owned := range map[string]bool{"create-update": false, "sync": true} {
		t.Run(mode, func(t *testing.T) {
			e := started(t, mesh{argocd: "applicationsSync: " + mode}, "kustomize")
			var set v1alpha1.ApplicationSet
			require.NoError(t, e.client.Get(t.Context(), types.NamespacedName{Namespace: e.namespace, Name: e.name}, &set))
			require.NoError(t, e.client.Delete(t.Context(), &set))
			e.reconcile()
			assert.Error(t, e.client.Get(t.Context(), types.NamespacedName{Namespace: e.namespace, Name: e.name}, &set), "the ApplicationSet is still there")
			apps := e.applications()
			require.Len(t, apps, 3)
			for name, app := range apps {
				assert.Equal(t, owned, len(app.OwnerReferences) > 0, name)
			}
		})
	}
}
