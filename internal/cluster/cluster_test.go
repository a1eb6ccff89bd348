package cluster_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// TestDeadline shows that each request ends by itself, and not later than its caller.
func TestDeadline(t *testing.T) {
	t.Parallel()
	hang := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/half" {
			fmt.Fprint(w, "{")
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	}
	c, _ := open(t, http.HandlerFunc(hang), user(token), cluster.Options{Timeout: 100 * time.Millisecond})
	for _, path := range []string{"none", "half"} {
		_, err := c.Get(t.Context(), cluster.Path{path}, nil)
		require.EqualError(t, err, c.Host()+` (context "west") does not answer: no answer within 100ms`, path)
		assert.True(t, cluster.Passing(err))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Get(ctx, cluster.Path{"none"}, nil)
	assert.ErrorIs(t, err, context.Canceled)
}

// TestBounds shows that a client limits the size of answers and follows no redirect.
func TestBounds(t *testing.T) {
	t.Parallel()
	var elsewhere []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { elsewhere = append(elsewhere, r.URL.Path) }))
	defer other.Close()
	c, _ := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/large":
			part := bytes.Repeat([]byte("x"), 1<<20)
			for range 40 {
				if _, err := w.Write(part); err != nil {
					return
				}
			}
		}
	}), user(token), cluster.Options{})
	_, err := c.Get(t.Context(), cluster.Path{"away"}, nil)
	require.EqualError(t, err, c.Name()+" answers with a redirect, which is not followed")
	assert.Equal(t, http.StatusFound, cluster.Status(err))
	_, err = c.Get(t.Context(), cluster.Path{"large"}, nil)
	require.EqualError(t, err, c.Name()+" answers with more than 32 MiB")
	for _, path := range []cluster.Path{{"a", ".."}, {"a", ""}, {"."}, {"a/b"}} {
		_, err = c.Get(t.Context(), path, nil)
		assert.ErrorContains(t, err, "is no name")
	}
	assert.Empty(t, elsewhere)
}

// TestNothingIsSaidOfTokens puts a credential into the messages of a server, and of a
// program that gives credentials.
func TestNothingIsSaidOfTokens(t *testing.T) {
	t.Parallel()
	leak := func(w http.ResponseWriter, r *http.Request) {
		_, sent, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"message": "no: %s %s"}`, sent, base64.StdEncoding.EncodeToString([]byte(sent)))
	}
	given := "a-token-that-a-program-gave"
	program := filepath.Join(t.TempDir(), "login")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\n"+
		`echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"`+given+`"}}'`), 0o700))
	exec := fmt.Sprintf("{exec: {apiVersion: client.authentication.k8s.io/v1, command: %q, interactiveMode: Never}}", program)
	for _, who := range []string{user(token), exec, "{username: admin, password: a-password-of-an-admin}"} {
		c, _ := open(t, http.HandlerFunc(leak), who, cluster.Options{})
		_, err := c.Get(t.Context(), cluster.Path{"api"}, nil)
		require.EqualError(t, err, c.Name()+" answers Forbidden: no: [redacted] [redacted]")
		assert.False(t, cluster.Passing(err))
	}
	c, server := open(t, http.HandlerFunc(leak), exec, cluster.Options{})
	own, err := c.At("a store", server.URL, cluster.Login{Context: true}, ca(server))
	require.NoError(t, err)
	_, err = own.Get(t.Context(), cluster.Path{"query"}, nil)
	require.EqualError(t, err, "a store answers Forbidden: no: [redacted] [redacted]")
	as, err := c.As(token, "the token of the link")
	require.NoError(t, err)
	_, err = as.Get(t.Context(), cluster.Path{"api"}, nil)
	require.EqualError(t, err, c.Host()+` (context "west", with the token of the link) answers Forbidden: no: [redacted] [redacted]`)
}

// TestHangingProgram does not wait for a program that gives no credential.
func TestHangingProgram(t *testing.T) {
	t.Parallel()
	c, _ := open(t, answers(nil), "{exec: {apiVersion: client.authentication.k8s.io/v1, command: sleep, args: ['3'], interactiveMode: Never}}", cluster.Options{Timeout: 200 * time.Millisecond})
	start := time.Now()
	_, err := c.Get(t.Context(), cluster.Path{"api"}, nil)
	require.ErrorContains(t, err, "no answer within 200ms")
	assert.Less(t, time.Since(start), 2*time.Second)
}

// TestObjects finds objects by kind and name, and lists them in pages.
func TestObjects(t *testing.T) {
	t.Parallel()
	var asked []string
	resources := answers(map[string]any{
		"/api/v1": object{"resources": []any{object{"name": "secrets", "kind": "Secret", "namespaced": true}, object{"name": "namespaces", "kind": "Namespace"}}},
		"/apis/monitoring.coreos.com/v1": object{"resources": []any{
			object{"name": "podmonitors", "kind": "PodMonitor", "namespaced": true}, object{"name": "podmonitors/status", "kind": "PodMonitor", "namespaced": true}}},
		"/apis/monitoring.coreos.com/v1/namespaces/mesh/podmonitors/one": object{"metadata": object{"name": "one"}},
		"/api/v1/namespaces/mesh": object{"metadata": object{"name": "mesh"}},
	})
	c, _ := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RequestURI())
		if r.URL.Path != "/apis/monitoring.coreos.com/v1/podmonitors" {
			resources(w, r)
			return
		}
		if r.URL.Query().Get("continue") == "" {
			fmt.Fprint(w, `{"metadata": {"continue": "more"}, "items": [{"metadata": {"name": "one", "generation": 12345678901234567}}]}`)
			return
		}
		fmt.Fprint(w, `{"metadata": {}, "items": [{"metadata": {"name": "two"}}]}`)
	}), user(token), cluster.Options{})
	const monitoring = "monitoring.coreos.com/v1"
	found, err := c.Find(t.Context(), resource.ID{APIVersion: monitoring, Kind: "PodMonitor", Namespace: "mesh", Name: "one"})
	require.NoError(t, err)
	assert.Equal(t, object{"metadata": object{"name": "one"}}, found)
	_, err = c.Find(t.Context(), resource.ID{APIVersion: "v1", Kind: "Namespace", Name: "mesh"})
	require.NoError(t, err)
	all, err := c.List(t.Context(), monitoring, "PodMonitor", "", "app.kubernetes.io/part-of=mesh")
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, resource.ID{APIVersion: monitoring, Kind: "PodMonitor", Name: "two"}, resource.IDOf(all[1]))
	assert.Equal(t, "12345678901234567", fmt.Sprint(all[0]["metadata"].(object)["generation"]))
	assert.Equal(t, []string{
		"/apis/monitoring.coreos.com/v1",
		"/apis/monitoring.coreos.com/v1/namespaces/mesh/podmonitors/one",
		"/api/v1",
		"/api/v1/namespaces/mesh",
		"/apis/monitoring.coreos.com/v1/podmonitors?labelSelector=app.kubernetes.io%2Fpart-of%3Dmesh&limit=500",
		"/apis/monitoring.coreos.com/v1/podmonitors?continue=more&labelSelector=app.kubernetes.io%2Fpart-of%3Dmesh&limit=500",
	}, asked)
	for kind, want := range map[string]string{"Probe": " does not know the kind Probe of monitoring.coreos.com/v1", "PodMonitor": " answers Not Found: not found: /apis/monitoring.coreos.com/v1/namespaces/mesh/podmonitors/none"} {
		_, err = c.Find(t.Context(), resource.ID{APIVersion: monitoring, Kind: kind, Namespace: "mesh", Name: "none"})
		require.EqualError(t, err, c.Name()+want)
		assert.Equal(t, http.StatusNotFound, cluster.Status(err))
	}
	served, err := c.Serves(t.Context(), "kiali.io/v1alpha1", "Kiali")
	require.NoError(t, err)
	assert.False(t, served)
	served, err = c.Serves(t.Context(), monitoring, "PodMonitor")
	require.NoError(t, err)
	assert.True(t, served)
	assert.True(t, c.Verified())
}

// TestFromLink reads a kubeconfig as Kiali does. It runs no program and reads no file
// that the kubeconfig names.
func TestFromLink(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"who": %q}`, r.Header.Get("Authorization"))
	}))
	defer server.Close()
	c, err := cluster.FromLink([]byte(kubeconfig(server, user(token))), "west", cluster.Options{})
	require.NoError(t, err)
	var answer struct{ Who string }
	require.NoError(t, c.Read(t.Context(), cluster.Path{"whoami"}, &answer))
	assert.Equal(t, "Bearer "+token, answer.Who)
	assert.Equal(t, c.Host()+" (the link of west)", c.Name())
	for text, want := range map[string]string{
		kubeconfig(server, "{exec: {apiVersion: client.authentication.k8s.io/v1, command: touch, interactiveMode: Never}}"): cluster.ErrExec.Error(),
		kubeconfig(server, "{tokenFile: /etc/passwd}"):                                                  "the kubeconfig names files, which Kiali does not have",
		strings.Replace(kubeconfig(server, user(token)), "current-context: west", "", 1):                "no client can be made of the kubeconfig",
		strings.Replace(kubeconfig(server, user(token)), "authority-data: ", "data: ", 1):               "",
		strings.Replace(kubeconfig(server, user(token)), "authority-data: ", "authority-data: AAAA", 1): "no client can be made of the kubeconfig",
		token: "the kubeconfig cannot be read",
	} {
		_, err := cluster.FromLink([]byte(text), "west", cluster.Options{})
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.EqualError(t, err, want)
	}
}
