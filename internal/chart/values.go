package chart

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// Paths of values without a hole.
const (
	pathShape   = "shape"
	pathPhases  = "phases"
	pathLinks   = "links"
	pathCluster = "cluster.name" // NOTES.txt uses it
)

// groupDocs documents the values that contain others.
var groupDocs = map[string]string{
	pathShape: "The kind of the cluster. The templates branch on these fields only. The chart accepts only the combinations that " +
		"clusters of the topology have. A cluster of a new kind changes the chart.",
	pathPhases: "The parts of a release. Helm looks up every kind before it installs the first object. So if the cluster does not know the " +
		"Kiali resource yet, install a release with the operator first.",
	pathLinks: "The access of the hub to the remotes.",
}

var phaseDocs = map[resource.Phase]string{
	resource.Operator:   "The Subscription that installs the operator.",
	resource.Kiali:      "The Kiali resource, and the rights of its server.",
	resource.Link:       "The objects for the hub's access to a remote. On a remote, install them after the Kiali resource.",
	resource.ACM:        "The metrics that ACM collects from all clusters, and the Policies that give Kiali access to them.",
	resource.Monitoring: "The monitors, the Telemetry and the configuration of monitoring.",
}

// setting is a value of the chart with its documentation.
type setting struct {
	path     string
	doc      string
	value    any
	required bool
	item     resource.Item // of a list whose items are objects
}

// phases lists the phases that a release of the chart may have. The phase acm
// is only in the chart if a cluster of the topology runs ACM, so that other
// charts do not mention ACM.
func (w *writer) phases() []resource.Phase {
	phases := []resource.Phase{resource.Operator, resource.Kiali, resource.Link, resource.Monitoring}
	for _, s := range w.Shapes {
		if slices.ContainsFunc(s.Resources, func(r resource.Resource) bool { return r.Phase == resource.ACM }) {
			return slices.Insert(phases, 1, resource.ACM)
		}
	}
	return phases
}

// values lists the values that the templates use, in the order of the table.
func (w *writer) values() []setting {
	w.usedValues[pathCluster] = true
	var settings []setting
	seen := map[string]bool{}
	for _, v := range w.Values {
		if w.usedValues[v.Path] && !seen[v.Path] {
			seen[v.Path] = true
			value := v.Default
			if value == nil {
				value = ""
			}
			settings = append(settings, setting{v.Path, v.Doc, value, v.Required, nil})
		}
	}
	for i := range w.Lists {
		if l := &w.Lists[i]; w.usedLists[l.Scope] {
			settings = append(settings, setting{l.Path, l.Doc, l.initial(), false, l.Items})
		}
	}
	w.usual = w.usualShape()
	for _, f := range w.Fields {
		if w.usedFields[f.Name] {
			settings = append(settings, setting{pathShape + "." + f.Name, f.Doc, w.usual[f.Name], false, nil})
		}
	}
	for _, phase := range w.phases() {
		settings = append(settings, setting{pathPhases + "." + string(phase), phaseDocs[phase], true, false, nil})
	}
	return settings
}

// shape returns the fields of a shape that the templates use.
func (w *writer) shape(i int) map[string]any {
	used := map[string]any{}
	for name := range w.usedFields {
		used[name] = w.Shapes[i].Fields[name]
	}
	return used
}

// usualShape returns the shape of most clusters. It is the default, so that
// most clusters do not set a shape.
func (w *writer) usualShape() map[string]any {
	clusters := make([]int, len(w.Shapes))
	for _, c := range w.Clusters {
		clusters[c.Shape]++
	}
	count := map[string]int{}
	shapes := map[string]map[string]any{}
	for i := range w.Shapes {
		s := w.shape(i)
		key := fmt.Sprint(s)
		count[key] += clusters[i]
		shapes[key] = s
	}
	usual := ""
	for _, key := range slices.Sorted(maps.Keys(count)) {
		if usual == "" || count[key] > count[usual] {
			usual = key
		}
	}
	return shapes[usual]
}

// clusterValues returns the file of one cluster: its values that differ from
// the chart's defaults.
func (w *writer) clusterValues(c *Cluster) []byte {
	own := map[string]any{}
	for hole, value := range c.Values {
		v := w.holes[hole]
		if v == nil || !w.has(c.Shape, hole) || reflect.DeepEqual(value, v.Default) {
			continue
		}
		resource.Put(own, v.Path, value)
	}
	for i := range w.Lists {
		l := &w.Lists[i]
		if value := l.value(c.Lists[l.Scope]); w.usedLists[l.Scope] && !reflect.DeepEqual(value, l.initial()) {
			resource.Put(own, l.Path, value)
		}
	}
	for name, value := range w.shape(c.Shape) {
		if value != w.usual[name] {
			resource.Put(own, pathShape+"."+name, value)
		}
	}
	return resource.Encode(fmt.Appendf(nil, "# Values of %s that differ from the chart's defaults.\n", c.Name), own)
}

// has tells whether the objects of a shape use a value.
func (w *writer) has(shape int, hole string) bool {
	if w.asked == nil {
		w.asked = make([]map[string]bool, len(w.Shapes))
	}
	if w.asked[shape] == nil {
		w.asked[shape] = map[string]bool{}
		for _, r := range w.Shapes[shape].Resources {
			for _, scope := range []string{resource.ScopeTopology, resource.ScopeCluster} {
				for _, path := range r.Body.Paths(scope) {
					w.asked[shape][scope+"."+path] = true
				}
			}
		}
	}
	return w.asked[shape][hole] || w.holes[hole].Path == pathCluster
}

// list returns the list of a scope, or nil.
func (w *writer) list(scope string) *List {
	for i := range w.Lists {
		if w.Lists[i].Scope == scope {
			return &w.Lists[i]
		}
	}
	return nil
}

// walk calls leaf for each setting, and group for each value that contains
// settings. It keeps the order of the settings, but puts the settings of a group
// together.
func walk(settings []setting, prefix string, group func(key, path string, depth int), leaf func(key string, s setting, depth int),
	depth int) {
	done := map[string]bool{}
	for _, s := range settings {
		rest, ok := strings.CutPrefix(s.path, prefix)
		if !ok {
			continue
		}
		key, _, below := strings.Cut(rest, ".")
		switch {
		case !below:
			leaf(key, s, depth)
		case !done[key]:
			done[key] = true
			group(key, prefix+key, depth)
			walk(settings, prefix+key+".", group, leaf, depth+1)
		}
	}
}

// valuesFile returns values.yaml: every value with a comment.
func valuesFile(settings []setting) []byte {
	out := []byte("# The defaults for all clusters. clusters/<name>.yaml beside the chart has the values of a cluster that differ.\n")
	comment := func(doc string, depth int) {
		for _, line := range wrap(doc, 110-2*depth) {
			out = fmt.Appendf(out, "%*s# %s\n", 2*depth, "", line)
		}
	}
	apart := func(depth int) {
		// If a string ends with blank lines, another blank line would belong to
		// it.
		if depth == 0 && !bytes.HasSuffix(out, []byte("\n\n")) {
			out = append(out, '\n')
		}
	}
	group := func(key, path string, depth int) {
		apart(depth)
		comment(groupDocs[path], depth)
		out = fmt.Appendf(out, "%*s%s:\n", 2*depth, "", key)
	}
	leaf := func(key string, s setting, depth int) {
		apart(depth)
		comment(s.doc, depth)
		for line := range strings.Lines(string(resource.Encode(nil, map[string]any{key: s.value}))) {
			if line == "\n" {
				out = append(out, line...)
			} else {
				out = fmt.Appendf(out, "%*s%s", 2*depth, "", line)
			}
		}
	}
	walk(settings, "", group, leaf, 0)
	return out
}

func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// schemaFile returns values.schema.json. It knows every value, so it refuses a
// misspelled one. Values that the topology does not check are not checked here.
func (w *writer) schemaFile(settings []setting) ([]byte, error) {
	root := objectSchema("")
	root["$schema"] = "https://json-schema.org/draft-07/schema#"
	root["title"] = "Values of the chart " + w.Name
	properties(root)["global"] = map[string]any{"type": "object", "description": "Helm passes it to a chart that is a dependency of another."}
	at := map[string]map[string]any{"": root}
	parent := func(path string) map[string]any {
		i := max(strings.LastIndex(path, "."), 0)
		return at[path[:i]]
	}
	group := func(key, path string, _ int) {
		at[path] = objectSchema(groupDocs[path])
		properties(parent(path))[key] = at[path]
	}
	leaf := func(key string, s setting, _ int) {
		above := parent(s.path)
		schema := schemaOf(s)
		if strings.HasPrefix(s.path, pathShape+".") && slices.ContainsFunc(w.Shapes, func(other Shape) bool { return other.Fields[key] == "" }) {
			delete(schema, "minLength") // it comes from the usual shape
		}
		properties(above)[key] = schema
		if s.required {
			required, _ := above["required"].([]string)
			above["required"] = append(required, key)
		}
	}
	walk(settings, "", group, leaf, 0)
	if shape := at[pathShape]; shape != nil {
		var shapes []any
		for i := range w.Shapes {
			if s := w.shape(i); !slices.ContainsFunc(shapes, func(other any) bool { return reflect.DeepEqual(other, s) }) {
				shapes = append(shapes, s)
			}
		}
		shape["enum"] = shapes
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(root)
	return out.Bytes(), err
}

func objectSchema(doc string) map[string]any {
	o := map[string]any{"type": "object", "properties": map[string]any{}, "additionalProperties": false}
	if doc != "" {
		o["description"] = doc
	}
	return o
}

func properties(schema map[string]any) map[string]any {
	return schema["properties"].(map[string]any)
}

func schemaOf(s setting) map[string]any {
	schema := map[string]any{}
	if s.doc != "" {
		schema["description"] = s.doc
	}
	switch v := s.value.(type) {
	case bool:
		schema["type"] = "boolean"
	case int:
		schema["type"] = "integer"
	case json.Number:
		schema["type"] = "number"
	case []string:
		schema["type"] = "array"
		schema["items"] = map[string]any{"type": "string", "minLength": 1}
		schema["uniqueItems"] = true
	case []any:
		schema["type"] = "array"
		if s.item == nil { // objects of any form
			schema["items"] = map[string]any{"type": "object"}
			break
		}
		item := objectSchema("")
		for key, value := range s.item {
			properties(item)[key] = schemaOf(setting{value: value})
		}
		item["required"] = slices.Sorted(maps.Keys(s.item))
		schema["items"] = item
		schema["uniqueItems"] = true
	case map[string]any:
		schema["type"] = "object"
	case map[string]string:
		schema["type"] = "object"
		schema["additionalProperties"] = map[string]any{"type": "string"}
	default:
		schema["type"] = "string"
		if s.required || v != "" {
			schema["minLength"] = 1
		}
	}
	return schema
}
