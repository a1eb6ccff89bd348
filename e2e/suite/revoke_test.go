package suite

import (
	"crypto/rand"
	"crypto/rsa"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// TestTokenMadeAnew shows why it does not help to delete the Secret of a leaked token. The
// cluster fills the next Secret of this name with the same token, byte for byte, and the
// leaked copy is valid again.
func TestTokenMadeAnew(t *testing.T) {
	west, token, _, leaked := withToken(t)
	west.Delete(t, token)
	awaitRefusal(t, west, leaked)

	west.Apply(t, token)
	require.Equal(t, leaked.BearerToken, awaitToken(t, west, token), "the same token")
	awaitAcceptance(t, west, leaked)
}

// TestRevoke answers a leaked token like docs/seal.md: first by hand, which has no effect,
// and seal says so; then in one commit.
func TestRevoke(t *testing.T) {
	rig.NeedDefinitions(t, "that a leaked token can be taken out")
	r := newRepository(t, "single")
	r.open = r.decrypt
	live := []string{"--context", "west", "--kubeconfig", r.west.Kubeconfig, "--cert", r.certificate}
	r.west.StartOperator(t)
	r.render()
	r.applyWest()
	r.seal(live...)
	r.render()
	r.applyEast()
	leaked := r.authenticates()

	time.Sleep(1100 * time.Millisecond) // the age of a Secret is in seconds
	token := tokenSecret(t)
	r.west.Delete(t, token)
	r.applyWest()
	awaitToken(t, r.west, token)
	said := r.seal(live...)
	require.Contains(t, said, "with the same token: its deletion revoked nothing")
	require.Contains(t, said, "cluster2: unchanged")
	awaitAcceptance(t, r.west, leaked)

	said = r.seal("--revoke")
	require.Contains(t, said, "Kiali cannot show cluster2 until it is sealed")
	r.render()
	r.applyWest()
	awaitRefusal(t, r.west, leaked)
	result := rig.Try(t, rig.Sightline(), r.args("--check")...)
	require.Equal(t, 1, result.Code)
	require.Contains(t, result.Stdout, "is revoked, so Kiali cannot show the cluster")

	r.seal(live...)
	r.render()
	r.applyEast()
	next := r.authenticates()
	require.NotEqual(t, leaked.BearerToken, next.BearerToken)
	awaitRefusal(t, r.west, leaked)
	r.hides(leaked.BearerToken, next.BearerToken)
}

// TestSealLooks shows what seal finds on real API servers: a CA that does not verify the
// server of the link, another name in istiod, a connection that nobody verifies, and with
// --check --live a token that is gone.
func TestSealLooks(t *testing.T) {
	rig.NeedDefinitions(t, "that seal finds what the clusters know")
	r := newRepository(t, "single")
	r.west.StartOperator(t)
	r.render()
	r.applyWest()
	live := []string{"--context", "west", "--kubeconfig", r.west.Kubeconfig, "--cert", r.certificate}
	refused := func(code int, says string, args ...string) {
		t.Helper()
		result := rig.Try(t, rig.Sightline(), r.args(args...)...)
		require.Equal(t, code, result.Code, result.Stderr)
		require.Contains(t, result.Stdout+result.Stderr, says)
	}

	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	wrong := certificateFile(t, other.Public(), other, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	refused(4, "the CA does not verify the API server api.west.example.com:6443, so Kiali on the hub would not start", append(live, "--ca-file", wrong)...)

	insecure, err := os.ReadFile(r.west.Kubeconfig)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "insecure")
	var lines []string
	for line := range strings.Lines(string(insecure)) {
		if at := strings.Index(line, "certificate-authority"); at >= 0 {
			line = line[:at] + "insecure-skip-tls-verify: true\n"
		}
		lines = append(lines, line)
	}
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600))
	refused(4, "does not verify the API server, so the CA may come from an attacker", "--context", "west", "--kubeconfig", file, "--cert", r.certificate)
	require.Empty(t, written(t, r.sealed()))

	istiod := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"namespace": "istio-system", "name": "istiod", "labels": map[string]any{"app": "istiod"}},
		"spec": map[string]any{
			"replicas": int64(0), "selector": map[string]any{"matchLabels": map[string]any{"app": "istiod"}},
			"template": map[string]any{
				"metadata": map[string]any{"labels": map[string]any{"app": "istiod"}},
				"spec": map[string]any{"containers": []any{map[string]any{
					"name": "discovery", "image": "istio/pilot", "env": []any{map[string]any{"name": "CLUSTER_ID", "value": "west"}},
				}}},
			},
		},
	}}
	t.Cleanup(func() { r.west.Delete(t, istiod) })
	r.west.Apply(t, istiod)
	require.Contains(t, r.seal(live...), `istiod (Deployment istio-system/istiod) has CLUSTER_ID "west", but the topology calls the cluster "cluster2"`)
	r.west.Delete(t, istiod)

	check := []string{"--check", "--live", "--context", "west", "--kubeconfig", r.west.Kubeconfig}
	result := rig.Try(t, rig.Sightline(), r.args(check...)...)
	require.Zero(t, result.Code, result.Stdout+result.Stderr)
	token := tokenSecret(t)
	r.west.Delete(t, token)
	refused(1, "the remote has no token in the Secret kiali-service-account", check...)
	refused(0, "cluster2: current", "--check") // this asks no cluster
}

// TestFormatChange moves a link from one Secret of the hub to another and back. The
// test makes the Secrets, in place of the controller; SealedSecrets own them.
func TestFormatChange(t *testing.T) {
	rig.NeedDefinitions(t, "that a Secret from before the change of links.format is not forgotten")
	r := newRepository(t, "single")
	r.open = r.decrypt
	formatChange(t, r, func() {
		owner, err := r.east.Live(t.Context(), r.link()[0])
		require.NoError(t, err)
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: owner.GetName(), OwnerReferences: []metav1.OwnerReference{{
				APIVersion: owner.GetAPIVersion(), Kind: owner.GetKind(), Name: owner.GetName(), UID: owner.GetUID(),
			}}},
			Data: map[string][]byte{"cluster2": r.decrypt()},
		}
		_, err = r.east.Client.CoreV1().Secrets(owner.GetNamespace()).Create(t.Context(), secret, metav1.CreateOptions{})
		require.NoError(t, err)
	}, "--context", "west", "--kubeconfig", kubeconfig(t, r.east, r.west), "--cert", r.certificate)
}

// formatChange follows docs/seal.md, "One Secret for all remotes, or one for each", in both
// directions. opened waits until the Secret of the link is on the hub. The other arguments
// are for seal. The kubeconfig has both clusters.
func formatChange(t *testing.T, r *repository, opened func(), live ...string) {
	r.west.StartOperator(t)
	r.render()
	r.applyWest()
	r.seal(live...)
	r.render()
	r.applyEast()
	opened()
	names := map[string]string{"single": "kiali-multi-cluster-secret", "perCluster": "kiali-remote-cluster-secret-cluster2"}
	hub := append([]string{"--hub-context", "east"}, live[2:4]...)
	require.Equal(t, "--kubeconfig", hub[2])
	for _, change := range [][2]string{{"single", "perCluster"}, {"perCluster", "single"}} {
		before, now := names[change[0]], names[change[1]]
		r.format(change[0], change[1])
		require.Contains(t, r.seal(live...), "remove the earlier one: kubectl --context ")
		old := r.link()[0] // rendered before the change
		r.render()
		said := rig.Try(t, rig.Sightline(), "verify", r.topology).Stdout
		require.Contains(t, said, "remove the SealedSecret "+before+" from it")

		result := rig.Try(t, rig.Sightline(), append(r.args("--finish"), hub...)...)
		require.Equal(t, 4, result.Code, "the new one is not there: %s", result.Stderr)
		r.applyEast()
		opened()
		r.authenticates()
		result = rig.Try(t, rig.Sightline(), append(r.args("--finish"), hub...)...)
		require.Equal(t, 4, result.Code, "both are there")
		require.Contains(t, result.Stderr, "the hub still has the Secret "+before)
		check := rig.Try(t, rig.Sightline(), append(r.args("--check", "--live", "--context", "west"), hub...)...)
		require.Equal(t, 1, check.Code)
		require.Contains(t, check.Stdout, "the hub has the cluster in 2 Secrets, and Kiali uses kiali-multi-cluster-secret")

		r.east.Delete(t, old)
		rig.Wait(t, 30*time.Second, "the Secret "+before+" to go with its SealedSecret", func() error {
			_, err := r.east.Client.CoreV1().Secrets(old.GetNamespace()).Get(t.Context(), before, metav1.GetOptions{})
			if err == nil {
				return assert.AnError
			}
			return nil
		}, r.east.APIServer, r.east.Manager)
		result = rig.Try(t, rig.Sightline(), append(r.args("--finish"), hub...)...)
		require.Zero(t, result.Code, result.Stderr)
		require.NotContains(t, rig.Try(t, rig.Sightline(), "verify", r.topology).Stdout, before)
		_, err := r.east.Client.CoreV1().Secrets(old.GetNamespace()).Get(t.Context(), now, metav1.GetOptions{})
		require.NoError(t, err)
	}
}

// format changes links.format of the topology.
func (r *repository) format(from, to string) {
	r.t.Helper()
	text, err := os.ReadFile(r.topology)
	require.NoError(r.t, err)
	changed := strings.Replace(string(text), "links: {format: "+from+"}", "links: {format: "+to+"}", 1)
	require.NotEqual(r.t, string(text), changed)
	require.NoError(r.t, os.WriteFile(r.topology, []byte(changed), 0o644))
}

// awaitAcceptance waits until the cluster accepts the credentials again. It remembers a
// refusal for some seconds.
func awaitAcceptance(t *testing.T, on *rig.Cluster, config *rest.Config) {
	t.Helper()
	rig.Wait(t, 30*time.Second, "the token to be taken by "+on.Name, func() error {
		_, err := review(t.Context(), config)
		return err
	}, on.APIServer)
}
