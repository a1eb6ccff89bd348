package rig

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Pod is a pod of a mesh as Prometheus sees it: its object on the API server, and
// the answers of its containers to a scrape.
//
// It is a stand-in. No kubelet runs it, so the suite writes its status. There is no
// Envoy, so the metrics are a fixed text in Envoy's form.
type Pod struct {
	Namespace, Name string
	IP              string
	Labels          map[string]string
	Annotations     map[string]string
	Container       string           // in addition to the application's
	Declares        map[string]int32 // ports of Container, by name
	Answers         []int            // ports with metrics, declared or not
	Metrics         string
	Changing        func() string // instead of Metrics, if they change
}

// MergedMetrics has the annotations of Istio that name the port and path at which the
// agent of a proxy serves the metrics of agent, Envoy and application together.
func MergedMetrics() map[string]string {
	return map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "15020", "prometheus.io/path": "/stats/prometheus"}
}

// Sidecar is a pod of an application with Istio's proxy, in the version v1. The proxy
// declares the port of Envoy's own metrics, not the one of merged metrics.
func Sidecar(namespace, app, ip string) Pod {
	return Pod{
		Namespace: namespace, Name: app, IP: ip, Labels: map[string]string{"app": app, "version": "v1"}, Annotations: MergedMetrics(),
		Container: "istio-proxy", Declares: map[string]int32{"http-envoy-prom": 15090}, Answers: []int{15020, 15090}, Metrics: requests(namespace,
			app),
	}
}

// Gateway is a pod of a gateway. It declares every port of its proxy.
func Gateway(namespace, app, ip string) Pod {
	p := Sidecar(namespace, app, ip)
	p.Declares = map[string]int32{"metrics": 15020, "status-port": 15021, "http-envoy-prom": 15090}
	return p
}

// OptedOut is a pod that opted out of merged metrics, because its application is
// scraped separately. The annotations are the application's, which has no metrics of
// proxies. Envoy serves its metrics at the port that it declares.
func OptedOut(namespace, app, ip string) Pod {
	p := Sidecar(namespace, app, ip)
	p.Annotations = map[string]string{
		"prometheus.istio.io/merge-metrics": "false", "prometheus.io/scrape": "true", "prometheus.io/port": "9102",
		"prometheus.io/path": "/metrics",
	}
	p.Answers = []int{15090}
	return p
}

// GRPC is a pod of a gRPC application without Envoy. Its agent serves the metrics at
// a port that it declares.
func GRPC(namespace, app, ip string) Pod {
	p := Sidecar(namespace, app, ip)
	p.Declares, p.Answers = map[string]int32{"mesh-metrics": 15020}, []int{15020}
	return p
}

// Ztunnel is the proxy of a node in an ambient mesh. Its chart names no path.
func Ztunnel(namespace, ip string) Pod {
	p := Sidecar(namespace, "ztunnel", ip)
	p.Annotations = map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "15020"}
	p.Declares, p.Answers = map[string]int32{"ztunnel-stats": 15020}, []int{15020}
	return p
}

// Istiod is a pod of the control plane. It also has the annotations, but no proxy.
func Istiod(namespace, ip string) Pod {
	return Pod{
		Namespace: namespace, Name: "istiod", IP: ip, Labels: map[string]string{"app": "istiod", "istio": "pilot"},
		Annotations: map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "15014"},
		Container:   "discovery", Declares: map[string]int32{"http-monitoring": 15014}, Answers: []int{15014},
		Metrics: "# TYPE pilot_info gauge\npilot_info{version=\"1.27.0\"} 1\n",
	}
}

// requests returns Envoy's metrics of the requests that an application received.
func requests(namespace, app string) string {
	return fmt.Sprintf("# TYPE istio_requests_total counter\n"+
		`istio_requests_total{reporter="destination",source_workload="client",destination_workload=%[2]q,destination_workload_namespace=%[1]q,`+
		`destination_canonical_service=%[2]q,destination_canonical_revision="v1",`+
		`destination_service_name=%[2]q,destination_service_namespace=%[1]q,`+
		`request_protocol="http",response_code="200",response_flags="-",connection_security_policy="mutual_tls"} 42`+"\n", namespace, app)
}

// RunPods makes running and ready pods on the cluster, and answers for them, until the
// test ends.
func (c *Cluster) RunPods(t testing.TB, pods ...Pod) {
	t.Helper()
	for _, p := range pods {
		c.runPod(t, p)
		for _, port := range p.Answers {
			p.serve(t, port)
		}
	}
}

func (c *Cluster) runPod(t testing.TB, p Pod) {
	t.Helper()
	ctx := t.Context()
	proxy := corev1.Container{Name: p.Container, Image: "example.com/proxy:1"}
	for _, name := range slices.Sorted(maps.Keys(p.Declares)) {
		proxy.Ports = append(proxy.Ports, corev1.ContainerPort{Name: name, ContainerPort: p.Declares[name], Protocol: corev1.ProtocolTCP})
	}
	// Endpoints only have pods of existing nodes.
	const node = "a-node"
	if _, err := c.Client.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node}},
		metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	pods := c.Client.CoreV1().Pods(p.Namespace)
	pod, err := pods.Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name, Labels: p.Labels, Annotations: p.Annotations},
		Spec: corev1.PodSpec{NodeName: node, Containers: []corev1.Container{
			{Name: "application", Image: "example.com/application:1",
				Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 9080, Protocol: corev1.ProtocolTCP}}},
			proxy,
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		now := int64(0) // no kubelet would end it
		if err := pods.Delete(context.WithoutCancel(ctx), p.Name, metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
			t.Error(err)
		}
	})
	pod.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, PodIP: p.IP, PodIPs: []corev1.PodIP{{IP: p.IP}}, HostIP: c.Address,
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
	}
	for _, container := range pod.Spec.Containers {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: container.Name, Image: container.Image, Ready: true,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
		})
	}
	if _, err = pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (p Pod) serve(t testing.TB, port int) {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(p.IP, strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		text := p.Metrics
		if p.Changing != nil {
			text = p.Changing()
		}
		fmt.Fprint(w, text)
	}
	mux.HandleFunc("GET /stats/prometheus", answer)
	mux.HandleFunc("GET /metrics", answer)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { _ = server.Close() })
}
