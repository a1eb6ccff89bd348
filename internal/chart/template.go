package chart

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// printer prints one object as a template.
type printer struct {
	*writer
	out      strings.Builder
	defines  []string // names of the defines that it includes
	root     string   // the prefix of values: "", or "$" inside range
	repeated string   // the scope of the item ".", or ""
	kind     string
	name     string // of the object
	path     []string
	relevant []string
	err      error
}

// object appends an object to the template of its kind.
func (w *writer) object(o *object) error {
	p := printer{writer: w, kind: strings.ToLower(o.kind), name: o.name, repeated: o.repeated, relevant: o.relevant}
	conditions := []string{".Values.phases." + string(o.phase)}
	all := make([]int, len(w.Shapes))
	for i := range all {
		all[i] = i
	}
	if c := p.condition(all, shapesOf(o.bodies)); c != "" {
		if rest, ok := strings.CutPrefix(c, "and "); ok {
			conditions = append(conditions, rest)
		} else {
			conditions = append(conditions, parenthesized(c))
		}
	}
	condition := conditions[0]
	if len(conditions) > 1 {
		condition = "and " + strings.Join(conditions, " ")
	}
	p.line(0, "{{- if "+condition+" }}")
	if o.repeated != "" {
		list := w.list(o.repeated)
		if list == nil {
			return fmt.Errorf("the chart has no list for each %s", o.repeated)
		}
		w.usedLists[o.repeated] = true
		p.root = "$"
		p.line(0, "{{- range .Values."+list.Path+" }}")
	}
	p.line(0, "---")
	p.fields(o.bodies, 0)
	if o.repeated != "" {
		p.line(0, "{{- end }}")
	}
	p.line(0, "{{- end }}")
	if w.templates == nil {
		w.templates = map[string][]byte{}
	}
	file := p.kind + ".yaml"
	w.templates[file] = append(w.templates[file], p.out.String()...)
	for _, name := range p.defines {
		d := w.defines[name]
		if !slices.Contains(d.files, file) {
			d.files = append(d.files, file)
		}
		w.defines[name] = d
	}
	return p.err
}

// define is a named template: the map that a merge changes.
type define struct {
	text  string
	files []string // the files that include it
}

// helpers puts each define into the file that includes it. A define that
// several files include goes to _helpers.tpl.
func (w *writer) helpers() {
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(w.defines))) {
		d := w.defines[name]
		file := "_helpers.tpl"
		if len(d.files) == 1 {
			file = d.files[0]
		}
		text := fmt.Sprintf("{{- define %q }}\n%s{{- end }}\n", name, d.text)
		w.templates[file] = append([]byte(text), w.templates[file]...)
	}
}

// define returns a name for a text. Equal texts get the same name.
func (p *printer) define(text string) string {
	last := p.path[len(p.path)-1]
	names := []string{
		p.Name + "." + p.kind + "." + last,
		p.Name + "." + p.name + "." + strings.Join(p.path, "."),
	}
	if strings.Join(p.path, ".") == "metadata.labels" {
		names = append([]string{p.Name + ".labels"}, names...)
	}
	for _, name := range names {
		if d, taken := p.writer.defines[name]; !taken || d.text == text {
			p.writer.defines[name] = define{text, d.files}
			p.defines = append(p.defines, name)
			return name
		}
	}
	p.fail(fmt.Errorf("%s: there are two merges at one place", strings.Join(p.path, ".")))
	return ""
}

func (p *printer) line(indent int, text string) {
	p.out.WriteString(strings.Repeat(" ", indent))
	p.out.WriteString(text)
	p.out.WriteByte('\n')
}

// fields prints the entries of maps. An entry that only some of the shapes have
// is under an `if`.
func (p *printer) fields(maps []variant, indent int) {
	all := shapesOf(maps)
	open := ""
	for _, key := range keysOf(maps) {
		var having []variant
		for _, m := range maps {
			if v, ok := m.value.(map[string]any)[key]; ok {
				having = append(having, variant{m.shape, v})
			}
		}
		condition := p.condition(all, shapesOf(having))
		if condition != open {
			if open != "" {
				p.line(indent, "{{- end }}")
			}
			if condition != "" {
				p.line(indent, "{{- if "+condition+" }}")
			}
			open = condition
		}
		p.field(key, having, indent)
	}
	if open != "" {
		p.line(indent, "{{- end }}")
	}
}

func keysOf(vs []variant) []string {
	keys := map[string]bool{}
	for _, v := range vs {
		for k := range v.value.(map[string]any) {
			keys[k] = true
		}
	}
	sorted := slices.Collect(maps.Keys(keys))
	slices.Sort(sorted)
	resource.SortKeys(sorted)
	return sorted
}

// field prints one entry. The shapes may have different values for it.
func (p *printer) field(key string, vs []variant, indent int) {
	p.path = append(p.path, key)
	defer func() { p.path = p.path[:len(p.path)-1] }()
	prefix := literal(key) + ":"
	same := groups(vs)
	switch {
	case len(same) == 1:
		p.value(prefix, vs[0].value, indent)
	case all(vs, isMap):
		p.line(indent, prefix)
		p.fields(vs, indent+2)
	case mergeOfAll(vs) != "":
		var ours []variant
		for _, v := range vs {
			m, _, _ := resource.MergeOf(v.value)
			ours = append(ours, variant{v.shape, m})
		}
		p.merge(prefix, ours, mergeOfAll(vs), indent)
	default:
		rest := shapesOf(vs)
		for i, group := range same {
			some := shapesOf(group)
			switch condition := p.condition(rest, some); {
			case condition == "":
				p.line(indent, "{{- else }}")
			case i == 0:
				p.line(indent, "{{- if "+condition+" }}")
			default:
				p.line(indent, "{{- else if "+condition+" }}")
			}
			p.value(prefix, group[0].value, indent)
			rest = slices.DeleteFunc(rest, func(s int) bool { return slices.Contains(some, s) })
		}
		p.line(indent, "{{- end }}")
	}
}

func all(vs []variant, is func(any) bool) bool {
	return !slices.ContainsFunc(vs, func(v variant) bool { return !is(v.value) })
}

// isMap tells whether v is a map with its own entries.
func isMap(v any) bool {
	m, ok := v.(map[string]any)
	_, _, merge := resource.MergeOf(v)
	return ok && !merge && len(m) > 0
}

// mergeOfAll returns the hole that all variants merge over a map, or "".
func mergeOfAll(vs []variant) string {
	_, first, _ := resource.MergeOf(vs[0].value)
	for _, v := range vs {
		if _, theirs, ok := resource.MergeOf(v.value); !ok || theirs != first {
			return ""
		}
	}
	return first
}

// value prints a value after "key:" or "-".
func (p *printer) value(prefix string, v any, indent int) {
	switch v := v.(type) {
	case map[string]any:
		if ours, theirs, ok := resource.MergeOf(v); ok {
			p.merge(prefix, []variant{{0, ours}}, theirs, indent)
			return
		}
		if len(v) == 0 {
			p.line(indent, prefix+" {}")
			return
		}
		p.line(indent, prefix)
		p.entries(v, indent+2)
	case []any:
		if len(v) == 0 {
			p.line(indent, prefix+" []")
			return
		}
		p.line(indent, prefix)
		for _, item := range v {
			p.item(item, indent)
		}
	case string:
		p.text(prefix, v, indent)
	default:
		p.line(indent, prefix+" "+encoded(v))
	}
}

func (p *printer) entries(m map[string]any, indent int) {
	for _, key := range keysOf([]variant{{0, m}}) {
		p.path = append(p.path, key)
		p.value(literal(key)+":", m[key], indent)
		p.path = p.path[:len(p.path)-1]
	}
}

// item prints an item of a list. A map starts after the dash.
func (p *printer) item(v any, indent int) {
	m, isMap := v.(map[string]any)
	if _, _, merge := resource.MergeOf(v); !isMap || merge || len(m) == 0 {
		p.value("-", v, indent)
		return
	}
	at := p.out.Len()
	p.entries(m, indent+2)
	text := p.out.String()
	p.out.Reset()
	p.out.WriteString(text[:at+indent] + "-" + text[at+indent+1:])
}

// text prints a string.
func (p *printer) text(prefix, s string, indent int) {
	parts := resource.Parts(s)
	hasHole := slices.ContainsFunc(parts, func(part resource.Part) bool { return part.Path != "" })
	switch {
	case !hasHole && strings.Contains(s, "\n"):
		// On one line, because a later action could trim line breaks of a
		// block.
		p.line(indent, prefix+" {{ "+strconv.Quote(s)+" | toJson }}")
	case !hasHole:
		p.line(indent, prefix+" "+literal(s))
	case len(parts) == 1:
		p.line(indent, prefix+" {{ "+p.reference(parts[0].Path)+" | toJson }}")
	default:
		var format strings.Builder
		var arguments []string
		for _, part := range parts {
			if part.Path == "" {
				format.WriteString(strings.ReplaceAll(part.Literal, "%", "%%"))
				continue
			}
			format.WriteString("%s")
			arguments = append(arguments, p.reference(part.Path))
		}
		p.line(indent, fmt.Sprintf("%s {{ printf %q %s | toJson }}", prefix, format.String(), strings.Join(arguments, " ")))
	}
}

// merge prints our map, with the user's map merged over it.
func (p *printer) merge(prefix string, ours []variant, theirs string, indent int) {
	outer := struct {
		text, root, repeated string
	}{p.out.String(), p.root, p.repeated}
	p.out.Reset()
	p.root, p.repeated = "", "" // a define gets the values, and no item
	if len(ours) == 1 {
		p.entries(ours[0].value.(map[string]any), 0)
	} else {
		p.fields(ours, 0)
	}
	name := p.define(p.out.String())
	p.out.Reset()
	p.out.WriteString(outer.text)
	p.root, p.repeated = outer.root, outer.repeated

	context := "."
	if p.root != "" {
		context = p.root
	}
	parts := resource.Parts(theirs)
	if len(parts) != 1 || parts[0].Path == "" {
		p.fail(fmt.Errorf("%q cannot be merged: it must be one value", theirs))
		return
	}
	// Do not use toYaml: Helm removes a line break at the end of its result,
	// which may belong to a string. Helm also removes "<no value>" from the
	// whole output.
	p.line(indent, fmt.Sprintf("%s {{ mustMergeOverwrite (include %q %s | fromYaml) %s | toJson }}",
		prefix, name, context, p.reference(parts[0].Path)))
}

func (p *printer) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// reference returns the expression for the value of a hole.
func (p *printer) reference(path string) string {
	scope, field, _ := strings.Cut(path, ".")
	if list := p.list(scope); list != nil {
		switch {
		case p.repeated != scope:
			p.fail(fmt.Errorf("%s: the object to merge into cannot differ for each %s", strings.Join(p.path, "."), scope))
		case list.Items != nil:
			return "." + field
		}
		return "."
	}
	v := p.holes[path]
	if v == nil {
		p.fail(fmt.Errorf("the chart has no value for %s", path))
		return "."
	}
	p.usedValues[v.Path] = true
	return p.root + ".Values." + v.Path
}

// literal returns the YAML of a string without holes. The template language
// does not change it.
func literal(s string) string { return strings.ReplaceAll(encoded(s), "{{", `{{ "{{" }}`) }

func encoded(v any) string { return strings.TrimSuffix(string(resource.Encode(nil, v)), "\n") }
