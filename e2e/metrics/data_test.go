// Package metrics runs the queries of status and the rendered alerts in
// Prometheus' own engine. It is a separate module, because the engine brings
// the libraries of several clouds.
package metrics

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/observe"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/status"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/render"
)

// newStore serves series through Prometheus' own query engine and API. The
// series are in the notation of promtool's tests, with a value each 30 seconds.
// The last of the 20 values is from now.
func newStore(t *testing.T, series string) *httptest.Server {
	t.Helper()
	start := time.Now().Add(-10 * time.Minute)
	input := fmt.Sprintf("load_with_nhcb 30s\n  %s\n", strings.ReplaceAll(strings.TrimSpace(series), "\n", "\n  "))
	store := promqltest.LoadedStorage(t, input)
	t.Cleanup(func() { _ = store.Close() })
	engine := promqltest.NewTestEngine(t, false, 5*time.Minute, 1_000_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The storage begins at the time 0.
		query, err := engine.NewInstantQuery(r.Context(), store, nil, r.URL.Query().Get("query"), time.Unix(0, 0).Add(time.Since(start)))
		require.NoError(t, err)
		result := query.Exec(r.Context())
		if result.Err != nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
			_ = json.NewEncoder(w).Encode(map[string]any{"status": "error", "error": result.Err.Error()})
			return
		}
		vector, err := result.Vector()
		require.NoError(t, err)
		values := []any{}
		for _, sample := range vector {
			v := sample.F
			if strings.Contains(r.URL.Query().Get("query"), "timestamp(") {
				v += float64(start.UnixMilli()) / 1000 // as if it began then
			}
			values = append(values, map[string]any{"metric": sample.Metric.Map(), "value": []any{0, fmt.Sprint(v)}})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": map[string]any{"resultType": "vector", "result": values}})
	}))
	t.Cleanup(server.Close)
	return server
}

// request returns a series of requests, in the form of a proxy.
func request(reporter, source, destination, namespace, more string) string {
	return fmt.Sprintf("istio_requests_total{reporter=%q, source_cluster=%q, destination_cluster=%q, namespace=%q, pod=\"p-%s-%s\", "+
		"mesh_id=\"mesh1\"%s} 0+1x20", reporter, source, destination, namespace, source, namespace, more)
}

func upOf(namespace, value string) string {
	return fmt.Sprintf("up{job=%q, namespace=%q, pod=\"p-east-%s\"} %s", namespace+"/istio-proxies-monitor", namespace, namespace, value)
}

var goodSeries = strings.Join([]string{
	request("source", "east", "west", "sample", ""),
	request("destination", "east", "west", "sample", ""),
	request("destination", "east", "east", "istio-system", ""),
	request("source", "west", "west", "istio-system", ""),
	request("source", "west", "unknown", "sample", ""),
	upOf("sample", "1x20"),
	upOf("istio-system", "1x20"),
}, "\n")

// TestStatusData asks Prometheus' own engine about series with a fault each.
func TestStatusData(t *testing.T) {
	t.Parallel()
	e := expected(t)
	hub := openHub(t)
	without := func(text string) string {
		var kept []string
		for line := range strings.SplitSeq(goodSeries, "\n") {
			if !strings.Contains(line, text) {
				kept = append(kept, line)
			}
		}
		return strings.Join(kept, "\n")
	}
	for _, c := range []struct {
		name, series string
		want         []string
		found        string
	}{
		{"good", goodSeries, nil, ""},
		{"nothing of a cluster", strings.Join([]string{request("source", "east", "east", "sample", ""),
			request("source", "east", "east", "istio-system", ""), upOf("sample", "1x20"), upOf("istio-system", "1x20")}, "\n"),
			[]string{"ST25 west bad", "ST32 east warning"}, "the store has no istio_requests_total of west"},
		{"stale series", strings.ReplaceAll(goodSeries, "0+1x20", "0+1x14"), []string{"ST25 east bad", "ST25 west bad"},
			"the newest series of east is 3m"},
		{"series that ended", strings.ReplaceAll(goodSeries,
			`source_cluster="west", destination_cluster="west", namespace="istio-system", pod="p-west-istio-system", mesh_id="mesh1"} 0+1x20`,
			`source_cluster="west", destination_cluster="west", namespace="istio-system", pod="p-west-istio-system", mesh_id="mesh1"} 0+1x2`),
			[]string{"ST26 west warning"}, "the store has no series from the namespace istio-system of west: no traffic, or no proxy is scraped"},
		{"series of another id", strings.Replace(goodSeries, `namespace="sample", pod="p-west-sample", mesh_id="mesh1"`,
			`namespace="sample", pod="p-west-sample", mesh_id="mesh2"`, 1),
			[]string{"ST27 west bad"}, `series of west have the mesh_id mesh2, but Kiali asks for "mesh1"`},
		{"series without an id", strings.Replace(goodSeries, `pod="p-west-sample", mesh_id="mesh1"`, `pod="p-west-sample"`, 1),
			[]string{"ST27 west bad"}, "series of west have no mesh_id"},
		{"a cluster that nobody knows", goodSeries + "\n" + request("source", "east", "Kubernetes", "sample", `, x="1"`),
			[]string{"ST28 east bad"}, "series name the cluster Kubernetes, but the topology does not have it"},
		{"another mesh in the store", goodSeries + "\n" + strings.ReplaceAll(request("source", "far", "away", "sample", `, x="1"`), "mesh1",
			"other"), nil, ""},
		{"doubled series", goodSeries + "\n" + request("source", "east", "west", "sample", `, instance="10.0.0.1:15090"`),
			[]string{"ST29 east bad"}, "the same series come from several targets: pod sample/p-east-sample"},
		{"replicas", strings.Join([]string{
			strings.ReplaceAll(goodSeries, `mesh_id="mesh1"}`, `mesh_id="mesh1", prometheus_replica="a"}`),
			strings.ReplaceAll(goodSeries, `mesh_id="mesh1"}`, `mesh_id="mesh1", prometheus_replica="b"}`),
		}, "\n"), []string{"ST30 east bad"}, "the store shows each series once for each of the replicas a, b"},
		{"a target that is down", strings.Replace(goodSeries, upOf("sample", "1x20"),
			upOf("sample", "1x20")+"\n"+strings.Replace(upOf("sample", "0x20"), "p-east-sample", "other", 1), 1), []string{"ST31 east bad"},
			"targets of the mesh are down: pod sample/other"},
		{"no target", without(`up{job="sample`), nil, ""},
		{"a namespace without a monitor", strings.Join([]string{
			request("source", "east", "west", "istio-system", ""), request("destination", "east", "west", "istio-system", ""),
			upOf("istio-system", "1x20"),
		}, "\n"), []string{"ST26 east bad", "ST26 west bad"}, "no proxy is scraped in the namespace sample of east"},
		{"a store without targets", without("up{"), []string{"ST31 east unchecked"}, "the store has no series up"},
		{"nothing at all", "other 1x20", []string{"ST25 east bad", "ST25 west bad", "ST31 east unchecked", "ST32 east warning"},
			"the store has no istio_requests_total of east"},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := newStore(t, c.series)
			results := data(t, e, hub, store.URL)
			var not, texts []string
			for _, r := range results {
				texts = append(texts, r.Found)
				if r.Mark != status.Good {
					not = append(not, fmt.Sprintf("%s %s %s", r.Check, r.Cluster, r.Mark))
				}
				if r.Mark == status.Bad {
					assert.NotEmpty(t, r.Next)
				}
			}
			assert.Equal(t, c.want, not)
			assert.Contains(t, strings.Join(texts, "\n"), c.found)
		})
	}
}

// expected returns the mesh of the series.
func expected(t *testing.T) status.Expected {
	t.Helper()
	return expectedOf(t, strings.Replace(alerted, "alerts: {manage: true}", "alerts: {manage: false}", 1))
}

func expectedOf(t *testing.T, text string) status.Expected {
	t.Helper()
	parsed, findings := check.Parse("mesh.yaml", []byte(text))
	require.Empty(t, findings)
	clusters, err := render.Clusters(parsed, sources())
	require.NoError(t, err)
	e := status.Expected{Topology: parsed, Objects: map[string][]resource.Object{}}
	for i := range clusters {
		for _, r := range clusters[i].Resources {
			for values := range clusters[i].Each(r) {
				o, err := r.Body.Fill(values)
				require.NoError(t, err)
				e.Objects[clusters[i].Name] = append(e.Objects[clusters[i].Name], o)
			}
		}
	}
	return e
}

// openHub returns a hub that answers and has no objects.
func openHub(t *testing.T) *cluster.Cluster {
	t.Helper()
	return clusterWith(t, map[string]any{"/version": map[string]any{}})
}

// data makes the checks of the group data.
func data(t *testing.T, e status.Expected, hub *cluster.Cluster, url string) []status.Result {
	t.Helper()
	facts := observe.Everything(t.Context(), e, observe.Options{
		Open:    func(*topology.Cluster) (*cluster.Cluster, error) { return hub, nil },
		Wanted:  func(check string) bool { return status.GroupOf(check) == "data" },
		Metrics: observe.Metrics{URL: url},
	})
	e.Now = time.Now()
	var results []status.Result
	for _, r := range status.Judge(e, facts) {
		if r.Group == "data" {
			results = append(results, r)
		}
	}
	return results
}
