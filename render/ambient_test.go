package render_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The parts of an ambient mesh, as Istio's charts and its gateway controller
// make them. ztunnel has one port. Waypoints and gateways have the ports of an
// Envoy.
var (
	ztunnel = pod{
		namespace: "ztunnel", ip: "10.0.0.12", annotations: map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "15020"},
		labels:     map[string]string{"app": "ztunnel", "app.kubernetes.io/name": "ztunnel"},
		containers: []container{{name: "istio-proxy", ports: []port{{"ztunnel-stats", 15020}}}},
	}
	waypoint = pod{
		namespace: "shared-waypoints", ip: "10.0.0.12", annotations: merged,
		labels:     map[string]string{"gateway.networking.k8s.io/gateway-name": "shared", "service.istio.io/canonical-name": "shared"},
		containers: []container{gateway},
	}
	ingress = pod{
		namespace: "istio-gateways", ip: "10.0.0.12", annotations: merged,
		labels:     map[string]string{"gateway.networking.k8s.io/gateway-name": "ingress", "istio.io/dataplane-mode": "none"},
		containers: []container{gateway},
	}
	// A pod in ambient mode has no proxy.
	ambient = pod{namespace: "bookinfo", ip: "10.0.0.12", labels: map[string]string{"app": "reviews"}, containers: []container{{name: "reviews", ports: []port{{"http", 9080}}}}}
)

// TestAmbientTargets shows that each proxy of the example ambient is one
// target, with and without merged metrics, and that the series of ztunnel have
// app="ztunnel".
func TestAmbientTargets(t *testing.T) {
	renamed := ztunnel.labelled("app", "ztunnel", "app.kubernetes.io/name", "mesh-node-proxy")
	named := ztunnel.labelled("app", "ztunnel")
	moved := ztunnel
	moved.namespace = "mesh-node"

	for _, test := range []struct {
		name    string
		cluster string
		pod     pod
		found   int             // targets before relabeling
		address map[bool]string // of the one target after relabeling, with and without merged metrics
		labels  target          // in addition to the labels of every target
	}{
		{"ztunnel", "cluster1", ztunnel, 1, at("15020", "15020"), target{"app": "ztunnel"}},
		{"ztunnel of Istio's chart", "cluster1", named, 1, at("15020", "15020"), target{"app": "ztunnel"}},
		{"ztunnel by another name", "cluster1", renamed, 1, at("15020", "15020"), target{"app": "ztunnel"}},
		{"ztunnel in another namespace", "cluster2", moved, 1, at("15020", "15020"), target{"app": "ztunnel"}},
		{"waypoint", "cluster1", waypoint, 3, at("15020", "15090"), nil},
		{"gateway", "cluster1", ingress, 3, at("15020", "15090"), nil},
		{"gateway on the remote", "cluster2", ingress, 3, at("15020", "15090"), nil},
		{"application named like ztunnel's chart", "cluster1", ingress.labelled("app.kubernetes.io/name", "ztunnel-ui", "app", "ui"), 3, at("15020", "15090"), target{"app": "ztunnel-ui"}},
		{"pod without a proxy", "cluster1", ambient, 1, at("", ""), nil},
	} {
		for _, merge := range []bool{true, false} {
			t.Run(test.name+map[bool]string{true: "", false: "/without merge"}[merge], func(t *testing.T) {
				require.Len(t, test.pod.discovered(), test.found)
				want := proxyTarget(test.pod, test.address[merge], test.labels)
				assert.Equal(t, want, ambientMonitor(t, test.cluster, merge, test.pod.namespace).targets(t, test.pod))
			})
		}
	}
}

// TestAmbientMistakesShow removes one rule at a time, to show that the test
// above finds its absence.
func TestAmbientMistakesShow(t *testing.T) {
	renamed := ztunnel.labelled("app", "ztunnel", "app.kubernetes.io/name", "mesh-node-proxy")
	m := ambientMonitor(t, "cluster1", true, "ztunnel")
	rules := &m.Spec.PodMetricsEndpoints[0].Relabelings
	*rules = slices.DeleteFunc(*rules, func(r relabeling) bool { return r.Regex == "ztunnel" })
	assert.Equal(t, proxyTarget(renamed, "10.0.0.12:15020", target{"app": "mesh-node-proxy"}), m.targets(t, renamed))

	m = ambientMonitor(t, "cluster1", false, "istio-gateways")
	rules = &m.Spec.PodMetricsEndpoints[0].Relabelings
	*rules = slices.DeleteFunc(*rules, isPortName)
	assert.Len(t, m.targets(t, ingress), 3, "every port of a gateway, two of them with the same metrics")
}

// at returns the addresses with and without merged metrics.
func at(merged, declared string) map[bool]string {
	address := func(port string) string {
		if port == "" {
			return ""
		}
		return "10.0.0.12:" + port
	}
	return map[bool]string{true: address(merged), false: address(declared)}
}

func ambientMonitor(t *testing.T, cluster string, merge bool, namespace string) monitor {
	t.Helper()
	top := examples(t)["ambient"]
	prometheusMerge(merge)(&top.Spec)
	objects := rendered(t, top)
	key := cluster + "/PodMonitor/" + namespace + "/istio-proxies-monitor"
	require.Contains(t, objects, key)
	return decode[monitor](t, objects[key])
}
