package render_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/render"
)

// TestTelemetryOfOldLine shows that the mesh of Kiali v1.73 gets a Telemetry of
// v1alpha1, in the chart too. Its Istio 1.20 does not serve v1. Source: istio
// manifests/charts/base/files/crd-all.gen.yaml at 1.20 and 1.22.
func TestTelemetryOfOldLine(t *testing.T) {
	for line, want := range map[kiali.Line]string{kiali.V1_73: "telemetry.istio.io/v1alpha1", kiali.V2_4: "telemetry.istio.io/v1"} {
		top := parsed(t, "mesh: {id: mesh1}\nkiali: {hub: a, version: "+line.String()+"}\nclusters: [{name: a, domain: apps.a.test}]")
		got := decode[resource.Object](t, rendered(t, top)["a/Telemetry/istio-system/enable-prometheus-metrics"])
		assert.Equal(t, want, got["apiVersion"], line)
		_, err := render.Tree(top, render.SourcesOf(top), render.Helm)
		assert.NoError(t, err, "the law of the chart")
	}
}

// TestTelemetrySpec shows that one Telemetry has our metrics and the topology's
// fields.
func TestTelemetrySpec(t *testing.T) {
	top := eastWest(t, func(s *topology.Spec) {
		s.Telemetry.Spec = map[string]any{"tracing": []any{map[string]any{"randomSamplingPercentage": 1}}}
	})
	got := decode[resource.Object](t, rendered(t, top)["cluster2/Telemetry/istio-system/enable-prometheus-metrics"])
	assert.Equal(t, map[string]any{
		"metrics": []any{map[string]any{"providers": []any{map[string]any{"name": "prometheus"}}}},
		"tracing": []any{map[string]any{"randomSamplingPercentage": float64(1)}},
	}, got["spec"])
}

// TestControlPlaneNamespaces shows that the objects of istiod are in its
// namespace. A cluster that serves an external cluster has the ServiceMonitor
// of istiod and nothing else of the mesh.
func TestControlPlaneNamespaces(t *testing.T) {
	top := parsed(t, `mesh: {id: mesh1}
kiali: {hub: ext, auth: {strategy: anonymous}}
metrics: {scope: none, prometheus: {url: "http://p:9090"}}
namespaces: [sample]
clusters:
  - {name: ext, platform: kubernetes, controlPlane: {namespace: external-istiod}}
  - {name: far, platform: kubernetes, server: "https://far:6443", controlPlane: {mode: external, primary: ext, namespace: external-istiod}}
  - {name: own, platform: kubernetes, server: "https://own:6443", controlPlane: {namespace: istio-own}}`)
	mesh := func(cluster string) (keys []string) {
		for key := range rendered(t, top) {
			if rest, ok := strings.CutPrefix(key, cluster+"/"); ok && !strings.HasPrefix(rest, "Kiali/") && !strings.HasPrefix(rest, "Secret/") {
				keys = append(keys, rest)
			}
		}
		slices.Sort(keys)
		return keys
	}
	assert.Equal(t, []string{"ServiceMonitor/external-istiod/istiod-monitor"}, mesh("ext"))
	assert.Equal(t, []string{
		"PodMonitor/external-istiod/istio-proxies-monitor", "PodMonitor/sample/istio-proxies-monitor", "Telemetry/external-istiod/enable-prometheus-metrics",
	}, mesh("far"))
	assert.Equal(t, []string{
		"PodMonitor/istio-own/istio-proxies-monitor", "PodMonitor/sample/istio-proxies-monitor",
		"ServiceMonitor/istio-own/istiod-monitor", "Telemetry/istio-own/enable-prometheus-metrics",
	}, mesh("own"))
}

// TestScopes shows which series Kiali asks for, and that the monitors are left
// out if somebody else scrapes.
func TestScopes(t *testing.T) {
	for metrics, want := range map[string]any{
		"":                          map[string]any{"mesh_id": "mesh1"},
		"scope: meshID":             map[string]any{"mesh_id": "mesh1"},
		"scope: none":               nil,
		"scope: {mesh: a}":          map[string]any{"mesh": "a"},
		"monitors: {manage: false}": nil,
		"monitors: {manage: false}, scope: meshID": map[string]any{"mesh_id": "mesh1"},
	} {
		t.Run(metrics, func(t *testing.T) {
			manage := !strings.Contains(metrics, "false")
			if manage {
				metrics = separated("monitors: {name: mine}", metrics)
			}
			top := parsed(t, "mesh: {id: mesh1}\nkiali: {hub: a}\nmetrics: {"+metrics+"}\nclusters: [{name: a}]")
			assert.Equal(t, want, prometheusOf(kialiSpec(t, top, "a"))["query_scope"])
			objects := rendered(t, top)
			assert.Equal(t, manage, objects["a/PodMonitor/istio-system/mine"] != nil)
			assert.Equal(t, manage, objects["a/ServiceMonitor/istio-system/istiod-monitor"] != nil)
		})
	}
}
