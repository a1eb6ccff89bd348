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

// Form describes the login form of a server. The form sends the token, and the answer
// sets the cookies of a session.
type Form struct {
	Path  Path   // the path that takes the form
	Field string // the field with the token
}

// session logs in before the first request, and adds the cookies of the session to each
// request. If the server refuses the login, the request gets this answer.
type session struct {
	plain http.RoundTripper // sends requests without a credential
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

// signIn logs in. If the server refuses, it returns the answer of the server.
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
		return nil, fmt.Errorf("the login form cannot be sent to %s", s.at.Host)
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
		return nil, fmt.Errorf("%s accepts the token, but starts no session", s.at.Host)
	}
	for _, c := range s.cookies {
		s.known.add(c.Value)
	}
	return nil, nil
}

// tokenOf returns the token that a config adds to its requests. It sends nothing.
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

// listener is a transport that returns the credential of a request and sends nothing.
type listener struct{}

func (*listener) RoundTrip(request *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Authorization": request.Header["Authorization"]}, Body: http.NoBody,
		Request: request}, nil
}
