package suite

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// diffLive compares a cluster with what a topology renders to.
func diffLive(t *testing.T, topology, cluster, context, kubeconfig string) rig.Result {
	t.Helper()
	return rig.Try(t, rig.Sightline(), "diff", filepath.Join(topologyDir, topology), "--live", "--cluster", cluster, "--context", cluster+"="+context, "--kubeconfig", kubeconfig)
}

// assertAsRendered asserts that diff --live finds nothing on a cluster.
func assertAsRendered(t *testing.T, topology, cluster string, on *rig.Cluster) {
	t.Helper()
	found := diffLive(t, topology, cluster, on.Name, on.Kubeconfig)
	assert.Zero(t, found.Code, "%s%s", found.Stdout, found.Stderr)
	assert.Contains(t, found.Stdout, ": no changes against the clusters\n")
	assert.Empty(t, found.Stderr)
}

// TestDiffLive changes a cluster with the applied example, and asks diff --live what an
// apply would change. The user may only get and list.
func TestDiffLive(t *testing.T) {
	rig.NeedDefinitions(t, "that diff --live finds what is other on a cluster")
	west := rig.Up(t).West
	west.StartOperator(t)
	const topology, cluster = "east-west.yaml", "cluster2"
	kubeconfig := reader(t, west)
	diff := func() rig.Result { return diffLive(t, topology, cluster, west.Name, kubeconfig) }

	tree := render(t, topology, "manifests")
	all := objectsOf(t, tree, cluster)
	t.Cleanup(func() { west.Delete(t, all...) })
	found := diff()
	require.Equal(t, 1, found.Code, found.Stderr)
	require.Contains(t, found.Stdout, "+ Kiali istio-system/kiali on cluster2", "nothing is there yet")

	for _, phase := range phases(false) {
		settle(t, west, applyManifests(t, tree, cluster, phase, west))
	}
	found = diff()
	require.Zero(t, found.Code, "%s%s", found.Stdout, found.Stderr)

	// Others add to objects: a label, a field of the Kiali resource, a key of the ConfigMap.
	patch(t, west, object(t, all, "Kiali", ""), "others", `{"metadata":{"labels":{"team":"mesh"}},"spec":{"kiali_feature_flags":{"certificates_information_indicators":{"enabled":false}}}}`)
	patch(t, west, object(t, all, "ConfigMap", ""), "others", `{"data":{"theirs":"x"}}`)
	found = diff()
	assert.Zero(t, found.Code, "what others add stays: %s", found.Stdout)

	// Somebody changes ours.
	patch(t, west, object(t, all, "PodMonitor", "sample"), "others", `{"spec":{"podMetricsEndpoints":[{"interval":"5s","path":"/stats/prometheus"}]}}`)
	patch(t, west, object(t, all, "ConfigMap", ""), "others", `{"data":{"config.yaml":"enableUserWorkload: true\nprometheusK8s:\n  retention: 7d\n"}}`)
	west.Delete(t, object(t, all, "Telemetry", ""))
	// An earlier render had more: a field, and a monitor of another namespace.
	with := object(t, all, "ServiceMonitor", "").DeepCopy()
	require.NoError(t, unstructured.SetNestedField(with.Object, "app", "spec", "jobLabel"))
	west.Apply(t, with)
	west.Namespaces(t, "shop")
	left := object(t, all, "PodMonitor", "sample").DeepCopy()
	left.SetNamespace("shop")
	west.Apply(t, left)
	t.Cleanup(func() { west.Delete(t, left) })

	found = diff()
	assert.Equal(t, 1, found.Code, found.Stderr)
	for _, says := range []string{
		"~ PodMonitor sample/istio-proxies-monitor on cluster2\n",
		"~ ConfigMap openshift-monitoring/cluster-monitoring-config on cluster2\n",
		"data[config.yaml].prometheusK8s             - {\"retention\":\"7d\"} (would be lost by apply)\n",
		"+ Telemetry istio-system/enable-prometheus-metrics on cluster2\n",
		"spec.jobLabel                               - app (would be lost by apply)\n",
		"- PodMonitor shop/istio-proxies-monitor on cluster2\n",
		"warning: EF14: applying removes settings that are on cluster2 but not rendered: ",
	} {
		assert.Contains(t, found.Stdout, says)
	}
	secret, err := west.Client.CoreV1().Secrets("istio-system").Get(t.Context(), "kiali-service-account", metav1.GetOptions{})
	require.NoError(t, err)
	assert.NotContains(t, found.Stdout+found.Stderr, string(secret.Data["token"]))

	// An apply puts all of it right. It would have to be forced where others have taken fields, so those objects go first.
	west.Delete(t, object(t, all, "PodMonitor", "sample"), object(t, all, "ConfigMap", ""))
	for _, phase := range phases(false) {
		applyManifests(t, tree, cluster, phase, west)
	}
	west.Delete(t, left)
	found = diff()
	assert.Zero(t, found.Code, found.Stdout)

	west.APIServer.Stop()
	found = diff()
	assert.Equal(t, 2, found.Code, found.Stdout)
	assert.Contains(t, found.Stderr, "sightline: cluster2: ")
	assert.Empty(t, found.Stdout)
	west.StartServer(t)
}

// object returns the only object of a kind, in a namespace if one is given.
func object(t *testing.T, all []*unstructured.Unstructured, kind, namespace string) *unstructured.Unstructured {
	t.Helper()
	for _, o := range all {
		if o.GetKind() == kind && (namespace == "" || o.GetNamespace() == namespace) {
			return o
		}
	}
	require.Fail(t, "no "+kind)
	return nil
}

func patch(t *testing.T, on *rig.Cluster, o *unstructured.Unstructured, manager, merge string) {
	t.Helper()
	r, err := on.Resource(o)
	require.NoError(t, err)
	require.True(t, json.Valid([]byte(merge)))
	_, err = r.Patch(t.Context(), o.GetName(), types.MergePatchType, []byte(merge), metav1.PatchOptions{FieldManager: manager})
	require.NoError(t, err)
}

// reader writes the kubeconfig of a user who may only get and list, but everything.
func reader(t *testing.T, on *rig.Cluster) string {
	t.Helper()
	const name = "diff-reader"
	_, err := on.Client.CoreV1().ServiceAccounts("default").Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = on.Client.RbacV1().ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name},
		Rules: []rbacv1.PolicyRule{{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"get", "list"}}}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = on.Client.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "default", Name: name}}}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx := t.Context()
		_ = on.Client.RbacV1().ClusterRoleBindings().Delete(ctx, name, metav1.DeleteOptions{})
		_ = on.Client.RbacV1().ClusterRoles().Delete(ctx, name, metav1.DeleteOptions{})
		_ = on.Client.CoreV1().ServiceAccounts("default").Delete(ctx, name, metav1.DeleteOptions{})
	})
	var token *authv1.TokenRequest
	rig.Wait(t, 10*time.Second, "a token of the reader", func() error {
		var err error
		token, err = on.Client.CoreV1().ServiceAccounts("default").CreateToken(t.Context(), name, &authv1.TokenRequest{}, metav1.CreateOptions{})
		return err
	}, on.APIServer)
	config, err := clientcmd.LoadFromFile(on.Kubeconfig)
	require.NoError(t, err)
	config.AuthInfos[on.Name] = &clientcmdapi.AuthInfo{Token: strings.TrimSpace(token.Status.Token)}
	file := filepath.Join(t.TempDir(), "reader.kubeconfig")
	require.NoError(t, clientcmd.WriteToFile(*config, file))
	return file
}
