package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bitnami-labs/sealed-secrets/pkg/crypto"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/sightline-mesh/sightline/internal/topology"
)

const sealedMesh = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  kiali: {hub: east}
  clusters:
    - {name: east, domain: apps.east.example.com}
    - {name: north, server: "https://api.north.example.com:6443"}
    - {name: west, server: "https://api.west.example.com:6443"}
`

// sealing is a directory with a topology, and API servers as remotes. Every run in it is
// searched for credentials.
type sealing struct {
	*testing.T
	dir     string // the topology and the written files
	secrets string // files with credentials, which are not searched
	key     *rsa.PrivateKey
	secret  []string // the credentials
	mesh    string
}

func newSealing(t *testing.T) *sealing {
	t.Helper()
	trustTestServers()
	s := &sealing{T: t, dir: t.TempDir(), secrets: t.TempDir()}
	s.mesh = filepath.Join(s.dir, "mesh.yaml")
	require.NoError(t, os.WriteFile(s.mesh, []byte(sealedMesh), 0o644))
	var err error
	s.key, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hub"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, s.key.Public(), s.key)
	require.NoError(t, err)
	s.keep("hub.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return s
}

// keep writes a file that is not searched.
func (s *sealing) keep(name string, content []byte) string {
	s.Helper()
	file := filepath.Join(s.secrets, name)
	require.NoError(s, os.WriteFile(file, content, 0o600))
	return file
}

// token returns a credential. From now on, every run is searched for it.
func (s *sealing) token(claims map[string]any) string {
	s.Helper()
	payload, err := json.Marshal(claims)
	require.NoError(s, err)
	signature := make([]byte, 256)
	rand.Read(signature)
	b64 := base64.RawURLEncoding.EncodeToString
	token := b64([]byte(`{"alg":"RS256","kid":"`+rand.Text()+`"}`)) + "." + b64(payload) + "." + b64(signature)
	s.secret = append(s.secret, token)
	return token
}

func (s *sealing) accountToken() string {
	return s.token(map[string]any{"sub": "system:serviceaccount:istio-system:kiali-service-account", "n": rand.Text()})
}

// traces returns the texts that would give a credential away: the credential, its parts,
// and both in base64 at each alignment.
func traces(secret string) []string {
	var found []string
	for _, part := range append(strings.Split(secret, "."), secret) {
		if len(part) < 24 {
			continue
		}
		found = append(found, part)
		for skip := range 3 {
			// Only whole groups, because the ends depend on the bytes beside them.
			whole := part[skip : skip+(len(part)-skip)/3*3]
			found = append(found, base64.StdEncoding.EncodeToString([]byte(whole)), base64.URLEncoding.EncodeToString([]byte(whole)))
		}
	}
	return found
}

// run runs the command, and searches its output and the files after it.
func (s *sealing) run(ctx context.Context, stdin string, args ...string) (code int, stdout, stderr string) {
	s.Helper()
	var out, err bytes.Buffer
	code = run(shared(ctx), args, strings.NewReader(stdin), &out, &err)
	s.search(out.String(), "stdout")
	s.search(err.String(), "stderr")
	require.NoError(s, filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		s.search(string(content), path)
		return err
	}))
	return code, out.String(), err.String()
}

func (s *sealing) search(text, where string) {
	s.Helper()
	for _, secret := range s.secret {
		for _, trace := range traces(secret) {
			if strings.Contains(text, trace) {
				s.Fatalf("a credential is in %s:\n%s", where, text)
			}
		}
	}
}

// seal runs seal for the topology, with the hub's certificate.
func (s *sealing) seal(args ...string) (code int, stderr string) {
	s.Helper()
	code, _, stderr = s.run(s.Context(), "", append([]string{"seal", "--topology", s.mesh, "--cert", filepath.Join(s.secrets, "hub.pem")}, args...)...)
	return code, newCertificate.ReplaceAllString(stderr, "")
}

// newCertificate is the message about a certificate that is in no link yet.
var newCertificate = regexp.MustCompile(`(?m)^mesh: the hub's certificate is SHA256:[0-9a-f]{64}, valid until [-0-9]{10}\n`)

// opened returns the kubeconfig in the link of a cluster.
func (s *sealing) opened(cluster string) (token, server string, ca []byte) {
	s.Helper()
	config, err := clientcmd.RESTConfigFromKubeConfig(s.open(cluster))
	require.NoError(s, err)
	return config.BearerToken, config.Host, config.CAData
}

// open opens the link of a cluster as the controller does.
func (s *sealing) open(cluster string) []byte {
	s.Helper()
	file := filepath.Join(s.dir, "sealed", "mesh", cluster+".yaml")
	data, err := os.ReadFile(file)
	require.NoError(s, err)
	l, findings := topology.ParseSealedLink(file, data)
	require.Empty(s, findings)
	sealed, err := base64.StdEncoding.DecodeString(l.Spec.EncryptedData)
	require.NoError(s, err)
	plain, err := crypto.HybridDecrypt(rand.Reader, map[string]*rsa.PrivateKey{"": s.key}, sealed, []byte(l.Spec.Secret.Namespace+"/"+l.Spec.Secret.Name))
	require.NoError(s, err)
	return plain
}

// apiServerOf is an API server as a remote, with its contexts in a kubeconfig.
type apiServerOf struct {
	*httptest.Server
	ca    []byte
	admin string // the token in the kubeconfig
	calls atomic.Int32

	clusterID string // of its istiod; "": there is no istiod
}

// istiod returns the list of the Deployments of istiod.
func istiod(clusterID string) map[string]any {
	if clusterID == "" {
		return map[string]any{"items": []any{}}
	}
	env := []any{map[string]any{"name": "REVISION", "value": "default"}, map[string]any{"name": "CLUSTER_ID", "value": clusterID}}
	return map[string]any{"items": []any{map[string]any{
		"metadata": map[string]any{"name": "istiod"},
		"spec":     map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"env": env}}}}},
	}}}
}

type answers func(path string, call int) (status int, body any)

func (s *sealing) apiServer(answer answers) *apiServerOf {
	a := &apiServerOf{admin: s.token(map[string]any{"sub": "admin"})}
	a.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+a.admin {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		if r.Method != http.MethodGet {
			http.Error(w, "this only reads", http.StatusMethodNotAllowed)
			return
		}
		if r.URL.Path == istiodPath {
			_ = json.NewEncoder(w).Encode(istiod(a.clusterID))
			return
		}
		status, body := answer(r.URL.Path, int(a.calls.Add(1)))
		if location, ok := body.(redirect); ok {
			http.Redirect(w, r, string(location), status)
			return
		}
		w.WriteHeader(status)
		if text, ok := body.(string); ok {
			fmt.Fprint(w, text)
			return
		}
		_ = json.NewEncoder(w).Encode(body)
	}))
	s.Cleanup(a.Close)
	a.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate().Raw})
	return a
}

type redirect string

// trustTestServers makes this process trust the certificate of httptest's servers, as a
// machine trusts a public CA.
var trustTestServers = sync.OnceFunc(func() {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	file := filepath.Join(os.TempDir(), fmt.Sprintf("sightline-test-%d.pem", os.Getpid()))
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		panic(err)
	}
	defer os.Remove(file)
	for _, variable := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR"} {
		before, was := os.LookupEnv(variable)
		if os.Setenv(variable, file) != nil {
			panic(variable)
		}
		defer func() {
			if was {
				os.Setenv(variable, before)
			} else {
				os.Unsetenv(variable)
			}
		}()
	}
	if _, err := x509.SystemCertPool(); err != nil { // Go reads it once
		panic(err)
	}
})

// kubeconfig writes a kubeconfig with contexts for API servers. ca says where the CA is:
// data, file, none (the machine trusts the server), or insecure.
func (s *sealing) kubeconfig(contexts map[string]*apiServerOf, ca string) string {
	var text strings.Builder
	text.WriteString("apiVersion: v1\nkind: Config\n")
	lists := map[string]string{}
	for name, a := range contexts {
		authority := "certificate-authority-data: " + base64.StdEncoding.EncodeToString(a.ca)
		switch ca {
		case "file":
			authority = "certificate-authority: " + filepath.Base(s.keep(name+"-ca.pem", a.ca)) // relative to the kubeconfig
		case "none":
			authority = "proxy-url: ''"
		case "insecure":
			authority = "insecure-skip-tls-verify: true"
		}
		lists["clusters"] += fmt.Sprintf("- {name: %q, cluster: {server: %q, %s}}\n", name, a.URL, authority)
		lists["users"] += fmt.Sprintf("- {name: %q, user: {token: %q}}\n", name, a.admin)
		lists["contexts"] += fmt.Sprintf("- {name: %q, context: {cluster: %q, user: %q}}\n", name, name, name)
	}
	for key, list := range lists {
		text.WriteString(key + ":\n" + list)
	}
	return s.keep("kubeconfig", []byte(text.String()))
}

const (
	secretPath = "/api/v1/namespaces/istio-system/secrets/kiali-service-account"
	caPath     = "/api/v1/namespaces/istio-system/configmaps/kube-root-ca.crt"
	istiodPath = "/apis/apps/v1/namespaces/istio-system/deployments"
)

func tokenSecret(token string) map[string]any {
	data := map[string]any{}
	if token != "" {
		data["token"] = base64.StdEncoding.EncodeToString([]byte(token))
	}
	return map[string]any{
		"kind": "Secret", "type": "kubernetes.io/service-account-token", "data": data,
		"metadata": map[string]any{"annotations": map[string]any{"kubernetes.io/service-account.name": "kiali-service-account"}},
	}
}

func notFound(what string) map[string]any {
	return map[string]any{"kind": "Status", "message": what + " not found"}
}

// authority is a CA of a remote.
func authority(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().AddDate(10, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// TestSealLive reads the token and the CA from a remote whose token controller is slow.
func TestSealLive(t *testing.T) {
	t.Parallel()
	for _, ca := range []string{"data", "file", "none", "flag"} {
		t.Run(ca, func(t *testing.T) {
			t.Parallel()
			s := newSealing(t)
			token, root := s.accountToken(), authority(t) // the CA that the pods of a cluster know need not be the kubeconfig's
			a := s.apiServer(func(path string, call int) (int, any) {
				switch {
				case path == caPath && ca == "none":
					return http.StatusOK, map[string]any{"data": map[string]any{"ca.crt": string(root)}}
				case path != secretPath:
					return http.StatusTeapot, "nobody asks for this: " + path
				case call == 1:
					return http.StatusNotFound, notFound("secrets")
				case call == 2:
					return http.StatusOK, tokenSecret("")
				case call == 3:
					return http.StatusServiceUnavailable, "a moment, please"
				}
				return http.StatusOK, tokenSecret(token)
			})
			file := s.kubeconfig(map[string]*apiServerOf{"admin@west": a}, ca)
			args := []string{"west", "--context", "admin@west", "--kubeconfig", file}
			want := a.ca
			switch ca {
			case "none":
				want = root
			case "flag":
				args, want = append(args, "--ca-file", s.keep("flag.pem", root)), root
			}
			code, stderr := s.seal(args...)
			require.Equal(t, exitOK, code, stderr)
			require.Equal(t, "west: waiting for the token, 0s of 1m0s: there is no Secret istio-system/kiali-service-account on it\n"+
				"west: sealed: "+s.dir+"/sealed/mesh/west.yaml\nhint: commit it, and render again\n", stderr)
			got, server, authority := s.opened("west")
			assert.Equal(t, token, got)
			assert.Equal(t, "https://api.west.example.com:6443", server)
			assert.Equal(t, string(want), string(authority))

			code, stderr = s.seal(args...)
			require.Equal(t, exitOK, code, stderr)
			require.Equal(t, "west: unchanged\n", stderr)
		})
	}
}

// TestSealLiveFails makes each request fail, one after the other. Then nothing is
// written, and no message has a credential.
func TestSealLiveFails(t *testing.T) {
	t.Parallel()
	leak := "the token in the message" // a token replaces this text
	for _, c := range []struct {
		name   string
		answer answers
		code   int
		want   string
	}{
		{"not allowed", func(string, int) (int, any) {
			return http.StatusForbidden, notFound("secrets is forbidden: " + leak)
		}, exitFailure, `sightline: west: HOST (context "west") answers Forbidden: secrets is forbidden: [redacted] not found
hint: the user of the context needs get on the Secret: kubectl --context west -n istio-system auth can-i get secret/kiali-service-account
`},
		{"not logged in", func(string, int) (int, any) { return http.StatusUnauthorized, leak }, exitFailure, `sightline: west: HOST (context "west") answers Unauthorized
hint: log in to the cluster again; kubectl --context west auth whoami says who you are
`},
		{"broken", func(string, int) (int, any) { return http.StatusInternalServerError, leak }, exitFailure, `sightline: west: HOST (context "west") answers Internal Server Error
`},
		{"no object", func(string, int) (int, any) { return http.StatusOK, "<html>" + leak }, exitFailure, `sightline: west: HOST (context "west") answers with no object of Kubernetes
hint: check that the API server answers (kubectl --context west version), and seal again
`},
		{"elsewhere", func(string, int) (int, any) { return http.StatusFound, redirect("https://elsewhere.example.com/") }, exitFailure, `sightline: west: HOST (context "west") answers with a redirect, which is not followed
`},
		{"another Secret", func(string, int) (int, any) {
			return http.StatusOK, map[string]any{"type": "Opaque", "data": map[string]any{"token": base64.StdEncoding.EncodeToString([]byte(leak))}}
		}, exitFailure, `sightline: west: the Secret istio-system/kiali-service-account is of the type "Opaque" for the account "", expected kubernetes.io/service-account-token for "kiali-service-account"
hint: apply the rendered phase link of the remote
`},
		{"never", func(string, int) (int, any) { return http.StatusOK, tokenSecret("") }, exitFailure, `west: waiting for the token, 0s of 1s: the Secret istio-system/kiali-service-account has no token yet
sightline: west: no token within 1s: the Secret istio-system/kiali-service-account has no token yet
hint: the remote deletes a token Secret without a service account: check that istio-system/kiali-service-account exists (kubectl --context west -n istio-system get serviceaccount,secret), and apply the phase link again
`},
		{"goes away", func(_ string, call int) (int, any) {
			if call == 1 {
				return http.StatusNotFound, notFound("secrets")
			}
			return http.StatusBadGateway, leak
		}, exitFailure, `west: waiting for the token, 0s of 1s: there is no Secret istio-system/kiali-service-account on it
sightline: west: no token within 1s: HOST (context "west") answers Bad Gateway
hint: check that the API server answers (kubectl --context west version), and seal again
`},
		{"no CA", func(path string, _ int) (int, any) {
			if path == caPath {
				return http.StatusNotFound, notFound("configmaps")
			}
			return http.StatusOK, tokenSecret(leak)
		}, exitFailure, `sightline: west: the kubeconfig has no CA, and the ConfigMap kube-root-ca.crt cannot be read: HOST (context "west") answers Not Found: configmaps not found
hint: name the CA of the API server with --ca-file FILE
`},
		{"an empty CA", func(path string, _ int) (int, any) {
			if path == caPath {
				return http.StatusOK, map[string]any{}
			}
			return http.StatusOK, tokenSecret(leak)
		}, exitRefused, `sightline: west: the CA of the remote's API server: the file is empty, expected a certificate in PEM
hint: it is certificate-authority-data of a kubeconfig, decoded, or ca.crt of the ConfigMap kube-root-ca.crt
`},
		{"the token of another account", func(path string, _ int) (int, any) {
			if path == caPath {
				return http.StatusOK, map[string]any{"data": map[string]any{"ca.crt": "CA"}}
			}
			return http.StatusOK, tokenSecret("OTHER")
		}, exitRefused, `sightline: west: the token belongs to "admin", expected "system:serviceaccount:istio-system:kiali-service-account"
hint: give the token of the Secret kiali-service-account on the remote
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSealing(t)
			token, another := s.accountToken(), s.token(map[string]any{"sub": "admin"})
			var a *apiServerOf
			var fill func(v any) any
			fill = func(v any) any {
				switch v := v.(type) {
				case string:
					v = strings.ReplaceAll(v, leak, token)
					if v == "CA" {
						v = string(a.ca)
					}
					return strings.ReplaceAll(strings.ReplaceAll(v, base64.StdEncoding.EncodeToString([]byte(leak)), base64.StdEncoding.EncodeToString([]byte(token))),
						base64.StdEncoding.EncodeToString([]byte("OTHER")), base64.StdEncoding.EncodeToString([]byte(another)))
				case map[string]any:
					filled := map[string]any{}
					for key := range v {
						filled[key] = fill(v[key])
					}
					return filled
				}
				return v
			}
			a = s.apiServer(func(path string, call int) (int, any) {
				status, body := c.answer(path, call)
				return status, fill(body)
			})
			code, stderr := s.seal("west", "--timeout", "1s", "--kubeconfig", s.kubeconfig(map[string]*apiServerOf{"west": a}, "none"))
			assert.Equal(t, c.want, strings.ReplaceAll(stderr, a.Listener.Addr().String(), "HOST"))
			assert.Equal(t, c.code, code)
			assert.NoDirExists(t, filepath.Join(s.dir, "sealed"))
		})
	}
}

// TestSealUnreachable asks a server that does not answer or is not trusted.
func TestSealUnreachable(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	a := s.apiServer(func(string, int) (int, any) { return http.StatusOK, "" })
	address := a.Listener.Addr().String()
	a.ca = []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	code, stderr := s.seal("west", "--kubeconfig", s.kubeconfig(map[string]*apiServerOf{"west": a}, "data"))
	assert.Equal(t, exitFailure, code)
	assert.Contains(t, stderr, `sightline: west: the context "west" cannot be used: `)
	a.Close()
	code, stderr = s.seal("west", "--kubeconfig", s.kubeconfig(map[string]*apiServerOf{"west": a}, "none"))
	assert.Equal(t, exitFailure, code)
	assert.Equal(t, "sightline: west: "+address+` (context "west") does not answer: dial tcp `+address+": connect: connection refused\nhint: check that the API server answers (kubectl --context west version), and seal again\n", stderr)
	code, stderr = s.seal("west", "--kubeconfig", s.kubeconfig(map[string]*apiServerOf{"elsewhere": a, "somewhere": a}, "none"))
	assert.Equal(t, exitFailure, code)
	assert.Equal(t, "sightline: west: no context \"west\" in the kubeconfig\nhint: name one with --context; the contexts are elsewhere, somewhere\n", stderr)
	code, stderr = s.seal("west", "--kubeconfig", s.keep("a-token-by-mistake", []byte(s.accountToken())))
	assert.Equal(t, exitFailure, code)
	assert.Contains(t, stderr, "sightline: west: the kubeconfig cannot be read: ")
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "sealed"), nil, 0o644)) // a file in the way
	code, stderr = s.seal("west", "--token-file", s.keep("token", []byte(s.accountToken())), "--ca-file", filepath.Join(s.secrets, "hub.pem"))
	assert.Equal(t, exitFailure, code)
	assert.Contains(t, stderr, "mesh: not a directory\n")
}

// TestSealAll continues after a remote that fails, and reports each remote.
func TestSealAll(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	token := s.accountToken()
	good := s.apiServer(func(string, int) (int, any) { return http.StatusOK, tokenSecret(token) })
	bad := s.apiServer(func(string, int) (int, any) { return http.StatusForbidden, notFound("secrets") })
	file := s.kubeconfig(map[string]*apiServerOf{"north": bad, "admin@west": good}, "data")
	code, stderr := s.seal("--all", "--kubeconfig", file, "--context", "west=admin@west")
	assert.Equal(t, exitFailure, code)
	assert.Equal(t, "west: sealed: "+s.dir+`/sealed/mesh/west.yaml
hint: commit it, and render again
sightline: north: `+bad.Listener.Addr().String()+` (context "north") answers Forbidden: secrets not found
hint: the user of the context needs get on the Secret: kubectl --context north -n istio-system auth can-i get secret/kiali-service-account
`, stderr)
	got, _, _ := s.opened("west")
	assert.Equal(t, token, got)
	assert.NoFileExists(t, filepath.Join(s.dir, "sealed", "mesh", "north.yaml"))
	entries, err := os.ReadDir(filepath.Join(s.dir, "sealed", "mesh"))
	require.NoError(t, err)
	require.Len(t, entries, 1)
	info, err := entries[0].Info()
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o644), info.Mode())
}

// TestSealAllWaitsOnce waits for many remotes as long as for one.
func TestSealAllWaitsOnce(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	a := s.apiServer(func(string, int) (int, any) { return http.StatusNotFound, notFound("secrets") })
	start := time.Now()
	code, stderr := s.seal("--all", "--timeout", "1s", "--kubeconfig", s.kubeconfig(map[string]*apiServerOf{"north": a, "west": a}, "data"))
	assert.Equal(t, exitFailure, code)
	assert.Less(t, a.calls.Load(), int32(8))
	assert.Less(t, time.Since(start), 10*time.Second)
	assert.Equal(t, 2, strings.Count(stderr, "waiting for the token"), stderr)
	assert.Contains(t, stderr, "sightline: north: no token within 1s: there is no Secret istio-system/kiali-service-account on it\n")
	assert.Contains(t, stderr, "sightline: west: no token within 1s: there is no Secret istio-system/kiali-service-account on it\n")
}

// TestSealRotationLive reads the token Secret of the next generation.
func TestSealRotationLive(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	first, second := s.accountToken(), s.accountToken()
	a := s.apiServer(func(path string, _ int) (int, any) {
		switch path {
		case secretPath:
			return http.StatusOK, tokenSecret(first)
		case secretPath + "-g2":
			return http.StatusOK, tokenSecret(second)
		}
		return http.StatusNotFound, notFound(path)
	})
	file := s.kubeconfig(map[string]*apiServerOf{"west": a}, "data")
	for _, step := range []struct{ flag, want string }{{"", first}, {"--rotate", first}, {"", second}, {"--finish", second}, {"", second}} {
		args := []string{"seal", "west", "--topology", s.mesh}
		if step.flag != "" {
			args = append(args, step.flag)
		} else {
			args = append(args, "--kubeconfig", file, "--cert", filepath.Join(s.secrets, "hub.pem"))
		}
		code, _, stderr := s.run(t.Context(), "", args...)
		require.Equal(t, exitOK, code, stderr)
		token, _, _ := s.opened("west")
		require.Equal(t, step.want, token, stderr)
	}
}

// TestSealHubContext reads the certificate from the controller, as kubeseal does.
func TestSealHubContext(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	certificate, err := os.ReadFile(filepath.Join(s.secrets, "hub.pem"))
	require.NoError(t, err)
	hub := s.apiServer(func(path string, _ int) (int, any) {
		switch path {
		case "/api/v1/namespaces/sealing/services/controller":
			return http.StatusOK, map[string]any{"spec": map[string]any{"ports": []any{map[string]any{"name": "web", "port": 8080}}}}
		case "/api/v1/namespaces/sealing/services/http:controller:web/proxy/v1/cert.pem":
			return http.StatusOK, string(certificate)
		case "/api/v1/namespaces/sealing/services/down":
			return http.StatusOK, map[string]any{"spec": map[string]any{"ports": []any{map[string]any{"port": 8080}}}}
		case "/api/v1/namespaces/sealing/services/down-headless":
			return http.StatusOK, map[string]any{}
		}
		return http.StatusServiceUnavailable, notFound("services")
	})
	token := s.keep("token", []byte(s.accountToken()))
	ca := s.keep("ca.pem", hub.ca)
	file := s.kubeconfig(map[string]*apiServerOf{"hub": hub}, "data")
	seal := func(controller string) (int, string) {
		code, _, stderr := s.run(t.Context(), "", "seal", "west", "--topology", s.mesh, "--token-file", token, "--ca-file", ca,
			"--kubeconfig", file, "--hub-context", "hub", "--controller-namespace", "sealing", "--controller-name", controller)
		return code, strings.ReplaceAll(stderr, hub.Listener.Addr().String(), "HOST")
	}
	code, stderr := seal("controller")
	require.Equal(t, exitOK, code, stderr)
	s.opened("west")
	for controller, want := range map[string]string{
		"down":          "sightline: the certificate of the controller on the hub: the Service sealing/down, through HOST (context \"hub\") answers Service Unavailable: services not found\nhint: check that its pod runs, or name its certificate with --cert FILE\n",
		"down-headless": "sightline: the controller on the hub: the service sealing/down-headless has no port\nhint: name the controller's service with --controller-name and --controller-namespace, or its certificate with --cert FILE\n",
		"none":          "sightline: the controller on the hub: HOST (context \"hub\") answers Service Unavailable: services not found\nhint: name the controller's service with --controller-name and --controller-namespace, or its certificate with --cert FILE\n",
	} {
		code, stderr := seal(controller)
		assert.Equal(t, exitFailure, code)
		assert.Equal(t, want, stderr)
	}
}

// TestSealInterrupted stops while it waits for a token.
func TestSealInterrupted(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	ctx, cancel := context.WithCancel(t.Context())
	a := s.apiServer(func(_ string, call int) (int, any) {
		if call == 2 {
			cancel()
		}
		return http.StatusOK, tokenSecret("")
	})
	code, _, stderr := s.run(ctx, "", "seal", "--all", "--topology", s.mesh, "--cert", filepath.Join(s.secrets, "hub.pem"),
		"--kubeconfig", s.kubeconfig(map[string]*apiServerOf{"north": a, "west": a}, "data"))
	assert.Equal(t, exitFailure, code)
	assert.Contains(t, stderr, "sightline: interrupted; nothing has changed for north, west\n")
	assert.NoDirExists(t, filepath.Join(s.dir, "sealed"))
}

// TestSealTokenByMistake gives a token in wrong places.
func TestSealTokenByMistake(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	token := s.accountToken()
	ca, cert := filepath.Join(s.secrets, "hub.pem"), filepath.Join(s.secrets, "hub.pem")
	encoded := base64.StdEncoding.EncodeToString([]byte(token))
	for _, args := range [][]string{
		{"west", "--token-file", token, "--ca-file", ca},
		{"west", "--token-file", encoded, "--ca-file", ca},
		{"west", "--token", token},
		{"west", "--token=" + token},
		{"west", token},
		{token},
		{token, "--all"},
		{"west", "--context", token},
		{"west", "--context", "west=" + token},
		{"--all", "--context", token},
		{"west", "--kubeconfig", token},
		{"west", "--token-file", s.keep("t", []byte(token)), "--ca-file", token},
		{"west", "--token-file", s.keep("token", []byte(token)), "--ca-file", s.keep("ca", []byte(token))},
		{"west", "--token-file", s.keep("lines", []byte("a\n"+token)), "--ca-file", ca},
		{"west", "--token-file", s.keep("base64", []byte(encoded)), "--ca-file", ca},
		{"west", "--token-file", s.keep("half", []byte(token[:len(token)/2])), "--ca-file", s.keep("none", nil)},
		{"west", "--cert", token},
		{"west", "--cert", s.keep("cert", []byte(token)), "--token-file", s.keep("x", []byte(token))},
		{"west", "--hub-context", token, "--cert", ""},
		{"west", "--output", token},
		{"west", "--timeout", token},
		{"west", "--topology", token},
		{"west", "--check=" + token},
	} {
		given := append([]string{"seal", "--topology", s.mesh, "--cert", cert}, args...)
		code, _, stderr := s.run(t.Context(), "", given...)
		assert.NotEqual(t, exitOK, code, stderr)
		assert.Contains(t, stderr, "sightline: ")
	}
	for _, stdin := range []string{"a " + token, encoded, token + "\n" + token} {
		code, _, stderr := s.run(t.Context(), stdin, "seal", "west", "--topology", s.mesh, "--cert", cert, "--ca-file", ca, "--token-file", "-")
		assert.Equal(t, exitRefused, code, stderr)
	}
	assert.NoDirExists(t, filepath.Join(s.dir, "sealed"))

	// A file with a token instead of a topology, for every kind of token.
	opaque := "AQIDBAUGBwgJCgsMDQ4P" + rand.Text()
	s.secret = append(s.secret, opaque)
	for _, credential := range []string{token, opaque, encoded, "# a comment\n" + token, "token: " + token, "- " + token, "kind: " + token, token + ": &" + token} {
		file := s.keep("credential", []byte(credential))
		for _, args := range [][]string{
			{token},
			{"render", file, "-o", "-"},
			{"verify", file},
			{"verify", file, "--output", "json"},
			{"explain", "relabel", file},
			{"seal", "west", "--topology", file, "--check"},
		} {
			code, _, _ := s.run(t.Context(), "", args...)
			assert.NotEqual(t, exitOK, code, args[0])
		}
	}
}

// TestDocumentedSeals parses every seal command in the documentation and in the help. It
// runs without the files that they name.
func TestDocumentedSeals(t *testing.T) {
	t.Parallel()
	docs := newSealCommand().Example
	for _, file := range []string{"../../docs/first-mesh.md", "../../docs/seal.md"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		docs += "\n" + string(text)
	}
	lines := regexp.MustCompile(`(?m)^ +sightline (seal [^.\n]*--topology mesh\.yaml[^\n<|]*)`).FindAllStringSubmatch(docs, -1)
	require.Greater(t, len(lines), 10)
	s := newSealing(t)
	renamed := strings.NewReplacer("east", "cluster1", "north", "cluster3", "west", "cluster2")
	for _, line := range lines {
		for _, mesh := range []string{sealedMesh, renamed.Replace(sealedMesh)} {
			if strings.Contains(line[1], "cluster") != strings.Contains(mesh, "cluster2") {
				continue
			}
			require.NoError(t, os.WriteFile(s.mesh, []byte(mesh), 0o644))
			args := strings.Fields(strings.Replace(line[1], "mesh.yaml", s.mesh, 1))
			_, _, stderr := s.run(t.Context(), "", append(args, "--kubeconfig", filepath.Join(s.secrets, "none"))...)
			// The files, the clusters and the links to rotate do not exist.
			assert.Regexp(t, `(?s)(mesh: looked at|no such file or directory|there is no link yet|a Secret in the clear goes to a pipe)`, stderr, line[1])
		}
	}
}

// tokenFile writes the token of Kiali's account: token FILE [SECRET]. Only its signature
// differs from a token of the token controller.
func tokenFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: token file [secret]")
	}
	secret := "kiali-service-account"
	if len(args) > 1 {
		secret = args[1]
	}
	b64 := base64.RawURLEncoding.EncodeToString
	signature := make([]byte, 256)
	rand.Read(signature)
	token := b64([]byte(`{"alg":"RS256"}`)) + "." +
		b64([]byte(`{"sub":"system:serviceaccount:istio-system:kiali-service-account","kubernetes.io/serviceaccount/secret.name":"`+secret+`"}`)) + "." + b64(signature)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(token), 0o600))
}

// TestSearchFinds shows that the search for credentials can fail.
func TestSearchFinds(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	token := s.accountToken()
	for _, text := range []string{
		"x" + token + "y",
		strings.Split(token, ".")[1],
		base64.StdEncoding.EncodeToString([]byte("Bearer " + token)),
		base64.StdEncoding.EncodeToString([]byte("token: " + token)),
		base64.StdEncoding.EncodeToString([]byte("token:  " + token + "\n")),
		base64.URLEncoding.EncodeToString([]byte(token)),
	} {
		found := false
		for _, trace := range traces(token) {
			found = found || strings.Contains(text, trace)
		}
		assert.True(t, found, text)
	}
}
