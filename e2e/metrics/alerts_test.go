package metrics

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// TestAlerts loads the rendered rules with Prometheus' own loader. Its rule
// engine evaluates them once a minute for two hours, over series with one fault
// each. Every alert fires for its own fault, and not before 15 minutes.
func TestAlerts(t *testing.T) {
	t.Parallel()
	groups := map[string]*rulefmt.RuleGroups{}
	e := expectedOf(t, alerted)
	for _, o := range e.Objects["east"] {
		if id := resource.IDOf(o); id.Kind == "PrometheusRule" {
			text, err := yaml.Marshal(o["spec"])
			require.NoError(t, err)
			parsed, errs := rulefmt.Parse(text, false, model.UTF8Validation, parserOf(), quiet())
			require.Empty(t, errs)
			groups[id.Namespace+"/"+id.Name] = parsed
		}
	}
	require.Len(t, groups, 3)
	for _, o := range e.Objects["west"] {
		require.NotEqual(t, "PrometheusRule", o["kind"], "the hub alone has alerts")
	}

	series := func(reporter, namespace, pod, mesh, values string) string {
		return fmt.Sprintf("istio_requests_total{reporter=%q, source_cluster=\"east\", destination_cluster=\"west\", namespace=%q, pod=%q, "+
			"mesh_id=%q} %s", reporter, namespace, pod, mesh, values)
	}
	up := func(namespace, pod, values string) string {
		return fmt.Sprintf("up{job=%q, namespace=%q, pod=%q} %s", namespace+"/istio-proxies-monitor", namespace, pod, values)
	}
	good := []string{
		series("source", "sample", "a", "mesh1", "0+1x150"), series("destination", "sample", "b", "mesh1", "0+1x150"), up("sample", "a", "1x150"),
	}
	for name, c := range map[string]struct {
		series []string
		want   []string
	}{
		"good":       {good, nil},
		"no traffic": {append(slices.Clone(good), series("source", "sample", "c", "mesh1", "7x150")), nil},
		"a cluster goes silent": {[]string{series("source", "sample", "a", "mesh1", "0+1x80"),
			series("destination", "sample", "b", "mesh1", "0+1x150"), up("sample", "a", "1x150")}, []string{"MeshNamespaceSilent east"}},
		"the other goes silent": {[]string{series("source", "sample", "a", "mesh1", "0+1x150"),
			series("destination", "sample", "b", "mesh1", "0+1x80"), up("sample", "a", "1x150")}, []string{"MeshNamespaceSilent west"}},
		"a target is down":     {append(slices.Clone(good), up("sample", "c", "1x60 0x90")), []string{"MeshTargetDown "}},
		"series without an id": {append(slices.Clone(good), series("source", "sample", "c", "", "0+1x150")), []string{"MeshSeriesWithoutID "}},
		"doubled proxies": {append(slices.Clone(good), strings.Replace(good[0], "} ", `, instance="10.0.0.1:15020"} `, 1)),
			[]string{"MeshProxyDoubled "}},
		"another namespace": {append(slices.Clone(good), series("source", "elsewhere", "c", "", "0+1x150"), up("elsewhere", "c", "0x150")),
			nil},
		"a pod that is replaced": {[]string{series("source", "sample", "a", "mesh1", "0+1x80"),
			series("source", "sample", "a2", "mesh1", "_x80 0+1x70"), good[1], good[2]}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, fire(t, groups["sample/mesh-alerts"], c.series))
		})
	}
}

// TestHealthAlerts does the same for the alerts about Kiali's health metrics,
// on series as they are after a scrape.
func TestHealthAlerts(t *testing.T) {
	t.Parallel()
	var group *rulefmt.RuleGroups
	for _, o := range expectedOf(t, alerted).Objects["east"] {
		if id := resource.IDOf(o); id.Kind == "PrometheusRule" && id.Name == "kiali-health" {
			text, err := yaml.Marshal(o["spec"])
			require.NoError(t, err)
			var errs []error
			group, errs = rulefmt.Parse(text, false, model.UTF8Validation, parserOf(), quiet())
			require.Empty(t, errs)
		}
	}
	require.NotNil(t, group)
	health := func(cluster, kind, name, values string) string {
		return fmt.Sprintf("kiali_health_status{cluster=%q, namespace=\"istio-system\", exported_namespace=\"sample\", health_type=%q, "+
			"name=%q, job=\"kiali\"} %s",
			cluster, kind, name, values)
	}
	good := []string{health("east", "workload", "a", "0x150"), health("west", "workload", "b", "0x150"),
		health("west", "namespace", "", "0x150")}
	for name, c := range map[string]struct {
		series []string
		want   []string
	}{
		"good": {good, nil},
		"a workload fails": {append(slices.Clone(good), health("west", "workload", "c", "0x60 3x90")),
			[]string{"MeshWorkloadFailing west sample/c"}},
		"it is degraded":        {append(slices.Clone(good), health("west", "workload", "c", "2x150")), nil},
		"it fails for a moment": {append(slices.Clone(good), health("west", "workload", "c", "0x60 3x10 0x80")), nil},
		"its app and namespace as well": {append(slices.Clone(good), health("west", "app", "c", "3x150"),
			health("west", "namespace", "", "3x150")), nil},
		"Kiali loses a cluster": {[]string{good[0], health("west", "workload", "b", "0x80")}, []string{"MeshClusterUnseen west /"}},
		"a workload goes":       {append(slices.Clone(good), health("west", "workload", "c", "0x80")), nil},
		"a Kiali of another mesh": {append(slices.Clone(good),
			strings.Replace(health("far", "workload", "c", "3x150"), `namespace="istio-system"`, `namespace="elsewhere"`, 1)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, fire(t, group, c.series))
		})
	}
}

// fire evaluates a group of alerts once a minute for two hours with the rule
// engine, over series with a value each minute. It returns the alerts that fire
// at the end.
func fire(t *testing.T, group *rulefmt.RuleGroups, series []string) []string {
	t.Helper()
	store := promqltest.LoadedStorage(t, "load 1m\n  "+strings.Join(series, "\n  ")+"\n")
	t.Cleanup(func() { _ = store.Close() })
	engine := promqltest.NewTestEngine(t, false, 5*time.Minute, 1_000_000)
	query := rules.EngineQueryFunc(engine, store)
	var alerts []*rules.AlertingRule
	for _, rule := range group.Groups[0].Rules {
		expr, err := parserOf().ParseExpr(rule.Expr)
		require.NoError(t, err)
		alerts = append(alerts, rules.NewAlertingRule(rule.Alert, expr, time.Duration(rule.For), 0, labels.FromMap(rule.Labels),
			labels.FromMap(rule.Annotations),
			labels.EmptyLabels(), "", true, quiet()))
	}
	firing := func() []string {
		var names []string
		for _, a := range alerts {
			for _, active := range a.ActiveAlerts() {
				if active.State != rules.StateFiring {
					continue
				}
				of := active.Labels
				name := a.Name() + " " + of.Get("source_cluster") + of.Get("destination_cluster") + of.Get("cluster")
				if group.Groups[0].Name == "kiali" {
					name += " " + of.Get("exported_namespace") + "/" + of.Get("name")
				}
				names = append(names, name)
				assert.Equal(t, "mesh1", of.Get("mesh"))
			}
		}
		return names
	}
	for minute := range 121 {
		for _, a := range alerts {
			_, err := a.Eval(t.Context(), 0, time.Unix(0, 0).Add(time.Duration(minute)*time.Minute), query, nil, 0)
			require.NoError(t, err)
		}
		if minute < 15 {
			require.Empty(t, firing())
		}
	}
	return firing()
}

func parserOf() parser.Parser { return parser.NewParser(parser.Options{}) }

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

const alerted = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  namespaces: [sample]
  kiali: {hub: east, version: v2.27, auth: {strategy: anonymous}, operator: {install: none}}
  metrics: {store: prometheus, prometheus: {url: "http://prometheus.monitoring:9090"}, alerts: {manage: true}}
  clusters:
    - {name: east, platform: kubernetes}
    - {name: west, platform: kubernetes, server: "https://api.west.example.com:6443"}
`
