package render

import (
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

func remoteWrites(t *topology.Topology, c *topology.Cluster) bool {
	return t.Spec.Metrics.Store == "thanos" && t.Spec.Metrics.Thanos.RemoteWrite != nil && c.Platform == "openshift" && len(
		t.NamespacesOn(c)) > 0
}

// workloadConfig returns the content of user-workload-monitoring-config: it
// sends the series for Kiali to the store, with the cluster's name as an
// external label. Without this label, equal series of two clusters would be one
// series in the store.
func workloadConfig(w *topology.RemoteWrite, cluster string) map[string]any {
	const relabelings = "writeRelabelConfigs"
	entry := resource.Merge(map[string]any{"url": w.URL}, w.Settings)
	// A list that replaces ours would send all series.
	further, _ := entry[relabelings].([]any)
	entry[relabelings] = append([]any{map[string]any{
		"action":       "keep",
		"sourceLabels": []any{"__name__"},
		"regex":        strings.Join(slices.Concat(kiali.Metrics(), w.Metrics), "|"),
	}}, further...)
	return resource.Merge(map[string]any{"prometheus": map[string]any{
		"externalLabels": map[string]any{w.ClusterLabel: cluster},
		"remoteWrite":    []any{entry},
	}}, w.Config)
}
