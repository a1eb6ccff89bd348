package topology

import (
	"cmp"
	"embed"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// Field describes one field of a topology. It comes from the types and their
// comments, so it cannot be out of date.
type Field struct {
	Path     string   // such as spec.clusters[].controlPlane.mode
	Type     string   // in words
	Form     string   // the form of a value, or ""
	Values   []string // the allowed values, if they can be listed
	Default  string   // in words, if there is one
	Required string   // an example, if the field is required
	Comment  string   // what it means
	Changes  string   // the resources that it changes; "" if this differs between the fields below it
	Section  bool     // the field has fields below it
}

// Parent is the path of the object or list of objects to which the field
// belongs, or "".
func (f *Field) Parent() string {
	parent, _ := cutLast(f.Path)
	return strings.TrimSuffix(parent, "[]")
}

// Key is the last part of the path.
func (f *Field) Key() string {
	_, key := cutLast(f.Path)
	return key
}

func cutLast(path string) (before, last string) {
	i := strings.LastIndexByte(path, '.')
	return path[:max(i, 0)], path[i+1:]
}

// Fields lists all fields of a topology, in the order of the types. An object
// comes before its fields.
func Fields() []Field {
	var fields []Field
	docs := comments()
	var walk func(t reflect.Type, path, changes string)
	walk = func(t reflect.Type, path, changes string) {
		for _, f := range fieldsOf(t) {
			described := describeField(f, docs[t.Name()+"."+f.Name])
			described.Path = Join(path, f.key)
			if described.Changes == "" {
				described.Changes = changes
			}
			below, list := structOf(f.Type)
			described.Section = below != nil
			fields = append(fields, described)
			if below != nil {
				walk(below, described.Path+list, described.Changes)
			}
		}
	}
	walk(reflect.TypeFor[Topology](), "", "")
	return fields
}

// structOf returns the struct of a type, and "[]" if the type is a list of
// structs.
func structOf(t reflect.Type) (below reflect.Type, list string) {
	switch t.Kind() {
	case reflect.Pointer:
		t = t.Elem()
	case reflect.Slice:
		t, list = t.Elem(), "[]"
	}
	if t.Kind() != reflect.Struct {
		return nil, ""
	}
	return t, list
}

func describeField(f field, doc string) Field {
	tag := f.Tag
	described := Field{
		Type:     typeInWords(f.Type, tag.Get("format")),
		Required: tag.Get("required"),
		Default:  tag.Get("default"),
	}
	described.Comment, described.Changes = cutSentence(doc, "Changes: ")
	var derived string
	if described.Comment, derived = cutSentence(described.Comment, "Default: "); derived != "" {
		described.Default = derived
	}
	described.Values = allowed(f.Type, tag)
	if words := words(tag); words != nil {
		described.Values = words
		described.Type = "string, or " + described.Type
	}
	if check, ok := formats[tag.Get("format")]; ok && !check.secret {
		// The message for a value that never fits describes the form.
		problem, _ := check.problem("\x00")
		described.Form = strings.TrimPrefix(problem, "must be ")
	}
	return described
}

// cutSentence removes the sentence that begins with a word from a comment, and
// returns both.
func cutSentence(doc, word string) (rest, sentence string) {
	before, after, ok := strings.Cut(doc, word)
	if !ok {
		return doc, ""
	}
	sentence, rest = firstSentence(after)
	return strings.TrimSpace(before + rest), strings.TrimSuffix(sentence, ".")
}

// firstSentence ends at a full stop before a space, because the name of a host
// has full stops too.
func firstSentence(s string) (sentence, rest string) {
	if i := strings.Index(s, ". "); i >= 0 {
		return s[:i+1], s[i+2:]
	}
	return s, ""
}

// Summary is the first sentence of the comment.
func (f *Field) Summary() string {
	sentence, _ := firstSentence(f.Comment)
	return strings.TrimSuffix(sentence, ".")
}

// textNames are the words for strings of a format, if there is a better word
// than string.
var textNames = map[string]string{
	"argoServer":   "URL",
	"certificates": "certificates in PEM",
	"pem":          "certificates in PEM",

	"duration":  "duration",
	"host":      "host name",
	"secretRef": "reference secret:<name>:<key>",
	"server":    "URL",
	"url":       "URL",
	"webRoot":   "path",
}

func typeInWords(t reflect.Type, format string) string {
	if t == lineType {
		return "string"
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Pointer:
		return "object"
	case reflect.Slice:
		return "list of " + typeInWords(t.Elem(), format) + "s"
	case reflect.Map:
		if t.Elem().Kind() == reflect.String {
			return "object with free keys and string values"
		}
		return "object with free keys"
	case reflect.Bool:
		return "true or false"
	}
	if word, ok := textNames[format]; ok {
		return word
	}
	return "string"
}

//go:embed types.go types_acm.go types_delivery.go types_links.go types_metrics.go types_tracing.go
var types embed.FS

// comments returns the comment of each field of the types, with the key
// Type.Field. It reads the few forms of lines that the files of the types have; a
// test compares it with Go's parser, which would be a tenth of a megabyte of the
// program.
func comments() map[string]string {
	docs := map[string]string{}
	entries, _ := types.ReadDir(".")
	for _, entry := range entries {
		source, _ := types.ReadFile(entry.Name())
		commentsOf(string(source), docs)
	}
	return docs
}

// commentsOf adds the comments of a file. A type that is defined as another struct
// type of the file has the fields of this type.
func commentsOf(source string, docs map[string]string) {
	object, comment, same := "", "", map[string]string{}
	for line := range strings.Lines(source) {
		words := strings.Fields(line)
		if len(words) > 0 && words[0] == "//" {
			comment += " " + strings.Join(words[1:], " ")
			continue
		}
		switch {
		case len(words) > 2 && words[0] == "type" && words[2] == "struct":
			object = words[1]
		case len(words) == 3 && words[0] == "type":
			same[words[1]] = words[2]
		case line == "}\n":
			object = ""
		case object != "" && len(words) > 1:
			docs[object+"."+words[0]] = strings.TrimSpace(comment)
		}
		comment = ""
	}
	for name, other := range same {
		for key, doc := range docs {
			if field, ok := strings.CutPrefix(key, other+"."); ok {
				docs[name+"."+field] = doc
			}
		}
	}
}

var index = regexp.MustCompile(`\[[0-9]*\]`)

// Lookup finds the field at a path. In the path, an entry of a list is name[],
// name[0] or just name. If there is no such field, hint proposes a similar one.
func Lookup(fields []Field, path string) (f *Field, hint string) {
	plain := func(path string) string { return index.ReplaceAllString(path, "") }
	wanted := plain(path)
	var ends []string
	keys := map[string][]string{} // keys by the path of their parent
	paths := map[string]*Field{}
	for i := range fields {
		f := &fields[i]
		at := plain(f.Path)
		if at == wanted {
			return f, ""
		}
		if strings.HasSuffix(at, "."+wanted) {
			ends = append(ends, f.Path)
		}
		paths[at] = f
		keys[plain(f.Parent())] = append(keys[plain(f.Parent())], f.Key())
	}
	if len(ends) > 0 {
		return nil, finding.Meant(finding.OneOf(ends))
	}
	at := ""
	for part := range strings.SplitSeq(wanted, ".") {
		below := keys[at]
		if f := paths[at]; len(below) == 0 {
			return nil, fmt.Sprintf("%s has no fields that Sightline knows; its type is: %s", f.Path, f.Type)
		}
		if !slices.Contains(below, part) {
			if part = finding.Nearest(part, below); part == "" {
				return nil, fmt.Sprintf("the keys of %s are %s", cmp.Or(at, "the topology"), strings.Join(below, ", "))
			}
		}
		at = Join(at, part)
	}
	return nil, finding.Meant(paths[at].Path)
}
