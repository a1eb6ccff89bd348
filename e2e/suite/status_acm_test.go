package suite

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// acmOwn has ACM's objects on its hub.
const acmOwn = `
apiVersion: observability.open-cluster-management.io/v1beta2
kind: MultiClusterObservability
metadata: {name: observability}
spec:
  observabilityAddonSpec: {}
  storageConfig: {metricObjectStorage: {name: thanos-object-storage, key: thanos.yaml}}
  capabilities: {platform: {metrics: {default: {enabled: true}}}, userWorkloads: {metrics: {default: {enabled: true}}}}
---
apiVersion: cluster.open-cluster-management.io/v1
kind: ManagedCluster
metadata: {name: east}
spec: {hubAcceptsClient: true}
---
apiVersion: cluster.open-cluster-management.io/v1
kind: ManagedCluster
metadata: {name: west}
spec: {hubAcceptsClient: true}
---
apiVersion: addon.open-cluster-management.io/v1alpha1
kind: ManagedClusterAddOn
metadata: {name: multicluster-observability-addon, namespace: east}
spec: {}
---
apiVersion: addon.open-cluster-management.io/v1alpha1
kind: ManagedClusterAddOn
metadata: {name: multicluster-observability-addon, namespace: west}
spec: {}
`

// copiedRule is a rule with the labels of our rules since ACM 5.0.
const copiedRule = `
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: sightline-freight-copied
  namespace: east
  labels: {app.kubernetes.io/managed-by: sightline, app.kubernetes.io/part-of: multicluster-observability-addon, sightline.dev/topology: freight}
spec: {groups: [{name: g, rules: [{record: a, expr: "1"}]}]}
`

// TestStatusACM makes the cluster east an ACM hub outside the topology, as in the example
// acm-apart, with the objects of its tree acm/ and their status. No ACM runs: the suite
// writes the status.
func TestStatusACM(t *testing.T) {
	rig.NeedDefinitions(t, "that status finds what is wrong on an ACM hub")
	hub := rig.Up(t).East
	topology := filepath.Join(topologyDir, "acm-apart.yaml")
	out := filepath.Join(t.TempDir(), "rendered")
	rig.Run(t, rig.Sightline(), "render", topology, "-o", out, "--format", "manifests")
	hub.DefineMore(t)
	hub.DefineACM(t)
	hub.Namespaces(t, "open-cluster-management-observability", "mesh-policies", "east", "west")
	own, ours := rig.Objects(t, []byte(acmOwn)), applyDir(t, hub, filepath.Join(out, "acm"))
	t.Cleanup(func() { hub.Delete(t, ours...); hub.Delete(t, own...) })
	hub.Apply(t, own...)
	condition := func(o *unstructured.Unstructured, kind, value, message string) {
		merge(t, hub, o, fmt.Sprintf(`{"status": {"conditions": [{"type": %q, "status": %q, "reason": "Test", "message": %q, "lastTransitionTime": "2026-11-27T10:00:00Z"}]}}`,
			kind, value, message), "status")
	}
	policy := ours[indexOf(t, ours, "Policy")]
	complies := func(state string) {
		merge(t, hub, policy, `{"status": {"status": [{"clustername": "east", "clusternamespace": "east", "compliant": "`+state+`"}]}}`, "status")
	}
	good := func() {
		for _, o := range own[1:3] {
			condition(o, "ManagedClusterConditionAvailable", "True", "")
		}
		for _, o := range own[3:] {
			condition(o, "Available", "True", "")
		}
		complies("Compliant")
	}
	good()
	config := ours[indexOf(t, ours, "ScrapeConfig")]
	text, err := os.ReadFile(kubeconfig(t, hub))
	require.NoError(t, err)
	contexts := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(contexts, []byte(strings.ReplaceAll(string(text), ": east\n", ": acm-hub\n")), 0o600))
	require.Contains(t, liveDiff(t, topology, contexts), "no change")
	hub.Delete(t, config)
	require.Contains(t, liveDiff(t, topology, contexts), "+ ScrapeConfig "+config.GetNamespace()+"/"+config.GetName()+" on acm")
	hub.Apply(t, config)
	// The add-on's copy on a cluster has our labels and an owner; a rule that was rendered before has none.
	owner, err := hub.Live(t.Context(), own[3])
	require.NoError(t, err)
	copied, stale := rig.Objects(t, []byte(copiedRule))[0], rig.Objects(t, []byte(copiedRule))[0]
	copied.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: owner.GetAPIVersion(), Kind: owner.GetKind(), Name: owner.GetName(), UID: owner.GetUID()}})
	stale.SetName("sightline-freight-aggregation-gone")
	t.Cleanup(func() { hub.Delete(t, copied, stale) })
	hub.Apply(t, copied)
	require.Contains(t, liveDiff(t, topology, contexts), "no change")
	hub.Apply(t, stale)
	said := liveDiff(t, topology, contexts)
	require.Contains(t, said, "- PrometheusRule east/sightline-freight-aggregation-gone on acm")
	require.NotContains(t, said, copied.GetName()+" on acm")
	asReader(t, hub, topology, contexts)
	// There is no context of the topology's clusters.
	unasked := []string{"ST01 east unchecked", "ST01 west unchecked"}
	for _, fault := range []struct {
		name         string
		break_, mend func()
		want         []string
	}{
		{"nothing is wrong", func() {}, func() {}, []string{}},
		{"an object is gone", func() { hub.Delete(t, config) }, func() { hub.Apply(t, config) },
			[]string{"ST07 acm bad: 1 of 11 objects are missing: ScrapeConfig open-cluster-management-observability/"}},
		{"no ManagedCluster", func() { hub.Delete(t, own[2]) }, func() { hub.Apply(t, own[2]); good() },
			[]string{"ST36 west bad: ACM has no ManagedCluster west"}},
		{"a cluster that is away", func() { condition(own[2], "ManagedClusterConditionAvailable", "Unknown", "Registration agent stopped") }, good,
			[]string{"ST36 west bad: the ManagedCluster west is not available to ACM: ManagedClusterConditionAvailable is Unknown: Registration"}},
		{"an add-on that is not there", func() { hub.Delete(t, own[4]) }, func() { hub.Apply(t, own[4]); good() },
			[]string{"ST36 west bad: the add-on multicluster-observability-addon on west: it is missing"}},
		{"an add-on that is not available", func() { condition(own[4], "Available", "False", "lease expired") }, good,
			[]string{"ST36 west bad: the add-on multicluster-observability-addon on west: Available is False: lease expired"}},
		{"a Policy that is not complied with", func() { complies("NonCompliant") }, good,
			[]string{"ST37 acm bad: the Policy freight-certificate is NonCompliant on east"}},
		{"the collector is off", func() {
			merge(t, hub, own[0], `{"spec": {"capabilities": null}}`)
		}, func() { hub.Delete(t, own[0]); hub.Apply(t, own[0]) },
			[]string{"ST38 acm bad: the MultiClusterObservability observability does not let the collector mcoa collect"}},
	} {
		t.Run(fault.name, func(t *testing.T) {
			fault.break_()
			defer fault.mend()
			rig.Wait(t, 20*time.Second, "the fault to show", func() error {
				return wrongIs(t, append(unasked, fault.want...), topology, "--kubeconfig", contexts, "--acm-context", "acm-hub", "--only", "ST07",
					"--only", "acm")
			})
		})
	}
}

// liveDiff returns what diff --live says of the ACM hub. There is no access to the topology's clusters.
func liveDiff(t *testing.T, topology, contexts string) string {
	t.Helper()
	return rig.Try(t, rig.Sightline(), "diff", topology, "--live", "--kubeconfig", contexts, "--acm-context", "acm-hub").Stdout
}

// asReader makes a kubeconfig for the ACM hub, for a user with only the rights that
// --rights prints for it.
func asReader(t *testing.T, hub *rig.Cluster, topology, kubeconfig string) {
	t.Helper()
	_, printed, ok := strings.Cut(rig.Run(t, rig.Sightline(), "status", topology, "--rights"), "# What sightline status may read on acm,")
	require.True(t, ok)
	_, printed, _ = strings.Cut(printed, "\n")
	roles := rig.Objects(t, []byte(printed))
	t.Cleanup(func() { hub.Delete(t, roles...) })
	hub.Apply(t, roles...)
	text, err := os.ReadFile(kubeconfig)
	require.NoError(t, err)
	reader := strings.Replace(string(text), "    client-certificate-data:",
		"    as: a-reader\n    as-groups: [sightline-status, \"system:authenticated\"]\n    client-certificate-data:", 1)
	require.NotEqual(t, string(text), reader)
	require.NoError(t, os.WriteFile(kubeconfig, []byte(reader), 0o600))
}

// applyDir applies the objects in the files of a folder.
func applyDir(t *testing.T, on *rig.Cluster, dir string) []*unstructured.Unstructured {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	require.NoError(t, err)
	var objects []*unstructured.Unstructured
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, o := range rig.Objects(t, data) {
			if !strings.HasPrefix(o.GetAPIVersion(), "kustomize.config.k8s.io/") {
				objects = append(objects, o)
			}
		}
	}
	// As kustomize has it.
	i := indexOf(t, objects, "Namespace")
	objects = slices.Insert(slices.Concat(objects[:i], objects[i+1:]), 0, objects[i])
	on.Apply(t, objects...)
	return objects
}

// merge changes an object, or its status.
func merge(t *testing.T, on *rig.Cluster, o *unstructured.Unstructured, patch string, subresources ...string) {
	t.Helper()
	resource, err := on.Resource(o)
	require.NoError(t, err)
	_, err = resource.Patch(t.Context(), o.GetName(), types.MergePatchType, []byte(patch), metav1.PatchOptions{}, subresources...)
	require.NoError(t, err)
}

func indexOf(t *testing.T, objects []*unstructured.Unstructured, kind string) int {
	t.Helper()
	for i, o := range objects {
		if o.GetKind() == kind {
			return i
		}
	}
	t.Fatalf("no %s is rendered", kind)
	return 0
}
