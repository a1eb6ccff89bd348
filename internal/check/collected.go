package check

import (
	"encoding/json"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/relabel"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// collector is a way by which ACM takes series from a cluster, with the object
// that says so; nil for what ACM collects by itself.
type collector struct {
	*relabel.Collection
	o        *object
	at       fieldPath // of its selectors
	platform bool      // it reads the Prometheus of the platform, else that of user workloads
}

// recorder is a PrometheusRule whose series are collected.
type recorder struct {
	o     *object
	rules []*relabel.Recording
	known bool // what they make of a series can be told
}

// onACM are the objects that the ACM hub has by the topology.
func (m *mesh) onACM() []*object {
	return slices.DeleteFunc(m.ofClusters(), func(o *object) bool { return o.phase != resource.ACM })
}

const componentLabel = "app.kubernetes.io/component"

// scrapeConfigs are the ScrapeConfigs, as collectors; one that cannot be read is
// given to broken.
func (m *mesh) scrapeConfigs(broken func(o *object, err error)) []collector {
	var all []collector
	for _, o := range m.onACM() {
		if o.ID.Kind != "ScrapeConfig" {
			continue
		}
		at := fieldPath{"spec", "params", "match[]"}
		var rules []relabel.Rule
		err := reread(o.value(fieldPath{"spec", "metricRelabelings"}), &rules)
		var c *relabel.Collection
		if err == nil {
			c, err = relabel.NewCollection(textsOf(o.value(at)), rules)
		}
		if err != nil {
			broken(o, err)
			continue
		}
		component, _ := o.value(fieldPath{"metadata", "labels", componentLabel}).(string)
		all = append(all, collector{c, o, at, component == "platform-metrics-collector"})
	}
	return all
}

// byDefault is what ACM's own collection of the platform has of what Kiali asks
// for (multicluster-observability-operator manifests/base/grafana/platform-mcoa,
// manifests/base/config/metrics_allowlist.yaml).
func byDefault() collector {
	c, _ := relabel.NewCollection([]string{`{__name__="container_memory_working_set_bytes",container!="POD",container!=""}`}, nil)
	return collector{Collection: c, platform: true}
}

// allowLists are the lists of the classic collector, as collectors.
func (m *mesh) allowLists(broken func(o *object, err error)) []collector {
	var all []collector
	for _, o := range slices.Concat(m.onACM(), m.kinds("ConfigMap")) {
		if o.ID.Name != allowListName || o.ID.Kind != "ConfigMap" || slices.ContainsFunc(all, func(c collector) bool { return c.o == o }) {
			continue
		}
		for _, key := range []string{userList, platformList} {
			text, ok := o.value(fieldPath{"data", key}).(string)
			if !ok || key == platformList && o.phase != resource.ACM {
				continue // a cluster's list is about user workloads alone
			}
			var list struct{ Names, Matches []string }
			err := yaml.Unmarshal([]byte(text), &list)
			var selectors []string
			for _, name := range list.Names {
				selectors = append(selectors, `{__name__="`+name+`"}`)
			}
			for _, match := range list.Matches {
				if o.phase != resource.ACM {
					match += `,namespace="` + o.ID.Namespace + `"`
				}
				selectors = append(selectors, "{"+match+"}")
			}
			var c *relabel.Collection
			if err == nil {
				c, err = relabel.NewCollection(selectors, nil)
			}
			if err != nil {
				broken(o, err)
				continue
			}
			all = append(all, collector{c, o, fieldPath{"data", key}, key == platformList})
		}
	}
	return all
}

const (
	allowListName = "observability-metrics-custom-allowlist"
	userList      = "uwl_metrics_list.yaml"
	platformList  = "metrics_list.yaml"
)

// recorders are the PrometheusRules whose series are collected; a rule that cannot
// be read is given to broken.
func (m *mesh) recorders(broken func(o *object, err error)) []recorder {
	var all []recorder
	for _, o := range m.onACM() {
		if o.ID.Kind != "PrometheusRule" {
			continue
		}
		r := recorder{o: o, known: true}
		groups, _ := o.value(spec("groups")).([]any)
		for _, group := range groups {
			rules, _ := valueAt(group, fieldPath{"rules"}).([]any)
			for _, rule := range rules {
				record, _ := valueAt(rule, fieldPath{"record"}).(string)
				expr, _ := valueAt(rule, fieldPath{"expr"}).(string)
				made, err := relabel.NewRecording(record, expr)
				switch {
				case record == "": // an alert
				case err != nil:
					broken(o, err)
				default:
					r.rules = append(r.rules, made)
				}
			}
		}
		all = append(all, r)
	}
	return all
}

// sampleOf is a series as one pod of the mesh has it, with all labels that Kiali
// reads and those that scraping adds.
func (m *mesh) sampleOf(metric string) map[string]string {
	namespace := m.Spec.Mesh.ControlPlaneNamespace
	series := map[string]string{"__name__": metric, "instance": "10.0.0.1:15020", "job": "mesh", "container": "istio-proxy"}
	pod := "reviews-v1-7d9c"
	switch {
	case metric == "workload_manager_active_proxy_count":
		pod = "ztunnel-x2v9"
	case strings.HasPrefix(metric, "pilot_"), strings.HasPrefix(metric, "process_"):
		pod = "istiod-5b8f"
	case strings.HasPrefix(metric, "container_"):
		series["pod"], series["namespace"], series["container"] = "istiod-5b8f", namespace, "discovery"
		return series
	}
	if strings.HasPrefix(metric, "istio_") && metric != "istio_build" {
		for _, label := range kiali.Labels() {
			series[label] = "x"
		}
	}
	series["pod"], series["namespace"] = pod, namespace
	switch scope := m.Spec.Metrics.Scope; scope.Word() {
	case "meshID":
		series[kiali.MeshID] = m.Spec.Mesh.ID
	case "":
		for label, value := range scope {
			series[label] = value
		}
	}
	return series
}

// asked are the metrics that ACM has to collect for Kiali. up is for checks only.
func asked(t *topology.Topology) []string {
	return slices.DeleteFunc(kiali.MetricNames(), func(name string) bool {
		container := strings.HasPrefix(name, "container_")
		acm := &t.Spec.Metrics.ACM
		// A list of a namespace is about user workloads alone.
		return name == "up" || container && acm.Collector == "classic" && acm.AllowList.In != "hub"
	})
}

// reread decodes a part of an object into a type.
func reread(v, to any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, to)
}
