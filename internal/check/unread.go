package check

import "github.com/sightline-mesh/sightline/internal/kiali"

// unread is a field of a Kiali resource that its release line does not read, or
// that no operator knows.
type unread struct {
	path  fieldPath
	name  string // its name in the table
	field kiali.Field
	known bool
}

// unreadFields lists the fields of a Kiali resource that will have no effect.
func unreadFields(o *object) []unread {
	line := o.mesh.of(o).Kiali.Version
	table := kiali.Fields()
	var all []unread
	var visit func(v any, path fieldPath, name string)
	visit = func(v any, path fieldPath, name string) {
		switch v := v.(type) {
		case map[string]any:
			for _, key := range sortedKeys(v) {
				below := key
				if name != "" {
					below = name + "." + key
				}
				switch f, ok := table[below]; {
				case !ok:
					all = append(all, unread{path.below(key), below, f, false})
				case !f.In(line):
					all = append(all, unread{path.below(key), below, f, true})
				case f.Section():
					visit(v[key], path.below(key), below)
				}
			}
		case []any:
			if _, ok := table[name+"[]"]; ok {
				for i, item := range v {
					visit(item, path.below(i), name+"[]")
				}
			}
		}
	}
	visit(o.content["spec"], fieldPath{"spec"}, "")
	return all
}
