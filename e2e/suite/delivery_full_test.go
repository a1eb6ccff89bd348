//go:build full

package suite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// fleet is the built-in example with delivery: a topology, the repository of its tree,
// and its clusters.
type fleet struct {
	repository *rig.Repository
	clusters   map[string]*rig.Cluster // by the names in the topology
	format     string

	// What the topology says, as lines of its own.
	delivery   string // below spec.delivery
	interval   string
	namespaces string
	remote     bool // whether cluster2 is in it
	monitoring bool // whether the cluster's monitoring is configured
}

func newFleet(t *testing.T, delivery string) *fleet {
	t.Helper()
	clusters := rig.Up(t)
	for _, on := range []*rig.Cluster{clusters.East, clusters.West} {
		on.StartLifecycleManager(t)
		on.StartOperator(t)
	}
	return &fleet{
		repository: rig.StartGit(t), clusters: map[string]*rig.Cluster{"cluster1": clusters.East, "cluster2": clusters.West}, format: "kustomize",
		delivery: delivery, interval: "30s", namespaces: "[sample]", remote: true, monitoring: true,
	}
}

// topology writes the topology's file.
func (f *fleet) topology(t *testing.T) string {
	t.Helper()
	text := fmt.Sprintf(`apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  kiali: {hub: cluster1}
  metrics:
    interval: %s
    userWorkloadMonitoring: {manage: %t%s}
  namespaces: %s
  delivery:
    repoURL: %s
    path: rendered
    %s
  clusters:
    - {name: cluster1, server: %q, domain: apps.east.example.com}
`, f.interval, f.monitoring, map[bool]string{true: ", config: {enableUserWorkload: true}"}[f.monitoring], f.namespaces, f.repository.URL, f.delivery,
		f.clusters["cluster1"].Server)
	if f.remote {
		text += fmt.Sprintf("    - {name: cluster2, server: %q, domain: apps.west.example.com}\n", f.clusters["cluster2"].Server)
	}
	file := filepath.Join(t.TempDir(), "mesh.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	return file
}

// push renders the topology into the repository, pushes it and returns the
// commit.
func (f *fleet) push(t *testing.T, message string) string {
	t.Helper()
	out := f.tree()
	rig.Run(t, rig.Sightline(), "render", f.topology(t), "-o", out, "--format", f.format, "--allow-remove", "all")
	return f.repository.Push(t, message)
}

func (f *fleet) tree() string { return filepath.Join(f.repository.Work, "rendered") }

// deliver applies the engine's directory of the tree to the hub. A user does no more by
// hand.
func (f *fleet) deliver(t *testing.T, directory string) []*unstructured.Unstructured {
	t.Helper()
	objects := rig.Objects(t, []byte(rig.Run(t, rig.Kustomize(), "build", filepath.Join(f.tree(), directory))))
	f.clusters["cluster1"].Apply(t, objects...)
	return objects
}

// objects returns the objects of a cluster, without those of the delivery.
func (f *fleet) objects(t *testing.T, cluster string) []*unstructured.Unstructured {
	t.Helper()
	return rig.Objects(t, []byte(rig.Run(t, rig.Sightline(), "render", f.topology(t), "-o", "-", "--cluster", cluster)))
}

// cleaned removes all present objects of the topology from the clusters at the end of
// the test.
func (f *fleet) cleaned(t *testing.T) {
	t.Helper()
	for name, on := range f.clusters {
		objects := f.objects(t, name)
		t.Cleanup(func() { on.Delete(t, objects...) })
	}
}

// token is the Secret of the remote's token.
func (f *fleet) token(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	for _, object := range f.objects(t, "cluster2") {
		if isToken(object) {
			return object
		}
	}
	t.Fatal("cluster2 has no token")
	return nil
}

// deletions counts the deletions of an object on a cluster, from now until a call of
// the returned function.
func deletions(t *testing.T, on *rig.Cluster, object *unstructured.Unstructured) func() int {
	t.Helper()
	resource, err := on.Resource(object)
	require.NoError(t, err)
	watching, err := resource.Watch(t.Context(), metav1.SingleObject(metav1.ObjectMeta{Name: object.GetName()}))
	require.NoError(t, err)
	count, done := make(chan int), make(chan struct{})
	go func() {
		n := 0
		for {
			select {
			case event, open := <-watching.ResultChan():
				if !open {
					<-done
					count <- -1 // unknown
					return
				}
				if event.Type == watch.Deleted {
					n++
				}
			case <-done:
				count <- n
				return
			}
		}
	}()
	return func() int {
		time.Sleep(500 * time.Millisecond) // what has just happened is on its way
		close(done)
		defer watching.Stop()
		return <-count
	}
}

// TestDeletionsAreSeen makes the mistake that the other tests must not see. It proves
// that they would see it.
func TestDeletionsAreSeen(t *testing.T) {
	west := rig.Up(t).West
	token := tokenSecret(t)
	count := deletions(t, west, token)
	west.Apply(t, token)
	awaitDeletion(t, west, token)
	require.Equal(t, 1, count())
}

// awaitInterval waits until a PodMonitor on the cluster has the interval.
func awaitInterval(t *testing.T, on *rig.Cluster, object *unstructured.Unstructured, want string) {
	t.Helper()
	rig.Wait(t, 30*time.Second, rig.Title(object)+" on "+on.Name+" to have the interval "+want, func() error {
		live, err := on.Live(t.Context(), object)
		if err != nil {
			return err
		}
		endpoints, _, err := unstructured.NestedSlice(live.Object, "spec", "podMetricsEndpoints")
		if err != nil || len(endpoints) == 0 {
			return errors.Join(errors.New("it has no endpoints"), err)
		}
		if got := endpoints[0].(map[string]any)["interval"]; got != want {
			return fmt.Errorf("it has %v", got)
		}
		return nil
	}, on.APIServer)
}

// find returns the object with this kind and name.
func find(t *testing.T, objects []*unstructured.Unstructured, title string) *unstructured.Unstructured {
	t.Helper()
	for _, object := range objects {
		if rig.Title(object) == title {
			return object
		}
	}
	t.Fatalf("there is no %s", title)
	return nil
}

// stranger is an object that somebody else has made, beside ours.
func stranger(t *testing.T, on *rig.Cluster, like *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	object := like.DeepCopy()
	object.SetName("of-somebody-else")
	object.SetAnnotations(nil)
	on.Apply(t, object)
	t.Cleanup(func() { on.Delete(t, object) })
	return object
}

// comesBack deletes an object, and waits until the engine has created it again.
func comesBack(t *testing.T, on *rig.Cluster, object *unstructured.Unstructured) {
	t.Helper()
	before, err := on.Live(t.Context(), object)
	require.NoError(t, err)
	on.Delete(t, object)
	rig.Wait(t, 30*time.Second, rig.Title(object)+" to come back", func() error {
		after, err := on.Live(t.Context(), object)
		if err == nil && after.GetUID() == before.GetUID() {
			err = errors.New("it is the one of before")
		}
		return err
	}, on.APIServer)
}
