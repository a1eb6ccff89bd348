//go:build full

package suite

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/http"
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

	"github.com/sightline-mesh/sightline/e2e/asked"
	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

const (
	targetNamespace = "observability.open-cluster-management.io/target-namespace"
	component       = "app.kubernetes.io/component"
	window          = 20 * time.Second // of rates: ten collections
)

// TestFederation lets the Prometheus servers of two clusters scrape a mesh with the
// rendered monitors, and evaluate the rendered rules. A third server federates them with
// the rendered ScrapeConfigs. It answers every query of Kiali, for both clusters, with
// the sums of the pods. prometheus-operator configures all three.
//
// The suite does the work of ACM's add-on. It creates each rule in its namespace, gives
// each ScrapeConfig the Prometheus of its collector, and writes the cluster on each
// series.
func TestFederation(t *testing.T) {
	rig.NeedDefinitions(t, "that Prometheus servers federated by the rendered objects answer all that Kiali asks")
	for _, c := range []struct {
		example string
		ambient bool
	}{{"acm.yaml", false}, {"acm-apart.yaml", true}} {
		t.Run(strings.TrimSuffix(c.example, ".yaml"), func(t *testing.T) {
			f := newFederation(t, c.example, c.ambient)
			rig.Wait(t, 2*time.Minute, "the store to answer all that Kiali asks", f.problems)
			f.breaks(t)
		})
	}
}

// federation is a mesh on both clusters, and the store with its series.
type federation struct {
	t       *testing.T
	ambient bool
	users   map[*rig.Cluster]*rig.Prometheus
	store   *rig.Prometheus
	rules   map[*rig.Cluster][]*unstructured.Unstructured
}

func newFederation(t *testing.T, example string, ambient bool) *federation {
	clusters := rig.Up(t)
	file := filepath.Join(topologyDir, example)
	if ambient {
		file = inAmbient(t, file)
	}
	out := tree{dir: filepath.Join(t.TempDir(), "out")}
	rig.Run(t, rig.Sightline(), "render", file, "-o", out.dir, "--format", "manifests")
	collected := collectedBy(t, out)
	f := &federation{t: t, ambient: ambient, users: map[*rig.Cluster]*rig.Prometheus{}, rules: map[*rig.Cluster][]*unstructured.Unstructured{}}
	platforms := map[*rig.Cluster]*rig.Prometheus{}
	for i, on := range []*rig.Cluster{clusters.East, clusters.West} {
		f.users[on] = on.StartPrometheus(t)
		f.run(on, fmt.Sprintf("10.%d", 244+i))
		platforms[on] = on.StartPlatform(t, f.containers(on, fmt.Sprintf("10.%d.200.1:8080", 244+i)))
		monitors := slices.DeleteFunc(rig.Objects(t, []byte(manifests(t, out, on.Name, "monitoring"))), func(o *unstructured.Unstructured) bool {
			return !strings.HasSuffix(o.GetKind(), "Monitor")
		})
		t.Cleanup(func() { on.Delete(t, monitors...) })
		on.Apply(t, monitors...)
		f.users[on].Load(t, func(config string) error {
			if n := strings.Count(config, "job_name: "); n != len(monitors) {
				return fmt.Errorf("it has %d jobs, should be %d", n, len(monitors))
			}
			return nil
		})
		f.evaluate(on, collected)
	}
	f.store = f.users[clusters.East].StartStore(t)
	f.collect(clusters.East, collected, platforms)
	return f
}

// inAmbient is an example with another data plane.
func inAmbient(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	text := strings.Replace(string(data), "    id: mesh1\n", "    id: mesh1\n    dataPlane: ambient\n", 1)
	for _, cluster := range []string{"east", "west"} {
		text = strings.Replace(text, "    - name: "+cluster+"\n", "    - name: "+cluster+"\n      ztunnelNamespace: istio-system\n", 1)
	}
	changed := filepath.Join(t.TempDir(), "mesh.yaml")
	require.NoError(t, os.WriteFile(changed, []byte(text), 0o644))
	return changed
}

// collectedBy returns the ScrapeConfigs and rules for the ACM hub, which may be a cluster
// of the topology.
func collectedBy(t *testing.T, out tree) []*unstructured.Unstructured {
	t.Helper()
	var objects []*unstructured.Unstructured
	for _, pattern := range []string{"acm/*.yaml", "clusters/*/acm/*.yaml"} {
		files, err := filepath.Glob(filepath.Join(out.dir, filepath.FromSlash(pattern)))
		require.NoError(t, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			objects = append(objects, rig.Objects(t, data)...)
		}
	}
	return slices.DeleteFunc(objects, func(o *unstructured.Unstructured) bool {
		return o.GetKind() != "ScrapeConfig" && o.GetKind() != "PrometheusRule"
	})
}

// run makes the pods of the mesh, with addresses below net, and the Service of istiod.
func (f *federation) run(on *rig.Cluster, net string) {
	start := time.Now()
	for i, pod := range asked.Pods(on.Name, f.ambient) {
		p := rig.Sidecar(pod.Namespace, pod.App, fmt.Sprintf("%s.100.%d", net, i+1))
		switch pod.App {
		case "istiod":
			p = rig.Istiod(pod.Namespace, p.IP)
		case "ztunnel":
			p = rig.Ztunnel(pod.Namespace, p.IP)
		}
		p.Name, p.Changing = pod.Name, counting(pod.Series, start)
		on.RunPods(f.t, p)
	}
	services := on.Client.CoreV1().Services("istio-system")
	_, err := services.Create(f.t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "istiod", Labels: map[string]string{"app": "istiod", "istio": "pilot"}},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "istiod"}, Ports: []corev1.ServicePort{{Name: "http-monitoring", Port: 15014}}},
	}, metav1.CreateOptions{})
	require.NoError(f.t, err)
	f.t.Cleanup(func() {
		require.NoError(f.t, services.Delete(context.WithoutCancel(f.t.Context()), "istiod", metav1.DeleteOptions{}))
	})
}

// counting returns a page whose series count the seconds since the start.
func counting(series []map[string]string, start time.Time) func() string {
	return func() string {
		var page strings.Builder
		for _, s := range series {
			fmt.Fprintf(&page, "%s %.3f\n", asked.Text(s), time.Since(start).Seconds())
		}
		return page.String()
	}
}

// containers serves the kubelets' metrics of the control plane, and returns the address.
func (f *federation) containers(on *rig.Cluster, address string) string {
	page := counting(asked.Containers(asked.Pods(on.Name, f.ambient)), time.Now())
	listener, err := net.Listen("tcp", address)
	require.NoError(f.t, err)
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprint(w, page())
	})}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			f.t.Error(err)
		}
	}()
	f.t.Cleanup(func() { _ = server.Close() })
	return address
}

// evaluate creates each rule in the namespace that it names, like ACM's add-on. The
// server of user workloads then evaluates it.
func (f *federation) evaluate(on *rig.Cluster, collected []*unstructured.Unstructured) {
	records := 0
	for _, o := range collected {
		if o.GetKind() != "PrometheusRule" {
			continue
		}
		rule := o.DeepCopy()
		rule.SetNamespace(o.GetAnnotations()[targetNamespace])
		on.Namespaces(f.t, rule.GetNamespace())
		if rule.GetNamespace() == "mesh-observability" {
			f.users[on].WithoutEnforcement(f.t, rule.GetNamespace())
		}
		groups, _, _ := unstructured.NestedSlice(rule.Object, "spec", "groups")
		for _, group := range groups {
			records += len(group.(map[string]any)["rules"].([]any))
		}
		f.rules[on] = append(f.rules[on], rule)
	}
	require.NotEmpty(f.t, f.rules[on])
	f.t.Cleanup(func() { on.Delete(f.t, f.rules[on]...) })
	on.Apply(f.t, f.rules[on]...)
	f.users[on].LoadRules(f.t, func(rules string) error {
		if n := strings.Count(rules, "record: "); n != records {
			return fmt.Errorf("they record %d series, should be %d", n, records)
		}
		return nil
	})
}

// collect gives the store the ScrapeConfigs for each cluster: those of the platform with
// its Prometheus, and one of ACM's defaults.
func (f *federation) collect(hub *rig.Cluster, collected []*unstructured.Unstructured, platforms map[*rig.Cluster]*rig.Prometheus) {
	var configs []*unstructured.Unstructured
	for on, users := range f.users {
		var own *unstructured.Unstructured
		for _, o := range collected {
			if o.GetKind() != "ScrapeConfig" {
				continue
			}
			from := users
			if o.GetLabels()[component] == "platform-metrics-collector" {
				from = platforms[on]
				own = o.DeepCopy() // multicluster-observability-operator manifests/base/grafana/platform-mcoa/scrape-config.yaml
				require.NoError(f.t, unstructured.SetNestedStringSlice(own.Object,
					[]string{`{__name__="container_memory_working_set_bytes",container!="POD",container!=""}`}, "spec", "params", "match[]"))
				own.SetName(o.GetName() + "-default")
				configs = append(configs, pointed(f.t, own, on, from))
			}
			configs = append(configs, pointed(f.t, o.DeepCopy(), on, from))
		}
		require.NotNil(f.t, own)
	}
	hub.Namespaces(f.t, configs[0].GetNamespace())
	f.t.Cleanup(func() { hub.Delete(f.t, configs...) })
	hub.Apply(f.t, configs...)
	f.store.Load(f.t, func(config string) error {
		if n := strings.Count(config, "job_name: "); n != len(configs) {
			return fmt.Errorf("it has %d jobs, should be %d", n, len(configs))
		}
		return nil
	})
}

// pointed makes a ScrapeConfig of prometheus-operator for one cluster. ACM has the kind in
// another group. Like the add-on, it names the target and adds the name of the cluster
// to each series.
func pointed(t *testing.T, o *unstructured.Unstructured, on *rig.Cluster, from *rig.Prometheus) *unstructured.Unstructured {
	t.Helper()
	o.SetAPIVersion("monitoring.coreos.com/v1alpha1")
	o.SetName(o.GetName() + "-" + on.Name)
	spec := maps.Clone(o.Object["spec"].(map[string]any))
	spec["jobName"] = o.GetName()
	spec["staticConfigs"] = []any{map[string]any{"targets": []any{strings.TrimPrefix(from.URL(), "http://")}}}
	relabelings, _ := spec["metricRelabelings"].([]any)
	spec["metricRelabelings"] = append(slices.Clone(relabelings), map[string]any{"action": "replace", "targetLabel": "cluster",
		"replacement": on.Name})
	o.Object["spec"] = spec
	return o
}

// problems returns nil if the store answers every query of Kiali, of any line, with the
// sums of the pods.
func (f *federation) problems() error {
	var wrong []string
	clock := asked.Clock{Window: window, Rate: 1}
	for _, line := range asked.Lines() {
		for _, cluster := range []string{"east", "west"} {
			for _, q := range asked.Queries(line, cluster, f.ambient, clock) {
				// Samples are up to three seconds old.
				if series, sum, err := f.store.Sum(f.t.Context(), q.Expr); err != nil || series == 0 || q.Want != 0 && math.Abs(sum/q.Want-1) > 0.2 {
					wrong = append(wrong, fmt.Sprintf("%s: %s: %d series, the sum is %v, should be %v, %v", line, q.Expr, series, sum, q.Want, err))
				}
			}
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%d queries are not answered as they should be, the first:\n%s", len(wrong), strings.Join(wrong[:min(5, len(wrong))], "\n"))
}

// breaks removes the rules of one cluster. Then no query answers for its graph, and every
// query answers for the other cluster.
func (f *federation) breaks(t *testing.T) {
	t.Helper()
	for on := range f.users {
		if on.Name != "west" {
			continue
		}
		on.Delete(t, f.rules[on]...)
		f.users[on].LoadRules(t, func(rules string) error {
			if strings.Contains(rules, "record: ") {
				return errors.New("they still record something")
			}
			return nil
		})
	}
	clock := asked.Clock{Window: window, Rate: 1}
	rig.Wait(t, time.Minute, "the graph of west to be empty", func() error {
		for _, cluster := range []string{"east", "west"} {
			q := asked.Queries("v2.27", cluster, f.ambient, clock)[0]
			if series, _, err := f.store.Sum(t.Context(), q.Expr); err != nil || (series > 0) != (cluster == "east") {
				return fmt.Errorf("%d series of %s, %w", series, cluster, err)
			}
		}
		return nil
	})
}
