package topology

import (
	"reflect"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// home returns the path of the object to which a key belongs, if there is one
// answer: an object directly below, the only object with this key, or the only one
// whose path has the same last key as path.
func (d *decoder) home(key, path string, fields []field) string {
	for _, f := range fields {
		if f.Type.Kind() == reflect.Struct && slices.ContainsFunc(fieldsOf(f.Type), func(f field) bool { return f.key == key }) {
			return Join(path, f.key)
		}
	}
	homes := d.placesOf(key)
	if len(homes) > 1 {
		alike := "." + path[strings.LastIndex(path, ".")+1:] + "."
		homes = slices.DeleteFunc(slices.Clone(homes), func(home string) bool { return !strings.Contains("."+home+".", alike) })
	}
	if len(homes) != 1 {
		return ""
	}
	return homes[0]
}

// placesOf returns the paths of the objects that have a key.
func (d *decoder) placesOf(key string) []string {
	if d.places == nil {
		d.places = homesOf(d.want.of)
	}
	if key == "enabled" {
		return nil // people try this word everywhere
	}
	return d.places[key]
}

// homesOf maps each key below a type to the paths of the objects that have it.
func homesOf(t reflect.Type) map[string][]string {
	homes := map[string][]string{}
	var walk func(t reflect.Type, path string)
	walk = func(t reflect.Type, path string) {
		for _, f := range fieldsOf(t) {
			homes[f.key] = append(homes[f.key], path)
			switch below := Join(path, f.key); {
			case f.Type.Kind() == reflect.Struct:
				walk(f.Type, below)
			case f.Type.Kind() == reflect.Pointer && f.Type.Elem().Kind() == reflect.Struct:
				walk(f.Type.Elem(), below)
			case f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct:
				walk(f.Type.Elem(), below+"[]")
			}
		}
	}
	walk(t, "")
	return homes
}

func keysHint(fields []field) string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return "the keys here are " + strings.Join(keys, ", ")
}

func nearestField(key string, fields []field) int {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return slices.Index(keys, finding.Nearest(key, keys))
}
