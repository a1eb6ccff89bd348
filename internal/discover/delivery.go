package discover

import (
	"cmp"
	"maps"
	"path"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// delivery is how the rendered directory reaches the clusters, according to the
// objects of an engine that were rendered from a topology.
type delivery struct {
	argoCD  *cluster                  // the cluster on which Argo CD runs; nil: no ApplicationSet of ours was found
	asked   string                    // the generator of the ApplicationSet
	pulled  bool                      // ACM brings each Application to its cluster
	known   map[string]map[string]any // how Argo CD knows a cluster, by the cluster's name
	inACM   map[string]string         // the names of clusters in ACM, by their names here
	secrets map[string]string         // the Secret with the kubeconfig that Flux uses, by the cluster's name
	chart   map[string]said           // the operator's chart: fields of kiali.operator.chart
	values  map[string]any            // and its values
}

// delivers tells whether an object of an engine was rendered from a topology.
func delivers(o resource.Object) bool {
	return label(o, labels.ManagedBy) == labels.Sightline && label(o, labels.Name) == "mesh-delivery" &&
		label(o, labels.PartOf) != ""
}

// readDelivery writes spec.delivery.
func (d *Draft) readDelivery() {
	spec := d.top.child("spec")
	d.delivery = delivery{known: map[string]map[string]any{}, inACM: map[string]string{}, secrets: map[string]string{},
		chart: map[string]said{}}
	for _, c := range d.mesh.clusters {
		for _, o := range c.of("ApplicationSet") {
			if delivers(o) && name(o) == label(o, labels.PartOf) && d.argoCD == nil {
				d.applicationSet(c, o, spec.child("delivery"))
			}
		}
	}
	for _, c := range d.mesh.clusters {
		for _, o := range c.of("Kustomization") {
			if delivers(o) && name(o) == label(o, labels.PartOf) && !spec.has("delivery.flux.namespace") {
				d.flux(c, o, spec.child("delivery"))
			}
		}
	}
}

// dropDefaults removes defaults from the delivery.
func (d *Draft) dropDefaults(spec *node) {
	delivery := spec.child("delivery")
	for field, usual := range map[string]any{"revision": "main", "path": ".", "flux.namespace": "flux-system", "flux.interval": "10m",
		"flux.timeout": "10m", "flux.prune": false, "flux.wait": true, "flux.deletionPolicy": "Orphan"} {
		if delivery.has(field) && same(delivery.at(field).value, usual) {
			delivery.drop(field)
		}
	}
	for _, engine := range []string{"argocd", "flux"} {
		for _, n := range delivery.below {
			if n.key == engine && n.empty() {
				n.value = map[string]any{}
			}
		}
	}
}

// treeIn is the rendered directory in its repository, taken from a path in it.
func treeIn(at, below string) string {
	i := strings.LastIndex("/"+at, "/"+below)
	if i < 0 {
		return at
	}
	return path.Clean("./" + at[:max(i-1, 0)])
}

// operatorChart notes how the engine installs the operator.
func (d *Draft) operatorChart(url, version, namespace string, values map[string]any, from string) {
	if !strings.Contains(url, "://") { // as Argo CD knows a registry
		url = "oci://" + url
	}
	for field, value := range map[string][2]string{"repoURL": {url, "https://kiali.org/helm-charts"}, "version": {version, ""},
		"namespace": {namespace, "kiali-operator"}} {
		if value[0] != value[1] {
			d.chart[field] = said{value[0], from}
		}
	}
	d.values = maps.Clone(values)
	if create, ok := at(values, "cr", "create").(bool); ok && !create {
		cr := maps.Clone(object(values, "cr"))
		if delete(cr, "create"); len(cr) > 0 {
			d.values["cr"] = cr
		} else {
			delete(d.values, "cr")
		}
	}
}

// installsChart writes the operator's chart, and tells whether there is one.
func (d *Draft) installsChart(spec *node) bool {
	if len(d.chart) == 0 {
		return false
	}
	spec.put("install", "helm", d.chart["version"].from)
	for _, field := range sortedKeys(d.chart) {
		spec.put("chart."+field, d.chart[field].value, "")
	}
	if len(d.values) > 0 {
		spec.put("chart.values", d.values, "")
	}
	return true
}

// engines names the engines for which nothing was rendered yet.
func (d *Draft) engines(say func(format string, args ...any)) {
	if d.top.child("spec").has("delivery") {
		return
	}
	for _, c := range d.mesh.clusters {
		in := map[string]string{} // namespaces by engine
		for _, o := range c.of("Deployment") {
			if part := label(o, labels.PartOf); part == "argocd" || part == "flux" {
				in[part] = cmp.Or(in[part], namespace(o))
			}
		}
		for _, s := range c.of("Secret") {
			if label(s, "argocd.argoproj.io/secret-type") == "cluster" {
				in["argocd"] = cmp.Or(in["argocd"], namespace(s))
			}
		}
		for _, engine := range sortedKeys(in) {
			title, key := "Argo CD", "argocd: {namespace: "+in[engine]
			if engine == "flux" {
				title, key = "Flux", "flux: {namespace: "+in[engine]
			}
			if c != d.mesh.hub {
				key += ", cluster: " + c.name.value
			}
			say("%s runs in the namespace %s of %s. To deliver by it, write delivery: {repoURL: https://…, %s}}; see %s%s.md.", title,
				in[engine], c.name.value, key, finding.Pages, engine)
		}
		var secrets []string
		for _, s := range c.of("Secret") {
			if label(s, "argocd.argoproj.io/secret-type") == "cluster" {
				secrets = append(secrets, place(s))
			}
		}
		if len(secrets) > 0 {
			say("Argo CD of %s knows clusters by the Secrets %s, which init does not read. Where it knows a cluster by another URL than its "+
				"server, write argocd: {server: …} or {name: …} there.", c.name.value, finding.List(secrets, 5))
		}
	}
}
