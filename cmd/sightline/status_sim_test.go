package main

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/status"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// simulated is a stand-in for an API server. It has everything that status asks for:
// objects in memory by their paths, discovery, label selectors and reviews. Use it for
// fleets, and for faults that a real server does not show on demand, such as a hang.
// e2e/suite has the faults of single clusters, on real servers.
type simulated struct {
	*httptest.Server
	mutex   sync.Mutex
	objects map[string]resource.Object // by path
	logs    map[string]string          // of pods, by path
	users   map[string]string          // by token
	may     func(user, verb, group, plural, namespace, name string) bool
	hang    bool
	ended   chan struct{} // closed at the end of the test
	asked   []string
}

const readerToken = "the-token-of-who-asks-for-status"

func newSimulated(t *testing.T) *simulated {
	s := &simulated{objects: map[string]resource.Object{}, logs: map[string]string{}, users: map[string]string{readerToken: "reader"}}
	s.ended = make(chan struct{})
	s.Server = httptest.NewTLSServer(s)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(func() { close(s.ended); s.CloseClientConnections(); s.Close() })
	return s
}

// plurals has the kinds that it knows, by API version.
var simulatedKinds = map[string]map[string]string{
	"v1": {"Namespace": "namespaces", "Secret": "secrets", "ConfigMap": "configmaps", "Pod": "pods",
		"Service": "services", "ServiceAccount": "serviceaccounts"},
	"apps/v1":                         {"Deployment": "deployments"},
	"admissionregistration.k8s.io/v1": {"MutatingWebhookConfiguration": "mutatingwebhookconfigurations"},
	"monitoring.coreos.com/v1": {"PodMonitor": "podmonitors", "ServiceMonitor": "servicemonitors", "Prometheus": "prometheuses",
		"PrometheusRule": "prometheusrules"},
	"telemetry.istio.io/v1":         {"Telemetry": "telemetries"},
	"kiali.io/v1alpha1":             {"Kiali": "kialis"},
	"bitnami.com/v1alpha1":          {"SealedSecret": "sealedsecrets"},
	"operators.coreos.com/v1alpha1": {"Subscription": "subscriptions"},
	"rbac.authorization.k8s.io/v1":  {"ClusterRoleBinding": "clusterrolebindings"},
	"config.openshift.io/v1":        {"ClusterVersion": "clusterversions"},
	"oauth.openshift.io/v1":         {"OAuthClient": "oauthclients"},
}

func simulatedPath(id resource.ID) string {
	root := "/apis/" + id.APIVersion
	if !strings.Contains(id.APIVersion, "/") {
		root = "/api/" + id.APIVersion
	}
	if id.Namespace != "" {
		root += "/namespaces/" + id.Namespace
	}
	return path.Join(root, simulatedKinds[id.APIVersion][id.Kind], id.Name)
}

func (s *simulated) put(objects ...resource.Object) {
	for _, o := range objects {
		s.objects[simulatedPath(resource.IDOf(o))] = o
	}
}

func (s *simulated) get(id resource.ID) resource.Object { return s.objects[simulatedPath(id)] }

func (s *simulated) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.hang {
		s.mutex.Unlock()
		select {
		case <-r.Context().Done():
		case <-s.ended:
		}
		s.mutex.Lock()
		return
	}
	answer := func(code int, body any) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(body)
	}
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	user, known := s.users[token]
	if r.URL.Path == "/version" {
		answer(http.StatusOK, map[string]any{"gitVersion": "v1.36.3"})
		return
	}
	if !known {
		answer(http.StatusUnauthorized, map[string]any{"message": "Unauthorized"})
		return
	}
	if r.Method == http.MethodPost {
		s.review(w, r, user)
		return
	}
	version := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/apis/"), "/api/")
	if kinds, ok := simulatedKinds[version]; ok {
		if strings.Contains(version, ".openshift.io/") && s.objects["/openshift"] == nil {
			answer(http.StatusNotFound, map[string]any{"message": "the server could not find the requested resource"})
			return
		}
		var resources []any
		for kind, plural := range kinds {
			resources = append(resources, map[string]any{"name": plural, "kind": kind,
				"namespaced": !slices.Contains([]string{"Namespace", "MutatingWebhookConfiguration", "ClusterRoleBinding", "ClusterVersion"}, kind)})
		}
		answer(http.StatusOK, map[string]any{"resources": resources})
		return
	}
	verb, group, plural, namespace, name := parts(r.URL.Path)
	s.asked = append(s.asked, fmt.Sprintf("%s %s/%s %s/%s", verb, group, plural, namespace, name))
	if s.may != nil && !s.may(user, verb, group, plural, namespace, name) {
		answer(http.StatusForbidden, map[string]any{"message": fmt.Sprintf("%s is forbidden: User %q cannot %s resource %q", plural, user, verb,
			plural)})
		return
	}
	if log, ok := s.logs[r.URL.Path]; ok {
		fmt.Fprint(w, log)
		return
	}
	if verb == "get" {
		if o := s.objects[r.URL.Path]; o != nil {
			answer(http.StatusOK, o)
			return
		}
		answer(http.StatusNotFound, map[string]any{"message": plural + " " + name + " not found"})
		return
	}
	items := []any{}
	for at, o := range s.objects {
		_, g, p, ns, n := parts(at)
		if g == group && p == plural && n != "" && (namespace == "" || ns == namespace) && matches(o, r.URL.Query().Get("labelSelector")) {
			items = append(items, o)
		}
	}
	answer(http.StatusOK, map[string]any{"items": items, "metadata": map[string]any{}})
}

// parts splits the path of an object or a list.
func parts(at string) (verb, group, plural, namespace, name string) {
	p := strings.Split(strings.Trim(at, "/"), "/")
	if p[0] == "api" {
		p = p[2:]
	} else if len(p) > 3 {
		group, p = p[1], p[3:]
	}
	if len(p) > 2 && p[0] == "namespaces" {
		namespace, p = p[1], p[2:]
	}
	if len(p) == 0 {
		return
	}
	plural, verb = p[0], "list"
	if len(p) > 1 {
		name, verb = p[1], "get"
	}
	if len(p) > 2 {
		plural += "/" + p[2]
	}
	return
}

func matches(o resource.Object, selector string) bool {
	meta, _ := o["metadata"].(map[string]any)
	labels, _ := meta["labels"].(map[string]any)
	for term := range strings.SplitSeq(selector, ",") {
		key, value, equal := strings.Cut(term, "=")
		have, there := labels[key]
		if term != "" && (!there || equal && fmt.Sprint(have) != value) {
			return false
		}
	}
	return true
}

func (s *simulated) review(w http.ResponseWriter, r *http.Request, user string) {
	var question struct {
		Spec struct {
			ResourceAttributes struct{ Group, Resource, Verb string }
		}
	}
	_ = json.NewDecoder(r.Body).Decode(&question)
	body := map[string]any{"status": map[string]any{"userInfo": map[string]any{"username": user}}}
	if strings.HasSuffix(r.URL.Path, "selfsubjectrulesreviews") {
		rules := []any{}
		if s.may == nil {
			rules = append(rules, map[string]any{"verbs": []any{"*"}, "apiGroups": []any{"*"}, "resources": []any{"*"}})
		}
		body = map[string]any{"status": map[string]any{"resourceRules": rules, "incomplete": s.may != nil}}
	}
	if strings.HasSuffix(r.URL.Path, "selfsubjectaccessreviews") {
		a := question.Spec.ResourceAttributes
		body = map[string]any{"status": map[string]any{"allowed": s.may == nil || s.may(user, a.Verb, a.Group, a.Resource, "", "")}}
	}
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(body)
}

// fleet is a topology with its clusters, where everything is correct.
type fleetOf struct {
	*testing.T
	dir, mesh  string
	expected   status.Expected
	clusters   map[string]*simulated
	kubeconfig string
	proxy      *httptest.Server // from the names of API servers to the simulated ones
	kiali      *kialiOf
	store      *httptest.Server
}

// newFleet starts the clusters of a topology with the rendered objects. The link of a
// remote is as seal makes it.
func newFleet(t *testing.T, text string) *fleetOf {
	f := &fleetOf{T: t, dir: t.TempDir(), clusters: map[string]*simulated{}}
	f.mesh = filepath.Join(f.dir, "mesh.yaml")
	require.NoError(t, os.WriteFile(f.mesh, []byte(text), 0o644))
	var o statusOptions
	in, err := readInput(f.mesh, nil)
	require.NoError(t, err)
	for i := range in.topology.Spec.Clusters {
		f.clusters[in.topology.Spec.Clusters[i].Name] = newSimulated(t)
	}
	f.proxy = httptest.NewServer(http.HandlerFunc(f.connect))
	t.Cleanup(f.proxy.Close)
	f.expected, err = o.expected(t.Context(), []string{f.mesh}, nil)
	require.NoError(t, err)
	for i := range f.expected.Topology.Spec.Clusters {
		f.furnish(&f.expected.Topology.Spec.Clusters[i])
	}
	f.writeKubeconfig()
	f.kiali = newKiali(t, f.expected.Topology)
	return f
}

func object(apiVersion, kind, namespace, name string, more map[string]any) resource.Object {
	meta := map[string]any{"name": name}
	if namespace != "" {
		meta["namespace"] = namespace
	}
	o := resource.Object{"apiVersion": apiVersion, "kind": kind, "metadata": meta}
	for key, value := range more {
		if key == "labels" || key == "annotations" || key == "creationTimestamp" || key == "uid" {
			meta[key] = value
			continue
		}
		o[key] = value
	}
	return o
}

const meshValues = `{"global": {"meshID": "mesh1", "network": ""}}`

func (f *fleetOf) furnish(c *topology.Cluster) {
	t, s := f.expected.Topology, f.clusters[c.Name]
	s.put(f.expected.Objects[c.Name]...)
	for _, o := range f.expected.Objects[c.Name] {
		if ns := resource.IDOf(o).Namespace; ns != "" {
			s.put(object("v1", "Namespace", "", ns, map[string]any{"labels": map[string]any{}}))
		}
		if o["kind"] == "Kiali" {
			o = clone(o)
			o["status"] = map[string]any{"conditions": []any{
				map[string]any{"type": "Running", "status": "True", "reason": "Successful", "lastTransitionTime": "2026-11-27T10:00:00Z"},
				map[string]any{"type": "Successful", "status": "True", "reason": "Successful", "lastTransitionTime": "2026-11-27T10:00:00Z"},
			}}
			s.put(o)
		}
	}
	ns := t.Spec.Mesh.ControlPlaneNamespace
	s.put(
		object("apps/v1", "Deployment", ns, "istiod", map[string]any{
			"labels": map[string]any{"app": "istiod"},
			"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{
				map[string]any{"name": "discovery", "env": []any{map[string]any{"name": "CLUSTER_ID", "value": c.Name}}},
			}}}},
		}),
		object("v1", "ConfigMap", ns, "istio", map[string]any{"data": map[string]any{"mesh": "defaultConfig: {meshId: mesh1}"}}),
		object("v1", "ConfigMap", ns, "istio-sidecar-injector", map[string]any{"data": map[string]any{"values": meshValues}}),
		object("apps/v1", "Deployment", "kiali-operator", "kiali-operator",
			map[string]any{"labels": map[string]any{"app.kubernetes.io/name": "kiali-operator", "app.kubernetes.io/version": "2.28.0"}}),
		object("monitoring.coreos.com/v1", "Prometheus", "monitoring", "k8s", map[string]any{"spec": map[string]any{
			"podMonitorSelector": map[string]any{}, "podMonitorNamespaceSelector": map[string]any{}, "serviceMonitorSelector": map[string]any{},
			"serviceMonitorNamespaceSelector": map[string]any{},
		}}),
	)
	if t.IsHub(c) {
		s.put(kialiPod("kiali-1", time.Now(), true))
		return
	}
	token := "the-token-of-kiali-on-" + c.Name
	s.users[token] = "system:serviceaccount:" + t.Spec.Kiali.Namespace + ":" + t.Account()
	s.put(
		object("v1", "ServiceAccount", t.Spec.Kiali.Namespace, t.Account(), map[string]any{"uid": "uid-1"}),
		f.tokenSecret(c.Name, token),
	)
	f.link(c.Name, t.SealedFor(c).Name, f.kubeconfigOf(c.Name, c.Name, token))
}

// tokenSecret returns the rendered token Secret, filled as by the token controller.
func (f *fleetOf) tokenSecret(cluster, token string) resource.Object {
	for _, o := range f.expected.Objects[cluster] {
		if o["kind"] == "Secret" {
			o = clone(o)
			o["data"] = map[string]any{"token": base64.StdEncoding.EncodeToString([]byte(token))}
			o["metadata"].(map[string]any)["annotations"].(map[string]any)["kubernetes.io/service-account.uid"] = "uid-1"
			return o
		}
	}
	f.Fatal("no token Secret is rendered")
	return nil
}

// kubeconfigOf returns a kubeconfig with one name, which is for a cluster.
func (f *fleetOf) kubeconfigOf(name, cluster, token string) string {
	server := "https://" + cluster + ".example.com:6443"
	return fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: %[1]s\ncontexts: [{name: %[1]s, context: {cluster: %[1]s, user: "+
		"%[1]s}}]\n"+
		"users: [{name: %[1]s, user: {token: %[2]q}}]\nclusters: [{name: %[1]s, cluster: {server: %[3]q, proxy-url: %[5]q, "+
		"certificate-authority-data: %[4]s}}]\n",
		name, token, server, base64.StdEncoding.EncodeToString(f.ca(cluster)), f.proxy.URL)
}

// connect is a proxy for TLS: it connects to the cluster with the requested name.
func (f *fleetOf) connect(w http.ResponseWriter, r *http.Request) {
	name, _, _ := strings.Cut(r.Host, ".")
	s := f.clusters[name]
	if r.Method != http.MethodConnect || s == nil {
		http.Error(w, "there is no such cluster", http.StatusBadGateway)
		return
	}
	backend, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		http.Error(w, "it is away", http.StatusBadGateway)
		return
	}
	client, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		backend.Close()
		return
	}
	fmt.Fprint(client, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(backend, client); backend.Close() }()
	_, _ = io.Copy(client, backend)
	client.Close()
}

func (f *fleetOf) ca(cluster string) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.clusters[cluster].Certificate().Raw})
}

// link puts a kubeconfig into a Secret of the hub.
func (f *fleetOf) link(key, secret, kubeconfig string) {
	hub := f.clusters[f.expected.Topology.Spec.Kiali.Hub]
	id := resource.ID{APIVersion: "v1", Kind: "Secret", Namespace: f.expected.Topology.Spec.Kiali.Namespace, Name: secret}
	o := hub.get(id)
	if o == nil {
		o = object("v1", "Secret", id.Namespace, secret, map[string]any{
			"data": map[string]any{}, "labels": map[string]any{"kiali.io/multiCluster": "true"}, "creationTimestamp": "2026-11-27T09:00:00Z",
		})
		hub.put(o)
	}
	o["data"].(map[string]any)[key] = base64.StdEncoding.EncodeToString([]byte(kubeconfig))
}

func (f *fleetOf) writeKubeconfig() {
	lists := map[string]string{}
	for name, s := range f.clusters {
		lists["clusters"] += fmt.Sprintf("- {name: %q, cluster: {server: %q, certificate-authority-data: %s}}\n", name, s.URL,
			base64.StdEncoding.EncodeToString(f.ca(name)))
		lists["users"] += fmt.Sprintf("- {name: %q, user: {token: %q}}\n", name, readerToken)
		lists["contexts"] += fmt.Sprintf("- {name: %q, context: {cluster: %q, user: %q}}\n", name, name, name)
	}
	text := "apiVersion: v1\nkind: Config\n"
	for key, list := range lists {
		text += key + ":\n" + list
	}
	f.kubeconfig = filepath.Join(f.TempDir(), "kubeconfig")
	require.NoError(f, os.WriteFile(f.kubeconfig, []byte(text), 0o600))
}

func clone(o resource.Object) resource.Object {
	data, _ := json.Marshal(o)
	v, _ := resource.DecodeJSON(data)
	return v.(map[string]any)
}

func kialiPod(name string, started time.Time, ready bool) resource.Object {
	condition := map[bool]string{true: "True", false: "False"}[ready]
	return object("v1", "Pod", "istio-system", name, map[string]any{
		"labels": map[string]any{"app.kubernetes.io/name": "kiali", "app.kubernetes.io/instance": "kiali"},
		"status": map[string]any{
			"conditions": []any{map[string]any{"type": "Ready", "status": condition}},
			"containerStatuses": []any{map[string]any{"name": "kiali", "restartCount": 0,
				"state": map[string]any{"running": map[string]any{"startedAt": started.UTC().Format(time.RFC3339)}}}},
		},
	})
}

// run runs status with flags for everything.
func (f *fleetOf) run(args ...string) (code int, stdout, stderr string) {
	f.Helper()
	all := []string{"status", f.mesh, "--kubeconfig", f.kubeconfig, "--kiali-url", f.kiali.URL + "/kiali"}
	if f.store != nil {
		all = append(all, "--prometheus-url", f.store.URL)
	}
	var out, err strings.Builder
	code = run(f.Context(), append(all, args...), strings.NewReader(""), &out, &err)
	for _, text := range []string{out.String(), err.String()} {
		require.NotContains(f, text, readerToken)
		require.NotContains(f, text, "the-token-of-kiali")
	}
	return code, out.String(), err.String()
}
