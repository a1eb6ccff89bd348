package rig

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
)

const externalSecrets = "github.com/external-secrets/external-secrets"

// StartExternalSecrets starts the real controllers of the External Secrets
// Operator on the cluster, with the definitions of its release. They run until the
// test ends or the process is stopped.
func (c *Cluster) StartExternalSecrets(t testing.TB) *Process {
	t.Helper()
	bases := filepath.Join(moduleDir(t, "../bin/eso", externalSecrets), "config", "crds", "bases")
	for _, name := range []string{"clusterexternalsecrets", "clustersecretstores", "externalsecrets", "pushsecrets", "secretstores"} {
		if err := c.define(t.Context(), bases, "external-secrets.io_"+name+".yaml"); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.define(t.Context(), bases, "generators.external-secrets.io_generatorstates.yaml"); err != nil {
		t.Fatal(err)
	}
	process, err := Start(filepath.Join(c.Name, "external-secrets"), "controller", []string{"KUBECONFIG=" + c.Kubeconfig}, "external-secrets",
		"--metrics-addr=0", "--enable-cluster-push-secret-reconciler=false", "--enable-cluster-external-secret-reconciler=false",
		"--store-requeue-interval=5s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Stop)
	return process
}

// Vault makes a namespace with Secrets on the cluster. Each of the clusters gets a
// ClusterSecretStore with this name that reads from the namespace. It stands for a
// vault, with the provider kubernetes.
func (c *Cluster) Vault(t testing.TB, store string, clusters ...*Cluster) (namespace string) {
	t.Helper()
	namespace = "vault"
	c.Namespaces(t, namespace)
	account := Objects(t, []byte(`
apiVersion: v1
kind: ServiceAccount
metadata: {name: vault, namespace: vault}
---
apiVersion: v1
kind: Secret
metadata: {name: vault-token, namespace: vault, annotations: {kubernetes.io/service-account.name: vault}}
type: kubernetes.io/service-account-token
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: vault, namespace: vault}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [get, list, watch, create, update, patch, delete]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: vault, namespace: vault}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: vault}
subjects: [{kind: ServiceAccount, name: vault, namespace: vault}]
`))
	c.Apply(t, account...)
	t.Cleanup(func() { c.Delete(t, account...) })
	token := c.accountToken(t, namespace, "vault-token")
	authority, err := os.ReadFile(c.File("ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.StdEncoding.EncodeToString
	for _, other := range clusters {
		other.Namespaces(t, "external-secrets")
		objects := Objects(t, []byte(`
apiVersion: v1
kind: Secret
metadata: {name: vault-login, namespace: external-secrets}
data: {token: `+b64(token)+`}
---
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {name: `+store+`}
spec:
  provider:
    kubernetes:
      remoteNamespace: vault
      server: {url: "`+c.Server+`", caBundle: `+b64(authority)+`}
      auth: {token: {bearerToken: {name: vault-login, namespace: external-secrets, key: token}}}
`))
		other.Apply(t, objects...)
		t.Cleanup(func() { other.Delete(t, objects...) })
	}
	return namespace
}
