// Package confined lets another process evaluate foreign Jsonnet. The caller
// can end this process, and the system can limit it. Jsonnet itself only limits
// the depth of calls: two lines can make a string of any length, and Go ends a
// process that gets no memory.
//
// The other process reads no files. It asks for every import.
package confined

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/sightline-mesh/sightline/internal/template"
)

// ErrGone says that the evaluating process does not answer any more.
var ErrGone = errors.New("the process that evaluates is gone")

// The subjects of a request.
const (
	aPlace  = "place"  // of a tailstrict call
	aType   = "type"   // of the value of a file
	aResult = "result" // of a call
)

// request asks for an evaluation, or answers a question.
type request struct {
	About  string
	VM     int // its number
	File   string
	Args   map[string][]byte   // as JSON
	Fields map[string][]string // names of the fields of arguments whose values are asked for

	Data  []byte
	Error string
}

// The kinds of questions in a message.
const (
	toRead = "read" // a file by its name
	toTell = "tell" // a field of an argument
	toSay  = "say"  // a line of std.trace; it needs no answer
)

// message is a question during an evaluation, or the result of the evaluation.
type message struct {
	Ask         string
	Name, Field string

	Data   []byte
	Place  string
	Error  string
	Failed *template.Error
	Ended  *template.EndError
}

// err returns the error in a result.
func (m *message) err() error {
	switch {
	case m.Ended != nil:
		return m.Ended
	case m.Failed != nil:
		return m.Failed
	case m.Error != "":
		return errors.New(m.Error)
	}
	return nil
}

// Client asks a process, one evaluation at a time.
type Client struct {
	mu    sync.Mutex
	in    *json.Decoder
	out   *json.Encoder
	roots []fs.FS
	trace io.Writer
}

// NewClient makes a client of a process. The process reads out, and writes to
// in. trace gets the lines of std.trace, or is nil.
func NewClient(in io.Reader, out io.Writer, trace io.Writer) *Client {
	return &Client{in: json.NewDecoder(in), out: json.NewEncoder(out), trace: trace}
}

// VM evaluates the files below one root in the other process. It works like
// [template.VM], but every method can fail with [ErrGone].
type VM struct {
	client *Client
	number int
}

// VM makes a VM whose imports cannot leave root.
func (c *Client) VM(root fs.FS) *VM {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.roots = append(c.roots, root)
	return &VM{c, len(c.roots) - 1}
}

// Tailstrict works like that of [template.VM].
func (v *VM) Tailstrict(file string) (string, error) {
	m, err := v.client.ask(request{About: aPlace, VM: v.number, File: file}, nil)
	return m.Place, err
}

// Type works like that of [template.VM].
func (v *VM) Type(file string) (string, error) {
	m, err := v.client.ask(request{About: aType, VM: v.number, File: file}, nil)
	return m.Place, err
}

// Call works like that of [template.VM].
func (v *VM) Call(file string, args map[string]any) ([]byte, error) {
	r := request{About: aResult, VM: v.number, File: file, Args: map[string][]byte{}, Fields: map[string][]string{}}
	for name, arg := range args {
		if fields, ok := arg.(template.Fields); ok {
			for field := range fields {
				r.Fields[name] = append(r.Fields[name], field)
			}
			continue
		}
		switch given := arg.(type) {
		case json.RawMessage:
			r.Args[name] = given
			continue
		case template.Plain:
			arg = given.Value
		}
		var err error
		if r.Args[name], err = json.Marshal(arg); err != nil {
			return nil, fmt.Errorf("argument %s: %w", name, err)
		}
	}
	m, err := v.client.ask(r, args)
	return m.Data, err
}

// ask sends a request, and answers questions until the result arrives.
func (c *Client) ask(r request, args map[string]any) (message, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if err := c.out.Encode(r); err != nil {
			return message{}, errors.Join(ErrGone, err)
		}
		m, err := c.next()
		if err != nil {
			return message{}, errors.Join(ErrGone, err)
		}
		switch m.Ask {
		case "":
			return m, m.err()
		case toRead:
			data, err := fs.ReadFile(c.roots[r.VM], m.Name)
			r = answer(r.VM, data, err)
		case toTell:
			fields, _ := args[m.Name].(template.Fields)
			data, err := json.Marshal(fields[m.Field]())
			r = answer(r.VM, data, err)
		default:
			return message{}, errors.Join(ErrGone, fmt.Errorf("it asks for %q", m.Ask))
		}
	}
}

// next returns the next question or result.
func (c *Client) next() (message, error) {
	for {
		var m message
		if err := c.in.Decode(&m); err != nil || m.Ask != toSay {
			return m, err
		}
		if c.trace != nil {
			_, _ = c.trace.Write(m.Data) // a failed write to stderr is ignored, as everywhere
		}
	}
}

func answer(vm int, data []byte, err error) request {
	if err != nil {
		return request{VM: vm, Error: err.Error()}
	}
	return request{VM: vm, Data: data}
}
