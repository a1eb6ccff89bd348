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

// tryTimeout is the longest time to connect to a server.
const tryTimeout = 5 * time.Second

// tryCA connects to the API server of a link. It refuses a CA that does not verify the
// server, because Kiali on the hub would not start with it. It ignores a server that
// cannot be reached, because the hub may reach it.
func (o *sealOptions) tryCA(ctx context.Context, r *seal.Request) error {
	access := &r.Cluster.Access
	server, err := url.Parse(r.Cluster.Server)
	if err != nil || server.Scheme != "https" || !o.tryServer || access.InsecureSkipTLSVerify || access.ProxyURL != "" {
		return nil
	}
	cas := x509.NewCertPool()
	if !cas.AppendCertsFromPEM(r.CA) {
		return nil // Seal refuses it with a better message
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
		Hint: "give the CA of that server with --ca-file; if pods on the hub reach another server at this address, add " +
			"--try-server=false",
	}
}
