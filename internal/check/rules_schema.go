package check

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/sightline-mesh/sightline/internal/credential"
	"github.com/sightline-mesh/sightline/internal/finding"
)

// schemaRules compare objects with the definitions of their kinds, if there
// are any.
func schemaRules() []Rule {
	return []Rule{
		{
			ID:     "SC01",
			Title:  "the API server keeps every field",
			What:   "With --crds, each field of a custom resource is in its definition. (For Kiali resources that is KC13.)",
			Why:    "The API server drops what it does not know, and says nothing.",
			Fix:    "Correct the field in the overlay that the position names; or update the operator that brings the definition.",
			Source: "k8s.io/apiextensions-apiserver",
			mesh:   prunedFields,
		},
		{
			ID:     "SC02",
			Title:  "the API server takes every object",
			What:   "With --crds, each custom resource passes the schema of its definition and its rules in CEL.",
			Why:    "The sync fails on the cluster, long after the commit.",
			Fix:    "Correct the value at the position; the message is that of the API server.",
			Source: "k8s.io/apiextensions-apiserver",
			mesh:   refusedObjects,
		},
		{
			ID: "SC03", Severity: finding.Info,
			Title:  "every kind has its definition",
			What:   "With --crds, the folder has the definition of each custom resource that is rendered.",
			Why:    "What has none is not compared with anything.",
			Fix:    "Add it: kubectl get crd -o yaml > crds/all.yaml",
			Source: "k8s.io/apiextensions-apiserver",
			mesh:   missingDefinitions,
		},
	}
}

func prunedFields(m *mesh, f *found) {
	for _, o := range m.ofClusters() {
		d := m.definitions.of(o.ID)
		if d == nil || o.ID.Kind == "Kiali" {
			continue
		}
		if content, err := plain(o); err == nil {
			for _, path := range d.dropped(content) {
				f.object(o, parsePath(path), "correct it; the definition is the one that --crds has",
					"the definition of %s has no field %s, and the API server would drop it", o.ID.Kind, path)
			}
		}
	}
}

func refusedObjects(m *mesh, f *found) {
	for _, o := range m.ofClusters() {
		d := m.definitions.of(o.ID)
		if d == nil {
			continue
		}
		if d.namespaced != (o.ID.Namespace != "") {
			f.object(o, fieldPath{"metadata"}, "", "the %s %s has a namespace that its definition does not allow, or lacks one", o.ID.Kind,
				o.ID.Name)
		}
		if !d.served {
			f.object(o, fieldPath{"apiVersion"}, "update the definitions, or the operator that brings them",
				"the definition of %s does not serve %s", o.ID.Kind, o.ID.APIVersion)
		}
		content, err := plain(o)
		if err != nil {
			continue
		}
		d.dropped(content)
		for _, refusal := range d.refused(content) {
			path := parsePath(strings.TrimSuffix(refusal.Field, "<nil>"))
			part := "the"
			if refusal.Field != "" && refusal.Field != "<nil>" {
				part = refusal.Field + " of the"
			}
			f.object(o, path, "correct the value; the definition is the one that --crds has", "the API server would refuse %s %s: %s", part, o,
				refusalText(refusal, path))
		}
	}
}

// refusalText says what is wrong, and repeats no value that may be a
// credential.
func refusalText(refusal *field.Error, path fieldPath) string {
	if slices.ContainsFunc(path, func(step any) bool { key, _ := step.(string); return credential.Named(key) }) {
		return "the value is of the wrong form"
	}
	const most = 300
	if text := []rune(refusal.ErrorBody()); len(text) > most {
		return string(text[:most]) + "…"
	}
	return refusal.ErrorBody()
}

func missingDefinitions(m *mesh, f *found) {
	if m.definitions == nil {
		return
	}
	seen := map[string]bool{}
	for _, o := range m.ofClusters() {
		key := o.ID.APIVersion + " " + o.ID.Kind
		if builtIn(o.ID) || m.definitions.has(o.ID) || seen[key] {
			continue
		}
		seen[key] = true
		f.on(m, m.At("metadata", "name"), "add it: kubectl get crd -o yaml > crds/all.yaml",
			"--crds has no definition of %s %s, so these objects are not compared with one", o.ID.APIVersion, o.ID.Kind)
	}
}
