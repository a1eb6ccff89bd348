package cluster_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/cluster/forwardtest"
)

const token = "the-token-of-an-admin-that-nobody-may-read"

// user is a user of a kubeconfig.
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

// answers has JSON bodies by their paths. Any other path is not found.
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

// portForward is a port-forward to a pod that uses the ports of this machine.
func portForward(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost { // it has no WebSockets
		http.Error(w, "you must use SPDY", http.StatusBadRequest)
		return
	}
	forwardtest.Serve(w, r, "127.0.0.1")
}

// withPod returns a cluster with a Service of one pod. The pod is a server on this
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
