package overlay

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/template"
)

// Script is a Jsonnet overlay: function(resource, cluster) resource.
type Script struct {
	vm   *template.VM
	file string
	dir  string              // what messages call the folder of the file
	same map[[32]byte]result // what it made of objects without looking at the cluster
}

type result struct {
	object  resource.Object
	changed bool
}

func (r *reader) script(name, file string, at finding.Position) *Script {
	if _, ok := r.read(file, at, "a Jsonnet overlay is a file with function(resource, cluster) resource"); !ok {
		return nil
	}
	s := &Script{vm: template.New(r.root), file: file, dir: r.dir, same: map[[32]byte]result{}}
	kind, err := s.vm.Type(file)
	switch {
	case err != nil:
		r.add(at, RuleScript, "", "overlay %q: %v", name, s.explain(err))
	case kind != "function":
		r.add(at, RuleScript, "write function(resource, cluster) resource { … }", "overlay %q: %s is of the type %s, expected function(resource, cluster) resource", name, path.Join(s.dir, file), kind)
	default:
		return s
	}
	return nil
}

// ObjectError is what makes a result that is not the object it was made of.
type ObjectError struct{ Message, Hint string }

func (e *ObjectError) Error() string { return e.Message }

// Apply returns what the function makes of an object of a cluster. changed
// tells whether that is something else; the object itself is never changed. A
// result that is another object gives an *ObjectError.
//
// Clusters have most of their objects in common, so a result that the function
// came to without a look at the cluster is that of every cluster.
func (s *Script) Apply(object resource.Object, cluster map[string]any) (_ resource.Object, changed bool, err error) {
	data, err := json.Marshal(object)
	if err != nil {
		return nil, false, err
	}
	key := sha256.Sum256(data)
	if r, ok := s.same[key]; ok {
		return r.object, r.changed, nil
	}
	r, looked, err := s.call(object, data, cluster)
	if err != nil {
		return nil, false, err
	}
	if !looked {
		s.same[key] = r
	}
	return r.object, r.changed, nil
}

// ErrLooked is a function that looks at the cluster where there is none to
// look at.
var ErrLooked = errors.New("it looks at the cluster")

// ApplyBlind returns what the function makes of an object with holes, which is
// of no cluster yet. What waits for a value to be merged over it is to the
// function as it is without; the merge comes after it. A function that looks
// at the cluster gives ErrLooked.
func (s *Script) ApplyBlind(object resource.Object) (resource.Object, error) {
	plain, merged := resource.Unmerge(object)
	data, err := json.Marshal(plain)
	if err != nil {
		return nil, err
	}
	r, looked, err := s.call(plain, data, nil)
	if looked {
		return nil, ErrLooked
	}
	if err != nil || !r.changed {
		return object, err
	}
	return merged(r.object)
}

// call calls the function and makes sure of its result; data is the object in
// JSON. looked tells whether the function looked at the cluster.
func (s *Script) call(object resource.Object, data []byte, cluster map[string]any) (_ result, looked bool, _ error) {
	look := func() any { looked = true; return cluster }
	out, err := s.vm.Call(s.file, map[string]any{"resource": object, "cluster": look})
	if err != nil {
		return result{}, looked, s.explain(err)
	}
	r, err := resultOf(object, data, out)
	return r, looked, err
}

// resultOf makes sure of a result; data is the object in JSON, and out the
// result.
func resultOf(object resource.Object, data, out []byte) (result, error) {
	decoded, err := resource.DecodeJSON(out)
	if err != nil {
		return result{}, err
	}
	changed, ok := decoded.(map[string]any)
	if !ok {
		return result{}, &ObjectError{"it returned " + typeName(decoded) + ", expected the resource", "return the resource itself where there is nothing to change; " + Field(resource.IDOf(object).Kind)}
	}
	if err := sameObject(object, changed); err != nil {
		return result{}, err
	}
	// Numbers are equal by their value.
	var a, b any
	if err := errors.Join(json.Unmarshal(data, &a), json.Unmarshal(out, &b)); err != nil {
		return result{}, err
	}
	if reflect.DeepEqual(a, b) {
		return result{object: object}, nil
	}
	return result{object: changed, changed: true}, nil
}

// explain says what a failed script says, its places below the folder that the
// user knows.
func (s *Script) explain(err error) error {
	var failed *template.Error
	if !errors.As(err, &failed) {
		return err
	}
	// What fails before it runs names its place itself.
	message := failed.Message
	if place, rest, ok := strings.Cut(message, ":"); ok && place != "" && !strings.Contains(place, " ") {
		message = path.Join(s.dir, place) + ":" + rest
	}
	var text strings.Builder
	text.WriteString(message)
	for _, at := range failed.Trace {
		text.WriteString("\n    at " + path.Join(s.dir, at))
	}
	return errors.New(text.String())
}

// sameObject makes sure that a result is what it was made of, changed, and
// nothing that an API server would take for another.
func sameObject(object, result resource.Object) error {
	was, is := resource.IDOf(object), resource.IDOf(result)
	for _, field := range []struct{ name, was, is string }{
		{"apiVersion", was.APIVersion, is.APIVersion},
		{"kind", was.Kind, is.Kind},
		{"metadata.name", was.Name, is.Name},
		{"metadata.namespace", was.Namespace, is.Namespace},
	} {
		if field.was == field.is {
			continue
		}
		if field.is == "" {
			return &ObjectError{fmt.Sprintf("it returned an object without the %s %q", field.name, field.was), "return resource + { … }, which keeps what is not named"}
		}
		return &ObjectError{fmt.Sprintf("it changed %s from %q to %q, and by their names the resources of several clusters find each other", field.name, field.was, field.is), Field(was.Kind)}
	}
	if at := resource.Null(result); at != "" {
		return &ObjectError{"it set " + at + " to null, of which every program makes something else", "leave the field out: {[k]: resource[k] for k in std.objectFields(resource) if …}, or std.prune"}
	}
	for _, field := range []string{"labels", "annotations"} {
		metadata, _ := result["metadata"].(map[string]any)
		texts, ok := metadata[field].(map[string]any)
		if !ok && metadata[field] != nil {
			return &ObjectError{"it made metadata." + field + " " + typeName(metadata[field]) + ", expected an object", ""}
		}
		for _, key := range slices.Sorted(maps.Keys(texts)) {
			if _, ok := texts[key].(string); !ok {
				return &ObjectError{fmt.Sprintf("it set metadata.%s[%q] to %s, expected a string", field, key, typeName(texts[key])), "write std.toString(…)"}
			}
		}
	}
	return nil
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case map[string]any:
		return "an object"
	case []any:
		return "an array"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	}
	return "a number"
}
