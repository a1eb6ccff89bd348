package render_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
)

// fleetOf renders a topology of a hub and remotes, each with more fields.
func fleetOf(t *testing.T, spec string, remotes int, more string) []tree.File {
	t.Helper()
	clusters := "- {name: hub, domain: apps.hub.test}\n"
	for i := range remotes {
		clusters += fmt.Sprintf("- {name: c%d, server: \"https://c%d.test:6443\"%s}\n", i, i, more)
	}
	top := parsed(t, "mesh: {id: mesh1}\nkiali: {hub: hub}\n"+spec+"\nclusters:\n"+clusters)
	return treeOf(t, top)
}

func treeOf(t *testing.T, top *topology.Topology) []tree.File {
	t.Helper()
	files, err := render.Tree(top, render.SourcesOf(top), render.Kustomize)
	require.NoError(t, err)
	return files
}

// TestChangesOfTheMesh counts the files that a change of the whole topology
// touches: at most three, with any number of clusters, and one more for each
// set of further namespaces.
func TestChangesOfTheMesh(t *testing.T) {
	const before = "metrics: {interval: 30s, labels: {release: a}}\nnamespaces: [shop]"
	for _, test := range []struct {
		change, spec string
		files, ofSet int
	}{
		{"one more namespace", "metrics: {interval: 30s, labels: {release: a}}\nnamespaces: [cart, shop]", 1, 0},
		{"a namespace less", "metrics: {interval: 30s, labels: {release: a}}\nnamespaces: []", 1, 0},
		{"another interval", "metrics: {interval: 15s, labels: {release: a}}\nnamespaces: [shop]", 3, 1},
		{"another label", "metrics: {interval: 30s, labels: {release: b}}\nnamespaces: [shop]", 2, 1},
	} {
		for more, sets := range map[string]int{"": 0, ", gateways: [gateways]": 1} {
			changed := differing(fleetOf(t, before, 20, more), fleetOf(t, test.spec, 20, more))
			assert.Len(t, changed, test.files+sets*test.ofSet, "%s, remotes%s: %s", test.change, more, changed)
		}
	}
}

// differing lists the paths of files that differ, or that one of two trees
// lacks.
func differing(a, b []tree.File) []string {
	content := map[string]string{}
	for _, f := range a {
		content[f.Path] = string(f.Content)
	}
	var paths []string
	for _, f := range b {
		if old, ok := content[f.Path]; !ok || old != string(f.Content) {
			paths = append(paths, f.Path)
		}
		delete(content, f.Path)
	}
	for path := range content {
		paths = append(paths, path)
	}
	return paths
}

// TestSetsOfNamespaces shows the folders with the monitors of clusters with
// further namespaces, and that a new cluster moves none.
func TestSetsOfNamespaces(t *testing.T) {
	const spec = `
mesh: {id: mesh1}
kiali: {hub: hub}
namespaces: [shop]
clusters:
  - {name: hub, domain: apps.hub.test, controlPlane: {mode: none}, namespaces: [tools]}
  - {name: plain, server: "https://plain.test:6443"}
  - {name: one, server: "https://one.test:6443", gateways: [gateways], namespaces: [shop, b, a]}
  - {name: two, server: "https://two.test:6443", namespaces: [a, b, gateways]}
  - {name: fast, server: "https://fast.test:6443", gateways: [gateways], metrics: {interval: 15s}}
`
	files := treeOf(t, parsed(t, spec))
	monitors := func(dir string) []string {
		i := slices.IndexFunc(files, func(f tree.File) bool { return f.Path == dir+"/podmonitor.yaml" })
		require.GreaterOrEqual(t, i, 0, dir)
		var namespaces []string
		for _, document := range strings.Split(string(files[i].Content), "---\n") {
			o := decode[resource.Object](t, []byte(document))
			namespaces = append(namespaces, resource.IDOf(o).Namespace)
		}
		return namespaces
	}
	assert.Equal(t, []string{"istio-system", "shop"}, monitors("base/podmonitor"))
	assert.Equal(t, []string{"istio-system", "shop"}, monitors("base/podmonitor-15s"))
	assert.Equal(t, []string{"tools"}, monitors("namespaces/tools/podmonitor"))
	assert.Equal(t, []string{"a", "b", "gateways"}, monitors("namespaces/a.b.gateways/podmonitor"))
	assert.Equal(t, []string{"gateways"}, monitors("namespaces/gateways/podmonitor-15s"))
	assert.Equal(t, []string{"../../../base/podmonitor", "../../../namespaces/a.b.gateways/podmonitor"}, listed(t, files, "one"))
	assert.Equal(t, listed(t, files, "one"), listed(t, files, "two"), "both have the same set, by different fields")
	assert.Equal(t, []string{"../../../base/podmonitor"}, listed(t, files, "plain"))
	assert.Equal(t, []string{"../../../namespaces/tools/podmonitor"}, listed(t, files, "hub"), "it is not in the mesh")

	more := treeOf(t, parsed(t, spec+"  - {name: three, server: \"https://three.test:6443\", namespaces: [a, b, gateways]}\n"))
	for _, path := range differing(files, more) {
		assert.Contains(t, path, "clusters/three/")
	}
}

// listed returns the folders from which a cluster has its PodMonitors.
func listed(t *testing.T, files []tree.File, cluster string) []string {
	t.Helper()
	i := slices.IndexFunc(files, func(f tree.File) bool { return f.Path == "clusters/"+cluster+"/monitoring/kustomization.yaml" })
	require.GreaterOrEqual(t, i, 0)
	var resources []string
	all, _ := decode[resource.Object](t, files[i].Content)["resources"].([]any)
	for _, r := range all {
		if name, _ := r.(string); strings.Contains(name, "podmonitor") {
			resources = append(resources, name)
		}
	}
	return resources
}

// TestLongSetOfNamespaces shows that file systems accept a folder's name, and
// that sets with the same beginning have different names.
func TestLongSetOfNamespaces(t *testing.T) {
	var long []string
	for i := range 200 {
		long = append(long, fmt.Sprintf("n%03d", i))
	}
	files := treeOf(t, parsed(t, `
mesh: {id: mesh1}
kiali: {hub: hub}
clusters:
  - {name: hub, domain: apps.hub.test}
  - {name: one, server: "https://one.test:6443", namespaces: [`+strings.Join(long, ", ")+`]}
  - {name: two, server: "https://two.test:6443", namespaces: [`+strings.Join(append(long[:199:199], "other"), ", ")+`]}
`))
	one, two := listed(t, files, "one")[1], listed(t, files, "two")[1]
	assert.Regexp(t, `^../../../namespaces/n000\.and-199-more\.[0-9a-f]{12}/podmonitor$`, one)
	assert.NotEqual(t, one, two)
	built, err := kustomize.Load(files)
	require.NoError(t, err)
	objects, err := built.Build("clusters/one/monitoring")
	require.NoError(t, err)
	assert.Len(t, objects, 201+2, "the PodMonitors, the ServiceMonitor and the Telemetry")
}
