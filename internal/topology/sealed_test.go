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

// TestSealedLinkTokens: only generations that seal can leave are accepted.
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
		{"  generation: 1\n  tokens: [2]\n", "", []int{2}},
		{"  generation: 1\n  tokens: [3]\n", "", []int{3}},
		{"  generation: 2\n  tokens: [1]\n", "link.yaml:10:11: error: SY06: spec.tokens must be the generation 2, a later generation, or two consecutive generations that include it", []int{2}},
		{"  generation: 3\n  tokens: [1, 3]\n", "link.yaml:10:11: error: SY06: spec.tokens must be the generation 3, a later generation, or two consecutive generations that include it", []int{3}},
		{"  generation: 1\n  tokens: [2, 1]\n", "link.yaml:10:11: error: SY06: spec.tokens must be the generation 1, a later generation, or two consecutive generations that include it", []int{1}},
		{"  generation: 2\n  tokens: [1, 2, 3]\n", "link.yaml:10:11: error: SY06: spec.tokens must be the generation 2, a later generation, or two consecutive generations that include it", []int{2}},
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

// TestNoSealedLink: a file that is no link gives one finding, which does not
// repeat the content.
func TestNoSealedLink(t *testing.T) {
	t.Parallel()
	const is = "; a sealed link has apiVersion: sightline.dev/v1alpha1 and kind: SealedLink"
	for text, want := range map[string]string{
		"":           "link.yaml:1:1: error: SY01: the file is empty; expected a sealed link",
		"# nothing":  "link.yaml:1:1: error: SY01: the file has only comments; expected a sealed link",
		"a-token":    "link.yaml:1:1: error: SY02: expected a sealed link (an object with apiVersion, kind, metadata and spec), found a string",
		"kind: Pod":  "link.yaml:1:7: error: SY02: expected a sealed link, found kind: Pod" + is,
		small:        "link.yaml:2:7: error: SY02: kind must be SealedLink, found the string \"Topology\"",
		"a: b\nc: d": "link.yaml:1:1: error: SY02: apiVersion and kind are missing" + is,
	} {
		l, findings := ParseSealedLink("link.yaml", []byte(text))
		require.Nil(t, l)
		require.Len(t, findings, 1, text)
		assert.Equal(t, want+"\nhint: restore the file from before it was edited, or remove it and seal the link again", findings[0].String())
	}
	_, findings := ParseSealedLink("link.yaml", []byte(sealedLink+"other: x\n"))
	require.Len(t, findings, 1)
	assert.Equal(t, "link.yaml:9:1: error: SY03: the sealed link has no key \"other\"\nhint: the keys here are apiVersion, kind, metadata, spec", findings[0].String())
}

// TestNamesOfSecrets: one Secret for all remotes, or one for each with the name
// from Kiali's script.
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
