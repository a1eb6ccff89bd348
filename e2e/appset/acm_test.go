package appset

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"

	"github.com/argoproj/argo-cd/v3/applicationset/generators"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
)

// decides gives the engine the objects that ACM makes from Placements: the
// chosen clusters of each, and the ConfigMap that says how to read them
// (multicloud-integrations, gitopscluster_controller.go).
func (e *engine) decides(placements map[string][]string) {
	e.t.Helper()
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "acm-placement", Namespace: e.namespace}, Data: map[string]string{
		"apiVersion": "cluster.open-cluster-management.io/v1beta1", "kind": "placementdecisions", "statusListKey": "decisions", "matchKey": "clusterName",
	}}
	configs := e.kube.CoreV1().ConfigMaps(e.namespace)
	if _, err := configs.Get(e.t.Context(), config.Name, metav1.GetOptions{}); err != nil {
		_, err = configs.Create(e.t.Context(), config, metav1.CreateOptions{})
		require.NoError(e.t, err)
	}
	var objects []runtime.Object
	for placement, clusters := range placements {
		var decisions []any
		for _, name := range clusters {
			decisions = append(decisions, map[string]any{"clusterName": name, "reason": ""})
		}
		objects = append(objects, &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "cluster.open-cluster-management.io/v1beta1", "kind": "PlacementDecision",
			"metadata": map[string]any{"name": placement + "-decision-1", "namespace": e.namespace,
				"labels": map[string]any{"cluster.open-cluster-management.io/placement": placement}},
			"status": map[string]any{"decisions": decisions},
		}})
	}
	kind := schema.GroupVersionResource{Group: "cluster.open-cluster-management.io", Version: "v1beta1", Resource: "placementdecisions"}
	client := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
		map[schema.GroupVersionResource]string{kind: "PlacementDecisionList"}, objects...)
	e.reconciler.Generators["ClusterDecisionResource"] = generators.NewDuckTypeGenerator(e.t.Context(), client, e.kube, e.namespace)
}

// fleetOfACM returns clusters as ACM registers them: each under its name in
// ACM.
func fleetOfACM() []registered {
	return []registered{
		{"local-cluster", "https://kubernetes.default.svc", nil},
		{"west", "https://api.west.example.com:6443", nil},
		{"south", "https://api.south.example.com:6443", nil},
		{"lab", "https://api.lab.example.com:6443", nil},
	}
}

// placed returns an engine whose Placement has chosen clusters. A second
// Placement does not belong to the mesh.
func placed(t *testing.T, m mesh, format string, clusters ...string) *engine {
	t.Helper()
	r := &repository{t: t, root: t.TempDir(), path: "rendered/mesh"}
	r.commit(m.String(), format)
	e := newEngine(r, "openshift-gitops", fleetOfACM()...)
	e.decides(map[string][]string{"mesh-clusters": clusters, "labs": {"lab"}})
	e.apply()
	e.reconcile()
	return e
}

// TestPlacement compares the Applications from a Placement's decisions with the
// topology, in each format.
func TestPlacement(t *testing.T) {
	for _, format := range []string{"kustomize", "helm", "manifests"} {
		t.Run(format, func(t *testing.T) {
			e := placed(t, mesh{argocd: "generator: acm, placement: mesh-clusters", byACM: true}, format, "local-cluster", "west", "south")
			require.Empty(t, e.problem())
			apps := e.applications()
			assert.Equal(t, []string{"mesh-east", "mesh-south", "mesh-west-1-eu"}, slices.Sorted(maps.Keys(apps)))
			for name, is := range map[string]struct{ cluster, managed string }{
				"mesh-east": {"east", "local-cluster"}, "mesh-south": {"south", "south"}, "mesh-west-1-eu": {"West_1.eu", "west"},
			} {
				app := apps[name]
				assert.Equal(t, map[string]string{"sightline.dev/topology": "mesh", "sightline.dev/cluster": is.cluster}, app.Labels)
				assert.Equal(t, v1alpha1.ApplicationDestination{Name: is.managed, Namespace: "istio-system"}, app.Spec.Destination)
				checkSource(t, e, format, is.cluster, app.Spec.GetSource())
				checkRefresh(t, e, format, is.cluster, &app)
			}
			checkPermitted(t, e)
		})
	}
}

// TestPlacementChanges lets a Placement choose fewer and more clusters than the
// topology has.
func TestPlacementChanges(t *testing.T) {
	m := mesh{argocd: "generator: acm, placement: mesh-clusters", byACM: true}
	e := placed(t, m, "kustomize", "local-cluster", "west")
	require.Empty(t, e.problem())
	assert.Equal(t, []string{"mesh-east", "mesh-west-1-eu"}, slices.Sorted(maps.Keys(e.applications())), "a cluster that is not chosen has none")

	e.decides(map[string][]string{"mesh-clusters": {"local-cluster", "west", "lab", "unregistered"}})
	e.reconcile()
	apps := e.applications()
	assert.Equal(t, []string{"mesh-east", "mesh-lab", "mesh-west-1-eu"}, slices.Sorted(maps.Keys(apps)), "Argo CD does not know the cluster unregistered")
	lab := apps["mesh-lab"]
	assert.NoDirExists(t, filepath.Join(e.root, lab.Spec.GetSource().Path), "so it fails, and no other does")

	e.decides(map[string][]string{"others": {"west"}})
	e.reconcile()
	assert.Contains(t, e.problem(), "no clusterDecisionResources found")
	assert.Contains(t, e.applications(), "mesh-west-1-eu", "without a decision nothing is removed")
}

// TestPulled lets ACM bring each Application to its cluster: each has the
// annotation that ACM reads, and its destination is the cluster on which the
// Application is.
func TestPulled(t *testing.T) {
	const pull = `applications: {labels: {apps.open-cluster-management.io/pull-to-ocm-managed-cluster: "true"}, annotations: {` +
		`apps.open-cluster-management.io/ocm-managed-cluster: "{cluster}"}}`
	for _, generator := range []string{"acm, placement: mesh-clusters", "list", "git"} {
		e := placed(t, mesh{argocd: "generator: " + generator + ", " + pull, byACM: true}, "kustomize", "local-cluster", "west", "south")
		require.Empty(t, e.problem())
		apps := e.applications()
		require.Len(t, apps, 3)
		for name, managed := range map[string]string{"mesh-east": "local-cluster", "mesh-west-1-eu": "west", "mesh-south": "south"} {
			app := apps[name]
			assert.Equal(t, "true", app.Labels["apps.open-cluster-management.io/pull-to-ocm-managed-cluster"], name)
			assert.Equal(t, managed, app.Annotations["apps.open-cluster-management.io/ocm-managed-cluster"], name)
			assert.Equal(t, "https://kubernetes.default.svc", app.Spec.Destination.Server, name)
		}
	}
}
