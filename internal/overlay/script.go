package overlay

import (
	"bytes"
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
	vm      Evaluator
	file    string
	dir     string   // the name of the folder in messages
	objects *objects // of all scripts of a topology
	results map[*Object]results
}

func (r *reader) script(name, file string, at finding.Position) *Script {
	if _, ok := r.read(file, at, "a Jsonnet overlay is a file with function(resource, cluster) resource"); !ok {
		return nil
	}
	var vm Evaluator = template.NewHosted(r.root, template.Host{Trace: r.host.Trace, Most: template.MostOfOverlay})
	if r.host.Evaluate != nil {
		vm = r.host.Evaluate(r.root)
	}
	s := &Script{vm: vm, file: file, dir: r.dir, objects: r.objects, results: map[*Object]results{}}
	place, err := s.vm.Tailstrict(file)
	if r.ends(name, at, err) {
		return nil
	}
	if place != "" {
		r.add(at, RuleScript, "remove tailstrict; without it, a call that is too deep ends with an error",
			"overlay %q: %s: tailstrict is not supported in an overlay", name, path.Join(s.dir, place))
		return nil
	}
	kind, err := s.vm.Type(file)
	switch {
	case r.ends(name, at, err):
	case err != nil:
		r.add(at, RuleScript, "", "overlay %q: %v", name, s.explain(err))
	case kind != "function":
		r.add(at, RuleScript, "write function(resource, cluster) resource { … }",
			"overlay %q: %s is of the type %s, expected function(resource, cluster) resource", name, path.Join(s.dir, file), kind)
	default:
		return s
	}
	return nil
}

// ObjectError says why a result is not the object that the script got.
type ObjectError struct{ Message, Hint string }

func (e *ObjectError) Error() string { return e.Message }

// Object returns the Object of a resource, for Apply.
func (s *Script) Object(content resource.Object) (*Object, error) { return s.objects.given(content) }

// Apply returns the result of the function for an object of a cluster, or the
// object itself if the function changes nothing. A result that is another object
// gives an *ObjectError.
//
// Clusters share most of their objects, and a function reads few fields of a
// cluster. Apply calls the function once for each object and each combination of
// values in the fields that it reads.
func (s *Script) Apply(object *Object, cluster *Cluster) (*Object, error) {
	if known, err := s.results[object].find(cluster); known != nil || err != nil {
		return known, err
	}
	made, looked, err := s.call(object, cluster)
	if err != nil {
		return nil, err
	}
	s.results[object], err = s.results[object].with(looked, cluster, made)
	return made, err
}

// ErrLooked is a function that reads the cluster in ApplyBlind, where no cluster
// is known.
var ErrLooked = errors.New("it looks at the cluster")

// ApplyBlind returns the result of the function for an object with holes, which
// belongs to no cluster yet. The function sees the object before a value is merged
// over it; ApplyBlind adds the merge to the result. A function that reads the
// cluster gives ErrLooked.
func (s *Script) ApplyBlind(object resource.Object) (resource.Object, error) {
	plain, merged := resource.Unmerge(object)
	input, err := s.Object(plain)
	if err != nil {
		return nil, err
	}
	made, looked, err := s.call(input, NewCluster(nil))
	if len(looked) > 0 {
		return nil, ErrLooked
	}
	if err != nil || made == input {
		return object, err
	}
	content, err := made.Content()
	if err != nil {
		return nil, err
	}
	return merged(content)
}

// clusterFields are the fields of a cluster that a function can read, in order.
var clusterFields = []string{"controlPlane", "domain", "hub", "labels", "name", "namespaces", "network", "platform", "server", "version"}

// call calls the function and checks its result. looked has the fields of the
// cluster that the function read.
func (s *Script) call(object *Object, cluster *Cluster) (made *Object, looked map[string]bool, err error) {
	fields, looked := template.Fields{}, map[string]bool{}
	for _, name := range clusterFields {
		fields[name] = func() any { looked[name] = true; return cluster.fields[name] }
	}
	out, err := s.vm.Call(s.file, map[string]any{"resource": json.RawMessage(object.json), "cluster": fields})
	if err != nil {
		return nil, looked, s.explain(err)
	}
	made, err = s.resultOf(object, out)
	return made, looked, err
}

// resultOf checks a result, which is JSON. It returns the object itself if the result
// has the same values.
func (s *Script) resultOf(object *Object, out []byte) (*Object, error) {
	var compact bytes.Buffer
	if json.Compact(&compact, out) == nil && bytes.Equal(compact.Bytes(), object.json) {
		return object, nil // most results; decoding takes longer
	}
	var plain, result any
	if err := errors.Join(json.Unmarshal(object.json, &plain), json.Unmarshal(out, &result)); err != nil {
		return nil, err
	}
	// Numbers are equal by their value.
	if reflect.DeepEqual(result, plain) {
		return object, nil
	}
	decoded, err := resource.DecodeJSON(out)
	if err != nil {
		return nil, err
	}
	changed, ok := decoded.(map[string]any)
	if !ok {
		return nil, &ObjectError{"it returned " + typeName(decoded) + ", expected the resource",
			"return the resource itself if there is nothing to change; " + Field(resource.IDOf(plain.(map[string]any)).Kind)}
	}
	if err := sameObject(plain.(map[string]any), changed); err != nil {
		return nil, err
	}
	return s.objects.made(changed)
}

// explain returns the error of a failed script, with its places relative to the
// topology's folder.
func (s *Script) explain(err error) error {
	var failed *template.Error
	if !errors.As(err, &failed) {
		return err
	}
	// An error before the evaluation has its place in the message.
	message := failed.Message
	if place, rest, ok := strings.Cut(message, ":"); ok && place != "" && !strings.Contains(place, " ") {
		message = path.Join(s.dir, place) + ":" + rest
	}
	var text strings.Builder
	text.WriteString(message)
	for _, at := range failed.Trace {
		if at != template.More {
			at = path.Join(s.dir, at)
		}
		text.WriteString("\n    at " + at)
	}
	return errors.New(text.String())
}

// sameObject checks that a result has the identity of the object that the script
// got, no null, and only strings as labels and annotations. The error is an
// *ObjectError.
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
			return &ObjectError{fmt.Sprintf("it returned an object without the %s %q", field.name, field.was),
				"return resource + { … }, which keeps all other fields"}
		}
		return &ObjectError{fmt.Sprintf("it changed %s from %q to %q, but the resources of several clusters refer to each other by name",
			field.name, field.was, field.is), Field(was.Kind)}
	}
	if at := resource.Null(result); at != "" {
		return &ObjectError{"it set " + at + " to null, which programs read in different ways",
			"remove the field: {[k]: resource[k] for k in std.objectFields(resource) if …}, or std.prune"}
	}
	for _, field := range []string{"labels", "annotations"} {
		metadata, _ := result["metadata"].(map[string]any)
		texts, ok := metadata[field].(map[string]any)
		if !ok && metadata[field] != nil {
			return &ObjectError{"it made metadata." + field + " " + typeName(metadata[field]) + ", expected an object", ""}
		}
		for _, key := range slices.Sorted(maps.Keys(texts)) {
			if _, ok := texts[key].(string); !ok {
				return &ObjectError{fmt.Sprintf("it set metadata.%s[%q] to %s, expected a string", field, key, typeName(texts[key])),
					"write std.toString(…)"}
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
