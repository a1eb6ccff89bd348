package metrics

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/observe"
	"github.com/sightline-mesh/sightline/internal/status"
	"github.com/sightline-mesh/sightline/internal/topology"
)

const acmMesh = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  namespaces: [sample]
  kiali: {hub: east, version: v2.27}
  metrics: {store: acm, acm: {release: "2.15", domain: apps.acm.example.com}}
  clusters:
    - {name: east, domain: apps.east.example.com}
    - {name: west, server: "https://api.west.example.com:6443"}
`

// certified makes a certificate with its key, in PEM.
func certified(t *testing.T, name string) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter:    time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	text, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: text})
}

// TestStatusACM asks ACM's store by its route, with Kiali's certificate and CA
// from the hub. A stand-in for the Observatorium API asks for a client
// certificate, and forwards to Prometheus' own engine.
func TestStatusACM(t *testing.T) {
	t.Parallel()
	certificate, key := certified(t, "grafana")
	store := newStore(t, goodSeries)
	at, err := url.Parse(store.URL)
	require.NoError(t, err)
	inner := httputil.NewSingleHostReverseProxy(at)
	route := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := strings.CutPrefix(r.URL.Path, "/api/metrics/v1/default")
		if !ok || len(r.TLS.PeerCertificates) == 0 || r.TLS.PeerCertificates[0].Subject.CommonName != "grafana" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		r.URL.Path = path
		inner.ServeHTTP(w, r)
	}))
	route.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	route.StartTLS()
	t.Cleanup(route.Close)

	e := expectedOf(t, acmMesh)
	for _, o := range e.Objects["east"] {
		if o["kind"] == "Kiali" {
			prometheus := status.In(o, "spec", "external_services", "prometheus").(map[string]any)
			assert.Equal(t, "https://observatorium-api-open-cluster-management-observability.apps.acm.example.com/api/metrics/v1/default",
				prometheus["url"])
			prometheus["url"] = route.URL + "/api/metrics/v1/default"
		}
	}
	encoded := base64.StdEncoding.EncodeToString
	objects := map[string]any{
		"/version": map[string]any{},
		"/api/v1/namespaces/istio-system/secrets/acm-observability-certs": map[string]any{"data": map[string]any{"tls.crt": encoded(certificate),
			"tls.key": encoded(key)}},
		"/api/v1/namespaces/istio-system/configmaps/kiali-cabundle": map[string]any{"data": map[string]any{
			"additional-ca-bundle.pem": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: route.Certificate().Raw}))}},
	}
	hub := clusterWith(t, objects)
	results := func() []status.Result {
		facts := observe.Everything(t.Context(), e, observe.Options{
			Open:   func(*topology.Cluster) (*cluster.Cluster, error) { return hub, nil },
			Wanted: func(check string) bool { return status.GroupOf(check) == "data" },
		})
		e.Now = time.Now()
		return status.Chosen(status.Judge(e, facts), []string{"data"})
	}
	assert.Empty(t, notGood(results()))
	assert.NotEmpty(t, results())

	delete(objects, "/api/v1/namespaces/istio-system/secrets/acm-observability-certs")
	without := results()
	assert.Equal(t, []string{"ST25 east unchecked"}, notGood(without))
	assert.Contains(t, without[0].Found, "needs Kiali's certificate: ")
	other, otherKey := certified(t, "somebody")
	objects["/api/v1/namespaces/istio-system/secrets/acm-observability-certs"] = map[string]any{"data": map[string]any{"tls.crt": encoded(
		other), "tls.key": encoded(otherKey)}}
	assert.Equal(t, []string{"ST25 east unchecked"}, notGood(results()), "the store refuses the certificate")
	for _, r := range append(without, results()...) {
		assert.NotContains(t, r.Found, encoded(otherKey)[:20])
	}
}

// clusterWith returns a cluster with only the given objects, by path.
func clusterWith(t *testing.T, objects map[string]any) *cluster.Cluster {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := objects[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			body = map[string]any{"message": "there is none"}
		}
		_ = json.NewEncoder(w).Encode(body)
	}))
	t.Cleanup(server.Close)
	c, err := cluster.FromLink([]byte(fmt.Sprintf("current-context: hub\ncontexts: [{name: hub, context: {cluster: hub, user: "+
		"hub}}]\nusers: [{name: hub, user: {token: x}}]\nclusters: [{name: hub, cluster: {server: %q, insecure-skip-tls-verify: true}}]\n",
		server.URL)), "hub", cluster.Options{})
	require.NoError(t, err)
	return c
}

func notGood(results []status.Result) []string {
	var not []string
	for _, r := range results {
		if r.Mark != status.Good && r.Mark != status.Warning {
			not = append(not, fmt.Sprintf("%s %s %s", r.Check, r.Cluster, r.Mark))
		}
	}
	return not
}
