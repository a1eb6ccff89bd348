package compare

import (
	"encoding/json"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// lastApplied is the annotation in which kubectl apply records the object that it
// applied.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// engineKeys are the labels and annotations with which engines recognize objects that
// they have applied. Applying an object adds them, so it does not lose them.
var engineKeys = []string{
	"app.kubernetes.io/instance", "argocd.argoproj.io/instance", "argocd.argoproj.io/tracking-id", "argocd.argoproj.io/installation-id",
	"helm.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/namespace",
	"kustomize.toolkit.fluxcd.io/name", "kustomize.toolkit.fluxcd.io/namespace",
	"meta.helm.sh/release-name", "meta.helm.sh/release-namespace", lastApplied,
}

// isEngines tells whether a path is the path of a label or an annotation of an
// engine.
func isEngines(path Path) bool {
	return len(path) == 3 && slices.Contains(engineKeys, path[2].Key) &&
		(below(path, "metadata", "labels") || below(path, "metadata", "annotations"))
}

// isHelms tells whether a field is the label that Helm gives to every object of a
// release, whatever the chart says.
func isHelms(f Field) bool {
	return f.Old == labels.Helm && len(f.Path) == 3 && below(f.Path, "metadata", "labels", labels.ManagedBy)
}

// Applied returns the changes that applying an object makes to the live object on a
// cluster: fields that differ, and fields that would be lost. If the object was
// applied and nobody has changed it, there are none.
//
// A key that only the live object has stays, because it belongs to others. There are
// three exceptions: a key in a list, because a list is replaced as a whole; a key in
// a string of YAML, such as config.yaml, for the same reason; and a key that an
// earlier apply has set, according to metadata.managedFields or the annotation of
// kubectl apply.
func Applied(live, object resource.Object) []Field {
	c := comparer{goes: owned(live), lost: true}
	c.values(nil, live, object, false)
	c.fields = slices.DeleteFunc(c.fields, isHelms)
	for _, f := range slices.Clone(c.fields) {
		c.texts(f)
	}
	return c.fields
}

// texts adds the keys that are lost from a string of YAML.
func (c *comparer) texts(f Field) {
	old, isOld := document(f.Old)
	new, isNew := document(f.New)
	if f.Op != Changed || !isOld || !isNew {
		return
	}
	within := comparer{goes: func(Path) bool { return true }, lost: true}
	within.values(f.Path, old, new, false)
	for _, f := range within.fields {
		if f.Lost {
			c.fields = append(c.fields, f)
		}
	}
}

// document is the object in a string of YAML.
func document(v any) (map[string]any, bool) {
	text, ok := v.(string)
	if !ok || !strings.Contains(text, ":") {
		return nil, false
	}
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return nil, false
	}
	decoded, err := resource.DecodeJSON(data)
	m, ok := decoded.(map[string]any)
	return m, ok && err == nil
}

// owned tells which keys of a live object an apply has set.
func owned(live resource.Object) func(Path) bool {
	var sets []map[string]any
	metadata, _ := live["metadata"].(map[string]any)
	managers, _ := metadata["managedFields"].([]any)
	for _, m := range managers {
		manager, _ := m.(map[string]any)
		if fields, ok := manager["fieldsV1"].(map[string]any); ok && manager["operation"] == "Apply" {
			sets = append(sets, fields)
		}
	}
	var last map[string]any
	annotations, _ := metadata["annotations"].(map[string]any)
	if text, ok := annotations[lastApplied].(string); ok {
		_ = json.Unmarshal([]byte(text), &last) // kubectl ignores a broken annotation too
	}
	return func(path Path) bool {
		inSet := func(fields map[string]any) bool { return has(fields, path, "f:") }
		return !isEngines(path) && (has(last, path, "") || slices.ContainsFunc(sets, inSet))
	}
}

// has tells whether there is a value at a path of keys.
func has(v map[string]any, path Path, prefix string) bool {
	for i, step := range path {
		below, ok := v[prefix+step.Key]
		if !ok || step.List {
			return false
		}
		if v, ok = below.(map[string]any); !ok {
			return i == len(path)-1
		}
	}
	return true
}
