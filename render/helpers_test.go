package render_test

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/manifests"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
	"github.com/sightline-mesh/sightline/topologies"
)

// eastWest returns the built-in topology with the given changes.
func eastWest(t *testing.T, changes ...func(*topology.Spec)) *topology.Topology {
	t.Helper()
	top, findings := check.Parse(topologies.EastWestFile, topologies.EastWest)
	require.Empty(t, findings)
	for _, change := range changes {
		change(&top.Spec)
	}
	return top
}

// parsed returns the topology with this spec, which must have no findings.
func parsed(t *testing.T, spec string) *topology.Topology {
	t.Helper()
	top, findings := check.Parse("test.yaml", []byte(inTopology(spec)))
	require.Empty(t, findings, spec)
	return top
}

// inTopology returns the text of a topology with this spec.
func inTopology(spec string) string {
	return "apiVersion: sightline.dev/v1alpha1\nkind: Topology\nmetadata: {name: test}\nspec:\n  " +
		strings.ReplaceAll(strings.TrimSpace(spec), "\n", "\n  ") + "\n"
}

// separated joins the nonempty entries of a YAML object.
func separated(entries ...string) string {
	return strings.Join(slices.DeleteFunc(entries, func(s string) bool { return s == "" }), ", ")
}

// kialiSpec returns the spec of a cluster's Kiali resource.
func kialiSpec(t *testing.T, top *topology.Topology, cluster string) map[string]any {
	t.Helper()
	key := cluster + "/Kiali/" + top.Spec.Kiali.Namespace + "/" + top.Spec.Kiali.InstanceName
	objects := rendered(t, top)
	require.Contains(t, objects, key)
	return decode[resource.Object](t, objects[key])["spec"].(map[string]any)
}

func prometheusMerge(on bool) func(*topology.Spec) {
	return func(s *topology.Spec) { s.Metrics.PrometheusMerge = on }
}

// rendered returns the manifest of every object of every cluster by its key.
func rendered(t *testing.T, top *topology.Topology) map[string][]byte {
	t.Helper()
	clusters, err := render.Clusters(top, render.SourcesOf(top))
	require.NoError(t, err)
	objects := map[string][]byte{}
	for i := range clusters {
		files, err := manifests.Cluster(&clusters[i])
		require.NoError(t, err)
		for _, f := range files {
			add(t, objects, clusters[i].Name, f.Content)
		}
	}
	for _, f := range outside(t, top) {
		add(t, objects, topology.ACMTree, f.Content)
	}
	return objects
}

// outside returns the objects of an ACM hub outside the topology.
func outside(t *testing.T, top *topology.Topology) []tree.File {
	t.Helper()
	r, err := render.Open(top, render.SourcesOf(top))
	require.NoError(t, err)
	files, err := r.ACM()
	require.NoError(t, err)
	return slices.DeleteFunc(files, func(f tree.File) bool { return path.Base(f.Path) == kustomize.File })
}

// add stores a manifest under its key, cluster/kind/namespace/name. An object
// without a namespace has nothing between the slashes.
func add(t *testing.T, objects map[string][]byte, cluster string, manifest []byte) {
	t.Helper()
	id := resource.IDOf(decode[resource.Object](t, manifest))
	key := cluster + "/" + id.Kind + "/" + id.Namespace + "/" + id.Name
	require.NotContains(t, objects, key, "the same object twice")
	objects[key] = manifest
}

// decode reads YAML, and refuses keys for which T has no field.
func decode[T any](t *testing.T, data []byte) T {
	t.Helper()
	var v T
	require.NoError(t, yaml.UnmarshalStrict(data, &v))
	return v
}

// shared returns a directory beside the project. If it is absent, the test is
// skipped.
func shared(t *testing.T, dir, unproven string) string {
	t.Helper()
	dir = "../../shared/" + dir
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is absent, so this is not shown: %s", dir, unproven)
	}
	return dir
}
