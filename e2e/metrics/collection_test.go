package metrics

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/teststorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/e2e/asked"
	"github.com/sightline-mesh/sightline/internal/relabel"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// collectedMesh is a mesh of two clusters from which ACM collects.
const collectedMesh = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1, dataPlane: %[1]s}
  namespaces: [sample]
  kiali: {hub: acm, version: v2.27}
  metrics: {store: acm, acm: {hub: acm, domain: apps.example.com, %[2]s}}
  clusters:
  - {name: acm, domain: apps.example.com, controlPlane: {mode: none}}
  - {name: east, server: "https://east.example.com:6443"%[3]s}
  - {name: west, server: "https://west.example.com:6443"%[3]s}
`

func collectedOf(plane, acm string) string {
	ztunnel := ""
	if plane == "ambient" {
		ztunnel = ", ztunnelNamespace: istio-system"
	}
	return fmt.Sprintf(collectedMesh, plane, acm, ztunnel)
}

// The series cover 40 minutes, with a sample each 30 seconds. In this time, a
// counter counts one.
const (
	step  = 30 * time.Second
	whole = 40 * time.Minute
	each  = 5 * time.Minute // between two collections
)

// TestACM evaluates the rendered rules in each cluster's Prometheus, and
// collects from both into one store with the rendered match[] and relabelings.
// From this store, every query of Kiali has a result for both clusters, with
// the sums of the pods.
func TestACM(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ plane, acm string }{
		"a rule per namespace": {"sidecar", "release: '2.16'"},
		"one rule":             {"sidecar", "release: '5.0', rules: {namespace: mesh-observability}"},
		"every pod":            {"sidecar", "release: '2.15', aggregate: false"},
		"ambient":              {"ambient", "release: '2.17'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub := readACM(t, expectedOf(t, collectedOf(c.plane, c.acm)).Objects["acm"])
			store := promqltest.LoadedStorage(t, "load 30s\n  nothing 1")
			t.Cleanup(func() { _ = store.Close() })
			for _, cluster := range []string{"east", "west"} {
				hub.collect(t, cluster, c.plane == "ambient", store)
			}
			engine := promqltest.NewTestEngine(t, false, 5*time.Minute, 1_000_000)
			for _, line := range asked.Lines() {
				for _, cluster := range []string{"east", "west"} {
					for _, q := range asked.Queries(line, cluster, c.plane == "ambient", clock) {
						query, err := engine.NewInstantQuery(t.Context(), store, nil, q.Expr, time.Unix(0, 0).Add(whole))
						require.NoError(t, err, q.Expr)
						result := query.Exec(t.Context())
						require.NoError(t, result.Err, q.Expr)
						vector, err := result.Vector()
						require.NoError(t, err)
						assert.NotEmpty(t, vector, "%s: %s", line, q.Expr)
						sum := 0.0
						for _, sample := range vector {
							sum += sample.F
						}
						if q.Want != 0 {
							assert.InEpsilon(t, q.Want, sum, 0.01, "%s: %s", line, q.Expr)
						}
					}
				}
			}
		})
	}
}

// TestACMSpoilt shows that the test above can fail: without the rule of a
// namespace, without the relabeling, or with a label too few, the queries have
// no result.
func TestACMSpoilt(t *testing.T) {
	t.Parallel()
	objects := func() []resource.Object {
		return expectedOf(t, collectedOf("sidecar", "release: '2.16'")).Objects["acm"]
	}
	for name, spoil := range map[string]func(h *acmHub){
		"no rules":      func(h *acmHub) { h.rules = nil },
		"no relabeling": func(h *acmHub) { h.user.relabels = nil },
		"no mesh_id": func(h *acmHub) {
			h.user.relabels = append(h.user.relabels, relabel.Rule{Action: "labeldrop", Regex: "mesh_id"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub := readACM(t, objects())
			spoil(hub)
			store := promqltest.LoadedStorage(t, "load 30s\n  nothing 1")
			t.Cleanup(func() { _ = store.Close() })
			hub.collect(t, "east", false, store)
			engine := promqltest.NewTestEngine(t, false, 5*time.Minute, 1_000_000)
			q := asked.Queries("v2.27", "east", false, clock)[0]
			query, err := engine.NewInstantQuery(t.Context(), store, nil, q.Expr, time.Unix(0, 0).Add(whole))
			require.NoError(t, err)
			vector, err := query.Exec(t.Context()).Vector()
			require.NoError(t, err)
			assert.Empty(t, vector, q.Expr)
		})
	}
}

// TestRecorded compares verify's reading of a rule with the result of
// Prometheus' engine.
func TestRecorded(t *testing.T) {
	t.Parallel()
	series := map[string]string{"__name__": "istio_requests_total", "pod": "a", "instance": "i", "app": "x", "mesh_id": "mesh1"}
	for _, expr := range []string{
		"sum without (pod, instance) (istio_requests_total)",
		"sum by (app, mesh_id) (istio_requests_total{mesh_id=\"mesh1\"})",
		"(sum(istio_requests_total{pod!~\"ztunnel-.*\"}))",
		"istio_requests_total{pod=~\"a|b\"}",
		"istio_requests_total{mesh_id=\"other\"}",
	} {
		store := promqltest.LoadedStorage(t, "load 30s\n  "+asked.Text(series)+" 1")
		t.Cleanup(func() { _ = store.Close() })
		rule := recordingOf(t, "workload:x", expr, "")
		vector, err := rule.Eval(t.Context(), 0, time.Unix(0, 0), rules.EngineQueryFunc(promqltest.NewTestEngine(t, false, time.Minute, 1000),
			store), nil, 0)
		require.NoError(t, err)
		ours, err := relabel.NewRecording("workload:x", expr)
		require.NoError(t, err)
		recorded, known := ours.Recorded(series)
		require.True(t, known, expr)
		if len(vector) == 0 {
			assert.Nil(t, recorded, expr)
			continue
		}
		assert.Equal(t, vector[0].Metric.Map(), recorded, expr)
	}
	unknown, err := relabel.NewRecording("x", "rate(istio_requests_total[5m])")
	require.NoError(t, err)
	_, known := unknown.Recorded(series)
	assert.False(t, known)
}

// federation is a ScrapeConfig.
type federation struct {
	matches  []string
	relabels []relabel.Rule
}

// acmHub has the objects of the ACM hub: the rules by the namespace in which
// they are evaluated, and the two collectors.
type acmHub struct {
	rules          map[string][]map[string]any
	user, platform federation
}

func readACM(t *testing.T, objects []resource.Object) *acmHub {
	t.Helper()
	hub := &acmHub{rules: map[string][]map[string]any{}}
	for _, o := range objects {
		meta := o["metadata"].(map[string]any)
		switch resource.IDOf(o).Kind {
		case "PrometheusRule":
			namespace := meta["annotations"].(map[string]any)["observability.open-cluster-management.io/target-namespace"].(string)
			for _, group := range o["spec"].(map[string]any)["groups"].([]any) {
				for _, rule := range group.(map[string]any)["rules"].([]any) {
					hub.rules[namespace] = append(hub.rules[namespace], rule.(map[string]any))
				}
			}
		case "ScrapeConfig":
			var spec struct {
				Params            map[string][]string
				MetricRelabelings []relabel.Rule
			}
			decodeInto(t, o["spec"], &spec)
			to := &hub.user
			if meta["labels"].(map[string]any)["app.kubernetes.io/component"] == "platform-metrics-collector" {
				to = &hub.platform
			}
			*to = federation{spec.Params["match[]"], spec.MetricRelabelings}
		}
	}
	require.NotEmpty(t, hub.user.matches)
	require.NotEmpty(t, hub.platform.matches)
	return hub
}

// collect makes a cluster's two Prometheus servers, evaluates the rules on the
// server of user workloads, and collects from both into a store.
func (h *acmHub) collect(t *testing.T, cluster string, ambient bool, to *teststorage.TestStorage) {
	t.Helper()
	users := promqltest.LoadedStorage(t, "load 30s\n  "+strings.Join(meshSeries(cluster, ambient), "\n  "))
	platform := promqltest.LoadedStorage(t, "load 30s\n  "+strings.Join(containerSeries(cluster, ambient), "\n  "))
	t.Cleanup(func() { _, _ = users.Close(), platform.Close() })
	engine := promqltest.NewTestEngine(t, false, 5*time.Minute, 1_000_000)
	h.evaluate(t, engine, users)
	h.user.into(t, users, cluster, to)
	h.platform.into(t, platform, cluster, to)
	// ACM's own defaults (multicluster-observability-operator manifests/base/grafana/platform-mcoa/scrape-config.yaml).
	federation{matches: []string{`{__name__="container_memory_working_set_bytes",container!="POD",container!=""}`}}.into(t, platform, cluster,
		to)
}

// evaluate records the results of the rules every 30 seconds. User workload
// monitoring limits a rule to its own namespace, unless the rule is exempt.
func (h *acmHub) evaluate(t *testing.T, engine *promql.Engine, store *teststorage.TestStorage) {
	t.Helper()
	for _, namespace := range slices.Sorted(maps.Keys(h.rules)) {
		confined := namespace
		if namespace == "mesh-observability" {
			confined = ""
		}
		var recordings []*rules.RecordingRule
		for _, rule := range h.rules[namespace] {
			recordings = append(recordings, recordingOf(t, rule["record"].(string), rule["expr"].(string), confined))
		}
		for at := time.Duration(0); at <= whole; at += step {
			now := time.Unix(0, 0).Add(at)
			app := store.Appender(t.Context())
			for _, rule := range recordings {
				vector, err := rule.Eval(t.Context(), 0, now, rules.EngineQueryFunc(engine, store), nil, 0)
				require.NoError(t, err)
				for _, sample := range vector {
					_, err := app.Append(0, sample.Metric, now.UnixMilli(), sample.F)
					require.NoError(t, err)
				}
			}
			require.NoError(t, app.Commit())
		}
	}
}

// into federates a Prometheus at every collection: the last sample of each
// series that match[] selects, in the form of /federate, with the labels that
// Prometheus and the collector add.
func (f federation) into(t *testing.T, from *teststorage.TestStorage, cluster string, to *teststorage.TestStorage) {
	t.Helper()
	const nobody = "nobody" // an empty selector is not allowed
	collection, err := relabel.NewCollection([]string{`{__name__!="` + nobody + `"}`}, f.relabels)
	require.NoError(t, err)
	for at := time.Duration(0); at <= whole; at += each {
		now := time.Unix(0, 0).Add(at).UnixMilli()
		querier, err := from.Querier(now-each.Milliseconds()+1, now)
		require.NoError(t, err)
		app := to.Appender(t.Context())
		seen := map[string]bool{}
		for _, match := range f.matches {
			matchers, err := parserOf().ParseMetricSelector(match)
			require.NoError(t, err, match)
			set := querier.Select(t.Context(), true, nil, matchers...)
			for set.Next() {
				series := set.At().Labels()
				if seen[series.String()] {
					continue // the answer has it once
				}
				seen[series.String()] = true
				var when int64
				var value float64
				it := set.At().Iterator(nil)
				for it.Next() == chunkenc.ValFloat {
					when, value = it.At()
				}
				of := series.Map()
				of["prometheus"], of["prometheus_replica"] = "openshift-user-workload-monitoring/user-workload", "prometheus-user-workload-0"
				if of = collection.Collected(of); of == nil {
					continue
				}
				of["cluster"], of["clusterID"] = cluster, "id-"+cluster
				_, err := app.Append(0, labels.FromMap(of), when, value)
				require.NoError(t, err)
			}
			require.NoError(t, set.Err())
		}
		require.NoError(t, app.Commit())
		require.NoError(t, querier.Close())
	}
}
