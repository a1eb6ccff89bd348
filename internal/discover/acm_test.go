package discover_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sightline-mesh/sightline/internal/discover"
)

// acmOutside is a mesh whose rendered Kiali reads ACM's store. ACM runs on a cluster
// without any part of the mesh.
func acmOutside(t *testing.T) world {
	w := guide()
	w.change(t, "east", "metadata: {name: kiali, namespace: istio-system}", "metadata: {name: kiali, namespace: istio-system, labels: "+
		"{app.kubernetes.io/managed-by: sightline, app.kubernetes.io/part-of: m}, annotations: {argocd.argoproj.io/sync-wave: '1'}}")
	w.change(t, "east", "https://thanos-querier.openshift-monitoring.svc.cluster.local:9091",
		"https://observatorium-api-open-cluster-management-observability.apps.acm.example.com/api/metrics/v1/default")
	w["north"] = `apiVersion: operator.open-cluster-management.io/v1
kind: MultiClusterHub
metadata: {name: hub, namespace: ocm}
status: {currentVersion: 2.16.3}
---
{apiVersion: cluster.open-cluster-management.io/v1, kind: ManagedCluster, metadata: {name: prod-west}, spec: {managedClusterClientConfigs: [{url: "https://api.west.example.com:6443"}]}}
---
{apiVersion: monitoring.rhobs/v1alpha1, kind: ScrapeConfig, metadata: {name: sightline-m-federation, namespace: open-cluster-management-observability, labels: {app.kubernetes.io/managed-by: sightline, app.kubernetes.io/name: mesh-observability}}}
`
	return w
}

// TestACMOutside shows that a cluster with ACM and without the mesh is left out, but
// that its facts about ACM are read.
func TestACMOutside(t *testing.T) {
	t.Parallel()
	o := acmOutside(t).discovered(t, discover.Options{}, live)
	assert.Equal(t, []string{"cluster1", "cluster2"}, o.draft.Clusters())
	assert.Equal(t, "north", o.draft.ACMContext())
	text := unbroken(o.text)
	for _, part := range []string{
		"# NOTE: ACM runs on the cluster of the context north, and nothing of the mesh, so it is no cluster of the topology.",
		"store: acm\n", "release: \"2.16\" # MultiClusterHub ocm/hub, status.currentVersion", "domain: apps.acm.example.com",
		"aggregate: false", "managedCluster: prod-west # ManagedCluster prod-west of north has its URL",
	} {
		assert.Contains(t, text, part)
	}

	// Without the collecting objects, a topology with the store acm would add them.
	w := acmOutside(t)
	w.change(t, "north", "app.kubernetes.io/managed-by: sightline, ", "")
	o = w.discovered(t, discover.Options{}, live)
	assert.NotContains(t, o.text, "store: acm")
	assert.Empty(t, o.draft.ACMContext())

	// Without ACM's cluster, the release of ACM is unknown.
	w = acmOutside(t)
	w["north"] = ""
	w.add("east", `{apiVersion: v1, kind: ConfigMap, metadata: {name: kiali-cabundle, namespace: istio-system, labels: `+
		`{app.kubernetes.io/managed-by: sightline, app.kubernetes.io/part-of: m}}, data: {additional-ca-bundle.pem: x}}`)
	o = w.discovered(t, discover.Options{})
	assert.Contains(t, unbroken(o.text), "# QUESTION: which release does ACM have?")
	assert.Contains(t, o.all(), "error: AD13: no cluster has the release of ACM")
}
