//go:build full

package suite

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// TestArgoCDPlugin gives a repository with only the topology to Argo CD's real
// controllers. Its repository server lets the plugin render each cluster.
func TestArgoCDPlugin(t *testing.T) {
	rig.NeedDefinitions(t, "that Argo CD delivers clusters")
	f := newFleet(t, "argocd: {source: plugin, plugin: {topology: mesh.yaml}}")
	argo := f.clusters["cluster1"].StartArgoCD(t, "openshift-gitops", f.clusters["cluster2"])
	argo.StartPlugin(t, "sightline", rig.Run(t, rig.Sightline(), "plugin", "config"))
	both := []string{"mesh-cluster1", "mesh-cluster2"}
	push := func(message string) string {
		text, err := os.ReadFile(f.topology(t))
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(f.tree(), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(f.tree(), "mesh.yaml"), text, 0o644))
		return f.repository.Push(t, message)
	}

	revision := push("The topology")
	f.cleaned(t)
	t.Cleanup(func() { argo.Forget(t) })
	delivery := rig.Run(t, rig.Sightline(), "plugin", "generate", "--topology", f.topology(t), "--objects", "delivery")
	f.clusters["cluster1"].Apply(t, rig.Objects(t, []byte(delivery))...)
	argo.Synced(t, syncLimit, revision, both...)
	for name, on := range f.clusters {
		for _, object := range f.objects(t, name) {
			_, err := on.Live(t.Context(), object)
			require.NoError(t, err, "%s on %s", rig.Title(object), name)
		}
	}

	f.interval = "20s"
	revision = push("Scrape more often")
	argo.Refresh(t)
	argo.Synced(t, syncLimit, revision, both...)
	for name, on := range f.clusters {
		awaitInterval(t, on, find(t, f.objects(t, name), "PodMonitor sample/istio-proxies-monitor"), "20s")
	}
}
