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
	"strings"
	"time"
)

// Certificate is the public half of a key of the controller on the hub.
type Certificate struct {
	Fingerprint string // SHA-256 of its DER, in hexadecimal
	NotAfter    time.Time
	key         *rsa.PublicKey
}

const fetchCert = "get it from the controller on the hub: kubeseal --fetch-cert > hub.pem, or let --hub-context do it"

// ParseCertificate reads the certificate of the controller, as kubeseal
// --fetch-cert writes it; of several, like kubeseal, the first. One that is
// not valid now, or is for no RSA key, is a *Refusal.
func ParseCertificate(data []byte, now time.Time) (*Certificate, error) {
	certs, err := parsePEM(data)
	if err != nil {
		return nil, &Refusal{"the hub's certificate: " + err.Error(), fetchCert}
	}
	cert := certs[0]
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	switch {
	case !ok:
		return nil, refuse(fetchCert, "the hub's certificate is for a key of type %s, expected RSA; it is not one of sealed-secrets", cert.PublicKeyAlgorithm)
	case !now.Before(cert.NotAfter):
		return nil, refuse(fetchCert, "the hub's certificate expired on %s", stamp(cert.NotAfter))
	case now.Before(cert.NotBefore):
		return nil, refuse("compare the clocks of this machine and the hub", "the hub's certificate is valid from %s on, and now it is %s", stamp(cert.NotBefore), stamp(now))
	}
	sum := sha256.Sum256(cert.Raw)
	return &Certificate{Fingerprint: hex.EncodeToString(sum[:]), NotAfter: cert.NotAfter, key: key}, nil
}

func (c *Certificate) warnings(now time.Time) []string {
	if c.NotAfter.Sub(now) > near {
		return nil
	}
	return []string{fmt.Sprintf("the hub's certificate expires on %s; is it the newest one of the controller?", day(c.NotAfter))}
}

// parsePEM reads certificates, at least one. Other blocks are refused: a
// private key beside a certificate is not to go anywhere.
func parsePEM(data []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for rest := data; ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		switch {
		case block == nil && len(certs) > 0:
			return certs, nil
		case block == nil && len(bytes.TrimSpace(data)) == 0:
			return nil, fmt.Errorf("found nothing, expected a certificate in PEM")
		case block == nil && isBase64PEM(data):
			return nil, fmt.Errorf("found PEM in base64, as a kubeconfig has it; expected it decoded")
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

// parseCAs returns the CAs without comments, and without those that have
// expired, which verify nothing; and when the first of them expires.
func parseCAs(data []byte, now time.Time) (text []byte, expires time.Time, warnings []string, err error) {
	certs, err := parsePEM(data)
	if err != nil {
		return nil, expires, nil, &Refusal{"the CA of the remote's API server: " + err.Error(), "it is certificate-authority-data of a kubeconfig, decoded, or ca.crt of the ConfigMap kube-root-ca.crt"}
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
		return nil, expires, nil, refuse("get the CA again", "the CA of the remote's API server expired on %s", stamp(last))
	}
	if expires.Sub(now) <= near {
		warnings = append(warnings, fmt.Sprintf("a CA of the remote's API server expires on %s; the link is to be sealed again once the remote has a new one", day(expires)))
	}
	return text, expires, warnings, nil
}
