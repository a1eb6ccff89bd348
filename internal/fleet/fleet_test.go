package fleet_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/compare"
	"github.com/sightline-mesh/sightline/internal/fleet"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

const golden = "../../golden"

// goldenTree reads the files of an example in a format. It returns none if
// there is no golden in that format.
func goldenTree(t *testing.T, example, format string) []tree.File {
	t.Helper()
	root := filepath.Join(golden, example, format)
	var files []tree.File
	err := filepath.WalkDir(root, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			return err
		}
		content, err := os.ReadFile(name)
		p, _ := filepath.Rel(root, name)
		files = append(files, tree.File{Path: filepath.ToSlash(p), Content: content})
		return err
	})
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	files, err = tree.New(files)
	require.NoError(t, err)
	return files
}

func examples(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(golden)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	require.NotEmpty(t, names)
	return names
}

func differences(t *testing.T, old, new []tree.File) *compare.Diff {
	t.Helper()
	before, after, err := fleet.Trees(old, new, nil)
	require.NoError(t, err)
	d, err := compare.Fleets(before, after)
	require.NoError(t, err)
	return d
}

// TestFormatsHaveTheSameObjects reads each example in each format. It compares
// the objects of the formats, and the format kustomize with the library's
// build.
func TestFormatsHaveTheSameObjects(t *testing.T) {
	compared := 0
	for _, example := range examples(t) {
		trees := map[string][]tree.File{}
		for _, format := range []string{"kustomize", "manifests", "helm"} {
			if files := goldenTree(t, example, format); files != nil {
				trees[format] = files
			}
		}
		first := ""
		for _, format := range []string{"kustomize", "manifests", "helm"} {
			files, ok := trees[format]
			if !ok {
				continue
			}
			assert.True(t, differences(t, files, files).Empty(), "%s %s", example, format)
			if first == "" {
				first = format
				continue
			}
			compared++
			d := differences(t, trees[first], files)
			for _, c := range d.Changes {
				assert.Empty(t, c.Cluster, "%s: %s and %s differ: %s %s", example, first, format, c.Op, c.ID)
			}
			assert.Empty(t, d.AddedClusters)
			assert.Empty(t, d.RemovedClusters)
		}
		if files, ok := trees["kustomize"]; ok {
			compared++
			before, _, err := fleet.Trees(files, nil, nil)
			require.NoError(t, err)
			assert.NotEmpty(t, before.Clusters, example)
			d, err := compare.Fleets(compare.Fleet{Clusters: before.Clusters}, built(t, files))
			require.NoError(t, err)
			assert.True(t, d.Empty(), "%s: %v", example, d.Changes)
		}
	}
	assert.Greater(t, compared, 10)
}

// built builds every cluster of a tree with the kustomize library.
func built(t *testing.T, files []tree.File) compare.Fleet {
	t.Helper()
	loaded, err := kustomize.Load(files)
	require.NoError(t, err)
	var f compare.Fleet
	for _, file := range files {
		name, ok := strings.CutSuffix(file.Path, "/"+kustomize.File)
		cluster := strings.HasPrefix(name, "clusters/") && strings.Count(name, "/") == 1
		if !ok || !cluster && name != topology.ACMTree {
			continue
		}
		objects, err := loaded.Build(name)
		require.NoError(t, err)
		c := compare.Cluster{Name: strings.TrimPrefix(name, "clusters/")}
		for _, o := range objects {
			c.Objects = append(c.Objects, compare.Object{ID: resource.IDOf(o), Content: compare.NewContent(o)})
		}
		f.Clusters = append(f.Clusters, c)
	}
	return f
}

// edited replaces strings in the files of a tree.
func edited(t *testing.T, files []tree.File, only, old, new string) []tree.File {
	t.Helper()
	files = slices.Clone(files)
	hit := false
	for i, f := range files {
		if strings.HasPrefix(f.Path, only) && strings.Contains(string(f.Content), old) {
			hit = true
			files[i].Content = []byte(strings.ReplaceAll(string(f.Content), old, new))
		}
	}
	require.True(t, hit, "%s has no %q", only, old)
	return files
}

// TestClusters shows which parts of a tree count as clusters.
func TestClusters(t *testing.T) {
	for _, format := range []string{"kustomize", "manifests", "helm"} {
		files := append(goldenTree(t, "east-west", format), tree.File{Path: "clusters/.gitattributes"}, tree.File{Path: "clusters/README.md"})
		files, err := tree.New(files)
		require.NoError(t, err)
		_, after, err := fleet.Trees(nil, files, nil)
		require.NoError(t, err)
		var names []string
		for _, c := range after.Clusters {
			names = append(names, c.Name)
		}
		assert.Equal(t, []string{"cluster1", "cluster2"}, names, format)
	}
}

func TestChangedFile(t *testing.T) {
	for format, only := range map[string]string{"kustomize": "base/", "manifests": "clusters/cluster1/", "helm": "chart/values.yaml"} {
		files := goldenTree(t, "east-west", format)
		d := differences(t, files, edited(t, files, only, "30s", "15s"))
		require.NotEmpty(t, d.Changes, format)
		var fields []string
		for _, c := range d.Changes {
			for _, f := range c.Fields {
				fields = append(fields, f.Path.String())
			}
		}
		assert.Contains(t, fields, "spec.podMetricsEndpoints[0].interval", format)
	}
}

// TestEditedKustomization shows that a kustomization is built if it does more
// than list files.
func TestEditedKustomization(t *testing.T) {
	files := goldenTree(t, "east-west", "kustomize")
	const phase = "clusters/cluster2/monitoring/"
	with := func(more string) []tree.File {
		return edited(t, files, phase, "resources:\n", more+"resources:\n")
	}
	for _, c := range []struct{ name, more, field string }{
		{"a label", "commonAnnotations: {team: mesh}\n", "metadata.annotations.team"},
		{"a patch", "patches:\n- target: {kind: PodMonitor}\n  patch: |-\n    - op: replace\n      path: /spec/podMetricsEndpoints/0/interval\n      value: 5s\n", "spec.podMetricsEndpoints[0].interval"},
	} {
		changed := with(c.more)
		d := differences(t, files, changed)
		require.NotEmpty(t, d.Changes, c.name)
		for _, change := range d.Changes {
			assert.Equal(t, "cluster2", change.Cluster, c.name)
			require.Len(t, change.Fields, 1, "%s: %s", c.name, change.ID)
			assert.Equal(t, c.field, change.Fields[0].Path.String(), c.name)
		}
		assert.True(t, differences(t, changed, changed).Empty(), c.name)
		// A change to an input of a built kustomization is found.
		d = differences(t, changed, edited(t, changed, "base/podmonitor", "interval: 30s", "interval: 20s"))
		assert.NotEmpty(t, d.Changes)
	}
}

func TestUnreadable(t *testing.T) {
	files := goldenTree(t, "east-west", "kustomize")
	for _, c := range []struct{ only, old, new, says string }{
		{"clusters/cluster1/kustomization.yaml", "- kiali", "- kialy", `clusters/cluster1/kustomization.yaml: it lists "kialy"`},
		{"clusters/cluster1/kustomization.yaml", "- kiali", "- .", "it lists itself"},
		{"clusters/cluster1/kiali/kiali-hub.yaml", "apiVersion:", "a: [b\napiVersion:", "clusters/cluster1/kiali/kiali-hub.yaml: "},
		{"clusters/cluster1/kiali/kiali-hub.yaml", "kind: Kiali", "kin: Kiali", "without"},
	} {
		_, _, err := fleet.Trees(files, edited(t, files, c.only, c.old, c.new), nil)
		assert.ErrorContains(t, err, c.says)
	}
}

// TestJoinsAndLeaves shows that a new or removed cluster appears with its
// objects in an engine.
func TestJoinsAndLeaves(t *testing.T) {
	files := goldenTree(t, "flux", "kustomize")
	less := slices.DeleteFunc(slices.Clone(files), func(f tree.File) bool {
		return strings.HasPrefix(f.Path, "clusters/west/") || strings.HasPrefix(f.Path, "flux/clusters/west/")
	})
	d := differences(t, less, files)
	assert.Equal(t, []string{"west"}, d.AddedClusters)
	groups := d.Groups()
	require.Len(t, groups, 1)
	var kinds []string
	for _, c := range groups[0].Changes {
		kinds = append(kinds, c.ID.APIVersion+" "+c.ID.Kind)
	}
	assert.Contains(t, kinds, "kustomize.toolkit.fluxcd.io/v1 Kustomization")
	assert.Contains(t, kinds, "kiali.io/v1alpha1 Kiali")
}

// TestFilesBeside shows that a kustomization may list files outside the tree.
func TestFilesBeside(t *testing.T) {
	files := goldenTree(t, "east-west", "kustomize")
	const phase = "clusters/cluster2/monitoring/"
	changed := edited(t, files, phase, "resources:\n", "patches:\n- path: interval.yaml\n  target: {kind: PodMonitor}\nresources:\n- more.yaml\n")
	beside := fstest.MapFS{
		phase + "interval.yaml": {Data: []byte("- op: replace\n  path: /spec/podMetricsEndpoints/0/interval\n  value: 5s\n")},
		phase + "more.yaml":     {Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more, namespace: sample}\n")},
		"clusters/other/x.yaml": {Data: []byte("no object")},
	}
	before, after, err := fleet.Trees(changed, files, beside)
	require.NoError(t, err)
	d, err := compare.Fleets(before, after)
	require.NoError(t, err)
	var said []string
	for _, c := range d.Changes {
		said = append(said, c.Cluster+" "+c.Op.String()+" "+c.ID.Kind)
	}
	assert.Equal(t, []string{"cluster2 removed ConfigMap", "cluster2 changed PodMonitor", "cluster2 changed PodMonitor"}, said)

	_, _, err = fleet.Trees(changed, files, nil)
	assert.ErrorContains(t, err, "more.yaml")
}
