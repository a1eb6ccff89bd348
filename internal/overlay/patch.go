package overlay

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// Patch is a patch of a component.
type Patch struct {
	At     finding.Position
	Target string // in words

	selector *types.SelectorRegex
	entry    map[string]any // of the kustomization in the tree
	content  any            // the decoded patch; nil if unknown
}

// Selects tells whether an object can be the target of the patch. It does not
// compare labels and annotations, because another patch may add them to the
// object.
func (p *Patch) Selects(id resource.ID) bool {
	of := resIDOf(id)
	return p.selector.MatchGvk(of.Gvk) && p.selector.MatchName(id.Name) && p.selector.MatchNamespace(of.EffectiveNamespace())
}

func resIDOf(id resource.ID) resid.ResId {
	group, version := resid.ParseGroupVersion(id.APIVersion)
	return resid.NewResIdWithNamespace(resid.NewGvk(group, version, id.Kind), id.Name, id.Namespace)
}

// patch reads an entry of patches.
func (c *Component) patch(s *source, n *yaml.Node, what string) {
	var file, inline, target *yaml.Node
	good := len(*s.findings)
	for _, f := range s.fields(n, what) {
		switch f.name {
		case "path":
			file = f.value
		case "patch":
			inline = f.value
		case "target":
			target = f.value
		case "options":
			if !empty(f.value) {
				s.add(s.at(f.key), RuleField, "remove it; without it, a patch cannot rename", "a patch of an overlay must not have options: %s",
					renames)
			}
		default:
			s.add(s.at(f.key), topology.RuleUnknown, "a patch has path or patch, and target", "unknown field %s", f.name)
		}
	}
	if len(*s.findings) > good {
		return
	}
	at := s.at(n)
	var text *source
	entry := map[string]any{}
	switch {
	case file != nil && inline != nil || file == nil && inline == nil:
		s.add(at, topology.RuleMissing, "name a file with path, or write the patch after patch: |", "%s must have either path or patch", what)
		return
	case file != nil:
		if text = c.patchFile(s, file, what); text == nil {
			return
		}
		entry["path"] = path.Clean(file.Value)
		at = finding.Position{File: text.file, Line: 1, Col: 1}
	default:
		content, ok := s.string(inline, what+".patch")
		if !ok {
			return
		}
		text = s.inside(inline, content)
		entry["patch"] = content
	}
	c.patchText(s, text, entry, target, at)
}

var plainPath = regexp.MustCompile(`^[A-Za-z0-9_][-.A-Za-z0-9_]*(/[A-Za-z0-9_][-.A-Za-z0-9_]*)*$`)

// patchFile reads the file of a patch, and adds it to the files of the tree.
func (c *Component) patchFile(s *source, n *yaml.Node, what string) *source {
	name, ok := s.string(n, what+".path")
	if !ok {
		return nil
	}
	name = path.Clean(name)
	switch {
	case !fs.ValidPath(name) || slices.Contains(names, name) || strings.Contains(name, ":"):
		s.add(s.at(n), topology.RuleValue, "copy the file into the folder of the overlay",
			"%s.path is %s, expected a file with patches in the folder of the overlay", what, topology.Describe(n))
		return nil
	case !plainPath.MatchString(name):
		s.add(s.at(n), topology.RuleValue, "rename it: letters, digits, '-', '_' and '.', not beginning with '.' or '-'",
			"%s.path is %s, which not every file system accepts as a name", what, topology.Describe(n))
		return nil
	}
	data, ok := s.read(name, s.at(n), "")
	if !ok {
		return nil
	}
	f := tree.File{Path: path.Join(c.dir, name), Content: data, Copy: true}
	if !slices.ContainsFunc(c.files, func(other tree.File) bool { return other.Path == f.Path }) {
		c.files = append(c.files, f)
	}
	return s.source(name, data)
}

// patchText reads a JSON patch, a strategic merge patch, or several of them. at is
// the place of the patch: the start of its file, or its entry in patches.
func (c *Component) patchText(s, text *source, entry map[string]any, target *yaml.Node, at finding.Position) {
	roots, ok := text.documents()
	switch {
	case !ok:
		return
	case len(roots) == 0:
		s.add(at, topology.RuleMissing, "", "the patch is empty")
		return
	case len(roots) == 1:
		c.patchOf(s, text, roots[0], entry, target, at)
		return
	case target != nil:
		s.add(s.at(target), topology.RuleValue, "give each patch a separate entry in patches",
			"found %d patches in one text; a target is for one patch only", len(roots))
		return
	}
	// Each patch needs an entry, because each has a target.
	parts := split(string(text.text))
	if len(parts) != len(roots) {
		s.add(at, topology.RuleValue, "give each patch a separate file", "the %d patches in one text cannot be separated", len(roots))
		return
	}
	if file, ok := entry["path"].(string); ok {
		c.files = slices.DeleteFunc(c.files, func(f tree.File) bool { return f.Path == path.Join(c.dir, file) })
	}
	for i, root := range roots {
		c.patchOf(s, text, root, map[string]any{"patch": parts[i]}, nil, at)
	}
}

// split cuts a text into its YAML documents, and leaves out empty ones.
func split(text string) []string {
	var parts []string
	var part strings.Builder
	full := false
	end := func() {
		if full {
			parts = append(parts, part.String())
		}
		part.Reset()
		full = false
	}
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		line = strings.TrimRight(line, "\r\n")
		if line == "..." {
			continue
		}
		if line == "---" || strings.HasPrefix(line, "--- ") {
			end()
			if line = strings.TrimSpace(line[3:]); line == "" {
				continue
			}
		}
		full = full || line != "" && !strings.HasPrefix(strings.TrimSpace(line), "#")
		part.WriteString(line + "\n")
	}
	end()
	return parts
}

// patchOf reads one patch.
func (c *Component) patchOf(s, text *source, root *yaml.Node, entry map[string]any, target *yaml.Node, at finding.Position) {
	good := len(*s.findings)
	at = finding.Position{File: at.File, Line: text.at(root).Line, Col: text.at(root).Col}
	var selector map[string]any
	switch root.Kind {
	case yaml.SequenceNode:
		if kustomize := bytes.TrimSpace(text.text); kustomize[0] == '[' && !json.Valid(kustomize) {
			s.add(at, topology.RuleSyntax, "start each operation on a new line with - op:",
				"found YAML in brackets, which kustomize reads as JSON")
			return
		}
		text.checkOperations(root)
		if target == nil {
			s.add(at, topology.RuleMissing, "add target: {kind: …, name: …} to the entry in patches",
				"a JSON patch does not name its target, and its entry in patches has no target")
			return
		}
	case yaml.MappingNode:
		selector = text.checkMerge(root, target != nil)
	default:
		s.add(at, topology.RuleType, "", "a patch must be an object (a part of an object) or a list (operations), found %s",
			topology.Describe(root))
	}
	if target != nil {
		selector = s.target(target)
	}
	if len(*s.findings) > good {
		return
	}
	compiled, err := types.NewSelectorRegex(selectorOf(selector))
	if err != nil {
		at := at
		if target != nil {
			at = s.at(target)
		}
		s.add(at, topology.RuleValue, "the fields of a target are regular expressions", "the target cannot be read: %v", err)
		return
	}
	entry["target"] = selector
	p := Patch{At: at, Target: inWords(selector), selector: compiled, entry: entry}
	if root.Decode(&p.content) != nil {
		p.content = nil
	}
	c.Patches = append(c.Patches, p)
}

var targetFields = []string{"group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector"}

func (s *source) target(n *yaml.Node) map[string]any {
	for _, f := range s.fields(n, "target") {
		if !slices.Contains(targetFields, f.name) {
			s.add(s.at(f.key), topology.RuleUnknown, "a target has "+strings.Join(targetFields, ", "), "unknown field %s", f.name)
		}
	}
	return s.strings(n, "target")
}

func selectorOf(target map[string]any) *types.Selector {
	field := func(name string) string { text, _ := target[name].(string); return text }
	s := &types.Selector{LabelSelector: field("labelSelector"), AnnotationSelector: field("annotationSelector")}
	s.ResId = resid.NewResIdWithNamespace(resid.Gvk{Group: field("group"), Version: field("version"), Kind: field("kind")}, field("name"),
		field("namespace"))
	return s
}

// inWords describes a target for a message.
func inWords(target map[string]any) string {
	var words []string
	for _, field := range targetFields {
		if text, _ := target[field].(string); text != "" {
			words = append(words, field+" "+strings.ReplaceAll(text, `\.`, "."))
		}
	}
	return cmp.Or(strings.Join(words, ", "), "any object")
}

// checkMerge checks that a strategic merge patch removes no object. It returns the
// target: the object that the patch names.
func (s *source) checkMerge(root *yaml.Node, hasTarget bool) map[string]any {
	kind, name := value(root, "kind"), value(root, "metadata", "name")
	if kind == "" || name == "" {
		hint := "write apiVersion, kind and metadata.name of the object"
		if hasTarget {
			hint = "kustomize requires both, also with a target; any value will do"
		}
		s.add(s.at(root), topology.RuleMissing, hint, "a patch must have kind and metadata.name")
		return nil
	}
	if directive := child(root, "$patch"); directive != nil && directive.Value == "delete" {
		s.add(s.at(directive), RuleObject, Field(kind), "an overlay must not remove an object, but this patch does")
		return nil
	}
	group, version := resid.ParseGroupVersion(value(root, "apiVersion"))
	target := map[string]any{}
	for field, text := range map[string]string{"group": group, "version": version, "kind": kind, "name": name,
		"namespace": value(root, "metadata", "namespace")} {
		if text != "" {
			target[field] = regexp.QuoteMeta(text)
		}
	}
	return target
}

// operations has the operations of a JSON patch, and the fields of each besides
// op and path.
var operations = map[string][]string{"add": {"value"}, "remove": nil, "replace": {"value"}, "move": {"from"}, "copy": {"from"},
	"test": {"value"}}

// identity has the fields that make the identity of an object: other objects refer
// to it by these.
var identity = []string{"/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"}

// checkOperations checks the form of a JSON patch, and that it does not change the
// identity of an object.
func (s *source) checkOperations(root *yaml.Node) {
	for i, n := range s.items(root, "a JSON patch") {
		what := fmt.Sprintf("operation %d", i+1)
		fields := s.fields(n, what)
		if fields == nil {
			continue
		}
		op := value(n, "op")
		more, ok := operations[op]
		if !ok {
			s.add(s.at(n), topology.RuleValue, "the operations are add, remove, replace, move, copy and test", "%s has the op %q", what, op)
			continue
		}
		if op == "copy" {
			if s.copies++; s.copies > mostCopies {
				s.add(s.at(n), topology.RuleValue, "write the values with add",
					"the overlay has more than %d copy operations; each may double an object", mostCopies)
				return
			}
		}
		for _, name := range append([]string{"path"}, more...) {
			at := child(n, name)
			if at == nil {
				s.add(s.at(n), topology.RuleMissing, "", "%s (%s) has no %s", what, op, name)
				continue
			}
			if name == "value" {
				continue
			}
			pointer, ok := s.string(at, name)
			switch {
			case !ok:
			case pointer != "" && !strings.HasPrefix(pointer, "/"):
				s.add(s.at(at), topology.RuleValue, "write it like /spec/deployment", "%s has the %s %q, expected a slash at the start", what, name,
					pointer)
			case op != "test" && !(op == "copy" && name == "from") && touches(pointer):
				s.add(s.at(at), RuleObject, "the names and namespaces come from the topology", "an overlay must not change %s: %s",
					cmp.Or(pointer, "the whole object"), renames)
			}
		}
	}
}

// mostCopies is the maximum number of copy operations in an overlay. Each may
// double the size of an object.
const mostCopies = 8

// touches tells whether a change at a pointer changes the identity.
func touches(pointer string) bool {
	return slices.ContainsFunc(identity, func(field string) bool {
		return field == pointer || strings.HasPrefix(field, pointer+"/")
	})
}
