package rig

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// ArgoCD is the real ApplicationSet controller, application controller and
// repository server of Argo CD, on a cluster. Its API server does not run:
// [ArgoCD.Refresh] announces a push, as the webhook would.
type ArgoCD struct {
	Namespace                      string
	dir                            string
	on                             *Cluster
	env                            []string
	sets, repositories, controller *Process // StartController replaces the last one
}

var (
	applications    = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "applications"}
	applicationSets = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "applicationsets"}
)

const (
	argoCDCache        = "127.0.0.1:6379"
	argoCDRepositories = "127.0.0.1:8081"
)

// argoCDSettings has the entries of upstream's argocd-cm about kinds that we use.
const argoCDSettings = `
resource.customizations.ignoreResourceUpdates.all: |
  jsonPointers:
  - /status
resource.exclusions: |
  - {apiGroups: ["", discovery.k8s.io], kinds: [Endpoints, EndpointSlice]}
  - {apiGroups: [coordination.k8s.io], kinds: [Lease]}
`

// StartArgoCD starts Argo CD on the cluster until the test ends. The cluster needs
// the definitions. The others are registered with their names and Server.
func (c *Cluster) StartArgoCD(t testing.TB, namespace string, others ...*Cluster) *ArgoCD {
	t.Helper()
	c.Define(t, "argoproj.io_applications.yaml", "argoproj.io_applicationsets.yaml", "argoproj.io_appprojects.yaml")
	c.Namespaces(t, namespace)
	dir := filepath.Join(c.Dir, "argocd")
	for _, sub := range []string{"bin", "ssh", "tls", "gpg", "home", "tmp", "plugin"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// The repository server finds its programs with PATH.
	for name, program := range map[string]string{"kustomize": Kustomize(), "helm": Helm3(), "sightline": Sightline()} {
		if err := os.Symlink(program, filepath.Join(dir, "bin", name)); err != nil && !errors.Is(err, os.ErrExist) {
			t.Fatal(err)
		}
	}
	a := &ArgoCD{Namespace: namespace, dir: dir, on: c, env: []string{
		"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"), "HOME=" + filepath.Join(dir, "home"), "TMPDIR=" + filepath.Join(dir,
			"tmp"),
		"KUBECONFIG=" + c.Kubeconfig, "ARGOCD_FAKE_IN_CLUSTER=true", "GIT_CONFIG_NOSYSTEM=1",
		"ARGOCD_GPG_ENABLED=false", "ARGOCD_GNUPGHOME=" + filepath.Join(dir, "gpg"),
		"ARGOCD_SSH_DATA_PATH=" + filepath.Join(dir, "ssh"), "ARGOCD_TLS_DATA_PATH=" + filepath.Join(dir, "tls"),
		"ARGOCD_PLUGINSOCKFILEPATH=" + filepath.Join(dir, "plugin"), "ARGOCD_CMP_WORKDIR=" + filepath.Join(dir, "tmp", "plugin"),
	}}
	a.configure(t, others)
	cache := a.start(t, "cache", argoCDCache)
	a.repositories = a.start(t, "repo-server", "--address", "127.0.0.1", "--port", "8081", "--metrics-address", "127.0.0.1", "--metrics-port",
		"8085",
		"--redis", argoCDCache, "--disable-tls")
	Wait(t, time.Minute, "Argo CD's repository server to listen", func() error {
		connection, err := net.Dial("tcp", argoCDRepositories)
		if err == nil {
			err = connection.Close()
		}
		return err
	}, a.repositories)
	a.StartController(t)
	a.sets = a.start(t, "applicationset-controller", "--kubeconfig", c.Kubeconfig, "--namespace", namespace, "--argocd-repo-server",
		argoCDRepositories,
		"--repo-server-plaintext", "--metrics-addr", "127.0.0.1:8083", "--probe-addr", "127.0.0.1:8084", "--webhook-addr", "127.0.0.1:7000",
		"--enable-leader-election=false")
	t.Cleanup(func() {
		for _, p := range []*Process{a.sets, a.controller, a.repositories, cache} {
			p.Stop()
		}
	})
	return a
}

// StartPlugin starts a config management plugin with this configuration beside the
// repository server, until the test ends.
func (a *ArgoCD) StartPlugin(t testing.TB, name, config string) {
	t.Helper()
	dir := filepath.Join(a.dir, "plugin")
	if err := os.WriteFile(filepath.Join(dir, "plugin.yaml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	plugin := a.start(t, "cmp-server", "--config-dir-path", dir)
	t.Cleanup(plugin.Stop)
	Wait(t, time.Minute, "Argo CD's plugin to listen", func() error {
		connection, err := net.Dial("unix", filepath.Join(dir, name+".sock"))
		if err == nil {
			err = connection.Close()
		}
		return err
	}, plugin)
}

// StartController starts the application controller again after a stop.
func (a *ArgoCD) StartController(t testing.TB) {
	t.Helper()
	a.controller = a.start(t, "application-controller", "--kubeconfig", a.on.Kubeconfig, "--namespace", a.Namespace, "--redis", argoCDCache,
		"--repo-server", argoCDRepositories, "--repo-server-plaintext", "--metrics-port", "8082")
}

// KillController ends the application controller without a warning.
func (a *ArgoCD) KillController() { a.controller.Kill() }

func (a *ArgoCD) start(t testing.TB, command string, args ...string) *Process {
	t.Helper()
	p, err := Start(filepath.Join(a.on.Name, "argocd"), command, a.env, "argocd", append([]string{command}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// configure creates the objects that `kubectl apply` of Argo CD's manifests and
// `argocd cluster add` create.
func (a *ArgoCD) configure(t testing.TB, others []*Cluster) {
	t.Helper()
	part := map[string]string{"app.kubernetes.io/part-of": "argocd"}
	var settings map[string]string
	if err := decodeYAML([]byte(argoCDSettings), &settings); err != nil {
		t.Fatal(err)
	}
	maps := []*corev1.ConfigMap{}
	for _, name := range []string{"argocd-cm", "argocd-cmd-params-cm", "argocd-gpg-keys-cm", "argocd-rbac-cm", "argocd-ssh-known-hosts-cm",
		"argocd-tls-certs-cm"} {
		maps = append(maps, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: part}})
	}
	maps[0].Data = settings
	secrets := []*corev1.Secret{{
		ObjectMeta: metav1.ObjectMeta{Name: "argocd-secret", Labels: part},
		StringData: map[string]string{"server.secretkey": rand.Text()}, // the API server's work
	}}
	for _, other := range others {
		var authority, certificate, key []byte
		for file, into := range map[string]*[]byte{"ca.crt": &authority, "admin.crt": &certificate, "admin.key": &key} {
			var err error
			if *into, err = os.ReadFile(other.File(file)); err != nil {
				t.Fatal(err)
			}
		}
		config, err := json.Marshal(map[string]any{"tlsClientConfig": map[string]any{"caData": authority, "certData": certificate,
			"keyData": key}})
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "cluster-" + other.Name, Labels: map[string]string{"argocd.argoproj.io/secret-type": "cluster"}},
			StringData: map[string]string{"name": other.Name, "server": other.Server, "config": string(config)},
		})
	}
	ctx := t.Context()
	for _, m := range maps {
		if _, err := a.on.Client.CoreV1().ConfigMaps(a.Namespace).Create(ctx, m, metav1.CreateOptions{}); err != nil &&
			!apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
	}
	for _, s := range secrets {
		if _, err := a.on.Client.CoreV1().Secrets(a.Namespace).Create(ctx, s, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(
			err) {
			t.Fatal(err)
		}
	}
}

// Application is the status of an Application.
type Application struct {
	Name     string
	Revision string // that Argo CD has compared with
	Sync     string // Synced, OutOfSync or Unknown
	Health   string
	Phase    string // of the last sync
	Message  string
	Differs  []string // objects that differ from Git, as Title names them, in order
}

// Applications returns all Applications, by name.
func (a *ArgoCD) Applications(ctx context.Context) (map[string]Application, error) {
	list, err := a.on.Dynamic.Resource(applications).Namespace(a.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	all := map[string]Application{}
	for _, item := range list.Items {
		text := func(fields ...string) string {
			s, _, _ := unstructured.NestedString(item.Object, append([]string{"status"}, fields...)...)
			return s
		}
		app := Application{
			Name: item.GetName(), Revision: text("sync", "revision"), Sync: text("sync", "status"), Health: text("health", "status"),
			Phase: text("operationState", "phase"), Message: text("operationState", "message"),
		}
		resources, _, _ := unstructured.NestedSlice(item.Object, "status", "resources")
		for _, resource := range resources {
			if m, ok := resource.(map[string]any); ok && m["status"] != "Synced" {
				app.Differs = append(app.Differs, fmt.Sprintf("%v %v/%v", m["kind"], m["namespace"], m["name"]))
			}
		}
		conditions, _, _ := unstructured.NestedSlice(item.Object, "status", "conditions")
		for _, condition := range conditions {
			if m, ok := condition.(map[string]any); ok {
				app.Message += fmt.Sprintf(" (%v: %v)", m["type"], m["message"])
			}
		}
		all[app.Name] = app
	}
	return all, nil
}

// Await waits until right returns nil for the Applications, and all named ones have
// seen the commit. Argo CD loses a refresh during another one, and one before the
// ApplicationSet has changed the Application. It would look again after minutes,
// so the suite asks again.
func (a *ArgoCD) Await(t testing.TB, limit time.Duration, what, revision string, names []string, right func(map[string]Application) error) {
	t.Helper()
	asked := time.Now()
	Wait(t, limit, what, func() error {
		found, err := a.Applications(t.Context())
		if err != nil {
			return err
		}
		for _, name := range names {
			if app := found[name]; app.Revision != revision {
				err = fmt.Errorf("not at %s: %+v", revision, app)
			}
		}
		if err == nil {
			err = right(found)
		}
		if err != nil && time.Since(asked) > 5*time.Second {
			a.Refresh(t)
			asked = time.Now()
		}
		return err
	}, a.controller, a.sets, a.repositories)
}

// Synced waits until the Applications have exactly these names, and each has
// synced the commit and is healthy.
func (a *ArgoCD) Synced(t testing.TB, limit time.Duration, revision string, names ...string) {
	t.Helper()
	a.Await(t, limit, "Argo CD to sync a commit", revision, names, func(found map[string]Application) error {
		if len(found) != len(names) {
			return fmt.Errorf("there are %d Applications, should be %d: %v", len(found), len(names), found)
		}
		for _, app := range found {
			if app.Sync != "Synced" || app.Health != "Healthy" || app.Phase != "Succeeded" {
				return fmt.Errorf("%+v", app)
			}
		}
		return nil
	})
}

// Refresh makes Argo CD look at Git now, for all Applications.
func (a *ArgoCD) Refresh(t testing.TB) {
	t.Helper()
	patch := []byte(`{"metadata":{"annotations":{"argocd.argoproj.io/refresh":"hard"}}}`)
	found, err := a.Applications(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name := range found {
		_, err := a.on.Dynamic.Resource(applications).Namespace(a.Namespace).Patch(t.Context(), name, types.MergePatchType, patch,
			metav1.PatchOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Fatal(err)
		}
	}
}

// Delete deletes an Application with its objects, as `argocd app delete
// --cascade` does, and waits until it is gone.
func (a *ArgoCD) Delete(t testing.TB, name string) {
	t.Helper()
	client := a.on.Dynamic.Resource(applications).Namespace(a.Namespace)
	cascade := []byte(`{"metadata":{"finalizers":["resources-finalizer.argocd.argoproj.io"]}}`)
	_, err := client.Patch(t.Context(), name, types.MergePatchType, cascade, metav1.PatchOptions{})
	if err == nil {
		err = client.Delete(t.Context(), name, metav1.DeleteOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	Wait(t, time.Minute, "Argo CD to delete the Application "+name+" and its objects", func() error {
		_, err := client.Get(t.Context(), name, metav1.GetOptions{})
		if err == nil {
			return errors.New("it is still there")
		}
		if !apierrors.IsNotFound(err) {
			return err
		}
		return nil
	}, a.controller)
}

// Forget removes every ApplicationSet and Application without an effect on the
// clusters, as if Argo CD had never known them.
func (a *ArgoCD) Forget(t testing.TB) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // it is used in cleanups
	Wait(t, time.Minute, "the end of all ApplicationSets and Applications", func() error {
		return a.on.remove(ctx, a.Namespace, applicationSets, applications)
	}, a.on.APIServer)
}

// decodeYAML decodes one document.
func decodeYAML(data []byte, into any) error {
	return yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), len(data)).Decode(into)
}
