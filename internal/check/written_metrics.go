package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// aboutMetrics are the checks of what a topology says about metrics.
func aboutMetrics() []reading {
	const uwm = "userWorkloadMonitoring"
	content := func(of string) string {
		return fmt.Sprintf("%[1]s.manage %[1]s.config %[1]s.config.enableUserWorkload", of)
	}
	readings := []reading{
		{reads: "metrics.store metrics.retention", find: (*source).store},
		{reads: "metrics.store metrics.thanos.url", find: (*source).thanosURL},
		{reads: "metrics.store metrics.prometheus.url", find: (*source).prometheusURL},
		{find: (*source).remoteWrite},
		{find: (*source).sentMetrics},
		{reads: "metrics." + uwm + ".manage", find: func(s *source) {
			s.monitoringInVain(&s.Spec.Metrics.UserWorkloadMonitoring, "spec", "metrics", uwm)
		}},
		{reads: content("metrics." + uwm), find: func(s *source) {
			s.monitoring(&s.Spec.Metrics.UserWorkloadMonitoring, "spec", "metrics", uwm)
		}},
		{reads: "cluster." + uwm + ".manage", each: func(s *source, i int) {
			s.monitoringInVain(s.ownMonitoring(i), "spec", "clusters", i, uwm)
		}},
		{reads: content("cluster." + uwm), each: func(s *source, i int) {
			s.monitoring(s.ownMonitoring(i), "spec", "clusters", i, uwm)
		}},
	}
	for _, store := range []string{"prometheus", "thanos"} {
		for _, key := range []string{"username", "password", "token"} {
			auth := "metrics." + store + ".auth."
			readings = append(readings, reading{reads: "metrics.store " + auth + "type " + auth + key,
				find: func(s *source) { s.storeAuth(store, key) }})
		}
	}
	return readings
}

func (s *source) store() {
	m := &s.Spec.Metrics
	at := s.At("spec", "metrics", "store")
	switch {
	case m.Store == "thanosQuerier" && s.Spec.Clusters[s.hub].Platform != "openshift":
		s.Add(at, topology.RuleValue, "use prometheus or thanos", "the store thanosQuerier is a part of OpenShift, but %s is a "+
			"Kubernetes cluster",
			s.Called(s.hub))
	}
	if m.Store == "acm" && s.Has("spec", "metrics", "retention") {
		s.Add(s.At("spec", "metrics", "retention"), topology.RuleValue, "write it as metrics.acm.retention",
			"spec.metrics.retention has no effect, because the store is acm")
	}
	for _, name := range []string{"prometheus", "thanos", "acm"} {
		if s.Has("spec", "metrics", name) && m.Store != name {
			s.Add(s.At("spec", "metrics", name), topology.RuleValue, "remove it, or write store: "+name,
				"spec.metrics.%s has no effect, because the store is %s", name, m.Store)
		}
	}
}

// sentMetrics refuses patterns that Prometheus does not accept for metric
// names.
func (s *source) sentMetrics() {
	w := s.Spec.Metrics.Thanos.RemoteWrite
	if w == nil {
		return
	}
	for i, metric := range w.Metrics {
		if _, err := regexp.Compile("^(?s:" + metric + ")$"); err != nil || metric == "" || strings.ContainsAny(metric, " {}\"=") {
			s.Add(s.At("spec", "metrics", "thanos", "remoteWrite", "metrics", i), topology.RuleValue, "write a pattern such as jvm_.*",
				"%q is not a regular expression for metric names", finding.Shorten(metric))
		}
	}
}

func (s *source) thanosURL() {
	if m := &s.Spec.Metrics; m.Store == "thanos" && m.Thanos.URL == "" {
		s.lacking = append(s.lacking, []any{"spec", "metrics", "thanos", "url"})
		s.Add(s.At("spec", "metrics", "thanos"), topology.RuleMissing, "add it, such as thanos: {url: http://thanos-query.thanos.svc:9090}",
			"spec.metrics.thanos.url is missing; Kiali reads the store thanos at this address")
	}
}

func (s *source) prometheusURL() {
	if m := &s.Spec.Metrics; m.Store == "prometheus" && m.Prometheus.URL == "" {
		s.lacking = append(s.lacking, []any{"spec", "metrics", "prometheus", "url"})
		s.Add(s.At("spec", "metrics", "prometheus"), topology.RuleMissing,
			"add it, such as metrics: {prometheus: {url: http://prometheus-operated.monitoring:9090}}; Istio's sample Prometheus needs scope: "+
				"none too",
			"spec.metrics.prometheus.url is missing; Kiali reads the store prometheus at this address")
	}
}

// storeAuth checks that a credential is given if and only if the type needs it.
func (s *source) storeAuth(store, key string) {
	auth := map[string]topology.StoreAuth{"prometheus": s.Spec.Metrics.Prometheus.Auth, "thanos": s.Spec.Metrics.Thanos.Auth}[store]
	path := []any{"spec", "metrics", store, "auth", key}
	has := s.Has(path...)
	if s.Spec.Metrics.Store != store {
		return // the store is not used, so no field of it has an effect
	}
	switch needed := slices.Contains(map[string][]string{"basic": {"username", "password"}, "bearer": {"token"}}[auth.Type], key); {
	case needed && !has:
		s.lacking = append(s.lacking, path)
		s.Add(s.At("spec", "metrics", store, "auth"), topology.RuleMissing,
			fmt.Sprintf("add it, such as %s: secret:kiali-%s:%s", key, store, key),
			"spec.metrics.%s.auth.%s is missing; the type %s needs it", store, key, auth.Type)
	case !needed && has:
		s.Add(s.At(path...), topology.RuleValue, "remove it, or choose another type", "spec.metrics.%s.auth.%s has no effect with the type %s",
			store, key, auth.Type)
	}
}

// remoteWrite refuses settings in the free parts of remoteWrite that contradict
// its other fields.
func (s *source) remoteWrite() {
	w := s.Spec.Metrics.Thanos.RemoteWrite
	if w == nil {
		return
	}
	path := func(keys ...any) []any { return append([]any{"spec", "metrics", "thanos", "remoteWrite"}, keys...) }
	for _, own := range []struct {
		path []any
		says string
	}{
		{path("settings", "url"), "is set by spec.metrics.thanos.remoteWrite.url"},
		{path("config", "prometheus", "remoteWrite"), "is set by the url and the settings of spec.metrics.thanos.remoteWrite"},
		{path("config", "prometheus", "externalLabels", w.ClusterLabel),
			"is set to the name of each cluster, so that the store can separate equal series of two clusters"},
	} {
		if s.Has(own.path...) {
			s.Add(s.At(own.path...), topology.RuleValue, "remove it here", "%s %s", topology.Dotted(own.path), own.says)
		}
	}
	if !slices.ContainsFunc(s.Spec.Clusters, func(c topology.Cluster) bool { return c.Platform == "openshift" && c.InMesh() }) {
		s.Add(s.At(path()...), topology.RuleValue, "remove it, and configure each cluster's Prometheus to write to the store",
			"spec.metrics.thanos.remoteWrite has no effect, because no cluster of the mesh is an OpenShift cluster")
	}
}

// ownMonitoring is the cluster's own userWorkloadMonitoring, or nil.
func (s *source) ownMonitoring(i int) *topology.UserWorkloadMonitoring {
	if s.Spec.Clusters[i].Platform == "kubernetes" {
		return nil // another check reports it
	}
	return s.Spec.Clusters[i].UserWorkloadMonitoring
}

func (s *source) monitoringInVain(m *topology.UserWorkloadMonitoring, path ...any) {
	if config := append(path, "config"); m != nil && !m.Manage && s.Has(config...) {
		s.Add(s.At(config...), "PM21", "if config is the whole content of cluster-monitoring-config, write manage: true; if not, remove it",
			"config has no effect, because Sightline does not manage cluster-monitoring-config")
	}
}

// monitoring checks the content of cluster-monitoring-config, which is one
// string.
func (s *source) monitoring(m *topology.UserWorkloadMonitoring, path ...any) {
	if m == nil || !m.Manage {
		return
	}
	config := append(path, "config")
	enabled, on := m.Config["enableUserWorkload"]
	switch {
	case len(m.Config) == 0:
		s.Add(s.At(config...), "PM21", "write its whole content, such as config: {enableUserWorkload: true}, or leave out manage: true",
			"%s is empty; with manage: true it becomes the whole content of cluster-monitoring-config", topology.Dotted(config))
	case on && enabled != true:
		s.Add(s.At(append(config, "enableUserWorkload")...), "PM21", "write true, without quotes", monitoringOff)
	case !on:
		s.Add(s.At(config...), "PM21", "add enableUserWorkload: true", monitoringOff)
	}
}

const monitoringOff = "with this config, user workload monitoring is off, and nothing in the mesh is scraped"
