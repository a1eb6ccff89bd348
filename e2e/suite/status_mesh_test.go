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
	rbacv1 "k8s.io/api/rbac/v1"
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
  kiali: {hub: cluster1, version: v2.27, auth: {strategy: anonymous}, operator: {install: none}, spec: {external_services: {tracing: {enabled: true}}}}
  metrics: {store: prometheus, prometheus: {url: "http://prometheus.monitoring:9090"}}
  clusters:
    - {name: cluster1, platform: kubernetes}
    - {name: cluster2, platform: kubernetes, network: net-west, server: "https://api.west.example.com:6443"}
`

// around has the objects that others bring to a cluster: Istio, Kiali's operator with the
// role that v2.27 makes for the strategy anonymous, and a Prometheus resource.
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
metadata: {name: kiali}
rules:
- {apiGroups: [""], resources: [configmaps, endpoints, pods/log], verbs: [get, list, watch]}
- {apiGroups: [""], resources: [namespaces, pods, replicationcontrollers, services], verbs: [get, list, watch, patch]}
- {apiGroups: [""], resources: [pods/portforward], verbs: [create, post]}
- {apiGroups: [extensions, apps], resources: [daemonsets, deployments, replicasets, statefulsets], verbs: [get, list, watch, patch]}
- {apiGroups: [batch], resources: [cronjobs, jobs], verbs: [get, list, watch, patch]}
- {apiGroups: [networking.istio.io, security.istio.io, extensions.istio.io, telemetry.istio.io, gateway.networking.k8s.io, inference.networking.k8s.io], resources: ["*"], verbs: [get, list, watch, create, delete, patch]}
- {apiGroups: [authentication.k8s.io], resources: [tokenreviews], verbs: [create]}
- {apiGroups: [admissionregistration.k8s.io], resources: [mutatingwebhookconfigurations], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: kiali}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kiali}
subjects: [{kind: ServiceAccount, name: kiali-service-account, namespace: istio-system}]
`

// watched is a mesh on both clusters, with a stand-in for Kiali's API in a pod.
type watched struct {
	*repository
	kiali   *kialiAPI
	kubelet *rig.Kubelet
	config  string
	metrics bool // there is a store of them
}

const (
	kialiAddress = "10.246.0.20"
	multiCluster = "kiali-multi-cluster-secret"
)

func newWatched(t *testing.T) *watched {
	w := &watched{repository: newRepository(t, "single")}
	w.open = w.decrypt
	w.arrive(0)
	w.seal("--context", "west", "--kubeconfig", w.west.Kubeconfig, "--cert", w.certificate)
	w.render()
	w.applyEast()
	w.putLink(map[string]string{"cluster2": string(w.open())})
	t.Cleanup(func() { w.deleteSecret(multiCluster) })
	return w
}

// arrive brings the mesh without its link, and a Kiali, to both clusters. If the number is
// not 0, it leaves out the object of around with this number.
func (w *watched) arrive(without int) {
	t := w.t
	require.NoError(t, os.WriteFile(w.topology, []byte(statusTopology), 0o644))
	for name, c := range map[string]*rig.Cluster{"cluster1": w.east, "cluster2": w.west} {
		c.Define(t, "monitoring.coreos.com_prometheuses.yaml")
		c.Namespaces(t, "kiali-operator", "monitoring")
		c.StartOperator(t)
		objects := rig.Objects(t, []byte(strings.ReplaceAll(around, "NAME", name)))
		if without > 0 {
			objects = slices.Delete(objects, without, without+1)
		}
		t.Cleanup(func() { c.Delete(t, objects...) })
		c.Apply(t, objects...)
	}
	w.labelNetwork("net-west")
	w.render()
	w.applyWest()
	for _, phase := range []string{"kiali", "monitoring"} {
		objects := applyManifests(t, w.out, "cluster1", phase, w.east)
		t.Cleanup(func() { w.east.Delete(t, objects...) })
		settle(t, w.east, objects)
	}
	w.kubelet = w.east.StartKubelet(t, "status-node")
	w.pod(true, time.Now().Add(time.Hour))
	service := rig.Objects(t, []byte("apiVersion: v1\nkind: Service\nmetadata: {name: kiali, namespace: istio-system}\nspec: {selector: "+
		"{app.kubernetes.io/name: kiali}, ports: [{name: http, port: 20001}]}\n"))
	t.Cleanup(func() { w.east.Delete(t, service...) })
	w.east.Apply(t, service...)
	w.kiali = startKiali(t, kialiAddress+":20001", "v2.27")
	w.truth()
	w.config = kubeconfig(t, w.east, w.west)
}

// truth makes Kiali report the real state.
func (w *watched) truth() {
	w.kiali.Change(func() {
		w.kiali.Hang, w.kiali.Tracing = false, "Healthy"
		w.kiali.Answering = []string{"cluster1", "cluster2"}
		w.kiali.Namespaces = map[string][]string{"cluster1": {"istio-system", "sample"}, "cluster2": {"istio-system", "sample"}}
		w.kiali.Planes = map[string]string{"cluster1": "cluster1", "cluster2": "cluster2"}
	})
}

// role changes the rights of Kiali's account to jobs on west.
func (w *watched) role(verbs string) {
	w.t.Helper()
	_, err := w.west.Client.RbacV1().ClusterRoles().Patch(w.t.Context(), "kiali", types.JSONPatchType,
		fmt.Appendf(nil, `[{"op": "replace", "path": "/rules/4/verbs", "value": %s}]`, verbs), metav1.PatchOptions{})
	require.NoError(w.t, err)
}

// bindIn gives Kiali's account its rights in only one namespace of west. bindEverywhere
// undoes this.
func (w *watched) bindIn(namespace string) {
	w.t.Helper()
	rbac, ctx := w.west.Client.RbacV1(), w.t.Context()
	binding, err := rbac.ClusterRoleBindings().Get(ctx, "kiali", metav1.GetOptions{})
	require.NoError(w.t, err)
	_, err = rbac.RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "kiali"},
		RoleRef: binding.RoleRef, Subjects: binding.Subjects}, metav1.CreateOptions{})
	require.NoError(w.t, err)
	require.NoError(w.t, rbac.ClusterRoleBindings().Delete(ctx, "kiali", metav1.DeleteOptions{}))
}

func (w *watched) bindEverywhere(namespace string) {
	w.t.Helper()
	require.NoError(w.t, w.west.Client.RbacV1().RoleBindings(namespace).Delete(w.t.Context(), "kiali", metav1.DeleteOptions{}))
	w.west.Apply(w.t, rig.Objects(w.t, []byte(around))[5])
}

func (w *watched) labelNetwork(name string) {
	_, err := w.west.Client.CoreV1().Namespaces().Patch(w.t.Context(), "istio-system", types.MergePatchType,
		fmt.Appendf(nil, `{"metadata":{"labels":{"topology.istio.io/network":%q}}}`, name), metav1.PatchOptions{})
	require.NoError(w.t, err)
}

// putLink does the work of the controller of sealed-secrets on the hub.
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

// pod creates the pod of Kiali again, ready or in a crash loop.
func (w *watched) pod(ready bool, started time.Time) {
	w.t.Helper()
	ctx := context.WithoutCancel(w.t.Context())
	pods, now := w.east.Client.CoreV1().Pods("istio-system"), int64(0)
	_ = pods.Delete(ctx, "kiali-1", metav1.DeleteOptions{GracePeriodSeconds: &now})
	pod, err := pods.Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "kiali-1", Labels: map[string]string{"app.kubernetes.io/name": "kiali",
			"app.kubernetes.io/instance": "kiali"}},
		Spec: corev1.PodSpec{NodeName: "status-node", Containers: []corev1.Container{{Name: "kiali", Image: "example.com/kiali:1"}}},
	}, metav1.CreateOptions{})
	require.NoError(w.t, err)
	container := corev1.ContainerStatus{Name: "kiali", Ready: ready,
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(started)}}}
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

// status runs sightline status. It returns the results that are not good, such as "ST03
// cluster2 bad", and all findings.
func (w *watched) status(args ...string) (code int, not []string, found string) {
	w.t.Helper()
	all := []string{"status", w.topology, "--kubeconfig", w.config, "--hub-context", "east", "--context", "cluster2=west", "--output", "json"}
	if !w.metrics {
		for _, group := range []string{"reach", "names", "objects", "kiali", "links", "monitoring", "view", "tracing"} {
			all = append(all, "--only", group)
		}
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

// byHand merges fields into an object, like somebody who edits it by hand.
func byHand(t *testing.T, on *rig.Cluster, kind, namespace, name, text string, subresources ...string) {
	t.Helper()
	object := &unstructured.Unstructured{}
	object.SetNamespace(namespace)
	object.SetName(name)
	object.SetAPIVersion(map[string]string{"Deployment": "apps/v1", "ConfigMap": "v1", "PodMonitor": "monitoring.coreos.com/v1",
		"Prometheus": "monitoring.coreos.com/v1", "Kiali": "kiali.io/v1alpha1"}[kind])
	object.SetKind(kind)
	resource, err := on.Resource(object)
	require.NoError(t, err)
	_, err = resource.Patch(t.Context(), name, types.MergePatchType, []byte(text), metav1.PatchOptions{FieldManager: "somebody"},
		subresources...)
	require.NoError(t, err)
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

// forceWest applies the remote, and takes over fields of other managers.
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
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "discovery", Image: "example.com/pilot:1",
				Env: []corev1.EnvVar{{Name: "CLUSTER_ID", Value: "cluster2"}}}}},
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

// asReader makes later calls as a user with only the rights that --rights prints.
func (w *watched) asReader() {
	t := w.t
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
	w.config = filepath.Join(t.TempDir(), "reader.kubeconfig")
	reader := strings.ReplaceAll(string(text), "    client-certificate-data:",
		"    as: a-reader\n    as-groups: [sightline-status, \"system:authenticated\"]\n    client-certificate-data:")
	require.NotEqual(t, string(text), reader)
	require.NoError(t, os.WriteFile(w.config, []byte(reader), 0o600))
}
