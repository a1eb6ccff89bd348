// Package promcfg_test passes the rendered monitors through the programs that
// read them, as libraries: prometheus-operator makes a configuration from them,
// and Prometheus loads it, discovers pods and relabels them. There is no API
// server, and nothing is scraped. `make e2e-full` does that.
//
// The module has the dependencies of prometheus-operator's release, which
// differ from the product's.
package promcfg_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	k8syaml "sigs.k8s.io/yaml"
)

const topologies = "../../topologies"

// TestMonitors shows, for every cluster of every example topology, that each
// monitor becomes one job with its own rules. The jobs make one target for each
// proxy and for istiod, and none for other pods.
func TestMonitors(t *testing.T) {
	sightline := program(t)
	for name, path := range examples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mesh := meshID(t, path)
			clusters := rendered(t, sightline, path)
			found := discovered(t, clusters)
			monitored := 0
			for cluster, m := range clusters {
				monitored += len(m.pods)
				for prometheus, spec := range map[string]monitoringv1.PrometheusSpec{"Prometheus": kubernetesDefaults, "user workload monitoring": userWorkloads} {
					jobs := load(t, spec, m)
					endpoints := m.endpoints()
					assert.Len(t, jobs, len(endpoints), "%s, %s: one job for each endpoint", cluster, prometheus)
					for _, e := range endpoints {
						job := jobs[e.job]
						require.NotNil(t, job, "%s, %s: no job %s, only %q", cluster, prometheus, e.job, slices.Sorted(maps.Keys(jobs)))
						assert.Equal(t, e.path, job.MetricsPath, "%s, %s: %s", cluster, prometheus, e.job)
						assert.Equal(t, string(e.interval), job.ScrapeInterval.String(), "%s, %s: %s", cluster, prometheus, e.job)
						assert.Contains(t, text(t, job.RelabelConfigs), text(t, inPrometheus(t, e.relabelings)), "%s, %s: %s", cluster, prometheus, e.job)
						assert.Contains(t, text(t, job.MetricRelabelConfigs), text(t, inPrometheus(t, e.metricRelabelings)), "%s, %s: %s", cluster, prometheus, e.job)
					}
					assert.Equal(t, m.targets(mesh), found.targets(t, jobs), "%s, %s", cluster, prometheus)
				}
			}
			assert.NotZero(t, monitored)
		})
	}
}

// TestBuiltInExample shows which namespaces of the built-in example the
// monitors reach, without looking at the monitors.
func TestBuiltInExample(t *testing.T) {
	clusters := rendered(t, program(t), "")
	assert.ElementsMatch(t, []string{"cluster1", "cluster2"}, slices.Collect(maps.Keys(clusters)))
	found := discovered(t, clusters)
	want := meshTargets("istio-system", "mesh1")
	maps.Copy(want, meshTargets("sample", "mesh1"))
	want["istiod"] = []target{istiodTarget("istio-system", "mesh1")}
	for cluster, m := range clusters {
		assert.Equal(t, want, found.targets(t, load(t, userWorkloads, m)), cluster)
	}
}

// TestGuidesMistakes runs the guide's mistakes, to show that the tests above
// find them.
func TestGuidesMistakes(t *testing.T) {
	sightline := program(t)
	t.Run("escapes that only a shell removes", func(t *testing.T) {
		m := rendered(t, sightline, "")["cluster1"]
		found := discovered(t, map[string]monitors{"cluster1": m})
		for _, monitor := range m.pods {
			rules := monitor.Spec.PodMetricsEndpoints[0].RelabelConfigs
			for i := range rules {
				rules[i].Regex = strings.ReplaceAll(rules[i].Regex, `\d`, `\\d`)
				if rules[i].Replacement != nil {
					escaped := strings.ReplaceAll(*rules[i].Replacement, "$", `\$`)
					rules[i].Replacement = &escaped
				}
			}
		}
		targets := found.targets(t, load(t, userWorkloads, m))
		assert.NotEqual(t, m.targets("mesh1"), targets)
		require.Len(t, targets["sample-sidecar"], 1)
		assert.Equal(t, "http://10.0.0.12:15090/stats/prometheus", targets["sample-sidecar"][0]["url"], "the declared port, not that of the annotation")
		assert.Equal(t, `\\reviews`, targets["sample-sidecar"][0]["app"])
	})
	t.Run("both PodMonitors in one namespace", func(t *testing.T) {
		m := rendered(t, sightline, "")["cluster1"]
		found := discovered(t, map[string]monitors{"cluster1": m})
		want := m.targets("mesh1")
		delete(m.pods, "istio-system/istio-proxies-monitor")
		targets := found.targets(t, load(t, userWorkloads, m))
		assert.NotEqual(t, want, targets)
		assert.Equal(t, want["sample-sidecar"], targets["sample-sidecar"])
		assert.NotContains(t, targets, "istio-system-sidecar")
	})
	t.Run("one PodMonitor for all namespaces", func(t *testing.T) {
		m := rendered(t, sightline, "")["cluster1"]
		found := discovered(t, map[string]monitors{"cluster1": m})
		delete(m.pods, "sample/istio-proxies-monitor")
		m.pods["istio-system/istio-proxies-monitor"].Spec.NamespaceSelector.Any = true
		assert.Contains(t, found.targets(t, load(t, kubernetesDefaults, m)), "sample-sidecar")
		assert.NotContains(t, found.targets(t, load(t, userWorkloads, m)), "sample-sidecar", "user workload monitoring ignores the selector")
	})
	// guides replaces the rule about ports by the guide's rule about the
	// annotation, and takes the port of every annotation.
	guides := func(regex string) map[string][]target {
		m := rendered(t, sightline, "")["cluster1"]
		found := discovered(t, map[string]monitors{"cluster1": m})
		rules := m.pods["sample/istio-proxies-monitor"].Spec.PodMetricsEndpoints[0].RelabelConfigs
		for i := range rules {
			switch r := &rules[i]; {
			case slices.Contains(r.SourceLabels, "__meta_kubernetes_pod_container_port_name"):
				r.SourceLabels, r.Regex = []monitoringv1.LabelName{"__meta_kubernetes_pod_annotationpresent_prometheus_io_scrape"}, regex
			case r.TargetLabel == "__address__":
				r.SourceLabels, r.Regex = r.SourceLabels[1:], strings.TrimPrefix(r.Regex, "/stats/prometheus;")
			}
		}
		return found.targets(t, load(t, userWorkloads, m))
	}
	t.Run("a keep without regex", func(t *testing.T) {
		targets := guides("")
		require.Len(t, targets["sample-scraped-by-itself"], 1)
		assert.Equal(t, "http://10.0.0.19:9102/stats/prometheus", targets["sample-scraped-by-itself"][0]["url"], "the application, which has no such page")
	})
	t.Run("its regex put right", func(t *testing.T) {
		assert.NotContains(t, guides("true"), "sample-opted-out", "a proxy that opted out is lost")
	})
}

// examples returns the topologies that everyone can render, by name. The
// built-in topology has no file; its name is "built-in".
func examples(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(topologies, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[string]string{"built-in": "", "fleet": filepath.Join(topologies, "fleet")}
	for _, file := range files {
		all[strings.TrimSuffix(filepath.Base(file), ".yaml")] = file
	}
	return all
}

// meshID returns the mesh of a topology. It does not use the code that renders
// it.
func meshID(t *testing.T, path string) string {
	t.Helper()
	if path == "" {
		path = filepath.Join(topologies, "east-west.yaml")
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "topology.yaml")
	}
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var top struct {
		Spec struct{ Mesh struct{ ID string } }
	}
	require.NoError(t, k8syaml.Unmarshal(data, &top))
	require.NotEmpty(t, top.Spec.Mesh.ID)
	return top.Spec.Mesh.ID
}

// discovered returns Prometheus' discovery of clusters that have the same pods
// in every namespace of a monitor, and in one namespace without a monitor.
func discovered(t *testing.T, clusters map[string]monitors) discovery {
	t.Helper()
	namespaces := map[string]bool{"elsewhere": true}
	controlPlane := ""
	for _, m := range clusters {
		for _, monitor := range m.pods {
			namespaces[monitor.Namespace] = true
		}
		for _, monitor := range m.services {
			if ofIstiod(monitor) {
				controlPlane = monitor.Namespace
			}
		}
	}
	pods := []*corev1.Pod{}
	for namespace := range namespaces {
		pods = append(pods, meshPods(namespace)...)
	}
	istiod, services, endpoints := istiod(controlPlane)
	return discover(t, append(pods, istiod), services, endpoints)
}

func ofIstiod(monitor *monitoringv1.ServiceMonitor) bool { return monitor.Name == "istiod-monitor" }

// targets returns the targets that the monitors of a cluster should give.
func (m monitors) targets(mesh string) map[string][]target {
	all := map[string][]target{}
	for _, monitor := range m.pods {
		maps.Copy(all, meshTargets(monitor.Namespace, mesh))
	}
	for _, monitor := range m.services {
		if !ofIstiod(monitor) {
			continue // Kiali's monitor: Kiali does not run here
		}
		one := istiodTarget(monitor.Namespace, mesh)
		if slices.Contains(monitor.Spec.TargetLabels, "istio.io/rev") {
			one["istio_io_rev"] = "default"
		}
		all["istiod"] = append(all["istiod"], one)
	}
	return all
}
