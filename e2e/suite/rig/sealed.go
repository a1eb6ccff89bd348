package rig

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const sealedSecretsNamespace = "kube-system"

// sealedSecretsObjects has the objects of upstream's controller.yaml that the
// controller needs without a kubelet.
const sealedSecretsObjects = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: sealed-secrets-controller, namespace: kube-system}
---
apiVersion: v1
kind: Secret
metadata:
  name: sealed-secrets-controller-token
  namespace: kube-system
  annotations: {kubernetes.io/service-account.name: sealed-secrets-controller}
type: kubernetes.io/service-account-token
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: secrets-unsealer}
rules:
- {apiGroups: [bitnami.com], resources: [sealedsecrets], verbs: [get, list, watch]}
- {apiGroups: [bitnami.com], resources: [sealedsecrets/status], verbs: [update]}
- {apiGroups: [""], resources: [secrets], verbs: [get, list, create, update, delete, watch]}
- {apiGroups: [""], resources: [events], verbs: [create, patch]}
- {apiGroups: [""], resources: [namespaces], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: sealed-secrets-controller}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: secrets-unsealer}
subjects: [{kind: ServiceAccount, name: sealed-secrets-controller, namespace: kube-system}]
---
apiVersion: v1
kind: Service
metadata: {name: sealed-secrets-controller, namespace: kube-system}
spec:
  selector: {name: sealed-secrets-controller}
  ports: [{name: http, port: 8080, targetPort: 8080}]
`

// accountFiles is the directory in which a program in a pod finds its account. It is
// below a directory on which the suite mounts its own.
const accountFiles = "/run/secrets/kubernetes.io/serviceaccount"

var privateRun = sync.OnceValue(func() error { return unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755") })

// StartSealedSecrets starts the real controller of sealed-secrets on the cluster, until
// the test ends. The cluster needs the definitions. The API server reaches the
// controller through its Service. Only one can run at a time.
func (c *Cluster) StartSealedSecrets(t testing.TB) {
	t.Helper()
	objects := Objects(t, []byte(sealedSecretsObjects))
	t.Cleanup(func() { c.Delete(t, objects...) })
	c.Apply(t, objects...)
	token := c.accountToken(t, sealedSecretsNamespace, "sealed-secrets-controller-token")

	// It looks for its account and its API server in the places of a kubelet.
	if err := privateRun(); err != nil {
		t.Fatalf("mount of /run: %v", err)
	}
	if err := os.MkdirAll(accountFiles, 0o755); err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(c.File("ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"token": token, "ca.crt": authority, "namespace": []byte(sealedSecretsNamespace)} {
		if err := os.WriteFile(filepath.Join(accountFiles, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const address = "10.246.0.1"
	c.RunPods(t, Pod{
		Namespace: sealedSecretsNamespace, Name: "sealed-secrets-controller", IP: address,
		Labels: map[string]string{"name": "sealed-secrets-controller"}, Container: "controller", Declares: map[string]int32{"api": 8080},
	})
	controller, err := Start(filepath.Join(c.Name, "sealed-secrets"), "controller",
		[]string{"KUBERNETES_SERVICE_HOST=" + c.Address, "KUBERNETES_SERVICE_PORT=" + port, "POD_NAMESPACE=" + sealedSecretsNamespace},
		"sealed-secrets-controller", "--listen-addr", address+":8080", "--listen-metrics-addr", address+":8081", "--update-status")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(controller.Stop)
	t.Cleanup(func() { // the keys belong to this controller
		if err := c.Client.CoreV1().Secrets(sealedSecretsNamespace).DeleteCollection(context.WithoutCancel(t.Context()), metav1.DeleteOptions{},
			metav1.ListOptions{LabelSelector: "sealedsecrets.bitnami.com/sealed-secrets-key"}); err != nil {
			t.Error(err)
		}
	})
	Wait(t, time.Minute, "the certificate of the controller of sealed-secrets, by its Service", func() error {
		certificate, err := c.Client.CoreV1().Services(sealedSecretsNamespace).
			ProxyGet("http", "sealed-secrets-controller", "http", "/v1/cert.pem", nil).DoRaw(t.Context())
		if err == nil && !strings.HasPrefix(string(certificate), "-----BEGIN CERTIFICATE-----") {
			err = fmt.Errorf("it is %q", certificate)
		}
		return err
	}, c.APIServer, c.Manager, controller)
}

// Unsealed waits until the controller has opened the present SealedSecret, and returns
// the Secret.
func (c *Cluster) Unsealed(t testing.TB, sealed *unstructured.Unstructured) *corev1.Secret {
	t.Helper()
	var secret *corev1.Secret
	Wait(t, 30*time.Second, "the controller to open "+Title(sealed), func() error {
		live, err := c.Live(t.Context(), sealed)
		if err != nil {
			return err
		}
		observed, _, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
		conditions, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
		if observed != live.GetGeneration() || len(conditions) != 1 || conditions[0].(map[string]any)["status"] != "True" {
			return fmt.Errorf("of generation %d it reports %v of generation %d", live.GetGeneration(), conditions, observed)
		}
		secret, err = c.Client.CoreV1().Secrets(sealed.GetNamespace()).Get(t.Context(), sealed.GetName(), metav1.GetOptions{})
		return err
	}, c.APIServer)
	return secret
}
