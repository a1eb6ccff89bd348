// Package resource has the Kubernetes objects of Sightline, and the YAML encoder that
// prints them. An object is plain data: maps, slices, strings, booleans, numbers and
// nil, as encoding/json decodes them. A [Body] is an object with holes for values.
//
// A [Body] is compiled once and filled once for each cluster. [Encode] and [Body.Append]
// print with the same code. So a filled body and an encoded object with the same values
// are the same bytes.
package resource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Object is one Kubernetes object.
type Object = map[string]any

// ID identifies an object on a cluster.
type ID struct {
	APIVersion, Kind, Namespace, Name string
}

func (id ID) String() string {
	name := id.Name
	if id.Namespace != "" {
		name = id.Namespace + "/" + name
	}
	return id.APIVersion + " " + id.Kind + " " + name
}

// IDOf reads the identity of an object. Fields that the object lacks stay empty.
func IDOf(o Object) ID {
	meta, _ := o["metadata"].(map[string]any)
	return ID{
		APIVersion: text(o["apiVersion"]),
		Kind:       text(o["kind"]),
		Namespace:  text(meta["namespace"]),
		Name:       text(meta["name"]),
	}
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// Named returns the objects of a template's result by their names. Any other result is an
// error.
func Named(v any) (map[string]Object, error) {
	byName, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("expected objects by their names, found %T", v)
	}
	objects := make(map[string]Object, len(byName))
	for name, v := range byName {
		object, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: expected an object, found %T", name, v)
		}
		objects[name] = object
	}
	return objects, nil
}

// DecodeJSON reads one JSON value. Numbers keep their text.
func DecodeJSON(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one JSON value")
	}
	return v, nil
}

// Null returns the path of the first null in an object, such as spec.ports[0], or "". No
// object may have a null: for one program it is an empty value, for another it removes
// the field.
func Null(o Object) string { return strings.TrimPrefix(nullBelow(o, ""), ".") }

func nullBelow(v any, at string) string {
	switch v := v.(type) {
	case nil:
		return at
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if found := nullBelow(v[key], at+"."+key); found != "" {
				return found
			}
		}
	case []any:
		for i, item := range v {
			if found := nullBelow(item, at+"["+strconv.Itoa(i)+"]"); found != "" {
				return found
			}
		}
	}
	return ""
}
