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

// collector is one selection of series that ACM collects from a cluster. o is
// the object that defines it, or nil for ACM's own collection.
type collector struct {
	*relabel.Collection
	o        *object
	at       fieldPath // path of its selectors
	platform bool      // it reads the platform's Prometheus, else the Prometheus of user workloads
}

// recorder is a PrometheusRule whose series are collected.
type recorder struct {
	o     *object
	rules []*relabel.Recording
	known bool // the result of the rules is known
}

// onACM lists the objects that are rendered for the ACM hub.
func (m *mesh) onACM() []*object {
	return slices.DeleteFunc(m.ofClusters(), func(o *object) bool { return o.phase != resource.ACM })
}

const componentLabel = "app.kubernetes.io/component"

// scrapeConfigs returns the ScrapeConfigs as collectors. It calls broken for
// each one that it cannot read.
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

// byDefault is the part of ACM's default collection that Kiali reads
// (multicluster-observability-operator manifests/base/grafana/platform-mcoa,
// manifests/base/config/metrics_allowlist.yaml).
func byDefault() collector {
	c, _ := relabel.NewCollection([]string{`{__name__="container_memory_working_set_bytes",container!="POD",container!=""}`}, nil)
	return collector{Collection: c, platform: true}
}

// allowLists returns the allow-lists of the classic collector as collectors.
func (m *mesh) allowLists(broken func(o *object, err error)) []collector {
	var all []collector
	for _, o := range slices.Concat(m.onACM(), m.kinds("ConfigMap")) {
		if o.ID.Name != allowListName || o.ID.Kind != "ConfigMap" || slices.ContainsFunc(all, func(c collector) bool { return c.o == o }) {
			continue
		}
		for _, key := range []string{userList, platformList} {
			text, ok := o.value(fieldPath{"data", key}).(string)
			if !ok || key == platformList && o.phase != resource.ACM {
				continue // the list of a cluster is only about user workloads
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

// recorders returns the PrometheusRules whose series are collected. It calls
// broken for each rule that it cannot read.
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

// sampleOf is an example series of one pod of the mesh, with all labels that
// Kiali reads and the labels that scraping adds.
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

// asked lists the metrics that ACM must collect for Kiali. It leaves out up,
// because only checks read it.
func asked(t *topology.Topology) []string {
	return slices.DeleteFunc(kiali.MetricNames(), func(name string) bool {
		container := strings.HasPrefix(name, "container_")
		acm := &t.Spec.Metrics.ACM
		// The list of a namespace is only about user workloads.
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
