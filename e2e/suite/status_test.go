package suite

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

const statusTopology = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  namespaces: [sample]
  kiali: {hub: cluster1, version: v2.27, auth: {strategy: anonymous}, operator: {install: none}}
  metrics: {store: prometheus, prometheus: {url: "http://prometheus.monitoring:9090"}}
  clusters:
    - {name: cluster1, platform: kubernetes}
    - {name: cluster2, platform: kubernetes, network: net-west, server: "https://api.west.example.com:6443"}
`

// around is what others bring to a cluster: Istio, Kiali's operator, and a
// Prometheus resource.
const around = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod, namespace: istio-system, labels: {app: istiod}}
spec:
  replicas: 0
  selector: {matchLabels: {app: istiod}}
  template: {metadata: {labels: {app: istiod}}, spec: {containers: [{name: discovery, image: "example.com/pilot:1", env: [{name: CLUSTER_ID, value: NAME}]}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: "defaultConfig: {meshId: mesh1}"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: kiali-operator, namespace: kiali-operator, labels: {app.kubernetes.io/name: kiali-operator, app.kubernetes.io/version: v2.28.0}}
spec:
  replicas: 0
  selector: {matchLabels: {app: kiali-operator}}
  template: {metadata: {labels: {app: kiali-operator}}, spec: {containers: [{name: operator, image: "example.com/kiali-operator:v2.28.0"}]}}
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: k8s, namespace: monitoring}
spec: {podMonitorSelector: {}, podMonitorNamespaceSelector: {}, serviceMonitorSelector: {}, serviceMonitorNamespaceSelector: {}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: kiali-viewer}
rules:
- {apiGroups: [""], resources: [namespaces, pods, services, configmaps], verbs: [get, list, watch]}
- {apiGroups: [apps], resources: [deployments, replicasets], verbs: [get, list, watch]}
- {apiGroups: [networking.istio.io], resources: [virtualservices], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: kiali-viewer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kiali-viewer}
subjects: [{kind: ServiceAccount, name: kiali-service-account, namespace: istio-system}]
`

// watched is a mesh on both clusters, with a stand-in for Kiali's API in a pod.
type watched struct {
	*repository
	kiali   *kialiAPI
	kubelet *rig.Kubelet
	config  string
}

const (
	kialiAddress = "10.246.0.20"
	multiCluster = "kiali-multi-cluster-secret"
)

func newWatched(t *testing.T) *watched {
	w := &watched{repository: newRepository(t, "single")}
	w.open = w.decrypt
	require.NoError(t, os.WriteFile(w.topology, []byte(statusTopology), 0o644))
	for name, c := range map[string]*rig.Cluster{"cluster1": w.east, "cluster2": w.west} {
		c.Define(t, "monitoring.coreos.com_prometheuses.yaml")
		c.Namespaces(t, "kiali-operator", "monitoring")
		c.StartOperator(t)
		objects := rig.Objects(t, []byte(strings.ReplaceAll(around, "NAME", name)))
		t.Cleanup(func() { c.Delete(t, objects...) })
		c.Apply(t, objects...)
	}
	w.labelNetwork("net-west")
	w.render()
	w.applyWest()
	w.seal("--context", "west", "--kubeconfig", w.west.Kubeconfig, "--cert", w.certificate)
	w.render()
	w.applyEast()
	for _, phase := range []string{"kiali", "monitoring"} {
		objects := applyManifests(t, w.out, "cluster1", phase, w.east)
		t.Cleanup(func() { w.east.Delete(t, objects...) })
		settle(t, w.east, objects)
	}
	w.putLink(map[string]string{"cluster2": string(w.open())})
	t.Cleanup(func() { w.deleteSecret(multiCluster) })
	w.kubelet = w.east.StartKubelet(t, "status-node")
	w.pod(true, time.Now().Add(time.Hour))
	service := rig.Objects(t, []byte("apiVersion: v1\nkind: Service\nmetadata: {name: kiali, namespace: istio-system}\nspec: {selector: {app.kubernetes.io/name: kiali}, ports: [{name: http, port: 20001}]}\n"))
	t.Cleanup(func() { w.east.Delete(t, service...) })
	w.east.Apply(t, service...)
	w.kiali = startKiali(t, kialiAddress+":20001")
	w.truth()
	w.config = kubeconfig(t, w.east, w.west)
	return w
}

// truth has Kiali say what is so.
func (w *watched) truth() {
	w.kiali.change(func() {
		w.kiali.hang, w.kiali.line = false, "v2.27"
		w.kiali.services = []string{"Kubernetes-cluster2"}
		w.kiali.namespaces = map[string][]string{"cluster1": {"istio-system", "sample"}, "cluster2": {"istio-system", "sample"}}
		w.kiali.planes = map[string]string{"cluster1": "cluster1", "cluster2": "cluster2"}
	})
}

func (w *watched) labelNetwork(name string) {
	_, err := w.west.Client.CoreV1().Namespaces().Patch(w.t.Context(), "istio-system", types.MergePatchType,
		fmt.Appendf(nil, `{"metadata":{"labels":{"topology.istio.io/network":%q}}}`, name), metav1.PatchOptions{})
	require.NoError(w.t, err)
}

// putLink is what the controller of sealed-secrets does on the hub.
func (w *watched) putLink(items map[string]string) { w.putSecret(multiCluster, items) }

func (w *watched) putSecret(name string, items map[string]string) {
	w.t.Helper()
	data := map[string]any{}
	for key, value := range items {
		data[key] = base64.StdEncoding.EncodeToString([]byte(value))
	}
	w.east.Apply(w.t, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "data": data,
		"metadata": map[string]any{"name": name, "namespace": "istio-system", "labels": map[string]any{"kiali.io/multiCluster": "true"}},
	}})
}

func (w *watched) deleteSecret(name string) {
	_ = w.east.Client.CoreV1().Secrets("istio-system").Delete(context.WithoutCancel(w.t.Context()), name, metav1.DeleteOptions{})
}

// pod makes the pod of Kiali anew, ready or in a crash loop.
func (w *watched) pod(ready bool, started time.Time) {
	w.t.Helper()
	ctx := context.WithoutCancel(w.t.Context())
	pods, now := w.east.Client.CoreV1().Pods("istio-system"), int64(0)
	_ = pods.Delete(ctx, "kiali-1", metav1.DeleteOptions{GracePeriodSeconds: &now})
	pod, err := pods.Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "kiali-1", Labels: map[string]string{"app.kubernetes.io/name": "kiali", "app.kubernetes.io/instance": "kiali"}},
		Spec:       corev1.PodSpec{NodeName: "status-node", Containers: []corev1.Container{{Name: "kiali", Image: "example.com/kiali:1"}}},
	}, metav1.CreateOptions{})
	require.NoError(w.t, err)
	container := corev1.ContainerStatus{Name: "kiali", Ready: ready, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(started)}}}
	condition := corev1.ConditionTrue
	if !ready {
		condition, container.RestartCount = corev1.ConditionFalse, 3
		container.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
	}
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: kialiAddress, PodIPs: []corev1.PodIP{{IP: kialiAddress}},
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: condition}}, ContainerStatuses: []corev1.ContainerStatus{container}}
	_, err = pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	require.NoError(w.t, err)
}

// status runs sightline status, and returns what is not good, as "ST03 cluster2
// bad", with all that was found.
func (w *watched) status(args ...string) (code int, not []string, found string) {
	w.t.Helper()
	all := []string{"status", w.topology, "--kubeconfig", w.config, "--hub-context", "east", "--context", "cluster2=west", "--output", "json"}
	for _, group := range []string{"reach", "names", "objects", "kiali", "links", "monitoring", "view"} {
		all = append(all, "--only", group)
	}
	result := rig.Try(w.t, rig.Sightline(), append(all, args...)...)
	w.output.WriteString(result.Stdout + result.Stderr)
	var report struct {
		Results []struct{ Check, Cluster, Mark, Found, Next string }
	}
	require.NoError(w.t, json.Unmarshal([]byte(result.Stdout), &report), result.Stderr)
	not = []string{}
	for _, r := range report.Results {
		if r.Mark != "good" {
			not = append(not, fmt.Sprintf("%s %s %s", r.Check, r.Cluster, r.Mark))
			found += r.Found + "\n"
			if r.Mark == "bad" {
				assert.NotEmpty(w.t, r.Next, "%s says what to do", r.Check)
			}
		}
	}
	return result.Code, not, found
}

// byHand merges something into an object, as somebody does by hand.
func byHand(t *testing.T, on *rig.Cluster, kind, namespace, name, text string, subresources ...string) {
	t.Helper()
	object := &unstructured.Unstructured{}
	object.SetNamespace(namespace)
	object.SetName(name)
	object.SetAPIVersion(map[string]string{"Deployment": "apps/v1", "ConfigMap": "v1", "PodMonitor": "monitoring.coreos.com/v1", "Prometheus": "monitoring.coreos.com/v1", "Kiali": "kiali.io/v1alpha1"}[kind])
	object.SetKind(kind)
	resource, err := on.Resource(object)
	require.NoError(t, err)
	_, err = resource.Patch(t.Context(), name, types.MergePatchType, []byte(text), metav1.PatchOptions{FieldManager: "somebody"}, subresources...)
	require.NoError(t, err)
}

// TestStatus breaks a mesh in one place after the other. Each fault shows in its
// check, and in no other but those that it breaks as well.
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
			[]string{"ST06 cluster2 bad"}, "the revisions canary, default run side by side"},
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
			byHand(t, w.west, "Deployment", "kiali-operator", "kiali-operator", `{"metadata":{"labels":{"app.kubernetes.io/name":"kiali-operator"}}}`)
		}, []string{"ST09 cluster2 bad"}, "there is no operator of Kiali"},
		{"an operator that is too old", func() {
			byHand(t, w.west, "Deployment", "kiali-operator", "kiali-operator", `{"metadata":{"labels":{"app.kubernetes.io/version":"v2.22.1"}}}`)
		}, func() {
			byHand(t, w.west, "Deployment", "kiali-operator", "kiali-operator", `{"metadata":{"labels":{"app.kubernetes.io/version":"v2.28.0"}}}`)
		}, []string{"ST09 cluster2 bad"}, "Kiali's operator is 2.22.1, and 2.27.1 knows the release line v2.27 first"},
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
			[]string{"ST10 cluster2 bad"}, "Successful is of an earlier spec"},
		{"a crash loop while the resource is Successful", func() {
			w.kubelet.Log("kiali-1", "2026-11-27T10:00:00Z INF Kiali: Version: v2.27\n2026-11-27T10:00:01Z FTL Error creating client factory: the server has asked for the client to provide credentials\n")
			w.pod(false, time.Now())
		}, pod, []string{"ST11 cluster1 bad", "ST21 cluster1 unchecked"}, "the pod kiali-1 has crashed 3 times, last with: 2026-11-27T10:00:01Z FTL Error creating client factory: the server has asked"},
		{"the token was deleted", func() {
			require.NoError(t, secrets.Delete(ctx, "kiali-service-account", metav1.DeleteOptions{}))
		}, func() { w.applyWest() }, []string{"ST07 cluster2 bad", "ST12 cluster2 bad", "ST16 cluster2 bad"}, "there is no Secret istio-system/kiali-service-account"},
		{"the account was made anew", func() {
			w.west.Delete(t, accountObject())
			_, err := accounts.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "kiali-service-account"}}, metav1.CreateOptions{})
			require.NoError(t, err)
			w.applyWest()
		}, reseal, []string{"ST16 cluster2 bad"}, "the API server of cluster2 refuses the token in the link: it is stale"},
		{"no link", func() { w.putLink(map[string]string{}) }, relink,
			[]string{"ST13 cluster2 bad"}, "the hub has no key cluster2 in the Secret istio-system/kiali-multi-cluster-secret"},
		{"a link that somebody changed", func() { w.putLink(map[string]string{"cluster2": link + "# changed\n"}) }, relink,
			[]string{"ST13 cluster2 bad"}, "is not what sealed/ has"},
		{"two Secrets with the cluster", func() { w.putSecret("kiali-remote-cluster-secret-cluster2", map[string]string{"cluster2": link}) },
			func() { w.deleteSecret("kiali-remote-cluster-secret-cluster2") },
			[]string{"ST14 cluster1 bad"}, "in 2 Secrets: kiali-multi-cluster-secret, kiali-remote-cluster-secret-cluster2; Kiali uses the one in kiali-multi-cluster-secret"},
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
			require.NoError(t, west.RbacV1().ClusterRoleBindings().Delete(ctx, "kiali-viewer", metav1.DeleteOptions{}))
		}, func() { w.west.Apply(t, rig.Objects(t, []byte(around))[5]) }, []string{"ST17 cluster2 bad"}, "may not list namespaces, list pods, list services"},
		{"Kiali was not restarted", func() { w.pod(true, time.Now().Add(-time.Hour)) }, pod,
			[]string{"ST18 cluster1 bad"}, "has not seen the change"},
		{"nobody reads the monitors", func() { w.west.Delete(t, rig.Objects(t, []byte(around))[3]) },
			func() { w.west.Apply(t, rig.Objects(t, []byte(around))[3]) }, []string{"ST19 cluster2 bad"}, "there is no Prometheus resource"},
		{"a Prometheus that selects others", func() { byHand(t, w.west, "Prometheus", "monitoring", "k8s", fmt.Sprintf(prometheus, `{"team":"x"}`)) },
			func() { byHand(t, w.west, "Prometheus", "monitoring", "k8s", fmt.Sprintf(prometheus, `null`)) },
			[]string{"ST20 cluster2 bad"}, "no Prometheus selects PodMonitor istio-system/istio-proxies-monitor"},
		{"Kiali hangs", func() { w.kiali.change(func() { w.kiali.hang = true }) }, w.truth,
			[]string{"ST21 cluster1 bad"}, "does not answer: no answer within 10s"},
		{"Kiali is gone, and its pod is called ready", func() { _ = w.kiali.server.Close() }, func() { w.kiali.start(t) },
			[]string{"ST21 cluster1 bad"}, "nobody listens"},
		{"Kiali gets no answer from a remote, and calls it accessible", func() { w.kiali.change(func() { w.kiali.services = nil }) }, w.truth,
			[]string{"ST22 cluster2 bad"}, "Kiali gets no answer from the API server of cluster2 now"},
		{"a cluster inaccessible in Kiali", func() { w.kiali.change(func() { w.kiali.namespaces["cluster2"] = nil }) }, w.truth,
			[]string{"ST23 cluster2 bad"}, "Kiali shows no namespace of cluster2"},
		{"Kiali shows a namespace less", func() { w.kiali.change(func() { w.kiali.namespaces["cluster2"] = []string{"istio-system"} }) }, w.truth,
			[]string{"ST23 cluster2 bad"}, "Kiali does not show the namespace sample of cluster2"},
		{"Kiali and istiod disagree on the name", func() { w.kiali.change(func() { w.kiali.planes["cluster2"] = "west" }) }, w.truth,
			[]string{"ST24 cluster2 bad"}, "Kiali calls the cluster cluster2, and its istiod calls itself west"},
		{"Kiali finds no control plane", func() { w.kiali.change(func() { delete(w.kiali.planes, "cluster2") }) }, w.truth,
			[]string{"ST24 cluster2 bad"}, "Kiali finds no control plane on cluster2"},
		{"an old Kiali, which does not say accessible", func() { w.kiali.change(func() { w.kiali.line = "v2.4" }) }, w.truth, []string{}, ""},
		{"a remote that hangs", func() { w.west.APIServer.Pause() }, func() { w.west.APIServer.Resume() },
			[]string{"ST01 cluster2 bad", "ST16 cluster2 unchecked"}, ") does not answer: "},
		{"a remote that is away", func() { w.west.APIServer.Kill() }, func() { w.west.StartServer(t) },
			[]string{"ST01 cluster2 bad", "ST16 cluster2 unchecked"}, "connection refused; nothing else of the cluster was asked"},
	} {
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
	rig.Wait(t, 30*time.Second, "all to be good again", func() error {
		if _, not, found := w.status(); len(not) > 0 {
			return fmt.Errorf("%v\n%s", not, found)
		}
		return nil
	})
	token := w.authenticates().BearerToken
	w.hides(token)
}

// TestStatusWithTheRightsPrinted asks as a user who has what --rights prints, and
// nothing else, on API servers that enforce it.
func TestStatusWithTheRightsPrinted(t *testing.T) {
	rig.NeedDefinitions(t, "that the rights which status prints are enough")
	w := newWatched(t)
	printed := rig.Run(t, rig.Sightline(), "status", w.topology, "--rights")
	parts := strings.Split(printed, "# What sightline status may read on ")
	require.Len(t, parts, 3)
	for i, c := range []*rig.Cluster{w.east, w.west} {
		_, documents, _ := strings.Cut(parts[i+1], "\n")
		objects := rig.Objects(t, []byte(documents))
		for _, o := range objects {
			if ns := o.GetNamespace(); ns != "" {
				c.Namespaces(t, ns)
			}
		}
		t.Cleanup(func() { c.Delete(t, objects...) })
		c.Apply(t, objects...)
	}
	text, err := os.ReadFile(w.config)
	require.NoError(t, err)
	all := w.config
	w.config = filepath.Join(t.TempDir(), "reader.kubeconfig")
	reader := strings.ReplaceAll(string(text), "    client-certificate-data:", "    as: a-reader\n    as-groups: [sightline-status, \"system:authenticated\"]\n    client-certificate-data:")
	require.NotEqual(t, string(text), reader)
	require.NoError(t, os.WriteFile(w.config, []byte(reader), 0o600))
	rig.Wait(t, 30*time.Second, "the rights to be enough", func() error {
		if _, not, found := w.status(); len(not) > 0 {
			return fmt.Errorf("%v\n%s", not, found)
		}
		return nil
	})
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

func podMonitor(namespace string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion("monitoring.coreos.com/v1")
	o.SetKind("PodMonitor")
	o.SetNamespace(namespace)
	o.SetName("istio-proxies-monitor")
	return o
}

func accountObject() *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion("v1")
	o.SetKind("ServiceAccount")
	o.SetNamespace("istio-system")
	o.SetName("kiali-service-account")
	return o
}

// forceWest applies the remote over what somebody else manages by now.
func (w *watched) forceWest() {
	w.west.Delete(w.t, podMonitor("sample"))
	w.applyWest()
}

// canary adds a second istiod, or removes it.
func (w *watched) canary(there bool) {
	w.t.Helper()
	deployments := w.west.Client.AppsV1().Deployments("istio-system")
	if !there {
		require.NoError(w.t, deployments.Delete(w.t.Context(), "istiod-canary", metav1.DeleteOptions{}))
		return
	}
	none := int32(0)
	labels := map[string]string{"app": "istiod", "istio.io/rev": "canary"}
	_, err := deployments.Create(w.t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "istiod-canary", Labels: labels},
		Spec: appsv1.DeploymentSpec{Replicas: &none, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "discovery", Image: "example.com/pilot:1", Env: []corev1.EnvVar{{Name: "CLUSTER_ID", Value: "cluster2"}}}}},
		}},
	}, metav1.CreateOptions{})
	require.NoError(w.t, err)
	cm, err := w.west.Client.CoreV1().ConfigMaps("istio-system").Create(w.t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "istio-canary"}, Data: map[string]string{"mesh": "defaultConfig: {meshId: mesh1}"},
	}, metav1.CreateOptions{})
	if err == nil {
		w.t.Cleanup(func() {
			_ = w.west.Client.CoreV1().ConfigMaps("istio-system").Delete(context.WithoutCancel(w.t.Context()), cm.Name, metav1.DeleteOptions{})
		})
	}
}
