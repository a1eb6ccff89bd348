//go:build full

package suite

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// The Kustomizations of the fleet, in the order of their names.
var (
	rootKustomization = []string{"mesh"}
	hubKustomizations = []string{"mesh-cluster1-kiali", "mesh-cluster1-monitoring", "mesh-cluster1-operator"}
	allKustomizations = slices.Concat(rootKustomization, hubKustomizations,
		[]string{"mesh-cluster2-kiali", "mesh-cluster2-link", "mesh-cluster2-monitoring", "mesh-cluster2-operator"})
)

// TestFlux gives the directory flux/ and the tree to Flux' real kustomize-controller, and
// goes through the life of a fleet.
func TestFlux(t *testing.T) {
	rig.NeedDefinitions(t, "that Flux delivers clusters")
	f := newFleet(t, "flux: {interval: 10s}")
	east, west := f.clusters["cluster1"], f.clusters["cluster2"]
	flux := east.StartFlux(t, "flux-system", map[string]*rig.Cluster{"cluster2-kubeconfig": west})
	f.cleaned(t)
	t.Cleanup(func() { flux.Forget(t) })
	push := func(t *testing.T, message string) string {
		t.Helper()
		return flux.Fetch(t, "mesh", f.repository.Work, f.push(t, message))
	}
	commit := f.push(t, "All there is")
	monitor := find(t, f.objects(t, "cluster2"), "PodMonitor sample/istio-proxies-monitor")
	foreign := stranger(t, west, monitor)

	step := func(what string, do func(t *testing.T)) {
		t.Helper()
		if !t.Run(what, do) {
			t.FailNow() // the next steps need this
		}
	}
	step("empty clusters are applied in order", func(t *testing.T) {
		deleted := deletions(t, west, f.token(t))
		f.deliver(t, "flux")
		revision := flux.Fetch(t, "mesh", f.repository.Work, commit)
		flux.Ready(t, syncLimit, revision, allKustomizations...)
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
		flux.Ready(t, syncLimit, push(t, "Scrape more often"), allKustomizations...)
		for _, on := range f.clusters {
			awaitInterval(t, on, monitor, "20s")
		}
	})
	step("a deleted monitor comes back", func(t *testing.T) {
		comesBack(t, west, monitor)
	})
	step("a push during an apply, and a controller that is killed then", func(t *testing.T) {
		deleted := deletions(t, west, f.token(t))
		f.interval = "25s"
		push(t, "Scrape less often")
		flux.KillController()
		f.interval = "40s"
		revision := push(t, "Scrape even less often")
		flux.StartController(t)
		flux.Ready(t, syncLimit, revision, allKustomizations...)
		for _, on := range f.clusters {
			awaitInterval(t, on, monitor, "40s")
		}
		require.Zero(t, deleted())
	})
	step("without prune nothing is deleted", func(t *testing.T) {
		f.namespaces = "[]"
		flux.Ready(t, syncLimit, push(t, "Leave the namespace sample"), allKustomizations...)
		_, err := west.Live(t.Context(), monitor)
		require.NoError(t, err)
		f.namespaces = "[sample]"
		flux.Ready(t, syncLimit, push(t, "Come back to the namespace sample"), allKustomizations...)
	})
	step("prune deletes what is ours and what may be", func(t *testing.T) {
		config := find(t, f.objects(t, "cluster2"), "ConfigMap openshift-monitoring/cluster-monitoring-config")
		f.delivery = "flux: {interval: 10s, prune: true}"
		flux.Ready(t, syncLimit, push(t, "Prune"), allKustomizations...)
		f.namespaces, f.monitoring = "[]", false
		flux.Ready(t, syncLimit, push(t, "Leave the namespace sample and the cluster's monitoring"), allKustomizations...)
		for _, on := range f.clusters {
			_, err := on.Live(t.Context(), monitor)
			require.True(t, apierrors.IsNotFound(err), "the monitor of a namespace that has left, on %s: %v", on.Name, err)
		}
		_, err := west.Live(t.Context(), foreign)
		require.NoError(t, err, "an object of somebody else")
		_, err = west.Live(t.Context(), config)
		require.NoError(t, err, "the configuration of the cluster's monitoring, which others rely on")
	})
	remote := f.objects(t, "cluster2")
	step("a cluster that has left is forgotten, and its objects stay", func(t *testing.T) {
		f.remote = false
		flux.Ready(t, syncLimit, push(t, "Leave cluster2"), slices.Concat(rootKustomization, hubKustomizations)...)
		time.Sleep(5 * time.Second) // a deletion that cascades takes less
		for _, object := range remote {
			_, err := west.Live(t.Context(), object)
			require.NoError(t, err, rig.Title(object))
		}
	})
}

// TestTokenUnderFlux lets Flux apply to empty clusters ten times, in the formats that the
// kustomize-controller can apply. The token of the remote is never deleted.
func TestTokenUnderFlux(t *testing.T) {
	rig.NeedDefinitions(t, "that Flux keeps the order of the phases")
	f := newFleet(t, "flux: {}")
	east, west := f.clusters["cluster1"], f.clusters["cluster2"]
	flux := east.StartFlux(t, "flux-system", map[string]*rig.Cluster{"cluster2-kubeconfig": west})
	for i := range 10 {
		f.format = []string{"kustomize", "manifests"}[i%2]
		t.Run(fmt.Sprintf("%d/%s", i+1, f.format), func(t *testing.T) {
			f.cleaned(t)
			t.Cleanup(func() { flux.Forget(t) })
			require.NoError(t, os.RemoveAll(f.tree())) // a directory has one format
			commit := f.push(t, "In the format "+f.format)
			deleted := deletions(t, west, f.token(t))
			f.deliver(t, "flux")
			flux.Ready(t, syncLimit, flux.Fetch(t, "mesh", f.repository.Work, commit), allKustomizations...)
			require.Zero(t, deleted())
			awaitToken(t, west, f.token(t))
		})
	}
}
