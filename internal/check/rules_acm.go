package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/relabel"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// acmRules are about the store acm: what ACM collects, and how Kiali reads it.
func acmRules() []Rule {
	return []Rule{
		{
			ID:    "PM14",
			Title: "ACM collects every metric that Kiali asks for",
			What: "Each metric that Kiali asks for passes the PrometheusRules, the match[] and metricRelabelings of the ScrapeConfigs, or " +
				"the allow-lists. It keeps its name and the labels that Kiali reads. Changes by overlays count.",
			Why:    "A metric that ACM does not collect is in no store. That part of Kiali is empty for every cluster, without an error.",
			Fix:    "Undo the change in the overlay, or add the metric to match[] or to the allow-list.",
			Source: "kiali prometheus/, graph/telemetry/istio/, business/metrics.go; Prometheus, federation",
			mesh:   collectedForKiali,
		},
		{
			ID: "PM15", Severity: finding.Warning,
			Title: "container metrics come from the platform's Prometheus",
			What:  "No collector of user workloads takes container_ metrics.",
			Why: "The Prometheus of user workloads does not have container metrics. The platform's Prometheus has them, and another " +
				"collector reads it.",
			Fix:    "Move these metrics to the ScrapeConfig of the platform, or to metrics_list.yaml on the ACM hub.",
			Source: "multicluster-observability-operator operators/endpointmetrics/pkg/collector; cluster-monitoring-operator, assets",
			mesh:   containersOfUsers,
		},
		{
			ID: "PM16", Severity: finding.Warning,
			Title: "the allow-list of a namespace has the key for user workloads",
			What:  "With allowList.in: namespaces, each ConfigMap observability-metrics-custom-allowlist has the key uwl_metrics_list.yaml.",
			Why: "In a namespace, the classic collector reads only this key, and only for this namespace. Without the key, nothing from the " +
				"namespace is collected.",
			Fix:    "Keep the key as rendered.",
			Source: "multicluster-observability-operator operators/endpointmetrics/pkg/collector/metrics_collector.go",
			mesh:   listsOfNamespaces,
		},
		{
			ID:    "PM40",
			Title: "ACM's collection interval is at least 90 seconds",
			What:  "With the store acm, metrics.acm.interval and the scrapeInterval of each ScrapeConfig are 90s or more.",
			Why: "The collectors send several batches for one collection. Below 90 seconds, the store refuses samples as out of order, and " +
				"rates have gaps.",
			Fix:    "Write interval: 5m, the default of ACM, or any time from 90s on.",
			Source: "stolostron/multicluster-observability-addon; ACM 2.15, multicluster observability add-on",
			mesh:   collectionIntervals,
		},
		{
			ID:    "PM41",
			Title: "ACM collects each series once",
			What: "No series of the mesh is collected by two ScrapeConfigs, or by a ScrapeConfig and ACM's own defaults. No series is " +
				"collected both from every pod and as the sum of the pods.",
			Why: "The store refuses the second sample as out of order, or keeps both. With both, every rate is doubled.",
			Fix: "Remove the metric from one of the two.",
			Source: "stolostron/multicluster-observability-addon; multicluster-observability-operator " +
				"manifests/base/grafana/platform-mcoa/scrape-config.yaml",
			mesh: collectedOnce,
		},
		{
			ID:    "PM42",
			Title: "the hub's Kiali can read ACM's store",
			What: "With the store acm and access: route, the hub's Kiali is pinned to the release line v2.22 or later. With access: " +
				"internal, the hub of the mesh is the ACM hub.",
			Why: "The Route asks for a client certificate. Release lines before v2.22 cannot send a certificate to a metrics store. The " +
				"store's Service exists only on the ACM hub.",
			Fix: "Pin kiali.version. If Kiali runs on the ACM hub, name the cluster in metrics.acm.hub and write access: internal.",
			Source: "kiali-operator crd-docs/crd (external_services.prometheus.auth.cert_file); multicluster-observability-operator, " +
				"observatorium.go",
		},
		{
			ID: "PM43", Severity: finding.Warning,
			Title:  "ACM collects from OpenShift clusters only",
			What:   "With the store acm, every cluster of the mesh is an OpenShift cluster.",
			Why:    "The collectors read OpenShift's user workload monitoring. They collect no mesh metrics from other clusters.",
			Fix:    "Have the cluster's own Prometheus write to the store and suppress PM43, or choose the store thanos.",
			Source: "stolostron/multicluster-observability-addon internal/metrics/manifests/values.go",
			mesh:   collectedPlatforms,
		},
		{
			ID: "PM50", Severity: finding.Warning,
			Title: "every cluster has the namespaces of the rules",
			What: "With the collector mcoa and a rule in each namespace, all clusters of the mesh have the same namespaces. Or createNamespaces " +
				"creates the missing ones.",
			Why: "ACM brings every rule to every cluster of its Placement. If a cluster lacks the namespace, ACM cannot apply the rule, and the " +
				"add-on on this cluster reports a failure.",
			Fix: "Write acm.rules.namespace, so that one namespace has all rules (from OpenShift 4.18 on). Or create the namespaces on every " +
				"cluster, and suppress PM50.",
			Source: "stolostron/multicluster-observability-addon, annotation target-namespace; open-cluster-management.io ManifestWork",
			mesh:   ruleNamespaces,
		},
		{
			ID: "PM44", Severity: finding.Info,
			Title: "an allow-list that somebody else keeps has the mesh's metrics",
			What: "With allowList.in: none, the allow-list on the ACM hub has every metric that Kiali asks for. No file can show this, so " +
				"this is a reminder.",
			Why:    "By default, the classic collector takes no metrics of Istio.",
			Fix:    "Add the metrics listed in docs/metrics.md to observability-metrics-custom-allowlist on the ACM hub. Then suppress PM44.",
			Source: "multicluster-observability-operator operators/multiclusterobservability/manifests/base/config/metrics_allowlist.yaml",
			mesh:   othersAllowList,
		},
	}
}

// acmCollects returns what ACM collects by this topology: the collectors of a
// cluster's two Prometheus servers, and the recording rules that run before
// them.
func (m *mesh) acmCollects(broken func(o *object, err error)) (collectors []collector, recorders []recorder) {
	if m.Spec.Metrics.ACM.Collector == "classic" {
		return m.allowLists(broken), nil
	}
	return m.scrapeConfigs(broken), m.recorders(broken)
}

func ignored(*object, error) {}

// came is a series that reaches the store, and the object that collects it.
type came struct {
	series map[string]string
	by     *object // nil: ACM's own collection
}

// through lists the series that reach the store from one sample of a metric.
func through(sample map[string]string, collectors []collector, by *recorder) []came {
	of := []map[string]string{sample}
	if by != nil {
		for _, rule := range by.rules {
			if made, _ := rule.Recorded(sample); made != nil {
				of = append(of, made)
			}
		}
	}
	platform := strings.HasPrefix(sample["__name__"], "container_")
	var all []came
	for _, c := range collectors {
		if c.platform != platform {
			continue
		}
		for _, series := range of {
			if got := c.Collected(series); got != nil {
				all = append(all, came{got, c.o})
			}
		}
	}
	return all
}

// eachWay visits each metric with a sample, once for each way to the store: by one
// PrometheusRule or none, by the lists of one namespace.
func (m *mesh) eachWay(visit func(metric string, sample map[string]string, by *recorder, collectors []collector)) {
	collectors, recorders := m.acmCollects(ignored)
	ways := make([]*recorder, 0, len(recorders)+1)
	for i := range recorders {
		if recorders[i].known {
			ways = append(ways, &recorders[i])
		}
	}
	if len(ways) == 0 {
		ways = append(ways, nil)
	}
	for _, metric := range asked(m.Topology) {
		for _, by := range ways {
			sample := m.sampleOf(metric)
			if m.Spec.Metrics.ACM.Collector != "classic" || m.Spec.Metrics.ACM.AllowList.In == "hub" {
				visit(metric, sample, by, append(collectors, byDefault()))
				continue
			}
			for _, c := range collectors {
				sample["namespace"] = c.o.ID.Namespace
				visit(metric, sample, by, []collector{c})
			}
		}
	}
}

func collectedForKiali(m *mesh, f *found) {
	if !m.OnACM() {
		return
	}
	broken := false
	m.acmCollects(func(o *object, err error) {
		broken = true
		f.object(o, pathOf(o), "write it as Prometheus reads it", "the %s cannot be read: %v", o, err)
	})
	if broken {
		return
	}
	type loss struct {
		o    *object
		what string
	}
	lost := map[loss][]string{}
	m.eachWay(func(metric string, sample map[string]string, by *recorder, collectors []collector) {
		for _, got := range through(sample, collectors, by) {
			if got.series["__name__"] == metric {
				if missing := missingLabels(sample, got.series); len(missing) > 0 {
					l := loss{got.by, "loses the labels " + finding.List(missing, most)}
					lost[l] = append(lost[l], metric)
				}
				return
			}
		}
		l := loss{m.blamed(by, collectors, sample), "does not let through"}
		lost[l] = append(lost[l], metric)
	})
	for _, l := range slices.SortedFunc(maps.Keys(lost), func(a, b loss) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }) {
		metrics := slices.Compact(lost[l])
		if l.o == nil {
			f.on(m, m.KeyAt("spec", "metrics", "acm"), "keep the objects as rendered", "nothing collects these metrics that Kiali asks for: %s",
				finding.List(metrics, most))
			continue
		}
		f.object(l.o, pathOf(l.o), "take the change back", "the %s %s metrics that Kiali asks for: %s", l.o, l.what, finding.List(metrics, most))
	}
}

// missingLabels lists the labels that Kiali reads and that the series lost on
// its way.
func missingLabels(before, after map[string]string) []string {
	var missing []string
	for _, label := range kiali.Labels() {
		if before[label] != after[label] {
			missing = append(missing, label)
		}
	}
	return missing
}

// blamed returns the object that loses a metric: the rule that does not record
// it, else a collector.
func (m *mesh) blamed(by *recorder, collectors []collector, sample map[string]string) *object {
	name := sample["__name__"]
	if by != nil && strings.HasPrefix(name, "istio_") && name != "istio_build" {
		if !slices.ContainsFunc(by.rules, func(r *relabel.Recording) bool { made, _ := r.Recorded(sample); return made != nil }) {
			return by.o
		}
	}
	platform := strings.HasPrefix(name, "container_")
	for _, c := range collectors {
		if c.platform == platform && c.o != nil {
			return c.o
		}
	}
	return nil
}

// pathOf is the field of an object that selects the collected series.
func pathOf(o *object) fieldPath {
	switch o.ID.Kind {
	case "ConfigMap":
		return fieldPath{"data"}
	case "PrometheusRule":
		return spec("groups")
	}
	return fieldPath{"spec"}
}

func collectedOnce(m *mesh, f *found) {
	if !m.OnACM() {
		return
	}
	twice := map[*object][]string{}
	m.eachWay(func(metric string, sample map[string]string, by *recorder, collectors []collector) {
		var found []came
		for _, got := range through(sample, collectors, by) {
			if got.series["__name__"] == metric {
				found = append(found, got)
			}
		}
		if len(found) < 2 {
			return
		}
		for _, got := range slices.Backward(found) {
			if got.by != nil {
				twice[got.by] = append(twice[got.by], metric)
				break
			}
		}
	})
	for _, o := range m.onACM() {
		if metrics := slices.Compact(twice[o]); metrics != nil {
			f.object(o, pathOf(o), "remove the metric from one of the two", "%s is collected twice: by the %s, and by another object or default",
				finding.List(metrics, most), o)
		}
	}
}

func containersOfUsers(m *mesh, f *found) {
	if !m.OnACM() {
		return
	}
	collectors, _ := m.acmCollects(ignored)
	for _, c := range collectors {
		for _, metric := range kiali.MetricNames() {
			if strings.HasPrefix(metric, "container_") && !c.platform && c.Selects(m.sampleOf(metric)) {
				f.object(c.o, c.at, "leave the metric to the collector of the platform",
					"the %s asks for %s, but the Prometheus of user workloads does not have this metric", c.o, metric)
			}
		}
	}
}

func listsOfNamespaces(m *mesh, f *found) {
	for _, o := range m.kinds("ConfigMap") {
		if _, ok := o.value(fieldPath{"data", userList}).(string); !ok && o.ID.Name == allowListName && o.cluster >= 0 &&
			o.ID.Namespace != topology.ACMNamespace {
			f.object(o, fieldPath{"data"}, "add the key "+userList, "the %s has no %s, so nothing of the namespace is collected", o, userList)
		}
	}
}

func collectionIntervals(m *mesh, f *found) {
	for _, o := range m.onACM() {
		interval, _ := o.value(spec("scrapeInterval")).(string)
		if o.ID.Kind == "ScrapeConfig" && interval != "" && topology.Seconds(interval) < leastCollection {
			f.object(o, spec("scrapeInterval"), "write 90s or more; ACM's own default is 5m",
				"the %s collects every %s; below %ds the store refuses samples as out of order", o, interval, leastCollection)
		}
	}
}

// leastCollection is the shortest time between two collections, in seconds.
const leastCollection = 90

func collectedPlatforms(m *mesh, f *found) {
	for i := range m.Spec.Clusters {
		if c := &m.Spec.Clusters[i]; m.OnACM() && c.InMesh() && c.Platform != "openshift" {
			f.cluster(m, i, m.At("spec", "clusters", i), "if the cluster's Prometheus itself writes to the store, suppress PM43",
				"its series are not collected; ACM's collectors read only OpenShift's user workload monitoring")
		}
	}
}

// ruleNamespaces finds the clusters that lack a namespace to which ACM brings a rule.
func ruleNamespaces(m *mesh, f *found) {
	acm := &m.Spec.Metrics.ACM
	if !m.OnACM() || acm.Collector != "mcoa" || !acm.Aggregate || acm.Rules.Namespace != "" {
		return
	}
	all := slices.Clone(m.Spec.CreateNamespaces)
	made := len(all)
	for i := range m.Spec.Clusters {
		if c := &m.Spec.Clusters[i]; c.Platform == "openshift" {
			all = append(all, m.NamespacesOn(c)...)
		}
	}
	for i := range m.Spec.Clusters {
		c := &m.Spec.Clusters[i]
		has := slices.Concat(m.NamespacesOn(c), all[:made])
		var lacks []string
		for _, ns := range all[made:] {
			if !slices.Contains(has, ns) && !slices.Contains(lacks, ns) {
				lacks = append(lacks, ns)
			}
		}
		if c.InMesh() && c.Platform == "openshift" && len(lacks) > 0 {
			slices.Sort(lacks)
			f.cluster(m, i, m.At("spec", "clusters", i),
				"write acm: {rules: {namespace: mesh-observability}}; or create the namespaces on this cluster, and suppress PM50",
				"ACM brings a rule for each namespace of the mesh to every cluster, but this one has no %s", finding.List(lacks, most))
		}
	}
}

func othersAllowList(m *mesh, f *found) {
	if acm := &m.Spec.Metrics.ACM; m.OnACM() && acm.Collector == "classic" && acm.AllowList.In == "none" {
		f.on(m, m.At("spec", "metrics", "acm", "allowList"), "compare it with "+finding.Pages+"metrics.md, and suppress PM44",
			"the allow-list on the ACM hub is not rendered (in: none); if it lacks Istio's metrics, Kiali's graphs are empty")
	}
}

func managedClusters(m *mesh, f *found) {
	for i := range m.Spec.Clusters {
		c := &m.Spec.Clusters[i]
		if !m.OnACM() || !c.InMesh() || c.ManagedCluster == c.Name {
			continue
		}
		at, hint := m.At("spec", "clusters", i, "managedCluster"), "give both the same name"
		if !m.Has("spec", "clusters", i, "managedCluster") {
			at, hint = m.At("spec", "clusters", i, "name"), "rename ACM's own cluster at its installation and write managedCluster: "+
				""+c.Name+"; or name the cluster "+c.ManagedCluster+" in Istio"
		}
		f.cluster(m, i, at, hint, "its series in ACM have cluster=%q, but Istio calls the cluster %q", c.ManagedCluster, c.Name)
	}
}
