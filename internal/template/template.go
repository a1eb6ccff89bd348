// Package template evaluates Jsonnet; no other package knows of it.
package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/ast"
	"github.com/google/go-jsonnet/toolutils"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// VM evaluates the files of one root. It keeps what it has parsed, so that
// evaluating a file again costs the evaluation only. It is safe for concurrent
// use, one evaluation at a time.
type VM struct {
	mu   sync.Mutex
	vm   *jsonnet.VM
	host Host
	args map[string]any // of the call that is under way

	nodes map[string]ast.Node // of arguments, by their code
}

// Host is what surrounds the evaluation of somebody else's files. What it leaves
// out does nothing.
type Host struct {
	Trace io.Writer // has the lines of std.trace, their characters visible
	Most  int       // bytes that a result may have
}

// MostOfOverlay is how many bytes the result of an overlay may have as JSON. An
// API server takes less; how much, a rule says of what is rendered.
const MostOfOverlay = 4 << 20

// EndError is an evaluation that took more than it may have. There is no result,
// and none of any other evaluation by the same process.
type EndError struct{ Message, Hint string }

func (e *EndError) Error() string { return e.Message }

// New makes a VM whose imports cannot leave root, with the native function
// merge(ours, theirs): resource.Merge, or its hole while theirs is one.
func New(root fs.FS) *VM { return NewHosted(root, Host{}) }

// NewHosted makes a VM for files that may do anything.
func NewHosted(root fs.FS, host Host) *VM {
	v := &VM{vm: jsonnet.MakeVM(), host: host, nodes: map[string]ast.Node{}}
	v.vm.SetTraceOut(trace{host.Trace})
	v.vm.Importer(&importer{root: root, seen: map[string]jsonnet.Contents{}})
	v.vm.NativeFunction(&jsonnet.NativeFunction{Name: "merge", Params: ast.Identifiers{"ours", "theirs"}, Func: merge})
	v.vm.NativeFunction(&jsonnet.NativeFunction{Name: argument, Params: ast.Identifiers{"name"}, Func: v.argument})
	return v
}

// argument names the native function by which a call's arguments reach
// Jsonnet: to parse them as code takes five times as long.
const argument = "argument of the call"

func (v *VM) argument(args []any) (any, error) {
	name, _ := args[0].(string)
	arg := v.args[name]
	if field, ok := strings.CutPrefix(name, "."); ok {
		scope, field, _ := strings.Cut(field, ".")
		fields, _ := v.args[scope].(Fields)
		arg = fields[field]()
	}
	if plain, ok := arg.(Plain); ok {
		return plain.Value, nil
	}
	data, err := json.Marshal(arg)
	if err != nil {
		return nil, fmt.Errorf("argument %s: %w", name, err)
	}
	var plain any
	return plain, json.Unmarshal(data, &plain)
}

func merge(args []any) (any, error) {
	ours, ok := args[0].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("merge: expected an object to merge into, found %T", args[0])
	}
	switch theirs := args[1].(type) {
	case string:
		return resource.MergeHole(ours, theirs), nil
	case map[string]any:
		return resource.Merge(ours, theirs), nil
	default:
		return nil, fmt.Errorf("merge: expected an object to merge, found %T", theirs)
	}
}

// Fields is an argument that is an object. Each of its fields is asked for its
// value if the function looks at it.
type Fields map[string]func() any

// Plain is an argument that is as encoding/json decodes it into an any: it is
// handed over as it is.
type Plain struct{ Value any }

// code is what reaches Jsonnet in place of an argument.
func code(name string, arg any) string {
	fields, ok := arg.(Fields)
	if !ok {
		return fmt.Sprintf("std.native('%s')('%s')", argument, name)
	}
	var b strings.Builder
	b.WriteByte('{')
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(&b, "%[2]q: std.native('%[1]s')('.%[3]s.%[2]s'), ", argument, field, name)
	}
	b.WriteByte('}')
	return b.String()
}

// Call evaluates the function that a file holds, with arguments as JSON has
// them, and returns the result as JSON. A failure of the template itself is an
// *Error.
func (v *VM) Call(file string, args map[string]any) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.args = args
	defer func() { v.args = nil }()
	v.vm.TLAReset()
	for name, arg := range args {
		parsed, err := v.parsed(code(name, arg))
		if err != nil {
			return nil, err
		}
		v.vm.TLANode(name, parsed)
	}
	node, _, err := v.vm.ImportAST("", file)
	if err != nil {
		return nil, asError(err)
	}
	out, err := v.evaluate(node)
	return []byte(out), err
}

// parsed keeps the few arguments that there are.
func (v *VM) parsed(code string) (ast.Node, error) {
	if node, ok := v.nodes[code]; ok {
		return node, nil
	}
	node, err := jsonnet.SnippetToAST("", code)
	if err != nil {
		return nil, err
	}
	v.nodes[code] = node
	return node, nil
}

// Type evaluates a file and returns the type of what it holds, as std.type
// names it. A failure is an *Error.
func (v *VM) Type(file string) (string, error) {
	name, err := json.Marshal(file)
	if err != nil {
		return "", err
	}
	node, err := jsonnet.SnippetToAST("", fmt.Sprintf("std.type(import %s)", name))
	if err != nil {
		return "", asError(err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.vm.TLAReset()
	out, err := v.evaluate(node)
	if err != nil {
		return "", err
	}
	var kind string
	return kind, json.Unmarshal([]byte(out), &kind)
}

func (v *VM) evaluate(node ast.Node) (string, error) {
	out, err := v.vm.Evaluate(node)
	if err != nil {
		return "", asError(err)
	}
	if most := v.host.Most; most > 0 && len(out) > most {
		return "", &Error{Message: fmt.Sprintf("the result has %d bytes as JSON, expected at most %d", len(out), most)}
	}
	return out, nil
}

// Tailstrict returns the first place, among a file and those it imports, at
// which a call is tailstrict, or "". Such calls have no limit of depth. What
// cannot be read fails when it is evaluated. The error is always nil; where
// another process looks, it is not.
func (v *VM) Tailstrict(file string) (string, error) {
	seen := map[string]bool{}
	var inFile func(from, name string) string
	var inNode func(n ast.Node, file string) string
	inFile = func(from, name string) string {
		node, found, err := v.vm.ImportAST(from, name)
		if err != nil || seen[found] {
			return ""
		}
		seen[found] = true
		return inNode(node, found)
	}
	inNode = func(n ast.Node, file string) string {
		switch n := n.(type) {
		case *ast.Apply:
			if n.TailStrict {
				return place(*n.Loc())
			}
		case *ast.Import:
			return inFile(file, n.File.Value)
		}
		for _, below := range toolutils.Children(n) {
			if at := inNode(below, file); at != "" {
				return at
			}
		}
		return ""
	}
	return inFile("", file), nil
}

// trace has the lines of std.trace.
type trace struct{ out io.Writer }

func (t trace) Write(line []byte) (int, error) {
	if t.out == nil {
		return len(line), nil
	}
	_, err := io.WriteString(t.out, finding.Visible(strings.TrimSuffix(string(line), "\n"))+"\n")
	return len(line), err
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

// mostPlaces is how many of the places that led to a failure are told. A call
// that has no end gives hundreds.
const mostPlaces = 20

// More stands in a trace for the places that are not told.
const More = "…"

func asError(err error) error {
	var runtime jsonnet.RuntimeError
	if !errors.As(err, &runtime) {
		message := strings.TrimSpace(err.Error())
		if crash, stack, ok := strings.Cut(message, "\n"); ok && strings.HasPrefix(crash, "(CRASH)") && strings.HasPrefix(stack, "goroutine") {
			message = crash // the rest is about go-jsonnet
		}
		return &Error{Message: finding.Visible(message)}
	}
	e := &Error{Message: finding.Visible(runtime.Msg)}
	for i := len(runtime.StackTrace) - 1; i >= 0; i-- {
		frame := runtime.StackTrace[i]
		if frame.Loc.FileName == "" || frame.Loc.Begin.Line == 0 {
			continue // the manifestation of the result, which is no place
		}
		if len(e.Trace) == mostPlaces {
			e.Trace = append(e.Trace, More)
			break
		}
		e.Trace = append(e.Trace, strings.TrimSpace(place(frame.Loc)+" "+strings.TrimPrefix(frame.Name, "$")))
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
		return jsonnet.Contents{}, "", fmt.Errorf("import %q: a file may import only what is below its root", name)
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
