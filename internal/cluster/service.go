package cluster

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/seal"
)

// Service is a port of a Service of a cluster.
type Service struct {
	Namespace, Name string
	Port            string // name or number
	TLS             bool   // the port uses https
}

func (s Service) String() string { return s.Namespace + "/" + s.Name }

// Proxy returns a client for a Service through the API server's services/proxy. The API
// server passes no credential on. So use it only for a Service that needs none.
func (c *Cluster) Proxy(s Service) *Server {
	scheme := "http"
	if s.TLS {
		scheme = "https"
	}
	proxied := c.Server
	proxied.below = Core(s.Namespace, "services", strings.Join([]string{scheme, s.Name, s.Port}, ":"), "proxy")
	proxied.name = fmt.Sprintf("the Service %s, through %s", s, c.name)
	return &proxied
}

// Login is the credential for a server.
type Login struct {
	Context bool   // use the token of the context's user
	Token   string // use this token
	Form    *Form  // how to send the token; nil: with each request, as a bearer token

	Certificate *tls.Certificate // a client certificate instead of a token
}

// ErrNoToken is the error of a context whose user has no token.
var ErrNoToken = errors.New("the user of the context has no bearer token")

// At returns a client for the server at a URL. It sends a credential only with https, or
// to this machine. ca is in PEM; if it is empty, the CAs of the system count.
func (c *Cluster) At(name, address string, login Login, ca []byte) (*Server, error) {
	at, err := url.Parse(address)
	if err != nil || at.Host == "" || !slices.Contains([]string{"http", "https"}, at.Scheme) {
		return nil, fmt.Errorf("%q is no URL of a server", seal.Redact(address))
	}
	if at.User != nil {
		return nil, errors.New("the URL has a credential in it")
	}
	transport, err := transportFor(ca, "", nil)
	if err != nil {
		return nil, err
	}
	if login.Certificate != nil {
		transport.TLSClientConfig.Certificates = []tls.Certificate{*login.Certificate}
	}
	host := at.Hostname()
	if at.Scheme == "http" && login != (Login{}) && host != "localhost" && host != "127.0.0.1" && host != "::1" {
		return nil, fmt.Errorf("%s has no TLS, so no token is sent to it", at.Host)
	}
	return c.server(name, at, transport, login)
}

// server returns a client for a server that is not the API server, with a login.
func (c *Cluster) server(name string, at *url.URL, transport http.RoundTripper, login Login) (*Server, error) {
	trip, known, err := c.loggedIn(at, transport, login)
	if err != nil {
		return nil, err
	}
	client := &http.Client{
		Transport:     trip,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &Server{name: name, url: at, client: client, known: known, timeout: c.timeout}, nil
}
