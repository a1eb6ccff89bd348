package promcfg_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus-operator/prometheus-operator/pkg/assets"
	"github.com/prometheus-operator/prometheus-operator/pkg/prometheus"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"
	_ "github.com/prometheus/prometheus/discovery/kubernetes" // the loader only knows registered discoverers
	"github.com/prometheus/prometheus/model/relabel"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8syaml "sigs.k8s.io/yaml"
)

// monitors are the monitors of one cluster, by namespace/name.
type monitors struct {
	pods     map[string]*monitoringv1.PodMonitor
	services map[string]*monitoringv1.ServiceMonitor
}

// program returns the program for the tests: the one in SIGHTLINE, else one
// that is built for the test.
func program(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("SIGHTLINE"); path != "" {
		return path
	}
	path := filepath.Join(t.TempDir(), "sightline")
	build := exec.Command("go", "build", "-o", path, "./cmd/sightline")
	build.Dir = filepath.Join("..", "..")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// rendered returns the monitors of each cluster of a topology, or of the
// built-in example. They are decoded strictly: a field that prometheus-operator
// does not know fails the test.
func rendered(t *testing.T, sightline, topology string) map[string]monitors {
	t.Helper()
	args := []string{"render", "-o", "-"}
	if topology == "" {
		topology = "--example"
	}
	args = append(args, topology)
	var out, words bytes.Buffer
	cmd := exec.Command(sightline, args...)
	cmd.Stdout, cmd.Stderr = &out, &words
	require.NoError(t, cmd.Run(), "%s", words.String())

	clusters := map[string]monitors{}
	for _, document := range strings.Split("\n"+out.String(), "\n---\n") {
		place, found := strings.CutPrefix(document, "# clusters/")
		if !found {
			if strings.HasPrefix(document, "# acm/") {
				continue // no cluster of the mesh has it
			}
			require.Empty(t, strings.TrimSpace(document), "an object without a place")
			continue
		}
		cluster, _, _ := strings.Cut(place, "/")
		m, known := clusters[cluster]
		if !known {
			m = monitors{pods: map[string]*monitoringv1.PodMonitor{}, services: map[string]*monitoringv1.ServiceMonitor{}}
			clusters[cluster] = m
		}
		var kind metav1.TypeMeta
		require.NoError(t, k8syaml.Unmarshal([]byte(document), &kind))
		switch kind.Kind {
		case monitoringv1.PodMonitorsKind:
			o := strict[monitoringv1.PodMonitor](t, document)
			m.pods[o.Namespace+"/"+o.Name] = o
		case monitoringv1.ServiceMonitorsKind:
			o := strict[monitoringv1.ServiceMonitor](t, document)
			m.services[o.Namespace+"/"+o.Name] = o
		}
	}
	return clusters
}

// strict decodes a manifest, and refuses keys for which T has no field.
func strict[T any](t *testing.T, manifest string) *T {
	t.Helper()
	var v T
	require.NoError(t, k8syaml.UnmarshalStrict([]byte(manifest), &v), manifest)
	return &v
}

// kubernetesDefaults is a Prometheus that reads all monitors.
var kubernetesDefaults = monitoringv1.PrometheusSpec{
	CommonPrometheusFields: monitoringv1.CommonPrometheusFields{Version: "v3.5.0", ScrapeInterval: "30s"},
	EvaluationInterval:     "30s",
}

// userWorkloads is the Prometheus of OpenShift's user workload monitoring, from
// assets/prometheus-user-workload/prometheus.yaml of
// openshift/cluster-monitoring-operator: a monitor only reaches its own
// namespace.
var userWorkloads = monitoringv1.PrometheusSpec{
	CommonPrometheusFields: monitoringv1.CommonPrometheusFields{
		Version: "v3.5.0", ScrapeInterval: "30s",
		IgnoreNamespaceSelectors:    true,
		EnforcedNamespaceLabel:      "namespace",
		OverrideHonorLabels:         true,
		OverrideHonorTimestamps:     true,
		ArbitraryFSAccessThroughSMs: monitoringv1.ArbitraryFSAccessThroughSMsConfig{Deny: true},
	},
	EvaluationInterval: "30s",
}

// load passes monitors through prometheus-operator's generator and Prometheus'
// loader, which compiles every expression. It returns the jobs by name.
func load(t *testing.T, spec monitoringv1.PrometheusSpec, m monitors) map[string]*config.ScrapeConfig {
	t.Helper()
	p := &monitoringv1.Prometheus{ObjectMeta: metav1.ObjectMeta{Name: "k8s", Namespace: "monitoring"}, Spec: spec}
	generator, err := prometheus.NewConfigGenerator(promslog.NewNopLogger(), p)
	require.NoError(t, err)
	generated, err := generator.GenerateServerConfiguration(p, m.services, m.pods, nil, nil, assets.NewTestStoreBuilder(), nil, nil, nil, nil)
	require.NoError(t, err)
	// The config reloader of a pod fills these in.
	text := strings.NewReplacer("$(SHARD)", "0", "$(POD_NAME)", "prometheus-k8s-0").Replace(string(generated))
	loaded, err := config.Load(text, promslog.NewNopLogger())
	require.NoError(t, err)
	configs, err := loaded.GetScrapeConfigs()
	require.NoError(t, err)
	jobs := map[string]*config.ScrapeConfig{}
	for _, c := range configs {
		jobs[c.JobName] = c
	}
	return jobs
}

// endpoint is the common part of PodMonitors and ServiceMonitors, and the job
// that prometheus-operator makes from it.
type endpoint struct {
	job                            string
	path                           string
	interval                       monitoringv1.Duration
	relabelings, metricRelabelings []monitoringv1.RelabelConfig
}

func (m monitors) endpoints() []endpoint {
	var all []endpoint
	for key, monitor := range m.pods {
		for i, e := range monitor.Spec.PodMetricsEndpoints {
			all = append(all, endpoint{fmt.Sprintf("podMonitor/%s/%d", key, i), e.Path, e.Interval, e.RelabelConfigs, e.MetricRelabelConfigs})
		}
	}
	for key, monitor := range m.services {
		for i, e := range monitor.Spec.Endpoints {
			all = append(all, endpoint{fmt.Sprintf("serviceMonitor/%s/%d", key, i), e.Path, e.Interval, e.RelabelConfigs, e.MetricRelabelConfigs})
		}
	}
	return all
}

// text prints rules as Prometheus does, in their order.
func text(t *testing.T, rules []*relabel.Config) string {
	t.Helper()
	var all strings.Builder
	for _, rule := range rules {
		one, err := yaml.Marshal(rule)
		require.NoError(t, err)
		fmt.Fprintf(&all, "%s---\n", one)
	}
	return all.String()
}

// inPrometheus reads the rules of a monitor as Prometheus reads its own rules,
// with its defaults for absent fields.
func inPrometheus(t *testing.T, rules []monitoringv1.RelabelConfig) []*relabel.Config {
	t.Helper()
	var all []*relabel.Config
	for _, rule := range rules {
		fields := yaml.MapSlice{}
		add := func(name string, value any, absent bool) {
			if !absent {
				fields = append(fields, yaml.MapItem{Key: name, Value: value})
			}
		}
		add("action", rule.Action, rule.Action == "")
		add("source_labels", rule.SourceLabels, len(rule.SourceLabels) == 0)
		add("separator", rule.Separator, rule.Separator == nil)
		add("regex", rule.Regex, rule.Regex == "")
		add("modulus", rule.Modulus, rule.Modulus == 0)
		add("target_label", rule.TargetLabel, rule.TargetLabel == "")
		add("replacement", rule.Replacement, rule.Replacement == nil)
		text, err := yaml.Marshal(fields)
		require.NoError(t, err)
		var read relabel.Config
		require.NoError(t, yaml.UnmarshalStrict(text, &read), "%s", text)
		all = append(all, &read)
	}
	return all
}
