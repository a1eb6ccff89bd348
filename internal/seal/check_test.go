package seal_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	hub, renewed := newHub(t), newHub(t)
	for _, c := range []struct {
		name   string
		change func(r *seal.Remote, s *topology.SealedLinkSpec)
		want   string // the state, ! if there is work, and the problems
	}{
		{"nothing", func(*seal.Remote, *topology.SealedLinkSpec) {}, "current"},
		{"the server", func(r *seal.Remote, _ *topology.SealedLinkSpec) { r.Cluster.Server = "https://new.example.com" },
			"outdated! | error: RS01: it is sealed for the server https://api.west.example.com:6443, but the topology says https://new.example.com at mesh.yaml:9:28 > seal west --cert hub.pem"},
		{"the format", func(r *seal.Remote, _ *topology.SealedLinkSpec) { r.Topology.Spec.Kiali.Links.Format = "perCluster" },
			`outdated! | error: RS06: it is sealed for the Secret "kiali-multi-cluster-secret", but with links.format perCluster it belongs to another Secret > seal west --cert hub.pem`},
		{"what is edited", func(_ *seal.Remote, s *topology.SealedLinkSpec) { s.EncryptedData = s.EncryptedData[:40] },
			"outdated! | error: RS06: encryptedData does not match its checksum: it has been edited > seal west --cert hub.pem"},
		{"what is cut off, without a checksum", func(_ *seal.Remote, s *topology.SealedLinkSpec) {
			s.EncryptedData, s.Checksum = s.EncryptedData[:40], ""
		},
			"outdated! | error: RS06: encryptedData does not have the form of kubeseal: it has been truncated or edited > seal west --cert hub.pem"},
		{"an expired token", func(_ *seal.Remote, s *topology.SealedLinkSpec) { s.TokenExpires = "2026-01-01T12:00:00Z" },
			"outdated! | error: RS13: the token in the kubeconfig expired on 2026-01-01 > seal west --cert hub.pem"},
		{"a token near its end", func(_ *seal.Remote, s *topology.SealedLinkSpec) { s.TokenExpires = "2026-01-31T12:00:00Z" },
			"outdated! | warning: RS13: the token in the kubeconfig expires on 2026-01-31 > seal west --cert hub.pem"},
		{"a token not near its end", func(_ *seal.Remote, s *topology.SealedLinkSpec) { s.TokenExpires = "2026-01-31T12:00:01Z" }, "current"},
		{"an expired CA", func(_ *seal.Remote, s *topology.SealedLinkSpec) { s.CAExpires = "2025-12-31T12:00:00Z" },
			"outdated! | error: RS04: the CA in the kubeconfig expired on 2025-12-31 > seal west --cert hub.pem"},
		{"a CA near its end", func(_ *seal.Remote, s *topology.SealedLinkSpec) { s.CAExpires = "2026-01-02T12:00:00Z" },
			"current | warning: RS04: the CA in the kubeconfig expires on 2026-01-02 > seal west --cert hub.pem"},
		{"an expired certificate", func(_ *seal.Remote, s *topology.SealedLinkSpec) { s.Certificate.NotAfter = "2025-12-31T12:00:00Z" },
			"outdated! | error: the hub's certificate in the link expired on 2025-12-31 > with the controller's newest certificate: seal west --cert hub.pem --rekey"},
		{"nonsense", func(_ *seal.Remote, s *topology.SealedLinkSpec) { s.Certificate.NotAfter = "soon" },
			`outdated! | error: the hub's certificate in the link has a date that cannot be read: "soon" > with the controller's newest certificate: seal west --cert hub.pem --rekey`},
		{"another certificate", func(_ *seal.Remote, s *topology.SealedLinkSpec) { s.Certificate.Fingerprint = "00" },
			"current | info: it is not sealed with the hub's present certificate > the controller keeps the keys of earlier certificates; if it has lost them: seal west --cert hub.pem --rekey"},
		{"a rotation that has begun", func(_ *seal.Remote, s *topology.SealedLinkSpec) { s.Tokens = []int{1, 2} },
			"current | info: a rotation is under way: the remote has tokens of the generations 1 and 2, and the link uses 1 > once the token Secret kiali-service-account-g2 is on the remote, move the link to it: seal west --cert hub.pem"},
		{"a rotation to finish", func(_ *seal.Remote, s *topology.SealedLinkSpec) { s.Generation, s.Tokens = 2, []int{1, 2} },
			"current | info: a rotation is under way: the remote has tokens of the generations 1 and 2, and the link uses 2 > once the hub has the new link, drop the earlier token: seal west --finish"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(t, mesh(t, "west", "", ""), hub)
			result, err := seal.Seal(r)
			require.NoError(t, err)
			c.change(&r.Remote, &result.Link.Spec)
			assert.Equal(t, c.want, told(seal.Check(r.Remote, result.Link, r.Certificate, start)))
		})
	}
	r := request(t, mesh(t, "west", "", ""), hub)
	assert.Equal(t, "missing! | warning: RS18: no sealed link, so Kiali on the hub cannot show the cluster > seal west --cert hub.pem", told(seal.Check(r.Remote, nil, nil, start)))
	result, err := seal.Seal(r)
	require.NoError(t, err)
	assert.Equal(t, "current", told(seal.Check(r.Remote, result.Link, nil, start)), "nobody asked for the certificate")
	assert.Contains(t, told(seal.Check(r.Remote, result.Link, renewed.certificate(t, start), start)), "the hub's present certificate")
}

func told(s seal.Status) string {
	text := s.State
	if s.Work {
		text += "!"
	}
	for _, p := range s.Findings {
		text += " | " + p.Severity.String() + ": " + strings.TrimPrefix(p.Rule+": ", ": ") + p.Message + " > " + p.Hint
	}
	return text
}

func TestParseCertificate(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	good := selfSigned(t, h.key, "hub", start.Add(-time.Hour), start.AddDate(10, 0, 0))
	for _, c := range []struct {
		name, want string
		pem        []byte
	}{
		{"good", "", good},
		{"with text before", "", append([]byte("subject=hub\n"), good...)},
		{"expired", "the hub's certificate expired on 2026-01-01T12:00:00Z", selfSigned(t, h.key, "hub", start.Add(-time.Hour), start)},
		{"not yet", "the hub's certificate is valid from 2026-01-01T13:00:00Z on, but now it is 2026-01-01T12:00:00Z", selfSigned(t, h.key, "hub", start.Add(time.Hour), start.Add(2*time.Hour))},
		{"not RSA", "the hub's certificate has a key of type ECDSA, expected RSA; it is not from sealed-secrets", selfSigned(t, curve, "hub", start.Add(-time.Hour), start.Add(time.Hour))},
		{"a short key", "the hub's certificate has an RSA key of 1024 bits, expected 2048 or more", shortKey(t)},
		{"of a server", "the hub's certificate is for TLS servers only, so it is not from the controller", certificateFor(t, h.key, x509.KeyUsageKeyEncipherment, x509.ExtKeyUsageServerAuth)},
		{"of a server and something else", "", certificateFor(t, h.key, x509.KeyUsageKeyEncipherment, x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageEmailProtection)},
		{"the controller's own", "", sealedSecretsOwn(t)},
		{"the key", "the hub's certificate: found a private key, expected certificates only", h.private()},
		{"empty", "the hub's certificate: the file is empty, expected a certificate in PEM", nil},
		{"a page", "the hub's certificate: found no PEM block, expected -----BEGIN CERTIFICATE-----", []byte("<html>")},
	} {
		t.Run(c.name, func(t *testing.T) {
			certificate, err := seal.ParseCertificate(c.pem, start)
			if c.want == "" {
				require.NoError(t, err)
				assert.Len(t, certificate.Fingerprint, 64)
				return
			}
			require.EqualError(t, err, c.want)
			assert.NotEmpty(t, err.(*finding.Refusal).Hint)
		})
	}
}

// TestTrusted shows the reasons to trust a certificate.
func TestTrusted(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	parse := func(pem []byte) *seal.Certificate {
		c, err := seal.ParseCertificate(pem, start)
		require.NoError(t, err)
		return c
	}
	own, authority := parse(sealedSecretsOwn(t)), parse(certificateFor(t, h.key, x509.KeyUsageCertSign))
	other := strings.Repeat("0", 64)
	for _, c := range []struct {
		name        string
		certificate *seal.Certificate
		trust       seal.Trust
		want        string
	}{
		{"the first", own, seal.Trust{First: true}, ""},
		{"served", own, seal.Trust{Served: true, Known: []string{other}}, ""},
		{"known", own, seal.Trust{Known: []string{other, own.Fingerprint}}, ""},
		{"accepted", own, seal.Trust{Known: []string{other}, Accepted: own.Fingerprint}, ""},
		{"a later one", own, seal.Trust{Known: []string{other}}, "no link of this topology is sealed with the certificate " + own.Name()},
		{"another than accepted", own, seal.Trust{First: true, Accepted: other}, "the hub's certificate is " + own.Name() + ", but --accept-cert says SHA256:" + other},
		{"another than accepted, though known", own, seal.Trust{Known: []string{own.Fingerprint}, Accepted: other}, "the hub's certificate is " + own.Name() + ", but --accept-cert says SHA256:" + other},
		{"of an authority", authority, seal.Trust{First: true}, "the hub's certificate is a CA certificate, which the controller does not make"},
		{"of an authority, and known", authority, seal.Trust{Known: []string{authority.Fingerprint}}, "the hub's certificate is a CA certificate, which the controller does not make"},
		{"of an authority, served", authority, seal.Trust{Served: true}, ""},
		{"of an authority, accepted", authority, seal.Trust{Accepted: authority.Fingerprint}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.certificate.Trusted(c.trust, "seal west --cert hub.pem")
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.want)
			assert.NotEmpty(t, err.(*finding.Refusal).Hint)
		})
	}
}

func TestParseFingerprint(t *testing.T) {
	t.Parallel()
	digits := strings.Repeat("ab", 32)
	for _, good := range []string{digits, strings.ToUpper(digits), strings.TrimSuffix(strings.Repeat("AB:", 32), ":")} {
		fingerprint, err := seal.ParseFingerprint("SHA256:" + good)
		require.NoError(t, err)
		assert.Equal(t, digits, fingerprint)
	}
	for _, bad := range []string{"", digits, "SHA256:", "SHA256:" + digits[2:], "SHA256:" + digits + "ab", "SHA1:" + digits, "SHA256:" + strings.Repeat("x", 64)} {
		_, err := seal.ParseFingerprint(bad)
		require.Error(t, err, bad)
	}
}

// TestRedact removes all forms of a token from a text.
func TestRedact(t *testing.T) {
	t.Parallel()
	jwt := tokenOf(t, "kiali-service-account")
	for _, form := range []string{jwt, base64.StdEncoding.EncodeToString([]byte(jwt)), strings.Split(jwt, ".")[0], strings.Split(jwt, ".")[1]} {
		assert.Equal(t, "before [redacted] after", seal.Redact("before "+form+" after"))
	}
	assert.Equal(t, "a [redacted] b", seal.Redact("a sha256~0123456789abcdefghij b"))
	assert.Equal(t, "a [redacted] b", seal.Redact("a hunter2 b", "", "hunter2"))
	assert.Equal(t, "a [redacted]", seal.Redact("a "+string(newHub(t).private())))
	const admin = "admin:correct-horse-battery"
	for skip := range 6 { // at each place in the encoded text
		text := base64.StdEncoding.EncodeToString([]byte("Authorization: "[:9+skip] + admin + " and more"))
		left := seal.Redact("a "+text+" b", admin)
		assert.Contains(t, left, "[redacted]")
		raw, _ := base64.StdEncoding.DecodeString(strings.TrimRight(strings.SplitN(left, "[", 2)[1], " b"))
		assert.NotContains(t, string(raw), "correct")
	}
	const harmless = `secrets "kiali-service-account" is forbidden: User "system:anonymous" cannot get resource`
	assert.Equal(t, harmless, seal.Redact(harmless))
}
