package check

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/sightline-mesh/sightline/internal/credential"
	"github.com/sightline-mesh/sightline/internal/finding"
)

// schemaRules compare objects with the definitions of their kinds, if
// definitions are given.
func schemaRules() []Rule {
	return []Rule{
		{
			ID:     "SC01",
			Title:  "the definitions have every field",
			What:   "With --crds, the definition (CRD) has each field of a custom resource. (For Kiali resources, KC13 checks this.)",
			Why:    "The API server silently drops fields that the definition lacks.",
			Fix:    "Correct the field in the overlay at the position. Or update the operator that brings the definition.",
			Source: "k8s.io/apiextensions-apiserver",
			mesh:   prunedFields,
		},
		{
			ID:     "SC02",
			Title:  "the API server accepts every object",
			What:   "With --crds, each custom resource passes the schema and the CEL rules of its definition.",
			Why:    "The sync fails on the cluster, long after the commit.",
			Fix:    "Correct the value at the position. The message comes from the API server.",
			Source: "k8s.io/apiextensions-apiserver",
			mesh:   refusedObjects,
		},
		{
			ID: "SC03", Severity: finding.Info,
			Title:  "every kind has a definition",
			What:   "With --crds, the folder has a definition for each rendered custom resource.",
			Why:    "An object without a definition is not checked.",
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
				f.object(o, parsePath(path), "correct it; the definition comes from --crds",
					"the definition of %s has no field %s; the API server would drop it", o.ID.Kind, path)
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
			f.object(o, path, "correct the value; the definition comes from --crds", "the API server would refuse %s %s: %s", part, o,
				refusalText(refusal, path))
		}
	}
}

// refusalText says what is wrong. It never repeats a value that may be a
// credential.
func refusalText(refusal *field.Error, path fieldPath) string {
	if slices.ContainsFunc(path, func(step any) bool { key, _ := step.(string); return credential.Named(key) }) {
		return "the value has the wrong form"
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
			"--crds has no definition of %s %s, so these objects are not checked", o.ID.APIVersion, o.ID.Kind)
	}
}
