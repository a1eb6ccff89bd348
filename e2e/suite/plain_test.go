package suite

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// TestSealPlain brings the links of two remotes to the hub without a controller for
// secrets: one after the other in both orders, and both at once. In the end, both are
// there and authenticate.
func TestSealPlain(t *testing.T) {
	clusters := rig.Up(t)
	token := tokenSecret(t)
	account := serviceAccount(token)
	for _, c := range []*rig.Cluster{clusters.East, clusters.West} {
		t.Cleanup(func() { c.Delete(t, account, token) })
		c.Apply(t, account.DeepCopy(), token.DeepCopy())
		awaitToken(t, c, token)
	}
	topology := filepath.Join(t.TempDir(), "mesh.yaml")
	// The hub is a remote as well, by another name: there are two clusters.
	require.NoError(t, os.WriteFile(topology, []byte(`apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  kiali: {hub: cluster1, links: {source: external}}
  clusters:
    - {name: cluster1, domain: apps.east.example.com}
    - {name: cluster2, server: "`+clusters.West.Server+`"}
    - {name: cluster3, server: "`+clusters.East.Server+`"}
`), 0o644))
	contexts := "cluster2=" + clusters.West.Name
	config, err := clientcmd.LoadFromFile(clusters.West.Kubeconfig)
	require.NoError(t, err)
	east, err := clientcmd.LoadFromFile(clusters.East.Kubeconfig)
	require.NoError(t, err)
	for name := range east.Contexts {
		config.Contexts[name], config.Clusters[name], config.AuthInfos[name] = east.Contexts[name], east.Clusters[name], east.AuthInfos[name]
	}
	kubeconfig := filepath.Join(filepath.Dir(topology), "kubeconfig")
	require.NoError(t, clientcmd.WriteToFile(*config, kubeconfig))

	// print is the Secret that seal prints, with the manager that it asks for.
	print := func(which string) (*unstructured.Unstructured, string) {
		t.Helper()
		args := []string{"seal", which, "--plain", "--topology", topology, "--kubeconfig", kubeconfig}
		if which != "cluster3" {
			args = append(args, "--context", contexts)
		}
		if which != "cluster2" {
			args = append(args, "--context", "cluster3="+clusters.East.Name)
		}
		result := rig.Try(t, rig.Sightline(), args...)
		require.Zero(t, result.Code, result.Stderr)
		found := regexp.MustCompile(`apply --server-side --field-manager=(\S+) -f -`).FindStringSubmatch(result.Stderr)
		require.NotNil(t, found, result.Stderr)
		objects := rig.Objects(t, []byte(result.Stdout))
		require.Len(t, objects, 1)
		return objects[0], found[1]
	}
	apply := func(object *unstructured.Unstructured, manager string) {
		t.Helper()
		data, err := object.MarshalJSON()
		require.NoError(t, err)
		_, err = clusters.East.Client.CoreV1().Secrets(object.GetNamespace()).Patch(t.Context(), object.GetName(), types.ApplyPatchType, data,
			metav1.PatchOptions{FieldManager: manager, FieldValidation: metav1.FieldValidationStrict})
		require.NoError(t, err)
	}
	live := func() *corev1.Secret {
		t.Helper()
		secret, err := clusters.East.Client.CoreV1().Secrets("istio-system").Get(t.Context(), "kiali-multi-cluster-secret", metav1.GetOptions{})
		require.NoError(t, err)
		return secret
	}
	authenticate := func() {
		t.Helper()
		secret := live()
		require.Len(t, secret.Data, 2)
		for _, kubeconfig := range secret.Data {
			config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
			require.NoError(t, err)
			require.Equal(t, kialiAccount, whoIs(t, config))
		}
		require.Equal(t, "true", secret.Labels["kiali.io/kiali-multi-cluster-secret"])
		for name, value := range secret.Annotations {
			require.False(t, strings.Contains(value, "token"), name)
		}
	}

	for _, order := range [][]string{{"cluster2", "cluster3"}, {"cluster3", "cluster2"}} {
		t.Run(strings.Join(order, " "), func(t *testing.T) {
			var object *unstructured.Unstructured
			for _, which := range order {
				var manager string
				object, manager = print(which)
				require.Equal(t, "sightline-"+which, manager)
				apply(object, manager)
			}
			defer clusters.East.Delete(t, object)
			authenticate()
			again, manager := print(order[0])
			apply(again, manager)
			authenticate()
		})
	}
	t.Run("all", func(t *testing.T) {
		object, manager := print("--all")
		apply(object, manager)
		defer clusters.East.Delete(t, object)
		authenticate()
	})
	t.Run("one manager", func(t *testing.T) { // why each has its own
		object, _ := print("cluster2")
		apply(object, "kubectl")
		defer clusters.East.Delete(t, object)
		object, _ = print("cluster3")
		apply(object, "kubectl")
		require.Len(t, live().Data, 1)
		require.Contains(t, live().Data, "cluster3")
	})
}
