package render_test

import (
	"maps"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	yamlv3 "go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	klabels "k8s.io/apimachinery/pkg/labels"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// The tests of this file run the relabelings of the rendered monitors in
// Prometheus' own engine. The input is what Prometheus discovers about the pods
// that Istio makes. The output is targets.

// TestPodMonitorTargets shows that each proxy is one target with the labels for
// Kiali's groups. With merged metrics it is at the port that annotations name,
// else at the port that the proxy declares.
func TestPodMonitorTargets(t *testing.T) {
	reviews := container{name: "reviews", ports: []port{{"http", 9080}}}
	native := container{name: "istio-proxy", init: true, ports: proxy.ports}
	grpc := container{name: "istio-proxy", ports: []port{{"mesh-metrics", 15020}}}
	sidecar := sidecar.with(reviews, proxy)
	bare := sidecar.annotated(nil)
	// The annotations of a pod that wants to be scraped separately.
	application := sidecar.annotated(map[string]string{
		"prometheus.istio.io/merge-metrics": "false", "prometheus.io/scrape": "true", "prometheus.io/port": "9102", "prometheus.io/path": "/metrics",
	})
	elsewhere := map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "16020", "prometheus.io/path": "/stats/prometheus"}

	for _, test := range []struct {
		name    string
		pod     pod
		found   int    // targets before relabeling
		address string // of the one target after relabeling; empty: there is none
		labels  target // in addition to the labels of every target
	}{
		{"sidecar", sidecar, 2, "10.0.0.12:15020", nil},
		{"native sidecar", sidecar.with(reviews, native), 2, "10.0.0.12:15020", nil},
		{"gateway", sidecar.with(gateway), 3, "10.0.0.12:15020", nil},
		{"ztunnel", ztunnel, 1, "10.0.0.12:15020", target{"app": "ztunnel"}},
		{"gRPC application without Envoy", sidecar.with(reviews, grpc), 2, "10.0.0.12:15020", nil},
		{"another status port of the mesh", sidecar.annotated(elsewhere), 2, "10.0.0.12:16020", nil},
		{"opted out, scraped by itself", application, 2, "10.0.0.12:15090", nil},
		{"opted out, scraped by itself, IPv6", application.at("fd00::1"), 2, "[fd00::1]:15090", nil},
		{"opted out, without annotations", bare, 2, "10.0.0.12:15090", nil},
		{"opted out by prometheus.io/scrape", sidecar.annotated(map[string]string{"prometheus.io/scrape": "false"}), 2, "10.0.0.12:15090", nil},
		{"native sidecar that opted out", application.with(native, reviews), 2, "10.0.0.12:15090", nil},
		{"no proxy", sidecar.with(reviews), 1, "", nil},
		{"an Envoy that is no proxy of the mesh", sidecar.with(container{name: "envoy", ports: proxy.ports}), 1, "", nil},
		{"pod that asks to be ignored", sidecar.labelled("istio-prometheus-ignore", "true"), 2, "", nil},

		{"IPv6", sidecar.at("fd00:10:244:1::5"), 2, "[fd00:10:244:1::5]:15020", nil},
		{"IPv6 of eight groups", sidecar.at("2001:db8:85a3:8d3:1319:8a2e:370:7348"), 2, "[2001:db8:85a3:8d3:1319:8a2e:370:7348]:15020", nil},
		{"IPv6 of two groups", sidecar.at("fd00::1"), 2, "[fd00::1]:15020", nil},
		{"IPv6 in capitals", sidecar.at("FD00:10:244:1::AF"), 2, "[FD00:10:244:1::AF]:15020", nil},
		{"IPv6 gateway", sidecar.with(gateway).at("fd00::1"), 3, "[fd00::1]:15020", nil},

		{"app and version", sidecar.labelled("app", "reviews", "version", "v1"), 2, "10.0.0.12:15020", target{"app": "reviews", "version": "v1"}},
		{"recommended labels", sidecar.labelled("app.kubernetes.io/name", "reviews", "app.kubernetes.io/version", "v1"), 2, "10.0.0.12:15020", target{"app": "reviews", "version": "v1"}},
		{"recommended labels win", sidecar.labelled("app", "old", "app.kubernetes.io/name", "reviews", "version", "v0", "app.kubernetes.io/version", "v1"), 2, "10.0.0.12:15020", target{"app": "reviews", "version": "v1"}},
		{"one of each", sidecar.labelled("app.kubernetes.io/name", "reviews", "version", "v1"), 2, "10.0.0.12:15020", target{"app": "reviews", "version": "v1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.Len(t, test.pod.discovered(), test.found)
			assert.Equal(t, proxyTarget(test.pod, test.address, test.labels), podMonitor(t, true, test.pod.namespace).targets(t, test.pod))
		})
	}
	for _, test := range []struct {
		name    string
		pod     pod
		address string
		labels  target
	}{
		{"sidecar", bare, "10.0.0.12:15090", nil},
		{"native sidecar", bare.with(reviews, native), "10.0.0.12:15090", nil},
		{"gateway, which has the annotations all the same", sidecar.with(gateway), "10.0.0.12:15090", nil},
		{"IPv6", bare.at("fd00::1"), "[fd00::1]:15090", nil},
		{"labels", bare.labelled("app", "reviews", "app.kubernetes.io/version", "v1"), "10.0.0.12:15090", target{"app": "reviews", "version": "v1"}},
		{"an Envoy that is no proxy of the mesh", bare.with(container{name: "envoy", ports: proxy.ports}), "", nil},
	} {
		t.Run("without merge/"+test.name, func(t *testing.T) {
			assert.Equal(t, proxyTarget(test.pod, test.address, test.labels), podMonitor(t, false, test.pod.namespace).targets(t, test.pod))
		})
	}
}

// TestGuidesMistakesShow runs the guide's mistakes, to show that the test above
// finds them.
func TestGuidesMistakesShow(t *testing.T) {
	t.Run("S2: escapes that only a shell removes", func(t *testing.T) {
		m := podMonitor(t, true, "sample")
		for i := range m.relabelings() {
			r := &m.relabelings()[i]
			r.Regex = strings.ReplaceAll(r.Regex, `\d`, `\\d`)
			if r.Replacement != nil {
				escaped := strings.ReplaceAll(*r.Replacement, "$", `\$`)
				r.Replacement = &escaped
			}
		}
		p := sidecar.labelled("app", "reviews")
		assert.Equal(t, proxyTarget(p, "10.0.0.12:15090", target{"app": `\\reviews`}), m.targets(t, p), "the declared port, not that of the annotation")
	})
	annotated := relabeling{Action: "keep", SourceLabels: []string{"__meta_kubernetes_pod_annotationpresent_prometheus_io_scrape"}}
	optedOut := sidecar.annotated(map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "9102"})
	guides := func(t *testing.T, keep relabeling) monitor {
		m := podMonitor(t, true, "sample")
		for i := range m.relabelings() {
			r := &m.relabelings()[i]
			if isPortName(*r) {
				*r = keep
			}
			if len(r.SourceLabels) == 3 { // the address with any path
				r.SourceLabels, r.Regex = r.SourceLabels[1:], strings.TrimPrefix(r.Regex, "/stats/prometheus;")
			}
		}
		return m
	}
	t.Run("S4: a keep without regex", func(t *testing.T) {
		m := guides(t, annotated)
		assert.Equal(t, proxyTarget(optedOut, "10.0.0.12:9102", nil), m.targets(t, optedOut), "the application's port")
		assert.Len(t, m.targets(t, sidecar.with(gateway).annotated(nil)), 3, "every port of a gateway, two of them with the same metrics")
	})
	t.Run("S4: its regex put right", func(t *testing.T) {
		annotated := annotated
		annotated.Regex = "true"
		m := guides(t, annotated)
		bare := sidecar.annotated(nil)
		assert.Empty(t, m.targets(t, bare), "a proxy that opted out is lost")
		assert.Equal(t, proxyTarget(optedOut, "10.0.0.12:9102", nil), m.targets(t, optedOut), "the application's port")
	})
}

// isPortName tells whether a rule decides by the name of a declared port.
func isPortName(r relabeling) bool {
	return slices.Contains(r.SourceLabels, "__meta_kubernetes_pod_container_port_name")
}

// TestQueryScopeIsOnEverySeries shows that Kiali limits its queries by the same
// label that the monitors of every cluster add. A difference would give empty
// graphs and no error.
func TestQueryScopeIsOnEverySeries(t *testing.T) {
	objects := rendered(t, eastWest(t))
	hub := decode[resource.Object](t, objects["cluster1/Kiali/istio-system/kiali"])
	scope, found, err := unstructured.NestedStringMap(hub, "spec", "external_services", "prometheus", "query_scope")
	require.NoError(t, err)
	require.True(t, found)
	monitors := 0
	for key, manifest := range objects {
		if !strings.Contains(key, "Monitor/") {
			continue
		}
		monitors++
		for label, value := range scope {
			want := relabeling{Action: "replace", TargetLabel: label, Replacement: &value}
			assert.Contains(t, decode[monitor](t, manifest).relabelings(), want, key)
		}
	}
	assert.Equal(t, 6, monitors)
}

// TestServiceMonitorSelectsIstiodOnce shows that the monitor selects one
// Service for each revision, although several Services select istiod.
func TestServiceMonitorSelectsIstiodOnce(t *testing.T) {
	// The labels of the Services in Istio's charts.
	services := map[string]klabels.Set{
		"istiod":                       {"app": "istiod", "istio": "pilot", "istio.io/rev": "default"},
		"istiod-1-27":                  {"app": "istiod", "istio": "pilot", "istio.io/rev": "1-27"},
		"istiod-revision-tag-prod":     {"app": "istiod", "istio": "pilot", "istio.io/rev": "1-27", "istio.io/tag": "prod"},
		"istiod on a remote, external": {"app": "istiod", "istio.io/rev": "default"},
	}
	selected := func(s metav1.LabelSelector) map[string]bool {
		selector, err := metav1.LabelSelectorAsSelector(&s)
		require.NoError(t, err)
		names := map[string]bool{}
		for name, labels := range services {
			if selector.Matches(labels) {
				names[name] = true
			}
		}
		return names
	}
	s := decode[monitor](t, rendered(t, eastWest(t))["cluster1/ServiceMonitor/istio-system/istiod-monitor"]).Spec.Selector
	assert.Equal(t, map[string]bool{"istiod": true, "istiod-1-27": true}, selected(s))

	s.MatchExpressions = nil
	assert.True(t, selected(s)["istiod-revision-tag-prod"], "the guide's selector takes the Service of a tag as well")
}

// monitor has the fields that a PodMonitor or ServiceMonitor may have here. Any
// other field fails the test that reads it.
type monitor struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        metav1.ObjectMeta `json:"metadata"`
	Spec            struct {
		Selector            metav1.LabelSelector `json:"selector"`
		TargetLabels        []string             `json:"targetLabels"`
		Endpoints           []endpoint           `json:"endpoints"`
		PodMetricsEndpoints []endpoint           `json:"podMetricsEndpoints"`
	} `json:"spec"`
}

type endpoint struct {
	Port        string       `json:"port"`
	Path        string       `json:"path"`
	Interval    string       `json:"interval"`
	Relabelings []relabeling `json:"relabelings"`
}

// relabeling is read with the names of a monitor, and written with the names of
// Prometheus' configuration. Absent fields stay absent: Prometheus has the
// defaults.
type relabeling struct {
	Action       string   `json:"action" yaml:"action,omitempty"`
	SourceLabels []string `json:"sourceLabels" yaml:"source_labels,omitempty"`
	Separator    *string  `json:"separator" yaml:"separator,omitempty"`
	Regex        string   `json:"regex" yaml:"regex,omitempty"`
	Replacement  *string  `json:"replacement" yaml:"replacement,omitempty"`
	TargetLabel  string   `json:"targetLabel" yaml:"target_label,omitempty"`
}

// podMonitor returns the hub's PodMonitor of a namespace.
func podMonitor(t *testing.T, merge bool, namespace string) monitor {
	t.Helper()
	top := eastWest(t, prometheusMerge(merge), func(s *topology.Spec) { s.Namespaces = append(s.Namespaces, "ztunnel") })
	return decode[monitor](t, rendered(t, top)["cluster1/PodMonitor/"+namespace+"/istio-proxies-monitor"])
}

func (m monitor) endpoint() endpoint {
	return slices.Concat(m.Spec.Endpoints, m.Spec.PodMetricsEndpoints)[0]
}

func (m monitor) relabelings() []relabeling { return m.endpoint().Relabelings }

// config returns the relabel_configs that prometheus-operator writes for the
// monitor: its own rules, then the monitor's.
func (m monitor) config(t *testing.T) []*relabel.Config {
	t.Helper()
	set := func(label, value string) relabeling { return relabeling{TargetLabel: label, Replacement: &value} }
	from := func(label, source string) relabeling {
		return relabeling{TargetLabel: label, SourceLabels: []string{source}}
	}
	rules := []relabeling{
		from("__tmp_prometheus_job_name", "job"),
		{Action: "drop", SourceLabels: []string{"__meta_kubernetes_pod_phase"}, Regex: "(Failed|Succeeded)"},
	}
	require.Empty(t, m.Spec.Selector.MatchLabels)
	for _, e := range m.Spec.Selector.MatchExpressions {
		require.Equal(t, metav1.LabelSelectorOpDoesNotExist, e.Operator)
		rules = append(rules, relabeling{Action: "drop", SourceLabels: []string{"__meta_kubernetes_pod_labelpresent_" + sanitized(e.Key)}, Regex: "true"})
	}
	port := m.endpoint().Port
	if port != "" {
		rules = append(rules, relabeling{Action: "keep", SourceLabels: []string{"__meta_kubernetes_pod_container_port_name"}, Regex: port})
	}
	rules = append(rules,
		from("namespace", "__meta_kubernetes_namespace"),
		from("container", "__meta_kubernetes_pod_container_name"),
		from("pod", "__meta_kubernetes_pod_name"),
		set("job", m.Metadata.Namespace+"/"+m.Metadata.Name))
	if port != "" {
		rules = append(rules, set("endpoint", port))
	}
	return configs(t, append(rules, m.relabelings()...))
}

// configs reads rules as Prometheus reads its configuration.
func configs(t *testing.T, rules []relabeling) []*relabel.Config {
	t.Helper()
	data, err := yamlv3.Marshal(rules)
	require.NoError(t, err)
	var configs []*relabel.Config
	require.NoError(t, yamlv3.Unmarshal(data, &configs))
	for _, c := range configs {
		require.NoError(t, c.Validate(model.LegacyValidation))
	}
	return configs
}

// target is a target of Prometheus: its address under __address__, and the
// labels of every series.
type target map[string]string

// proxyTarget returns the one target that a proxy should be, with the labels of
// every target and more. Without an address it returns none.
func proxyTarget(p pod, address string, more target) []target {
	if address == "" {
		return nil
	}
	one := target{
		"__address__": address,
		"namespace":   p.namespace,
		"container":   "istio-proxy",
		"pod":         podName,
		"job":         p.namespace + "/istio-proxies-monitor",
		"mesh_id":     "mesh1",
	}
	maps.Copy(one, more)
	return []target{one}
}

// targets returns the targets of a pod. If targets differ only in meta labels,
// Prometheus keeps one.
func (m monitor) targets(t *testing.T, p pod) []target {
	t.Helper()
	config := m.config(t)
	seen := map[uint64]bool{}
	var found []target
	for _, discovered := range p.discovered() {
		b := labels.NewBuilder(labels.FromMap(discovered))
		b.Set(model.JobLabel, "podMonitor/"+m.Metadata.Namespace+"/"+m.Metadata.Name+"/0")
		if !relabel.ProcessBuilder(b, config...) {
			continue
		}
		b.Range(func(l labels.Label) {
			if strings.HasPrefix(l.Name, model.MetaLabelPrefix) {
				b.Del(l.Name)
			}
		})
		hash := b.Labels().Hash()
		if seen[hash] {
			continue
		}
		seen[hash] = true
		visible := target{}
		b.Range(func(l labels.Label) {
			if l.Name == model.AddressLabel || !strings.HasPrefix(l.Name, model.ReservedLabelPrefix) {
				visible[l.Name] = l.Value
			}
		})
		found = append(found, visible)
	}
	return found
}

// pod is the part of a pod that a monitor's rules can read.
type pod struct {
	namespace, ip       string
	labels, annotations map[string]string
	containers          []container
}

type container struct {
	name  string
	init  bool
	ports []port
}

type port struct {
	name   string
	number int
}

const podName = "a-pod-7d9c"

// What Istio injects: the proxy only declares the port of Envoy. Annotations
// name the port at which the agent merges all metrics. A gateway of the Gateway
// API declares more ports.
var (
	merged  = map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "15020", "prometheus.io/path": "/stats/prometheus"}
	proxy   = container{name: "istio-proxy", ports: []port{{"http-envoy-prom", 15090}}}
	gateway = container{name: "istio-proxy", ports: []port{{"metrics", 15020}, {"status-port", 15021}, {"http-envoy-prom", 15090}}}
	sidecar = pod{namespace: "sample", ip: "10.0.0.12", annotations: merged, containers: []container{proxy}}
)

func (p pod) at(ip string) pod                     { p.ip = ip; return p }
func (p pod) annotated(with map[string]string) pod { p.annotations = with; return p }
func (p pod) with(containers ...container) pod     { p.containers = containers; return p }
func (p pod) labelled(pairs ...string) pod {
	p.labels = map[string]string{}
	for pair := range slices.Chunk(pairs, 2) {
		p.labels[pair[0]] = pair[1]
	}
	return p
}

// discovered returns the result of Prometheus' pod discovery: a target for each
// declared port of each container, and one for a container without ports.
func (p pod) discovered() []map[string]string {
	of := map[string]string{
		"__meta_kubernetes_namespace": p.namespace,
		"__meta_kubernetes_pod_name":  podName,
		"__meta_kubernetes_pod_ip":    p.ip,
		"__meta_kubernetes_pod_phase": "Running",
		"__meta_kubernetes_pod_ready": "true",
	}
	for kind, values := range map[string]map[string]string{"label": p.labels, "annotation": p.annotations} {
		for name, value := range values {
			of["__meta_kubernetes_pod_"+kind+"_"+sanitized(name)] = value
			of["__meta_kubernetes_pod_"+kind+"present_"+sanitized(name)] = "true"
		}
	}
	var found []map[string]string
	add := func(c container, own map[string]string) {
		maps.Copy(own, of)
		own["__meta_kubernetes_pod_container_name"] = c.name
		own["__meta_kubernetes_pod_container_init"] = strconv.FormatBool(c.init)
		found = append(found, own)
	}
	for _, c := range p.containers {
		for _, port := range c.ports {
			number := strconv.Itoa(port.number)
			add(c, map[string]string{
				"__address__": net.JoinHostPort(p.ip, number),
				"__meta_kubernetes_pod_container_port_name":     port.name,
				"__meta_kubernetes_pod_container_port_number":   number,
				"__meta_kubernetes_pod_container_port_protocol": "TCP",
			})
		}
		if len(c.ports) == 0 {
			add(c, map[string]string{"__address__": p.ip})
		}
	}
	return found
}

var notInLabels = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// sanitized converts a Kubernetes name to a part of a label's name.
func sanitized(name string) string { return notInLabels.ReplaceAllString(name, "_") }
