package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"time"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/seal"
)

// tryTimeout is how long it may take to see whether a server can be reached.
const tryTimeout = 5 * time.Second

// tryCA connects to the API server of a link, and refuses a CA that does not
// verify it: Kiali on the hub would not start with it. What cannot be reached from
// here may be reached from the hub, so only what the server shows counts.
func (o *sealOptions) tryCA(ctx context.Context, r *seal.Request) error {
	access := &r.Cluster.Access
	server, err := url.Parse(r.Cluster.Server)
	if err != nil || server.Scheme != "https" || !o.tryServer || access.InsecureSkipTLSVerify || access.ProxyURL != "" {
		return nil
	}
	cas := x509.NewCertPool()
	if !cas.AppendCertsFromPEM(r.CA) {
		return nil // which is refused in better words
	}
	port := server.Port()
	if port == "" {
		port = "443"
	}
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{RootCAs: cas, MinVersion: tls.VersionTLS12}}
	connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(server.Hostname(), port))
	if err == nil {
		connection.Close()
		return nil
	}
	var unverified *tls.CertificateVerificationError
	if !errors.As(err, &unverified) {
		return nil
	}
	return &finding.Refusal{
		Message: "the CA does not verify the API server " + server.Host + ", so Kiali on the hub would not start: " + seal.Redact(
			unverified.Err.Error()),
		Hint: "give the CA of that server with --ca-file; where this machine sees another server there than the hub's pods do: " +
			"--try-server=false",
	}
}
