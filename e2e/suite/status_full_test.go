//go:build full

package suite

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// scraped is a mesh that real Prometheus servers scrape with the rendered monitors. The
// real controller of sealed-secrets opens its link. West's server sends its series to
// east's server, which is the store.
type scraped struct {
	*watched
	eastStore, westStore *rig.Prometheus
	mutex                sync.Mutex
	series               map[string]string // of istio_requests_total, by pod
}

const storeService = `
apiVersion: v1
kind: Service
metadata: {name: prometheus, namespace: monitoring}
spec: {selector: {app: prometheus}, ports: [{name: http, port: 9090}]}
`

func newScraped(t *testing.T) *scraped {
	s := &scraped{watched: &watched{repository: newRepository(t, "single"), metrics: true}, series: map[string]string{}}
	s.east.StartSealedSecrets(t)
	s.open = func() []byte {
		t.Helper()
		return s.east.Unsealed(t, s.link()[0]).Data["cluster2"]
	}
	const madeUp = 3 // the Prometheus resource
	s.arrive(madeUp)
	s.reseal()
	t.Cleanup(func() { s.deleteSecret(multiCluster) })
	service := rig.Objects(t, []byte(storeService))
	t.Cleanup(func() { s.east.Delete(t, service...) })
	s.east.Apply(t, service...)
	s.east.RunPods(t, rig.Pod{Namespace: "monitoring", Name: "prometheus", IP: s.east.Address, Labels: map[string]string{"app": "prometheus"},
		Container: "prometheus"})
	for i, c := range []*rig.Cluster{s.east, s.west} {
		name, other := fmt.Sprintf("cluster%d", 1+i), fmt.Sprintf("cluster%d", 2-i)
		net := fmt.Sprintf("10.%d.9", 244+i)
		client := rig.Sidecar("sample", "client", net+".1")
		client.Changing = s.says(name+"/client", request("source", name, other), request("destination", name, name))
		gateway := rig.Gateway("istio-system", "gateway", net+".2")
		gateway.Changing = s.says(name+"/gateway", request("source", name, name))
		spare := rig.Sidecar("sample", "spare", net+".3")
		spare.Changing = s.says(name+"/spare", request("destination", name, name))
		c.RunPods(t, client, gateway, spare)
	}
	s.eastStore = s.east.StartPrometheus(t)
	s.westStore = s.west.StartPrometheus(t, s.eastStore)
	s.load()
	return s
}

var podMonitors = schema.GroupVersionResource{Group: "monitoring.coreos.com", Version: "v1", Resource: "podmonitors"}

func request(reporter, source, destination string) string {
	return fmt.Sprintf(`istio_requests_total{reporter=%q,source_cluster=%q,destination_cluster=%q,response_code="200"}`, reporter, source,
		destination)
}

// says returns the page of a pod. The page has these series until a call of change.
func (s *scraped) says(pod string, series ...string) func() string {
	s.change(pod, series...)
	return func() string {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		return "# TYPE istio_requests_total counter\n" + s.series[pod]
	}
}

func (s *scraped) change(pod string, series ...string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.series[pod] = strings.Join(series, " 42\n") + " 42\n"
}

// load makes both servers scrape with the present monitors.
func (s *scraped) load() {
	s.t.Helper()
	for c, p := range map[*rig.Cluster]*rig.Prometheus{s.east: s.eastStore, s.west: s.westStore} {
		monitors, err := c.Dynamic.Resource(podMonitors).List(s.t.Context(), metav1.ListOptions{})
		require.NoError(s.t, err)
		var all strings.Builder
		require.NoError(s.t, json.NewEncoder(&all).Encode(monitors.Items))
		p.Load(s.t, func(config string) error {
			for i := range monitors.Items {
				if job := "podMonitor/" + monitors.Items[i].GetNamespace() + "/" + monitors.Items[i].GetName() + "/0"; !strings.Contains(config, job) {
					return fmt.Errorf("there is no %q", job)
				}
			}
			if n := strings.Count(config, "job_name: podMonitor/"); n != len(monitors.Items) {
				return fmt.Errorf("it has %d monitors of pods, should be %d", n, len(monitors.Items))
			}
			if n, want := strings.Count(config, "replacement: mesh2"), strings.Count(all.String(), `"replacement":"mesh2"`); n != want {
				return fmt.Errorf("it has another mesh id %d times, should be %d", n, want)
			}
			return nil
		})
	}
}

// reseal seals the link again, and waits for the controller and Kiali.
func (s *scraped) reseal() {
	s.t.Helper()
	s.seal("--context", "west", "--kubeconfig", kubeconfig(s.t, s.east, s.west), "--hub-context", "east")
	s.render()
	s.applyEast()
	require.NotEmpty(s.t, s.open())
	s.pod(true, time.Now().Add(time.Hour))
}

// TestStatusOnRealParts breaks a mesh with series from real Prometheus servers and a link
// that the real controller opens. Each fault shows in its check, and only there and in the
// checks that it breaks as well. The user has only the rights that --rights prints.
func TestStatusOnRealParts(t *testing.T) {
	rig.NeedDefinitions(t, "what status finds in the series of a real Prometheus")
	s := newScraped(t)
	administrator := s.config
	s.asReader()
	good := func() error {
		if code, not, found := s.status(); len(not) > 0 || code != 0 {
			return fmt.Errorf("%v\n%s", not, found)
		}
		return nil
	}
	rig.Wait(t, time.Minute, "nothing to be wrong", good)
	ctx := t.Context()
	local := request("destination", "cluster1", "cluster1")
	across := request("source", "cluster1", "cluster2")
	for _, fault := range []struct {
		name   string
		break_ func()
		mend   func()
		want   []string
		found  string
	}{
		{"a remote sends no series", func() { s.westStore.Server().Pause() }, func() { s.westStore.Server().Resume() },
			[]string{"ST25 cluster2 bad"}, "the store has no istio_requests_total of cluster2"},
		{"a namespace without a monitor",
			func() { s.east.Delete(t, podMonitor("sample")); s.west.Delete(t, podMonitor("sample")); s.load() },
			func() { s.applyWest(); s.applyHub("monitoring"); s.load() },
			[]string{"ST07 cluster1 bad", "ST07 cluster2 bad", "ST26 cluster1 bad", "ST26 cluster2 bad", "ST32 cluster1 warning"},
			"no proxy is scraped in the namespace sample of cluster2"},
		{"a namespace of one cluster without a monitor", func() { s.west.Delete(t, podMonitor("sample")); s.load() },
			func() { s.applyWest(); s.load() },
			[]string{"ST07 cluster2 bad", "ST26 cluster2 warning"}, "the store has no series from the namespace sample of cluster2"},
		{"a monitor with another mesh id", func() { s.east.Apply(t, s.monitor("istio-proxies-monitor", meshID2)); s.load() },
			func() { s.applyHub("monitoring"); s.load() },
			[]string{"ST08 cluster1 bad", "ST27 cluster1 bad"}, `series of cluster1 have the mesh_id mesh2, but Kiali asks for "mesh1"`},
		{"a second monitor", func() { s.east.Apply(t, s.monitor("somebody-elses", nil)); s.load() },
			func() { s.east.Delete(t, s.monitor("somebody-elses", nil)); s.load() },
			[]string{"ST29 cluster1 bad"}, "the same series come from several targets: pod sample/client"},
		{"a second monitor, which gives no mesh id", func() { s.east.Apply(t, s.monitor("somebody-elses", noMeshID)); s.load() },
			func() { s.east.Delete(t, s.monitor("somebody-elses", nil)); s.load() },
			[]string{"ST27 cluster1 bad"}, "series of cluster1 have no mesh_id"},
		{"a cluster that nobody knows", func() { s.change("cluster1/client", request("source", "cluster1", "Kubernetes"), across, local) },
			func() { s.change("cluster1/client", across, local) },
			[]string{"ST28 cluster1 bad"}, "series name the cluster Kubernetes, but the topology does not have it"},
		{"no request between clusters", func() {
			s.change("cluster1/client", request("source", "cluster1", "cluster1"), local)
			s.change("cluster2/client", request("source", "cluster2", "cluster2"), request("destination", "cluster2", "cluster2"))
		}, func() {
			s.change("cluster1/client", across, local)
			s.change("cluster2/client", request("source", "cluster2", "cluster1"), request("destination", "cluster2", "cluster2"))
		}, []string{"ST32 cluster1 warning"}, "no request between clusters"},
		{"a target that is down", func() { s.change("cluster1/spare", "}") }, func() { s.change("cluster1/spare", local) },
			[]string{"ST31 cluster1 bad"}, "targets of the mesh are down: pod sample/spare"},
		{"a store that does not answer", func() { s.eastStore.Server().Pause() }, func() { s.eastStore.Server().Resume() },
			[]string{"ST25 cluster1 bad"}, "the store of the metrics does not answer"},
		{"the SealedSecret is deleted", func() { s.east.Delete(t, s.link()...) },
			func() { s.applyEast(); require.NotEmpty(t, s.open()); s.pod(true, time.Now().Add(time.Hour)) },
			[]string{"ST07 cluster1 bad", "ST13 cluster2 bad"}, "the hub has no key cluster2 in the Secret istio-system/kiali-multi-cluster-secret"},
		{"the account is made anew, and the controller has filled the old link", func() {
			s.west.Delete(t, accountObject())
			_, err := s.west.Client.CoreV1().ServiceAccounts("istio-system").Create(ctx,
				&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "kiali-service-account"}}, metav1.CreateOptions{})
			require.NoError(t, err)
			s.applyWest()
		}, s.reseal, []string{"ST16 cluster2 bad"}, "the API server of cluster2 refuses the token in the link: the token is no longer valid"},
		{"a link that has been sealed and is not applied", func() {
			s.seal("--rotate")
			s.render()
			s.applyWest()
			s.seal("--context", "west", "--kubeconfig", administrator, "--hub-context", "east")
			s.render()
		}, func() { s.applyEast(); require.NotEmpty(t, s.open()); s.pod(true, time.Now().Add(time.Hour)) },
			[]string{"ST08 cluster1 bad", "ST13 cluster2 bad"}, "differs from sealed/: it is older, or somebody changed it"},
		{"the link was renewed after Kiali's start", func() { s.pod(true, time.Now().Add(-time.Hour)) },
			func() { s.pod(true, time.Now().Add(time.Hour)) },
			[]string{"ST18 cluster1 bad"}, "has not seen the change"},
	} {
		t.Run(fault.name, func(t *testing.T) {
			fault.break_()
			rig.Wait(t, time.Minute, "the fault to show", func() error {
				_, not, found := s.status()
				if !slices.Equal(fault.want, not) || !strings.Contains(found, fault.found) {
					return fmt.Errorf("found %v\n%s\nshould be %v\n%s", not, found, fault.want, fault.found)
				}
				return nil
			})
			fault.mend()
			rig.Wait(t, time.Minute, "all to be good again", good)
		})
	}
	s.hides(s.authenticates().BearerToken)
}

// monitor returns the PodMonitor of sample on east with another name and changed relabelings.
func (s *scraped) monitor(name string, change func([]any) []any) *unstructured.Unstructured {
	for _, o := range rig.Objects(s.t, []byte(manifests(s.t, s.out, "cluster1", "monitoring"))) {
		if o.GetKind() != "PodMonitor" || o.GetNamespace() != "sample" {
			continue
		}
		o.SetName(name)
		endpoints, _, _ := unstructured.NestedSlice(o.Object, "spec", "podMetricsEndpoints")
		for _, e := range endpoints {
			if change != nil {
				e.(map[string]any)["relabelings"] = change(e.(map[string]any)["relabelings"].([]any))
			}
		}
		require.NoError(s.t, unstructured.SetNestedSlice(o.Object, endpoints, "spec", "podMetricsEndpoints"))
		return o
	}
	s.t.Fatal("no PodMonitor is rendered for sample")
	return nil
}

func meshID2(relabelings []any) []any {
	for _, r := range relabelings {
		if r := r.(map[string]any); r["targetLabel"] == "mesh_id" {
			r["replacement"] = "mesh2"
		}
	}
	return relabelings
}

func noMeshID(relabelings []any) []any {
	return slices.DeleteFunc(relabelings, func(r any) bool { return r.(map[string]any)["targetLabel"] == "mesh_id" })
}

// applyHub applies a phase of the hub, and takes over fields of other managers.
func (s *scraped) applyHub(phase string) { applyManifests(s.t, s.out, "cluster1", phase, s.east) }
