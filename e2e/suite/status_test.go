package suite

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// TestStatus breaks a mesh in one place after the other. Each fault shows in its check, and
// only there and in the checks that it breaks as well.
func TestStatus(t *testing.T) {
	rig.NeedDefinitions(t, "that status finds what is wrong with a mesh")
	w := newWatched(t)
	ctx := t.Context()
	code, not, found := w.status()
	require.Empty(t, not, found)
	require.Zero(t, code)

	clusterID := func(id string) string {
		return fmt.Sprintf(`{"spec":{"template":{"spec":{"containers":[{"name":"discovery","image":"example.com/pilot:1","env":[{"name":"CLUSTER_ID","value":%q}]}]}}}}`, id)
	}
	link := string(w.open())
	west := w.west.Client
	accounts, secrets := west.CoreV1().ServiceAccounts("istio-system"), west.CoreV1().Secrets("istio-system")
	reseal := func() {
		w.seal("--context", "west", "--kubeconfig", w.west.Kubeconfig, "--cert", w.certificate)
		w.render()
		w.applyEast()
		link = string(w.open())
		w.putLink(map[string]string{"cluster2": link})
		w.pod(true, time.Now().Add(time.Hour))
	}
	relink := func() { w.putLink(map[string]string{"cluster2": link}) }
	pod := func() { w.pod(true, time.Now().Add(time.Hour)) }
	prometheus := `{"spec":{"podMonitorSelector":{"matchLabels":%s}}}`
	conditions := func(reason, successful, failure, at string) string {
		return fmt.Sprintf(`{"status":{"conditions":[{"type":"Running","status":"True","reason":%[1]q,"lastTransitionTime":%[4]q},`+
			`{"type":"Successful","status":%[2]q,"lastTransitionTime":%[4]q},{"type":"Failure","status":%[3]q,"message":"no known supported image","lastTransitionTime":%[4]q}]}}`,
			reason, successful, failure, at)
	}
	later := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)

	tried := 0
	for _, fault := range []struct {
		name   string
		break_ func()
		mend   func()
		want   []string
		found  string
	}{
		{"Istio has another name",
			func() { byHand(t, w.west, "Deployment", "istio-system", "istiod", clusterID("west")) },
			func() { byHand(t, w.west, "Deployment", "istio-system", "istiod", clusterID("cluster2")) },
			[]string{"ST03 cluster2 bad"}, `istiod has CLUSTER_ID "west", the topology calls the cluster "cluster2"`},
		{"Istio was given no name",
			func() { byHand(t, w.east, "Deployment", "istio-system", "istiod", clusterID("")) },
			func() { byHand(t, w.east, "Deployment", "istio-system", "istiod", clusterID("cluster1")) },
			[]string{"ST03 cluster1 bad"}, `CLUSTER_ID "Kubernetes"`},
		{"another mesh id",
			func() {
				byHand(t, w.west, "ConfigMap", "istio-system", "istio", `{"data":{"mesh":"defaultConfig: {meshId: other}"}}`)
			},
			func() {
				byHand(t, w.west, "ConfigMap", "istio-system", "istio", `{"data":{"mesh":"defaultConfig: {meshId: mesh1}"}}`)
			},
			[]string{"ST04 cluster2 bad"}, `istiod has "other", the topology says "mesh1"`},
		{"another network", func() { w.labelNetwork("net-east") }, func() { w.labelNetwork("net-west") },
			[]string{"ST05 cluster2 bad"}, `Istio's network of the cluster is "net-east"`},
		{"two revisions side by side", func() { w.canary(true) }, func() { w.canary(false) },
			[]string{"ST06 cluster2 bad"}, "the revisions canary, default run at the same time"},
		{"a namespace without a monitor", func() {
			w.west.Delete(t, podMonitor("sample"))
		}, func() { w.applyWest() }, []string{"ST07 cluster2 bad"}, "PodMonitor sample/istio-proxies-monitor"},
		{"an object changed by hand",
			func() {
				byHand(t, w.west, "PodMonitor", "sample", "istio-proxies-monitor", `{"spec":{"podMetricsEndpoints":[]}}`)
			},
			func() { w.forceWest() }, []string{"ST08 cluster2 bad"}, "PodMonitor sample/istio-proxies-monitor: spec.podMetricsEndpoints"},
		{"no operator", func() {
			byHand(t, w.west, "Deployment", "kiali-operator", "kiali-operator", `{"metadata":{"labels":{"app.kubernetes.io/name":"other"}}}`)
		}, func() {
			byHand(t, w.west, "Deployment", "kiali-operator", "kiali-operator",
				`{"metadata":{"labels":{"app.kubernetes.io/name":"kiali-operator"}}}`)
		}, []string{"ST09 cluster2 bad"}, "there is no operator of Kiali"},
		{"an operator that is too old", func() {
			byHand(t, w.west, "Deployment", "kiali-operator", "kiali-operator", `{"metadata":{"labels":{"app.kubernetes.io/version":"v2.22.1"}}}`)
		}, func() {
			byHand(t, w.west, "Deployment", "kiali-operator", "kiali-operator", `{"metadata":{"labels":{"app.kubernetes.io/version":"v2.28.0"}}}`)
		}, []string{"ST09 cluster2 bad"}, "Kiali's operator is 2.22.1, but 2.27.1 is the first that knows the release line v2.27"},
		{"the operator fails",
			func() {
				byHand(t, w.west, "Kiali", "istio-system", "kiali", conditions("Failed", "False", "True", later), "status")
			},
			func() {
				byHand(t, w.west, "Kiali", "istio-system", "kiali", conditions("Successful", "True", "False", later), "status")
			},
			[]string{"ST10 cluster2 bad"}, "no known supported image"},
		{"Successful is of an earlier spec",
			func() {
				byHand(t, w.west, "Kiali", "istio-system", "kiali", conditions("Successful", "True", "False", "2020-01-01T00:00:00Z"), "status")
			},
			func() {
				byHand(t, w.west, "Kiali", "istio-system", "kiali", conditions("Successful", "True", "False", later), "status")
			},
			[]string{"ST10 cluster2 bad"}, "Successful describes an earlier spec"},
		{"a crash loop while the resource is Successful", func() {
			w.kubelet.Log("kiali-1", "2026-11-27T10:00:00Z INF Kiali: Version: v2.27\n2026-11-27T10:00:01Z FTL Error creating client factory: the "+
				"server has asked for the client to provide credentials\n")
			w.pod(false, time.Now())
		}, pod, []string{"ST11 cluster1 bad", "ST21 cluster1 unchecked"},
			"the pod kiali-1 has crashed 3 times, last with: 2026-11-27T10:00:01Z FTL Error creating client factory: the server has asked"},
		{"the token was deleted", func() {
			require.NoError(t, secrets.Delete(ctx, "kiali-service-account", metav1.DeleteOptions{}))
		}, func() { w.applyWest() }, []string{"ST07 cluster2 bad", "ST12 cluster2 bad", "ST16 cluster2 bad"},
			"there is no Secret istio-system/kiali-service-account"},
		{"the account was made anew", func() {
			w.west.Delete(t, accountObject())
			_, err := accounts.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "kiali-service-account"}},
				metav1.CreateOptions{})
			require.NoError(t, err)
			w.applyWest()
		}, reseal, []string{"ST16 cluster2 bad"}, "the API server of cluster2 refuses the token in the link: the token is no longer valid"},
		{"no link", func() { w.putLink(map[string]string{}) }, relink,
			[]string{"ST13 cluster2 bad"}, "the hub has no key cluster2 in the Secret istio-system/kiali-multi-cluster-secret"},
		{"a link that somebody changed", func() { w.putLink(map[string]string{"cluster2": link + "# changed\n"}) }, relink,
			[]string{"ST13 cluster2 bad"}, "differs from sealed/"},
		{"two Secrets with the cluster", func() { w.putSecret("kiali-remote-cluster-secret-cluster2", map[string]string{"cluster2": link}) },
			func() { w.deleteSecret("kiali-remote-cluster-secret-cluster2") },
			[]string{"ST14 cluster1 bad"}, "in 2 Secrets: kiali-multi-cluster-secret, kiali-remote-cluster-secret-cluster2; Kiali uses the one in " +
				"kiali-multi-cluster-secret"},
		{"a link for no cluster of the topology", func() {
			w.putLink(map[string]string{"cluster2": link, "north": strings.ReplaceAll(link, "cluster2", "north")})
		}, relink, []string{"ST14 cluster1 bad"}, "the hub has a link for north"},
		{"a link for another cluster", func() {
			w.putLink(map[string]string{"cluster2": strings.ReplaceAll(link, w.west.Server, w.east.Server)})
		}, relink,
			[]string{"ST13 cluster2 bad", "ST15 cluster2 bad"}, "the kubeconfig of cluster2 leads to " + w.east.Server},
		{"a kubeconfig that Kiali does not read", func() {
			w.putLink(map[string]string{"cluster2": strings.ReplaceAll(link, "current-context: cluster2", "current-context: x")})
		}, relink,
			[]string{"ST13 cluster2 bad", "ST15 cluster2 bad"}, "Kiali cannot use the kubeconfig"},
		{"an account without rights", func() {
			require.NoError(t, west.RbacV1().ClusterRoleBindings().Delete(ctx, "kiali", metav1.DeleteOptions{}))
		}, func() { w.west.Apply(t, rig.Objects(t, []byte(around))[5]) }, []string{"ST17 cluster2 bad"},
			"may not read/patch namespaces, read/patch pods, read/patch services and "},
		{"an account that lacks one right", func() { w.role(`["get","list"]`) }, func() { w.role(`["get","list","watch","patch"]`) },
			[]string{"ST17 cluster2 bad"}, "system:serviceaccount:istio-system:kiali-service-account may not watch/patch cronjobs, watch/patch " +
				"jobs on cluster2"},
		{"rights in one namespace only", func() { w.bindIn("sample") }, func() { w.bindEverywhere("sample") },
			[]string{"ST17 cluster2 bad"}, "may not read/patch namespaces"},
		{"Kiali was not restarted", func() { w.pod(true, time.Now().Add(-time.Hour)) }, pod,
			[]string{"ST18 cluster1 bad"}, "has not seen the change"},
		{"nobody reads the monitors", func() { w.west.Delete(t, rig.Objects(t, []byte(around))[3]) },
			func() { w.west.Apply(t, rig.Objects(t, []byte(around))[3]) }, []string{"ST19 cluster2 bad"}, "there is no Prometheus resource"},
		{"a Prometheus that selects others", func() {
			byHand(t, w.west, "Prometheus", "monitoring", "k8s",
				fmt.Sprintf(prometheus, `{"team":"x"}`))
		},
			func() { byHand(t, w.west, "Prometheus", "monitoring", "k8s", fmt.Sprintf(prometheus, `null`)) },
			[]string{"ST20 cluster2 bad"}, "no Prometheus selects PodMonitor istio-system/istio-proxies-monitor"},
		{"Kiali hangs", func() { w.kiali.Change(func() { w.kiali.Hang = true }) }, w.truth,
			[]string{"ST21 cluster1 bad"}, "does not answer: no answer within 10s"},
		{"Kiali is gone, and its pod is called ready", func() { _ = w.kiali.server.Close() }, func() { w.kiali.start(t) },
			[]string{"ST21 cluster1 bad"}, "nobody listens"},
		{"Kiali gets no answer from a remote, and calls it accessible",
			func() { w.kiali.Change(func() { w.kiali.Answering = []string{"cluster1"} }) }, w.truth,
			[]string{"ST22 cluster2 bad"}, "Kiali gets no answer from the API server of cluster2 now"},
		{"a cluster inaccessible in Kiali", func() { w.kiali.Change(func() { w.kiali.Namespaces["cluster2"] = nil }) }, w.truth,
			[]string{"ST23 cluster2 bad"}, "Kiali shows no namespace of cluster2"},
		{"Kiali shows a namespace less", func() { w.kiali.Change(func() { w.kiali.Namespaces["cluster2"] = []string{"istio-system"} }) }, w.truth,
			[]string{"ST23 cluster2 bad"}, "Kiali does not show the namespace sample of cluster2"},
		{"Kiali and istiod disagree on the name", func() { w.kiali.Change(func() { w.kiali.Planes["cluster2"] = "west" }) }, w.truth,
			[]string{"ST24 cluster2 bad"}, "Kiali calls the cluster cluster2, and its istiod calls itself west"},
		{"Kiali finds no control plane", func() { w.kiali.Change(func() { delete(w.kiali.Planes, "cluster2") }) }, w.truth,
			[]string{"ST24 cluster2 bad"}, "Kiali finds no control plane on cluster2"},
		{"the tracing backend is away", func() { w.kiali.Change(func() { w.kiali.Tracing = "Unreachable" }) }, w.truth,
			[]string{"ST33 cluster1 bad"}, "Kiali calls the tracing backend Unreachable"},
		{"a remote that hangs", func() { w.west.APIServer.Pause() }, func() { w.west.APIServer.Resume() },
			[]string{"ST01 cluster2 bad", "ST16 cluster2 unchecked"}, ") does not answer: "},
		{"a remote that is away", func() { w.west.APIServer.Kill() }, func() { w.west.StartServer(t) },
			[]string{"ST01 cluster2 bad", "ST16 cluster2 unchecked"}, "connection refused; nothing else of the cluster was asked"},
	} {
		tried++
		t.Run(fault.name, func(t *testing.T) {
			fault.break_()
			defer fault.mend()
			rig.Wait(t, 20*time.Second, "the fault to show", func() error {
				_, not, found := w.status()
				if !slices.Equal(fault.want, not) || !strings.Contains(found, fault.found) {
					return fmt.Errorf("found %v\n%s\nshould be %v\n%s", not, found, fault.want, fault.found)
				}
				return nil
			})
		})
	}
	require.Equal(t, 36, tried, "faults, as docs/testing.md has them")
	rig.Wait(t, 30*time.Second, "all to be good again", func() error {
		if _, not, found := w.status(); len(not) > 0 {
			return fmt.Errorf("%v\n%s", not, found)
		}
		return nil
	})
	token := w.authenticates().BearerToken
	w.hides(token)
}

// TestStatusWithTheRightsPrinted asks as a user with only the rights that --rights prints,
// on API servers that enforce them.
func TestStatusWithTheRightsPrinted(t *testing.T) {
	rig.NeedDefinitions(t, "that the rights which status prints are enough")
	w := newWatched(t)
	all := w.config
	w.asReader()
	rig.Wait(t, 30*time.Second, "the rights to be enough", func() error {
		if _, not, found := w.status(); len(not) > 0 {
			return fmt.Errorf("%v\n%s", not, found)
		}
		return nil
	})
	w.eachIsNeeded(t)
	// Without them, nothing is called good that was not asked.
	for _, c := range []*rig.Cluster{w.east, w.west} {
		require.NoError(t, c.Client.RbacV1().ClusterRoleBindings().Delete(t.Context(), "sightline-status", metav1.DeleteOptions{}))
	}
	rig.Wait(t, 30*time.Second, "the missing rights to be said", func() error {
		code, not, found := w.status()
		if code != 0 || !slices.Contains(not, "ST03 cluster1 unchecked") || !slices.Contains(not, "ST07 cluster2 unchecked") {
			return fmt.Errorf("exit code %d: %v\n%s", code, not, found)
		}
		return nil
	})
	w.config = all
}
