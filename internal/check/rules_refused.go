package check

import (
	"fmt"
	"slices"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// refusedRules are about what a component refuses at startup, after everything has
// been applied.
func refusedRules() []Rule {
	return []Rule{
		{
			ID:    "IN17",
			Title: "the operator accepts the Kiali resource",
			What: "With kiali-ossm and with the operator's chart, deployment sets no image (image_name, image_version, image_digest) and no " +
				"containers next to Kiali's container. With the strategy openshift, the ingress is not off. No service has oauth2 together " +
				"with gRPC. The values of the operator's chart permit what the resource asks for, and create no Kiali resource.",
			Why: "The operator stops with a message in the status of the resource, and changes nothing. Then there is no account, no login " +
				"and no token.",
			Fix:    "Remove the field. kiali.version sets the release line that is installed.",
			Source: "kiali-operator roles/default/kiali-deploy/tasks/main.yml (its fail tasks); helm-charts kiali-operator/values.yaml",
			mesh:   operatorRefuses,
		},
		{
			ID:    "RS21",
			Title: "the login does not need the link's proxy",
			What:  "With the strategy openshift, no OpenShift remote has access.proxyURL.",
			Why: "At startup, Kiali asks each cluster for its OAuth server, and this client does not use the proxy. If it fails, Kiali " +
				"stops. One such remote takes down Kiali on the hub.",
			Fix:    "Let the hub reach the API server without a proxy, or use another strategy.",
			Source: "kiali business/openshift_oauth.go, cmd/server.go",
			mesh:   loginByProxy,
		},
		{
			ID: "RS23", Severity: finding.Info,
			Title: "Kiali restarts when an external link changes",
			What:  "With links.source: external, links.format is not perCluster.",
			Why: "Kiali reads links once, at startup. The operator restarts Kiali when kiali-multi-cluster-secret changes. It does not " +
				"watch a Secret of a single remote.",
			Fix:    "Use format: single. Or let the tool that creates the Secrets run kubectl rollout restart, and suppress the rule.",
			Source: "kiali kubernetes/client_factory.go; kiali-operator watches-os.yaml",
			mesh:   restartedByNobody,
		},
		{
			ID: "RS24", Severity: finding.Info,
			Title: "a login program has the rights of Kiali's account",
			What:  "A remote with access.exec also has access.exec.subject.",
			Why: "The program logs in as another user than Kiali's account. The operator gives this user no rights, so Kiali shows the " +
				"cluster as inaccessible.",
			Fix:    "Add subject with the user or group that the API server sees. If somebody else binds this user, suppress the rule.",
			Source: "kiali-operator roles/*/kiali-deploy/templates/kubernetes/rolebinding.yaml",
			mesh:   programsWithoutRights,
		},
		{
			ID: "RS22", Severity: finding.Warning,
			Title: "Kiali has enough time and memory for a fleet",
			What: "With more than ten remotes, or more than 500 namespaces over all clusters, the hub's Kiali resource sets " +
				"deployment.probes.startup (from v2.4 on), deployment.resources and health_config.compute (from v2.22 on).",
			Why: "Before Kiali serves requests, it fills the caches of all clusters, one after the other. By default, Kubernetes kills the " +
				"pod after 90 seconds, or at 1 GiB of memory. Kiali then starts again.",
			Fix:    "Set them in spec.kiali.spec. topologies/fleet has values for twelve remotes.",
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
				"with the strategy openshift, Kiali asks the cluster's OAuth server without the proxy; if this fails, Kiali stops at startup")
		}
	}
}

func restartedByNobody(m *mesh, f *found) {
	if links := &m.Spec.Kiali.Links; links.Source == "external" && links.Format == "perCluster" && len(m.Spec.Clusters) > 1 {
		f.on(m, m.At("spec", "kiali", "links"), command.Kubectl("", m.Spec.Kiali.Namespace, "rollout restart "+
			"deployment/"+m.Spec.Kiali.InstanceName)+" after each change of the Secrets; or use format: single",
			"nothing restarts Kiali when the Secret of a remote changes, and Kiali reads the Secret only at startup")
	}
}

func programsWithoutRights(m *mesh, f *found) {
	for i := range m.Spec.Clusters {
		if e := m.Spec.Clusters[i].Access.Exec; i != m.hub && e != nil && e.Subject == nil {
			f.cluster(m, i, m.At("spec", "clusters", i, "access", "exec"),
				"add subject: {name: USER} with the user that the API server sees, or suppress RS24",
				"%s logs in as another user than Kiali's account; this user has no rights unless somebody grants them", e.Command)
		}
	}
}

// adHoc tells whether the operator of a cluster accepts an image and containers of
// the user's choice. By default, kiali-ossm and the chart do not. An operator that
// somebody else installed is assumed to accept them.
func (m *mesh) adHoc(c *topology.Cluster) (image, containers bool) {
	operator := &m.Spec.Kiali.Operator
	ossm := m.OperatorBySubscription(c) && c.Platform == "openshift" && !kiali.CommunityCatalog(operator.Source)
	if operator.Install == "helm" {
		return operator.Chart.Values["allowAdHocKialiImage"] == true, operator.Chart.Values["allowAdHocContainers"] == true
	}
	return !ossm, !ossm
}

// unlessAllowed adds to a hint the value of the operator's chart that permits what
// the operator refuses, if the operator comes from the chart.
func (m *mesh) unlessAllowed(value, hint string) string {
	if m.OperatorByChart() {
		return "add " + value + ": true to chart.values of kiali.operator, or " + hint
	}
	return hint
}

// chartRefuses finds values of the operator's chart that forbid something for which the
// rendered resource asks.
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
				f.object(o, spec("deployment."+key), m.unlessAllowed("allowAdHocKialiImage", "remove it; kiali.version sets the release line "+
					"that is installed"),
					"deployment.%s is %q, but the operator refuses an image that it does not know", key, finding.Shorten(text))
			}
		}
		for _, key := range []string{"deployment.additional_pod_containers_yaml", "deployment.additional_pod_init_containers_yaml"} {
			if o.has(key) && !containers {
				f.object(o, spec(key), m.unlessAllowed("allowAdHocContainers", "remove it"), "the operator refuses additional containers in "+
					"Kiali's pod")
			}
		}
		if m.Spec.Kiali.Auth.Strategy == "openshift" && o.is("deployment.ingress.enabled", false) && m.of(o).Platform == "openshift" && !o.is(
			"deployment.remote_cluster_resources_only", true) {
			f.object(o, spec("deployment.ingress.enabled"), "remove it, or use another strategy",
				"the strategy openshift needs the Route, but deployment.ingress.enabled is false")
		}
		if o.text("external_services.tracing.auth.type") == "oauth2" && !o.is("external_services.tracing.use_grpc", false) {
			f.object(o, spec("external_services.tracing.auth.type"), "add use_grpc: false to external_services.tracing",
				"the operator refuses oauth2 together with gRPC, and use_grpc is true by default")
		}
	}
}

// Above these numbers, the defaults of Kiali's Deployment are too small.
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
		f.on(m, m.At("spec", "kiali"), "set them in spec.kiali.spec: more time to start (probes.startup.failure_threshold), more memory, "+
			"a longer refresh_interval of the health",
			"Kiali watches %s and %s with the defaults of %s", finding.Count(remotes, "remote"), finding.Count(namespaces, "namespace"),
			finding.List(missing, most))
	}
}
