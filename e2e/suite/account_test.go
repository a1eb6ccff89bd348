package suite

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// TestRemoteWithoutOperator applies a remote with the account of Kiali at once,
// without an operator and without waiting. It then checks the rights of the link on
// the hub: Kiali has the rights that it needs, and no right to write.
func TestRemoteWithoutOperator(t *testing.T) {
	rig.NeedDefinitions(t, "that a remote needs no operator")
	for edit, auth := range map[bool]string{false: "", true: "auth: {strategy: anonymous}, "} {
		r := newRepository(t, "single")
		r.west.Define(t, "oauth.openshift.io_oauthclients.standin.yaml")
		r.open = r.decrypt
		text, err := os.ReadFile(r.topology)
		require.NoError(t, err)
		changed := strings.Replace(string(text), "    hub: cluster1\n", "    hub: cluster1\n    operator: {remotes: none}\n", 1)
		if auth != "" {
			changed = strings.Replace(changed, "    hub: cluster1\n", "    hub: cluster1\n    auth: {strategy: anonymous}\n", 1)
		}
		require.NotEqual(t, string(text), changed)
		require.NoError(t, os.WriteFile(r.topology, []byte(changed), 0o644))
		r.render()
		require.NoFileExists(t, filepath.Join(r.out.dir, "clusters", "cluster2", "kiali", "kiali-remote.yaml"))
		r.applyWest()
		r.seal("--context", "west", "--kubeconfig", r.west.Kubeconfig, "--cert", r.certificate)
		r.render()
		r.applyEast()

		config, err := clientcmd.RESTConfigFromKubeConfig(r.open())
		require.NoError(t, err)
		require.Equal(t, kialiAccount, whoIs(t, config))
		client, err := kubernetes.NewForConfig(config)
		require.NoError(t, err)
		review, err := client.AuthorizationV1().SelfSubjectRulesReviews().Create(t.Context(),
			&authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: "sample"}}, metav1.CreateOptions{})
		require.NoError(t, err)
		require.False(t, review.Status.Incomplete)
		may := func(verb, group, resource string) bool {
			for _, rule := range review.Status.ResourceRules {
				if has := func(list []string, want string) bool {
					for _, is := range list {
						if is == want || is == "*" {
							return true
						}
					}
					return false
				}; has(rule.Verbs, verb) && has(rule.APIGroups, group) && has(rule.Resources, resource) && len(rule.ResourceNames) == 0 {
					return true
				}
			}
			return false
		}
		// What Kiali's caches list and watch at the start (kiali kubernetes/cache), and
		// what it asks for on a page.
		for _, of := range [][2]string{
			{"", "namespaces"}, {"", "pods"}, {"", "services"}, {"", "configmaps"}, {"", "endpoints"}, {"", "replicationcontrollers"},
			{"apps", "deployments"}, {"apps", "daemonsets"}, {"apps", "statefulsets"}, {"apps", "replicasets"}, {"batch", "jobs"}, {"batch", "cronjobs"},
			{"networking.istio.io", "virtualservices"}, {"networking.istio.io", "destinationrules"}, {"security.istio.io", "peerauthentications"},
			{"telemetry.istio.io", "telemetries"}, {"extensions.istio.io", "wasmplugins"}, {"gateway.networking.k8s.io", "httproutes"},
			{"admissionregistration.k8s.io", "mutatingwebhookconfigurations"},
		} {
			for _, verb := range []string{"get", "list", "watch"} {
				require.True(t, may(verb, of[0], of[1]), "%s %s.%s", verb, of[1], of[0])
			}
		}
		require.True(t, may("create", "authentication.k8s.io", "tokenreviews"))
		require.True(t, may("create", "", "pods/portforward"))
		require.Equal(t, edit, may("patch", "networking.istio.io", "virtualservices"))
		require.Equal(t, edit, may("patch", "apps", "deployments"))
		require.False(t, may("get", "", "secrets"))
		if auth == "" { // the strategy openshift
			require.Equal(t, http.StatusOK, rig.Status(t, config, "/apis/oauth.openshift.io/v1/oauthclients/kiali-istio-system"))
			require.Equal(t, http.StatusForbidden, rig.Status(t, config, "/apis/oauth.openshift.io/v1/oauthclients"))
		}
		r.leaveWest(t)
	}
}

// leaveWest removes the objects of the remote.
func (r *repository) leaveWest(t *testing.T) {
	t.Helper()
	r.west.Delete(t, r.onWest...)
	r.onWest = nil
}
