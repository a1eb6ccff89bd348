package suite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// tracingTopology has a control plane in another namespace on cluster2.
const tracingTopology = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  namespaces: [sample]
  kiali: {hub: cluster1, version: v2.27, operator: {install: none}}
  tracing:
    tempo: {manage: true, storage: {secretName: tempo-object-storage}}
    collectors: {certificates: {certManager: {issuer: mesh-ca}}}
  clusters:
    - {name: cluster1, domain: apps.east.example.com}
    - {name: cluster2, server: "https://api.west.example.com:6443", controlPlane: {namespace: istio-west}}
`

// meshConfig is the mesh config of Istio's owner, with the lines of docs/tracing.md.
const meshConfig = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod, namespace: NAMESPACE, labels: {app: istiod}}
spec:
  replicas: 0
  selector: {matchLabels: {app: istiod}}
  template: {metadata: {labels: {app: istiod}}, spec: {containers: [{name: discovery, image: "example.com/pilot:1", env: [{name: CLUSTER_ID, value: NAME}]}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: NAMESPACE}
data:
  mesh: |
    defaultConfig: {meshId: mesh1}
    enableTracing: true
    extensionProviders:
    - {name: otel, opentelemetry: {service: otel-collector.NAMESPACE.svc.cluster.local, port: 4317}}
`

// telemetryOf is a Telemetry as tutorials have it.
const telemetryOf = `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: otel-tracing, namespace: istio-west}
spec: {tracing: [{providers: [{name: otel}]}]}
`

// TestStatusTracing breaks the parts of the mesh that traces need: the objects, the mesh
// config, and the only Telemetry. No operator runs, and no span is sent.
func TestStatusTracing(t *testing.T) {
	rig.NeedDefinitions(t, "that status finds what is wrong with traces")
	clusters := rig.Up(t)
	dir := t.TempDir()
	topology, out := filepath.Join(dir, "mesh.yaml"), tree{dir: filepath.Join(dir, "rendered"), hub: "cluster1"}
	require.NoError(t, os.WriteFile(topology, []byte(tracingTopology), 0o644))
	rig.Run(t, rig.Sightline(), "render", topology, "-o", out.dir, "--format", "manifests")
	version := rig.Objects(t, []byte(clusterVersion))
	others := map[string][]*unstructured.Unstructured{}
	west := clusters.West
	for name, c := range map[string]*rig.Cluster{"cluster1": clusters.East, "cluster2": west} {
		c.DefineMore(t)
		namespace := map[string]string{"cluster1": "istio-system", "cluster2": "istio-west"}[name]
		others[name] = rig.Objects(t, []byte(strings.NewReplacer("NAMESPACE", namespace, "NAME", name).Replace(meshConfig)))
		all := append(version, others[name]...)
		t.Cleanup(func() { c.Delete(t, all...) })
		c.Namespaces(t, namespace, "tempo")
		c.Apply(t, all...)
		c.StartOperator(t)
		for _, phase := range phases(name == "cluster1") {
			objects := applyManifests(t, out, name, phase, c)
			t.Cleanup(func() { c.Delete(t, objects...) })
			settle(t, c, objects)
		}
	}
	mesh := func(old, new string) {
		changed := others["cluster2"][1].DeepCopy()
		text, _, err := unstructured.NestedString(changed.Object, "data", "mesh")
		require.NoError(t, err)
		require.Contains(t, text, old)
		require.NoError(t, unstructured.SetNestedField(changed.Object, strings.Replace(text, old, new, 1), "data", "mesh"))
		west.Apply(t, changed)
	}
	mend := func() { west.Apply(t, others["cluster2"][1]) }
	second := rig.Objects(t, []byte(telemetryOf))
	collector := rig.Objects(t, []byte("{apiVersion: opentelemetry.io/v1beta1, kind: OpenTelemetryCollector, metadata: {name: otel, namespace: istio-west}}"))
	contexts := kubeconfig(t, clusters.East, west)
	for _, fault := range []struct {
		name         string
		break_, mend func()
		want         []string
	}{
		{"nothing is wrong", func() {}, func() {}, []string{}},
		{"a provider that Istio does not know", func() { mesh("name: otel,", "name: zipkin,") }, mend,
			[]string{"ST34 cluster2 bad: istiod knows no provider otel"}},
		{"no mesh config", func() { west.Delete(t, others["cluster2"][1]) }, mend,
			[]string{"ST34 cluster2 unchecked: the mesh config of the cluster cannot be read"}},
		{"traces are off", func() { mesh("enableTracing: true", "enableTracing: false") }, mend,
			[]string{"ST34 cluster2 bad: istiod has enableTracing: false"}},
		{"the collector of another namespace", func() { mesh("otel-collector.istio-west", "otel-collector.istio-system") }, mend,
			[]string{"ST34 cluster2 bad: istiod has the provider otel with the Service otel-collector.istio-system.svc.cluster.local"}},
		{"the Telemetry of a tutorial", func() { west.Apply(t, second...) }, func() { west.Delete(t, second...) },
			[]string{"ST35 cluster2 bad: beside the Telemetry istio-west/enable-prometheus-metrics, the namespace has others without selector: otel-tracing"}},
		{"a collector that somebody deleted", func() { west.Delete(t, collector...) },
			func() { applyManifests(t, out, "cluster2", "monitoring", west) },
			[]string{"ST07 cluster2 bad: 1 of "}},
	} {
		t.Run(fault.name, func(t *testing.T) {
			fault.break_()
			defer fault.mend()
			rig.Wait(t, 20*time.Second, "the fault to show", func() error {
				return wrongIs(t, fault.want, topology, "--kubeconfig", contexts, "--hub-context", "east", "--context", "cluster2=west",
					"--only", "reach", "--only", "ST03", "--only", "ST07", "--only", "ST34", "--only", "ST35")
			})
		})
	}
}
