package check

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/delivery"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// substitutionRules are about templates and variables that engines evaluate in
// the objects.
func substitutionRules() []Rule {
	return []Rule{
		{
			ID: "DL01", Severity: finding.Warning,
			Title: "Flux changes no object",
			What: "With delivery.flux, Sightline runs Flux's variable substitution, lenient and strict, over each object, also over " +
				"delivery objects and the changes of overlays. The result is the same as the rendered object. Every rendered object has an " +
				"annotation that turns substitution off. The rule checks the objects from which an overlay removes this annotation.",
			Why: "Many platforms patch a postBuild into all Kustomizations. A Kustomization with a postBuild replaces ${…} and $$ in every " +
				"object that it applies. It replaces the ${1} of a relabeling with nothing. Before kustomize-controller 1.9 there is no error; " +
				"later versions refuse it. A ${ without an end stops the whole Kustomization.",
			Fix: "Leave the annotation kustomize.toolkit.fluxcd.io/substitute: disabled on the object. If no Kustomization has a postBuild, " +
				"suppress the rule.",
			Source: "github.com/fluxcd/pkg/kustomize kustomize_varsub.go, github.com/fluxcd/pkg/envsubst; called in the same way as in " +
				"kustomize-controller",
			mesh: substituted,
		},
		{
			ID:    "DL02",
			Title: "the ApplicationSet's Applications match the topology",
			What: "With delivery.argocd, Sightline executes the ApplicationSet's template for each cluster as Argo CD does: with Go's " +
				"templates, and a missing key is an error. Name, destination, labels, annotations and sources of each Application match the " +
				"topology. (Not with generator: clusters or acm, because Argo CD and ACM supply the clusters.)",
			Why:    "A {{ in an address starts a template action. The Application would use another repository, or there would be none.",
			Fix:    "Write the address without {{.",
			Source: "argo-cd applicationset/utils/utils.go; text/template, github.com/Masterminds/sprig",
			mesh:   madeApplications,
		},
		{
			ID: RuleChart, FoundBy: byRender,
			Title: "the Helm chart gives the same objects as the other formats",
			What: "With --format helm, Sightline renders the chart with Helm's engine and the values of a cluster. The objects are the same " +
				"as in the kustomize tree and the manifests. It checks one cluster of each shape, and each cluster that a Jsonnet overlay " +
				"changes. This format cannot have kustomize overlays.",
			Why: "Helm treats {{ in templates as an action. Argo CD and Flux render the chart for the cluster, and nobody compares the " +
				"result. If the objects differ, `render --format helm` writes nothing.",
			Fix: "Correct the overlay from the message. It may only place values. It must not compute with values or branch on them. Or use " +
				"another format.",
			Source: "helm.sh/helm/v3/pkg/engine, run over the chart",
		},
	}
}

// RuleChart is the rule that a chart gives the same objects as the other
// formats.
const RuleChart = "DL03"

// substituted runs Flux's substitution over all objects. For almost all objects
// it only reads an annotation, because the annotation turns substitution off.
func substituted(m *mesh, f *found) {
	if m.Spec.Delivery == nil || m.Spec.Delivery.Flux == nil {
		return
	}
	var all []*substitution
	same := map[substitutedAt]*substitution{}
	for _, objects := range [][]*object{m.ofClusters(), m.delivered} {
		for _, o := range objects {
			if delivery.Substitutes(o.content) && replaces(o.content) {
				for _, r := range substitutions(o) {
					key := substitutedAt{o.cluster, o.ID.Kind, o.ID.Name, r.text, o.at(r.path)}
					if o.overlaid { // an overlay made the same change on all clusters that it matches
						key.cluster = -1
					}
					first := same[key]
					if first == nil {
						first = &r
						first.object = o.clone()
						same[key] = first
						all = append(all, first)
					}
					first.on(o)
					first.several = first.several || o.ID != first.ID
					if !slices.Contains(first.fields, r.fields[0]) {
						first.fields = append(first.fields, r.fields[0])
					}
				}
			}
		}
	}
	for _, r := range all {
		r.report(f)
	}
}

// substitution is one replacement by Flux. One line of the topology can cause
// it in several fields and in objects of several namespaces: an overlay that
// removes the annotation from a monitor removes it in every namespace.
type substitution struct {
	*object           // the first of them
	path    fieldPath // the first of its fields; nil if no single field changes
	text    string    // in the first field
	fields  []string
	several bool // of the objects
}

// substitutedAt is the key of a finding. Substitutions with the same key become one finding.
type substitutedAt struct {
	cluster          int
	kind, name, text string
	at               finding.Position
}

func (r *substitution) report(f *found) {
	hint := "leave the annotation kustomize.toolkit.fluxcd.io/substitute: disabled on the object; if no Kustomization has a " +
		"postBuild, suppress DL01"
	if r.cluster < 0 {
		hint = "write the address without it; if no Kustomization has a postBuild, suppress DL01"
	}
	what := r.String()
	if r.several { // clusters with other namespaces are in the same finding
		what = r.ID.Kind + " " + r.ID.Name + " in several namespaces"
	}
	if r.path == nil {
		f.object(r.object, nil, hint, "in a Kustomization with a postBuild, Flux replaces variables in the %s and changes it",
			what)
		return
	}
	has := "has"
	if len(r.fields) > 1 {
		has = "have"
	}
	f.object(r.object, r.path, hint, "%s of the %s %s %q; in a Kustomization with a postBuild, Flux replaces it",
		finding.List(r.fields, most), what, has, r.text)
}

// substitutions finds the fields and keys that Flux changes.
func substitutions(o *object) []substitution {
	var all []substitution
	named := false
	say := func(at fieldPath, what, text string) {
		named = true
		all = append(all, substitution{o, slices.Clone(at), forFlux.FindString(text), []string{what}, false})
	}
	walk(o.content, nil, func(at fieldPath, v any) {
		if o.cluster >= 0 && shellRemnant(at, v) != "" {
			named = true // IN10 reports it for objects of a cluster
			return
		}
		if text, ok := v.(string); ok && replaces(text) {
			say(at, at.String(), text)
			return
		}
		if n := len(at); n > 0 {
			if key, ok := at[n-1].(string); ok && replaces(key) {
				say(at, "the key "+at.String(), key)
			}
		}
	})
	if !named {
		all = append(all, substitution{o, nil, "", []string{""}, false})
	}
	return all
}

// madeApplications executes the ApplicationSet's template and compares the
// Applications with the topology.
func madeApplications(m *mesh, f *found) {
	argo := m.argoCD()
	if argo == nil || argo.NamesByGenerator() {
		return
	}
	const hint = "write addresses without {{; the template of the ApplicationSet treats {{ as an action"
	made, example := map[string]*delivery.Application{}, map[string]string{}
	for i := range m.applications {
		made[m.applications[i].Cluster] = &m.applications[i]
	}
	for i := range m.Spec.Clusters {
		c := &m.Spec.Clusters[i]
		application := made[c.Name]
		if application == nil || application.Err != nil {
			reason := "the generator has no such cluster"
			if application != nil {
				reason = application.Err.Error()
			}
			f.cluster(m, i, m.At("spec", "delivery", "repoURL"), hint, "Argo CD would make no Application for it: %s", reason)
			continue
		}
		for _, e := range m.meant(i, application.Object) {
			if got, _ := valueAt(application.Object, e.path).(string); got != e.want {
				// All clusters with the same mistake share one finding.
				text := e.path.String() + " " + e.want
				if _, ok := example[text]; !ok {
					example[text] = got
				}
				f.cluster(m, i, m.At(e.from...), hint, "%s of its Application would be %q, for example; the topology says %q", e.path,
					example[text], e.want)
			}
		}
	}
}

// meaning is the string that a field of an Application must have, and its path
// in the topology.
type meaning struct {
	path fieldPath
	want string
	from []any
}

// meant lists what the topology says about the Application of a cluster.
func (m *mesh) meant(i int, application resource.Object) []meaning {
	c, d, chart := &m.Spec.Clusters[i], m.Spec.Delivery, m.Spec.Kiali.Operator.Chart
	own, from, home := []any{"spec", "clusters", i}, []any{"spec", "delivery"}, []any{"spec", "kiali", "operator", "chart"}
	server, name := m.ArgoCDKnows(c)
	all := []meaning{
		{fieldPath{"metadata", "name"}, m.Application(c), append(own, "name")},
		{spec("project"), d.ArgoCD.Project, append(from, "argocd", "project")},
		{spec("destination.server"), server, append(own, "argocd")},
		{spec("destination.name"), name, append(own, "argocd")},
	}
	for _, list := range []struct {
		key   string
		texts map[string]string
	}{{"labels", d.ArgoCD.Applications.Labels}, {"annotations", d.ArgoCD.Applications.Annotations}} {
		for _, key := range sortedKeys(list.texts) {
			want := list.texts[key]
			if list.key == "annotations" {
				want = c.OnApplication(key, want)
			}
			all = append(all, meaning{fieldPath{"metadata", list.key, key}, want, append(from, "argocd", "applications", list.key, key)})
		}
	}
	sources := []fieldPath{spec("source")}
	if several, ok := valueAt(application, spec("sources")).([]any); ok {
		sources = nil
		for n := range several {
			sources = append(sources, spec("sources").below(n))
		}
	}
	for _, source := range sources {
		if valueAt(application, source.below("chart")) != nil {
			all = append(all, meaning{source.below("repoURL"), strings.TrimPrefix(chart.RepoURL, "oci://"), append(home, "repoURL")},
				meaning{source.below("targetRevision"), chart.Version, append(home, "version")})
			continue
		}
		all = append(all, meaning{source.below("repoURL"), d.RepoURL, append(from, "repoURL")},
			meaning{source.below("targetRevision"), d.Revision, append(from, "revision")})
		if valueAt(application, source.below("plugin")) != nil {
			plugin := source.below("plugin")
			all = append(all,
				meaning{source.below("path"), d.Path, append(from, "path")},
				meaning{plugin.below("name"), d.ArgoCD.Plugin.Name, append(from, "argocd", "plugin", "name")},
				meaning{plugin.below("parameters", 0, "string"), d.ArgoCD.Plugin.Topology, append(from, "argocd", "plugin", "topology")},
				meaning{plugin.below("parameters", 1, "string"), c.Name, append(own, "name")})
		} else if valueAt(application, source.below("helm")) != nil {
			all = append(all, meaning{source.below("helm", "valueFiles", 0), "../clusters/" + c.Name + ".yaml", append(from, "path")})
		} else {
			all = append(all, meaning{source.below("path"), path.Join(d.Path, "clusters", c.Name), append(from, "path")})
		}
	}
	return all
}

// forFlux matches what Flux may replace in a string. A long match is cut.
var forFlux = regexp.MustCompile(`\$\$|\$\{[^}]{0,40}\}?`)

// replaces tells whether Flux's substitution changes the value or fails.
func replaces(v any) bool {
	for _, strict := range []bool{false, true} {
		if _, changed, err := delivery.Substituted(v, strict); changed || err != nil {
			return true
		}
	}
	return false
}
