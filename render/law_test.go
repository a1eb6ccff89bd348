package render

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/manifests"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/template"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/templates"
)

// TestLaw shows, for every shape and on clusters that differ in every value,
// that the three ways to a cluster's objects lead to the same set: filling the
// bodies, evaluating the templates with values, and kustomize building the
// written tree.
func TestLaw(t *testing.T) {
	seen := map[shape]bool{}
	for _, pair := range synthetic(t) {
		for _, top := range pair {
			clusters, err := Clusters(top, templates.FS)
			require.NoError(t, err)
			files, err := kustomize.Tree(clusters)
			require.NoError(t, err)
			built, err := kustomize.Load(files)
			require.NoError(t, err)
			for i := range clusters {
				c := &clusters[i]
				s := shapeOf(top, &top.Spec.Clusters[i])
				seen[s] = true
				filled := filledObjects(t, c)
				where := fmt.Sprintf("%+v", s)
				require.Equal(t, filled, evaluatedObjects(t, s, c), "filled and evaluated differ: %s", where)

				whole, err := built.Build("clusters/" + c.Name)
				require.NoError(t, err)
				require.Equal(t, filled, byID(t, whole), "filled and built differ: %s", where)

				var parts []resource.Object
				for _, phase := range resource.Phases(c.Hub) {
					if dir := "clusters/" + c.Name + "/" + string(phase); hasPhase(c, phase) {
						objects, err := built.Build(dir)
						require.NoError(t, err, "each phase builds alone")
						parts = append(parts, objects...)
					}
				}
				require.Equal(t, filled, byID(t, parts), "the phases together differ from the whole: %s", where)
			}
		}
	}
	for _, hub := range []bool{true, false} {
		assertBothWays(t, seen, hub)
	}
}

// assertBothWays makes sure that a field added to shape is varied here too.
func assertBothWays(t *testing.T, seen map[shape]bool, hub bool) {
	t.Helper()
	for i := range reflect.TypeFor[shape]().NumField() {
		name := reflect.TypeFor[shape]().Field(i).Name
		if name == "Hub" {
			continue
		}
		values := map[any]bool{}
		for s := range seen {
			if s.Hub == hub {
				values[reflect.ValueOf(s).Field(i).Interface()] = true
			}
		}
		assert.Greater(t, len(values), 1, "no synthetic cluster with hub=%v varies %s", hub, name)
	}
}

// TestSyntheticDiffersInEveryValue keeps the law from being proven on two
// clusters that happen to agree.
func TestSyntheticDiffersInEveryValue(t *testing.T) {
	for _, pair := range synthetic(t) {
		a, b := topologyValues(pair[0]), topologyValues(pair[1])
		for path := range a {
			assert.NotEqual(t, a[path], b[path], "topology.%s", path)
		}
		for i := range pair[0].Spec.Clusters {
			a := clusterValues(&pair[0].Spec.Clusters[i], hubHost(pair[0]))
			for j := range pair[1].Spec.Clusters {
				b := clusterValues(&pair[1].Spec.Clusters[j], hubHost(pair[1]))
				for path := range a {
					assert.NotEqual(t, a[path], b[path], "cluster.%s", path)
				}
			}
		}
	}
}

// TestOrderOfClustersIsIrrelevant shows that a tree depends on what clusters
// there are and not on where they stand in the topology.
func TestOrderOfClustersIsIrrelevant(t *testing.T) {
	for _, pair := range synthetic(t) {
		top := pair[0]
		before, err := Tree(top, templates.FS, Kustomize)
		require.NoError(t, err)
		reversed := *top
		reversed.Spec.Clusters = nil
		for i := range top.Spec.Clusters {
			reversed.Spec.Clusters = append(reversed.Spec.Clusters, top.Spec.Clusters[len(top.Spec.Clusters)-1-i])
		}
		after, err := Tree(&reversed, templates.FS, Kustomize)
		require.NoError(t, err)
		require.Equal(t, before, after)
	}
}

// synthetic returns topologies of every combination of choices, in pairs that
// differ in every value.
func synthetic(t *testing.T) [][2]*topology.Topology {
	t.Helper()
	var pairs [][2]*topology.Topology
	for bits := range 1 << 4 {
		on := func(i int) bool { return bits>>i&1 == 1 }
		var pair [2]*topology.Topology
		for i, x := range []string{"a", "b"} {
			pair[i] = parseSynthetic(t, x, on)
		}
		pairs = append(pairs, pair)
	}
	return pairs
}

func parseSynthetic(t *testing.T, x string, on func(int) bool) *topology.Topology {
	t.Helper()
	install := map[bool]string{true: "olm", false: "none"}[on(0)]
	monitoring := "{manage: false}"
	if on(1) {
		monitoring = fmt.Sprintf("{manage: true, config: {enableUserWorkload: true, prometheusK8s: {retention: 1%s, volumeClaimTemplate: {spec: {storageClassName: %q}}}}}", map[string]string{"a": "5d", "b": "6d"}[x], x)
	}
	source := map[string]string{"a": "redhat-operators", "b": "community-operators"}[x]
	text := fmt.Sprintf(`
apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: top-%[1]s}
spec:
  mesh: {id: "1e3%[1]s", controlPlaneNamespace: cp-%[1]s}
  kiali:
    hub: hub.%[1]s
    namespace: ns-%[1]s
    instanceName: inst-%[1]s
    operator: {install: %[2]s, channel: ch-%[1]s, source: %[3]s}
  metrics:
    interval: 1%[4]ds
    prometheusMerge: %[5]v
    userWorkloadMonitoring: %[6]s
  telemetry: {manage: %[7]v, name: tel-%[1]s}
  namespaces: ["on", "y", "1e3", app-%[1]s]
  clusters:
    - {name: hub.%[1]s, domain: apps.hub-%[1]s.test, controlPlane: {mode: local}}
    - {name: "0x1%[1]s", server: "https://r1-%[1]s.test:6443", namespaces: [extra-%[1]s]}
    - {name: N_%[1]s, server: "https://r2-%[1]s.test:6443", controlPlane: {mode: remote}}
`, x, install, source, int(x[0]), on(2), monitoring, on(3))
	top, findings := topology.Parse("synthetic.yaml", []byte(text))
	require.Empty(t, findings)
	if on(0) && on(1) {
		// A hub without an istiod of its own.
		top.Spec.Clusters[0].ControlPlane.Mode = "none"
	}
	return top
}

func hasPhase(c *resource.Cluster, phase resource.Phase) bool {
	for range c.In(phase) {
		return true
	}
	return false
}

func filledObjects(t *testing.T, c *resource.Cluster) map[resource.ID]resource.Object {
	t.Helper()
	files, err := manifests.Cluster(c)
	require.NoError(t, err)
	var objects []resource.Object
	for _, f := range files {
		data, err := yaml.YAMLToJSON(f.Content)
		require.NoError(t, err)
		v, err := resource.DecodeJSON(data)
		require.NoError(t, err)
		objects = append(objects, v.(resource.Object))
	}
	return byID(t, objects)
}

func evaluatedObjects(t *testing.T, s shape, c *resource.Cluster) map[resource.ID]resource.Object {
	t.Helper()
	vm := template.New(templates.FS)
	value := func(_ string, leaf any) any { return leaf }
	objects := map[resource.ID]resource.Object{}
	for _, ns := range c.Namespaces {
		phases, err := evaluate(vm, s,
			nested(c.Values[resource.ScopeTopology], value),
			nested(c.Values[resource.ScopeCluster], value),
			map[string]any{"name": ns})
		require.NoError(t, err)
		for _, byName := range phases {
			for _, o := range byName {
				objects[resource.IDOf(o)] = o
			}
		}
	}
	return objects
}

func byID(t *testing.T, objects []resource.Object) map[resource.ID]resource.Object {
	t.Helper()
	m := map[resource.ID]resource.Object{}
	for _, o := range objects {
		id := resource.IDOf(o)
		require.NotContains(t, m, id, "the same object twice")
		m[id] = o
	}
	return m
}
