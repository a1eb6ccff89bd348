package check

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/openshift"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

const prometheus = "external_services.prometheus."

// querierAuth names the field that keeps Kiali from asking thanos-querier, or
// "".
func querierAuth(o *object) (field, problem string) {
	u, err := url.Parse(o.text(prometheus + "url"))
	querier := openshift.Querier()
	switch {
	case err != nil || u.Port() != querier.Port || !strings.HasPrefix(u.Hostname(), querier.Name+"."):
		return "url", "the url is not port " + querier.Port + " of " + querier.Name
	case o.text(prometheus+"auth.type") != "bearer":
		return "auth.type", "auth.type is not bearer"
	case !o.is(prometheus+"auth.use_kiali_token", true):
		return "auth.use_kiali_token", "auth.use_kiali_token is not true"
	case !o.is(prometheus+"thanos_proxy.enabled", true):
		return "thanos_proxy.enabled", "thanos_proxy.enabled is not true"
	}
	return "", ""
}

func thanosQuerier(m *mesh, f *found) {
	o := m.hubKiali()
	if o == nil || m.Spec.Metrics.Store != "thanosQuerier" || m.of(o).Platform != "openshift" {
		return
	}
	if field, problem := querierAuth(o); field != "" {
		f.object(o, spec(prometheus+field), "remove it; for another store, write metrics.store: thanos or prometheus",
			"the store is thanosQuerier, but %s; Kiali could not read it", problem)
	}
	account := kiali.Account(o.text("deployment.instance_name"))
	for _, binding := range m.kinds("ClusterRoleBinding") {
		subjects, _ := binding.content["subjects"].([]any)
		if valueAt(binding.content, fieldPath{"roleRef",
			"name"}) == openshift.ViewRole && slices.ContainsFunc(subjects, func(s any) bool {
			return valueAt(s, fieldPath{"name"}) == account && valueAt(s, fieldPath{"namespace"}) == o.ID.Namespace
		}) {
			return
		}
	}
	f.cluster(m, m.hub, m.At("spec", "metrics", "store"), "keep the ClusterRoleBinding as rendered",
		"no ClusterRoleBinding gives %s in %s the role cluster-monitoring-view; thanos-querier would answer 403", account, o.ID.Namespace)
}

func localStore(m *mesh, f *found) {
	var remotes []int
	for i := range m.Spec.Clusters {
		if i != m.hub && m.Spec.Clusters[i].InMesh() {
			remotes = append(remotes, i)
		}
	}
	if m.Spec.Metrics.Store != "thanosQuerier" || len(remotes) == 0 || m.hub < 0 {
		return
	}
	f.on(m, m.At("spec", "metrics", "store"), "send all series to one Thanos and write store: thanos (sightline example thanos prints "+
		"one); if the hub's view is enough, add metadata.annotations: {"+labels.Suppress+": PM13}",
		"the graph shows only what proxies on %q report, and nothing from %s; the store is the hub's thanos-querier",
		m.Spec.Clusters[m.hub].Name, m.proxiesOf(remotes))
}

func (m *mesh) proxiesOf(clusters []int) string {
	if len(clusters) == 1 {
		return "those on \"" + m.Spec.Clusters[clusters[0]].Name + "\""
	}
	return "those on the " + m.counted(clusters) + " " + m.listed(clusters)
}

func kialiTokens(m *mesh, f *found) {
	o := m.hubKiali()
	if o == nil {
		return
	}
	said := ""
	if m.Spec.Metrics.Store == "thanosQuerier" {
		if field, _ := querierAuth(o); field != "" {
			said = prometheus[:len(prometheus)-1]
		}
	}
	walk(o.content["spec"], fieldPath{"spec"}, func(path fieldPath, v any) {
		if on, _ := v.(bool); !on || path[len(path)-1] != "use_kiali_token" {
			return
		}
		auth := path[:len(path)-1]
		kind, _ := o.value(auth.below("type")).(string)
		if kind != "bearer" && (said == "" || !within(auth[1:].String(), said)) {
			f.object(o, path, "write type: bearer next to it, or remove it", "use_kiali_token needs the type bearer, but the type of %s is %q",
				auth[1:], kind)
		}
	})
}

func caFiles(m *mesh, f *found) {
	for _, o := range m.kialis {
		if o == nil || m.of(o).KialiBefore(kiali.V2_22) {
			continue
		}
		walk(o.content["spec"], fieldPath{"spec"}, func(path fieldPath, v any) {
			if text, _ := v.(string); path[len(path)-1] == "ca_file" && text != "" {
				f.object(o, path, m.trust(o, path),
					"Kiali %s ignores %s", m.of(o).Kiali.Version, path[1:])
			}
		})
	}
}

// trust is the hint that says where the release line of a Kiali resource reads
// CAs. path is a field about one of Kiali's servers.
func (m *mesh) trust(o *object, path fieldPath) string {
	c := m.of(o)
	hint := "put the CA into spec.kiali.ca"
	if secret := c.Kiali.Version.CASecret(m.Spec.Kiali.InstanceName, c.Platform); secret != "" {
		hint += "; it becomes the Secret " + secret + " in " + m.Spec.Kiali.Namespace + ", mounted at " + kiali.CAMount
	} else {
		hint += "; it becomes the key " + kiali.CABundleKey + " of the ConfigMap " + c.Kiali.Version.CABundle(m.Spec.Kiali.InstanceName,
			c.Platform) + " in " + m.Spec.Kiali.Namespace
	}
	if file := c.Kiali.Version.CAFile(c.Platform); file != "" && !within(path.String(), "spec."+prometheus[:len(prometheus)-1]) && !within(
		path.String(), "spec.auth") {
		hint += "; also write ca_file: " + file + " next to the field"
	}
	return hint
}

func storesOfOldLines(m *mesh, f *found) {
	o := m.hubKiali()
	if o == nil || m.of(o).Platform != "openshift" || !m.of(o).KialiBefore(kiali.V2_11) {
		return
	}
	u, err := url.Parse(o.text(prometheus + "url"))
	ours := err != nil || u.Scheme != "https" || strings.HasSuffix(u.Hostname(), ".svc") || strings.HasSuffix(u.Hostname(),
		".svc.cluster.local")
	if ours || o.text(prometheus+"auth.ca_file") != "" || o.is(prometheus+"auth.insecure_skip_verify", true) {
		return
	}
	f.object(o, spec(prometheus+"url"), m.trust(o, spec(prometheus+"url")),
		"for the store, Kiali %s trusts only the service CA of its cluster; the certificate of %s is from another CA", m.of(
			o).Kiali.Version, u.Hostname())
}

func serviceCA(m *mesh, f *found) {
	o := m.hubKiali()
	// Up to v2.17, the operator's role sets the service CA for Prometheus.
	if o == nil || m.of(o).Platform != "openshift" || m.Spec.Kiali.Auth.Strategy == "openshift" || m.of(o).KialiBefore(kiali.V2_22) {
		return
	}
	u, err := url.Parse(o.text(prometheus + "url"))
	if err != nil || u.Scheme != "https" || !strings.HasSuffix(u.Hostname(), ".svc") && !strings.HasSuffix(u.Hostname(),
		".svc.cluster.local") || o.is(prometheus+"auth.insecure_skip_verify", true) {
		return
	}
	f.object(o, spec(prometheus+"url"), strings.Replace(m.trust(o, spec(prometheus+"url")), "the CA", "the service CA",
		1)+", and suppress PM19",
		"the certificate of %s is from the service CA; Kiali loads this CA only with the strategy openshift, but the strategy is %s",
		u.Hostname(), m.Spec.Kiali.Auth.Strategy)
}

// noHealthPage matches addresses of stores that have no /-/healthy below them. A
// bare /prometheus does not match, because a Prometheus with this route prefix has
// the page.
var noHealthPage = regexp.MustCompile(`/select/[0-9:]+/prometheus/?$|/api/prom/?$|` +
	`^https?://[^/]*(mimir|cortex|victoria|vmselect|grafana)[^/]*/.*prometheus/?$`)

func healthCheck(m *mesh, f *found) {
	o := m.hubKiali()
	if o == nil || m.of(o).KialiBefore(kiali.V2_27) || o.text(prometheus+"health_check_url") != "" {
		return
	}
	const hint = "add health_check_url with an address of the store that answers without headers"
	headers, _ := o.value(spec(prometheus + "custom_headers")).(map[string]any)
	switch u := o.text(prometheus + "url"); {
	case len(headers) > 0:
		f.object(o, spec(prometheus+"custom_headers"), hint, "Kiali asks %s/-/healthy without the custom headers, and shows no metrics "+
			"until this address answers", strings.TrimRight(u, "/"))
	case noHealthPage.MatchString(u):
		f.object(o, spec(prometheus+"url"), hint, "a store at %s has no page /-/healthy, but Kiali shows no metrics until this page "+
			"answers", u)
	}
}

func lowLimits(m *mesh, f *found) {
	w := m.Spec.Metrics.Thanos.RemoteWrite
	if w == nil {
		return
	}
	for _, limit := range []struct {
		key   string
		least int
		why   string
	}{{"enforcedLabelLimit", 40, "a series of Istio has about 30 labels"}, {"enforcedSampleLimit", 5000,
		"a busy proxy has thousands of series"}} {
		n := number(valueAt(w.Config, fieldPath{"prometheus", limit.key}))
		if n > 0 && n < limit.least {
			f.on(m, m.At("spec", "metrics", "thanos", "remoteWrite", "config", "prometheus", limit.key),
				"raise it to "+strconv.Itoa(limit.least)+" or more, or leave it out",
				"%s is %d, but %s; above the limit, the scrape of the whole target fails", limit.key, n, limit.why)
		}
	}
}

func telemetries(m *mesh, f *found) {
	for i := range m.clusters {
		var names []string
		for _, r := range m.clusters[i].Resources {
			if resource.IDOf(m.body(r)).Kind != "Telemetry" || valueAt(m.body(r), fieldPath{"spec", "selector"}) != nil {
				continue
			}
			id, err := r.Body.ID(m.clusters[i].Values)
			if err == nil && id.Namespace == m.Spec.Clusters[i].ControlPlane.Namespace && !slices.Contains(names, id.Name) {
				names = append(names, id.Name)
			}
		}
		if len(names) > 1 {
			f.cluster(m, i, m.At("spec", "telemetry"), "write telemetry: {manage: false}, or remove the other one",
				"there are %d mesh-wide Telemetries in %s: %s; Istio uses one", len(names), m.Spec.Clusters[i].ControlPlane.Namespace,
				strings.Join(names, ", "))
		}
	}
}

func intervals(m *mesh, f *found) {
	at := func(i int) finding.Position {
		if m.Has("spec", "clusters", i, "metrics", "interval") {
			return m.At("spec", "clusters", i, "metrics", "interval")
		}
		return m.At("spec", "metrics", "interval")
	}
	for i := range m.Spec.Clusters {
		c := &m.Spec.Clusters[i]
		if !c.InMesh() {
			continue
		}
		switch s := topology.Seconds(c.Metrics.Interval); {
		case s < 5 || s > 300:
			f.cluster(m, i, at(i), "choose an interval between 5s and 5m", "the interval %s does not suit user workload monitoring and "+
				"Kiali's rates (5s to 5m)", c.Metrics.Interval)
		case m.Spec.Metrics.Store != "thanosQuerier" && s != topology.Seconds(m.Spec.Metrics.Interval):
			f.cluster(m, i, at(i), "use one interval; if a slow network leaves no choice, suppress PM24",
				"the interval is %s, but %s elsewhere; Kiali uses %s, and asks for rates over at least two of these on every cluster",
				c.Metrics.Interval, m.Spec.Metrics.Interval, m.StoreInterval())
		}
	}
}

func externalLabels(m *mesh, f *found) {
	first := map[string]int{}
	_, workloads := openshift.Configs()
	for _, o := range m.kinds("ConfigMap") {
		if o.ID.Name != workloads.Name || !o.overlaid {
			continue // the rendered config has the cluster's name
		}
		text, _ := o.value(fieldPath{"data", "config.yaml"}).(string)
		config, err := decodeYAML(text)
		if err != nil {
			continue
		}
		labels := string(resource.Encode(nil, valueAt(config, fieldPath{"prometheus", "externalLabels"})))
		if !strings.Contains(labels, m.of(o).Name) {
			f.object(o, fieldPath{"data"}, "leave the external label of remoteWrite.clusterLabel as rendered",
				"no external label names the cluster, so the store cannot separate its series from those of other clusters")
			continue
		}
		if j, ok := first[labels]; ok {
			f.object(o, fieldPath{"data"}, "leave the external label of remoteWrite.clusterLabel as rendered",
				"%q has the same external labels", m.Spec.Clusters[j].Name)
		} else {
			first[labels] = o.cluster
		}
	}
}

func literalCredentials(m *mesh, f *found) {
	for _, found := range m.credentials() {
		if found.What != "" {
			continue
		}
		o, path := found.object, fieldPath(found.Path)
		if o.ID.Kind == "Kiali" && len(path) > 1 && path[0] == "spec" {
			f.object(o, path, "put the credential into a Secret in Kiali's namespace and write secret:<name>:<key>",
				"%s must be a reference to a Secret, so that no credential stands in Git", path[1:])
			continue
		}
		f.object(o, path, "put the credential into a Secret, and name the Secret", "%s of the %s must be a reference to a Secret, so "+
			"that no credential is in Git", path, o)
	}
}
