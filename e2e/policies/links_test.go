package policies

import (
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/stolostron/go-template-utils/v6/pkg/templates"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const links = "acm-links/kustomize/base/acm-link-policy/acm-link-policy.yaml"

// accounts are the Secrets of the ManagedServiceAccounts with their tokens, by
// path.
var accounts = map[string]string{
	"/api/v1/namespaces/west/secrets/acm-links-kiali":       "token-of-west",
	"/api/v1/namespaces/prod-south/secrets/acm-links-kiali": "token-of-south",
}

// TestLinks shows that the Policy fills the one Secret with the kubeconfig of each
// remote: its name in Istio, its server in the topology, and the token and CA of the
// account that ACM made in the namespace of its ManagedCluster.
func TestLinks(t *testing.T) {
	objects := brought(t, policy(t, links), true)
	require.Len(t, objects, 1)
	text, err := json.Marshal(objects[0])
	require.NoError(t, err)
	var secret struct {
		Kind, Type string
		Metadata   struct {
			Namespace, Name string
			Labels          map[string]string
		}
		Data map[string][]byte
	}
	require.NoError(t, json.Unmarshal(text, &secret))
	assert.Equal(t, "Secret Opaque istio-system/kiali-multi-cluster-secret", secret.Kind+" "+secret.Type+" "+secret.Metadata.Namespace+"/"+secret.Metadata.Name)
	assert.Equal(t, "true", secret.Metadata.Labels["kiali.io/kiali-multi-cluster-secret"], "the operator watches the Secret by it")
	require.Len(t, secret.Data, 2)
	for name, token := range map[string]string{"west": "token-of-west", "south": "token-of-south"} {
		var kubeconfig struct {
			CurrentContext string `json:"current-context"`
			Clusters       []struct {
				Name    string
				Cluster struct {
					Server string
					CA     []byte `json:"certificate-authority-data"`
				}
			}
			Users []struct {
				Name string
				User struct{ Token string }
			}
		}
		require.NoError(t, json.Unmarshal(secret.Data[name], &kubeconfig), "%s", secret.Data[name])
		require.Len(t, kubeconfig.Clusters, 1)
		require.Len(t, kubeconfig.Users, 1)
		assert.Equal(t, []string{name, name, name}, []string{kubeconfig.CurrentContext, kubeconfig.Clusters[0].Name, kubeconfig.Users[0].Name})
		assert.Equal(t, "https://api."+name+".example.com:6443", kubeconfig.Clusters[0].Cluster.Server)
		assert.Equal(t, pem(token), string(kubeconfig.Clusters[0].Cluster.CA), "with its line breaks")
		assert.Equal(t, token, kubeconfig.Users[0].User.Token)
	}
}

// TestLinksWithoutToken shows that the Policy changes nothing while an account
// has no token yet, because its templates fail.
func TestLinksWithoutToken(t *testing.T) {
	resolver, err := templates.NewResolver(apiServer(t, false), templates.Config{})
	require.NoError(t, err)
	raw, err := json.Marshal(objectTemplates(t, policy(t, links))[0].(map[string]any)["objectDefinition"])
	require.NoError(t, err)
	_, err = resolver.ResolveTemplate(raw, nil, &templates.ResolveOptions{})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), base64.StdEncoding.EncodeToString([]byte("token-of-west")))
}
