package overlay

import (
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// Blind tells whether the component changes an object with marks in the same way
// for all values of the marks. Then it can be applied once for all clusters of a
// shape. In doubt, Blind returns false.
func (c *Component) Blind(object resource.Object) bool {
	metadata, _ := object["metadata"].(map[string]any)
	for _, field := range []string{"labels", "annotations"} {
		if _, plain := metadata[field].(map[string]any); metadata[field] != nil && !plain {
			return false
		}
	}
	// images read every list of containers. Text of the component that looks like a
	// mark would become a mark.
	return c.fields["images"] == nil && !resource.HasMark(c.fields) &&
		!slices.ContainsFunc(c.Patches, func(p Patch) bool { return !p.blind(object, metadata) })
}

// blind is Blind for one patch.
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

// blindOperation tells whether an operation of a JSON patch reads no value: it
// only adds an entry to an existing map or list, or replaces or removes one.
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

// blindMerge tells whether a strategic merge patch has maps only where the object
// has maps, and no list in place of a list with marks. In such a list, the merge
// may look for an entry by its value.
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
