// Package sops decrypts the output of seal with SOPS itself. It is a separate
// module, because SOPS brings the libraries of every cloud.
package sops

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/getsops/sops/v3/cmd/sops/formats"
	"github.com/getsops/sops/v3/decrypt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

const testOnlyKey = "../../render/testdata/sops/test-only.agekey"

// secret is the result of a decryption.
type secret struct {
	Kind, Type string
	Metadata   struct{ Namespace, Name string }
	Data       map[string][]byte
	SOPS       any `json:"sops"`
}

// kubeconfig has the fields that Kiali reads.
type kubeconfig struct {
	CurrentContext string `json:"current-context"`
	Clusters       []struct {
		Name    string
		Cluster struct {
			Server string
			CA     []byte `json:"certificate-authority-data"`
		}
	}
	Users []struct {
		Name string
		User struct{ Token string }
	}
}

// opened decrypts a Secret of a tree in two ways: as a file with its MAC, like
// sops --decrypt; and as the JSON of a kustomize build, like Flux.
func opened(t *testing.T, text []byte) map[string]kubeconfig {
	t.Helper()
	plain, err := decrypt.DataWithFormat(text, formats.Yaml)
	require.NoError(t, err)
	asJSON, err := yaml.YAMLToJSON(text)
	require.NoError(t, err)
	ofJSON, err := decrypt.DataWithFormat(asJSON, formats.Json)
	require.NoError(t, err)
	var s, other secret
	require.NoError(t, yaml.Unmarshal(plain, &s))
	require.NoError(t, json.Unmarshal(ofJSON, &other))
	assert.Equal(t, s, other)
	assert.Equal(t, "Secret Opaque", s.Kind+" "+s.Type)
	assert.Nil(t, s.SOPS, "what is applied has no field that an API server does not know")
	links := map[string]kubeconfig{}
	for name, data := range s.Data {
		var k kubeconfig
		require.NoError(t, yaml.Unmarshal(data, &k))
		require.Len(t, k.Clusters, 1)
		require.Len(t, k.Users, 1)
		assert.Equal(t, []string{name, name, name}, []string{k.CurrentContext, k.Clusters[0].Name, k.Users[0].Name})
		assert.NotEmpty(t, k.Clusters[0].Cluster.CA)
		links[name] = k
	}
	return links
}

// TestGolden decrypts the rendered links of topologies/sops.yaml.
func TestGolden(t *testing.T) {
	key, err := os.ReadFile(testOnlyKey)
	require.NoError(t, err)
	t.Setenv("SOPS_AGE_KEY", string(key))
	for _, name := range []string{"west", "south"} {
		text, err := os.ReadFile("../../golden/sops/kustomize/clusters/east/link/kiali-link-" + name + ".yaml")
		require.NoError(t, err)
		links := opened(t, text)
		require.Contains(t, links, name)
		assert.Equal(t, "https://api."+name+".example.com:6443", links[name].Clusters[0].Cluster.Server)
		assert.Equal(t, 2, strings.Count(links[name].Users[0].User.Token, "."), "a JWT")
	}
}

// TestSeal seals the links of two remotes as a user does, and renders them: in
// one Secret and in two, for an X25519 key and for a key that is safe from
// quantum computers. Each key opens them.
func TestSeal(t *testing.T) {
	sightline := build(t)
	classic, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	hybrid, err := age.GenerateHybridIdentity()
	require.NoError(t, err)
	stranger, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	recipients := classic.Recipient().String() + "," + hybrid.Recipient().String()
	for format, files := range map[string][]string{
		"single":     {"kiali-links.yaml"},
		"perCluster": {"kiali-link-west.yaml", "kiali-link-south.yaml"},
	} {
		t.Run(format, func(t *testing.T) {
			dir := t.TempDir()
			remotes := remotes(t)
			write(t, filepath.Join(dir, "kubeconfig"), remotes.kubeconfig)
			write(t, filepath.Join(dir, "mesh.yaml"), fmt.Sprintf(mesh, format))
			seal := func(more ...string) string {
				return run(t, dir, sightline, append([]string{"seal", "--all", "--topology", "mesh.yaml", "--sops", recipients, "--kubeconfig",
					"kubeconfig", "--try-server=false"}, more...)...)
			}
			link := func(file string) []byte {
				run(t, dir, sightline, "render", "mesh.yaml", "-o", "out")
				text, err := os.ReadFile(filepath.Join(dir, "out/clusters/east/link", file))
				require.NoError(t, err)
				return text
			}
			assert.Contains(t, seal(), "west: sealed: ")
			for _, key := range []string{classic.String(), hybrid.String()} {
				t.Setenv("SOPS_AGE_KEY", key)
				found := map[string]string{}
				for _, file := range files {
					for name, k := range opened(t, link(file)) {
						found[name] = k.Users[0].User.Token
					}
				}
				assert.Equal(t, remotes.tokens, found)
			}
			t.Setenv("SOPS_AGE_KEY", stranger.String())
			_, err := decrypt.DataWithFormat(link(files[0]), formats.Yaml)
			require.Error(t, err, "somebody else's key opens nothing")
			t.Setenv("SOPS_AGE_KEY", classic.String())

			before := link(files[0])
			assert.Contains(t, seal(), "west: unchanged")
			assert.Equal(t, string(before), string(link(files[0])), "nothing is written while nothing has changed")

			remotes.tokens["south"] = token("south", "renewed")
			said := seal()
			assert.Contains(t, said, "south: sealed again")
			if format == "single" {
				assert.Contains(t, said, "west: sealed again, together with the other links of the Secret kiali-multi-cluster-secret")
			} else {
				assert.Contains(t, said, "west: unchanged")
			}
			assert.Equal(t, remotes.tokens["south"], opened(t, link(files[len(files)-1]))["south"].Users[0].User.Token)
			before = link(files[0])

			// A value that was moved to another key, or changed, is refused.
			for from, to := range map[string]string{"\ndata:\n  ": "\ndata:\n  x", "\n  mac: ENC[AES256_GCM,data:": "\n  mac: ENC[AES256_GCM,data:AAAA"} {
				changed := bytes.Replace(before, []byte(from), []byte(to), 1)
				require.NotEqual(t, string(before), string(changed))
				_, err := decrypt.DataWithFormat(changed, formats.Yaml)
				require.Error(t, err, to)
			}
		})
	}
}

const mesh = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  kiali: {hub: east, version: v2.27, links: {source: sops, format: %s}}
  namespaces: [sample]
  clusters:
    - {name: east, domain: apps.east.example.com}
    - {name: west, server: "https://api.west.example.com:6443"}
    - {name: south, server: "https://api.south.example.com:6443"}
`

// build makes the product's binary.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "sightline")
	run(t, "../..", "go", "build", "-o", program, "./cmd/sightline")
	return program
}

func run(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %v\n%s", program, args, out)
	return string(out)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
}

// servers are stand-ins for the API servers that seal asks.
type servers struct {
	kubeconfig string
	tokens     map[string]string // by cluster
}

func remotes(t *testing.T) *servers {
	t.Helper()
	s := &servers{tokens: map[string]string{"west": token("west", "first"), "south": token("south", "first")}}
	var text strings.Builder
	text.WriteString("apiVersion: v1\nkind: Config\n")
	sections := map[string]string{}
	for name := range s.tokens {
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := map[string]any{"items": []any{}}
			if strings.HasSuffix(r.URL.Path, "/secrets/kiali-service-account") {
				answer = map[string]any{
					"type": "kubernetes.io/service-account-token",
					"metadata": map[string]any{"name": "kiali-service-account", "creationTimestamp": "2026-01-01T00:00:00Z", "annotations": map[string]string{
						"kubernetes.io/service-account.name": "kiali-service-account"}},
					"data": map[string][]byte{"token": []byte(s.tokens[name])},
				}
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(answer)
		}))
		t.Cleanup(server.Close)
		ca := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
		sections["clusters"] += fmt.Sprintf("- {name: %s, cluster: {server: %q, certificate-authority-data: %s}}\n", name, server.URL, ca)
		sections["users"] += fmt.Sprintf("- {name: %s, user: {token: mine}}\n", name)
		sections["contexts"] += fmt.Sprintf("- {name: %s, context: {cluster: %s, user: %s}}\n", name, name, name)
	}
	for _, key := range []string{"clusters", "users", "contexts"} {
		text.WriteString(key + ":\n" + sections[key])
	}
	s.kubeconfig = text.String()
	return s
}

// token returns a JWT in the form of a token Secret. Nobody has signed it.
func token(cluster, generation string) string {
	encode := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"iss":"kubernetes/serviceaccount","kubernetes.io/serviceaccount/namespace":"istio-system",` +
		`"kubernetes.io/serviceaccount/secret.name":"kiali-service-account","sub":"system:serviceaccount:istio-system:kiali-service-account"}`)
	signature := fmt.Sprintf("%064s", cluster+"-"+generation)
	return encode([]byte(`{"alg":"RS256","kid":"nobody"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte(signature))
}
