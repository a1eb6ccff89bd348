package check

import (
	"fmt"
	"slices"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// refusedRules are about what a component refuses at its start, when everything has
// been applied.
func refusedRules() []Rule {
	return []Rule{
		{
			ID:    "IN17",
			Title: "the operator takes the Kiali resource",
			What: "With kiali-ossm, and with the operator's chart, no image is chosen in deployment (image_name, image_version, image_digest), " +
				"and there are no containers beside Kiali's. With the strategy openshift the ingress is not off. No service has oauth2 together " +
				"with gRPC. The values of the operator's chart let it do what the resource asks for, and make no Kiali resource.",
			Why: "The operator ends its run with a message in the status of the resource, and changes nothing. There is no account, no login " +
				"and no token then.",
			Fix:    "Remove the field; kiali.version says which line is installed.",
			Source: "kiali-operator roles/default/kiali-deploy/tasks/main.yml (its fail tasks); helm-charts kiali-operator/values.yaml",
			mesh:   operatorRefuses,
		},
		{
			ID:    "RS21",
			Title: "a login can go the way that the link goes",
			What:  "With the strategy openshift no OpenShift remote has access.proxyURL.",
			Why: "Kiali asks each cluster for its OAuth server at its start, and that client has no proxy. Kiali stops, so one such remote " +
				"takes the hub down.",
			Fix:    "Let the hub reach the API server without a proxy, or use another strategy.",
			Source: "kiali business/openshift_oauth.go, cmd/server.go",
			mesh:   loginByProxy,
		},
		{
			ID: "RS23", Severity: finding.Info,
			Title: "somebody restarts Kiali when a link from elsewhere changes",
			What:  "With links.source: external, links.format is not perCluster.",
			Why: "Kiali reads links once, at its start. The operator restarts it when kiali-multi-cluster-secret changes, and watches no " +
				"Secret of a single remote.",
			Fix:    "Use format: single; or have the maker of the Secrets run kubectl rollout restart, and suppress the rule.",
			Source: "kiali kubernetes/client_factory.go; kiali-operator watches-os.yaml",
			mesh:   restartedByNobody,
		},
		{
			ID: "RS24", Severity: finding.Info,
			Title: "a program of a link has the rights of Kiali's account",
			What:  "A remote with access.exec has access.exec.subject.",
			Why:   "The program logs in as somebody of its own, whom the operator gives nothing. Kiali then shows the cluster as inaccessible.",
			Fix: "Add subject with the user or group that the API server takes the program for; or suppress the rule where somebody else binds " +
				"it.",
			Source: "kiali-operator roles/*/kiali-deploy/templates/kubernetes/rolebinding.yaml",
			mesh:   programsWithoutRights,
		},
		{
			ID: "RS22", Severity: finding.Warning,
			Title: "Kiali has the time and the memory for a fleet",
			What: "With more than ten remotes, or more than 500 namespaces times clusters, the hub's Kiali resource says " +
				"deployment.probes.startup (from v2.4 on), deployment.resources and health_config.compute (from v2.22 on).",
			Why: "Kiali fills the caches of all clusters one after the other before it serves, and by default is ended after 90 seconds, or at " +
				"1 GiB of memory. It then begins again.",
			Fix:    "Write them in spec.kiali.spec; topologies/fleet has values for twelve remotes.",
			Source: "kiali-operator roles/*/kiali-deploy/defaults/main.yml; kiali/kiali issues 9759 and 9476",
			mesh:   fleetOfKiali,
		},
	}
}

func loginByProxy(m *mesh, f *found) {
	if m.Spec.Kiali.Auth.Strategy != "openshift" || m.Spec.Kiali.Auth.Impersonation.Enabled {
		return
	}
	for i := range m.Spec.Clusters {
		if c := &m.Spec.Clusters[i]; i != m.hub && c.Platform == "openshift" && c.Access.ProxyURL != "" {
			f.cluster(m, i, m.At("spec", "clusters", i, "access", "proxyURL"),
				"let the hub reach the API server without a proxy, or use another strategy",
				"with the strategy openshift Kiali asks the cluster's OAuth server without the proxy, and stops at its start if it cannot")
		}
	}
}

func restartedByNobody(m *mesh, f *found) {
	if links := &m.Spec.Kiali.Links; links.Source == "external" && links.Format == "perCluster" && len(m.Spec.Clusters) > 1 {
		f.on(m, m.At("spec", "kiali", "links"), "kubectl -n "+m.Spec.Kiali.Namespace+" rollout restart "+
			"deployment/"+m.Spec.Kiali.InstanceName+" after a change, by the maker of the Secrets; or use format: single",
			"nobody restarts Kiali when a Secret of a remote changes, and Kiali reads it once, at its start")
	}
}

func programsWithoutRights(m *mesh, f *found) {
	for i := range m.Spec.Clusters {
		if e := m.Spec.Clusters[i].Access.Exec; i != m.hub && e != nil && e.Subject == nil {
			f.cluster(m, i, m.At("spec", "clusters", i, "access", "exec"),
				"add subject: {name: …} with the user that the API server takes it for, or suppress RS24",
				"%s logs in as somebody of its own, who has no rights unless somebody gives them", e.Command)
		}
	}
}

// adHoc tells whether the operator of a cluster takes an image of the user's choice,
// and containers: kiali-ossm and the chart do not by default; of an operator that
// somebody else has installed nobody knows.
func (m *mesh) adHoc(c *topology.Cluster) (image, containers bool) {
	operator := &m.Spec.Kiali.Operator
	ossm := m.OperatorBySubscription(c) && c.Platform == "openshift" && !kiali.CommunityCatalog(operator.Source)
	if operator.Install == "helm" {
		return operator.Chart.Values["allowAdHocKialiImage"] == true, operator.Chart.Values["allowAdHocContainers"] == true
	}
	return !ossm, !ossm
}

// unlessAllowed is a hint that names the value of the operator's chart which permits
// what is refused, where there is the chart.
func (m *mesh) unlessAllowed(value, hint string) string {
	if m.OperatorByChart() {
		return "add " + value + ": true to chart.values of kiali.operator, or " + hint
	}
	return hint
}

// chartRefuses finds values of the operator's chart by which the operator may not do
// what the rendered resource asks for.
func chartRefuses(m *mesh, f *found) {
	chart := &m.Spec.Kiali.Operator.Chart
	wide := slices.ContainsFunc(m.kialis, func(o *object) bool { return o != nil && !o.is("deployment.cluster_wide_access", false) })
	found := func(key, hint, text string) {
		f.on(m, m.At("spec", "kiali", "operator", "chart", "values", key), hint, "%s", text)
	}
	for _, key := range []string{"allowAllAccessibleNamespaces", "clusterRoleCreator"} {
		if chart.Values[key] == false && wide {
			found(key, "remove it", key+" is false, and with it the operator refuses a Kiali that sees whole clusters")
		}
	}
	if chart.Values["onlyViewOnlyMode"] == true && !m.Spec.Kiali.ViewOnly {
		found("onlyViewOnlyMode", "write viewOnly: true in spec.kiali, or remove it",
			"onlyViewOnlyMode is true, so the operator cannot give Kiali the right to write that it has without viewOnly")
	}
	if in, ok := chart.Values["watchNamespace"].(string); ok && in != "" && in != m.Spec.Kiali.Namespace {
		found("watchNamespace", "write "+m.Spec.Kiali.Namespace+", or remove it",
			fmt.Sprintf("the operator looks for Kiali resources in %q only, and ours is in %s", finding.Shorten(in), m.Spec.Kiali.Namespace))
	}
	if cr, _ := chart.Values["cr"].(map[string]any); cr["create"] == true {
		found("cr", "remove it", "with cr.create the chart makes a Kiali resource of its own, beside the one that is rendered")
	}
}

func operatorRefuses(m *mesh, f *found) {
	if m.OperatorByChart() {
		chartRefuses(m, f)
	}
	for _, o := range m.kialis {
		if o == nil {
			continue
		}
		image, containers := m.adHoc(m.of(o))
		for _, key := range []string{"image_name", "image_version", "image_digest"} {
			if text := o.text("deployment." + key); text != "" && !image {
				f.object(o, spec("deployment."+key), m.unlessAllowed("allowAdHocKialiImage", "remove it; kiali.version says which line is installed"),
					"deployment.%s is %q, and the operator refuses an image that it does not know", key, finding.Shorten(text))
			}
		}
		for _, key := range []string{"deployment.additional_pod_containers_yaml", "deployment.additional_pod_init_containers_yaml"} {
			if o.has(key) && !containers {
				f.object(o, spec(key), m.unlessAllowed("allowAdHocContainers", "remove it"), "the operator refuses containers beside Kiali's")
			}
		}
		if m.Spec.Kiali.Auth.Strategy == "openshift" && o.is("deployment.ingress.enabled", false) && m.of(o).Platform == "openshift" && !o.is(
			"deployment.remote_cluster_resources_only", true) {
			f.object(o, spec("deployment.ingress.enabled"), "remove it, or use another strategy",
				"the strategy openshift needs the Route, and deployment.ingress.enabled is false")
		}
		if o.text("external_services.tracing.auth.type") == "oauth2" && !o.is("external_services.tracing.use_grpc", false) {
			f.object(o, spec("external_services.tracing.auth.type"), "add use_grpc: false to external_services.tracing",
				"the operator refuses oauth2 together with gRPC, and use_grpc is true unless said otherwise")
		}
	}
}

// What the defaults of Kiali's Deployment are enough for.
const (
	manyRemotes    = 10
	manyNamespaces = 500
)

func fleetOfKiali(m *mesh, f *found) {
	o := m.hubKiali()
	if o == nil {
		return
	}
	remotes, namespaces := len(m.Spec.Clusters)-1, 0
	for i := range m.Spec.Clusters {
		m.covered(i, func(string, place) { namespaces++ })
	}
	if remotes <= manyRemotes && namespaces <= manyNamespaces {
		return
	}
	line := m.of(o)
	var missing []string
	for _, field := range []struct {
		name  string
		since kiali.Line
	}{{"deployment.probes.startup", kiali.V2_4}, {"deployment.resources", kiali.V1_73}, {"health_config.compute", kiali.V2_22}} {
		if !line.KialiBefore(field.since) && !o.has(field.name) {
			missing = append(missing, field.name)
		}
	}
	if len(missing) > 0 {
		f.on(m, m.At("spec", "kiali"), "write them in spec.kiali.spec: more time to start (probes.startup.failure_threshold), more memory, a "+
			"longer refresh_interval of the health",
			"Kiali watches %s and %s with the defaults of %s", finding.Count(remotes, "remote"), finding.Count(namespaces, "namespace"),
			finding.List(missing, most))
	}
}
