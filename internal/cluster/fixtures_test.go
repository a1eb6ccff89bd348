package cluster_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"

	"github.com/sightline-mesh/sightline/internal/cluster"
)

const token = "the-token-of-an-admin-that-nobody-may-read"

// user is who asks, as a kubeconfig has it.
func user(token string) string { return fmt.Sprintf("{token: %q}", token) }

// open makes a client for a server that answers as the handler does.
func open(t *testing.T, handler http.Handler, user string, o cluster.Options) (*cluster.Cluster, *httptest.Server) {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(file, []byte(kubeconfig(server, user)), 0o600))
	contexts, err := cluster.ReadContexts(file)
	require.NoError(t, err)
	require.Equal(t, []string{"west"}, contexts.Names())
	c, err := contexts.Open("west", o)
	require.NoError(t, err)
	return c, server
}

func kubeconfig(server *httptest.Server, user string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: west
contexts: [{name: west, context: {cluster: west, user: west}}]
users: [{name: west, user: %s}]
clusters: [{name: west, cluster: {server: %q, certificate-authority-data: %s}}]
`, user, server.URL, base64.StdEncoding.EncodeToString(ca(server)))
}

func ca(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

// answers are JSON bodies by their paths; all else is not found.
func answers(bodies map[string]any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, ok := bodies[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			body = map[string]any{"message": "not found: " + r.URL.Path}
		}
		_ = json.NewEncoder(w).Encode(body)
	}
}

type object = map[string]any

// portForward is what an API server before Kubernetes 1.31 and a kubelet do for
// a port-forward: connect each pair of streams with a port, here of this
// machine.
func portForward(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost { // it knows nothing of WebSockets
		http.Error(w, "you must use SPDY", http.StatusBadRequest)
		return
	}
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
			id := s.Headers().Get("requestID")
			if s.Headers().Get("streamType") == "error" {
				wrong[id] = s
				continue
			}
			go connect(s, wrong[id])
		}
	}
}

func connect(data, wrong httpstream.Stream) {
	defer wrong.Close()
	backend, err := net.DialTimeout("tcp", "127.0.0.1:"+data.Headers().Get("port"), time.Second)
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

// withPod is a cluster with a Service of one pod, which is a server of this
// machine.
func withPod(pod *httptest.Server) http.HandlerFunc {
	port := 1
	if pod != nil {
		port = pod.Listener.Addr().(*net.TCPAddr).Port
	}
	bodies := answers(map[string]any{
		"/api/v1/namespaces/mesh/services/kiali": object{"spec": object{
			"selector": object{"app": "kiali"},
			"ports":    []any{object{"name": "http", "port": 20001, "targetPort": "api"}, object{"name": "other", "port": 9090, "targetPort": port}},
		}},
		"/api/v1/namespaces/mesh/pods": object{"items": []any{
			object{"metadata": object{"name": "starting"}},
			object{"metadata": object{"name": "kiali-1"}, "status": object{"conditions": []any{object{"type": "Ready", "status": "True"}}},
				"spec": object{"containers": []any{object{"name": "kiali", "ports": []any{object{"name": "api", "containerPort": port}}}}}},
		}},
	})
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/portforward") {
			if r.URL.Path != "/api/v1/namespaces/mesh/pods/kiali-1/portforward" || r.Header.Get("Authorization") != "Bearer "+token {
				http.Error(w, "no", http.StatusForbidden)
				return
			}
			portForward(w, r)
			return
		}
		bodies(w, r)
	}
}
