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

// byRoute tells whether Kiali reads ACM's store by its route, for which it needs
// a certificate.
func byRoute(t *topology.Topology) bool { return t.OnACM() && t.Spec.Metrics.ACM.Access == "route" }

// registered tells whether a Policy has to register what is collected.
func registered(t *topology.Topology) bool { return mcoa(t) && !t.Spec.Metrics.ACM.RegistersItself() }

// acmName is the name of an object on the ACM hub, where other meshes may have
// theirs. Names of the add-on's own objects begin with something else.
func acmName(t *topology.Topology, part string) string {
	return "sightline-" + t.Metadata.Name + "-" + part
}

// acm fills in what a cluster has by the store acm.
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

// acmHub fills in what the ACM hub has.
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

// perWorkload are the names of the series that pods of a workload share, which a
// rule adds up.
func perWorkload() []string {
	return slices.DeleteFunc(kiali.MetricNames(), func(name string) bool {
		return !strings.HasPrefix(name, "istio_") ||
			name == "istio_build"
	})
}

// workloadPatterns are patterns of these.
func workloadPatterns() []string {
	return slices.DeleteFunc(kiali.Metrics(), func(pattern string) bool {
		return !strings.HasPrefix(pattern, "istio_") ||
			pattern == "istio_build"
	})
}

// perProcess are patterns of the others that the monitors of the mesh scrape. Of
// process_ metrics every program has its own.
func perProcess() []string {
	return slices.DeleteFunc(kiali.Metrics(), func(pattern string) bool {
		return strings.HasPrefix(pattern, "istio_") && pattern != "istio_build" || strings.HasPrefix(pattern, "container_") || pattern == "up"
	})
}

// ztunnels are the pods whose series Kiali shows one by one (kiali
// business/metrics.go, GetZtunnelMetrics).
const ztunnels = "ztunnel-.*"

// selector writes a selector of series; the label matchers of the scope keep
// other meshes out.
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

// named is a selector of every series whose name matches a pattern.
func named(pattern string) string {
	operator := "="
	if strings.ContainsAny(pattern, "(|.+*") {
		operator = "=~"
	}
	return fmt.Sprintf("{__name__%s%q}", operator, pattern)
}

// acmRules add up the series of a workload's pods: the labels that are left are
// those of the workload, and those that our monitors add.
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

// podLabels are the labels by which two pods of a workload differ.
func podLabels() []string { return []string{"pod", "pod_template_hash", "instance", "job", "node"} }

// acmMatches are what the collector of user workloads takes from a cluster.
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
		if strings.HasPrefix(pattern, "process_") { // which the agent beside every proxy has as well
			more = append(more, fmt.Sprintf("pod=~%q", "istiod-.*|"+ztunnels))
		}
		matches = append(matches, selector(t, named(pattern), more...))
	}
	return matches
}

// acmContainers are what the collector of the platform takes from a cluster: the
// CPU time of the mesh's own parts. ACM itself collects their memory
// (multicluster-observability-operator manifests/base/grafana/platform-mcoa,
// manifests/base/config/metrics_allowlist.yaml), and a series must be collected
// once.
func acmContainers(t *topology.Topology) []string {
	return []string{strings.TrimSuffix(named(containerCPU), "}") + `,container!="",container!="POD",namespace=~` + fmt.Sprintf("%q}",
		strings.Join(meshParts(t), "|"))}
}

const containerCPU = "container_cpu_usage_seconds_total"

// meshParts are the namespaces of istiod and ztunnel, on any cluster.
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

// acmConfigs are the references by which the add-on knows what to collect.
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

// acmRuleItems are the namespaces that have a PrometheusRule of their own:
// those of the mesh, on any cluster.
func acmRuleItems(t *topology.Topology) []resource.Item {
	if !aggregated(t) || t.Spec.Metrics.ACM.Rules.Namespace != "" {
		return nil
	}
	var namespaces []string
	for i := range t.Spec.Clusters {
		if c := &t.Spec.Clusters[i]; c.Platform == "openshift" { // from others nothing is collected
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

// acmAllowed are the series that the classic collector is told to collect. It
// has names, and selectors without braces.
func acmAllowed(t *topology.Topology) (workloads, platform map[string]any) {
	bare := func(selectors []string) []string {
		for i, s := range selectors {
			selectors[i] = strings.TrimSuffix(strings.TrimPrefix(s, "{"), "}")
		}
		return selectors
	}
	return map[string]any{"matches": bare(acmMatches(t))}, map[string]any{"matches": bare(acmContainers(t))}
}

// acmAllowList is the ConfigMap of the ACM hub with both lists.
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

// encodedCA are the CAs of the topology as a template can hold them.
func encodedCA(t *topology.Topology) any {
	if t.Spec.Kiali.CA == "" {
		return nil
	}
	return base64.StdEncoding.EncodeToString([]byte(strings.TrimSuffix(t.Spec.Kiali.CA, "\n") + "\n"))
}

// acmURL is where Kiali asks ACM's store by its route: the Observatorium API
// (multicluster-observability-operator, observatorium.go newAPISpec).
func acmURL(t *topology.Topology) string {
	if !byRoute(t) {
		return ""
	}
	return "https://observatorium-api-" + topology.ACMNamespace + "." + t.Spec.Metrics.ACM.Domain + "/api/metrics/v1/default"
}

// exemptConfig is the content of user-workload-monitoring-config where the
// topology has it for the rules of one namespace.
func exemptConfig(t *topology.Topology) any {
	rules := &t.Spec.Metrics.ACM.Rules
	if !aggregated(t) || rules.Namespace == "" || !rules.Manage {
		return nil
	}
	return configText(resource.Merge(map[string]any{"namespacesWithoutLabelEnforcement": []any{rules.Namespace}}, rules.Config))
}
