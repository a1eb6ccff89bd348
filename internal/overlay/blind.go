package overlay

import (
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// Blind tells whether the component makes the same of an object with marks
// whatever is in their place, so that it can be applied once for all clusters of a
// shape. It errs on the side of no.
func (c *Component) Blind(object resource.Object) bool {
	metadata, _ := object["metadata"].(map[string]any)
	for _, field := range []string{"labels", "annotations"} {
		if _, plain := metadata[field].(map[string]any); metadata[field] != nil && !plain {
			return false
		}
	}
	// Images look at every list of containers, and text that looks like a mark would
	// become one.
	return c.fields["images"] == nil && !resource.HasMark(c.fields) &&
		!slices.ContainsFunc(c.Patches, func(p Patch) bool { return !p.blind(object, metadata) })
}

// blind tells the same of a patch.
func (p *Patch) blind(object resource.Object, metadata map[string]any) bool {
	id := resource.IDOf(object)
	of := resIDOf(id)
	name, namespace := resource.HasMark(id.Name), resource.HasMark(id.Namespace)
	switch {
	case !p.selector.MatchGvk(of.Gvk), !name && !p.selector.MatchName(id.Name),
		!namespace && !p.selector.MatchNamespace(of.EffectiveNamespace()):
		return true // it is for another object
	case name, namespace, p.content == nil, resource.HasMark(p.content):
		return false
	}
	target, _ := p.entry["target"].(map[string]any)
	if (target["labelSelector"] != nil || target["annotationSelector"] != nil) && resource.HasMark(metadata) {
		return false
	}
	if operations, ok := p.content.([]any); ok {
		return !slices.ContainsFunc(operations, func(op any) bool { return !blindOperation(op, object) })
	}
	return blindMerge(p.content, object)
}

// blindOperation tells whether an operation of a JSON patch looks at no value: it
// puts something into a map or a list that is there, or takes it away.
func blindOperation(operation, object any) bool {
	fields, _ := operation.(map[string]any)
	pointer, _ := fields["path"].(string)
	if !slices.Contains([]any{"add", "replace", "remove"}, fields["op"]) || !strings.HasPrefix(pointer, "/") {
		return false
	}
	keys := strings.Split(pointer, "/")
	at := object
	for _, key := range keys[1 : len(keys)-1] {
		m, ok := at.(map[string]any)
		if !ok {
			return !resource.HasMark(at)
		}
		at = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(key)]
	}
	_, isMap := at.(map[string]any)
	return isMap || !resource.HasMark(at)
}

// blindMerge tells whether a strategic merge patch meets maps where it has maps,
// and no list with a value of a cluster, whose entries it might look for by one.
func blindMerge(patch, object any) bool {
	switch patch := patch.(type) {
	case map[string]any:
		m, ok := object.(map[string]any)
		if !ok {
			return !resource.HasMark(object)
		}
		for key, value := range patch {
			if strings.HasPrefix(key, "$") || !blindMerge(value, m[key]) {
				return false
			}
		}
	case []any:
		return !resource.HasMark(object)
	}
	return true
}
