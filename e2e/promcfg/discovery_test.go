package promcfg_test

import (
	"context"
	"slices"
	"testing"
	"time"

	promclient "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/kubernetes"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/scrape"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
	cachetesting "k8s.io/client-go/tools/cache/testing"
)

// target is a target of Prometheus: its address under "url", and the labels of
// every series.
type target map[string]string

// discovery is the result of Prometheus' own discovery of a cluster's objects,
// by the role that a job asks for.
type discovery map[kubernetes.Role][]*targetgroup.Group

// discover runs Prometheus' discoverers on the objects that an API server would
// send. Endpoints are deprecated, but prometheus-operator still asks for them.
func discover(t *testing.T, pods []*corev1.Pod, services []*corev1.Service, endpoints []*corev1.Endpoints) discovery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	events := promclient.NewCounterVec(promclient.CounterOpts{Name: "events"}, []string{"role", "event"})
	log := promslog.NewNopLogger()
	podInformer := informer(ctx, &corev1.Pod{}, pods)
	return discovery{
		kubernetes.RolePod: collect(ctx, t, len(pods),
			kubernetes.NewPod(log, podInformer, nil, nil, events).Run),
		kubernetes.RoleEndpoint: collect(ctx, t, len(endpoints),
			kubernetes.NewEndpoints(log, informer(ctx, &corev1.Endpoints{}, endpoints), informer(ctx, &corev1.Service{}, services), podInformer, nil, nil, events).Run),
	}
}

// informer returns a running informer of these objects.
func informer[T runtime.Object](ctx context.Context, kind runtime.Object, objects []T) cache.SharedIndexInformer {
	source := cachetesting.NewFakeControllerSource()
	for _, o := range objects {
		source.Add(o)
	}
	i := cache.NewSharedIndexInformer(source, kind, 0, cache.Indexers{})
	go i.Run(ctx.Done())
	return i
}

// collect waits for one group of targets for each object.
func collect(ctx context.Context, t *testing.T, objects int, run func(context.Context, chan<- []*targetgroup.Group)) []*targetgroup.Group {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ch := make(chan []*targetgroup.Group)
	go run(ctx, ch)
	bySource := map[string]*targetgroup.Group{}
	for len(bySource) < objects {
		select {
		case groups := <-ch:
			for _, g := range groups {
				bySource[g.Source] = g
			}
		case <-ctx.Done():
			require.Failf(t, "discovery did not end", "%d of %d objects after 30 s", len(bySource), objects)
		}
	}
	groups := []*targetgroup.Group{}
	for _, g := range bySource {
		groups = append(groups, g)
	}
	return groups
}

// targets returns the targets of these jobs, by the name of the pod. Like
// Prometheus, it keeps one of the targets that differ only in meta labels.
func (d discovery) targets(t *testing.T, jobs map[string]*config.ScrapeConfig) map[string][]target {
	t.Helper()
	found := map[string][]target{}
	for _, job := range jobs {
		require.Len(t, job.ServiceDiscoveryConfigs, 1)
		sd, ok := job.ServiceDiscoveryConfigs[0].(*kubernetes.SDConfig)
		require.True(t, ok, "%T", job.ServiceDiscoveryConfigs[0])
		require.Empty(t, sd.Selectors)
		require.Contains(t, d, sd.Role)
		seen := map[uint64]bool{}
		for _, group := range d[sd.Role] {
			namespace := string(group.Labels["__meta_kubernetes_namespace"])
			if names := sd.NamespaceDiscovery.Names; len(names) > 0 && !slices.Contains(names, namespace) {
				continue
			}
			scraped, failures := scrape.TargetsFromGroup(group, job, nil, labels.NewBuilder(labels.EmptyLabels()))
			require.Empty(t, failures)
			for _, s := range scraped {
				l := s.Labels(labels.NewBuilder(labels.EmptyLabels()))
				if l.IsEmpty() {
					continue
				}
				one := target{"url": s.URL().String()}
				l.Range(func(l labels.Label) { one[l.Name] = l.Value })
				key := labels.FromMap(one).Hash()
				if !seen[key] {
					seen[key] = true
					found[one["pod"]] = append(found[one["pod"]], one)
				}
			}
		}
	}
	return found
}

// pod returns a running pod whose containers declare these ports.
func pod(namespace, name, ip string, more func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name,
			Labels:      map[string]string{"app": "reviews", "version": "v1"},
			Annotations: map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "15020", "prometheus.io/path": "/stats/prometheus"},
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{
			{Name: "reviews", Ports: ports(map[string]int32{"http": 9080})},
			{Name: "istio-proxy", Ports: ports(map[string]int32{"http-envoy-prom": 15090})},
		}},
		Status: corev1.PodStatus{PodIP: ip, Phase: corev1.PodRunning},
	}
	if more != nil {
		more(p)
	}
	return p
}

func ports(numbers map[string]int32) []corev1.ContainerPort {
	var all []corev1.ContainerPort
	for name, number := range numbers {
		all = append(all, corev1.ContainerPort{Name: name, ContainerPort: number, Protocol: corev1.ProtocolTCP})
	}
	return all
}

// meshPods returns the proxies that every namespace of a mesh may have, and
// pods that must not be scraped there.
func meshPods(namespace string) []*corev1.Pod {
	return []*corev1.Pod{
		pod(namespace, namespace+"-sidecar", "10.0.0.12", nil),
		pod(namespace, namespace+"-native-sidecar", "10.0.0.13", func(p *corev1.Pod) {
			p.Spec.InitContainers, p.Spec.Containers = p.Spec.Containers[1:], p.Spec.Containers[:1]
		}),
		pod(namespace, namespace+"-gateway", "10.0.0.14", func(p *corev1.Pod) {
			p.Spec.Containers = []corev1.Container{{Name: "istio-proxy", Ports: ports(map[string]int32{"metrics": 15020, "status-port": 15021, "http-envoy-prom": 15090})}}
		}),
		pod(namespace, namespace+"-other-port", "10.0.0.15", func(p *corev1.Pod) { p.Annotations["prometheus.io/port"] = "16020" }),
		pod(namespace, namespace+"-opted-out", "10.0.0.16", func(p *corev1.Pod) { p.Annotations = nil }),
		pod(namespace, namespace+"-scraped-by-itself", "10.0.0.19", func(p *corev1.Pod) {
			p.Annotations = map[string]string{"prometheus.istio.io/merge-metrics": "false", "prometheus.io/scrape": "true", "prometheus.io/port": "9102", "prometheus.io/path": "/metrics"}
		}),
		pod(namespace, namespace+"-grpc", "10.0.0.21", func(p *corev1.Pod) {
			p.Spec.Containers[1].Ports = ports(map[string]int32{"mesh-metrics": 15020})
		}),
		pod(namespace, namespace+"-node-proxy", "10.0.0.22", func(p *corev1.Pod) {
			p.Annotations = map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "15020"}
			p.Spec.Containers = []corev1.Container{{Name: "istio-proxy", Ports: ports(map[string]int32{"ztunnel-stats": 15020})}}
		}),
		pod(namespace, namespace+"-without-proxy", "10.0.0.17", func(p *corev1.Pod) { p.Spec.Containers = p.Spec.Containers[:1] }),
		pod(namespace, namespace+"-ended", "10.0.0.18", func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }),
	}
}

// meshTargets returns the targets that meshPods should give.
func meshTargets(namespace, mesh string) map[string][]target {
	all := map[string][]target{}
	for name, address := range map[string]string{
		"sidecar": "10.0.0.12:15020", "native-sidecar": "10.0.0.13:15020", "gateway": "10.0.0.14:15020", "other-port": "10.0.0.15:16020",
		"opted-out": "10.0.0.16:15090", "scraped-by-itself": "10.0.0.19:15090", "grpc": "10.0.0.21:15020", "node-proxy": "10.0.0.22:15020",
	} {
		all[namespace+"-"+name] = []target{{
			"url": "http://" + address + "/stats/prometheus", "instance": address,
			"job": namespace + "/istio-proxies-monitor", "namespace": namespace, "pod": namespace + "-" + name, "container": "istio-proxy",
			"app": "reviews", "version": "v1", "mesh_id": mesh,
		}}
	}
	return all
}

// istiod returns a control plane with a revision tag: two Services select one
// pod.
func istiod(namespace string) (*corev1.Pod, []*corev1.Service, []*corev1.Endpoints) {
	p := pod(namespace, "istiod", "10.0.0.20", func(p *corev1.Pod) {
		p.Labels, p.Annotations = map[string]string{"app": "istiod", "istio": "pilot"}, map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "15014"}
		p.Spec.Containers = []corev1.Container{{Name: "discovery", Ports: ports(map[string]int32{"http-monitoring": 15014, "grpc-xds": 15010})}}
	})
	var services []*corev1.Service
	var endpoints []*corev1.Endpoints
	for name, more := range map[string]string{"istiod": "", "istiod-revision-tag-prod": "prod"} {
		meta := metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": "istiod", "istio": "pilot", "istio.io/rev": "default"}}
		if more != "" {
			meta.Labels["istio.io/tag"] = more
		}
		services = append(services, &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http-monitoring", Port: 15014}, {Name: "grpc-xds", Port: 15010}}}})
		endpoints = append(endpoints, &corev1.Endpoints{ObjectMeta: meta, Subsets: []corev1.EndpointSubset{{
			Addresses: []corev1.EndpointAddress{{IP: "10.0.0.20", TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: namespace, Name: "istiod"}}},
			Ports:     []corev1.EndpointPort{{Name: "http-monitoring", Port: 15014, Protocol: corev1.ProtocolTCP}, {Name: "grpc-xds", Port: 15010, Protocol: corev1.ProtocolTCP}},
		}}})
	}
	return p, services, endpoints
}

func istiodTarget(namespace, mesh string) target {
	return target{
		"url": "http://10.0.0.20:15014/metrics", "instance": "10.0.0.20:15014",
		"job": "istiod", "namespace": namespace, "pod": "istiod", "container": "discovery", "service": "istiod", "endpoint": "http-monitoring",
		"app": "istiod", "mesh_id": mesh,
	}
}
