package rig

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// site is the place of a control plane. The host is the one in the topologies.
type site struct{ name, host, address string }

var sites = []site{
	{"east", "api.east.example.com", "10.240.0.2"},
	{"west", "api.west.example.com", "10.240.0.3"},
}

const port = "6443"

// Cluster is a control plane: etcd, the API server and the controller manager,
// without nodes.
type Cluster struct {
	Name       string // also of the context in Kubeconfig
	Host       string // in topologies
	Address    string // of the host; the processes listen on it
	Server     string // the URL
	Dir        string // has pki, the logs and etcd's data
	Kubeconfig string // the file of an administrator

	Config  *rest.Config
	Client  kubernetes.Interface
	Dynamic dynamic.Interface
	Mapper  *restmapper.DeferredDiscoveryRESTMapper

	// StartServer and StartManager replace them.
	Etcd, APIServer, Manager *Process
}

// Clusters are the clusters of the built-in example. East is the hub.
type Clusters struct{ East, West *Cluster }

// Up returns the two clusters. The first call starts them.
func Up(t testing.TB) Clusters {
	t.Helper()
	clusters, err := up()
	if err != nil {
		t.Fatal(err)
	}
	return clusters
}

var up = sync.OnceValues(func() (Clusters, error) {
	start := time.Now()
	var started [2]*Cluster
	var errs [2]error
	var group sync.WaitGroup
	for i, site := range sites {
		group.Go(func() { started[i], errs[i] = launch(site) })
	}
	group.Wait()
	for i, err := range errs {
		if err != nil {
			return Clusters{}, fmt.Errorf("start of %s: %w", sites[i].name, err)
		}
	}
	fmt.Fprintf(os.Stderr, "e2e: two control planes after %v\n", time.Since(start).Round(100*time.Millisecond))
	return Clusters{East: started[0], West: started[1]}, nil
})

func launch(at site) (*Cluster, error) {
	c := &Cluster{
		Name: at.name, Host: at.host, Address: at.address, Server: "https://" + at.host + ":" + port,
		Dir: filepath.Join(Dir(), at.name), Kubeconfig: filepath.Join(Dir(), at.name, "admin.kubeconfig"),
	}
	if err := c.credentials(); err != nil {
		return nil, err
	}
	var err error
	client, peer := "http://"+c.Address+":2379", "http://"+c.Address+":2380"
	c.Etcd, err = Start(c.Name, "etcd", nil, "kube", "etcd", "--name", c.Name, "--data-dir", filepath.Join(c.Dir, "etcd"),
		"--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
		"--initial-advertise-peer-urls", peer, "--initial-cluster", c.Name+"="+peer, "--unsafe-no-fsync", "--log-level", "warn")
	if err != nil {
		return nil, err
	}
	if err = c.startServer(); err != nil {
		return nil, err
	}
	if err = c.startManager(); err != nil {
		return nil, err
	}
	ctx := context.Background()
	for _, name := range []string{"istio-system", "sample", "openshift-operators", "openshift-monitoring",
		"openshift-user-workload-monitoring"} {
		if err = c.namespace(ctx, name); err != nil {
			return nil, err
		}
	}
	if dir, ok := Definitions(); ok {
		err = c.define(ctx, dir, coreDefinitions...)
	}
	return c, err
}

// credentials makes the keys, certificates and kubeconfigs.
func (c *Cluster) credentials() error {
	dir := c.pki()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	ca, err := newAuthority(c.Name + "-ca")
	if err != nil {
		return err
	}
	if err = os.WriteFile(filepath.Join(dir, "ca.crt"), ca.pem, 0o644); err != nil {
		return err
	}
	server, err := ca.server([]string{c.Host, "localhost", "kubernetes.default.svc"}, c.Address, "127.0.0.1")
	if err != nil {
		return err
	}
	if err = server.write(dir, "apiserver"); err != nil {
		return err
	}
	private, public, err := accountKey()
	if err != nil {
		return err
	}
	if err = os.WriteFile(filepath.Join(dir, "accounts.key"), private, 0o600); err != nil {
		return err
	}
	if err = os.WriteFile(filepath.Join(dir, "accounts.pub"), public, 0o644); err != nil {
		return err
	}
	for _, user := range []struct{ file, name, group string }{
		{"admin", "admin", "system:masters"},
		{"manager", "system:kube-controller-manager", ""},
	} {
		client, err := ca.client(user.name, user.group)
		if err != nil {
			return err
		}
		if err = client.write(dir, user.file); err != nil {
			return err
		}
		config := clientcmdapi.Config{
			CurrentContext: c.Name,
			Clusters:       map[string]*clientcmdapi.Cluster{c.Name: {Server: c.Server, CertificateAuthorityData: ca.pem}},
			AuthInfos:      map[string]*clientcmdapi.AuthInfo{c.Name: {ClientCertificateData: client.certificate, ClientKeyData: client.key}},
			Contexts:       map[string]*clientcmdapi.Context{c.Name: {Cluster: c.Name, AuthInfo: c.Name}},
		}
		if err = clientcmd.WriteToFile(config, filepath.Join(c.Dir, user.file+".kubeconfig")); err != nil {
			return err
		}
	}
	c.Config, err = clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		return err
	}
	c.Config.QPS = -1 // nobody else uses the API server
	if c.Client, err = kubernetes.NewForConfig(c.Config); err != nil {
		return err
	}
	c.Mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(c.Client.Discovery()))
	c.Dynamic, err = dynamic.NewForConfig(c.Config)
	return err
}

func (c *Cluster) pki() string { return filepath.Join(c.Dir, "pki") }

// File returns the path of a file of the cluster's pki: ca.crt, admin.crt and
// admin.key, for programs that take these instead of a kubeconfig.
func (c *Cluster) File(name string) string { return filepath.Join(c.pki(), name) }

// StartServer starts the API server again after a test has stopped it, and
// waits until it is ready.
func (c *Cluster) StartServer(t testing.TB) {
	t.Helper()
	if err := c.startServer(); err != nil {
		t.Fatal(err)
	}
}

func (c *Cluster) startServer() error {
	var err error
	c.APIServer, err = Start(c.Name, "kube-apiserver", nil, "kube", "kube-apiserver",
		"--bind-address", c.Address, "--advertise-address", c.Address, "--secure-port", port, "--etcd-servers", "http://"+c.Address+":2379",
		"--tls-cert-file", c.File("apiserver.crt"), "--tls-private-key-file", c.File("apiserver.key"), "--client-ca-file", c.File("ca.crt"),
		"--service-account-key-file", c.File("accounts.pub"), "--service-account-signing-key-file", c.File("accounts.key"),
		"--service-account-issuer", "https://kubernetes.default.svc", "--service-cluster-ip-range", "10.0.0.0/24",
		// No pod gets the token of its account, because there is no kubelet.
		"--authorization-mode", "RBAC", "--disable-admission-plugins", "ServiceAccount", "--endpoint-reconciler-type", "none",
		"--profiling=false")
	if err != nil {
		return err
	}
	return wait(time.Minute, "the API server of "+c.Name+" to be ready", func() error {
		return c.Client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(context.Background()).Error()
	}, c.Etcd, c.APIServer)
}

// StartManager starts the controller manager again after a test has stopped it.
func (c *Cluster) StartManager(t testing.TB) {
	t.Helper()
	if err := c.startManager(); err != nil {
		t.Fatal(err)
	}
}

func (c *Cluster) startManager() error {
	kubeconfig := filepath.Join(c.Dir, "manager.kubeconfig")
	var err error
	c.Manager, err = Start(c.Name, "kube-controller-manager", nil, "kube", "kube-controller-manager",
		"--kubeconfig", kubeconfig, "--authentication-kubeconfig", kubeconfig, "--authorization-kubeconfig", kubeconfig,
		"--bind-address", c.Address, "--secure-port", "10257", "--cert-dir", filepath.Join(c.Dir, "manager"),
		"--service-account-private-key-file", c.File("accounts.key"), "--root-ca-file", c.File("ca.crt"),
		// Without this, the controllers have no rights.
		"--use-service-account-credentials=true", "--leader-elect=false", "--profiling=false",
		"--controllers", "serviceaccount-controller,serviceaccount-token-controller,root-ca-certificate-publisher-controller,"+
			"namespace-controller,garbage-collector-controller,clusterrole-aggregation-controller,"+
			"deployment-controller,replicaset-controller,endpointslice-controller,endpoints-controller")
	if err != nil {
		return err
	}
	return wait(time.Minute, "the controller manager of "+c.Name+" to make the account of the namespace default", func() error {
		_, err := c.Client.CoreV1().ServiceAccounts("default").Get(context.Background(), "default", metav1.GetOptions{})
		return err
	}, c.Etcd, c.APIServer, c.Manager)
}

// Namespaces creates the namespaces that are missing.
func (c *Cluster) Namespaces(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := c.namespace(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
}

func (c *Cluster) namespace(ctx context.Context, name string) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	_, err := c.Client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// Status returns the code of the server's answer to a GET of the path with this
// config: 401 for unknown credentials.
func Status(t testing.TB, config *rest.Config, path string) int {
	t.Helper()
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, config.Host+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}
