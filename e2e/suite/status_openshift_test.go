package suite

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

const openShiftTopology = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  namespaces: [sample]
  kiali: {hub: cluster1, version: v2.27, operator: {install: none}}
  metrics: {userWorkloadMonitoring: {manage: true, config: {enableUserWorkload: true}}}
  clusters:
    - {name: cluster1, domain: apps.east.example.com}
    - {name: cluster2, server: "https://api.west.example.com:6443"}
`

// clusterVersion makes a cluster an OpenShift.
const clusterVersion = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: clusterversions.config.openshift.io}
spec:
  group: config.openshift.io
  scope: Cluster
  names: {kind: ClusterVersion, plural: clusterversions, singular: clusterversion, listKind: ClusterVersionList}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`

// TestStatusUserWorkload breaks the user workload monitoring of OpenShift, as far as an API
// server has it: its ConfigMap, the pods of its Prometheus, and labels of namespaces.
func TestStatusUserWorkload(t *testing.T) {
	rig.NeedDefinitions(t, "that status finds what is wrong with user workload monitoring")
	clusters := rig.Up(t)
	dir := t.TempDir()
	topology, out := filepath.Join(dir, "mesh.yaml"), tree{dir: filepath.Join(dir, "rendered"), hub: "cluster1"}
	require.NoError(t, os.WriteFile(topology, []byte(openShiftTopology), 0o644))
	rig.Run(t, rig.Sightline(), "render", topology, "-o", out.dir, "--format", "manifests")
	const monitoring = "openshift-user-workload-monitoring"
	pod := rig.Pod{Namespace: monitoring, Name: "prometheus-user-workload-0", Container: "prometheus",
		Labels: map[string]string{"app.kubernetes.io/name": "prometheus"}}
	west := clusters.West
	version := rig.Objects(t, []byte(clusterVersion))
	for name, c := range map[string]*rig.Cluster{"cluster1": clusters.East, "cluster2": west} {
		t.Cleanup(func() { c.Delete(t, version...) })
		c.Apply(t, version...)
		objects := applyManifests(t, out, name, "monitoring", c)
		t.Cleanup(func() { c.Delete(t, objects...) })
		pod.IP = map[string]string{"cluster1": "10.244.8.1", "cluster2": "10.245.8.1"}[name]
		c.RunPods(t, pod)
	}
	ready := func(is corev1.ConditionStatus) {
		pods := west.Client.CoreV1().Pods(monitoring)
		live, err := pods.Get(t.Context(), pod.Name, metav1.GetOptions{})
		require.NoError(t, err)
		live.Status.Conditions[0].Status = is
		_, err = pods.UpdateStatus(t.Context(), live, metav1.UpdateOptions{})
		require.NoError(t, err)
	}
	config := func(text string) {
		byHand(t, west, "ConfigMap", "openshift-monitoring", "cluster-monitoring-config", fmt.Sprintf(`{"data":{"config.yaml":%q}}`, text))
	}
	label := func(value string) {
		_, err := west.Client.CoreV1().Namespaces().Patch(t.Context(), "sample", types.MergePatchType,
			fmt.Appendf(nil, `{"metadata":{"labels":{"openshift.io/user-monitoring":%s}}}`, value), metav1.PatchOptions{})
		require.NoError(t, err)
	}
	good := func() { config("enableUserWorkload: true\n"); ready(corev1.ConditionTrue) }
	contexts := kubeconfig(t, clusters.East, west)
	for _, fault := range []struct {
		name         string
		break_, mend func()
		want         []string
	}{
		{"nothing is wrong", func() {}, func() {}, []string{}},
		{"user workload monitoring is off", func() { config("enableUserWorkload: false\n"); ready(corev1.ConditionFalse) }, good,
			[]string{"ST19 cluster2 bad: user workload monitoring is off, so nothing reads the monitors"}},
		{"its Prometheus is not ready", func() { ready(corev1.ConditionFalse) }, good,
			[]string{"ST19 cluster2 bad: user workload monitoring is on, but no pod of its Prometheus is ready"}},
		{"a label keeps a namespace out", func() { label(`"false"`) }, func() { label("null") },
			[]string{"ST20 cluster2 bad: a label of the namespace keeps user workload monitoring from PodMonitor sample/istio-proxies-monitor"}},
		{"another platform", func() { west.Delete(t, version...) }, func() { west.Apply(t, version...) },
			[]string{"ST02 cluster2 bad: the cluster is kubernetes, the topology says openshift"}},
	} {
		t.Run(fault.name, func(t *testing.T) {
			fault.break_()
			defer fault.mend()
			rig.Wait(t, 20*time.Second, "the fault to show", func() error {
				return wrongIs(t, fault.want, topology, "--kubeconfig", contexts, "--hub-context", "east", "--context", "cluster2=west",
					"--only", "reach", "--only", "monitoring")
			})
		})
	}
}

// wrongIs is nil where status finds wrong what it should, such as "ST03 cluster2 bad:
// …" with the beginning of what it says, and something good.
func wrongIs(t *testing.T, want []string, topology string, args ...string) error {
	t.Helper()
	result := rig.Try(t, rig.Sightline(), append([]string{"status", topology, "--output", "json"}, args...)...)
	var report struct {
		Good    int
		Results []struct{ Check, Cluster, Mark, Found string }
	}
	if err := json.Unmarshal([]byte(result.Stdout), &report); err != nil {
		return fmt.Errorf("%w: %s", err, result.Stderr)
	}
	found := []string{}
	for _, r := range report.Results {
		if r.Mark != "good" {
			found = append(found, r.Check+" "+r.Cluster+" "+r.Mark+": "+r.Found)
		}
	}
	if report.Good == 0 || !slices.EqualFunc(found, want, strings.HasPrefix) {
		return fmt.Errorf("%d good, and found %q, should be %q", report.Good, found, want)
	}
	return nil
}

func configMap(namespace, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion("v1")
	o.SetKind("ConfigMap")
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}
