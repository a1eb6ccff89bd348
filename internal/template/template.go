// Package template evaluates Jsonnet. No other package depends on the Jsonnet
// library.
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

// VM evaluates the files below one root. It keeps the parsed files, so a second
// evaluation of a file does not parse it again. It is safe for concurrent use,
// and runs one evaluation at a time.
type VM struct {
	mu   sync.Mutex
	vm   *jsonnet.VM
	host Host
	args map[string]any // of the current call

	nodes map[string]ast.Node // parsed arguments, by their code
}

// Host is the environment of an evaluation of foreign files. A zero field has
// no effect.
type Host struct {
	Trace io.Writer // gets the lines of std.trace, with invisible characters escaped
	Most  int       // the maximum bytes of a result
}

// MostOfOverlay is the maximum size of an overlay's result, as bytes of JSON.
// The limits of an API server are lower; a rule checks the rendered objects
// against them.
const MostOfOverlay = 4 << 20

// EndError is an evaluation that exceeded its limits. There is no result, and
// the process cannot evaluate anything more.
type EndError struct{ Message, Hint string }

func (e *EndError) Error() string { return e.Message }

// New makes a VM whose imports cannot leave root. It has the native function
// merge(ours, theirs), which is resource.Merge, or resource.MergeHole if theirs
// is a hole.
func New(root fs.FS) *VM { return NewHosted(root, Host{}) }

// NewHosted makes a VM for foreign files, which may do anything.
func NewHosted(root fs.FS, host Host) *VM {
	v := &VM{vm: jsonnet.MakeVM(), host: host, nodes: map[string]ast.Node{}}
	v.vm.SetTraceOut(trace{host.Trace})
	v.vm.Importer(&importer{root: root, seen: map[string]jsonnet.Contents{}})
	v.vm.NativeFunction(&jsonnet.NativeFunction{Name: "merge", Params: ast.Identifiers{"ours", "theirs"}, Func: merge})
	v.vm.NativeFunction(&jsonnet.NativeFunction{Name: argument, Params: ast.Identifiers{"name"}, Func: v.argument})
	return v
}

// argument is the name of the native function with which Jsonnet reads the
// arguments of a call. Parsing the arguments as code would take five times as
// long.
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

// Fields is an argument that is an object. The function of a field runs only if
// Jsonnet reads the field.
type Fields map[string]func() any

// Plain is an argument that already has the types to which encoding/json
// decodes into an any. It is passed on without a conversion.
type Plain struct{ Value any }

// code returns the Jsonnet code that reads an argument.
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

// Call evaluates the function in a file. The arguments are encoded as JSON, and
// the result is JSON. If the template fails, the error is an *Error.
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

// parsed parses the code of an argument. It keeps all results, because there
// are few.
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

// Type evaluates a file and returns the type of its value, as std.type names
// it. If the evaluation fails, the error is an *Error.
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

// Tailstrict returns the first place of a tailstrict call in a file and its
// imports, or "". Tailstrict calls have no limit of depth. A file that cannot
// be read is skipped here, because its evaluation fails. The error is always
// nil here, but not in package confined, where another process answers.
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

// trace writes the lines of std.trace.
type trace struct{ out io.Writer }

func (t trace) Write(line []byte) (int, error) {
	if t.out == nil {
		return len(line), nil
	}
	_, err := io.WriteString(t.out, finding.Visible(strings.TrimSuffix(string(line), "\n"))+"\n")
	return len(line), err
}

// Error is a failure of a template, with the places that led to it, the
// innermost first.
type Error struct {
	Message string
	Trace   []string // "file:line:col" and the function, as Jsonnet names them
}

func (e *Error) Error() string {
	lines := append([]string{"template: " + e.Message}, e.Trace...)
	return strings.Join(lines, "\n    at ")
}

// mostPlaces is the maximum number of places in a trace. An endless recursion
// has hundreds.
const mostPlaces = 20

// More stands for the places that a trace leaves out.
const More = "…"

func asError(err error) error {
	var runtime jsonnet.RuntimeError
	if !errors.As(err, &runtime) {
		message := strings.TrimSpace(err.Error())
		if crash, stack, ok := strings.Cut(message, "\n"); ok && strings.HasPrefix(crash, "(CRASH)") && strings.HasPrefix(stack, "goroutine") {
			message = crash // the rest is the stack of go-jsonnet
		}
		return &Error{Message: finding.Visible(message)}
	}
	e := &Error{Message: finding.Visible(runtime.Msg)}
	for i := len(runtime.StackTrace) - 1; i >= 0; i-- {
		frame := runtime.StackTrace[i]
		if frame.Loc.FileName == "" || frame.Loc.Begin.Line == 0 {
			continue // it is the output of the result, not a place in a file
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

// importer reads only files below a root.
type importer struct {
	root fs.FS
	seen map[string]jsonnet.Contents
}

// Import implements jsonnet.Importer.
func (i *importer) Import(from, name string) (jsonnet.Contents, string, error) {
	found := path.Join(path.Dir(from), name)
	if path.IsAbs(name) || !fs.ValidPath(found) {
		return jsonnet.Contents{}, "", fmt.Errorf("import %q: a file may only import files below its root", name)
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
