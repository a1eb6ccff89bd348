package seal_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"testing"
	"time"

	sealedsecrets "github.com/bitnami-labs/sealed-secrets/pkg/crypto"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// start is the time of the tests.
var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

const account = "system:serviceaccount:istio-system:kiali-service-account"

// hub is the key of a controller.
type hub struct{ key *rsa.PrivateKey }

func newHub(t *testing.T) hub {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return hub{key}
}

func (h hub) private() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(h.key)})
}

func (h hub) certificate(t *testing.T, now time.Time) *seal.Certificate {
	t.Helper()
	c, err := seal.ParseCertificate(selfSigned(t, h.key, "hub", start.Add(-time.Hour), start.AddDate(10, 0, 0)), now)
	require.NoError(t, err)
	return c
}

// selfSigned returns a self-signed certificate in PEM.
func selfSigned(t *testing.T, key crypto.Signer, name string, from, to time.Time) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: to, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// certificateFor returns a certificate for some uses.
func certificateFor(t *testing.T, key crypto.Signer, usage x509.KeyUsage, extended ...x509.ExtKeyUsage) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: start.Add(-time.Hour), NotAfter: start.AddDate(10, 0, 0),
		KeyUsage: usage, ExtKeyUsage: extended, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// sealedSecretsOwn returns a certificate that the code of the controller has made.
func sealedSecretsOwn(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	cert, err := sealedsecrets.SignKeyWithNotBefore(rand.Reader, key, start.Add(-time.Hour), 10*365*24*time.Hour, "")
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

// shortKey returns a certificate with a key that is too short. Go makes such a key only
// with a special setting.
func shortKey(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	return selfSigned(t, key, "hub", start.Add(-time.Hour), start.AddDate(10, 0, 0))
}

// authority is the CA of a remote.
func authority(t *testing.T, name string, until time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return selfSigned(t, key, name, start.AddDate(-1, 0, 0), until)
}

// jwt returns a token with a false signature of the given length in bytes.
func jwt(t *testing.T, claims map[string]any, signature int) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	require.NoError(t, err)
	bytes := make([]byte, signature)
	rand.Read(bytes)
	b64 := base64.RawURLEncoding.EncodeToString
	return b64([]byte(`{"alg":"RS256","kid":"test"}`)) + "." + b64(payload) + "." + b64(bytes)
}

func token(t *testing.T) string { return jwt(t, map[string]any{"sub": account}, 256) }

// tokenOf returns the token that the token controller puts into a Secret.
func tokenOf(t *testing.T, secret string) string {
	return jwt(t, map[string]any{"sub": account, "kubernetes.io/serviceaccount/secret.name": secret}, 256)
}

// mesh returns a hub with one remote.
func mesh(t *testing.T, remote, kiali, access string) *topology.Topology {
	t.Helper()
	if kiali != "" {
		kiali = ", " + kiali
	}
	topo, findings := topology.Parse("mesh.yaml", fmt.Appendf(nil, `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: m}
spec:
  mesh: {id: mesh1}
  kiali: {hub: east%s}
  clusters:
    - {name: east, domain: apps.east.example.com}
    - {name: %s, server: "https://api.west.example.com:6443", access: {%s}}
`, kiali, remote, access))
	require.Empty(t, findings)
	return topo
}

// request returns a request that succeeds.
func request(t *testing.T, topo *topology.Topology, h hub) seal.Request {
	t.Helper()
	return seal.Request{
		Remote: seal.Remote{Topology: topo, Cluster: &topo.Spec.Clusters[1], Command: "seal " + topo.Spec.Clusters[1].Name, Flags: "--cert hub.pem",
			HubContext: topo.Spec.Kiali.Hub, Context: topo.Spec.Clusters[1].Name},
		Token:       []byte(token(t)),
		CA:          authority(t, "west", start.AddDate(20, 0, 0)),
		Certificate: h.certificate(t, start),
		Now:         start,
		Rand:        rand.Reader,
	}
}

// linkFile returns the file of a link to west.
func linkFile(t *testing.T, h hub) []byte {
	t.Helper()
	result, err := seal.Seal(request(t, mesh(t, "west", "", ""), h))
	require.NoError(t, err)
	return seal.Encode(result.Link)
}
