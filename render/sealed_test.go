package render

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bitnami-labs/sealed-secrets/pkg/crypto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// The key of a controller that nobody runs. It opens the links of
// topologies/linked.yaml. `sightline seal` made them with the certificate
// beside it, and with tokens that nobody signed.
const (
	testOnlyKey         = "testdata/controller/test-only.key"
	testOnlyCertificate = "testdata/controller/test-only.crt"
)

// TestProgramKubesealOpensLinks renders links, builds the hub with kustomize,
// and opens the result with kubeseal. The result is the Secret, with the
// metadata for which Kiali and its operator look.
func TestProgramKubesealOpensLinks(t *testing.T) {
	t.Run("single", func(t *testing.T) {
		top := everyExample(t)["linked"]
		secrets := unsealed(t, top, SourcesOf(top))
		require.Len(t, secrets, 1)
		secret := secrets[0]
		assert.Equal(t, "istio-system/kiali-multi-cluster-secret", secret.Metadata.Namespace+"/"+secret.Metadata.Name)
		assert.Equal(t, "true", secret.Metadata.Labels["kiali.io/kiali-multi-cluster-secret"])
		assert.Len(t, secret.Data, 2)
		for name, kubeconfig := range secret.Data {
			requireKubeconfig(t, top, name, kubeconfig)
		}
	})
	t.Run("perCluster", func(t *testing.T) {
		for _, version := range []kiali.Line{kiali.V2_4, kiali.V2_22} {
			top := everyExample(t)["linked"]
			top.Spec.Kiali.Version, top.Hub().Kiali.Version = version, version
			top.Spec.Kiali.Links.Format = "perCluster"
			links := Links{}
			for i := range top.Spec.Clusters[1:] {
				c := &top.Spec.Clusters[i+1]
				links[c.Name] = sealedAnew(t, top, c, "kubeconfig of "+c.Name)
			}
			from := SourcesOf(top)
			from.Links = links
			secrets := unsealed(t, top, from)
			require.Len(t, secrets, 2)
			for i, secret := range secrets {
				name := top.Spec.Clusters[i+1].Name
				assert.Equal(t, "istio-system/kiali-remote-cluster-secret-"+name, secret.Metadata.Namespace+"/"+secret.Metadata.Name)
				assert.Equal(t, "true", secret.Metadata.Labels["kiali.io/multiCluster"])
				assert.Equal(t, name, secret.Metadata.Annotations["kiali.io/cluster"])
				assert.Equal(t, map[string][]byte{name: []byte("kubeconfig of " + name)}, secret.Data)
			}
		}
	})
}

// secret is kubeseal's output.
type secret struct {
	Kind, Type string
	Metadata   struct {
		Namespace, Name     string
		Labels, Annotations map[string]string
	}
	Data map[string][]byte
}

// unsealed builds the hub's links with the programs and opens them, in order.
func unsealed(t *testing.T, top *topology.Topology, from Sources) []secret {
	t.Helper()
	kustomize, kubeseal := os.Getenv("SIGHTLINE_KUSTOMIZE"), os.Getenv("SIGHTLINE_KUBESEAL")
	if kustomize == "" || kubeseal == "" {
		t.Skip("SIGHTLINE_KUSTOMIZE and SIGHTLINE_KUBESEAL name no programs (make test-programs sets them), so it is not shown that kubeseal opens the links")
	}
	out := writtenFrom(t, top, from, Kustomize)
	built := output(t, nil, kustomize, "build", filepath.Join(out, "clusters", top.Hub().Name, "link"))
	var secrets []secret
	for _, doc := range bytes.Split(built, []byte("\n---\n")) {
		var s secret
		require.NoError(t, json.Unmarshal(output(t, doc, kubeseal, "--recovery-unseal", "--recovery-private-key", testOnlyKey, "-o", "json"), &s))
		assert.Equal(t, "Secret Opaque", s.Kind+" "+s.Type)
		secrets = append(secrets, s)
	}
	return secrets
}

// output runs a program that prints only its result.
func output(t *testing.T, stdin []byte, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(program, args...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", &stderr)
	require.Empty(t, stderr.String())
	return out
}

// requireKubeconfig checks what Kiali requires of a kubeconfig.
func requireKubeconfig(t *testing.T, top *topology.Topology, name string, text []byte) {
	t.Helper()
	config, err := clientcmd.Load(text)
	require.NoError(t, err)
	require.Len(t, config.Clusters, 1)
	require.Contains(t, config.Clusters, name)
	client, err := clientcmd.NewDefaultClientConfig(*config, nil).ClientConfig()
	require.NoError(t, err)
	for i := range top.Spec.Clusters {
		if c := &top.Spec.Clusters[i]; c.Name == name {
			assert.Equal(t, c.Server, client.Host)
		}
	}
	assert.True(t, x509.NewCertPool().AppendCertsFromPEM(client.CAData))
	parts := strings.Split(client.BearerToken, ".")
	require.Len(t, parts, 3)
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	assert.Contains(t, string(claims), fmt.Sprintf("system:serviceaccount:%s:%s", top.Spec.Kiali.Namespace, top.Account()))
}

// sealedAnew seals a text for a remote's Secret.
func sealedAnew(t *testing.T, top *topology.Topology, c *topology.Cluster, text string) *topology.SealedLink {
	t.Helper()
	data, err := os.ReadFile(testOnlyCertificate)
	require.NoError(t, err)
	block, _ := pem.Decode(data)
	certificate, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	link := &topology.SealedLink{}
	link.Spec.Secret = top.SealedFor(c)
	label := link.Spec.Secret.Namespace + "/" + link.Spec.Secret.Name // for the strict scope
	encrypted, err := crypto.HybridEncrypt(rand.Reader, certificate.PublicKey.(*rsa.PublicKey), []byte(text), []byte(label))
	require.NoError(t, err)
	link.Spec.EncryptedData = base64.StdEncoding.EncodeToString(encrypted)
	return link
}
