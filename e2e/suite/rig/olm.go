package rig

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// subscriptions is the resource that the Operator Lifecycle Manager watches.
var subscriptions = schema.GroupVersionResource{Group: "operators.coreos.com", Version: "v1alpha1", Resource: "subscriptions"}

// StartLifecycleManager runs a stand-in for the Operator Lifecycle Manager on the
// cluster, until the test ends. OperatorDelay after a Subscription is created, it
// reports that the operator is installed. It installs nothing: the operator is the
// one of [Cluster.StartOperator].
func (c *Cluster) StartLifecycleManager(t testing.TB) {
	t.Helper()
	again(t, c.install)
}

func (c *Cluster) install(ctx context.Context) error {
	list, err := c.Dynamic.Resource(subscriptions).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, s := range list.Items {
		if state, _, _ := unstructured.NestedString(s.Object, "status", "state"); state != "" || time.Since(
			s.GetCreationTimestamp().Time) < OperatorDelay {
			continue
		}
		now := time.Now().UTC().Format(time.RFC3339)
		patch, err := json.Marshal(map[string]any{"status": map[string]any{
			"state": "AtLatestKnown", "installedCSV": s.GetName() + ".v1.0.0", "currentCSV": s.GetName() + ".v1.0.0", "lastUpdated": now,
			"conditions": []any{map[string]any{"type": "CatalogSourcesUnhealthy", "status": "False", "reason": "AllCatalogSourcesHealthy",
				"lastTransitionTime": now}},
		}})
		if err != nil {
			return err
		}
		if _, err := c.Dynamic.Resource(subscriptions).Namespace(s.GetNamespace()).
			Patch(ctx, s.GetName(), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "olm"}, "status"); err != nil {
			return err
		}
	}
	return nil
}
