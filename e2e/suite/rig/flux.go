package rig

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Flux is the real kustomize-controller on a cluster. The suite does the work of the
// source-controller in [Flux.Fetch]: it packs the repository's work tree, serves it,
// and writes the status of the GitRepository.
type Flux struct {
	Namespace  string
	on         *Cluster
	controller *Process // StartController replaces it
	url        string

	mutex   sync.Mutex // guards archive
	archive []byte
}

var (
	kustomizations  = schema.GroupVersionResource{Group: "kustomize.toolkit.fluxcd.io", Version: "v1", Resource: "kustomizations"}
	gitRepositories = schema.GroupVersionResource{Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "gitrepositories"}
)

// StartFlux starts Flux on the cluster until the test ends. The cluster needs the
// definitions. For each of the others, a Secret has its kubeconfig. The keys of
// others are the names of these Secrets.
func (c *Cluster) StartFlux(t testing.TB, namespace string, others map[string]*Cluster) *Flux {
	t.Helper()
	c.Define(t, "kustomize.toolkit.fluxcd.io_kustomizations.yaml", "source.toolkit.fluxcd.io_gitrepositories.yaml",
		"source.toolkit.fluxcd.io_ocirepositories.yaml", "source.toolkit.fluxcd.io_buckets.yaml",
		"source.toolkit.fluxcd.io_externalartifacts.yaml")
	c.Namespaces(t, namespace)
	for name, other := range others {
		kubeconfig, err := os.ReadFile(other.Kubeconfig)
		if err != nil {
			t.Fatal(err)
		}
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string][]byte{"value": kubeconfig}}
		if _, err = c.Client.CoreV1().Secrets(namespace).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil &&
			!apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
	}
	f := &Flux{Namespace: namespace, on: c}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.url = "http://" + listener.Addr().String()
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		f.mutex.Lock()
		defer f.mutex.Unlock()
		_, _ = w.Write(f.archive)
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	f.StartController(t)
	t.Cleanup(func() { f.controller.Stop() })
	return f
}

// StartController starts the kustomize-controller again after a stop.
func (f *Flux) StartController(t testing.TB) {
	t.Helper()
	dir := filepath.Join(f.on.Dir, "flux")
	var err error
	f.controller, err = Start(filepath.Join(f.on.Name, "flux"), "kustomize-controller",
		[]string{"KUBECONFIG=" + f.on.Kubeconfig, "RUNTIME_NAMESPACE=" + f.Namespace, "HOME=" + dir},
		"kustomize-controller", "--metrics-addr", "127.0.0.1:8090", "--health-addr", "127.0.0.1:9440", "--enable-leader-election=false",
		// By default, it checks after 30 s whether its dependencies are ready.
		"--requeue-dependency", "1s")
	if err != nil {
		t.Fatal(err)
	}
}

// KillController ends the kustomize-controller without a warning.
func (f *Flux) KillController() { f.controller.Kill() }

// Fetch does the work of the source-controller for a new commit on the branch of the
// GitRepository. It returns Flux' name of the revision.
func (f *Flux) Fetch(t testing.TB, repository, work, commit string) string {
	t.Helper()
	archive, err := pack(work)
	if err != nil {
		t.Fatal(err)
	}
	f.mutex.Lock()
	f.archive = archive
	f.mutex.Unlock()
	revision := "main@sha1:" + commit
	now := time.Now().UTC().Format(time.RFC3339)
	patch, err := json.Marshal(map[string]any{"status": map[string]any{
		"artifact": map[string]any{
			"digest": fmt.Sprintf("sha256:%x", sha256.Sum256(archive)), "lastUpdateTime": now, "path": commit + ".tar.gz",
			"revision": revision, "size": len(archive), "url": f.url + "/" + commit + ".tar.gz",
		},
		"conditions": []any{map[string]any{"type": "Ready", "status": "True", "reason": "Succeeded", "message": "stored artifact",
			"lastTransitionTime": now}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.on.Dynamic.Resource(gitRepositories).Namespace(f.Namespace).
		Patch(t.Context(), repository, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "source-controller"}, "status")
	if err != nil {
		t.Fatal(err)
	}
	return revision
}

// pack packs a work tree like the source-controller.
func pack(work string) ([]byte, error) {
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	w := tar.NewWriter(zipped)
	err := filepath.WalkDir(work, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == ".git" {
			return filepath.SkipDir
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		name, err := filepath.Rel(work, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err = w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data))}); err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	})
	err = errors.Join(err, w.Close(), zipped.Close())
	return b.Bytes(), err
}

// Ready waits until the Kustomizations have exactly these names, and each has applied
// the revision and is ready.
func (f *Flux) Ready(t testing.TB, limit time.Duration, revision string, names ...string) {
	t.Helper()
	Wait(t, limit, "Flux to apply a commit", func() error {
		list, err := f.on.Dynamic.Resource(kustomizations).Namespace(f.Namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		found := []string{}
		for _, item := range list.Items {
			found = append(found, item.GetName())
			applied, _, _ := unstructured.NestedString(item.Object, "status", "lastAppliedRevision")
			conditions, _, _ := unstructured.NestedSlice(item.Object, "status", "conditions")
			ready := map[string]any{}
			for _, condition := range conditions {
				if m, ok := condition.(map[string]any); ok && m["type"] == "Ready" {
					ready = m
				}
			}
			if applied != revision || ready["status"] != "True" {
				return fmt.Errorf("%s has applied %q, should be %q: %v", item.GetName(), applied, revision, ready["message"])
			}
		}
		if strings.Join(found, " ") != strings.Join(names, " ") { // both are sorted
			return fmt.Errorf("the Kustomizations are %v, should be %v", found, names)
		}
		return nil
	}, f.controller)
}

// Forget removes every Kustomization and GitRepository without an effect on the
// clusters, as if Flux had never known them.
func (f *Flux) Forget(t testing.TB) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // it is used in cleanups
	Wait(t, time.Minute, "the end of all Kustomizations", func() error {
		return f.on.remove(ctx, f.Namespace, kustomizations, gitRepositories)
	}, f.on.APIServer)
}

// remove deletes all resources of these kinds without their finalizers. It returns
// nil if none is left.
func (c *Cluster) remove(ctx context.Context, namespace string, kinds ...schema.GroupVersionResource) error {
	left := 0
	orphan := metav1.DeletePropagationOrphan
	for _, kind := range kinds {
		client := c.Dynamic.Resource(kind).Namespace(namespace)
		list, err := client.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, item := range list.Items {
			left++
			_, err := client.Patch(ctx, item.GetName(), types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
			if err == nil {
				err = client.Delete(ctx, item.GetName(), metav1.DeleteOptions{PropagationPolicy: &orphan})
			}
			if err != nil && !apierrors.IsNotFound(err) {
				return err
			}
		}
	}
	if left > 0 {
		return fmt.Errorf("%d are left", left)
	}
	return nil
}
