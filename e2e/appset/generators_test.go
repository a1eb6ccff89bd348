package appset

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	apppath "github.com/argoproj/argo-cd/v3/util/app/path"
	"github.com/argoproj/argo-cd/v3/util/argo"
)

const repoURL = "https://git.example.com/platform/mesh.git"

// mesh is a topology of three clusters: the hub with Argo CD; a cluster that
// Argo CD knows by its server; and, with byName, a cluster that it knows by a
// name.
type mesh struct {
	argocd, operator string
	byName           bool
	byACM            bool   // two of them have other names in ACM
	without          string // a cluster that left
}

func (m mesh) String() string {
	clusters := map[string]string{
		"east":      "{name: east, server: https://api.east.example.com:6443, domain: apps.east.example.com, gateways: [gateways]}",
		"West_1.eu": "{name: West_1.eu, server: https://api.west.example.com:6443}",
		"south":     "{name: south, server: https://api.south.example.com:6443}",
	}
	if m.byName {
		clusters["south"] = "{name: south, server: https://api.south.example.com:6443, argocd: {name: south/admin}}"
	}
	if m.byACM {
		clusters["east"] = strings.Replace(clusters["east"], "{name: east,", "{name: east, managedCluster: local-cluster,", 1)
		clusters["West_1.eu"] = strings.Replace(clusters["West_1.eu"], "{name: West_1.eu,", "{name: West_1.eu, managedCluster: west,", 1)
	}
	delete(clusters, m.without)
	return fmt.Sprintf(`apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  kiali: {hub: east%s}
  namespaces: [sample]
  delivery: {repoURL: "%s", path: rendered/mesh, argocd: {%s}}
  clusters: [%s]
`, m.operator, repoURL, m.argocd, strings.Join(slices.Collect(maps.Values(clusters)), ", "))
}

// fleet returns the clusters of the mesh as Argo CD registers them, and one
// more cluster.
func fleet() []registered {
	labels := func(cluster string) map[string]string {
		return map[string]string{"sightline.dev/topology": "mesh", "sightline.dev/cluster": cluster}
	}
	return []registered{
		{"in-cluster", "https://kubernetes.default.svc", labels("east")},
		{"west", "https://api.west.example.com:6443", labels("West_1.eu")},
		{"south/admin", "https://api.south.example.com:6443", labels("south")},
		{"other", "https://api.other.example.com:6443", map[string]string{"sightline.dev/topology": "other", "sightline.dev/cluster": "other"}},
	}
}

var generatorNames = []string{"list", "git", "clusters"}

// started returns an engine that has synced a mesh in a format.
func started(t *testing.T, m mesh, format string) *engine {
	t.Helper()
	r := &repository{t: t, root: t.TempDir(), path: "rendered/mesh"}
	r.commit(m.String(), format)
	e := newEngine(r, "openshift-gitops", fleet()...)
	e.apply()
	e.reconcile()
	require.Empty(t, e.problem())
	return e
}

// TestApplications compares the Applications of each generator in each format
// with the topology.
func TestApplications(t *testing.T) {
	for _, generator := range generatorNames {
		for _, format := range []string{"kustomize", "helm", "manifests"} {
			for _, byName := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/byName=%t", generator, format, byName), func(t *testing.T) {
					e := started(t, mesh{argocd: "generator: " + generator, byName: byName}, format)
					apps := e.applications()
					assert.Equal(t, []string{"mesh-east", "mesh-south", "mesh-west-1-eu"}, slices.Sorted(maps.Keys(apps)))
					for name, cluster := range map[string]string{"mesh-east": "east", "mesh-south": "south", "mesh-west-1-eu": "West_1.eu"} {
						app := apps[name]
						assert.Equal(t, "openshift-gitops", app.Namespace)
						assert.Equal(t, "mesh", app.Spec.Project)
						assert.Empty(t, app.Finalizers, "with one, deleting the Application deletes what it has brought")
						assert.Equal(t, map[string]string{"sightline.dev/topology": "mesh", "sightline.dev/cluster": cluster}, app.Labels)
						assert.Equal(t, repoURL, app.Spec.Source.RepoURL)
						assert.Equal(t, "main", app.Spec.Source.TargetRevision)
						assert.True(t, app.Spec.SyncPolicy.IsAutomatedSyncEnabled())
						assert.True(t, app.Spec.SyncPolicy.Automated.SelfHeal)
						assert.False(t, app.Spec.SyncPolicy.Automated.Prune)
						assert.Equal(t, v1alpha1.SyncOptions{"ServerSideApply=true", "SkipDryRunOnMissingResource=true"}, app.Spec.SyncPolicy.SyncOptions)
						assert.EqualValues(t, 10, app.Spec.SyncPolicy.Retry.Limit)
						checkSource(t, e, format, cluster, app.Spec.GetSource())
						checkRefresh(t, e, format, cluster, &app)
					}
					destination := func(name string) v1alpha1.ApplicationDestination { return apps[name].Spec.Destination }
					assert.Equal(t, v1alpha1.ApplicationDestination{Server: "https://kubernetes.default.svc", Namespace: "istio-system"}, destination("mesh-east"))
					assert.Equal(t, v1alpha1.ApplicationDestination{Server: "https://api.west.example.com:6443", Namespace: "istio-system"}, destination("mesh-west-1-eu"))
					south := v1alpha1.ApplicationDestination{Server: "https://api.south.example.com:6443", Namespace: "istio-system"}
					if byName && generator != "clusters" { // this generator uses the server from the Secret
						south = v1alpha1.ApplicationDestination{Name: "south/admin", Namespace: "istio-system"}
					}
					assert.Equal(t, south, destination("mesh-south"))
					checkPermitted(t, e)
				})
			}
		}
	}
}

// TestAddressInBrackets shows that the project permits a cluster with an IPv6
// address, and that its address matches no other cluster. Argo CD compares
// servers as patterns.
func TestAddressInBrackets(t *testing.T) {
	const server = "https://[2001:db8::1]:6443"
	r := &repository{t: t, root: t.TempDir(), path: "rendered/mesh"}
	r.commit(strings.ReplaceAll(mesh{}.String(), "https://api.south.example.com:6443", `"`+server+`"`), "kustomize")
	clusters := fleet()
	clusters[2].server = server
	e := newEngine(r, "openshift-gitops", clusters...)
	e.apply()
	e.reconcile()
	require.Empty(t, e.problem())
	assert.Equal(t, server, e.applications()["mesh-south"].Spec.Destination.Server)
	checkPermitted(t, e)
	none := func(string) ([]*v1alpha1.Cluster, error) { return nil, nil }
	permitted, err := e.project().IsDestinationPermitted(&v1alpha1.Cluster{Server: "https://2:6443"}, "sample", none)
	require.NoError(t, err)
	assert.False(t, permitted, "one character of the address")
}

// checkSource checks that the source of the Application is in the repository.
func checkSource(t *testing.T, e *engine, format, cluster string, source v1alpha1.ApplicationSource) {
	t.Helper()
	own := "rendered/mesh/clusters/" + cluster
	switch format {
	case "kustomize":
		assert.Equal(t, own, source.Path)
		assert.FileExists(t, filepath.Join(e.root, own, "kustomization.yaml"))
	case "helm":
		assert.Equal(t, "rendered/mesh/chart", source.Path)
		assert.FileExists(t, filepath.Join(e.root, source.Path, "Chart.yaml"))
		require.Len(t, source.Helm.ValueFiles, 1)
		values, err := os.ReadFile(filepath.Join(e.root, source.Path, source.Helm.ValueFiles[0]))
		require.NoError(t, err)
		assert.Contains(t, string(values), "\n  name: "+cluster+"\n")
	case "manifests":
		assert.Equal(t, own, source.Path)
		assert.True(t, source.Directory.Recurse, "the objects are in folders of the phases")
		assert.DirExists(t, filepath.Join(e.root, own, "monitoring"))
	}
}

// checkRefresh asks Argo CD which commits make it render the Application again:
// only the commits that change its input.
func checkRefresh(t *testing.T, e *engine, format, cluster string, app *v1alpha1.Application) {
	t.Helper()
	paths := apppath.GetSourceRefreshPaths(app, app.Spec.GetSource())
	own := map[string][]string{
		"kustomize": {"base/", "namespaces/", "clusters/" + cluster + "/"},
		"helm":      {"chart/", "clusters/" + cluster + ".yaml"},
		"manifests": {"clusters/" + cluster + "/"},
	}[format]
	met := map[string]bool{}
	for _, file := range e.files() {
		in := slices.IndexFunc(own, func(prefix string) bool { return strings.HasPrefix(file, path.Join("rendered/mesh", prefix)) })
		assert.Equal(t, in >= 0, apppath.AppFilesHaveChanged(paths, []string{file}), "%s: %s", app.Name, file)
		if in >= 0 {
			met[own[in]] = true
		}
	}
	assert.Len(t, met, len(own), "the tree has less than %s", own)
}

// checkPermitted asks Argo CD whether the project permits everything that the
// Applications need.
func checkPermitted(t *testing.T, e *engine) {
	t.Helper()
	project := e.project()
	none := func(string) ([]*v1alpha1.Cluster, error) { return nil, nil }
	for name, app := range e.applications() {
		for _, source := range app.Spec.GetSources() {
			assert.True(t, project.IsSourcePermitted(source), "%s: %s", name, source.RepoURL)
		}
		cluster, err := argo.GetDestinationCluster(t.Context(), app.Spec.Destination, e.reconciler.ArgoDB)
		require.NoError(t, err)
		// The last namespace has no object of this mesh.
		for namespace, want := range map[string]bool{app.Spec.Destination.Namespace: true, "istio-system": true, "sample": true, "openshift-monitoring": false} {
			permitted, err := project.IsDestinationPermitted(cluster, namespace, none)
			require.NoError(t, err)
			assert.Equal(t, want, permitted, "%s: %s", name, namespace)
		}
	}
	assert.False(t, project.IsSourcePermitted(v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/other.git"}))
	permitted, err := project.IsDestinationPermitted(&v1alpha1.Cluster{Server: "https://api.other.example.com:6443", Name: "other"}, "sample", none)
	require.NoError(t, err)
	assert.False(t, permitted, "a cluster outside the topology")
	assert.True(t, project.IsGroupKindPermitted(schema.GroupKind{Group: "kiali.io", Kind: "Kiali"}, true))
	assert.False(t, project.IsGroupKindPermitted(schema.GroupKind{Group: "apps", Kind: "DaemonSet"}, true))
	assert.False(t, project.IsGroupKindPermitted(schema.GroupKind{Kind: "Node"}, false))
}

// TestMissingKey shows that an incomplete file for a cluster stops the
// ApplicationSet, and that no Application with a gap is made.
func TestMissingKey(t *testing.T) {
	r := &repository{t: t, root: t.TempDir(), path: "rendered/mesh"}
	r.commit(mesh{argocd: "generator: git"}.String(), "kustomize")
	require.NoError(t, os.WriteFile(filepath.Join(r.root, r.path, "argocd/clusters/south.yaml"), []byte("cluster: south\napplication: mesh-south\n"), 0o644))
	e := newEngine(r, "openshift-gitops", fleet()...)
	e.apply()
	e.reconcile()
	assert.Contains(t, e.problem(), `map has no entry for key "destination"`)
	assert.Empty(t, e.applications())
}

// TestUnregisteredCluster shows that a cluster which Argo CD does not know does
// not affect the Applications of others.
func TestUnregisteredCluster(t *testing.T) {
	r := &repository{t: t, root: t.TempDir(), path: "rendered/mesh"}
	r.commit(mesh{}.String(), "kustomize")
	e := newEngine(r, "openshift-gitops", fleet()[:2]...)
	e.apply()
	e.reconcile()
	assert.Contains(t, e.problem(), "https://api.south.example.com:6443")
	assert.Equal(t, []string{"mesh-east", "mesh-west-1-eu"}, slices.Sorted(maps.Keys(e.applications())))
}

// TestOperatorChart shows that the operator's chart is the first source of
// every Application, with one version and without a Kiali resource.
func TestOperatorChart(t *testing.T) {
	for _, format := range []string{"kustomize", "helm"} {
		e := started(t, mesh{operator: ", operator: {install: helm, chart: {version: 2.27.0, namespace: kiali-operators}}", byName: true}, format)
		apps := e.applications()
		require.Len(t, apps, 3)
		for name, app := range apps {
			sources := app.Spec.GetSources()
			require.Len(t, sources, 2, name)
			assert.Equal(t, "https://kiali.org/helm-charts", sources[0].RepoURL)
			assert.Equal(t, "kiali-operator", sources[0].Chart)
			assert.Equal(t, "2.27.0", sources[0].TargetRevision)
			assert.JSONEq(t, `{"cr": {"create": false}}`, string(sources[0].Helm.ValuesObject.Raw))
			assert.Equal(t, "kiali-operators", app.Spec.Destination.Namespace)
			assert.True(t, app.Spec.SyncPolicy.SyncOptions.HasOption("CreateNamespace=true"))
			cluster := app.Labels["sightline.dev/cluster"]
			checkSource(t, e, format, cluster, sources[1])
			assert.NoDirExists(t, filepath.Join(e.root, "rendered/mesh/clusters", cluster, "operator"), "there is a Subscription too")
		}
		checkPermitted(t, e)
		for _, kind := range []string{"Namespace", "CustomResourceDefinition.apiextensions.k8s.io", "ClusterRole.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io"} {
			assert.True(t, e.project().IsGroupKindPermitted(schema.ParseGroupKind(kind), false), kind)
		}
		for _, kind := range []string{"ServiceAccount", "Deployment.apps"} {
			assert.True(t, e.project().IsGroupKindPermitted(schema.ParseGroupKind(kind), true), kind)
		}
	}
}

// TestRollout shows that every cluster is in the step that names it, and that
// nothing syncs automatically if progressive syncs are off.
func TestRollout(t *testing.T) {
	e := started(t, mesh{argocd: `rollout: [{clusters: [West_1.eu, south], maxUpdate: "1"}, {clusters: [east]}]`}, "kustomize")
	for name, app := range e.applications() {
		assert.False(t, app.Spec.SyncPolicy.IsAutomatedSyncEnabled(), name)
	}
	// With progressive syncs, the controller starts the syncs itself.
	e.reconciler.EnableProgressiveSyncs = true
	for name, app := range e.applications() {
		app.Status.Sync.Status = v1alpha1.SyncStatusCodeOutOfSync
		app.Status.Health.Status = "Healthy"
		app.Status.ReconciledAt = &metav1.Time{}
		require.NoError(t, e.client.Update(t.Context(), &app), name)
	}
	e.reconcile()
	e.reconcile()
	require.Empty(t, e.problem())
	var asked []string
	for name, app := range e.applications() {
		if app.Operation != nil {
			asked = append(asked, name)
		}
	}
	require.Len(t, asked, 1, "maxUpdate")
	assert.Contains(t, []string{"mesh-south", "mesh-west-1-eu"}, asked[0], "the first step")
}
