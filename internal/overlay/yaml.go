package overlay

import (
	"bytes"
	"fmt"
	"path"

	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/credential"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// source is a YAML file of an overlay, or a text inside one.
type source struct {
	*reader
	file string // as messages name it
	text []byte
	// The start of the text in the file, less one: a text inside a file begins on a
	// later line. All places of a flat text are its start.
	line, col int
	flat      bool
}

func (r *reader) source(name string, text []byte) *source {
	return &source{reader: r, file: path.Join(r.dir, name), text: text}
}

func (s *source) at(n *yaml.Node) finding.Position { return s.below(max(n.Line, 1), max(n.Column, 1)) }

// below returns the place in the file for a line and a column of the text.
func (s *source) below(line, col int) finding.Position {
	if s.flat {
		line, col = 1, 1
	}
	return finding.Position{File: s.file, Line: line + s.line, Col: col + s.col}
}

// kindOfFile is the word for a file of an overlay in messages.
const kindOfFile = "overlay"

// documents reads the YAML documents of the source, and leaves out empty ones. ok
// is false if it added a finding.
func (s *source) documents() (roots []*yaml.Node, ok bool) {
	good := len(*s.findings)
	var found finding.Findings
	docs := topology.Documents(s.file, s.text, kindOfFile, &found)
	for _, f := range found {
		f.Position = s.below(f.Line, f.Col)
		*s.findings = append(*s.findings, f)
	}
	for _, doc := range docs {
		root := doc.Content[0]
		if !s.plain(root) {
			continue
		}
		credential.Scan(credential.Node(doc), s.leaked)
		roots = append(roots, root)
	}
	return roots, len(*s.findings) == good
}

// leaked adds the finding for a credential.
func (s *source) leaked(f credential.Found) {
	_, n := credential.NodeOf(f.Part)
	if f.What == "" {
		s.add(s.at(n), topology.RuleReference, "put it into a Secret, and name the Secret here",
			"the value must be a reference to a Secret, so that no credential is in Git")
		return
	}
	s.add(s.at(n), topology.RuleCredential, topology.CredentialHint, "the value contains %s, which would be in Git", f.What)
}

// plain adds a finding for each form that a topology must not have either: a
// duplicate key, which the decoder of nodes accepts, and a value that is not plain.
func (s *source) plain(n *yaml.Node) bool {
	if rule, hint, message := topology.NotPlain(n, "an "+kindOfFile); message != "" {
		s.add(s.at(n), rule, hint, "%s", message)
		return false
	}
	good := true
	if n.Kind == yaml.MappingNode {
		seen := map[string]*yaml.Node{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if first, ok := seen[key.Value]; ok {
				at := s.at(first)
				s.add(s.at(key), topology.RuleDuplicate, "keep one of the two", "the key %s is there twice; first at %d:%d", key.Value, at.Line, at.Col)
				good = false
				continue
			}
			seen[key.Value] = key
		}
	}
	for _, below := range n.Content {
		good = s.plain(below) && good
	}
	return good
}

// field is an entry of an object.
type field struct {
	name  string
	key   *yaml.Node
	value *yaml.Node
}

// fields returns the entries of an object. For any other node it returns none, and
// adds a finding that names the node what.
func (s *source) fields(n *yaml.Node, what string) []field {
	if n.Kind != yaml.MappingNode {
		s.add(s.at(n), topology.RuleType, "", "%s must be an object, found %s", what, topology.Describe(n))
		return nil
	}
	fields := make([]field, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		fields = append(fields, field{n.Content[i].Value, n.Content[i], n.Content[i+1]})
	}
	return fields
}

// items returns the entries of a list, like fields for an object.
func (s *source) items(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		s.add(s.at(n), topology.RuleType, "", "%s must be a list, found %s", what, topology.Describe(n))
		return nil
	}
	return n.Content
}

// string returns a value that must be a string.
func (s *source) string(n *yaml.Node, what string) (string, bool) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" {
		return n.Value, true
	}
	hint := ""
	if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
		hint = fmt.Sprintf("put it in quotes: %q", n.Value)
	}
	s.add(s.at(n), topology.RuleType, hint, "%s must be a string, found %s", what, topology.Describe(n))
	return "", false
}

// strings returns an object whose values must be strings.
func (s *source) strings(n *yaml.Node, what string) map[string]any {
	texts := map[string]any{}
	for _, f := range s.fields(n, what) {
		if text, ok := s.string(f.value, what+"."+f.name); ok {
			texts[f.name] = text
		}
	}
	return texts
}

// child returns the value at a path of keys, or nil.
func child(n *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		if n.Kind != yaml.MappingNode {
			return nil
		}
		var found *yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				found = n.Content[i+1]
			}
		}
		if found == nil {
			return nil
		}
		n = found
	}
	return n
}

// value returns the text of a scalar at a path of keys, or "".
func value(n *yaml.Node, keys ...string) string {
	if n = child(n, keys...); n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// inside returns the source of a text that is a value in this source.
func (s *source) inside(n *yaml.Node, text string) *source {
	inner := &source{reader: s.reader, file: s.file, text: []byte(text), line: s.line + n.Line - 1, col: n.Column - 1}
	if n.Style != yaml.LiteralStyle {
		inner.flat = true
		return inner
	}
	// A block starts on the next line. Its first line has the indentation.
	inner.line++
	inner.col = s.col
	for line := range bytes.Lines(after(s.text, n.Line)) {
		if trimmed := bytes.TrimLeft(line, " "); len(bytes.TrimSpace(line)) > 0 {
			inner.col += len(line) - len(trimmed)
			break
		}
	}
	return inner
}

// after returns a text without its first lines.
func after(text []byte, lines int) []byte {
	for range lines {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			return nil
		}
		text = text[end+1:]
	}
	return text
}
