//go:build full

package suite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// TestScrape lets real Prometheus servers scrape the clusters of every example with the
// monitors. Every proxy is scraped once, with the labels that Kiali groups by. istiod is
// scraped once, and no other pod is scraped. Then the test puts the guide's mistakes into
// the monitors of the built-in example, and the same check must find them.
func TestScrape(t *testing.T) {
	rig.NeedDefinitions(t, "that Prometheus scrapes through the monitors")
	clusters := rig.Up(t)
	trees := map[string]tree{}
	for _, topology := range examples(t) {
		trees[topology] = render(t, topology, "manifests")
	}
	for _, lane := range []struct {
		name string
		on   *rig.Cluster
		net  string
	}{{"hub", clusters.East, "10.244"}, {"remote", clusters.West, "10.245"}} {
		t.Run(lane.name, func(t *testing.T) {
			t.Parallel()
			prometheus := lane.on.StartPrometheus(t)
			lane.on.DefineMore(t)
			for _, topology := range examples(t) {
				tree := trees[topology]
				for _, cluster := range tree.clusters(t) {
					if (cluster == tree.hub) != (lane.name == "hub") {
						continue
					}
					m := mesh{id: meshID(t, topology), name: strings.ReplaceAll(strings.TrimSuffix(topology, ".yaml")+"-"+cluster, "_", "-"), prometheus: prometheus}
					objects := rig.Objects(t, []byte(manifests(t, tree, cluster, "monitoring")))
					if m.place(objects); len(m.namespaces) == 0 {
						continue // a hub outside of the mesh
					}
					t.Run(m.name, func(t *testing.T) { m.scrape(t, lane.on, objects, lane.net) })
				}
			}
		})
	}
}

// scrape runs the mesh, with pods whose addresses are below net, and scrapes it with the
// monitors among the objects.
func (m *mesh) scrape(t *testing.T, on *rig.Cluster, objects []*unstructured.Unstructured, net string) {
	prometheus := m.prometheus
	t.Cleanup(func() { on.Delete(t, objects...) })
	on.Namespaces(t, namespaces(objects)...)
	m.run(t, on, net)
	// The operator of Prometheus leaves out a monitor whose CA is not there.
	for _, object := range objects {
		if object.GetKind() == "ServiceMonitor" && object.GetName() != "istiod-monitor" {
			bundle := rig.Objects(t, []byte("{apiVersion: v1, kind: ConfigMap, metadata: {name: kiali-cabundle-openshift, namespace: "+object.GetNamespace()+"}, data: {service-ca.crt: "+
				fmt.Sprintf("%q", authorityOf(t, on))+"}}"))
			t.Cleanup(func() { on.Delete(t, bundle...) })
			on.Apply(t, bundle...)
		}
	}
	on.Apply(t, objects...)
	prometheus.Load(t, m.complete)
	rig.Wait(t, 30*time.Second, "every proxy and istiod to be scraped once", func() error { return m.problems(t.Context()) })
	if !strings.HasPrefix(m.name, "east-west-") {
		return
	}
	require.Equal(t, []string{"istio-system", "sample"}, m.namespaces)

	mistake := func(what string, change func(objects []*unstructured.Unstructured), loaded func(string) error, problems ...string) {
		t.Run(what, func(t *testing.T) {
			changed := []*unstructured.Unstructured{}
			for _, object := range objects {
				changed = append(changed, object.DeepCopy())
			}
			change(changed)
			on.Apply(t, changed...)
			prometheus.Load(t, loaded)
			want := strings.Join(problems, "\n")
			rig.Wait(t, 30*time.Second, "the mistake to show", func() error {
				switch got := m.problems(t.Context()); {
				case got == nil:
					return errors.New("there is none")
				case got.Error() != want:
					return fmt.Errorf("%w\nand should be\n%s", got, want)
				}
				return nil
			})
		})
		on.Apply(t, objects...)
		prometheus.Load(t, m.complete)
	}
	mistake("escapes that only a shell removes", func(objects []*unstructured.Unstructured) {
		for _, object := range objects {
			escape(object)
		}
	}, func(config string) error {
		if n := strings.Count(config, `(\\d+)`); n != 4 {
			return fmt.Errorf(`it has (\\d+) %d times, should be 4`, n)
		}
		return nil
	},
		m.escaped()...,
	)
	mistake("both PodMonitors in one namespace", func(objects []*unstructured.Unstructured) {
		for _, object := range objects {
			if object.GetKind() == "PodMonitor" && object.GetNamespace() == "istio-system" {
				on.Delete(t, object)
				object.SetNamespace("sample")
			}
		}
	}, func(config string) error {
		if strings.Contains(config, "podMonitor/istio-system/") {
			return errors.New("it still has the monitor of istio-system")
		}
		return nil
	},
		m.unscraped("istio-system")...,
	)
}

func authorityOf(t *testing.T, on *rig.Cluster) string {
	t.Helper()
	authority, err := os.ReadFile(on.File("ca.crt"))
	require.NoError(t, err)
	return string(authority)
}

// escaped returns the problems of relabelings that match nothing: merged metrics are not
// found, and the names begin with a backslash.
func (m *mesh) escaped() (problems []string) {
	for _, want := range m.proxies() {
		app := want.Labels["app"]
		of := want.Labels["namespace"] + "/" + app
		problems = append(problems, fmt.Sprintf(`%s: app is \\%s, should be %s`, of, app, app), of+`: version is \\v1, should be v1`)
		if app == "sidecar" || app == "gateway" {
			problems = append(problems, fmt.Sprintf("%s: scraped at %s, should be %s", of, strings.Replace(want.URL, ":15020/", ":15090/", 1), want.URL))
		}
	}
	slices.Sort(problems)
	return problems
}

// unscraped returns the problems of a namespace without a monitor.
func (m *mesh) unscraped(namespace string) (problems []string) {
	for _, want := range m.proxies() {
		if want.Labels["namespace"] == namespace {
			problems = append(problems, namespace+"/"+want.Labels["app"]+": 0 targets, should be 1")
		}
	}
	slices.Sort(problems)
	return problems
}

// proxies returns the targets without istiod, which has no requests and no version.
func (m *mesh) proxies() []rig.Target {
	return slices.DeleteFunc(slices.Clone(m.want), func(t rig.Target) bool { return t.Labels["version"] == "" })
}

// escape adds the guide's escapes for a shell to a PodMonitor.
func escape(object *unstructured.Unstructured) {
	if object.GetKind() != "PodMonitor" {
		return
	}
	endpoints, _, _ := unstructured.NestedSlice(object.Object, "spec", "podMetricsEndpoints")
	for _, endpoint := range endpoints {
		for _, rule := range endpoint.(map[string]any)["relabelings"].([]any) {
			for field, escapes := range map[string][2]string{"regex": {`\d`, `\\d`}, "replacement": {"$", `\$`}} {
				if text, ok := rule.(map[string]any)[field].(string); ok {
					rule.(map[string]any)[field] = strings.ReplaceAll(text, escapes[0], escapes[1])
				}
			}
		}
	}
	_ = unstructured.SetNestedSlice(object.Object, endpoints, "spec", "podMetricsEndpoints")
}

// mesh has the parts of a mesh on a cluster, and how they should be scraped.
type mesh struct {
	id         string
	name       string   // ends the names of the pods: none is taken for one of the mesh before
	namespaces []string // with a sidecar and a gateway each, and what is not to be scraped
	istiod     string   // its namespace, if it runs here
	services   []string // the ServiceMonitors, as namespace/name; that of Kiali finds no pod
	prometheus *rig.Prometheus
	want       []rig.Target
}

// place reads the places of the mesh from the monitors.
func (m *mesh) place(objects []*unstructured.Unstructured) {
	for _, object := range objects {
		switch object.GetKind() {
		case "PodMonitor":
			m.namespaces = append(m.namespaces, object.GetNamespace())
		case "ServiceMonitor":
			m.services = append(m.services, object.GetNamespace()+"/"+object.GetName())
			if object.GetName() == "istiod-monitor" {
				m.istiod = object.GetNamespace()
			}
		}
	}
	slices.Sort(m.namespaces)
}

// run makes the pods, with addresses below net, until the test ends.
func (m *mesh) run(t *testing.T, on *rig.Cluster, net string) {
	t.Helper()
	for i, namespace := range m.namespaces {
		address := fmt.Sprintf("%s.%d", net, i)
		plain := rig.Sidecar(namespace, "without-proxy", address+".9")
		plain.Container = "envoy"
		bare := rig.OptedOut(namespace, "opted-out", address+".4")
		bare.Annotations = nil
		pods := []rig.Pod{
			rig.Sidecar(namespace, "sidecar", address+".1"), rig.Gateway(namespace, "gateway", address+".2"),
			rig.OptedOut(namespace, "scraped-by-itself", address+".3"), bare,
			rig.GRPC(namespace, "grpc", address+".5"), rig.Ztunnel(namespace, address+".6"),
		}
		for _, p := range pods {
			m.want = append(m.want, rig.Target{
				URL:    fmt.Sprintf("http://%s:%d/stats/prometheus", p.IP, p.Answers[0]),
				Labels: map[string]string{"namespace": namespace, "pod": p.Name + "-" + m.name, "app": p.Labels["app"], "version": "v1", "mesh_id": m.id},
			})
		}
		m.runPods(t, on, append(pods, plain)...)
	}
	// A namespace that is not the mesh's has pods like the mesh's.
	on.Namespaces(t, "elsewhere")
	m.runPods(t, on, rig.Sidecar("elsewhere", "sidecar", net+".255.1"))
	if m.istiod == "" {
		return
	}
	m.runPods(t, on, rig.Istiod(m.istiod, net+".255.2"))
	// Of a revision tag there is a Service that selects the same pods.
	for name, labels := range map[string]map[string]string{
		"istiod":                   {"app": "istiod", "istio": "pilot", "istio.io/rev": "default"},
		"istiod-revision-tag-prod": {"app": "istiod", "istio": "pilot", "istio.io/rev": "default", "istio.io/tag": "prod"},
	} {
		services := on.Client.CoreV1().Services(m.istiod)
		_, err := services.Create(t.Context(), &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
			Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "istiod"}, Ports: []corev1.ServicePort{{Name: "http-monitoring", Port: 15014}}},
		}, metav1.CreateOptions{})
		require.NoError(t, err)
		t.Cleanup(func() {
			require.NoError(t, services.Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{}))
		})
	}
	m.want = append(m.want, rig.Target{
		URL:    "http://" + net + ".255.2:15014/metrics",
		Labels: map[string]string{"namespace": m.istiod, "pod": "istiod-" + m.name, "app": "istiod", "mesh_id": m.id},
	})
}

func (m *mesh) runPods(t *testing.T, on *rig.Cluster, pods ...rig.Pod) {
	t.Helper()
	for i := range pods {
		pods[i].Name += "-" + m.name
	}
	on.RunPods(t, pods...)
}

// complete returns nil for a configuration with a job for every monitor and without a
// mistake.
func (m *mesh) complete(config string) error {
	jobs := []string{}
	for _, namespace := range m.namespaces {
		jobs = append(jobs, "job_name: podMonitor/"+namespace+"/istio-proxies-monitor/0")
	}
	for _, service := range m.services {
		jobs = append(jobs, "job_name: serviceMonitor/"+service+"/0")
	}
	for _, job := range jobs {
		if !strings.Contains(config, job) {
			return fmt.Errorf("there is no %q", job)
		}
	}
	if n := strings.Count(config, "job_name: "); n != len(jobs) {
		return fmt.Errorf("it has %d jobs, should be %d", n, len(jobs))
	}
	if strings.Contains(config, `\\d`) {
		return errors.New("it has the escapes of before")
	}
	return nil
}

// problems returns nil if every target of the mesh is scraped once, with its labels, and
// no other target, and if the requests of every proxy are in the store once.
func (m *mesh) problems(ctx context.Context) error {
	targets, err := m.prometheus.Targets(ctx)
	if err != nil {
		return err
	}
	var problems []string
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	name := func(labels map[string]string) string {
		return labels["namespace"] + "/" + strings.TrimSuffix(labels["pod"], "-"+m.name)
	}
	found := map[string][]rig.Target{}
	for _, target := range targets {
		found[name(target.Labels)] = append(found[name(target.Labels)], target)
	}
	for _, want := range m.want {
		of := name(want.Labels)
		got := found[of]
		delete(found, of)
		if len(got) != 1 {
			problem("%s: %d targets, should be 1", of, len(got))
			continue
		}
		if got[0].URL != want.URL {
			problem("%s: scraped at %s, should be %s", of, got[0].URL, want.URL)
		}
		for label, value := range want.Labels {
			if got[0].Labels[label] != value {
				problem("%s: %s is %s, should be %s", of, label, got[0].Labels[label], value)
			}
		}
		if got[0].Health != "up" {
			problem("%s: its target is %s: %s", of, got[0].Health, got[0].Error)
		}
	}
	for of, targets := range found {
		problem("%s: %d targets, should be none: %s", of, len(targets), targets[0].URL)
	}
	if len(problems) == 0 {
		series, err := m.prometheus.Query(ctx, fmt.Sprintf("istio_requests_total{mesh_id=%q, app!=\"\", version=\"v1\"}", m.id))
		if err != nil {
			return err
		}
		count := map[string]int{}
		for _, labels := range series {
			count[name(labels)]++
		}
		proxies := m.proxies()
		for _, want := range proxies {
			if n := count[name(want.Labels)]; n != 1 {
				problem("istio_requests_total of %s: %d series, should be 1", name(want.Labels), n)
			}
		}
		if len(series) != len(proxies) && len(problems) == 0 {
			problem("istio_requests_total: %d series, should be %d", len(series), len(proxies))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	slices.Sort(problems)
	return errors.New(strings.Join(problems, "\n"))
}

// meshID returns the mesh id of an example.
func meshID(t *testing.T, topology string) string {
	t.Helper()
	file := filepath.Join(topologyDir, topology)
	if filepath.Ext(file) == "" {
		file = filepath.Join(file, "topology.yaml")
	}
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var parsed struct {
		Spec struct{ Mesh struct{ ID string } }
	}
	require.NoError(t, yaml.Unmarshal(data, &parsed))
	require.NotEmpty(t, parsed.Spec.Mesh.ID)
	return parsed.Spec.Mesh.ID
}
