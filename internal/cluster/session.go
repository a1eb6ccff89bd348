package cluster

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
)

// Form is how a server takes a token that wants none in a header: by a form, whose
// answer sets the cookies of a session.
type Form struct {
	Path  Path   // of the server, where the form is posted to
	Field string // with the token
}

// session signs in before the first request, and adds the cookies of the session
// to each. Where the server refuses, its answer is that of the request.
type session struct {
	plain http.RoundTripper // adds no credential
	token func(*http.Request) (string, error)
	at    *url.URL
	form  *Form
	known *secrets

	mutex   sync.Mutex
	cookies []*http.Cookie
}

func (s *session) RoundTrip(request *http.Request) (*http.Response, error) {
	refused, err := s.signIn(request)
	if refused != nil || err != nil {
		return refused, err
	}
	request = request.Clone(request.Context())
	for _, c := range s.cookies {
		request.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	return s.plain.RoundTrip(request)
}

// signIn returns the answer of a server that refuses.
func (s *session) signIn(request *http.Request) (*http.Response, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.cookies != nil {
		return nil, nil
	}
	token, err := s.token(request)
	if err != nil {
		return nil, err
	}
	segments, err := s.form.Path.escaped()
	if err != nil {
		return nil, err
	}
	body := url.Values{s.form.Field: {token}}.Encode()
	s.known.add(url.QueryEscape(token))
	post, err := http.NewRequestWithContext(request.Context(), http.MethodPost, s.at.JoinPath(segments...).String(), strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("no form can be sent to %s", s.at.Host)
	}
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	post.Header.Set("User-Agent", "sightline")
	answer, err := s.plain.RoundTrip(post)
	if err != nil || answer.StatusCode/100 != 2 {
		return answer, err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer)); err != nil {
		return nil, err
	}
	if s.cookies = answer.Cookies(); len(s.cookies) == 0 {
		return nil, fmt.Errorf("%s takes the token and starts no session", s.at.Host)
	}
	for _, c := range s.cookies {
		s.known.add(c.Value)
	}
	return nil, nil
}

// tokenOf is the token that a config adds to its requests, from wherever it gets
// it: nothing is sent.
func tokenOf(config *rest.Config, known *secrets) (func(*http.Request) (string, error), error) {
	heard := &listener{}
	trip, err := rest.HTTPWrappersForConfig(config, heard)
	if err != nil {
		return nil, err
	}
	return func(request *http.Request) (string, error) {
		asked := request.Clone(request.Context())
		asked.Body = nil
		answer, err := trip.RoundTrip(asked)
		if err != nil {
			return "", err
		}
		answer.Body.Close()
		_, token, _ := strings.Cut(answer.Header.Get("Authorization"), " ")
		if token == "" {
			return "", errors.New("there is no token")
		}
		known.add(token)
		return token, nil
	}, nil
}

// listener answers with the credential of the request.
type listener struct{}

func (*listener) RoundTrip(request *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Authorization": request.Header["Authorization"]}, Body: http.NoBody,
		Request: request}, nil
}
