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

// workloadConfig is the content of user-workload-monitoring-config: what Kiali
// asks for goes to the store, under the cluster's name. Without an external
// label, equal series of two clusters would be one in the store.
func workloadConfig(w *topology.RemoteWrite, cluster string) map[string]any {
	const relabelings = "writeRelabelConfigs"
	entry := resource.Merge(map[string]any{"url": w.URL}, w.Settings)
	// A list that takes the place of ours would send every series there is.
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
