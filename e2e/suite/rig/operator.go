package rig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// OperatorDelay is the time that the stand-in for Kiali's operator takes for a Kiali
// resource. It is longer than an apply, so a step that does not wait for the
// operator fails.
const OperatorDelay = 500 * time.Millisecond

// kialis is the resource that the operator watches.
var kialis = schema.GroupVersionResource{Group: "kiali.io", Version: "v1alpha1", Resource: "kialis"}

// StartOperator runs a stand-in for Kiali's operator on the cluster, until the test
// ends. It does the part of the operator's work that the order depends on. It reports
// Running, makes the service account after OperatorDelay, and reports Successful. If
// the resource is deleted, it deletes the account. It makes no Deployment, no role and
// no finalizer.
func (c *Cluster) StartOperator(t testing.TB) {
	t.Helper()
	done := map[types.UID]*unstructured.Unstructured{}
	again(t, func(ctx context.Context) error { return c.operate(ctx, done) })
}

// operate looks at all Kiali resources once. done has the resources with an account,
// in the state in which it was made.
func (c *Cluster) operate(ctx context.Context, done map[types.UID]*unstructured.Unstructured) error {
	list, err := c.Dynamic.Resource(kialis).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	var errs error
	present := map[types.UID]bool{}
	for _, kiali := range list.Items {
		present[kiali.GetUID()] = true
	}
	// This comes first, because a resource that was created again needs a new account.
	for uid, kiali := range done {
		if present[uid] {
			continue
		}
		namespace, name := account(kiali)
		if err := c.deleteAccount(ctx, namespace, name); err != nil {
			return err
		}
		delete(done, uid)
	}
	for i := range list.Items {
		kiali := &list.Items[i]
		if before := done[kiali.GetUID()]; before != nil && before.GetGeneration() == kiali.GetGeneration() {
			continue
		}
		if err := c.reconcile(ctx, kiali); err != nil {
			errs = errors.Join(errs, err)
			continue
		}
		done[kiali.GetUID()] = kiali
	}
	return errs
}

func (c *Cluster) reconcile(ctx context.Context, kiali *unstructured.Unstructured) error {
	if err := c.report(ctx, kiali, map[string]string{"type": "Running", "status": "True", "reason": "Running"}); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(OperatorDelay):
	}
	namespace, name := account(kiali)
	wanted := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}}
	if _, err := c.Client.CoreV1().ServiceAccounts(namespace).Create(ctx, wanted, metav1.CreateOptions{}); err != nil &&
		!apierrors.IsAlreadyExists(err) {
		return err
	}
	return c.report(ctx, kiali,
		map[string]string{"type": "Running", "status": "True", "reason": "Successful"},
		map[string]string{"type": "Successful", "status": "True", "reason": "Successful"})
}

// report writes all conditions at once, like the operator.
func (c *Cluster) report(ctx context.Context, kiali *unstructured.Unstructured, conditions ...map[string]string) error {
	for _, condition := range conditions {
		condition["lastTransitionTime"] = time.Now().UTC().Format(time.RFC3339)
	}
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"conditions": conditions}})
	if err != nil {
		return err
	}
	_, err = c.Dynamic.Resource(kialis).Namespace(kiali.GetNamespace()).
		Patch(ctx, kiali.GetName(), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "kiali-operator"}, "status")
	return err
}

// Operated waits until the operator has removed the objects of deleted Kiali
// resources. The real operator has a finalizer for this.
func (c *Cluster) Operated(t testing.TB, objects ...*unstructured.Unstructured) {
	t.Helper()
	for _, object := range objects {
		if object.GetKind() != "Kiali" {
			continue
		}
		namespace, name := account(object)
		Wait(t, 20*time.Second, "the end of the account of "+Title(object)+" on "+c.Name, func() error {
			_, err := c.Client.CoreV1().ServiceAccounts(namespace).Get(context.WithoutCancel(t.Context()), name, metav1.GetOptions{})
			if err == nil {
				return errors.New("it is still there")
			} else if apierrors.IsNotFound(err) {
				return nil
			}
			return err
		}, c.APIServer)
	}
}

// account returns the service account that the operator makes for the resource.
func account(kiali *unstructured.Unstructured) (namespace, name string) {
	namespace, _, _ = unstructured.NestedString(kiali.Object, "spec", "deployment", "namespace")
	if namespace == "" {
		namespace = kiali.GetNamespace()
	}
	instance, _, _ := unstructured.NestedString(kiali.Object, "spec", "deployment", "instance_name")
	if instance == "" {
		instance = "kiali"
	}
	return namespace, instance + "-service-account"
}

// Successful returns nil if the operator reports Successful for the Kiali resource
// with this name and namespace.
func (c *Cluster) Successful(ctx context.Context, namespace, name string) error {
	kiali, err := c.Dynamic.Resource(kialis).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	conditions, _, err := unstructured.NestedSlice(kiali.Object, "status", "conditions")
	for _, condition := range conditions {
		if m, ok := condition.(map[string]any); ok && m["type"] == "Successful" && m["status"] == "True" {
			return nil
		}
	}
	return errors.Join(fmt.Errorf("its conditions are %v", conditions), err)
}
