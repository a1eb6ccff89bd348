package relabel

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// monitor reads a PodMonitor with these relabelings.
func monitor(t *testing.T, relabelings string) *Monitor {
	t.Helper()
	var object map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(`{metadata: {name: m, namespace: shop}, spec: {selector: {matchExpressions: [{key: ignore, operator: DoesNotExist}]}, podMetricsEndpoints: [{path: /stats, interval: 30s, relabelings: [`+relabelings+`]}]}}`), &object))
	m, err := ParseMonitor(object)
	require.NoError(t, err)
	return m
}

// sample is the sample pod with a title.
func sample(t *testing.T, title string) Pod {
	t.Helper()
	pods := Samples("shop")
	i := slices.IndexFunc(pods, func(p Pod) bool { return p.Title == title })
	require.GreaterOrEqual(t, i, 0, title)
	return pods[i]
}

// TestGuidesMistakeShows shows the purpose of the simulator: if a shell did not
// remove the escapes, a gateway is scraped at every port that it declares.
func TestGuidesMistakeShows(t *testing.T) {
	gateway := sample(t, "gateway")
	scraped := func(regex, replacement string) (urls []string) {
		targets, err := monitor(t, `{action: keep, sourceLabels: [__meta_kubernetes_pod_container_name], regex: istio-proxy},
			{sourceLabels: [__meta_kubernetes_pod_annotation_prometheus_io_port, __meta_kubernetes_pod_ip], regex: '`+regex+`', replacement: '`+replacement+`', targetLabel: __address__}`).Targets(gateway)
		require.NoError(t, err)
		for _, target := range targets {
			if target.Kept && target.SameAs == 0 {
				urls = append(urls, target.URL)
			}
		}
		return urls
	}
	assert.Equal(t, []string{"http://10.0.0.14:15020/stats"}, scraped(`(\d+);((([0-9]+?)(\.|$)){4})`, "$2:$1"))
	assert.Len(t, scraped(`(\\d+);((([0-9]+?)(\.|$)){4})`, "$2:$1"), 3)
}

func TestEffects(t *testing.T) {
	sidecar := Samples("shop")[0]
	targets, err := monitor(t, `{action: Keep, sourceLabels: [__meta_kubernetes_pod_container_name], regex: istio-proxy}, {targetLabel: mesh_id, replacement: mesh1}, {action: labeldrop, regex: pod}`).Targets(sidecar)
	require.NoError(t, err)
	require.Len(t, targets, 2)
	assert.False(t, targets[0].Kept)
	assert.Equal(t, []Step{{1, "keep where container_name is istio-proxy", `dropped: it is "reviews"`}}, targets[0].Steps)
	assert.Equal(t, []Step{
		{1, "keep where container_name is istio-proxy", `kept: it is "istio-proxy"`},
		{2, "mesh_id = mesh1", `mesh_id is now "mesh1"`},
		{3, "labeldrop pod", "pod is gone"},
	}, targets[1].Steps)
	assert.Equal(t, map[string]string{"container": "istio-proxy", "job": "shop/m", "mesh_id": "mesh1", "namespace": "shop"}, targets[1].Labels)

	sidecar.Labels = map[string]string{"ignore": "yes"}
	targets, err = monitor(t, "").Targets(sidecar)
	require.NoError(t, err)
	assert.False(t, targets[0].Kept, "the monitor's selector")

	_, err = monitor(t, `{action: keep, regex: "("}`).Targets(Samples("shop")[0])
	assert.Error(t, err)
}

func TestParsePod(t *testing.T) {
	for text, want := range map[string]string{
		"kind: Service":                             `expected kind: Pod, found "Service"`,
		"kind: Pod":                                 "status.podIP is missing, which Prometheus scrapes a pod by",
		"{kind: Pod, status: {podIP: 10.0.0.1}}":    "",
		"kind: Pod\nstatus: {podIP: [10.0.0.1]}\n":  "cannot unmarshal",
		"{kind: Pod, spec: {containers: [{}]}, a: ": "did not find expected",
	} {
		_, err := ParsePod([]byte(text))
		if want == "" {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, want)
		}
	}
}
