// Package relabel shows the effect of a PodMonitor's relabelings on a pod. It runs
// Prometheus' own engine on the targets that Prometheus discovers from the pod, one
// rule after the other.
package relabel

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	yaml3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// Pod has the facts about a pod that the rules of a monitor can see.
type Pod struct {
	Title       string // what kind of pod it is; may be empty
	Name        string
	Namespace   string
	IP          string
	Phase       string
	Labels      map[string]string
	Annotations map[string]string
	Containers  []Container
}

// Container is a container of a pod, or an init container.
type Container struct {
	Name  string
	Init  bool
	Ports []Port
}

// Port is a port that a container declares.
type Port struct {
	Name   string
	Number int
}

// Samples are pods as Istio makes them, in a namespace. A sidecar declares Envoy's
// port, and annotations name the port with the merged metrics. A pod that opted out
// of merging has other annotations, or none. A gateway of the Gateway API declares
// more ports. ztunnel and the agent in a gRPC application declare one port.
//
// Sources: istio pkg/kube/inject/webhook.go, manifests/charts/istio-control/
// istio-discovery/files, manifests/charts/ztunnel.
func Samples(namespace string) []Pod {
	merged := map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "15020", "prometheus.io/path": "/stats/prometheus"}
	named := map[string]string{"app": "reviews", "version": "v1"}
	workload := Container{Name: "reviews", Ports: []Port{{"http", 9080}}}
	proxy := Container{Name: "istio-proxy", Ports: []Port{{"http-envoy-prom", 15090}}}
	native := Container{Name: "istio-proxy", Init: true, Ports: proxy.Ports}
	grpc := Container{Name: "istio-proxy", Ports: []Port{{"mesh-metrics", 15020}}}
	own := map[string]string{"prometheus.istio.io/merge-metrics": "false", "prometheus.io/scrape": "true", "prometheus.io/port": "9102",
		"prometheus.io/path": "/metrics"}
	node := map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "15020"}
	gateway := Container{Name: "istio-proxy", Ports: []Port{{"metrics", 15020}, {"status-port", 15021}, {"http-envoy-prom", 15090}}}
	ztunnel := Container{Name: "istio-proxy", Ports: []Port{{"ztunnel-stats", 15020}}}
	return []Pod{
		{"sidecar with an IPv4 address", "reviews-v1-7d9c", namespace, "10.0.0.12", "Running", named, merged, []Container{workload, proxy}},
		{"sidecar with an IPv6 address", "reviews-v1-7d9d", namespace, "fd00:10:244:1::5", "Running", named, merged,
			[]Container{workload, proxy}},
		{"native sidecar", "reviews-v1-7d9f", namespace, "10.0.0.16", "Running", named, merged, []Container{native, workload}},
		{"sidecar that opted out of merged metrics", "reviews-v1-7d9e", namespace, "10.0.0.13", "Running", named, own,
			[]Container{workload, proxy}},
		{"gRPC application without Envoy", "reviews-v1-7d9g", namespace, "10.0.0.17", "Running", named, merged, []Container{workload, grpc}},
		{"gateway", "eastwest-5b8f", namespace, "10.0.0.14", "Running", map[string]string{"app": "istio-eastwestgateway"}, merged,
			[]Container{gateway}},
		{"ztunnel", "ztunnel-x2v9", namespace, "10.0.0.15", "Running", map[string]string{"app": "ztunnel"}, node, []Container{ztunnel}},
	}
}

// ParsePod reads a pod as `kubectl get pod NAME -o yaml` writes it.
func ParsePod(data []byte) (Pod, error) {
	type containers []struct {
		Name  string `json:"name"`
		Ports []struct {
			Name          string `json:"name"`
			ContainerPort int    `json:"containerPort"`
		} `json:"ports"`
	}
	var manifest struct {
		Kind     string `json:"kind"`
		Metadata struct {
			Name        string            `json:"name"`
			Namespace   string            `json:"namespace"`
			Labels      map[string]string `json:"labels"`
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
		Spec struct {
			Containers     containers `json:"containers"`
			InitContainers containers `json:"initContainers"`
		} `json:"spec"`
		Status struct {
			PodIP string `json:"podIP"`
			Phase string `json:"phase"`
		} `json:"status"`
	}
	if err := yaml.Unmarshal(data, &manifest); err != nil {
		return Pod{}, err
	}
	if manifest.Kind != "Pod" {
		return Pod{}, fmt.Errorf("expected kind: Pod, found %q", manifest.Kind)
	}
	if manifest.Status.PodIP == "" {
		return Pod{}, errors.New("status.podIP is missing, which Prometheus scrapes a pod by")
	}
	p := Pod{
		Name: manifest.Metadata.Name, Namespace: manifest.Metadata.Namespace, IP: manifest.Status.PodIP, Phase: manifest.Status.Phase,
		Labels: manifest.Metadata.Labels, Annotations: manifest.Metadata.Annotations,
	}
	add := func(of containers, init bool) {
		for _, c := range of {
			own := Container{Name: c.Name, Init: init}
			for _, port := range c.Ports {
				own.Ports = append(own.Ports, Port{port.Name, port.ContainerPort})
			}
			p.Containers = append(p.Containers, own)
		}
	}
	add(manifest.Spec.InitContainers, true)
	add(manifest.Spec.Containers, false)
	return p, nil
}

// discovery is a target before relabeling.
type discovery struct {
	from   string // the container and port
	labels map[string]string
}

// discovered lists the targets that Prometheus' pod discovery makes from a pod: one
// for each declared port of each container, and one for a container without ports.
func (p Pod) discovered() []discovery {
	of := map[string]string{
		"__meta_kubernetes_namespace": p.Namespace,
		"__meta_kubernetes_pod_name":  p.Name,
		"__meta_kubernetes_pod_ip":    p.IP,
		"__meta_kubernetes_pod_phase": p.Phase,
		"__meta_kubernetes_pod_ready": "true",
	}
	for kind, values := range map[string]map[string]string{"label": p.Labels, "annotation": p.Annotations} {
		for name, value := range values {
			of["__meta_kubernetes_pod_"+kind+"_"+sanitized(name)] = value
			of["__meta_kubernetes_pod_"+kind+"present_"+sanitized(name)] = "true"
		}
	}
	var found []discovery
	add := func(c Container, from string, own map[string]string) {
		maps.Copy(own, of)
		own["__meta_kubernetes_pod_container_name"] = c.Name
		own["__meta_kubernetes_pod_container_init"] = strconv.FormatBool(c.Init)
		found = append(found, discovery{from, own})
	}
	for _, c := range p.Containers {
		for _, port := range c.Ports {
			number := strconv.Itoa(port.Number)
			add(c, fmt.Sprintf("container %s, port %s", c.Name, number), map[string]string{
				"__address__": net.JoinHostPort(p.IP, number),
				"__meta_kubernetes_pod_container_port_name":     port.Name,
				"__meta_kubernetes_pod_container_port_number":   number,
				"__meta_kubernetes_pod_container_port_protocol": "TCP",
			})
		}
		if len(c.Ports) == 0 {
			add(c, "container "+c.Name+", which declares no port", map[string]string{"__address__": p.IP})
		}
	}
	return found
}

var notInLabels = regexp.MustCompile(`[^a-zA-Z0-9_]`)

func sanitized(name string) string { return notInLabels.ReplaceAllString(name, "_") }

// Monitor has the parts of a PodMonitor that decide on targets.
type Monitor struct {
	Metadata struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Spec struct {
		Selector struct {
			MatchLabels      map[string]string `json:"matchLabels"`
			MatchExpressions []struct {
				Key      string   `json:"key"`
				Operator string   `json:"operator"`
				Values   []string `json:"values"`
			} `json:"matchExpressions"`
		} `json:"selector"`
		Endpoints []Endpoint `json:"podMetricsEndpoints"`
	} `json:"spec"`
}

// Endpoint is one way in which a PodMonitor scrapes a pod.
type Endpoint struct {
	Port        string `json:"port"`
	Path        string `json:"path"`
	Interval    string `json:"interval"`
	Relabelings []Rule `json:"relabelings"`
}

// Rule is a relabeling. It is read with the names of a monitor, and written with the
// names of Prometheus' configuration. Absent fields stay absent, because Prometheus
// has the defaults.
type Rule struct {
	Action       string   `json:"action" yaml:"action,omitempty"`
	SourceLabels []string `json:"sourceLabels" yaml:"source_labels,omitempty"`
	Separator    *string  `json:"separator" yaml:"separator,omitempty"`
	Regex        string   `json:"regex" yaml:"regex,omitempty"`
	Modulus      uint64   `json:"modulus" yaml:"modulus,omitempty"`
	Replacement  *string  `json:"replacement" yaml:"replacement,omitempty"`
	TargetLabel  string   `json:"targetLabel" yaml:"target_label,omitempty"`

	own bool // a rule of the operator, which puts its rules around the monitor's
}

// ParseMonitor reads a rendered PodMonitor.
func ParseMonitor(object resource.Object) (*Monitor, error) {
	data, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var m Monitor
	return &m, json.Unmarshal(data, &m)
}

// rules lists the rules that prometheus-operator writes for an endpoint: its own
// rules first, then the monitor's rules.
func (m *Monitor) rules(e Endpoint) []Rule {
	set := func(label, value string) Rule { return Rule{TargetLabel: label, Replacement: &value, own: true} }
	from := func(label, source string) Rule {
		return Rule{TargetLabel: label, SourceLabels: []string{source}, own: true}
	}
	rules := []Rule{{Action: "drop", SourceLabels: []string{"__meta_kubernetes_pod_phase"}, Regex: "(Failed|Succeeded)", own: true}}
	for _, name := range slices.Sorted(maps.Keys(m.Spec.Selector.MatchLabels)) {
		rules = append(rules, Rule{Action: "keep", SourceLabels: []string{"__meta_kubernetes_pod_label_" + sanitized(name)},
			Regex: regexp.QuoteMeta(m.Spec.Selector.MatchLabels[name]), own: true})
	}
	for _, x := range m.Spec.Selector.MatchExpressions {
		label, present := "__meta_kubernetes_pod_label_"+sanitized(x.Key), "__meta_kubernetes_pod_labelpresent_"+sanitized(x.Key)
		switch x.Operator {
		case "DoesNotExist":
			rules = append(rules, Rule{Action: "drop", SourceLabels: []string{present}, Regex: "true", own: true})
		case "Exists":
			rules = append(rules, Rule{Action: "keep", SourceLabels: []string{present}, Regex: "true", own: true})
		case "In":
			rules = append(rules, Rule{Action: "keep", SourceLabels: []string{label}, Regex: strings.Join(x.Values, "|"), own: true})
		case "NotIn":
			rules = append(rules, Rule{Action: "drop", SourceLabels: []string{label}, Regex: strings.Join(x.Values, "|"), own: true})
		}
	}
	if e.Port != "" {
		rules = append(rules, Rule{Action: "keep", SourceLabels: []string{"__meta_kubernetes_pod_container_port_name"}, Regex: e.Port, own: true})
	}
	rules = append(rules,
		from("namespace", "__meta_kubernetes_namespace"),
		from("container", "__meta_kubernetes_pod_container_name"),
		from("pod", "__meta_kubernetes_pod_name"),
		set("job", m.Metadata.Namespace+"/"+m.Metadata.Name))
	if e.Port != "" {
		rules = append(rules, set("endpoint", e.Port))
	}
	return append(rules, e.Relabelings...)
}

// config reads a rule as Prometheus reads its configuration.
func (r Rule) config() (*relabel.Config, error) {
	r.Action = strings.ToLower(r.Action)
	data, err := yaml3.Marshal(r)
	if err != nil {
		return nil, err
	}
	var c relabel.Config
	if err := yaml3.Unmarshal(data, &c); err != nil {
		return nil, err
	}
	return &c, c.Validate(model.LegacyValidation)
}

// Target is the result for one discovered target.
type Target struct {
	From    string // the container and port
	Address string // before relabeling
	Steps   []Step
	Kept    bool
	SameAs  int               // 1 and up: the number of an equal earlier target; Prometheus keeps only one
	URL     string            // the scraped address
	Labels  map[string]string // on every series of it
	Every   string
}

// Step is the effect of one rule.
type Step struct {
	Number int // the number among the monitor's rules; 0: a rule of the operator
	Rule   string
	Effect string
}

// Targets returns the targets that Prometheus makes from a pod, with the effect of
// every rule.
func (m *Monitor) Targets(p Pod) ([]Target, error) {
	var targets []Target
	seen := map[uint64]int{}
	for n, e := range m.Spec.Endpoints {
		rules := m.rules(e)
		for _, d := range p.discovered() {
			t := Target{From: d.from, Address: d.labels["__address__"], Kept: true, Every: e.Interval}
			b := labels.NewBuilder(labels.FromMap(d.labels))
			b.Set(model.JobLabel, fmt.Sprintf("podMonitor/%s/%s/%d", m.Metadata.Namespace, m.Metadata.Name, n))
			number := 0
			for _, r := range rules {
				if !r.own {
					number++
				}
				c, err := r.config()
				if err != nil {
					return nil, fmt.Errorf("relabeling %d: %w", number, err)
				}
				before := b.Labels()
				t.Kept = relabel.ProcessBuilder(b, c)
				step := Step{Rule: describe(c), Effect: effect(c, before, b, t.Kept)}
				if !r.own {
					step.Number = number
				}
				if !r.own || !t.Kept {
					t.Steps = append(t.Steps, step)
				}
				if !t.Kept {
					break
				}
			}
			if t.Kept {
				t.finish(b, e)
				hash := b.Labels().Hash()
				if t.SameAs = seen[hash]; t.SameAs == 0 {
					seen[hash] = len(targets) + 1
				}
			}
			targets = append(targets, t)
		}
	}
	return targets, nil
}

// finish drops the labels that series do not get, and sets the scraped URL.
func (t *Target) finish(b *labels.Builder, e Endpoint) {
	b.Range(func(l labels.Label) {
		if strings.HasPrefix(l.Name, model.MetaLabelPrefix) {
			b.Del(l.Name)
		}
	})
	t.Labels = map[string]string{}
	b.Range(func(l labels.Label) {
		if !strings.HasPrefix(l.Name, model.ReservedLabelPrefix) {
			t.Labels[l.Name] = l.Value
		}
	})
	path := e.Path
	if path == "" {
		path = "/metrics"
	}
	t.URL = "http://" + b.Get(model.AddressLabel) + path
}

// describe describes a rule on one line.
func describe(c *relabel.Config) string {
	sources := make([]string, len(c.SourceLabels))
	for i, s := range c.SourceLabels {
		sources[i] = short(string(s))
	}
	from := strings.Join(sources, c.Separator)
	switch c.Action {
	case relabel.Keep, relabel.Drop:
		return fmt.Sprintf("%s where %s is %s", c.Action, from, c.Regex)
	case relabel.Replace:
		if len(sources) == 0 {
			return fmt.Sprintf("%s = %s", c.TargetLabel, c.Replacement)
		}
		return fmt.Sprintf("%s = %s of %s, where that is %s", c.TargetLabel, c.Replacement, from, c.Regex)
	}
	return fmt.Sprintf("%s %s", c.Action, c.Regex)
}

// short is the name of a label without the prefix of all discovered labels.
func short(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(name, "__meta_kubernetes_"), "pod_")
}

// effect describes the effect of a rule.
func effect(c *relabel.Config, before labels.Labels, after *labels.Builder, kept bool) string {
	values := make([]string, len(c.SourceLabels))
	for i, s := range c.SourceLabels {
		values[i] = before.Get(string(s))
	}
	value := strings.Join(values, c.Separator)
	switch {
	case !kept:
		return fmt.Sprintf("dropped: it is %q", value)
	case c.Action == relabel.Keep || c.Action == relabel.Drop:
		return fmt.Sprintf("kept: it is %q", value)
	}
	var changes []string
	now := after.Labels()
	now.Range(func(l labels.Label) {
		if old := before.Get(l.Name); old != l.Value {
			change := fmt.Sprintf("%s is now %q", l.Name, l.Value)
			if old != "" {
				change += fmt.Sprintf(", was %q", old)
			}
			changes = append(changes, change)
		}
	})
	before.Range(func(l labels.Label) {
		if !now.Has(l.Name) {
			changes = append(changes, l.Name+" is gone")
		}
	})
	switch {
	case len(changes) > 0:
		return strings.Join(changes, "; ")
	case c.Action == relabel.Replace && len(c.SourceLabels) > 0 && !c.Regex.MatchString(value):
		return fmt.Sprintf("nothing: %q does not match", value)
	}
	return "nothing: it is so already"
}
