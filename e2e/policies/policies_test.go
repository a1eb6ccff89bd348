// Package policies resolves the templates of the rendered Policies with ACM's
// own library: first the hub's templates, encrypted as on the ACM hub, and then
// the cluster's. It is a separate module because of this library.
//
// The API server is a stub with the Secrets of ACM's Observability.
package policies

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stolostron/go-template-utils/v6/pkg/templates"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

const (
	tree       = "../../golden/"
	here       = "acm/kustomize/base/acm-certificate-policy/acm-certificate-policy.yaml"
	there      = "acm-apart/kustomize/acm/acm-certificate-policy.yaml"
	collection = "acm/kustomize/base/acm-registration-policy/acm-registration-policy.yaml"
)

// pem returns a certificate as files have it: with line breaks.
func pem(of string) string {
	return "-----BEGIN CERTIFICATE-----\n" + of + "\n" + of + "\n-----END CERTIFICATE-----\n"
}

// secrets are the Secrets on the ACM hub.
var secrets = map[string]map[string]string{
	"observability-grafana-certs":    {"tls.crt": pem("client"), "tls.key": "-----BEGIN PRIVATE KEY-----\nkey\n-----END PRIVATE KEY-----\n"},
	"observability-server-ca-certs":  {"tls.crt": pem("new") + pem("old"), "ca.crt": pem("new")},
	"observability-client-ca-certs":  {"tls.crt": pem("wrong")},
	"observability-alertmanager-tls": {"tls.crt": pem("wrong")},
}

// apiServer answers as the ACM hub, or as a cluster without its Secrets.
func apiServer(t *testing.T, has bool) *rest.Config {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		name, isSecret := strings.CutPrefix(r.URL.Path, "/api/v1/namespaces/open-cluster-management-observability/secrets/")
		if account, ok := accounts[r.URL.Path]; ok && has {
			_ = json.NewEncoder(w).Encode(map[string]any{"apiVersion": "v1", "kind": "Secret",
				"metadata": map[string]any{"name": "acm-links-kiali", "namespace": strings.Split(r.URL.Path, "/")[4]},
				"data":     map[string][]byte{"token": []byte(account), "ca.crt": []byte(pem(account))}})
			return
		}
		switch {
		case r.URL.Path == "/api/v1":
			fmt.Fprint(w,
				`{"kind": "APIResourceList", "groupVersion": "v1", "resources": [{"name": "secrets", "namespaced": true, "kind": "Secret", "verbs": ["get", "list", "watch"]}]}`)
		case isSecret && has && secrets[name] != nil:
			data := map[string]string{}
			for key, value := range secrets[name] {
				data[key] = base64.StdEncoding.EncodeToString([]byte(value))
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"apiVersion": "v1", "kind": "Secret",
				"metadata": map[string]any{"name": name, "namespace": "open-cluster-management-observability"}, "data": data})
		case r.URL.Path == "/apis/cluster.open-cluster-management.io/v1/managedclusters/east" && has:
			fmt.Fprint(w, `{"apiVersion": "cluster.open-cluster-management.io/v1", "kind": "ManagedCluster", "metadata": {"name": "east"}}`)
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}`)
		}
	}))
	t.Cleanup(server.Close)
	return &rest.Config{Host: server.URL}
}

// encryption is the ACM hub's encryption of Secrets on their way to a cluster.
var encryption = templates.EncryptionConfig{AESKey: bytes.Repeat([]byte("k"), 32), InitializationVector: bytes.Repeat([]byte("i"), 16)}

// policy reads a rendered Policy.
func policy(t *testing.T, file string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(tree + file)
	require.NoError(t, err)
	var p map[string]any
	require.NoError(t, yaml.Unmarshal(data, &p))
	return p
}

// objectTemplates returns the object templates of the ConfigurationPolicy in a
// Policy.
func objectTemplates(t *testing.T, p map[string]any) []any {
	t.Helper()
	spec := p["spec"].(map[string]any)
	inner := spec["policy-templates"].([]any)[0].(map[string]any)["objectDefinition"].(map[string]any)
	return inner["spec"].(map[string]any)["object-templates"].([]any)
}

func resolve(t *testing.T, config *rest.Config, with templates.Config, options templates.ResolveOptions, v any) any {
	t.Helper()
	resolver, err := templates.NewResolver(config, with)
	require.NoError(t, err)
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	result, err := resolver.ResolveTemplate(raw, nil, &options)
	require.NoError(t, err)
	var resolved any
	require.NoError(t, json.Unmarshal(result.ResolvedJSON, &resolved))
	return resolved
}

// brought returns the objects that a Policy brings to a cluster.
func brought(t *testing.T, p map[string]any, onHub bool) []map[string]any {
	t.Helper()
	list := objectTemplates(t, p)
	options := templates.ResolveOptions{}
	if !onHub {
		// As governance-policy-propagator does on the hub.
		encrypted := encryption
		encrypted.EncryptionEnabled = true
		resolved := resolve(t, apiServer(t, true), templates.Config{StartDelim: "{{hub", StopDelim: "hub}}"},
			templates.ResolveOptions{EncryptionConfig: encrypted}, list)
		sent, err := json.Marshal(resolved)
		require.NoError(t, err)
		assert.Contains(t, string(sent), "$ocm_encrypted:")
		for _, secret := range secrets {
			for _, value := range secret {
				assert.NotContains(t, string(sent), base64.StdEncoding.EncodeToString([]byte(value)), "a Secret travels in the clear")
			}
		}
		list = resolved.([]any)
		options.EncryptionConfig = encryption
		options.DecryptionEnabled = true
	}
	var objects []map[string]any
	for _, item := range list {
		// As config-policy-controller does on the cluster, one object after the other.
		object := resolve(t, apiServer(t, onHub), templates.Config{}, options, item.(map[string]any)["objectDefinition"])
		objects = append(objects, object.(map[string]any))
	}
	return objects
}

// TestCertificates shows that Kiali gets ACM's client certificate, and the
// renewed and the previous CA of its server, with their line breaks. It tests
// Kiali on the ACM hub and on another cluster.
func TestCertificates(t *testing.T) {
	for name, c := range map[string]struct {
		file  string
		onHub bool
	}{"on the ACM hub": {here, true}, "on another cluster": {there, false}} {
		t.Run(name, func(t *testing.T) {
			objects := brought(t, policy(t, c.file), c.onHub)
			require.Len(t, objects, 2)
			secret, bundle := objects[0], objects[1]
			require.Equal(t, "Secret", secret["kind"])
			for key, want := range secrets["observability-grafana-certs"] {
				got, err := base64.StdEncoding.DecodeString(secret["data"].(map[string]any)[key].(string))
				require.NoError(t, err)
				assert.Equal(t, want, string(got), key)
			}
			require.Equal(t, "ConfigMap", bundle["kind"])
			assert.Equal(t, map[string]any{"additional-ca-bundle.pem": pem("new") + pem("old")}, bundle["data"])
		})
	}
}

// TestFurtherCAs shows that the CAs of kiali.ca come before those of the store.
func TestFurtherCAs(t *testing.T) {
	own := pem("own")
	p := policy(t, here)
	data := objectTemplates(t, p)[1].(map[string]any)["objectDefinition"].(map[string]any)["data"].(map[string]any)
	const read = `(fromSecret "open-cluster-management-observability" "observability-server-ca-certs" "tls.crt") | base64dec`
	require.Contains(t, data["additional-ca-bundle.pem"], read)
	data["additional-ca-bundle.pem"] = `{{ printf "%s%s" ("` + base64.StdEncoding.EncodeToString([]byte(own)) + `" | base64dec) (` + read +
		`) | toRawJson | toLiteral }}`
	assert.Equal(t, map[string]any{"additional-ca-bundle.pem": own + pem("new") + pem("old")}, brought(t, p, true)[1]["data"])
}

// TestWithoutLiteral shows the purpose of the last two functions.
func TestWithoutLiteral(t *testing.T) {
	p := policy(t, here)
	data := objectTemplates(t, p)[1].(map[string]any)["objectDefinition"].(map[string]any)["data"].(map[string]any)
	const key = "additional-ca-bundle.pem"
	data[key] = strings.Replace(data[key].(string), " | toRawJson | toLiteral", "", 1)
	resolver, err := templates.NewResolver(apiServer(t, true), templates.Config{})
	require.NoError(t, err)
	raw, err := json.Marshal(objectTemplates(t, p)[1].(map[string]any)["objectDefinition"])
	require.NoError(t, err)
	if result, err := resolver.ResolveTemplate(raw, nil, &templates.ResolveOptions{}); err == nil {
		assert.NotContains(t, string(result.ResolvedJSON), strings.ReplaceAll(pem("new"), "\n", `\n`))
	}
}

// TestRegistration shows that the Policy that registers the collection has no
// template.
func TestRegistration(t *testing.T) {
	p := policy(t, collection)
	list := objectTemplates(t, p)
	resolved := resolve(t, apiServer(t, true), templates.Config{}, templates.ResolveOptions{}, list)
	assert.Equal(t, list, resolved)
}
