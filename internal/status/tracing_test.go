package status_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/status"
)

// TestProvider changes the provider in the mesh config of one cluster, and the
// Telemetries beside the rendered one.
func TestProvider(t *testing.T) {
	t.Parallel()
	denied := &status.Failure{Status: 403, Text: "it is forbidden"}
	for name, c := range map[string]struct {
		change      func(west *status.Cluster)
		want, found string
	}{
		"good": {func(*status.Cluster) {}, "", ""},
		"a qualified Service": {func(w *status.Cluster) {
			w.Istiods.Value[0].Config.Providers["otel"] = "istio-system/otel-collector.istio-system.svc.cluster.local"
		}, "", ""},
		"no provider": {func(w *status.Cluster) { delete(w.Istiods.Value[0].Config.Providers, "otel") },
			"ST34 west bad", "istiod knows no provider otel: proxies send no spans"},
		"another collector": {func(w *status.Cluster) {
			w.Istiods.Value[0].Config.Providers["otel"] = "otel-collector-2.istio-system.svc"
		},
			"ST34 west bad", "with the Service otel-collector-2.istio-system.svc, but the collector is otel-collector.istio-system"},
		"tracing is off":             {func(w *status.Cluster) { w.Istiods.Value[1].Config.NoTracing = true }, "ST34 west bad", "istiod-canary has enableTracing: false"},
		"mesh config not to be read": {func(w *status.Cluster) { w.Istiods.Value[0].Config = nil }, "ST34 west unchecked", "cannot be read"},
		"no istiod to be read":       {func(w *status.Cluster) { w.Istiods.Err = denied }, "ST03 west unchecked, ST34 west unchecked", "it is forbidden"},
		"a second Telemetry": {func(w *status.Cluster) {
			w.Telemetries.Value = append(w.Telemetries.Value, status.Telemetry{Name: "otel-tracing", Created: now.Add(-time.Hour)})
		}, "ST35 west bad", "the namespace has others without selector: otel-tracing; Istio uses only the oldest, otel-tracing"},
		"Telemetries not to be read": {func(w *status.Cluster) { w.Telemetries.Err = denied }, "ST35 west unchecked", "it is forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, f := good(t)
			traced, findings := check.Parse("mesh.yaml", []byte(strings.Replace(mesh, "  clusters:",
				"  tracing: {collectors: {certificates: {certManager: {issuer: mesh-ca}}}}\n  clusters:", 1)))
			require.Empty(t, findings)
			e.Topology = traced
			for name, cluster := range f.Clusters {
				ours := object("telemetry.istio.io/v1", "Telemetry", "ours")
				e.Objects[name] = append(e.Objects[name], ours)
				cluster.Objects[resource.IDOf(ours)] = status.Answer[resource.Object]{Value: ours}
				cluster.Telemetries.Value = []status.Telemetry{{Name: "ours", Created: now}}
				for i := range cluster.Istiods.Value {
					cluster.Istiods.Value[i].Config = &status.MeshConfig{Providers: map[string]string{"otel": "otel-collector.istio-system.svc.cluster.local"}}
				}
			}
			c.change(f.Clusters["west"])
			var not, texts []string
			for _, r := range status.Judge(e, f) {
				if r.Mark != status.Good {
					not = append(not, fmt.Sprintf("%s %s %s", r.Check, r.Cluster, r.Mark))
					texts = append(texts, r.Found)
				}
			}
			assert.Equal(t, c.want, strings.Join(not, ", "))
			assert.Contains(t, strings.Join(texts, "\n"), c.found)
		})
	}
}
