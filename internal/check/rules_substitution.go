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

// substitutionRules are about what engines replace in the objects that they
// apply.
func substitutionRules() []Rule {
	return []Rule{
		{
			ID: "DL01", Severity: finding.Warning,
			Title: "Flux leaves every object as it is",
			What: "With delivery.flux, Flux's own substitution of variables, lenient and strict, is run over each object, those of delivery and " +
				"all that overlays change included, and gives back what was rendered. " +
				"Every object has the annotation that keeps it out; the rule looks at those that an overlay takes it from.",
			Why: "A Kustomization with a postBuild, which many platforms patch into all of theirs, replaces ${…} and $$ in everything that it " +
				"applies. The ${1} of a relabeling becomes nothing, without an error before kustomize-controller 1.9, which refuses it; a ${ that is " +
				"not closed stops the whole Kustomization.",
			Fix: "Leave the annotation kustomize.toolkit.fluxcd.io/substitute: disabled on the object. Suppress the rule where no " +
				"Kustomization has a postBuild.",
			Source: "github.com/fluxcd/pkg/kustomize kustomize_varsub.go, github.com/fluxcd/pkg/envsubst; both as kustomize-controller calls them",
			mesh:   substituted,
		},
		{
			ID:    "DL02",
			Title: "the ApplicationSet makes of each cluster what the topology says",
			What: "With delivery.argocd, the ApplicationSet's template is executed for each cluster, by Go's templates and with a missing key " +
				"as an error, as Argo CD does it. Name, destination, labels, annotations and sources of the Application are those of the topology. " +
				"(Not with generator: clusters or acm, which have the clusters from Argo CD and ACM.)",
			Why:    "A {{ in an address is an action to the template: the Application would be of another repository, or there would be none.",
			Fix:    "Write the address without {{.",
			Source: "argo-cd applicationset/utils/utils.go; text/template, github.com/Masterminds/sprig",
			mesh:   madeApplications,
		},
		{
			ID: RuleChart, FoundBy: byRender,
			Title: "Helm gives the objects of the other formats",
			What: "With --format helm, the chart of the topology, rendered by Helm's engine with the values of a cluster, gives the very " +
				"objects that the kustomize tree and the manifests have: for a cluster of each shape, and for each that a Jsonnet overlay changes. " +
				"The format also cannot have kustomize overlays.",
			Why: "Helm reads {{ in templates as an action of its own, and Argo CD and Flux render the chart on the cluster's behalf, where " +
				"nobody compares. `render --format helm` writes nothing either where they differ.",
			Fix: "Correct the overlay that the message names so that it places values, and neither computes with them nor branches on them. Or " +
				"deliver another format.",
			Source: "helm.sh/helm/v3/pkg/engine, run over the chart",
		},
	}
}

// RuleChart is the rule that a chart gives the objects of the other formats.
const RuleChart = "DL03"

// substituted runs Flux's substitution over all objects. Almost all of them
// stay out of it, which costs no more than a look at their annotations.
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
					if o.overlaid { // an overlay has made it on all clusters that it matches
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

// substitution is what Flux replaces in fields that one line of the topology
// gives, of objects that differ by their namespaces: an overlay that takes the
// annotation from a monitor takes it from all of them.
type substitution struct {
	*object           // the first of them
	path    fieldPath // the first of its fields; nil where no field says it
	text    string    // in the first field
	fields  []string
	several bool // of the objects
}

// substitutedAt is what substitutions that are one finding share.
type substitutedAt struct {
	cluster          int
	kind, name, text string
	at               finding.Position
}

func (r *substitution) report(f *found) {
	hint := "leave the annotation kustomize.toolkit.fluxcd.io/substitute: disabled on the object; or suppress DL01 where no Kustomization " +
		"has a postBuild"
	if r.cluster < 0 {
		hint = "write the address without it; or suppress DL01 where no Kustomization has a postBuild"
	}
	what := r.String()
	if r.several { // clusters may differ in their namespaces, and are named together
		what = r.ID.Kind + " " + r.ID.Name + " in several namespaces"
	}
	if r.path == nil {
		f.object(r.object, nil, hint, "the %s is not what it was once Flux has replaced variables in it, where a Kustomization has a postBuild",
			what)
		return
	}
	has := "has"
	if len(r.fields) > 1 {
		has = "have"
	}
	f.object(r.object, r.path, hint, "%s of the %s %s %q in it, which Flux replaces where a Kustomization has a postBuild",
		finding.List(r.fields, most), what, has, r.text)
}

// substitutions finds the fields, and the keys, that are not what they were.
func substitutions(o *object) []substitution {
	var all []substitution
	named := false
	say := func(at fieldPath, what, text string) {
		named = true
		all = append(all, substitution{o, at, forFlux.FindString(text), []string{what}, false})
	}
	walk(o.content, nil, func(at fieldPath, v any) {
		if o.cluster >= 0 && shellRemnant(at, v) != "" {
			named = true // by the rule about these, which looks at the clusters' objects
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

// madeApplications makes the Applications, and compares them with the
// topology.
func madeApplications(m *mesh, f *found) {
	argo := m.argoCD()
	if argo == nil || argo.NamesByGenerator() {
		return
	}
	const hint = "write addresses without {{, which the template of the ApplicationSet takes for its own"
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
			f.cluster(m, i, m.At("spec", "delivery", "repoURL"), hint, "Argo CD would make no Application of it: %s", reason)
			continue
		}
		for _, e := range m.meant(i, application.Object) {
			if got, _ := valueAt(application.Object, e.path).(string); got != e.want {
				// One line for all clusters that it is wrong for in the same way.
				text := e.path.String() + " " + e.want
				if _, ok := example[text]; !ok {
					example[text] = got
				}
				f.cluster(m, i, m.At(e.from...), hint, "%s of its Application would be %q, for example, and the topology means %q", e.path,
					example[text], e.want)
			}
		}
	}
}

// meaning is the text that a field of an Application has to be, and where the
// topology says so.
type meaning struct {
	path fieldPath
	want string
	from []any
}

// meant is what the topology says about the Application of a cluster.
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

// forFlux is what Flux looks at in a text, in short.
var forFlux = regexp.MustCompile(`\$\$|\$\{[^}]{0,40}\}?`)

// replaces tells whether Flux's substitution gives anything else than the
// value, or fails.
func replaces(v any) bool {
	for _, strict := range []bool{false, true} {
		if _, changed, err := delivery.Substituted(v, strict); changed || err != nil {
			return true
		}
	}
	return false
}
