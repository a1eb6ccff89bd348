// Package forwardtest answers port-forwards as a kubelet does, and as an API server before
// Kubernetes 1.31 does. It is for the tests of this module and of the end-to-end suite.
package forwardtest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// Serve connects each pair of streams of a request with the port that the pair names, at an
// IP address.
func Serve(w http.ResponseWriter, r *http.Request, ip string) {
	if _, err := httpstream.Handshake(r, w, []string{"portforward.k8s.io"}); err != nil {
		return
	}
	streams := make(chan httpstream.Stream, 10)
	connection := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, _ <-chan struct{}) error {
		streams <- s
		return nil
	})
	if connection == nil {
		return
	}
	defer connection.Close()
	wrong := map[string]httpstream.Stream{}
	for {
		select {
		case <-connection.CloseChan():
			return
		case s := <-streams:
			id := s.Headers().Get(corev1.PortForwardRequestIDHeader)
			if s.Headers().Get(corev1.StreamType) == corev1.StreamTypeError {
				wrong[id] = s
				continue
			}
			go pipe(s, wrong[id], ip)
		}
	}
}

func pipe(data, wrong httpstream.Stream, ip string) {
	defer wrong.Close()
	backend, err := net.DialTimeout("tcp", net.JoinHostPort(ip, data.Headers().Get(corev1.PortHeader)), time.Second)
	if err != nil {
		fmt.Fprintf(wrong, "nobody listens: %v", err)
		return
	}
	defer backend.Close()
	go func() {
		_, _ = io.Copy(backend, data)
		backend.Close() // as a connection that is reset
	}()
	_, _ = io.Copy(data, backend)
	data.Close()
}
