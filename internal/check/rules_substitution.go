package check

import (
	"regexp"

	"github.com/sightline-mesh/sightline/internal/delivery"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// substitutionRules are about what engines replace in the objects that they
// apply.
func substitutionRules() []Rule {
	return []Rule{
		{
			ID: "DL01", Severity: topology.Warning,
			Title: "Flux leaves every object as it is",
			What: "With delivery.flux, Flux's own substitution of variables, lenient and strict, is run over each object, those of delivery and all that overlays change included, and gives back what was rendered. " +
				"Every object has the annotation that keeps it out; the rule looks at those that an overlay takes it from.",
			Why:    "A Kustomization with a postBuild, which many platforms patch into all of theirs, replaces ${…} and $$ in everything that it applies. The ${1} of a relabeling becomes nothing, and no error shows it; a ${ that is not closed stops the whole Kustomization.",
			Fix:    "Leave the annotation kustomize.toolkit.fluxcd.io/substitute: disabled on the object. Suppress the rule where no Kustomization has a postBuild.",
			Source: "github.com/fluxcd/pkg/kustomize kustomize_varsub.go, github.com/fluxcd/pkg/envsubst; both as kustomize-controller calls them",
			mesh:   substituted,
		},
		{
			ID: RuleChart, FoundBy: byRender,
			Title:  "Helm gives the objects of the other formats",
			What:   "With --format helm, the chart of the topology, rendered by Helm's engine with the values of a cluster, gives the very objects that the kustomize tree and the manifests have: for a cluster of each shape, and for each that a Jsonnet overlay changes. The format also cannot have kustomize overlays.",
			Why:    "Helm reads {{ in templates as an action of its own, and Argo CD and Flux render the chart on the cluster's behalf, where nobody compares. `render --format helm` writes nothing either where they differ.",
			Fix:    "Correct the overlay that the message names so that it places values, and neither computes with them nor branches on them. Or deliver another format.",
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
	for _, objects := range [][]*object{m.objects, m.delivered} {
		for _, o := range objects {
			if delivery.Substitutes(o.content) && replaces(o.content) {
				substitutedFields(o, f)
			}
		}
	}
}

// substitutedFields names the fields, and the keys, that are not what they
// were.
func substitutedFields(o *object, f *found) {
	const hint = "leave the annotation kustomize.toolkit.fluxcd.io/substitute: disabled on the object; or suppress DL01 where no Kustomization has a postBuild"
	named := false
	say := func(path fieldPath, what, text string) {
		named = true
		f.object(o, path, hint, "%s of the %s has %q in it, which Flux replaces where a Kustomization has a postBuild", what, o, forFlux.FindString(text))
	}
	walk(o.content, nil, func(path fieldPath, v any) {
		if shellRemnant(path, v) != "" {
			named = true // by the rule about these
			return
		}
		if text, ok := v.(string); ok && replaces(text) {
			say(path, path.String(), text)
			return
		}
		if n := len(path); n > 0 {
			if key, ok := path[n-1].(string); ok && replaces(key) {
				say(path, "the key "+path.String(), key)
			}
		}
	})
	if !named {
		f.object(o, nil, hint, "the %s is not what it was once Flux has replaced variables in it, where a Kustomization has a postBuild", o)
	}
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
