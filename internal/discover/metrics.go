package discover

import (
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/openshift"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// metrics writes spec.metrics.
func (d *Draft) metrics() {
	spec := d.top.child("spec").child("metrics")
	d.store(spec)
	d.monitors(spec)
	for _, c := range d.mesh.clusters {
		for _, i := range c.istiods {
			if i.merge != nil && !*i.merge && !spec.has("prometheusMerge") {
				spec.put("prometheusMerge", false, "ConfigMap istio of "+c.name.value+", enablePrometheusMerge")
			}
		}
	}
	if slices.ContainsFunc(d.mesh.hub.of("PrometheusRule"), func(o resource.Object) bool {
		return isOurs(o) && (name(o) == "mesh-alerts" || name(o) == d.instance+"-health")
	}) {
		spec.put("alerts.manage", true, "the PrometheusRules on "+d.mesh.hub.name.value)
	}
	d.monitoringConfig(spec)
	d.remoteWrite(spec)
}

// store writes which store Kiali queries, and for which series.
func (d *Draft) store(spec *node) {
	hub := d.mesh.hub
	prometheus := object(hub.kiali, "spec", "external_services", "prometheus")
	url := text(prometheus, "url")
	thanos, _ := at(prometheus, "thanos_proxy", "enabled").(bool)
	from := kialiFromSafe(hub, "external_services.prometheus")
	querier := openshift.Querier()
	switch {
	case d.acm(spec):
	case strings.HasPrefix(url, "https://"+querier.Name+"."+querier.Namespace+".") && hub.openShift:
	case url == "" && hub.openShift:
	case url != "" && thanos:
		spec.put("store", "thanos", from)
		spec.put("thanos.url", url, from+".url")
		d.storeAuth(spec.at("thanos.auth"), prometheus, from)
	case url != "":
		if hub.openShift {
			spec.put("store", "prometheus", from)
		}
		spec.put("prometheus.url", url, from+".url")
		d.storeAuth(spec.at("prometheus.auth"), prometheus, from)
	default:
		d.prometheus(spec)
	}
	scope := object(prometheus, "query_scope")
	switch {
	case len(scope) == 0:
		if hub.kiali != nil && isOurs(hub.kiali) && !d.unmanaged() {
			spec.put("scope", "none", from+" has no query_scope")
		}
	case len(scope) == 1 && scope["mesh_id"] == d.mesh.id.value:
		if d.unmanaged() {
			spec.put("scope", "meshID", from+".query_scope")
		}
	default:
		spec.put("scope", scope, from+".query_scope")
	}
}

func kialiFromSafe(c *cluster, field string) string {
	if c.kiali == nil {
		return ""
	}
	return kialiFrom(c, field)
}

// storeAuth writes a login that is a reference to a Secret.
func (d *Draft) storeAuth(n *node, prometheus map[string]any, from string) {
	kind := text(prometheus, "auth", "type")
	var keys []string
	switch kind {
	case "basic":
		keys = []string{"username", "password"}
	case "bearer":
		keys = []string{"token"}
	}
	for _, key := range keys {
		ref := text(prometheus, "auth", key)
		if !strings.HasPrefix(ref, "secret:") {
			if use, _ := at(prometheus, "auth", "use_kiali_token").(bool); !use {
				n.ask("the login of the store is in the Kiali resource itself. Put it into a Secret of Kiali's namespace, and write auth: "+
					"{type: "+kind+", "+key+": secret:NAME:KEY}.", "")
				d.mesh.add(finding.Warning, "AD13", []any{"spec", "metrics"}, "put it into a Secret, and write secret:NAME:KEY into the topology",
					"%s.auth.%s is no reference to a Secret, so it is not repeated here", from, key)
			}
			return
		}
	}
	if len(keys) > 0 {
		n.put("type", kind, from+".auth")
	}
	for _, key := range keys {
		n.put(key, text(prometheus, "auth", key), "")
	}
}

// prometheus finds a Prometheus on a Kubernetes hub whose Kiali names none.
func (d *Draft) prometheus(spec *node) {
	hub := d.mesh.hub
	var found []said
	for _, o := range hub.of("Service") {
		switch {
		case label(o, "operated-prometheus") == "true":
			found = append(found, said{"http://" + name(o) + "." + namespace(o) + ".svc:9090", "Service " + place(o)})
		case place(o) == "istio-system/prometheus":
			found = append(found, said{"http://prometheus.istio-system:9090", "Service " + place(o) + ", Istio's sample, which reads no monitors"})
		}
	}
	if len(found) == 1 {
		spec.put("prometheus.url", found[0].value, found[0].from)
		if strings.HasPrefix(found[0].from, "Service istio-system/prometheus,") {
			spec.put("scope", "none", "its series have no mesh_id")
		}
		return
	}
	var urls []string
	for _, f := range found {
		urls = append(urls, f.value)
	}
	question := "which Prometheus has the series of all clusters? Write prometheus: {url: http://…}"
	if len(urls) > 0 {
		question += ", such as " + finding.List(urls, 3)
	}
	spec.child("prometheus").ask(question+".", hub.kubectl("get services -A"))
	d.mesh.add(finding.Error, "AD13", []any{"spec", "metrics"},
		"write metrics: {prometheus: {url: http://…}}; Istio's sample Prometheus needs scope: none too",
		"no cluster shows which Prometheus Kiali should query: %s", map[bool]string{true: "the hub has several",
			false: "none was found on the hub"}[len(found) > 1])
}

// unmanaged tells whether a topology without monitors was rendered before.
func (d *Draft) unmanaged() bool {
	if !d.rendered() {
		return false
	}
	return !slices.ContainsFunc(d.mesh.clusters, func(c *cluster) bool {
		return slices.ContainsFunc(slices.Concat(c.of("PodMonitor"), c.of("ServiceMonitor")), isOurs)
	})
}

// scrapesProxies tells whether a monitor scrapes proxies of Istio: it has the path of
// their metrics, or a rule about their container.
func scrapesProxies(o resource.Object) bool {
	for _, endpoint := range list(o, "spec", "podMetricsEndpoints") {
		if strings.HasPrefix(text(endpoint, "path"), "/stats/prometheus") {
			return true
		}
		for _, r := range list(endpoint, "relabelings") {
			if text(r, "regex") == "istio-proxy" {
				return true
			}
		}
	}
	return false
}

// replacement is the value that a rule of a monitor gives a label.
func replacement(o resource.Object, target string) string {
	for _, key := range []string{"podMetricsEndpoints", "endpoints"} {
		for _, endpoint := range list(o, "spec", key) {
			for _, r := range list(endpoint, "relabelings") {
				if text(r, "targetLabel") == target && len(list(r, "sourceLabels")) == 0 {
					return text(r, "replacement")
				}
			}
		}
	}
	return ""
}

// findMonitorName is the name of the PodMonitors: the name of those that were
// rendered before, or else the default, which the guide uses.
func (d *Draft) findMonitorName() string {
	var own []string
	for _, c := range d.mesh.clusters {
		for _, o := range c.of("PodMonitor") {
			if isOurs(o) {
				own = append(own, name(o))
			}
		}
	}
	return cmp.Or(most(own), d.defaults.Metrics.Monitors.Name)
}

// monitors writes how proxies are scraped.
func (d *Draft) monitors(spec *node) {
	if d.unmanaged() {
		spec.put("monitors.manage", false, "Kiali was rendered from a topology, and there are no rendered monitors")
		if own := d.knownInterval(); own != "" && own != "30s" && !spec.has("acm") {
			spec.put("interval", own, kialiFrom(d.mesh.hub, "external_services.prometheus.thanos_proxy.scrape_interval"))
		}
		return
	}
	if d.monitorName != d.defaults.Metrics.Monitors.Name {
		spec.put("monitors.name", d.monitorName, "the PodMonitors on the clusters")
	}
	var intervals []string
	var labels map[string]string
	first := true
	for _, c := range d.mesh.clusters {
		for _, o := range d.named(c) {
			intervals = append(intervals, intervalOf(o))
			own := map[string]string{}
			for key, value := range object(o, "metadata", "labels") {
				if s, ok := value.(string); ok && !strings.HasPrefix(key, "app.kubernetes.io/") && !strings.Contains(key,
					"argocd.argoproj.io/") && !strings.Contains(key, "toolkit.fluxcd.io/") {
					own[key] = s
				}
			}
			if first {
				labels, first = own, false
			}
			maps.DeleteFunc(labels, func(key, value string) bool { return own[key] != value })
		}
	}
	d.interval = cmp.Or(most(intervals), d.knownInterval(), "30s")
	if d.interval != "30s" {
		spec.put("interval", d.interval, "the monitors on the clusters")
	}
	if len(labels) > 0 {
		spec.put("labels", labels, "labels that all these monitors have")
	}
}

// knownInterval is the interval in Kiali's settings.
func (d *Draft) knownInterval() string {
	prometheus := object(d.mesh.hub.kiali, "spec", "external_services", "prometheus")
	if url := text(prometheus, "url"); url == acmInside || strings.HasPrefix(url, acmAnswers) {
		return "" // it is the interval of ACM's collection
	}
	return text(prometheus, "thanos_proxy", "scrape_interval")
}

// named lists the monitors of a cluster with the names of the rendered ones.
func (d *Draft) named(c *cluster) []resource.Object {
	var found []resource.Object
	for _, o := range c.of("PodMonitor") {
		if name(o) == d.monitorName {
			found = append(found, o)
		}
	}
	for _, o := range c.of("ServiceMonitor") {
		if name(o) == "istiod-monitor" {
			found = append(found, o)
		}
	}
	return found
}

func intervalOf(o resource.Object) string {
	for _, key := range []string{"podMetricsEndpoints", "endpoints"} {
		for _, endpoint := range list(o, "spec", key) {
			if interval := text(endpoint, "interval"); interval != "" {
				return interval
			}
		}
	}
	return ""
}

// clusterMetrics writes the settings of a cluster that differ from those of the
// topology.
func (d *Draft) clusterMetrics(c *cluster, n *node) {
	var intervals []string
	for _, o := range d.named(c) {
		intervals = append(intervals, intervalOf(o))
	}
	if own := most(intervals); own != "" && own != d.interval && !d.unmanaged() {
		n.put("metrics.interval", own, "its monitors")
	}
	d.ownConfig(c, n)
}

// content is the content of config.yaml of a ConfigMap of the monitoring.
func (c *cluster) content(config openshift.Config) (o resource.Object, content map[string]any, ok bool) {
	if o = c.named("ConfigMap", config.Namespace, config.Name); o == nil {
		return nil, nil, false
	}
	data, err := yaml.YAMLToJSON([]byte(text(o, "data", "config.yaml")))
	if err != nil {
		return o, nil, false
	}
	v, err := resource.DecodeJSON(data)
	content, ok = v.(map[string]any)
	return o, content, ok && err == nil
}

// monitoringConfig writes the content of cluster-monitoring-config if all clusters
// have the same content.
func (d *Draft) monitoringConfig(spec *node) {
	platform, _ := openshift.Configs()
	d.configs = map[*cluster]map[string]any{}
	equal := true
	var first *cluster
	for _, c := range d.mesh.clusters {
		o, content, ok := c.content(platform)
		if !c.openShift || !ok && o == nil || d.rendered() && !isOurs(o) {
			equal = equal && (!c.openShift || c.mode.value == "none")
			continue
		}
		if on, _ := content["enableUserWorkload"].(bool); !ok || !on || writtenByACM(o) {
			equal = false
			continue
		}
		d.configs[c] = content
		if first == nil {
			first = c
		}
		equal = equal && reflect.DeepEqual(content, d.configs[first]) && c.mode.value != "none"
	}
	if equal && first != nil {
		spec.put("userWorkloadMonitoring.manage", true, "ConfigMap "+platform.Namespace+"/"+platform.Name+" is the same on every cluster; "+
			"from the first sync on, it has the content from the topology")
		spec.put("userWorkloadMonitoring.config", d.configs[first], "")
		d.configs = nil
	}
}

// writtenByACM tells whether the collector of ACM's Observability writes into the
// ConfigMap too (stolostron/multicluster-observability-operator
// operators/endpointmetrics).
func writtenByACM(o resource.Object) bool {
	return strings.Contains(text(o, "data", "config.yaml"), "hub-alertmanager-router")
}

// ownConfig writes the content of cluster-monitoring-config of one cluster, or says
// why it does not.
func (d *Draft) ownConfig(c *cluster, n *node) {
	platform, _ := openshift.Configs()
	o, content, ok := c.content(platform)
	if !c.openShift {
		return
	}
	at := "ConfigMap " + platform.Namespace + "/" + platform.Name
	on, _ := content["enableUserWorkload"].(bool)
	switch {
	case d.configs[c] != nil:
		n.put("userWorkloadMonitoring.manage", true, at+"; from the first sync on, it has the content from the topology")
		n.put("userWorkloadMonitoring.config", d.configs[c], "")
	case c.mode.value == "none" && !c.inMesh():
	case o == nil:
		if !d.rendered() {
			n.child("userWorkloadMonitoring").ask("is the monitoring of user workloads on? There is no "+at+", so it is not. Write "+
				"userWorkloadMonitoring: {manage: true, config: {enableUserWorkload: true}}, or turn it on by other means.",
				c.kubectl("get configmap "+platform.Name+" -n "+platform.Namespace+" -o yaml"))
		}
	case !ok:
		d.mesh.add(finding.Warning, "AD13", d.mesh.path(c, "name"),
			"correct config.yaml of the ConfigMap; OpenShift's monitoring operator refuses it too", "%s of %s has a config.yaml that is no "+
				"object of YAML", at, c.name.value)
	case !on:
		n.child("userWorkloadMonitoring").ask(at+" leaves the monitoring of user workloads off, so nothing of the mesh is scraped. Write "+
			"its whole content with enableUserWorkload: true into userWorkloadMonitoring, or turn it on there.",
			c.kubectl("get configmap "+platform.Name+" -n "+platform.Namespace+" -o yaml"))
	case writtenByACM(o):
		n.child("userWorkloadMonitoring").above = append(n.child("userWorkloadMonitoring").above,
			"NOTE: "+at+" is left alone: ACM's observability writes into it too.")
	}
}

// remoteWrite writes what user-workload-monitoring-config says about a store, if it
// was rendered from a topology. Otherwise the ConfigMap stays as it is.
func (d *Draft) remoteWrite(spec *node) {
	_, workloads := openshift.Configs()
	for _, c := range d.mesh.clusters {
		o, content, ok := c.content(workloads)
		if o == nil || !isOurs(o) || !ok || text(spec.at("store").value) != "" && spec.at("store").value != "thanos" {
			continue
		}
		writes := list(content, "prometheus", "remoteWrite")
		if len(writes) != 1 {
			continue
		}
		entry, _ := writes[0].(map[string]any)
		entry = maps.Clone(entry)
		from := "ConfigMap " + workloads.Namespace + "/" + workloads.Name + " of " + c.name.value
		spec.put("thanos.remoteWrite.url", text(entry, "url"), from)
		delete(entry, "url")
		rules := list(entry, "writeRelabelConfigs")
		if len(rules) > 0 {
			d.moreMetrics(spec, text(rules[0], "regex"))
		}
		if len(rules) > 1 {
			entry["writeRelabelConfigs"] = rules[1:]
		} else {
			delete(entry, "writeRelabelConfigs")
		}
		if len(entry) > 0 {
			spec.put("thanos.remoteWrite.settings", entry, "")
		}
		rest := maps.Clone(content)
		prometheus := maps.Clone(object(content, "prometheus"))
		delete(prometheus, "remoteWrite")
		labels := maps.Clone(object(prometheus, "externalLabels"))
		for _, key := range sortedKeys(labels) {
			if labels[key] == c.name.value {
				delete(labels, key)
				if key != "cluster_name" {
					spec.put("thanos.remoteWrite.clusterLabel", key, "")
				}
				break
			}
		}
		if delete(prometheus, "externalLabels"); len(labels) > 0 {
			prometheus["externalLabels"] = labels
		}
		if delete(rest, "prometheus"); len(prometheus) > 0 {
			rest["prometheus"] = prometheus
		}
		if len(rest) > 0 {
			spec.put("thanos.remoteWrite.config", rest, "")
		}
		return
	}
	for _, c := range d.mesh.clusters {
		if o, content, ok := c.content(workloads); o != nil && ok && len(content) > 0 && !isOurs(o) {
			d.beside = append(d.beside, "ConfigMap "+workloads.Namespace+"/"+workloads.Name+" of "+c.name.value+" has the keys "+
				finding.List(sortedKeys(content), 5)+". It is not rendered, and stays as it is.")
		}
	}
}

// moreMetrics writes which metrics are sent in addition to those that Kiali queries.
func (d *Draft) moreMetrics(spec *node, regex string) {
	more, ok := strings.CutPrefix(regex, strings.Join(kiali.Metrics(), "|")+"|")
	if !ok {
		return
	}
	all := []string{more}
	if !strings.ContainsAny(more, `([\`) { // inside these, | does not end an alternative
		all = strings.Split(more, "|")
	}
	spec.put("thanos.remoteWrite.metrics", all, "")
}

// same tells whether two values are the same as JSON.
func same(a, b any) bool {
	x, err := json.Marshal(a)
	if err != nil {
		return false
	}
	y, err := json.Marshal(b)
	return err == nil && string(x) == string(y)
}
