// Package appset gives the objects that Sightline renders for Argo CD to Argo
// CD's own ApplicationSet controller. Its client keeps objects in memory. The
// tests look at the resulting Applications.
package appset

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	kubefake "k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/yaml"

	"github.com/argoproj/argo-cd/v3/applicationset/controllers"
	"github.com/argoproj/argo-cd/v3/applicationset/generators"
	"github.com/argoproj/argo-cd/v3/applicationset/metrics"
	"github.com/argoproj/argo-cd/v3/applicationset/utils"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/db"
	"github.com/argoproj/argo-cd/v3/util/git"
	"github.com/argoproj/argo-cd/v3/util/settings"
)

// sightline is the program under test.
var sightline string

func TestMain(m *testing.M) {
	logrus.SetLevel(logrus.PanicLevel) // the controller logs a lot
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "appset")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		sightline = filepath.Join(dir, "sightline")
		build := exec.Command("go", "build", "-o", sightline, "./cmd/sightline")
		build.Dir = "../.."
		if out, err := build.CombinedOutput(); err != nil {
			panic(string(out))
		}
		return m.Run()
	}())
}

// repository is a Git repository with a rendered tree in it.
type repository struct {
	t    *testing.T
	root string
	path string // of the tree
}

// commit renders a topology into the repository. Clusters may be removed.
func (r *repository) commit(topology, format string) {
	r.t.Helper()
	file := filepath.Join(r.t.TempDir(), "topology.yaml")
	require.NoError(r.t, os.WriteFile(file, []byte(topology), 0o644))
	r.run(sightline, "render", file, "-o", filepath.Join(r.root, r.path), "--format", format, "--allow-remove", "all")
	r.run("git", "init", "--quiet")
	r.run("git", "add", "--all")
}

func (r *repository) run(name string, args ...string) {
	r.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = r.root
	out, err := cmd.CombinedOutput()
	require.NoError(r.t, err, "%s", out)
}

// files lists the files of the tree by their paths in the repository.
func (r *repository) files() (files []string) {
	r.t.Helper()
	require.NoError(r.t, filepath.WalkDir(filepath.Join(r.root, r.path), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err = filepath.Rel(r.root, name)
		files = append(files, name)
		return err
	}))
	return files
}

// GetFiles does what Argo CD's repo-server does for the generator git: it lets
// Git list the files.
func (r *repository) GetFiles(_ context.Context, url, revision, _, pattern string, _, _ bool) (map[string][]byte, error) {
	if url != repoURL || revision != "main" {
		return nil, errors.New("no such repository or revision: " + url + " " + revision)
	}
	repo, err := git.NewClientExt(url, r.root, git.NopCreds{}, false, false, "", "")
	if err != nil {
		return nil, err
	}
	names, err := repo.LsFiles(pattern, false)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range names {
		if files[name], err = os.ReadFile(filepath.Join(r.root, name)); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// GetDirectories is for generators that Sightline does not render.
func (r *repository) GetDirectories(context.Context, string, string, string, bool, bool) ([]string, error) {
	return nil, errors.New("nothing asks for directories")
}

// engine is Argo CD's ApplicationSet controller.
type engine struct {
	*repository
	client     client.Client
	kube       kubernetes.Interface // the other objects in the namespace
	reconciler *controllers.ApplicationSetReconciler
	namespace  string
	name       string // of the ApplicationSet
}

// registered is a cluster in a Secret of Argo CD.
type registered struct {
	name, server string
	labels       map[string]string
}

// newEngine starts a controller in a namespace with registered clusters.
func newEngine(r *repository, namespace string, clusters ...registered) *engine {
	r.t.Helper()
	scheme := runtime.NewScheme()
	require.NoError(r.t, v1alpha1.AddToScheme(scheme))
	require.NoError(r.t, corev1.AddToScheme(scheme))
	own := func(name string, labels map[string]string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: labels}
	}
	partOf := map[string]string{"app.kubernetes.io/part-of": "argocd"}
	objects := []runtime.Object{
		&corev1.ConfigMap{ObjectMeta: own("argocd-cm", partOf)},
		&corev1.Secret{ObjectMeta: own("argocd-secret", partOf), Data: map[string][]byte{"admin.password": nil, "server.secretkey": nil}},
	}
	for _, c := range clusters {
		labels := map[string]string{"argocd.argoproj.io/secret-type": "cluster"}
		for key, value := range c.labels {
			labels[key] = value
		}
		objects = append(objects, &corev1.Secret{
			ObjectMeta: own("cluster-"+strings.NewReplacer("/", "-", "_", "-").Replace(c.name), labels),
			Data:       map[string][]byte{"name": []byte(c.name), "server": []byte(c.server), "config": []byte("{}")},
		})
	}
	kube := kubefake.NewClientset(objects...)
	cluster := fake.NewClientBuilder().WithScheme(scheme).WithRuntimeObjects(objects...).
		WithStatusSubresource(&v1alpha1.ApplicationSet{}).
		WithIndex(&v1alpha1.Application{}, ".metadata.controller", owner).Build()
	ctx := r.t.Context()
	return &engine{
		repository: r,
		client:     cluster,
		kube:       kube,
		namespace:  namespace,
		reconciler: &controllers.ApplicationSetReconciler{
			Client:   cluster,
			Scheme:   scheme,
			Renderer: &utils.Render{},
			Recorder: record.NewFakeRecorder(1000),
			Generators: map[string]generators.Generator{
				"List":     generators.NewListGenerator(),
				"Git":      generators.NewGitGenerator(r, namespace),
				"Clusters": generators.NewClusterGenerator(ctx, cluster, kube, namespace),
			},
			ArgoDB:               db.NewDB(namespace, settings.NewSettingsManager(ctx, kube, namespace), kube),
			KubeClientset:        kube,
			Policy:               v1alpha1.ApplicationsSyncPolicySync, // the controller's own default
			EnablePolicyOverride: true,
			ArgoCDNamespace:      namespace,
			Metrics:              metrics.NewFakeAppsetMetrics(),
		},
	}
}

// owner returns the index with which the controller finds the Applications of an
// ApplicationSet.
func owner(o client.Object) []string {
	if owner := metav1.GetControllerOf(o); owner != nil {
		return []string{owner.Name}
	}
	return nil
}

// apply does what `kubectl apply -k argocd/` does. It decodes objects as
// strictly as an API server.
func (e *engine) apply() {
	e.t.Helper()
	dir := filepath.Join(e.root, e.path, "argocd")
	var project v1alpha1.AppProject
	decode(e.t, filepath.Join(dir, "appproject.yaml"), &project)
	e.put(&project, &v1alpha1.AppProject{})
	var set v1alpha1.ApplicationSet
	decode(e.t, filepath.Join(dir, "applicationset.yaml"), &set)
	e.name = set.Name
	e.put(&set, &v1alpha1.ApplicationSet{})
}

func (e *engine) put(o, before client.Object) {
	e.t.Helper()
	require.Equal(e.t, e.namespace, o.GetNamespace())
	if e.client.Get(e.t.Context(), client.ObjectKeyFromObject(o), before) != nil {
		require.NoError(e.t, e.client.Create(e.t.Context(), o))
		return
	}
	o.SetResourceVersion(before.GetResourceVersion())
	o.SetUID(before.GetUID())
	require.NoError(e.t, e.client.Update(e.t.Context(), o))
}

// reconcile lets the controller look at the ApplicationSet once.
func (e *engine) reconcile() {
	e.t.Helper()
	key := types.NamespacedName{Namespace: e.namespace, Name: e.name}
	_, err := e.reconciler.Reconcile(e.t.Context(), ctrl.Request{NamespacedName: key})
	require.NoError(e.t, err)
}

// problem returns the controller's message about the ApplicationSet, or "".
func (e *engine) problem() string {
	e.t.Helper()
	var set v1alpha1.ApplicationSet
	require.NoError(e.t, e.client.Get(e.t.Context(), types.NamespacedName{Namespace: e.namespace, Name: e.name}, &set))
	for _, condition := range set.Status.Conditions {
		if condition.Type == v1alpha1.ApplicationSetConditionErrorOccurred && condition.Status == v1alpha1.ApplicationSetConditionStatusTrue {
			return condition.Message
		}
	}
	return ""
}

func (e *engine) project() *v1alpha1.AppProject {
	e.t.Helper()
	var projects v1alpha1.AppProjectList
	require.NoError(e.t, e.client.List(e.t.Context(), &projects))
	require.Len(e.t, projects.Items, 1)
	return &projects.Items[0]
}

// applications returns the existing Applications, by name.
func (e *engine) applications() map[string]v1alpha1.Application {
	e.t.Helper()
	var list v1alpha1.ApplicationList
	require.NoError(e.t, e.client.List(e.t.Context(), &list))
	byName := map[string]v1alpha1.Application{}
	for _, app := range list.Items {
		byName[app.Name] = app
	}
	return byName
}

func decode(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, yaml.UnmarshalStrict(data, into), file)
}
