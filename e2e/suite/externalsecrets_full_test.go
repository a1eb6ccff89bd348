//go:build full

package suite

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// TestExternalSecrets lets the real controllers of the External Secrets Operator carry
// the token of a remote to the hub, through a store that both can reach. The link
// authenticates. A new token arrives without help. If the store loses the token, the
// link stays.
func TestExternalSecrets(t *testing.T) {
	rig.NeedDefinitions(t, "that a store of secrets brings links")
	for _, format := range []string{"single", "perCluster"} {
		t.Run(format, func(t *testing.T) { carried(t, format) })
	}
}

func carried(t *testing.T, format string) {
	r := newRepository(t, format)
	r.west.Define(t, "oauth.openshift.io_oauthclients.standin.yaml")
	text, err := os.ReadFile(r.topology)
	require.NoError(t, err)
	changed := strings.Replace(string(text), "links: {format: "+format+"}\n", "operator: {remotes: none}\n    links: {format: "+format+
		", source: externalSecrets, externalSecrets: {store: {name: vault}, key: \"mesh1-{cluster}\", refreshInterval: 1s}}\n", 1)
	require.NotEqual(t, string(text), changed)
	require.NoError(t, os.WriteFile(r.topology, []byte(changed), 0o644))
	r.render()

	r.east.StartExternalSecrets(t)
	pushes := r.west.StartExternalSecrets(t)
	namespace := r.east.Vault(t, "vault", r.east, r.west)
	r.applyWest()
	r.applyEast()

	name := r.link()[0].GetName()
	link := func() (*corev1.Secret, *rest.Config, error) {
		secret, err := r.east.Client.CoreV1().Secrets("istio-system").Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return nil, nil, err
		}
		config, err := clientcmd.RESTConfigFromKubeConfig(secret.Data["cluster2"])
		return secret, config, err
	}
	var first, second *rest.Config
	rig.Wait(t, time.Minute, "the hub to have the link", func() error {
		secret, config, err := link()
		if err != nil {
			return err
		}
		first = config
		label := map[string]string{"single": "kiali.io/kiali-multi-cluster-secret", "perCluster": "kiali.io/multiCluster"}[format]
		if secret.Labels[label] != "true" || len(secret.Data) != 1 {
			return fmt.Errorf("its labels are %v", secret.Labels)
		}
		return nil
	}, r.east.APIServer)
	require.Equal(t, r.west.Server, first.Host)
	require.Equal(t, kialiAccount, whoIs(t, first))

	// Another account has another token.
	r.west.Delete(t, r.onWest...)
	r.onWest = nil
	awaitRefusal(t, r.west, first)
	r.applyWest()
	rig.Wait(t, time.Minute, "the hub to have the new token", func() error {
		_, config, err := link()
		if err == nil && config.BearerToken == first.BearerToken {
			err = errors.New("it has the old one")
		}
		second = config
		return err
	}, r.east.APIServer)
	require.Equal(t, kialiAccount, whoIs(t, second))

	// A store that has lost it.
	pushes.Stop()
	require.NoError(t, r.east.Client.CoreV1().Secrets(namespace).Delete(t.Context(), "mesh1-cluster2", metav1.DeleteOptions{}))
	rig.Wait(t, time.Minute, "the hub to miss the token in the store", func() error {
		live, err := r.east.Live(t.Context(), r.link()[0])
		if err == nil && !strings.Contains(fmt.Sprint(live.Object["status"]), "SecretSyncedError") {
			err = fmt.Errorf("its status is %v", live.Object["status"])
		}
		return err
	}, r.east.APIServer)
	_, kept, err := link()
	require.NoError(t, err)
	require.Equal(t, kialiAccount, whoIs(t, kept))

	r.hides(first.BearerToken, second.BearerToken)
}
