package cluster_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/cluster"
)

// TestProxy asks a Service through the API server.
func TestProxy(t *testing.T) {
	t.Parallel()
	c, _ := open(t, answers(map[string]any{"/api/v1/namespaces/mesh/services/https:store:9090/proxy/api/v1/query": object{"status": "success"}}), user(token), cluster.Options{})
	var answer struct{ Status string }
	store := c.Proxy(cluster.Service{Namespace: "mesh", Name: "store", Port: "9090", TLS: true})
	require.NoError(t, store.JSON(t.Context(), cluster.Path{"api", "v1", "query"}, nil, &answer))
	assert.Equal(t, "success", answer.Status)
	err := store.JSON(t.Context(), cluster.Path{"other"}, nil, &answer)
	assert.EqualError(t, err, "the Service mesh/store, through "+c.Name()+" answers Not Found: not found: /api/v1/namespaces/mesh/services/https:store:9090/proxy/other")
}

// TestForward asks a pod by a port-forward, several times at once, with and
// without a login.
func TestForward(t *testing.T) {
	t.Parallel()
	pod := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"who": %q}`, r.Header.Get("Authorization"))
	}))
	defer pod.Close()
	c, _ := open(t, withPod(pod), user(token), cluster.Options{})
	for _, port := range []string{"http", "9090"} {
		for login, want := range map[cluster.Login]string{{}: "", {Context: true}: "Bearer " + token, {Token: "another"}: "Bearer another"} {
			f, err := c.Forward(t.Context(), cluster.Service{Namespace: "mesh", Name: "kiali", Port: port}, login, nil)
			require.NoError(t, err)
			var wait sync.WaitGroup
			for range 5 {
				wait.Go(func() {
					var answer struct{ Who string }
					assert.NoError(t, f.JSON(t.Context(), cluster.Path{"api"}, nil, &answer))
					assert.Equal(t, want, answer.Who)
				})
			}
			wait.Wait()
			f.Close()
		}
	}
}

// TestForwardTLS checks the certificate of the server behind the port-forward.
func TestForwardTLS(t *testing.T) {
	t.Parallel()
	pod := httptest.NewUnstartedServer(answers(map[string]any{"/api": object{}}))
	pod.StartTLS()
	defer pod.Close()
	c, _ := open(t, withPod(pod), user(token), cluster.Options{})
	f, err := c.Forward(t.Context(), cluster.Service{Namespace: "mesh", Name: "kiali", Port: "http", TLS: true}, cluster.Login{}, ca(pod))
	require.NoError(t, err)
	defer f.Close()
	_, err = f.Get(t.Context(), cluster.Path{"api"}, nil)
	assert.ErrorContains(t, err, "certificate is valid for example.com, *.example.com, not kiali.mesh.svc")
}

// TestForwardFails has a port without a listener, and a server that does not answer.
func TestForwardFails(t *testing.T) {
	t.Parallel()
	c, _ := open(t, withPod(nil), user(token), cluster.Options{Timeout: 2 * time.Second})
	name := `the Service mesh/kiali, by port-forward to the pod kiali-1 (context "west")`
	f, err := c.Forward(t.Context(), cluster.Service{Namespace: "mesh", Name: "kiali", Port: "http"}, cluster.Login{}, nil)
	require.NoError(t, err)
	_, err = f.Get(t.Context(), cluster.Path{"api"}, nil)
	assert.ErrorContains(t, err, name+" does not answer: ")
	assert.ErrorContains(t, err, "nobody listens")
	f.Close()

	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hang.Close()
	c, _ = open(t, withPod(hang), user(token), cluster.Options{Timeout: 200 * time.Millisecond})
	f, err = c.Forward(t.Context(), cluster.Service{Namespace: "mesh", Name: "kiali", Port: "http"}, cluster.Login{}, nil)
	require.NoError(t, err)
	defer f.Close()
	_, err = f.Get(t.Context(), cluster.Path{"api"}, nil)
	assert.EqualError(t, err, name+" does not answer: no answer within 200ms")

	allowed := withPod(nil)
	c, _ = open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/portforward") {
			http.Error(w, `{"message": "pods \"kiali-1\" is forbidden"}`, http.StatusForbidden)
			return
		}
		allowed(w, r)
	}), user(token), cluster.Options{})
	f, err = c.Forward(t.Context(), cluster.Service{Namespace: "mesh", Name: "kiali", Port: "http"}, cluster.Login{}, nil)
	require.NoError(t, err)
	defer f.Close()
	_, err = f.Get(t.Context(), cluster.Path{"api"}, nil)
	assert.EqualError(t, err, name+" cannot be reached: "+c.Name()+` answers Forbidden: pods "kiali-1" is forbidden`)
	assert.Equal(t, http.StatusForbidden, cluster.Status(err), "it is told from somebody who does not answer")

	for service, want := range map[cluster.Service]string{
		{Namespace: "mesh", Name: "none", Port: "http"}:  c.Name() + " answers Not Found: not found: /api/v1/namespaces/mesh/services/none",
		{Namespace: "mesh", Name: "kiali", Port: "grpc"}: `the Service mesh/kiali (context "west") has no port grpc`,
	} {
		_, err := c.Forward(t.Context(), service, cluster.Login{}, nil)
		assert.EqualError(t, err, want)
	}
}

// TestAt shows that a token is sent only with https, and that a context may have no
// token.
func TestAt(t *testing.T) {
	t.Parallel()
	c, _ := open(t, answers(nil), "{username: admin, password: secret}", cluster.Options{})
	_, err := c.At("a store", "https://store.example.com", cluster.Login{Context: true}, nil)
	require.ErrorIs(t, err, cluster.ErrNoToken)
	_, err = c.At("a store", "http://store.example.com", cluster.Login{Token: token}, nil)
	require.EqualError(t, err, "store.example.com has no TLS, so no token is sent to it")
	_, err = c.At("a store", "http://127.0.0.1:9090", cluster.Login{Token: token}, nil)
	require.NoError(t, err)
	for _, address := range []string{"store", "ftp://store", "https://user:password@store", "https://"} {
		_, err = c.At("a store", address, cluster.Login{}, nil)
		require.Error(t, err, address)
		assert.NotContains(t, err.Error(), "password")
	}
}
