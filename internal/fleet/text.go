package fleet

import (
	"bytes"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/compare"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// text is the content of one or more equal files, decoded at most once.
type text struct {
	file    string // the first file with this content
	content []byte
	read    bool
	decoded []compare.Object
	err     error

	fields    map[string]any // if it is a kustomization
	fieldsErr error
}

// texts holds each content once, so equal files have equal pointers.
type texts map[string]*text

// of returns the text of a file, without the comments at its top.
func (t texts) of(file string, content []byte) *text {
	for len(content) > 0 && content[0] == '#' {
		_, rest, _ := bytes.Cut(content, []byte("\n"))
		content = rest
	}
	known, ok := t[string(content)]
	if !ok {
		known = &text{file: file, content: content}
		t[string(content)] = known
	}
	return known
}

// objects decodes the documents of a text.
func (t *text) objects() ([]compare.Object, error) {
	if !t.read {
		t.read = true
		t.decoded, t.err = decode(t.content)
		if t.err != nil {
			t.err = fmt.Errorf("%s: %w", t.file, t.err)
		}
	}
	return t.decoded, t.err
}

// object decodes a text that is one object of any kind.
func (t *text) object() (map[string]any, error) {
	if t.fields == nil && t.fieldsErr == nil {
		t.fieldsErr = yaml.Unmarshal(t.content, &t.fields)
	}
	return t.fields, t.fieldsErr
}

func decode(content []byte) ([]compare.Object, error) {
	var objects []compare.Object
	for _, document := range documents(content) {
		data, err := yaml.YAMLToJSON(document)
		if err != nil {
			return nil, err
		}
		v, err := resource.DecodeJSON(data)
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue // it only has comments
		}
		object, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("expected an object, found %T", v)
		}
		if object["kind"] == nil {
			return nil, fmt.Errorf("expected an object with a kind, found one without")
		}
		objects = append(objects, compare.Object{ID: resource.IDOf(object), Content: compare.NewContent(object)})
	}
	return objects, nil
}

// documents splits a YAML stream.
func documents(content []byte) [][]byte {
	separator := []byte("\n---\n")
	content = bytes.TrimPrefix(content, separator[1:])
	if !bytes.Contains(content, separator) {
		return [][]byte{content}
	}
	return bytes.Split(content, separator)
}
