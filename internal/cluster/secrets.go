package cluster

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// secrets are the credentials that a server is given, as they may stand in a
// message: each as it is and in base64.
type secrets struct {
	mutex sync.Mutex
	known []string
}

func (s *secrets) add(secret string) {
	if secret == "" {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !slices.Contains(s.known, secret) {
		s.known = append(s.known, secret, base64.StdEncoding.EncodeToString([]byte(secret)))
	}
}

func (s *secrets) list() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.SortedFunc(slices.Values(s.known), func(a, b string) int { return len(b) - len(a) }) // one may be a part of another
}

// watch takes note of each credential that is sent: nobody else knows those that
// a program gives, or that are read from a file again.
func (s *secrets) watch(next http.RoundTripper) http.RoundTripper {
	return watcher{s, next}
}

type watcher struct {
	*secrets
	next http.RoundTripper
}

func (w watcher) RoundTrip(request *http.Request) (*http.Response, error) {
	if _, credential, ok := strings.Cut(request.Header.Get("Authorization"), " "); ok {
		w.add(credential)
	}
	return w.next.RoundTrip(request)
}
