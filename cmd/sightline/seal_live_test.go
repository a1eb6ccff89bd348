package main

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// TestSealUnverified reads no certificate and no CA over an unverified connection, and a
// token only with a warning.
func TestSealUnverified(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	token := s.accountToken()
	a := s.apiServer(func(path string, _ int) (int, any) {
		if path == secretPath {
			return http.StatusOK, tokenSecret(token)
		}
		return http.StatusOK, map[string]any{"data": map[string]any{"ca.crt": "somebody's"}}
	})
	file := s.kubeconfig(map[string]*apiServerOf{"west": a, "east": a}, "insecure")
	plain := s.keep("plain", []byte(strings.ReplaceAll(s.read(file), "https://", "http://")))

	code, stderr := s.seal("west", "--kubeconfig", file)
	assert.Equal(t, exitRefused, code)
	assert.Equal(t, "sightline: west: the context west does not verify the API server, so the CA may come from an attacker\n"+
		"hint: name the CA of the API server with --ca-file FILE, or put it into the kubeconfig\n", stderr)
	for _, kubeconfig := range []string{file, plain} {
		code, _, stderr = s.run(t.Context(), "", "seal", "west", "--topology", s.mesh, "--kubeconfig", kubeconfig, "--hub-context", "east")
		assert.Equal(t, exitRefused, code)
		assert.Contains(t, stderr, "sightline: the context east does not verify the API server of the hub, so the certificate may come from an attacker\n")
	}
	assert.NoDirExists(t, filepath.Join(s.dir, "sealed"))

	code, stderr = s.seal("west", "--kubeconfig", file, "--ca-file", s.keep("ca.pem", a.ca))
	assert.Equal(t, exitOK, code)
	assert.Contains(t, stderr, "west: warning: the token came over a connection that the context west does not verify, so an attacker may have read it\n")
}

func (s *sealing) read(file string) string {
	data, err := os.ReadFile(file)
	require.NoError(s, err)
	return string(data)
}

// TestSealSwapped swaps the certificate and the CA.
func TestSealSwapped(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	token, ca := s.keep("token", []byte(s.accountToken())), s.keep("ca.pem", authority(t))
	code, _, stderr := s.run(t.Context(), "", "seal", "west", "--topology", s.mesh, "--token-file", token, "--cert", ca, "--ca-file", filepath.Join(s.secrets, "hub.pem"))
	assert.Equal(t, exitRefused, code)
	assert.Contains(t, stderr, "sightline: the hub's certificate is a CA certificate, which the controller does not make\nhint: if --cert and --ca-file are swapped, swap them;")
	code, stderr = s.seal("west", "--token-file", token, "--ca-file", filepath.Join(s.secrets, "hub.pem"))
	assert.Equal(t, exitRefused, code)
	assert.Contains(t, stderr, "the hub's certificate and a CA of the remote's API server have the same key")
	assert.NoDirExists(t, filepath.Join(s.dir, "sealed"))
}

// TestSealTriesTheServer connects to the server of the link, if it can.
func TestSealTriesTheServer(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	a := s.apiServer(func(string, int) (int, any) { return http.StatusTeapot, "nobody asks" })
	try := func(o sealOptions, ca []byte, access topology.Access) error {
		return o.tryCA(t.Context(), &seal.Request{Remote: seal.Remote{Cluster: &topology.Cluster{Server: a.URL, Access: access}}, CA: ca})
	}
	trying, wrong := sealOptions{tryServer: true}, authority(t)
	err := try(trying, wrong, topology.Access{})
	var refusal *finding.Refusal
	require.ErrorAs(t, err, &refusal)
	assert.Contains(t, refusal.Message, "the CA does not verify the API server "+a.Listener.Addr().String()+", so Kiali on the hub would not start: x509: ")
	assert.Contains(t, refusal.Hint, "give the CA of that server with --ca-file;")
	require.NoError(t, try(trying, a.ca, topology.Access{}))
	require.NoError(t, try(sealOptions{}, wrong, topology.Access{}), "--try-server=false")
	require.NoError(t, try(trying, wrong, topology.Access{ProxyURL: "http://proxy.example.com"}), "the hub goes another way")
	require.NoError(t, try(trying, wrong, topology.Access{InsecureSkipTLSVerify: true}))
	assert.Zero(t, a.calls.Load(), "the server is asked for nothing")
	a.Close()
	require.NoError(t, try(trying, wrong, topology.Access{}), "what cannot be reached from here may be reached from the hub")
}

// TestSealOtherName warns if Istio has another name for the cluster.
func TestSealOtherName(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	token := s.accountToken()
	a := s.apiServer(func(string, int) (int, any) { return http.StatusOK, tokenSecret(token) })
	file := s.kubeconfig(map[string]*apiServerOf{"west": a}, "data")
	for id, warned := range map[string]bool{"": false, "west": false, "cluster2": true} {
		a.clusterID = id
		code, stderr := s.seal("west", "--kubeconfig", file, "--force")
		assert.Equal(t, exitOK, code, stderr)
		assert.Equal(t, warned, strings.Contains(stderr, `west: warning: istiod (Deployment istio-system/istiod) has CLUSTER_ID "cluster2", but the topology calls the cluster "west"`), stderr)
	}
}

// TestSealHangingRemotes has a hundred remotes that accept the connection and never
// answer. The time of --timeout is enough for all of them.
func TestSealHangingRemotes(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close() // only the kernel's queue accepts connections
	var mesh, clusters, contexts strings.Builder
	mesh.WriteString(strings.Split(sealedMesh, "    - {name: north")[0])
	for i := range 100 {
		name := fmt.Sprintf("c%d", i)
		fmt.Fprintf(&mesh, "    - {name: %s, server: \"https://api.%s.example.com:6443\"}\n", name, name)
		fmt.Fprintf(&contexts, "- {name: %s, context: {cluster: %s, user: u}}\n", name, name)
		fmt.Fprintf(&clusters, "- {name: %s, cluster: {server: \"https://%s\", insecure-skip-tls-verify: true}}\n", name, listener.Addr())
	}
	require.NoError(t, os.WriteFile(s.mesh, []byte(mesh.String()), 0o644))
	file := s.keep("kubeconfig", []byte("apiVersion: v1\nkind: Config\nusers: [{name: u, user: {token: t}}]\nclusters:\n"+clusters.String()+"contexts:\n"+contexts.String()))
	start := time.Now()
	code, stderr := s.seal("--all", "--timeout", "2s", "--kubeconfig", file)
	assert.Less(t, time.Since(start), 20*time.Second)
	assert.Equal(t, exitFailure, code)
	assert.Equal(t, 100, strings.Count(stderr, "does not answer"), stderr)
	code, _, stderr = s.run(t.Context(), "", "seal", "c1", "--topology", s.mesh, "--timeout", "1s", "--kubeconfig", file, "--hub-context", "c2")
	assert.Equal(t, exitRefused, code, stderr)
}

// TestSealFinishAsksTheHub ends a change of links.format only after the earlier Secret is
// gone, as far as seal can know.
func TestSealFinishAsksTheHub(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	const secrets = "/api/v1/namespaces/istio-system/secrets/"
	there := map[string]bool{}
	hub := s.apiServer(func(path string, _ int) (int, any) {
		if there[strings.TrimPrefix(path, secrets)] {
			return http.StatusOK, map[string]any{"data": map[string]any{"west": base64.StdEncoding.EncodeToString([]byte("a kubeconfig"))}}
		}
		return http.StatusNotFound, notFound("secrets")
	})
	file := s.kubeconfig(map[string]*apiServerOf{"east": hub}, "data")
	token, ca := s.keep("token", []byte(s.accountToken())), s.keep("ca.pem", authority(t))
	code, stderr := s.seal("west", "--token-file", token, "--ca-file", ca)
	require.Equal(t, exitOK, code, stderr)
	require.NoError(t, os.WriteFile(s.mesh, []byte(strings.Replace(sealedMesh, "{hub: east}", "{hub: east, links: {format: perCluster}}", 1)), 0o644))
	code, stderr = s.seal("west", "--token-file", token, "--ca-file", ca)
	require.Equal(t, exitOK, code, stderr)
	finish := func(names ...string) (int, string) {
		clear(there)
		for _, name := range names {
			there[name] = true
		}
		code, _, stderr := s.run(t.Context(), "", "seal", "west", "--topology", s.mesh, "--finish", "--kubeconfig", file, "--hub-context", "east")
		return code, stderr
	}
	const before, now = "kiali-multi-cluster-secret", "kiali-remote-cluster-secret-west"
	for _, names := range [][]string{{before, now}, {before}} {
		code, stderr = finish(names...)
		assert.Equal(t, exitRefused, code)
		assert.Contains(t, stderr, "sightline: west: the hub still has the Secret kiali-multi-cluster-secret from before the change of links.format\nhint: once the hub has")
	}
	code, stderr = finish()
	assert.Equal(t, exitRefused, code)
	assert.Contains(t, stderr, "the hub does not have the Secret kiali-remote-cluster-secret-west yet")
	code, stderr = finish(now)
	assert.Equal(t, exitOK, code, stderr)
	assert.NotContains(t, s.read(filepath.Join(s.dir, "sealed", "mesh", "west.yaml")), "replaces")
}

// TestSealCheckLive asks the clusters, and finds problems that the file does not show.
func TestSealCheckLive(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	token, other := s.accountToken(), s.accountToken()
	made, west := "2026-01-01T00:00:00Z", map[string]string{}
	remote := s.apiServer(func(path string, _ int) (int, any) {
		name := filepath.Base(path)
		if found, ok := west[name]; ok {
			secret := tokenSecret(found)
			secret["metadata"].(map[string]any)["creationTimestamp"] = made
			return http.StatusOK, secret
		}
		return http.StatusNotFound, notFound("secrets")
	})
	east := map[string]string{}
	hub := s.apiServer(func(path string, _ int) (int, any) {
		if found, ok := east[filepath.Base(path)]; ok {
			return http.StatusOK, map[string]any{"data": map[string]any{"west": base64.StdEncoding.EncodeToString([]byte(found))}}
		}
		return http.StatusNotFound, notFound("secrets")
	})
	file := s.kubeconfig(map[string]*apiServerOf{"west": remote, "east": hub}, "data")
	const first, shared = "kiali-service-account", "kiali-multi-cluster-secret"
	west[first] = token
	code, stderr := s.seal("west", "--kubeconfig", file)
	require.Equal(t, exitOK, code, stderr)
	link := filepath.Join(s.dir, "sealed", "mesh", "west.yaml")
	sealed := s.read(link)
	require.Contains(t, sealed, "tokenCreated: \""+made+"\"")
	// The kubeconfig as the hub's controller opens it.
	opened := string(s.open("west"))

	for _, c := range []struct {
		name       string
		hub        map[string]string
		west       map[string]string
		made, id   string
		from       string // an edit of the link
		to         string
		code       int
		says       []string
		withoutHub bool
	}{
		{name: "all is well", code: exitOK, says: []string{"west: current, generation 1\n"}},
		{name: "the hub is not asked", withoutHub: true, code: exitOK, says: []string{"west: info: the hub was not asked\n"}},
		{name: "the token is deleted", west: map[string]string{}, code: exitFound, says: []string{"west: outdated, generation 1\n", "west: error: the remote has no token in the Secret kiali-service-account, so the link does not work\n"}},
		{name: "the token is another", west: map[string]string{first: other}, code: exitFound, says: []string{"west: error: the token, the CA or the access on the remote differs from the sealed one\n"}},
		{name: "the Secret was made anew", made: "2026-02-01T00:00:00Z", code: exitOK, says: []string{"west: warning: the token Secret kiali-service-account was created again on 2026-02-01T00:00:00Z, with the same token: its deletion revoked nothing."}},
		{name: "an earlier token", west: map[string]string{first: token, first + "-g2": token}, from: "generation: 1\n", to: "generation: 2\n", code: exitFound,
			says: []string{"west: warning: the Secret kiali-service-account of generation 1 is still on the remote, and its token is valid\nhint: kubectl --context west -n istio-system delete secret kiali-service-account\n"}},
		{name: "another name", id: "cluster2", code: exitFound, says: []string{`west: warning: istiod (Deployment istio-system/istiod) has CLUSTER_ID "cluster2"`}},
		{name: "not on the hub", hub: map[string]string{}, code: exitFound, says: []string{"west: error: the hub has no key west in the Secret istio-system/kiali-multi-cluster-secret\n"}},
		{name: "another link on the hub", hub: map[string]string{shared: "kind: Config"}, code: exitFound, says: []string{"west: error: the Secret istio-system/kiali-multi-cluster-secret on the hub does not have the sealed kubeconfig\n"}},
		{name: "two Secrets", hub: map[string]string{shared: opened, "kiali-remote-cluster-secret-west": opened}, code: exitFound,
			says: []string{"west: error: the hub has the cluster in 2 Secrets, and Kiali uses kiali-multi-cluster-secret\nhint: kubectl --context east -n istio-system delete sealedsecret kiali-remote-cluster-secret-west;"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			clear(west)
			clear(east)
			maps.Copy(west, map[string]string{first: token})
			maps.Copy(east, map[string]string{shared: opened})
			if c.west != nil {
				clear(west)
				maps.Copy(west, c.west)
			}
			if c.hub != nil {
				clear(east)
				maps.Copy(east, c.hub)
			}
			remote.clusterID = c.id
			made = "2026-01-01T00:00:00Z"
			if c.made != "" {
				made = c.made
			}
			text := sealed
			if c.from != "" {
				text = strings.NewReplacer(c.from, c.to, "  - 1\n", "  - 2\n").Replace(sealed)
			}
			require.NoError(t, os.WriteFile(link, []byte(text), 0o644))
			args := []string{"seal", "west", "--topology", s.mesh, "--check", "--live", "--kubeconfig", file}
			if !c.withoutHub {
				args = append(args, "--hub-context", "east")
			}
			code, stdout, stderr := s.run(t.Context(), "", args...)
			assert.Equal(t, c.code, code, stdout+stderr)
			for _, says := range c.says {
				assert.Contains(t, stdout, says, stderr)
			}
		})
	}
}
