package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
)

// Manager is the field manager of the suite.
const Manager = "sightline"

// Objects returns the objects of a stream of YAML documents, without empty ones.
func Objects(t testing.TB, stream []byte) []*unstructured.Unstructured {
	t.Helper()
	objects, err := objects(stream)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func objects(stream []byte) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(stream), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		if len(object.Object) > 0 {
			all = append(all, object)
		}
	}
}

// Apply applies the objects in order, with server-side apply and strict
// validation. If an object is refused, it fails the test. A field with another
// manager is a refusal. It returns the objects of the cluster.
func (c *Cluster) Apply(t testing.TB, objects ...*unstructured.Unstructured) []*unstructured.Unstructured {
	t.Helper()
	var applied []*unstructured.Unstructured
	for _, object := range objects {
		got, err := c.TryApply(t.Context(), object)
		if err != nil {
			t.Fatalf("%s refuses %s: %v", c.Name, Title(object), err)
		}
		applied = append(applied, got)
	}
	return applied
}

// TryApply is Apply for one object. It returns a refusal as an error.
func (c *Cluster) TryApply(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	resource, err := c.Resource(object)
	if err != nil {
		return nil, err
	}
	data, err := object.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return resource.Patch(ctx, object.GetName(), types.ApplyPatchType, data,
		metav1.PatchOptions{FieldManager: Manager, FieldValidation: metav1.FieldValidationStrict})
}

// Live returns the object of the cluster.
func (c *Cluster) Live(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	resource, err := c.Resource(object)
	if err != nil {
		return nil, err
	}
	return resource.Get(ctx, object.GetName(), metav1.GetOptions{})
}

// LetGo removes the finalizers of the objects, because their controllers do not
// run.
func (c *Cluster) LetGo(t testing.TB, objects ...*unstructured.Unstructured) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // cleanups use it
	for _, object := range objects {
		if len(object.GetFinalizers()) == 0 {
			continue
		}
		resource, err := c.Resource(object)
		if err == nil {
			_, err = resource.Patch(ctx, object.GetName(), types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
		}
		if err != nil && !apierrors.IsNotFound(err) {
			t.Errorf("finalizers of %s on %s: %v", Title(object), c.Name, err)
		}
	}
}

// Delete deletes the objects, the last one first, and waits until they are gone.
func (c *Cluster) Delete(t testing.TB, objects ...*unstructured.Unstructured) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // cleanups use it
	for i := len(objects) - 1; i >= 0; i-- {
		resource, err := c.Resource(objects[i])
		if err == nil && objects[i].GetKind() == "ServiceAccount" {
			err = c.deleteAccount(ctx, objects[i].GetNamespace(), objects[i].GetName())
		} else if err == nil {
			err = resource.Delete(ctx, objects[i].GetName(), metav1.DeleteOptions{})
		}
		if err != nil && !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
			t.Errorf("deletion of %s from %s: %v", Title(objects[i]), c.Name, err)
		}
	}
	for _, object := range objects {
		Wait(t, 20*time.Second, "the end of "+Title(object)+" on "+c.Name, func() error {
			if _, err := c.Live(ctx, object); err == nil {
				return errors.New("it is still there")
			} else if !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
				return err
			}
			return nil
		}, c.APIServer, c.Manager)
	}
}

// deleteAccount deletes a service account, and waits until the controller manager
// has seen this. Until then, the manager also deletes token Secrets of a new
// account with the same name, because they do not say yet to which account they
// belong. A separate Secret shows when it is over.
func (c *Cluster) deleteAccount(ctx context.Context, namespace, name string) error {
	account, err := c.Client.CoreV1().ServiceAccounts(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return err
	}
	secrets := c.Client.CoreV1().Secrets(namespace)
	note := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name + "-" + string(account.UID), Annotations: map[string]string{corev1.ServiceAccountNameKey: name}},
		Type:       corev1.SecretTypeServiceAccountToken,
	}
	if _, err := secrets.Create(ctx, note, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	err = wait(20*time.Second, "the token of an account that is to go", func() error {
		filled, err := secrets.Get(ctx, note.Name, metav1.GetOptions{})
		if err == nil && len(filled.Data[corev1.ServiceAccountTokenKey]) == 0 {
			err = errors.New("it has none yet")
		}
		return err
	}, c.APIServer, c.Manager)
	if err != nil {
		return err
	}
	if err := c.Client.CoreV1().ServiceAccounts(namespace).Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(
		err) {
		return err
	}
	return wait(20*time.Second, "the controller manager to take note of the end of an account", func() error {
		_, err := secrets.Get(ctx, note.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(errors.New("its token is still there"), err)
	}, c.APIServer, c.Manager)
}

// Resource returns the client for the object's kind, in its namespace.
func (c *Cluster) Resource(object *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := object.GroupVersionKind()
	mapping, err := c.Mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, err
	}
	resource := c.Dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return resource, nil
	}
	return resource.Namespace(object.GetNamespace()), nil
}

// BuiltIn tells whether the object's kind needs no definition. The groups of
// Kubernetes itself have no dot, or end in k8s.io.
func BuiltIn(object *unstructured.Unstructured) bool {
	group := object.GroupVersionKind().Group
	return !strings.Contains(group, ".") || strings.HasSuffix(group, ".k8s.io")
}

// Title names an object in messages.
func Title(object *unstructured.Unstructured) string {
	if object.GetNamespace() == "" {
		return object.GetKind() + " " + object.GetName()
	}
	return object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
}

// coreDefinitions has the definitions of the kinds that a render without delivery
// can have, and of the alternatives for the hub's link.
var coreDefinitions = []string{
	"bitnami.com_sealedsecrets.yaml",
	"kiali.io_kialis.yaml",
	"monitoring.coreos.com_podmonitors.yaml",
	"monitoring.coreos.com_prometheusrules.yaml",
	"monitoring.coreos.com_servicemonitors.yaml",
	"operators.coreos.com_operatorgroups.yaml",
	"operators.coreos.com_subscriptions.yaml",
	"telemetry.istio.io_telemetries.yaml",
}

// moreDefinitions has the definitions of ACM, the External Secrets Operator,
// OpenTelemetry's operator and OpenShift.
var moreDefinitions = []string{
	"authentication.open-cluster-management.io_managedserviceaccounts.yaml",
	"cluster.open-cluster-management.io_managedclustersetbindings.yaml",
	"cluster.open-cluster-management.io_placements.yaml",
	"external-secrets.io_externalsecrets.yaml",
	"external-secrets.io_pushsecrets.yaml",
	"monitoring.rhobs_scrapeconfigs.yaml",
	"oauth.openshift.io_oauthclients.standin.yaml",
	"opentelemetry.io_opentelemetrycollectors.yaml",
	"policy.open-cluster-management.io_placementbindings.yaml",
	"policy.open-cluster-management.io_policies.yaml",
	"rbac.open-cluster-management.io_clusterpermissions.yaml",
	"route.openshift.io_routes.yaml",
}

const envDefinitions = "SIGHTLINE_CRDS"

// Definitions returns the directory of the definitions of custom resources, and
// whether it exists: SIGHTLINE_CRDS, or shared/crds beside the repository.
func Definitions() (dir string, ok bool) {
	dir = os.Getenv(envDefinitions)
	if dir == "" {
		dir = filepath.FromSlash("../../../shared/crds") // tests run in e2e/suite
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return dir, false
	}
	_, err = os.Stat(dir)
	return dir, err == nil
}

// NeedDefinitions skips the test if the definitions are not there. The parameter
// completes the message "not shown: …".
func NeedDefinitions(t testing.TB, what string) {
	t.Helper()
	if dir, ok := Definitions(); !ok {
		t.Skipf("there are no definitions of custom resources in %s (or %s), so it is not shown: %s", dir, envDefinitions, what)
	}
}

// Define creates definitions of custom resources on the cluster, by the names of
// their files, and waits until the cluster serves them.
func (c *Cluster) Define(t testing.TB, files ...string) {
	t.Helper()
	dir, ok := Definitions()
	if !ok {
		t.Fatalf("%s is not there", dir)
	}
	if err := c.define(t.Context(), dir, files...); err != nil {
		t.Fatal(err)
	}
}

// DefineMore creates the definitions of kinds that only some topologies have, until
// the test ends. Other tests look at the kinds of the cluster, so they must not
// stay. The definitions of cert-manager come from its release. The one of Tempo
// is a stand-in.
func (c *Cluster) DefineMore(t testing.TB) {
	t.Helper()
	shared, _ := Definitions()
	certManager := filepath.Join(moduleDir(t, "../definitions", "github.com/cert-manager/cert-manager"), "deploy", "crds")
	c.defineFor(t, map[string][]string{
		shared:                 moreDefinitions,
		certManager:            {"cert-manager.io_certificates.yaml"},
		"testdata/definitions": {"tempo.grafana.com_tempostacks.yaml"},
	})
}

// DefineACM creates ACM's own definitions on the cluster, until the test ends.
func (c *Cluster) DefineACM(t testing.TB) {
	t.Helper()
	shared, _ := Definitions()
	api := moduleDir(t, "../definitions", "open-cluster-management.io/api")
	c.defineFor(t, map[string][]string{
		shared:                                  {"observability.open-cluster-management.io_multiclusterobservabilities.yaml"},
		filepath.Join(api, "addon", "v1alpha1"): {"0000_01_addon.open-cluster-management.io_managedclusteraddons.crd.yaml"},
		filepath.Join(api, "cluster", "v1"):     {"0000_00_clusters.open-cluster-management.io_managedclusters.crd.yaml"},
	})
}

// defineFor creates the definitions in directories, until the test ends.
func (c *Cluster) defineFor(t testing.TB, all map[string][]string) {
	t.Helper()
	for dir, files := range all {
		for _, file := range files {
			data, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				t.Fatal(err)
			}
			defined := Objects(t, data)
			t.Cleanup(func() { c.Delete(t, defined...) })
		}
		if err := c.define(t.Context(), dir, files...); err != nil {
			t.Fatal(err)
		}
	}
}

// moduleDir returns the directory of a module in Go's cache, in the version of a
// go.mod. Never run go mod tidy on this go.mod.
func moduleDir(t testing.TB, dir, module string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-C", filepath.FromSlash(dir), "-mod=readonly", "-m", "-f", "{{.Dir}}", module).Output()
	if found := strings.TrimSpace(string(out)); err == nil && found != "" {
		return found
	}
	t.Fatalf("the sources of %s are not in Go's cache: go mod download -C e2e/definitions (%v)", module, err)
	return ""
}

func (c *Cluster) define(ctx context.Context, dir string, files ...string) error {
	var defined []*unstructured.Unstructured
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return err
		}
		parsed, err := objects(data)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, definition := range parsed {
			if _, err := c.TryApply(ctx, definition); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
		defined = append(defined, parsed...)
	}
	for _, definition := range defined {
		if err := wait(30*time.Second, definition.GetName()+" to be established on "+c.Name, func() error {
			live, err := c.Live(ctx, definition)
			if err != nil {
				return err
			}
			conditions, _, err := unstructured.NestedSlice(live.Object, "status", "conditions")
			for _, condition := range conditions {
				if m, ok := condition.(map[string]any); ok && m["type"] == "Established" && m["status"] == "True" {
					return nil
				}
			}
			return errors.Join(errors.New("it has no such condition"), err)
		}, c.APIServer); err != nil {
			return err
		}
	}
	// Established comes before the discovery of all versions.
	for _, definition := range defined {
		group, _, _ := unstructured.NestedString(definition.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(definition.Object, "spec", "names", "kind")
		versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
		for _, version := range versions {
			name, _, _ := unstructured.NestedString(version.(map[string]any), "name")
			if served, _, _ := unstructured.NestedBool(version.(map[string]any), "served"); !served {
				continue
			}
			if err := wait(30*time.Second, kind+" "+name+" to be served on "+c.Name, func() error {
				_, err := c.Mapper.RESTMapping(schema.GroupKind{Group: group, Kind: kind}, name)
				if err != nil {
					c.Mapper.Reset() // it keeps the first answer of the server
				}
				return err
			}, c.APIServer); err != nil {
				return err
			}
		}
	}
	return nil
}
