package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

// TestSealPlain prints one Secret with every remote, and writes no file. Messages have no
// token.
func TestSealPlain(t *testing.T) {
	t.Parallel()
	for format, want := range map[string][]string{
		"single":     {"kiali-multi-cluster-secret"},
		"perCluster": {"kiali-remote-cluster-secret-north", "kiali-remote-cluster-secret-west"},
	} {
		s := newSealing(t)
		require.NoError(t, os.WriteFile(s.mesh, []byte(strings.Replace(sealedMesh, "hub: east", "hub: east, links: {source: external, format: "+format+"}", 1)), 0o644))
		tokens := map[string]string{"north": s.accountToken(), "west": s.accountToken()}
		contexts := map[string]*apiServerOf{}
		for name, token := range tokens {
			contexts[name] = s.apiServer(func(string, int) (int, any) { return http.StatusOK, tokenSecret(token) })
		}
		code, stdout, stderr := s.plain("--all", "--kubeconfig", s.kubeconfig(contexts, ""))
		require.Equal(t, exitOK, code, stderr)
		assert.Contains(t, stderr, "hint: apply it with: kubectl --context east apply --server-side --field-manager=sightline -f -\n")
		var names []string
		for _, document := range strings.Split(stdout, "---\n")[1:] {
			var secret corev1.Secret
			require.NoError(t, yaml.UnmarshalStrict([]byte(document), &secret))
			names = append(names, secret.Name)
			assert.Equal(t, "istio-system", secret.Namespace)
			assert.Empty(t, secret.StringData)
			for name, text := range secret.Data {
				config, err := clientcmd.RESTConfigFromKubeConfig(text)
				require.NoError(t, err)
				assert.Equal(t, tokens[name], config.BearerToken)
				assert.Equal(t, "https://api."+name+".example.com:6443", config.Host)
				if format == "perCluster" {
					assert.Equal(t, name, secret.Annotations["kiali.io/cluster"])
				}
				delete(tokens, name)
			}
			label := map[string]string{"single": "kiali.io/kiali-multi-cluster-secret", "perCluster": "kiali.io/multiCluster"}[format]
			assert.Equal(t, "true", secret.Labels[label])
		}
		assert.Equal(t, want, names)
		assert.Empty(t, tokens)
		entries, err := os.ReadDir(s.dir)
		require.NoError(t, err)
		assert.Len(t, entries, 1, "the topology")
	}
}

// TestSealPlainOne prints one remote for a separate field manager.
func TestSealPlainOne(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	token, ca := s.keep("token", []byte(s.accountToken())), s.keep("ca.pem", authority(t))
	code, stdout, stderr := s.plain("west", "--token-file", token, "--ca-file", ca, "--hub-context", "admin@east")
	assert.Equal(t, exitOK, code)
	assert.Contains(t, stdout, "\n  west: ")
	assert.NotContains(t, stdout, "north")
	assert.Equal(t, "mesh: printed kiali-multi-cluster-secret for west, with tokens in the clear\n"+
		"hint: apply it with: kubectl --context admin@east apply --server-side --field-manager=sightline-west -f -\n", stderr)

	// With a sealed link, its controller makes the Secret.
	code, stderr = s.seal("west", "--token-file", token, "--ca-file", ca)
	require.Equal(t, exitOK, code, stderr)
	code, stdout, stderr = s.plain("west", "--token-file", token, "--ca-file", ca)
	assert.Equal(t, exitRefused, code)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "sightline: west has a sealed link below "+filepath.Join(s.dir, "sealed", "mesh")+", and its controller writes the same Secret\nhint: seal it without --plain")
}

// TestSealPlainAllOrNothing prints nothing if a remote fails, because an apply removes
// the keys that are no longer there.
func TestSealPlainAllOrNothing(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	token := s.accountToken()
	west := s.apiServer(func(string, int) (int, any) { return http.StatusOK, tokenSecret(token) })
	code, stdout, stderr := s.plain("--all", "--kubeconfig", s.kubeconfig(map[string]*apiServerOf{"west": west}, ""))
	assert.Equal(t, exitFailure, code)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "sightline: north: no context \"north\" in the kubeconfig\n")
	assert.Contains(t, stderr, "sightline: nothing is printed: a Secret without these remotes would remove their links from the hub\n")
}

// TestSealPlainToFile refuses files and devices before a token is read.
func TestSealPlainToFile(t *testing.T) {
	t.Parallel()
	s := newSealing(t)
	file, err := os.Create(filepath.Join(s.dir, "secret.yaml"))
	require.NoError(t, err)
	defer file.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer null.Close()
	for is, stdout := range map[string]*os.File{"a file, which would keep the tokens": file, "a terminal or another device, which would show the tokens": null} {
		var stderr bytes.Buffer
		code := run(shared(t.Context()), []string{"seal", "--all", "--plain", "--topology", s.mesh, "--kubeconfig", "absent"}, strings.NewReader(""), stdout, &stderr)
		assert.Equal(t, exitRefused, code)
		assert.Equal(t, "sightline: standard output is "+is+"; expected a pipe\n"+
			"hint: sightline seal --all --topology "+s.mesh+" --plain | kubectl --context east apply --server-side --field-manager=sightline -f -\n", stderr.String())
	}
	info, err := file.Stat()
	require.NoError(t, err)
	assert.Zero(t, info.Size())
}

// plain is a run that may print credentials, but only to standard output.
func (s *sealing) plain(args ...string) (code int, stdout, stderr string) {
	s.Helper()
	var out, words bytes.Buffer
	code = run(s.Context(), append([]string{"seal", "--plain", "--try-server=false", "--topology", s.mesh}, args...), strings.NewReader(""), &out, &words)
	s.search(words.String(), "stderr")
	return code, out.String(), words.String()
}
