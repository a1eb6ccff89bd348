//go:build full

package suite

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// syncLimit is long enough for all waves of a cluster on a busy machine.
const syncLimit = 2 * time.Minute

// TestArgoCD gives the directory argocd/ and a repository to Argo CD's real
// controllers, and goes through the life of a fleet.
func TestArgoCD(t *testing.T) {
	rig.NeedDefinitions(t, "that Argo CD delivers clusters")
	f := newFleet(t, "argocd: {}")
	east, west := f.clusters["cluster1"], f.clusters["cluster2"]
	argo := east.StartArgoCD(t, "openshift-gitops", west)
	both := []string{"mesh-cluster1", "mesh-cluster2"}
	revision := f.push(t, "All there is")
	f.cleaned(t)
	t.Cleanup(func() { argo.Forget(t) })
	monitor := find(t, f.objects(t, "cluster2"), "PodMonitor sample/istio-proxies-monitor")
	foreign := stranger(t, west, monitor)

	step := func(what string, do func(t *testing.T)) {
		t.Helper()
		if !t.Run(what, do) {
			t.FailNow() // the next steps need this
		}
	}
	step("empty clusters are synced in order", func(t *testing.T) {
		deleted := deletions(t, west, f.token(t))
		f.deliver(t, "argocd")
		argo.Synced(t, syncLimit, revision, both...)
		require.Zero(t, deleted())
		awaitToken(t, west, f.token(t))
		for name, on := range f.clusters {
			for _, object := range f.objects(t, name) {
				_, err := on.Live(t.Context(), object)
				require.NoError(t, err, "%s on %s", rig.Title(object), name)
			}
		}
	})
	step("a changed interval reaches both clusters", func(t *testing.T) {
		f.interval = "20s"
		revision = f.push(t, "Scrape more often")
		argo.Refresh(t)
		argo.Synced(t, syncLimit, revision, both...)
		for _, on := range f.clusters {
			awaitInterval(t, on, monitor, "20s")
		}
	})
	step("a deleted monitor comes back", func(t *testing.T) {
		comesBack(t, west, monitor)
	})
	step("a leaked token comes back when its Secret is deleted", func(t *testing.T) {
		token := f.token(t)
		leaked := rest.AnonymousClientConfig(west.Config)
		leaked.BearerToken = awaitToken(t, west, token)
		before, err := west.Live(t.Context(), token)
		require.NoError(t, err)
		west.Delete(t, token)
		// For Argo CD the Secret of a token belongs to its ServiceAccount, which is not in Git, so the deletion alone makes it
		// compare nothing. It would at its next look, after three minutes at most.
		argo.Await(t, time.Minute, "Argo CD to make the Secret of the token anew", revision, both, func(map[string]rig.Application) error {
			after, err := west.Live(t.Context(), token)
			if err == nil && after.GetUID() == before.GetUID() {
				err = errors.New("it is the one of before")
			}
			return err
		})
		require.Equal(t, leaked.BearerToken, awaitToken(t, west, token), "the same token")
		awaitAcceptance(t, west, leaked)
	})
	step("a push during a sync is synced next", func(t *testing.T) {
		f.interval = "25s"
		f.push(t, "Scrape less often")
		argo.Refresh(t)
		f.interval = "40s"
		revision = f.push(t, "Scrape even less often")
		argo.Refresh(t)
		argo.Synced(t, syncLimit, revision, both...)
		for _, on := range f.clusters {
			awaitInterval(t, on, monitor, "40s")
		}
	})
	step("a controller that is killed during a sync goes on", func(t *testing.T) {
		deleted := deletions(t, west, f.token(t))
		f.interval = "35s"
		revision = f.push(t, "Scrape at another interval")
		argo.Refresh(t)
		argo.KillController()
		argo.StartController(t)
		argo.Synced(t, syncLimit, revision, both...)
		for _, on := range f.clusters {
			awaitInterval(t, on, monitor, "35s")
		}
		require.Zero(t, deleted())
	})
	step("without prune nothing is deleted", func(t *testing.T) {
		f.namespaces = "[]"
		revision = f.push(t, "Leave the namespace sample")
		argo.Refresh(t)
		argo.Await(t, syncLimit, "Argo CD to see what is gone from Git", revision, both, func(apps map[string]rig.Application) error {
			for _, app := range apps {
				if app.Sync != "OutOfSync" {
					return fmt.Errorf("%+v", app)
				}
			}
			return nil
		})
		_, err := west.Live(t.Context(), monitor)
		require.NoError(t, err)
	})
	step("prune deletes what is ours and what may be", func(t *testing.T) {
		config := find(t, f.objects(t, "cluster2"), "ConfigMap openshift-monitoring/cluster-monitoring-config")
		// The namespaces that leave: Argo CD prunes nothing that the project does not permit.
		f.delivery = "argocd: {sync: {prune: true}, permit: {namespaces: [sample, openshift-monitoring]}}"
		f.monitoring = false
		revision = f.push(t, "Prune, and leave the cluster's monitoring alone")
		f.deliver(t, "argocd")
		argo.Refresh(t)
		// What may not be pruned is a difference for as long as it is there.
		argo.Await(t, syncLimit, "Argo CD to prune all but the configuration", revision, both, func(apps map[string]rig.Application) error {
			for _, app := range apps {
				if !slices.Equal(app.Differs, []string{rig.Title(config)}) {
					return fmt.Errorf("%+v", app)
				}
			}
			return nil
		})
		for _, on := range f.clusters {
			_, err := on.Live(t.Context(), monitor)
			require.True(t, apierrors.IsNotFound(err), "the monitor of a namespace that has left, on %s: %v", on.Name, err)
			_, err = on.Live(t.Context(), config)
			require.NoError(t, err, "the configuration of the cluster's monitoring, which others rely on")
		}
		_, err := west.Live(t.Context(), foreign)
		require.NoError(t, err, "an object of somebody else")
		// Without this annotation it is nobody's business but the cluster's.
		for _, on := range f.clusters {
			rig.Run(t, rig.Kubectl(), "--kubeconfig", on.Kubeconfig, "-n", config.GetNamespace(), "annotate", "configmap", config.GetName(), "argocd.argoproj.io/tracking-id-")
		}
		argo.Synced(t, syncLimit, revision, both...)
	})
	remote := f.objects(t, "cluster2")
	step("a cluster that has left keeps its Application", func(t *testing.T) {
		f.remote = false
		revision = f.push(t, "Leave cluster2")
		f.deliver(t, "argocd")
		argo.Refresh(t)
		argo.Await(t, syncLimit, "Argo CD to have no path for cluster2", revision, both[:1], func(apps map[string]rig.Application) error {
			for name, sync := range map[string]string{"mesh-cluster1": "Synced", "mesh-cluster2": "Unknown"} {
				if app := apps[name]; app.Sync != sync {
					return fmt.Errorf("%+v", app)
				}
			}
			return nil
		})
		for _, object := range remote {
			_, err := west.Live(t.Context(), object)
			require.NoError(t, err, rig.Title(object))
		}
	})
	step("with applicationsSync: sync its Application goes, and its objects stay", func(t *testing.T) {
		f.delivery = "argocd: {applicationsSync: sync, sync: {prune: true}}"
		revision = f.push(t, "Remove Applications of clusters that have left")
		f.deliver(t, "argocd")
		argo.Refresh(t)
		argo.Synced(t, syncLimit, revision, "mesh-cluster1")
		time.Sleep(5 * time.Second) // a deletion that cascades takes less
		for _, object := range remote {
			_, err := west.Live(t.Context(), object)
			require.NoError(t, err, rig.Title(object))
		}
	})
}

// TestArgoCDRemoval removes a cluster and then the topology from Argo CD, with the steps
// of docs/argocd.md for applicationsSync: create-update.
func TestArgoCDRemoval(t *testing.T) {
	rig.NeedDefinitions(t, "that clusters are removed without orphans")
	f := newFleet(t, "argocd: {}")
	east, west := f.clusters["cluster1"], f.clusters["cluster2"]
	argo := east.StartArgoCD(t, "openshift-gitops", west)
	f.cleaned(t)
	t.Cleanup(func() { argo.Forget(t) })
	revision := f.push(t, "All there is")
	f.deliver(t, "argocd")
	argo.Synced(t, syncLimit, revision, "mesh-cluster1", "mesh-cluster2")

	remote := f.objects(t, "cluster2")
	f.remote = false
	revision = f.push(t, "Leave cluster2")
	set, err := os.ReadFile(filepath.Join(f.tree(), "argocd", "applicationset.yaml"))
	require.NoError(t, err)
	east.Apply(t, rig.Objects(t, set)...)
	argo.Delete(t, "mesh-cluster2")
	for _, object := range remote {
		_, err := west.Live(t.Context(), object)
		if object.GetKind() == "ConfigMap" {
			require.NoError(t, err, "others rely on %s", rig.Title(object))
		} else {
			require.True(t, apierrors.IsNotFound(err), "%s: %v", rig.Title(object), err)
		}
	}
	delivery := f.deliver(t, "argocd")
	argo.Synced(t, syncLimit, revision, "mesh-cluster1")

	east.Delete(t, delivery...)
	time.Sleep(5 * time.Second) // a deletion that cascades takes less
	apps, err := argo.Applications(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"mesh-cluster1"}, slices.Collect(maps.Keys(apps)), "the ApplicationSet lets go of them")
	for _, object := range f.objects(t, "cluster1") {
		_, err := east.Live(t.Context(), object)
		require.NoError(t, err, rig.Title(object))
	}
}

// TestTokenUnderArgoCD lets Argo CD sync empty clusters ten times, in the three formats.
// The token of the remote is never deleted.
func TestTokenUnderArgoCD(t *testing.T) {
	rig.NeedDefinitions(t, "that Argo CD keeps the order of the phases")
	f := newFleet(t, "argocd: {}")
	east, west := f.clusters["cluster1"], f.clusters["cluster2"]
	argo := east.StartArgoCD(t, "openshift-gitops", west)
	for i := range 10 {
		f.format = []string{"kustomize", "helm", "manifests"}[i%3]
		t.Run(fmt.Sprintf("%d/%s", i+1, f.format), func(t *testing.T) {
			f.cleaned(t)
			t.Cleanup(func() { argo.Forget(t) })
			require.NoError(t, os.RemoveAll(f.tree())) // a directory has one format
			revision := f.push(t, "In the format "+f.format)
			deleted := deletions(t, west, f.token(t))
			f.deliver(t, "argocd")
			argo.Synced(t, syncLimit, revision, "mesh-cluster1", "mesh-cluster2")
			require.Zero(t, deleted())
			awaitToken(t, west, f.token(t))
		})
	}
}
