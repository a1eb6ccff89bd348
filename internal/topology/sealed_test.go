package topology

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const sealedLink = `apiVersion: sightline.dev/v1alpha1
kind: SealedLink
metadata: {name: west}
spec:
  server: https://api.west.example.com:6443
  secret: {namespace: istio-system, name: kiali-multi-cluster-secret, key: west}
  certificate: {fingerprint: "0000000000000000000000000000000000000000000000000000000000000000", notAfter: "2036-01-01T00:00:00Z"}
  encryptedData: AAAA
`

// TestSealedLinkTokens: the generations of a link are ones that seal leaves.
func TestSealedLinkTokens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lines, want string
		tokens      []int
	}{
		{"", "", []int{1}},
		{"  generation: 3\n", "", []int{3}},
		{"  generation: 1\n  tokens: [1, 2]\n", "", []int{1, 2}},
		{"  generation: 2\n  tokens: [1, 2]\n", "", []int{1, 2}},
		{"  generation: 2\n  tokens: [1]\n", "link.yaml:10:11: SY06: spec.tokens must be the generation 2, or two in a row with it among them", []int{2}},
		{"  generation: 3\n  tokens: [1, 3]\n", "link.yaml:10:11: SY06: spec.tokens must be the generation 3, or two in a row with it among them", []int{3}},
		{"  generation: 1\n  tokens: [2, 1]\n", "link.yaml:10:11: SY06: spec.tokens must be the generation 1, or two in a row with it among them", []int{1}},
		{"  generation: 2\n  tokens: [1, 2, 3]\n", "link.yaml:10:11: SY06: spec.tokens must be the generation 2, or two in a row with it among them", []int{2}},
	} {
		l, findings := ParseSealedLink("link.yaml", []byte(sealedLink+c.lines))
		require.NotNil(t, l)
		assert.Equal(t, c.tokens, l.Spec.Tokens)
		if c.want == "" {
			assert.Empty(t, findings)
			continue
		}
		require.Len(t, findings, 1, c.lines)
		assert.Equal(t, c.want, strings.SplitN(findings[0].String(), "\n", 2)[0])
	}
}

// TestNamesOfSecrets: one for all remotes, or each as Kiali's script names it.
func TestNamesOfSecrets(t *testing.T) {
	t.Parallel()
	topo, findings := Parse("mesh.yaml", []byte(small))
	require.Empty(t, findings)
	assert.Equal(t, "kiali-service-account", topo.TokenSecret(1))
	assert.Equal(t, "kiali-service-account-g2", topo.TokenSecret(2))
	assert.Equal(t, SealedFor{"istio-system", "kiali-multi-cluster-secret", "West_1.a"}, topo.SealedFor(&Cluster{Name: "West_1.a"}))
	topo.Spec.Kiali.Links.Format = "perCluster"
	assert.Equal(t, SealedFor{"istio-system", "kiali-remote-cluster-secret-west-1-a", "West_1.a"}, topo.SealedFor(&Cluster{Name: "West_1.a"}))
}
