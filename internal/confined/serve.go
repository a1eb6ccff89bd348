package confined

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"

	"github.com/sightline-mesh/sightline/internal/template"
)

// Serve runs in the evaluating process: it reads requests from in and writes
// messages to out, until in ends. Before an evaluation, and after each imported
// file, it calls given with the bytes received so far. When in ends, it calls
// gone, even during an evaluation, because nobody waits for the answer.
func Serve(in io.Reader, out io.Writer, given func(bytes int), gone func()) {
	s := &server{requests: make(chan request), out: json.NewEncoder(out), vms: map[int]*template.VM{}, given: given}
	go func() {
		dec := json.NewDecoder(in)
		for {
			var r request
			if err := dec.Decode(&r); err != nil {
				gone()
				close(s.requests)
				return
			}
			s.requests <- r
		}
	}()
	for r := range s.requests {
		m := s.evaluate(r)
		if s.out.Encode(m) != nil {
			return
		}
	}
}

type server struct {
	requests chan request
	out      *json.Encoder
	vms      map[int]*template.VM
	files    int // bytes of the imported files
	given    func(int)
}

// evaluate returns the message with the result of a request.
func (s *server) evaluate(r request) (m message) {
	vm := s.vms[r.VM]
	if vm == nil {
		vm = template.NewHosted(remote{s}, template.Host{Trace: remote{s}, Most: template.MostOfOverlay})
		s.vms[r.VM] = vm
	}
	var err error
	switch r.About {
	case aPlace:
		m.Place, err = vm.Tailstrict(r.File)
	case aType:
		m.Place, err = vm.Type(r.File)
	case aResult:
		var args map[string]any
		if args, err = s.arguments(r); err == nil {
			m.Data, err = vm.Call(r.File, args)
		}
	}
	if err != nil {
		m = message{Error: err.Error()}
		errors.As(err, &m.Failed)
		errors.As(err, &m.Ended)
	}
	return m
}

func (s *server) arguments(r request) (map[string]any, error) {
	args := map[string]any{}
	size := 0
	for name, data := range r.Args {
		size += len(data)
		var plain any
		if err := json.Unmarshal(data, &plain); err != nil {
			return nil, err
		}
		args[name] = template.Plain{Value: plain}
	}
	s.given(s.files + size)
	for name, names := range r.Fields {
		fields := template.Fields{}
		for _, field := range names {
			fields[field] = func() any {
				answer, err := s.ask(message{Ask: toTell, Name: name, Field: field})
				if err != nil {
					return nil // nobody waits for the result
				}
				return json.RawMessage(answer.Data)
			}
		}
		args[name] = fields
	}
	return args, nil
}

// ask asks the client.
func (s *server) ask(m message) (request, error) {
	if err := s.out.Encode(m); err != nil {
		return request{}, err
	}
	answer, ok := <-s.requests
	if !ok {
		return request{}, io.ErrUnexpectedEOF
	}
	if answer.Error != "" {
		return request{}, errors.New(answer.Error)
	}
	return answer, nil
}

// remote is the root of an evaluation. It asks the client for every file.
type remote struct{ *server }

// Open implements fs.FS.
func (r remote) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: errors.ErrUnsupported}
}

// ReadFile implements fs.ReadFileFS.
func (r remote) ReadFile(name string) ([]byte, error) {
	answer, err := r.ask(message{Ask: toRead, Name: name})
	r.files += len(answer.Data)
	r.given(r.files)
	return answer.Data, err
}

// Write sends a line of std.trace.
func (r remote) Write(line []byte) (int, error) {
	return len(line), r.out.Encode(message{Ask: toSay, Data: line})
}
