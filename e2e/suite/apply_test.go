package suite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// topologyDir has the examples.
const topologyDir = "../../topologies"

// A tree is the result of a render.
type tree struct {
	dir string
	hub string
}

// applier applies one phase of a cluster, and returns its objects.
type applier func(t *testing.T, tree tree, cluster, phase string, on *rig.Cluster) []*unstructured.Unstructured

// formats has all ways to apply a render, and the field manager of the objects in
// each.
var formats = []struct {
	name, flag, manager string
	apply               applier
}{
	{"kustomize", "kustomize", rig.Manager, applyKustomize},
	{"manifests", "manifests", rig.Manager, applyManifests},
	{"helm3", "helm", "helm", func(t *testing.T, tree tree, cluster, phase string, on *rig.Cluster) []*unstructured.Unstructured {
		return applyHelm(t, rig.Helm3(), tree, cluster, phase, on)
	}},
	{"helm4", "helm", "helm", func(t *testing.T, tree tree, cluster, phase string, on *rig.Cluster) []*unstructured.Unstructured {
		return applyHelm(t, rig.Helm4(), tree, cluster, phase, on)
	}},
}

// TestApply applies every phase of every cluster of every example, in order, to an
// empty cluster, and then again. Nothing is refused, the second apply changes nothing,
// and diff --live finds nothing. Hubs go to one control plane, and remotes to the
// other.
func TestApply(t *testing.T) {
	rig.NeedDefinitions(t, "that clusters take every phase in every format")
	clusters := rig.Up(t)
	trees := map[string]map[string]tree{} // by topology and format
	for _, topology := range examples(t) {
		trees[topology] = map[string]tree{}
		for _, format := range []string{"kustomize", "manifests", "helm"} {
			if withoutChart[topology] != "" && format == "helm" {
				continue
			}
			trees[topology][format] = render(t, topology, format)
		}
	}
	for _, lane := range []struct {
		name string
		on   *rig.Cluster
	}{{"hub", clusters.East}, {"remote", clusters.West}} {
		t.Run(lane.name, func(t *testing.T) {
			t.Parallel()
			lane.on.StartOperator(t)
			lane.on.DefineMore(t)
			for _, topology := range examples(t) {
				for _, format := range formats {
					tree, ok := trees[topology][format.flag]
					if !ok {
						continue
					}
					for _, cluster := range tree.clusters(t) {
						if (cluster == tree.hub) != (lane.name == "hub") {
							continue
						}
						t.Run(strings.Join([]string{strings.TrimSuffix(topology, ".yaml"), format.name, cluster}, "/"), func(t *testing.T) {
							all := objectsOf(t, trees[topology]["manifests"], cluster)
							lane.on.Delete(t, renderedNamespaces(all)...)
							lane.on.Namespaces(t, namespaces(all)...)
							applyTwice(t, tree, cluster, lane.on, format.apply, format.manager, func() {
								assertAsRendered(t, topology, cluster, lane.on)
							})
						})
					}
				}
			}
		})
	}
}

// TestDelivery applies the objects of the engine, in every format that the example can
// have, and then again. Nothing is refused, and the second apply changes nothing.
func TestDelivery(t *testing.T) {
	rig.NeedDefinitions(t, "that a cluster takes the objects for Argo CD and Flux")
	east := rig.Up(t).East
	east.Define(t, "argoproj.io_applications.yaml", "argoproj.io_applicationsets.yaml", "argoproj.io_appprojects.yaml", "helm.toolkit.fluxcd.io_helmreleases.yaml",
		"kustomize.toolkit.fluxcd.io_kustomizations.yaml", "source.toolkit.fluxcd.io_gitrepositories.yaml",
		"source.toolkit.fluxcd.io_helmrepositories.yaml", "source.toolkit.fluxcd.io_ocirepositories.yaml")
	engines := map[string]int{}
	for _, topology := range examples(t) {
		for _, format := range []string{"kustomize", "manifests", "helm"} {
			if withoutChart[topology] != "" && format == "helm" {
				continue
			}
			tree := render(t, topology, format)
			for _, dir := range deliveries(t, tree) {
				engines[strings.SplitN(dir, "/", 2)[0]]++
				t.Run(strings.Join([]string{strings.TrimSuffix(topology, ".yaml"), format, dir}, "/"), func(t *testing.T) {
					all := rig.Objects(t, []byte(rig.Run(t, rig.Kustomize(), "build", filepath.Join(tree.dir, dir))))
					t.Cleanup(func() {
						east.LetGo(t, all...)
						east.Delete(t, all...)
					})
					east.Namespaces(t, namespaces(all)...)
					east.Apply(t, all...)
					before := live(t, east, all)
					for _, object := range before {
						assertManaged(t, object, rig.Manager)
					}
					east.Apply(t, all...)
					for i, object := range live(t, east, all) {
						// The version alone may differ: the definitions of Flux have defaults in the status, which
						// the server stores with the second apply, as long as no controller has written a status.
						before[i].SetResourceVersion(object.GetResourceVersion())
						assert.Equal(t, before[i], object)
					}
				})
			}
		}
	}
	assert.Positive(t, engines["argocd"])
	assert.Positive(t, engines["flux"])
}

// deliveries returns the folders of a tree for an engine: one for Argo CD, one for a
// Flux of all clusters, or one for the Flux of each cluster.
func deliveries(t *testing.T, tree tree) []string {
	t.Helper()
	var dirs []string
	for _, pattern := range []string{"argocd", "flux", "flux/*"} {
		found, err := filepath.Glob(filepath.Join(tree.dir, pattern, "kustomization.yaml"))
		require.NoError(t, err)
		for _, file := range found {
			dir, err := filepath.Rel(tree.dir, filepath.Dir(file))
			require.NoError(t, err)
			dirs = append(dirs, dir)
		}
		if len(found) > 0 && pattern == "flux" {
			break
		}
	}
	return dirs
}

// withoutChart has the examples that cannot be a chart, with the reason.
var withoutChart = map[string]string{
	"overlays.yaml":        "is a kustomization, which a chart cannot have",
	"flux-standalone.yaml": "Flux reads a chart in a folder only from a Git repository",
	"sops.yaml":            "neither Helm nor Flux decrypts",
}

// TestWithoutChart shows why the other tests leave out a format of some examples.
func TestWithoutChart(t *testing.T) {
	for topology, reason := range withoutChart {
		result := rig.Try(t, rig.Sightline(), "render", filepath.Join(topologyDir, topology), "-o", t.TempDir()+"/out", "--format", "helm")
		require.Equal(t, 4, result.Code, result.Stderr)
		require.Contains(t, result.Stderr, reason)
	}
}

// TestBuiltIn shows why the other tests have no case for the built-in example:
// east-west.yaml has the same trees.
func TestBuiltIn(t *testing.T) {
	for _, format := range []string{"kustomize", "manifests", "helm"} {
		out := filepath.Join(t.TempDir(), "out")
		rig.Run(t, rig.Sightline(), "render", "--example", "-o", out, "--format", format)
		require.Equal(t, files(t, render(t, "east-west.yaml", format).dir), files(t, out), format)
	}
}

// files returns the contents of all files below the directory, by path.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir)] = string(data)
		return err
	}))
	require.NotEmpty(t, all)
	return all
}

// TestApplyBuiltInKinds runs if the definitions of custom resources are not there. It
// applies the objects of every example that need no definition.
func TestApplyBuiltInKinds(t *testing.T) {
	west := rig.Up(t).West
	kinds := map[string]int{}
	for _, topology := range examples(t) {
		tree := render(t, topology, "manifests")
		for _, cluster := range tree.clusters(t) {
			t.Run(strings.TrimSuffix(topology, ".yaml")+"/"+cluster, func(t *testing.T) {
				var all []*unstructured.Unstructured
				for _, object := range objectsOf(t, tree, cluster) {
					if rig.BuiltIn(object) {
						all = append(all, object)
					}
				}
				made := renderedNamespaces(all)
				west.Delete(t, made...)
				west.Namespaces(t, namespaces(all)...)
				t.Cleanup(func() { west.Delete(t, all...) })
				west.Apply(t, made...)
				for _, object := range all {
					kinds[object.GetKind()]++
					if isToken(object) {
						account := serviceAccount(object)
						t.Cleanup(func() { west.Delete(t, account) })
						west.Apply(t, account)
					}
				}
				west.Apply(t, all...)
				settle(t, west, all)
				before := live(t, west, all)
				for _, object := range before {
					assertManaged(t, object, rig.Manager)
				}
				west.Apply(t, all...)
				assertUnchanged(t, before, live(t, west, all))
			})
		}
	}
	for _, kind := range []string{"ClusterRoleBinding", "ConfigMap", "Secret"} {
		assert.Positive(t, kinds[kind], kind)
	}
}

// applyTwice applies a cluster twice, and then calls applied.
func applyTwice(t *testing.T, tree tree, cluster string, on *rig.Cluster, apply applier, manager string, applied func()) {
	var all []*unstructured.Unstructured
	t.Cleanup(func() {
		on.Delete(t, all...)
		on.Operated(t, all...)
	})
	for _, phase := range phases(cluster == tree.hub) {
		objects := apply(t, tree, cluster, phase, on)
		all = append(all, objects...)
		settle(t, on, objects)
	}
	require.NotEmpty(t, all)
	before := live(t, on, all)
	for _, object := range before {
		assertManaged(t, object, manager)
	}
	for _, phase := range phases(cluster == tree.hub) {
		apply(t, tree, cluster, phase, on)
	}
	assertUnchanged(t, before, live(t, on, all))
	applied()
}

func assertUnchanged(t *testing.T, before, after []*unstructured.Unstructured) {
	for i, object := range after {
		assert.Equal(t, before[i].GetResourceVersion(), object.GetResourceVersion(),
			"a second apply changed %s: %v, then %v", rig.Title(object), before[i].Object, object.Object)
	}
}

// phases has the phases in the order of docs/first-mesh.md.
func phases(hub bool) []string {
	if hub {
		return []string{"operator", "acm", "link", "kiali", "monitoring"}
	}
	return []string{"operator", "acm", "kiali", "link", "monitoring"}
}

// settle waits for the same as a reader of the documentation.
func settle(t *testing.T, on *rig.Cluster, objects []*unstructured.Unstructured) {
	for _, object := range objects {
		switch {
		case object.GetKind() == "Kiali":
			rig.Wait(t, 20*time.Second, "Kiali to be successful", func() error {
				return on.Successful(t.Context(), object.GetNamespace(), object.GetName())
			}, on.APIServer, on.Manager)
		case isToken(object):
			awaitToken(t, on, object)
		}
	}
}

func isToken(object *unstructured.Unstructured) bool {
	kind, _, _ := unstructured.NestedString(object.Object, "type")
	return object.GetKind() == "Secret" && kind == "kubernetes.io/service-account-token"
}

// awaitToken waits until the token Secret is filled, and returns the token.
func awaitToken(t *testing.T, on *rig.Cluster, object *unstructured.Unstructured) string {
	t.Helper()
	var token string
	rig.Wait(t, 10*time.Second, "the token of "+rig.Title(object), func() error {
		secret, err := on.Client.CoreV1().Secrets(object.GetNamespace()).Get(t.Context(), object.GetName(), metav1.GetOptions{})
		if err != nil {
			return err
		}
		if len(secret.Data["token"]) == 0 {
			return errors.New("it has none yet")
		}
		token = string(secret.Data["token"])
		return nil
	}, on.APIServer, on.Manager)
	return token
}

// assertManaged asserts that only the manager owns fields of the object, and the
// controllers that add fields.
func assertManaged(t *testing.T, object *unstructured.Unstructured, manager string) {
	for _, entry := range object.GetManagedFields() {
		if entry.Subresource == "status" || isToken(object) && entry.Manager == "kube-controller-manager" {
			continue
		}
		assert.Equal(t, manager, entry.Manager, "%s: %s", rig.Title(object), entry.FieldsV1)
	}
}

func live(t *testing.T, on *rig.Cluster, objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for _, object := range objects {
		got, err := on.Live(t.Context(), object)
		require.NoError(t, err, "%s on %s", rig.Title(object), on.Name)
		all = append(all, got)
	}
	return all
}

func applyKustomize(t *testing.T, tree tree, cluster, phase string, on *rig.Cluster) []*unstructured.Unstructured {
	dir := filepath.Join(tree.dir, "clusters", cluster, phase)
	if _, err := os.Stat(dir); err != nil {
		return nil // a phase without objects is not written
	}
	return applyObjects(t, on, rig.Run(t, rig.Kustomize(), "build", dir))
}

func applyManifests(t *testing.T, tree tree, cluster, phase string, on *rig.Cluster) []*unstructured.Unstructured {
	return applyObjects(t, on, manifests(t, tree, cluster, phase))
}

// objectsOf returns all objects of a cluster in a tree of manifests.
func objectsOf(t *testing.T, tree tree, cluster string) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for _, phase := range phases(cluster == tree.hub) {
		all = append(all, rig.Objects(t, []byte(manifests(t, tree, cluster, phase)))...)
	}
	return all
}

// manifests returns the files of a phase as one stream.
func manifests(t *testing.T, tree tree, cluster, phase string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(tree.dir, "clusters", cluster, phase, "*.yaml"))
	require.NoError(t, err)
	var stream strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		fmt.Fprintf(&stream, "---\n%s", data)
	}
	return stream.String()
}

func applyObjects(t *testing.T, on *rig.Cluster, stream string) []*unstructured.Unstructured {
	objects := rig.Objects(t, []byte(stream))
	on.Apply(t, objects...)
	return objects
}

// applyHelm does the same as the function phase in the chart's README.
func applyHelm(t *testing.T, helm string, tree tree, cluster, phase string, on *rig.Cluster) []*unstructured.Unstructured {
	data, err := os.ReadFile(filepath.Join(tree.dir, "chart", "values.yaml"))
	require.NoError(t, err)
	var values struct{ Phases map[string]bool }
	require.NoError(t, yaml.Unmarshal(data, &values))
	if !values.Phases[phase] {
		return nil // no cluster of the topology has it
	}
	var set []string
	for each := range values.Phases {
		set = append(set, fmt.Sprintf("phases.%s=%t", each, each == phase))
	}
	t.Cleanup(func() {
		// What Helm knows of its releases; their objects are deleted as those of the other formats are.
		require.NoError(t, on.Client.CoreV1().Secrets("istio-system").DeleteCollection(context.WithoutCancel(t.Context()),
			metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "owner=helm"}))
	})
	result := rig.Try(t, helm, "--kubeconfig", on.Kubeconfig, "-n", "istio-system", "upgrade", "--install", "mesh-"+phase, filepath.Join(tree.dir, "chart"),
		"-f", filepath.Join(tree.dir, "clusters", cluster+".yaml"), "-o", "json",
		"--set", strings.Join(set, ","))
	require.Zero(t, result.Code, result.Stderr)
	require.NotContains(t, strings.ToLower(result.Stderr), "warn")
	var release struct{ Manifest string }
	require.NoError(t, json.Unmarshal([]byte(result.Stdout), &release))
	return rig.Objects(t, []byte(release.Manifest))
}

// renderedNamespaces returns the Namespaces among the objects. Before an apply, a
// namespace that the suite has made for another example must be deleted.
func renderedNamespaces(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	var made []*unstructured.Unstructured
	for _, object := range objects {
		if object.GetKind() == "Namespace" {
			made = append(made, object)
		}
	}
	return made
}

// namespaces returns the namespaces of the objects that are not among the objects.
func namespaces(objects []*unstructured.Unstructured) []string {
	var names []string
	for _, object := range objects {
		name := object.GetNamespace()
		made := slices.ContainsFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == "Namespace" && o.GetName() == name })
		if name != "" && !made && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// encrypted is the example with encrypted links. Nobody here decrypts them, and an API
// server refuses them. e2e/sops tests them with SOPS.
const encrypted = "sops.yaml"

// examples returns the files and directories of all valid topologies.
func examples(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(topologyDir)
	require.NoError(t, err)
	var all []string
	for _, entry := range entries {
		if entry.IsDir() && entry.Name() != "bad" && entry.Name() != "sealed" ||
			strings.HasSuffix(entry.Name(), ".yaml") && entry.Name() != encrypted {
			all = append(all, entry.Name())
		}
	}
	require.Greater(t, len(all), 5)
	return all
}

// render renders a topology of topologyDir.
func render(t *testing.T, topology, format string) tree {
	t.Helper()
	file := filepath.Join(topologyDir, topology)
	tree := tree{dir: filepath.Join(t.TempDir(), "out")}
	rig.Run(t, rig.Sightline(), "render", file, "-o", tree.dir, "--format", format)
	if filepath.Ext(file) == "" {
		file = filepath.Join(file, "topology.yaml")
	}
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var parsed struct {
		Spec struct {
			Kiali struct{ Hub string }
		}
	}
	require.NoError(t, yaml.Unmarshal(data, &parsed))
	tree.hub = parsed.Spec.Kiali.Hub
	return tree
}

// clusters returns the clusters of the tree. In a fleet, all remotes are alike, so it
// returns the hub and one remote.
func (r tree) clusters(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(r.dir, "clusters"))
	require.NoError(t, err)
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") })
	var names []string
	for _, entry := range entries {
		name := strings.TrimSuffix(entry.Name(), ".yaml")
		if name == r.hub || len(names) < 1 || len(entries) < 10 {
			names = append(names, name)
		}
	}
	require.Contains(t, names, r.hub)
	return names
}
