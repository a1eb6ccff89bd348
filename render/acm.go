package render

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// mcoa tells whether the add-on of ACM collects the series.
func mcoa(t *topology.Topology) bool { return t.OnACM() && t.Spec.Metrics.ACM.Collector == "mcoa" }

// aggregated tells whether the clusters add up the series of a workload's pods.
func aggregated(t *topology.Topology) bool { return mcoa(t) && t.Spec.Metrics.ACM.Aggregate }

// byRoute tells whether Kiali reads ACM's store through its Route. Then Kiali
// needs a certificate.
func byRoute(t *topology.Topology) bool { return t.OnACM() && t.Spec.Metrics.ACM.Access == "route" }

// registered tells whether a Policy must register the collected metrics.
func registered(t *topology.Topology) bool { return mcoa(t) && !t.Spec.Metrics.ACM.RegistersItself() }

// acmName returns the name of an object on the ACM hub. It contains the
// topology's name, because other meshes may have objects there. The add-on's
// own objects have other prefixes.
func acmName(t *topology.Topology, part string) string {
	return "sightline-" + t.Metadata.Name + "-" + part
}

// acm sets the fields for the store acm.
func (s *shape) acm(t *topology.Topology, c *topology.Cluster) {
	if !t.OnACM() {
		return
	}
	a := &t.Spec.Metrics.ACM
	if s.Hub {
		s.ACMAccess = a.Access
	}
	collected := s.Platform == "openshift" && len(t.NamespacesOn(c)) > 0
	s.ACMNamespace = collected && aggregated(t) && a.Rules.Namespace != ""
	s.ACMConfig = s.ACMNamespace && a.Rules.Manage
	s.ACMAllowLists = collected && a.Collector == "classic" && a.AllowList.In == "namespaces"
	if t.IsACMHub(c) {
		s.acmHub(t)
	}
}

// acmHub sets the fields for the ACM hub.
func (s *shape) acmHub(t *topology.Topology) {
	a := &t.Spec.Metrics.ACM
	s.ACMHub = true
	switch {
	case mcoa(t):
		s.ACMCollects = "policy"
		if a.RegistersItself() {
			s.ACMCollects = "labels"
		}
	case a.AllowList.In == "hub":
		s.ACMCollects = "allowList"
	}
	if aggregated(t) {
		s.ACMRules = "namespaces"
		if a.Rules.Namespace != "" {
			s.ACMRules = "one"
		}
	}
	if byRoute(t) {
		s.ACMKiali = "there"
		if t.KialiOnACM() {
			s.ACMKiali = "here"
		}
		s.ACMCA = t.Spec.Kiali.CA != ""
	}
}

// perWorkload lists the names of the series that a rule adds up over the pods
// of a workload.
func perWorkload() []string {
	return slices.DeleteFunc(kiali.MetricNames(), func(name string) bool {
		return !strings.HasPrefix(name, "istio_") ||
			name == "istio_build"
	})
}

// workloadPatterns lists the patterns of these names.
func workloadPatterns() []string {
	return slices.DeleteFunc(kiali.Metrics(), func(pattern string) bool {
		return !strings.HasPrefix(pattern, "istio_") ||
			pattern == "istio_build"
	})
}

// perProcess lists the patterns of the other series from the mesh's monitors.
// Every program has process_ metrics.
func perProcess() []string {
	return slices.DeleteFunc(kiali.Metrics(), func(pattern string) bool {
		return strings.HasPrefix(pattern, "istio_") && pattern != "istio_build" || strings.HasPrefix(pattern, "container_") || pattern == "up"
	})
}

// ztunnels matches the pods whose series Kiali shows separately (kiali
// business/metrics.go, GetZtunnelMetrics).
const ztunnels = "ztunnel-.*"

// selector returns a selector of series. The label matchers of the scope
// exclude other meshes.
func selector(t *topology.Topology, name string, more ...string) string {
	matchers := slices.Clone(more)
	scope := t.Spec.Metrics.Scope
	switch scope.Word() {
	case "meshID":
		matchers = append(matchers, fmt.Sprintf("%s=%q", kiali.MeshID, t.Spec.Mesh.ID))
	case "":
		for _, label := range slices.Sorted(maps.Keys(scope)) {
			matchers = append(matchers, fmt.Sprintf("%s=%q", label, scope[label]))
		}
	}
	text := strings.Join(matchers, ",")
	if strings.HasPrefix(name, "{") {
		if text != "" {
			text = "," + text
		}
		return strings.TrimSuffix(name, "}") + text + "}"
	}
	if text == "" {
		return name
	}
	return name + "{" + text + "}"
}

// named returns a selector of every series whose name matches a pattern.
func named(pattern string) string {
	operator := "="
	if strings.ContainsAny(pattern, "(|.+*") {
		operator = "=~"
	}
	return fmt.Sprintf("{__name__%s%q}", operator, pattern)
}

// acmRules returns the rules that add up the series of a workload's pods. The
// result keeps the labels of the workload, and the labels from our monitors.
func acmRules(t *topology.Topology) []any {
	var without []string
	if t.Spec.Mesh.DataPlane == "ambient" {
		without = []string{fmt.Sprintf("pod!~%q", ztunnels)}
	}
	var rules []any
	for _, name := range perWorkload() {
		rules = append(rules, map[string]any{
			"record": "workload:" + name,
			"expr":   "sum without (" + strings.Join(podLabels(), ", ") + ") (" + selector(t, name, without...) + ")",
		})
	}
	return rules
}

// podLabels lists the labels that differ between the pods of a workload.
func podLabels() []string { return []string{"pod", "pod_template_hash", "instance", "job", "node"} }

// acmMatches lists the series that the collector of user workloads takes from a
// cluster.
func acmMatches(t *topology.Topology) []string {
	var matches, pods []string
	one := aggregated(t)
	if one {
		matches = append(matches, selector(t, named("workload:istio_.+")))
		pods = []string{fmt.Sprintf("pod=~%q", ztunnels)}
	}
	if !one || t.Spec.Mesh.DataPlane == "ambient" {
		for _, pattern := range workloadPatterns() {
			matches = append(matches, selector(t, named(pattern), pods...))
		}
	}
	for _, pattern := range perProcess() {
		var more []string
		if strings.HasPrefix(pattern, "process_") { // the agent beside every proxy has these metrics too
			more = append(more, fmt.Sprintf("pod=~%q", "istiod-.*|"+ztunnels))
		}
		matches = append(matches, selector(t, named(pattern), more...))
	}
	return matches
}

// acmContainers lists the series that the platform's collector takes from a
// cluster: the CPU time of the mesh's own parts. ACM itself collects their
// memory (multicluster-observability-operator
// manifests/base/grafana/platform-mcoa,
// manifests/base/config/metrics_allowlist.yaml), and a series must be collected
// only once.
func acmContainers(t *topology.Topology) []string {
	return []string{strings.TrimSuffix(named(containerCPU), "}") + `,container!="",container!="POD",namespace=~` + fmt.Sprintf("%q}",
		strings.Join(meshParts(t), "|"))}
}

const containerCPU = "container_cpu_usage_seconds_total"

// meshParts lists the namespaces of istiod and ztunnel on all clusters.
func meshParts(t *topology.Topology) []string {
	var namespaces []string
	for i := range t.Spec.Clusters {
		c := &t.Spec.Clusters[i]
		if !c.InMesh() {
			continue
		}
		namespaces = append(namespaces, c.ControlPlane.Namespace)
		if t.Spec.Mesh.DataPlane == "ambient" {
			namespaces = append(namespaces, c.ZtunnelNamespace)
		}
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces)
}

// acmConfigs returns the references that tell the add-on what to collect.
func acmConfigs(t *topology.Topology) []any {
	config := func(group, resource, name string) map[string]any {
		return map[string]any{"group": group, "resource": resource, "namespace": topology.ACMNamespace, "name": name}
	}
	configs := []any{
		config("monitoring.rhobs", "scrapeconfigs", acmName(t, "federation")),
		config("monitoring.rhobs", "scrapeconfigs", acmName(t, "containers")),
	}
	if aggregated(t) && t.Spec.Metrics.ACM.Rules.Namespace != "" {
		return append(configs, config("monitoring.coreos.com", "prometheusrules", acmName(t, "aggregation")))
	}
	for _, item := range acmRuleItems(t) {
		configs = append(configs, config("monitoring.coreos.com", "prometheusrules", item["aggregation"].(string)))
	}
	return configs
}

// acmRuleItems lists the namespaces that have a PrometheusRule: all namespaces
// of the mesh on all clusters.
func acmRuleItems(t *topology.Topology) []resource.Item {
	if !aggregated(t) || t.Spec.Metrics.ACM.Rules.Namespace != "" {
		return nil
	}
	var namespaces []string
	for i := range t.Spec.Clusters {
		if c := &t.Spec.Clusters[i]; c.Platform == "openshift" { // nothing is collected from others
			namespaces = append(namespaces, t.NamespacesOn(c)...)
		}
	}
	slices.Sort(namespaces)
	var items []resource.Item
	for _, ns := range slices.Compact(namespaces) {
		items = append(items, resource.Item{"name": ns, "aggregation": acmName(t, "aggregation-"+ns)})
	}
	return items
}

// acmAllowed returns the series for the classic collector, in the form of its
// allow-list: names, and selectors without braces.
func acmAllowed(t *topology.Topology) (workloads, platform map[string]any) {
	bare := func(selectors []string) []string {
		for i, s := range selectors {
			selectors[i] = strings.TrimSuffix(strings.TrimPrefix(s, "{"), "}")
		}
		return selectors
	}
	return map[string]any{"matches": bare(acmMatches(t))}, map[string]any{"matches": bare(acmContainers(t))}
}

// acmAllowList returns the data of the ACM hub's ConfigMap with both lists.
func acmAllowList(t *topology.Topology) map[string]string {
	workloads, platform := acmAllowed(t)
	for key, more := range t.Spec.Metrics.ACM.AllowList.More {
		if list, ok := more.([]any); ok {
			ours, _ := workloads[key].([]string)
			joined := make([]any, 0, len(ours)+len(list))
			for _, one := range ours {
				joined = append(joined, one)
			}
			workloads[key] = append(joined, list...)
			continue
		}
		workloads[key] = more
	}
	return map[string]string{"uwl_metrics_list.yaml": configText(workloads), "metrics_list.yaml": configText(platform)}
}

// encodedCA returns the CAs of the topology in base64, for a template.
func encodedCA(t *topology.Topology) any {
	if t.Spec.Kiali.CA == "" {
		return nil
	}
	return base64.StdEncoding.EncodeToString([]byte(strings.TrimSuffix(t.Spec.Kiali.CA, "\n") + "\n"))
}

// acmURL returns the URL of ACM's store through its Route: the Observatorium
// API (multicluster-observability-operator, observatorium.go newAPISpec).
func acmURL(t *topology.Topology) string {
	if !byRoute(t) {
		return ""
	}
	return "https://observatorium-api-" + topology.ACMNamespace + "." + t.Spec.Metrics.ACM.Domain + "/api/metrics/v1/default"
}

// exemptConfig returns the content of user-workload-monitoring-config if the
// topology manages it for the rules of one namespace.
func exemptConfig(t *topology.Topology) any {
	rules := &t.Spec.Metrics.ACM.Rules
	if !aggregated(t) || rules.Namespace == "" || !rules.Manage {
		return nil
	}
	return configText(resource.Merge(map[string]any{"namespacesWithoutLabelEnforcement": []any{rules.Namespace}}, rules.Config))
}
