package openshift

import (
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// TestProblems lists values that the operator's own code accepted or refused
// (NewConfigFromString and NewUserConfigFromString of its package manifests, at
// f581865b4).
func TestProblems(t *testing.T) {
	platform, workloads := Configs()
	for _, test := range []struct {
		config  Config
		content string
		want    []string
	}{
		{workloads, `{}`, nil},
		{workloads, ``, nil},
		{workloads, `{prometheus: {retention: 24h, externalLabels: {cluster_name: west}, remoteWrite: [{url: 'https://r.example.com', queueConfig: {maxShards: 10}, writeRelabelConfigs: [{action: keep, sourceLabels: [__name__], regex: istio_.*}]}]}}`, nil},
		{workloads, `{prometheus: {resources: {requests: {cpu: 1, memory: 2Gi}}, volumeClaimTemplate: {spec: {storageClassName: fast, resources: {requests: {storage: 40Gi}}}}, tolerations: [{operator: Exists}]}}`, nil},
		{workloads, `{prometheus: null}`, nil},
		{workloads, `{prometheus: {externalLabels: {cluster: west}}}`, []string{`the external label "cluster" is reserved for the cluster's own Prometheus servers from OpenShift 4.19 on`}},
		{workloads, `{prometheus: {externalLabels: {prometheus_replica: a, site: 5}}}`, []string{
			`the external label "prometheus_replica" is reserved for the cluster's own Prometheus servers`,
			`prometheus.externalLabels.site must be a string, found the number 5`,
		}},
		{workloads, `{prometheus: {externalLabels: [a]}}`, []string{`prometheus.externalLabels must be an object, found a list`}},
		{workloads, `{prometheus: {retension: 24h}}`, []string{`prometheus has no field "retension"`}},
		{workloads, `{prometheus: {Retention: 24h}}`, []string{`prometheus has no field "Retention"`}},
		{workloads, `{prometheusK8s: {retention: 24h}}`, []string{`the config has no field "prometheusK8s"`}},
		{workloads, `{prometheus: {retention: 24}}`, []string{`prometheus.retention must be a string, found the number 24`}},
		{workloads, `{prometheus: {enforcedSampleLimit: "5000"}}`, []string{`prometheus.enforcedSampleLimit must be a whole number, found a string`}},
		{workloads, `{prometheus: {enforcedSampleLimit: -1}}`, []string{`prometheus.enforcedSampleLimit must be a whole number, found the number -1`}},
		{workloads, `{prometheus: {remoteWrite: {url: a}}}`, []string{`prometheus.remoteWrite must be a list, found an object`}},
		{workloads, `{prometheus: {remoteWrite: [{url: a, basicAuth: {password: hunter2}, tlsConfig: {caFile: /ca}, sendExemplars: "yes", messageVersion: V3.0}]}}`, []string{
			`prometheus.remoteWrite[0].basicAuth.password must be an object, found a string`,
			`prometheus.remoteWrite[0].messageVersion must be V1.0 or V2.0, found "V3.0"`,
			`prometheus.remoteWrite[0].sendExemplars must be true or false, found a string`,
			`prometheus.remoteWrite[0].tlsConfig has no field "caFile"`,
		}},
		{workloads, `{prometheus: {scrapeInterval: 4s, evaluationInterval: 6m}}`, []string{
			`prometheus.evaluationInterval must be a duration from 5s to 5m, found "6m"`,
			`prometheus.scrapeInterval must be a duration from 5s to 5m, found "4s"`,
		}},
		{workloads, `[a]`, []string{`the config must be an object, found a list`}},

		{platform, `{enableUserWorkload: true, prometheusK8s: {retention: 15d, externalLabels: {datacenter: eu}}, nodeExporter: {collectors: {systemd: {enabled: true, units: [a]}}}}`, nil},
		{platform, `{enableUserWorkload: "true"}`, []string{`enableUserWorkload must be true or false, found a string`}},
		{platform, `{prometheus: {retention: 15d}}`, []string{`the config has no field "prometheus"`}},
		{platform, `{prometheusK8s: {externalLabels: {cluster: west}}}`, []string{`the external label "cluster" is reserved for the cluster's own Prometheus servers from OpenShift 4.19 on`}},
	} {
		t.Run(test.content, func(t *testing.T) {
			var content any
			require.NoError(t, yaml.Unmarshal([]byte(test.content), &content))
			var got []string
			for _, p := range test.config.Problems(content) {
				got = append(got, p.Message)
				assert.NotContains(t, p.Message+p.Hint, "hunter2")
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func TestHints(t *testing.T) {
	_, workloads := Configs()
	hint := func(content any) string { return workloads.Problems(content)[0].Hint }
	assert.Equal(t, `did you mean "prometheus"?`, hint(map[string]any{"prometheusK8s": nil}))
	assert.Contains(t, hint(map[string]any{"retention": nil}), "the fields are alertmanager, ")
}

// TestFieldsHaveTypes shows that the checker knows each type of the table.
func TestFieldsHaveTypes(t *testing.T) {
	objects := fields()
	platform, workloads := Configs()
	require.Contains(t, objects, platform.Name)
	require.Contains(t, objects, workloads.Name)
	used := map[string]bool{platform.Name: true, workloads.Name: true}
	for object, fields := range objects {
		for field, kind := range fields {
			kind = regexp.MustCompile(`^(\[\]|\{\})*`).ReplaceAllString(kind, "")
			used[kind] = true
			if !slices.Contains([]string{"string", "boolean", "integer", "unsigned", "quantity", "labels"}, kind) {
				assert.Contains(t, objects, kind, "%s.%s", object, field)
			}
		}
	}
	assert.Subset(t, slices.Collect(maps.Keys(used)), slices.Collect(maps.Keys(objects)))
}
