package cluster

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/sightline-mesh/sightline/internal/seal"
)

// Forward returns a server behind a port-forward to a ready pod of a Service, as kubectl
// port-forward makes it, but without a port on this machine. ca is the CA of a Service
// with TLS, in PEM. Close ends the port-forward.
func (c *Cluster) Forward(ctx context.Context, s Service, login Login, ca []byte) (*Forward, error) {
	pod, port, err := c.backend(ctx, s)
	if err != nil {
		return nil, err
	}
	f := &Forward{}
	name := fmt.Sprintf("the Service %s, by port-forward to the pod %s (context %q)", s, pod, c.context)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return f.dial(ctx, c, s.Namespace, pod, port)
	}
	transport, err := transportFor(ca, s.Name+"."+s.Namespace+".svc", dial)
	if err != nil {
		return nil, err
	}
	scheme := "http"
	if s.TLS {
		scheme = "https"
	}
	server, err := c.server(name, &url.URL{Scheme: scheme, Host: s.Name + "." + s.Namespace + ".svc"}, transport, login)
	if err != nil {
		return nil, err
	}
	f.Server = *server
	return f, nil
}

// Forward is a server behind a port-forward.
type Forward struct {
	Server
	mutex      sync.Mutex
	connection httpstream.Connection
	requests   int
}

// Close ends the port-forward.
func (f *Forward) Close() {
	f.client.CloseIdleConnections()
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.connection != nil {
		f.connection.Close()
	}
}

// backend finds a ready pod of a Service, and the port on which it listens.
func (c *Cluster) backend(ctx context.Context, s Service) (pod string, port int, err error) {
	var service corev1.Service
	if err := c.Read(ctx, Core(s.Namespace, "services", s.Name), &service); err != nil {
		return "", 0, err
	}
	at := slices.IndexFunc(service.Spec.Ports,
		func(p corev1.ServicePort) bool { return p.Name == s.Port || strconv.Itoa(int(p.Port)) == s.Port })
	if at < 0 {
		return "", 0, fmt.Errorf("the Service %s (context %q) has no port %s", s, c.context, s.Port)
	}
	target := service.Spec.Ports[at].TargetPort
	if len(service.Spec.Selector) == 0 {
		return "", 0, fmt.Errorf("the Service %s (context %q) selects no pods", s, c.context)
	}
	selector := make(url.Values)
	var text string
	for key, value := range service.Spec.Selector {
		text += "," + key + "=" + value
	}
	selector.Set("labelSelector", text[1:])
	var pods corev1.PodList
	body, err := c.Get(ctx, Core(s.Namespace, "pods"), selector)
	if err == nil {
		err = c.decode(body, &pods, nothing)
	}
	if err != nil {
		return "", 0, err
	}
	for i := range pods.Items {
		p := &pods.Items[i]
		if p.DeletionTimestamp != nil || !Ready(p) {
			continue
		}
		if port := target.IntValue(); port > 0 {
			return p.Name, port, nil
		}
		for _, container := range p.Spec.Containers {
			for _, named := range container.Ports {
				if named.Name == target.StrVal {
					return p.Name, int(named.ContainerPort), nil
				}
			}
		}
		return "", 0, fmt.Errorf("the pod %s/%s (context %q) has no port %s", s.Namespace, p.Name, c.context, target.String())
	}
	return "", 0, fmt.Errorf("the Service %s (context %q) has no ready pod", s, c.context)
}

// Ready tells whether a pod has the condition Ready.
func Ready(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// dial opens a connection to a port of a pod: two streams in one connection to the API
// server, for data and for errors.
func (f *Forward) dial(ctx context.Context, c *Cluster, namespace, pod string, port int) (net.Conn, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.connection != nil {
		select {
		case <-f.connection.CloseChan():
			f.connection = nil
		default:
		}
	}
	if f.connection == nil {
		connection, err := c.upgrade(ctx, namespace, pod)
		if err != nil {
			return nil, cmp.Or(c.denied(ctx, namespace, pod), err)
		}
		f.connection = connection
	}
	f.requests++
	headers := http.Header{}
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	headers.Set(corev1.PortHeader, strconv.Itoa(port))
	headers.Set(corev1.PortForwardRequestIDHeader, strconv.Itoa(f.requests))
	wrong, err := f.connection.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	wrong.Close() // closes it for writing; it only receives errors
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := f.connection.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	s := &stream{Stream: data, connection: f.connection, wrong: wrong, failed: make(chan error, 1)}
	go s.watch()
	return s, nil
}

// upgrade makes the connection to the API server, by a WebSocket or, before Kubernetes
// 1.31, by SPDY. The libraries have no deadline, so upgrade closes a connection that
// comes too late.
func (c *Cluster) upgrade(ctx context.Context, namespace, pod string) (httpstream.Connection, error) {
	config := rest.CopyConfig(c.config)
	segments, err := Core(namespace, "pods", pod, "portforward").escaped()
	if err != nil {
		return nil, err
	}
	at := c.url.JoinPath(segments...)
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, err
	}
	old := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, at)
	websocket, err := portforward.NewSPDYOverWebsocketDialerForStreaming(at, config)
	if err != nil {
		return nil, err
	}
	dialer := portforward.NewFallbackDialerForStreaming(websocket, old, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
	type result struct {
		connection httpstream.Connection
		err        error
	}
	done := make(chan result, 1)
	go func() {
		connection, _, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
		done <- result{connection, err}
	}()
	select {
	case r := <-done:
		return r.connection, r.err
	case <-ctx.Done():
		go func() {
			if r := <-done; r.err == nil {
				r.connection.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// denied asks for a port-forward without the upgrade. Then the API server answers with
// the missing right. The libraries keep only its text.
func (c *Cluster) denied(ctx context.Context, namespace, pod string) error {
	for _, method := range []string{http.MethodPost, http.MethodGet} { // for SPDY, and for a WebSocket
		_, err := c.do(ctx, ask{method: method, path: Core(namespace, "pods", pod, "portforward")})
		if status := Status(err); status == http.StatusUnauthorized || status == http.StatusForbidden {
			return err
		}
	}
	return nil
}

// stream is a connection to a port of a pod. It has no deadline. The deadline of a
// request closes it.
type stream struct {
	httpstream.Stream
	connection httpstream.Connection
	wrong      httpstream.Stream
	failed     chan error
	once       sync.Once
}

// watch waits for an error of the kubelet, such as a port without a listener. Then it
// ends the stream, which would otherwise wait for ever.
func (s *stream) watch() {
	message, err := io.ReadAll(io.LimitReader(s.wrong, 1024))
	if err == nil && len(message) > 0 {
		s.failed <- errors.New(strings.Join(strings.Fields(seal.Redact(string(message))), " "))
		s.end()
	}
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.Stream.Read(p)
	if err != nil {
		select {
		case failed := <-s.failed:
			return n, failed
		default:
		}
	}
	return n, err
}

func (s *stream) Close() error { s.end(); return nil }

func (s *stream) end() {
	s.once.Do(func() {
		s.Stream.Reset()
		s.connection.RemoveStreams(s.Stream, s.wrong)
	})
}

func (s *stream) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (s *stream) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (s *stream) SetDeadline(time.Time) error      { return nil }
func (s *stream) SetReadDeadline(time.Time) error  { return nil }
func (s *stream) SetWriteDeadline(time.Time) error { return nil }

// transportFor makes the transport for a server that is not the API server. name is the
// name in its certificate. A dialer, if given, makes every connection.
func transportFor(ca []byte, name string, dial func(context.Context, string, string) (net.Conn, error)) (*http.Transport, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: name}
	if len(ca) > 0 {
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(ca) {
			return nil, errors.New("the CA has no certificate")
		}
	}
	transport := &http.Transport{TLSClientConfig: settings, Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: Timeout}
	if dial != nil {
		transport.DialContext, transport.Proxy = dial, nil
	}
	return transport, nil
}

// loggedIn adds a credential to every request to a URL.
func (c *Cluster) loggedIn(at *url.URL, transport http.RoundTripper, login Login) (http.RoundTripper, *secrets, error) {
	config := rest.AnonymousClientConfig(c.config)
	config.UserAgent = "sightline"
	switch {
	case login.Token != "":
		config.BearerToken = login.Token
	case login.Context && c.config.BearerToken == "" && c.config.BearerTokenFile == "" && c.config.ExecProvider == nil &&
		c.config.AuthProvider == nil:
		return nil, nil, ErrNoToken
	case login.Context:
		config.BearerToken, config.BearerTokenFile = c.config.BearerToken, c.config.BearerTokenFile
		config.ExecProvider, config.AuthProvider = c.config.ExecProvider, c.config.AuthProvider
	}
	known := &secrets{}
	known.add(login.Token)
	config.Wrap(known.watch)
	trip, err := rest.HTTPWrappersForConfig(config, transport)
	if err == nil && login.Form != nil {
		s := &session{plain: transport, at: at, form: login.Form, known: known}
		s.token, err = tokenOf(config, known)
		trip = s
	}
	if err != nil {
		return nil, nil, errors.New(seal.Redact(err.Error(), c.known.list()...))
	}
	return trip, known, nil
}
