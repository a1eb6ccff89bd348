package cluster

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// secrets are the credentials that a server gets. A message may have them in the clear
// or in base64.
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
	return slices.SortedFunc(slices.Values(s.known), func(a, b string) int { return len(b) - len(a) }) // a credential may be a part of another
}

// watch notes each credential that is sent. A program may give a credential, or a file
// may change, so they are not known before.
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
