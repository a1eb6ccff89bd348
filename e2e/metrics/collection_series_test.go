package metrics

import (
	"encoding/json"
	"maps"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/e2e/asked"
	"github.com/sightline-mesh/sightline/internal/kiali"
)

func decodeInto(t *testing.T, v, to any) {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, to))
}

// recordingOf returns a rule as user workload monitoring evaluates it in a
// namespace: each selector and the result have the namespace
// (cluster-monitoring-operator, enforcedNamespaceLabel; prometheus-operator,
// pkg/namespacelabeler). Without a namespace, the rule is exempt.
func recordingOf(t *testing.T, record, expr, namespace string) *rules.RecordingRule {
	t.Helper()
	parsed, err := parserOf().ParseExpr(expr)
	require.NoError(t, err)
	result := labels.EmptyLabels()
	if namespace != "" {
		parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
			if selector, ok := node.(*parser.VectorSelector); ok {
				selector.LabelMatchers = append(selector.LabelMatchers, labels.MustNewMatcher(labels.MatchEqual, "namespace", namespace))
			}
			return nil
		})
		result = labels.FromStrings("namespace", namespace)
	}
	return rules.NewRecordingRule(record, parsed, result)
}

const values = " 0+1x80"

// clock says how the series count: one in 30 seconds, up to 80.
var clock = asked.Clock{Window: 10 * time.Minute, Rate: 1 / step.Seconds(), Level: whole.Seconds() / step.Seconds()}

// meshSeries returns the series of a cluster, with the labels from scraping.
func meshSeries(cluster string, ambient bool) []string {
	var all []string
	for _, pod := range asked.Pods(cluster, ambient) {
		for _, series := range pod.Series {
			series = maps.Clone(series)
			maps.Copy(series, map[string]string{
				kiali.MeshID: "mesh1", "app": pod.App, "namespace": pod.Namespace, "pod": pod.Name, "instance": pod.Name + ":15020",
				"job": pod.Namespace + "/istio-proxies-monitor", "container": "istio-proxy", "endpoint": "15020", "pod_template_hash": "7d9c",
				"node": "n-" + pod.Name, "version": "v1",
			})
			all = append(all, asked.Text(series)+values)
		}
	}
	return all
}

// containerSeries returns the platform's series of the control plane.
func containerSeries(cluster string, ambient bool) []string {
	var all []string
	for _, series := range asked.Containers(asked.Pods(cluster, ambient)) {
		all = append(all, asked.Text(series)+values)
	}
	return all
}

// TestAsked compares the restated list of metrics and labels with the list of
// the product.
func TestAsked(t *testing.T) {
	t.Parallel()
	assert.ElementsMatch(t, kiali.MetricNames(), append(asked.Metrics(), append(asked.ContainerMetrics(), "up")...))
	series := asked.Pods("east", false)[0].Series[0]
	for _, label := range kiali.Labels() {
		if label != "app" && label != "namespace" && label != kiali.MeshID { // scraping adds these
			assert.Contains(t, series, label)
		}
	}
}
