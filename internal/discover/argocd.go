package discover

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// inCluster is the URL under which Argo CD knows the cluster that it runs on.
const inCluster = "https://kubernetes.default.svc"

// applicationSet writes delivery.argocd of the ApplicationSet that was rendered.
func (d *Draft) applicationSet(c *cluster, o resource.Object, spec *node) {
	d.argoCD = c
	from := "ApplicationSet " + place(o) + " of " + c.name.value
	template := object(o, "spec", "template")
	source, of := object(template, "spec", "source"), list(template, "spec", "sources")
	if len(of) == 2 {
		source, _ = of[1].(map[string]any)
		d.operatorChart(text(of[0], "repoURL"), text(of[0], "targetRevision"), text(template, "spec", "destination", "namespace"),
			object(of[0], "helm", "valuesObject"), from)
	}
	spec.put("repoURL", text(source, "repoURL"), from)
	spec.put("revision", text(source, "targetRevision"), "")
	argo := spec.child("argocd")
	argo.note = from
	switch at := text(source, "path"); {
	case source["plugin"] != nil:
		spec.put("path", at, "")
		argo.put("source", "plugin", "")
		d.plugin(argo, source, name(o))
	case source["helm"] != nil:
		spec.put("path", treeIn(at, "chart"), "")
	default:
		spec.put("path", treeIn(at, "clusters/{{"), "")
	}
	if usual := map[bool]string{true: "openshift-gitops", false: "argocd"}[c.openShift]; namespace(o) != usual {
		argo.put("namespace", namespace(o), "")
	}
	if c != d.mesh.hub {
		argo.put("cluster", c.name.value, "the ApplicationSet is there")
	}
	if project := text(template, "spec", "project"); project != name(o) {
		argo.put("project", project, "")
	}
	d.generator(argo, o, c)
	d.applications(argo, template)
	if sync := text(o, "spec", "syncPolicy", "applicationsSync"); sync != "create-update" {
		argo.put("applicationsSync", sync, "")
	}
	d.sync(argo, o, template)
	d.permitted(argo, c, text(template, "spec", "project"))
}

func (d *Draft) plugin(argo *node, source map[string]any, topologyName string) {
	if name := text(source, "plugin", "name"); name != "sightline" {
		argo.put("plugin.name", name, "")
	}
	for _, p := range list(source, "plugin", "parameters") {
		if file := text(p, "string"); text(p, "name") == "topology" && file != topologyName+".yaml" {
			argo.put("plugin.topology", file, "")
		}
	}
}

// named is the name of a cluster in ACM and its name in the topology, as the template
// of a rendered ApplicationSet has them.
var named = regexp.MustCompile(`"([^"]+)" "([^"]+)"`)

// generator writes the source of the ApplicationSet's clusters, and notes how Argo CD
// knows each cluster.
func (d *Draft) generator(argo *node, o resource.Object, c *cluster) {
	for _, g := range list(o, "spec", "generators") {
		switch {
		case at(g, "list") != nil:
			d.asked = "list"
			for _, e := range list(g, "list", "elements") {
				d.known[text(e, "cluster")] = object(e, "destination")
			}
		case at(g, "git") != nil:
			d.asked = "git"
		case at(g, "clusters") != nil:
			d.asked = "clusters"
		case at(g, "clusterDecisionResource") != nil:
			d.asked = "acm"
			for _, pair := range named.FindAllStringSubmatch(text(o, "spec", "template", "metadata", "labels", labels.Cluster), -1) {
				d.inACM[pair[2]] = pair[1]
			}
			argo.put("placement", label(o, "cluster.open-cluster-management.io/placement"), "")
		}
	}
	if d.asked != "list" {
		argo.put("generator", d.asked, "")
	}
	for _, a := range c.of("Application") {
		if of := label(a, labels.Cluster); label(a, labels.Topology) == name(o) && of != "" && d.known[of] == nil {
			d.known[of] = object(a, "spec", "destination")
		}
	}
}

// applications writes the labels and annotations that every Application has in
// addition to the rendered ones.
func (d *Draft) applications(argo *node, template map[string]any) {
	own := text(template, "metadata", "labels", labels.Cluster)
	for _, field := range []string{"labels", "annotations"} {
		more := map[string]any{}
		for key, v := range object(template, "metadata", field) {
			s, _ := v.(string)
			if key != labels.Topology && key != labels.Cluster && key != "argocd.argoproj.io/manifest-generate-paths" {
				more[key] = strings.ReplaceAll(s, own, topology.InApplications)
			}
		}
		if len(more) > 0 {
			argo.put("applications."+field, more, "")
		}
		if field == "annotations" {
			_, d.pulled = more[topology.Pulled]
		}
	}
}

// sync writes when Argo CD applies a change in Git.
func (d *Draft) sync(argo *node, o resource.Object, template map[string]any) {
	if automated := object(template, "spec", "syncPolicy", "automated"); automated != nil {
		if prune, _ := automated["prune"].(bool); prune {
			argo.put("sync.prune", true, "")
		}
		if heal, ok := automated["selfHeal"].(bool); ok && !heal {
			argo.put("sync.selfHeal", false, "")
		}
		return
	}
	steps := list(o, "spec", "strategy", "rollingSync", "steps")
	if len(steps) == 0 {
		argo.put("sync.automated", false, "")
		return
	}
	var rollout []any
	for _, s := range steps {
		step := map[string]any{}
		for _, e := range list(s, "matchExpressions") {
			step["clusters"] = list(e, "values")
		}
		if most := fmt.Sprint(at(s, "maxUpdate")); most != "100%" {
			step["maxUpdate"] = most
			if number, ok := at(s, "maxUpdate").(json.Number); ok {
				step["maxUpdate"] = number
			}
		}
		rollout = append(rollout, step)
	}
	argo.put("rollout", rollout, "")
}

// permitted writes the kinds that the project permits although no rendered object
// needs them. Some parts of the topology that need a kind are found later, so
// [Draft.needless] takes these kinds out again.
func (d *Draft) permitted(argo *node, c *cluster, project string) {
	for _, o := range c.of("AppProject") {
		if name(o) != project || !delivers(o) {
			continue
		}
		kinds := append(list(o, "spec", "clusterResourceWhitelist"), list(o, "spec", "namespaceResourceWhitelist")...)
		for field, kind := range map[string]string{"operatorChart": "Deployment", "acm": "Policy", "tracing": "OpenTelemetryCollector",
			"accounts": "OAuthClient"} {
			if slices.ContainsFunc(kinds, func(v any) bool { return text(v, "kind") == kind }) {
				argo.put("permit."+field, true, "AppProject "+place(o))
			}
		}
	}
}

// needless removes the permissions of the project that the topology needs anyway.
func (d *Draft) needless(spec *node) {
	permit := "delivery.argocd.permit."
	if spec.has("kiali.operator.chart") {
		spec.drop(permit + "operatorChart")
	}
	if spec.has("kiali.operator.remotes") {
		spec.drop(permit + "accounts")
	}
	if spec.has("tracing") {
		spec.drop(permit + "tracing")
	}
	if spec.has("metrics.acm") || spec.at("kiali.links.source").value == "acm" {
		spec.drop(permit + "acm")
	}
}

// knownToArgoCD writes how Argo CD knows a cluster, if this does not follow from
// other fields.
func (d *Draft) knownToArgoCD(c *cluster, n *node) {
	if d.argoCD == nil || d.pulled || d.asked == "acm" {
		return
	}
	to := d.known[c.name.value]
	usual := strings.TrimSuffix(c.server.value, "/")
	if c == d.argoCD {
		usual = inCluster
	}
	from := "ApplicationSet of " + d.argoCD.name.value
	if known := text(to, "name"); known != "" {
		n.put("argocd.name", known, from)
	} else if server := text(to, "server"); server != "" && server != usual {
		n.put("argocd.server", server, from)
	}
}
