// Package template evaluates Jsonnet; no other package knows of it.
package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/ast"
)

// VM evaluates the files of one root. It keeps what it has parsed, so that
// evaluating a file again costs the evaluation only. It is not safe for
// concurrent use.
type VM struct {
	vm *jsonnet.VM
}

// New makes a VM whose imports cannot leave root.
func New(root fs.FS) *VM {
	vm := jsonnet.MakeVM()
	vm.Importer(&importer{root: root, seen: map[string]jsonnet.Contents{}})
	return &VM{vm}
}

// Call evaluates the function that a file holds, with arguments that are
// encoded as JSON, and returns the result as JSON. A failure of the template
// itself is an *Error.
func (v *VM) Call(file string, args map[string]any) ([]byte, error) {
	v.vm.TLAReset()
	for name, arg := range args {
		code, err := json.Marshal(arg)
		if err != nil {
			return nil, fmt.Errorf("argument %s: %w", name, err)
		}
		v.vm.TLACode(name, string(code))
	}
	node, _, err := v.vm.ImportAST("", file)
	if err != nil {
		return nil, asError(err)
	}
	out, err := v.vm.Evaluate(node)
	if err != nil {
		return nil, asError(err)
	}
	return []byte(out), nil
}

// Error is a failure of a template, with the places that led to it, innermost
// first.
type Error struct {
	Message string
	Trace   []string // "file:line:col" and the function, as Jsonnet names them
}

func (e *Error) Error() string {
	lines := append([]string{"template: " + e.Message}, e.Trace...)
	return strings.Join(lines, "\n    at ")
}

func asError(err error) error {
	var runtime jsonnet.RuntimeError
	if !errors.As(err, &runtime) {
		return &Error{Message: err.Error()}
	}
	e := &Error{Message: runtime.Msg}
	for i := len(runtime.StackTrace) - 1; i >= 0; i-- {
		frame := runtime.StackTrace[i]
		if frame.Loc.FileName == "" {
			continue // the manifestation of the result, which is no place
		}
		e.Trace = append(e.Trace, strings.TrimSpace(place(frame.Loc)+" "+frame.Name))
	}
	return e
}

func place(loc ast.LocationRange) string {
	return fmt.Sprintf("%s:%d:%d", loc.FileName, loc.Begin.Line, loc.Begin.Column)
}

// importer reads files below a root, and only those.
type importer struct {
	root fs.FS
	seen map[string]jsonnet.Contents
}

// Import implements jsonnet.Importer.
func (i *importer) Import(from, name string) (jsonnet.Contents, string, error) {
	found := path.Join(path.Dir(from), name)
	if path.IsAbs(name) || !fs.ValidPath(found) {
		return jsonnet.Contents{}, "", fmt.Errorf("import %q: a template may import only what is below its root", name)
	}
	if contents, ok := i.seen[found]; ok {
		return contents, found, nil
	}
	data, err := fs.ReadFile(i.root, found)
	if err != nil {
		return jsonnet.Contents{}, "", fmt.Errorf("import %q: %w", name, err)
	}
	contents := jsonnet.MakeContentsRaw(data)
	i.seen[found] = contents
	return contents, found, nil
}
