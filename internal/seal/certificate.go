package seal

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
)

// Certificate is a certificate of the controller on the hub.
type Certificate struct {
	Fingerprint string // SHA-256 of its DER, in hexadecimal
	NotAfter    time.Time
	key         *rsa.PublicKey
	signs       bool // it is a CA certificate
}

const fetchCert = "get it from the controller on the hub: kubeseal --fetch-cert > hub.pem, or let --hub-context do it"

// ParseCertificate reads the certificate of the controller from the output of kubeseal
// --fetch-cert. If there are several, it uses the first one, as kubeseal does. It
// returns a *finding.Refusal if the certificate is not valid now, has no RSA key of at
// least 2048 bits, or is for TLS servers only.
func ParseCertificate(data []byte, now time.Time) (*Certificate, error) {
	certs, err := parsePEM(data)
	if err != nil {
		return nil, &finding.Refusal{Message: "the hub's certificate: " + err.Error(), Hint: fetchCert}
	}
	cert := certs[0]
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	switch {
	case !ok:
		return nil, finding.Refuse(fetchCert, "the hub's certificate has a key of type %s, expected RSA; it is not from sealed-secrets",
			cert.PublicKeyAlgorithm)
	case key.N.BitLen() < smallestKey:
		return nil, finding.Refuse("have the controller make a new key; "+fetchCert,
			"the hub's certificate has an RSA key of %d bits, expected %d or more", key.N.BitLen(), smallestKey)
	case forServers(cert):
		return nil, finding.Refuse(fetchCert, "the hub's certificate is for TLS servers only, so it is not from the controller")
	case !now.Before(cert.NotAfter):
		return nil, finding.Refuse(fetchCert, "the hub's certificate expired on %s", stamp(cert.NotAfter))
	case now.Before(cert.NotBefore):
		return nil, finding.Refuse("compare the clocks of this machine and the hub",
			"the hub's certificate is valid from %s on, but now it is %s", stamp(cert.NotBefore), stamp(now))
	}
	sum := sha256.Sum256(cert.Raw)
	return &Certificate{
		Fingerprint: hex.EncodeToString(sum[:]), NotAfter: cert.NotAfter, key: key, signs: cert.KeyUsage&x509.KeyUsageCertSign != 0,
	}, nil
}

// smallestKey is the smallest length of an RSA key, in bits, that NIST SP 800-57
// permits. The controller makes keys of 4096 bits.
const smallestKey = 2048

// forServers tells whether a certificate is for TLS servers only. A certificate of the
// controller names no use.
func forServers(cert *x509.Certificate) bool {
	return len(cert.ExtKeyUsage) > 0 && len(cert.UnknownExtKeyUsage) == 0 &&
		!slices.ContainsFunc(cert.ExtKeyUsage, func(u x509.ExtKeyUsage) bool {
			return u != x509.ExtKeyUsageServerAuth && u != x509.ExtKeyUsageClientAuth
		})
}

// Trust has the reasons to trust a certificate. With a certificate of an attacker, the
// attacker could read the tokens.
type Trust struct {
	Served   bool     // the hub's controller has just given it, over a verified connection
	Known    []string // the fingerprints in the links of the topology
	First    bool     // the topology has no links yet, so there is nothing to compare with
	Accepted string   // the fingerprint that the user has compared, see [ParseFingerprint]
}

// Trusted returns a *finding.Refusal if there is no reason to trust the certificate.
// again is the command for the hint, without --accept-cert.
func (c *Certificate) Trusted(t Trust, again string) error {
	accept := again + " " + command.AcceptCertificate(c.Name())
	switch {
	case t.Accepted != "" && t.Accepted != c.Fingerprint:
		return finding.Refuse("compare it with the certificate of the controller on the hub again",
			"the hub's certificate is %s, but --accept-cert says %s", c.Name(), name(t.Accepted))
	case t.Served, t.Accepted != "":
		return nil
	case c.signs:
		return finding.Refuse("if --cert and --ca-file are swapped, swap them; if it is from the controller nevertheless: "+accept,
			"the hub's certificate is a CA certificate, which the controller does not make")
	case t.First, slices.Contains(t.Known, c.Fingerprint):
		return nil
	}
	return finding.Refuse("read it from the controller with --hub-context; or compare the fingerprint with the controller's, then: "+accept,
		"no link of this topology is sealed with the certificate %s", c.Name())
}

// New tells whether the certificate is in no link yet.
func (c *Certificate) New(t Trust) bool { return !slices.Contains(t.Known, c.Fingerprint) }

// Name returns the fingerprint in the form of messages and of --accept-cert.
func (c *Certificate) Name() string { return name(c.Fingerprint) }

const algorithm = "SHA256:"

func name(fingerprint string) string { return algorithm + fingerprint }

// ParseFingerprint reads a fingerprint in the form of [Certificate.Name] or of openssl
// x509 -fingerprint -sha256: the SHA-256 of the DER in hexadecimal, in upper or lower
// case, with or without colons.
func ParseFingerprint(text string) (string, error) {
	digits, ok := strings.CutPrefix(text, algorithm)
	raw, err := hex.DecodeString(strings.ReplaceAll(digits, ":", ""))
	if !ok || err != nil || len(raw) != sha256.Size {
		return "", fmt.Errorf("%q is no fingerprint, expected %s and 64 hexadecimal digits", finding.Shorten(Redact(text)), algorithm)
	}
	return hex.EncodeToString(raw), nil
}

// notAnAuthority refuses a CA that has the same key as the controller's certificate, or
// that looks like such a certificate. The owner of the CA's key could read the token.
func (c *Certificate) notAnAuthority(cas []*x509.Certificate) error {
	for _, ca := range cas {
		switch key, ok := ca.PublicKey.(*rsa.PublicKey); {
		case ok && c != nil && key.Equal(c.key):
			return finding.Refuse(fetchCert, "the hub's certificate and a CA of the remote's API server have the same key; one of the two is "+
				"wrong")
		case ca.KeyUsage == x509.KeyUsageEncipherOnly:
			return finding.Refuse("it is certificate-authority-data of a kubeconfig for the remote, decoded; or --cert and --ca-file are swapped",
				"the CA of the remote's API server is a certificate of sealed-secrets, which no server has")
		}
	}
	return nil
}

func (c *Certificate) warnings(now time.Time) []string {
	if c.NotAfter.Sub(now) > Near {
		return nil
	}
	return []string{fmt.Sprintf("the hub's certificate expires on %s; is it the newest one of the controller?", day(c.NotAfter))}
}

// parsePEM reads one or more certificates. It refuses other blocks, because a private
// key must not get into a link.
func parsePEM(data []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for rest := data; ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		switch {
		case block == nil && len(certs) > 0:
			return certs, nil
		case block == nil && len(bytes.TrimSpace(data)) == 0:
			return nil, fmt.Errorf("the file is empty, expected a certificate in PEM")
		case block == nil && isBase64PEM(data):
			return nil, fmt.Errorf("found PEM in base64, as in a kubeconfig; decode it first")
		case block == nil:
			return nil, fmt.Errorf("found no PEM block, expected -----BEGIN CERTIFICATE-----")
		case strings.Contains(block.Type, "PRIVATE KEY"):
			return nil, fmt.Errorf("found a private key, expected certificates only")
		case block.Type != "CERTIFICATE":
			return nil, fmt.Errorf("found a PEM block %q, expected certificates only", Redact(block.Type))
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d cannot be read: %s", len(certs)+1, strings.TrimPrefix(err.Error(), "x509: "))
		}
		certs = append(certs, cert)
	}
}

func isBase64PEM(data []byte) bool {
	decoded, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(data)))
	return err == nil && bytes.Contains(decoded, []byte("-----BEGIN"))
}

// parseCAs returns the CAs in PEM without comments and without expired ones, the time at
// which the first of them expires, and warnings. It refuses the certificate of the hub.
func parseCAs(data []byte, hub *Certificate, now time.Time) (text []byte, expires time.Time, warnings []string, err error) {
	certs, err := parsePEM(data)
	if err != nil {
		return nil, expires, nil, &finding.Refusal{Message: "the CA of the remote's API server: " + err.Error(),
			Hint: "it is certificate-authority-data of a kubeconfig, decoded, or ca.crt of the ConfigMap kube-root-ca.crt"}
	}
	if err := hub.notAnAuthority(certs); err != nil {
		return nil, expires, nil, err
	}
	var last time.Time
	for _, cert := range certs {
		if cert.NotAfter.After(last) {
			last = cert.NotAfter
		}
		if !now.Before(cert.NotAfter) {
			warnings = append(warnings, fmt.Sprintf("a CA (%s) expired on %s and is left out", Redact(cert.Subject.CommonName), day(cert.NotAfter)))
			continue
		}
		if expires.IsZero() || cert.NotAfter.Before(expires) {
			expires = cert.NotAfter
		}
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
	}
	if text == nil {
		return nil, expires, nil, finding.Refuse("get the CA again", "the CA of the remote's API server expired on %s", stamp(last))
	}
	if expires.Sub(now) <= Near {
		warnings = append(warnings, fmt.Sprintf("a CA of the remote's API server expires on %s; seal the link again when the remote "+
			"has a new one", day(expires)))
	}
	return text, expires, warnings, nil
}
