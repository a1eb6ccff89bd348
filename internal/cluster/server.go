package cluster

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sightline-mesh/sightline/internal/seal"
)

// maxAnswer is the largest size of an answer, in bytes. A Secret has at most 1 MiB; a
// page of a list has 500 objects.
const maxAnswer = 32 << 20

// Server is a client for an HTTP server: the API server of a cluster, or a program on
// the cluster.
type Server struct {
	name    string // for messages
	url     *url.URL
	below   Path // the path in the URL, before all other paths
	client  *http.Client
	known   *secrets
	timeout time.Duration
}

// Name returns the name of the server in messages.
func (s *Server) Name() string { return s.name }

// Error is the error of a request: an unexpected answer, or no answer. Its text has no
// credential.
type Error struct {
	Status int    // the HTTP status; 0: there was no answer, or an unexpected one
	text   string // the whole message
	Reason string // the message of the server, at most 300 characters
}

func (e *Error) Error() string { return e.text }

// Status returns the HTTP status in an error, or 0.
func Status(err error) int {
	var answer *Error
	if errors.As(err, &answer) {
		return answer.Status
	}
	return 0
}

// Passing tells whether a later request may succeed.
func Passing(err error) bool {
	code := Status(err)
	return code == 0 || code == http.StatusTooManyRequests || code >= 500
}

// Path is a path on a server, as a list of unescaped segments. A request refuses a
// segment that is empty, has a slash, or is "." or "..".
type Path []string

func (p Path) escaped() ([]string, error) {
	escaped := make([]string, len(p))
	for i, segment := range p {
		if segment == "" || segment == "." || segment == ".." || strings.Contains(segment, "/") {
			return nil, fmt.Errorf("%q is no name", seal.Redact(segment))
		}
		escaped[i] = url.PathEscape(segment)
	}
	return escaped, nil
}

// Get returns the content at a path. The query may be nil.
func (s *Server) Get(ctx context.Context, path Path, query url.Values) ([]byte, error) {
	return s.do(ctx, ask{method: http.MethodGet, path: path, query: query})
}

// ask is a request before it is made.
type ask struct {
	method string
	path   Path
	query  url.Values
	body   []byte
	accept string // "": JSON
}

// JSON reads a JSON value.
func (s *Server) JSON(ctx context.Context, path Path, query url.Values, into any) error {
	body, err := s.Get(ctx, path, query)
	if err != nil {
		return err
	}
	return s.decode(body, into, "no JSON of the expected form")
}

// decode decodes a body. It drops the decoder's error, because the error may repeat a
// part of the body.
func (s *Server) decode(body []byte, into any, otherwise string) error {
	if json.Unmarshal(body, into) != nil {
		return &Error{text: s.name + " answers with " + otherwise}
	}
	return nil
}

// do makes one request. The complete answer must arrive within the server's timeout.
func (s *Server) do(ctx context.Context, q ask) ([]byte, error) {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	segments, err := slices.Concat(s.below, q.path).escaped()
	if err != nil {
		return nil, &Error{text: s.name + " cannot be asked: " + err.Error()}
	}
	at := s.url.JoinPath(segments...)
	at.RawQuery = q.query.Encode()
	request, err := http.NewRequestWithContext(ctx, q.method, at.String(), bytes.NewReader(q.body))
	if err != nil {
		return nil, &Error{text: s.name + " cannot be asked: " + seal.Redact(err.Error(), s.known.list()...)}
	}
	request.Header.Set("Accept", cmp.Or(q.accept, "application/json, */*"))
	if q.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := s.send(request)
	if err != nil {
		return nil, s.silent(outer, err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case ctx.Err() != nil: // then even an answer without an error may be incomplete
		return nil, s.silent(outer, ctx.Err())
	case err != nil:
		return nil, &Error{text: s.name + " broke off its answer"}
	case len(data) > maxAnswer:
		return nil, &Error{text: fmt.Sprintf("%s answers with more than %d MiB", s.name, maxAnswer>>20)}
	case answer.StatusCode/100 != 2:
		return nil, s.refusal(answer.StatusCode, data)
	}
	return data, nil
}

// send makes a request. It does not wait for a program that gives a credential longer
// than the deadline.
func (s *Server) send(request *http.Request) (*http.Response, error) {
	type result struct {
		answer *http.Response
		err    error
	}
	done := make(chan result, 1)
	go func() {
		answer, err := s.client.Do(request)
		done <- result{answer, err}
	}()
	select {
	case r := <-done:
		return r.answer, r.err
	case <-request.Context().Done():
		go func() {
			if r := <-done; r.err == nil {
				r.answer.Body.Close()
			}
		}()
		return nil, request.Context().Err()
	}
}

// silent returns the error of a request without an answer.
func (s *Server) silent(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var refused *Error
	if errors.As(err, &refused) { // the API server refused a port-forward
		return &Error{Status: refused.Status, text: s.name + " cannot be reached: " + refused.text, Reason: refused.Reason}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer within %s", s.timeout)
	}
	return &Error{text: s.name + " does not answer: " + seal.Redact(err.Error(), s.known.list()...)}
}

// refusal returns the error of an answer without success.
func (s *Server) refusal(status int, body []byte) error {
	answer := http.StatusText(status)
	if status/100 == 3 {
		answer = "with a redirect, which is not followed"
	}
	e := &Error{Status: status, text: fmt.Sprintf("%s answers %s", s.name, answer)}
	var reason struct{ Message, Error, Detail string }
	_ = json.Unmarshal(body, &reason) // a proxy may answer with other text
	for _, said := range []string{reason.Message, reason.Detail, reason.Error} {
		if said != "" {
			text := []rune(seal.Redact(said, s.known.list()...))
			e.Reason = string(text[:min(len(text), 300)])
			e.text += ": " + e.Reason
			break
		}
	}
	return e
}
