package render_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
)

// fluxMeshes together have every choice that changes the objects of Flux.
func fluxMeshes(t *testing.T) map[string]*topology.Topology {
	t.Helper()
	const standalone = "mode: standalone, prune: true, deletionPolicy: MirrorPrune, secretRef: git, wait: false, interval: 1h, timeout: 1m30s"
	const chart = "operator: {install: helm, chart: {version: 2.27.0}}"
	return map[string]*topology.Topology{
		"flux":                               fluxMesh(t, "", ""),
		"flux, operator by chart":            fluxMesh(t, "", chart),
		"flux elsewhere":                     fluxMesh(t, "cluster: West_1.eu, namespace: gitops", "operator: {install: none}"),
		"flux standalone":                    fluxMesh(t, standalone, ""),
		"flux standalone, operator by chart": fluxMesh(t, standalone, chart),
		"flux, namespaces":                   fluxMesh(t, "", "", "createNamespaces: [istio-system]"),
		"flux, namespaces and chart":         fluxMesh(t, "", chart, "createNamespaces: [istio-system]"),
	}
}

func fluxMesh(t *testing.T, flux, kiali string, more ...string) *topology.Topology {
	t.Helper()
	return parsed(t, strings.Join(more, "\n")+`
mesh: {id: mesh1}
delivery: {repoURL: https://git.example.com/mesh.git, path: a/b, flux: {`+flux+`}}
kiali: {hub: hub, `+kiali+`}
clusters:
- {name: hub, server: https://api.hub.example.com:6443, domain: apps.hub.example.com}
- {name: West_1.eu, server: https://api.west.example.com:6443}`)
}

// fluxObject is the part of a Kustomization or a HelmRelease that the tests
// read.
type fluxObject struct {
	Kind     string
	Metadata struct {
		Name        string
		Annotations map[string]string
	}
	Spec struct {
		Path       string
		DependsOn  []struct{ Name string }
		Wait       bool
		Prune      bool
		KubeConfig struct{ SecretRef struct{ Name string } }
		Values     struct{ Phases map[string]bool }
		Ref        map[string]string
		URL        string
		SecretRef  struct{ Name string }
		Release    string `json:"releaseName"`
		Chart      struct {
			Spec struct {
				Chart       string
				ValuesFiles []string
			}
		}
	}
}

func fluxObjects(t *testing.T, top *topology.Topology, format render.Format) map[string]fluxObject {
	t.Helper()
	objects := map[string]fluxObject{}
	for file, manifest := range delivered(t, top, format) {
		var o fluxObject
		require.NoError(t, yaml.Unmarshal(manifest, &o), file)
		objects[strings.TrimSuffix(strings.TrimPrefix(file, "flux/"), ".yaml")] = o
	}
	return objects
}

// TestFluxOrder compares the dependencies with the order of the phases, in
// every format. A phase that a cluster does not have is skipped.
func TestFluxOrder(t *testing.T) {
	for _, format := range render.Formats() {
		for name, test := range map[string]struct {
			top         *topology.Topology
			hub, remote []string
		}{
			"":                  {fluxMesh(t, "", ""), []string{"operator", "kiali"}, []string{"operator", "kiali", "link"}},
			"operator by chart": {fluxMesh(t, "", "operator: {install: helm, chart: {version: 2.27.0}}"), []string{"operator", "kiali"}, []string{"operator", "kiali", "link"}},
			"namespaces, and operator by chart": {fluxMesh(t, "", "operator: {install: helm, chart: {version: 2.27.0}}", "createNamespaces: [istio-system]"),
				[]string{"namespaces", "operator", "kiali"}, []string{"namespaces", "operator", "kiali", "link"}},
			"namespaces, and operator by somebody else": {fluxMesh(t, "", "operator: {install: none}", "createNamespaces: [istio-system]"),
				[]string{"operator", "kiali"}, []string{"operator", "kiali", "link"}},
			"operator by somebody else":   {fluxMesh(t, "", "operator: {install: none}"), []string{"kiali"}, []string{"kiali", "link"}},
			"standalone":                  {fluxMesh(t, "mode: standalone", ""), []string{"operator", "kiali"}, []string{"operator", "kiali", "link"}},
			"standalone, without waiting": {fluxMesh(t, "mode: standalone, wait: false", ""), []string{"operator", "kiali"}, []string{"operator", "kiali", "link"}},
		} {
			t.Run(string(format)+"/"+name, func(t *testing.T) {
				objects := fluxObjects(t, test.top, format)
				waits := map[string]string{}
				for _, o := range objects {
					for _, before := range o.Spec.DependsOn {
						waits[o.Metadata.Name] += before.Name
					}
				}
				want := map[string]string{}
				for cluster, chain := range map[string][]string{"hub": test.hub, "west-1-eu": test.remote} {
					for i := range chain[1:] {
						want["test-"+cluster+"-"+chain[i+1]] = "test-" + cluster + "-" + chain[i]
					}
				}
				assert.Equal(t, want, waits)
			})
		}
	}
}

// TestFluxPaths builds the path of every Kustomization, and compares the
// results for a cluster with the cluster's objects.
func TestFluxPaths(t *testing.T) {
	for _, format := range []render.Format{render.Kustomize, render.Manifests} {
		for name, top := range fluxMeshes(t) {
			t.Run(string(format)+"/"+name, func(t *testing.T) {
				files, err := render.Tree(top, render.SourcesOf(top), format)
				require.NoError(t, err)
				want := map[string]bool{}
				for key := range rendered(t, top) {
					want[key] = true
				}
				found := map[string]bool{}
				for file, o := range fluxObjects(t, top, format) {
					if o.Kind != "Kustomization" {
						continue
					}
					dir, ok := strings.CutPrefix(o.Spec.Path, "./a/b/")
					require.True(t, ok, "%s: the path %s is not in the tree", file, o.Spec.Path)
					objects := built(t, files, dir)
					assert.NotEmpty(t, objects, "%s: %s", file, dir)
					if cluster, ok := strings.CutPrefix(dir, "clusters/"); ok {
						for _, object := range objects {
							id := resource.IDOf(object)
							found[fmt.Sprintf("%s/%s/%s/%s", path.Dir(cluster), id.Kind, id.Namespace, id.Name)] = true
						}
					}
				}
				assert.Equal(t, want, found)
			})
		}
	}
}

// built builds a folder as Flux does: the kustomization there, or else a
// kustomization of all manifests.
func built(t *testing.T, files []tree.File, dir string) []resource.Object {
	t.Helper()
	if !slices.ContainsFunc(files, func(f tree.File) bool { return f.Path == path.Join(dir, kustomize.File) }) {
		var resources []string
		for _, f := range files {
			if below, ok := strings.CutPrefix(f.Path, dir+"/"); ok {
				resources = append(resources, below)
			}
		}
		require.NotEmpty(t, resources, "there is no %s in the tree", dir)
		files = append(slices.Clone(files), tree.File{Path: path.Join(dir, kustomize.File), Content: kustomize.Kustomization(map[string]any{"resources": resources})})
	}
	loaded, err := kustomize.Load(files)
	require.NoError(t, err)
	objects, err := loaded.Build(dir)
	require.NoError(t, err)
	return objects
}

// TestFluxRoots builds the folders that Flux is pointed at, and the folders to
// which these lead. Each object of Flux exists once. With mode standalone, each
// cluster has its own.
func TestFluxRoots(t *testing.T) {
	for name, top := range fluxMeshes(t) {
		for _, format := range render.Formats() {
			files, err := render.Tree(top, render.SourcesOf(top), format)
			require.NoError(t, err)
			roots := map[string]string{"": "flux"}
			if top.Spec.Delivery.Flux.Mode == "standalone" {
				roots = map[string]string{"hub": "flux/hub", "west-1-eu": "flux/West_1.eu"}
			}
			total := 0
			for cluster, dir := range roots {
				pointedAt := built(t, files, dir)
				require.Len(t, pointedAt, 2)
				i := slices.IndexFunc(pointedAt, func(o resource.Object) bool { return o["kind"] == "Kustomization" })
				root := pointedAt[i]["spec"].(map[string]any)
				objects := built(t, files, strings.TrimPrefix(root["path"].(string), "./a/b/"))
				total += len(objects) + 2
				for _, object := range append(objects, pointedAt...) {
					id := resource.IDOf(object)
					assert.Equal(t, top.Spec.Delivery.Flux.Namespace, id.Namespace)
					if id.Name != "test" && id.Name != "test-kiali-operator" {
						assert.True(t, strings.HasPrefix(id.Name, "test-"+cluster), "%s: %s in %s", name, id, dir)
					}
				}
			}
			// Each operator's release has a Kustomization around it.
			want := len(delivered(t, top, format))
			if top.OperatorByChart() && format != render.Helm {
				want -= 2
			}
			assert.Equal(t, want, total, "%s, %s", name, format)
		}
	}
}

// TestFluxReaches shows that Flux applies to its own cluster directly, and to
// the others with their kubeconfigs. The operator's release uses the kubeconfig
// of the cluster. The Kustomization around it stays on the cluster of Flux.
func TestFluxReaches(t *testing.T) {
	for mode, want := range map[string]map[string]string{
		"mode: hub":                     {"hub": "", "West_1.eu": "west-1-eu-kubeconfig"},
		"mode: hub, cluster: West_1.eu": {"hub": "hub-kubeconfig", "West_1.eu": ""},
		"mode: standalone":              {"hub": "", "West_1.eu": ""},
	} {
		for _, operator := range []string{"", "operator: {install: helm, chart: {version: 2.27.0}}"} {
			for _, format := range render.Formats() {
				phases := 0
				for file, o := range fluxObjects(t, fluxMesh(t, mode, operator), format) {
					for cluster, secret := range want {
						phase, ok := strings.CutPrefix(strings.TrimPrefix(file, "clusters/"), cluster+"/")
						phase = strings.TrimPrefix(phase, "phases/")
						switch {
						case !ok || slices.Contains([]string{"source", "root", "operator-repository"}, phase):
							continue
						case phase == "operator" && operator != "" && format != render.Helm:
							secret = "" // its release, operator/release, has it
						}
						assert.Equal(t, secret, o.Spec.KubeConfig.SecretRef.Name, "%s, %s: %s", mode, format, file)
						phases++
					}
				}
				assert.GreaterOrEqual(t, phases, 7, "%s, %s: three phases of the hub and four of the remote", mode, format)
			}
		}
	}
}

// TestFluxReleases shows that each release of the chart has one phase, and that
// releases stay if the objects of a cluster must stay.
func TestFluxReleases(t *testing.T) {
	for policy, kept := range map[string]bool{
		"":                            true,
		"deletionPolicy: MirrorPrune": true,
		"deletionPolicy: MirrorPrune, prune: true": false,
		"deletionPolicy: Delete":                   false,
		"prune: true":                              true,
	} {
		releases := 0
		for file, o := range fluxObjects(t, fluxMesh(t, policy, "operator: {install: helm, chart: {version: 2.27.0}}"), render.Helm) {
			if o.Kind != "HelmRelease" {
				continue
			}
			releases++
			assert.Equal(t, kept, o.Metadata.Annotations["kustomize.toolkit.fluxcd.io/prune"] == "disabled", "%s: %s", policy, file)
			if phase := path.Base(file); phase != "operator" {
				assert.Equal(t, "./a/b/chart", o.Spec.Chart.Spec.Chart)
				assert.Equal(t, []string{"./a/b/chart/values.yaml", "./a/b/" + path.Dir(file) + ".yaml"}, o.Spec.Chart.Spec.ValuesFiles)
				assert.Equal(t, "test-"+phase, o.Spec.Release)
				off := map[string]bool{"operator": false, "kiali": false, "link": false, "monitoring": false}
				delete(off, phase)
				assert.Equal(t, off, o.Spec.Values.Phases, file)
			}
		}
		assert.Equal(t, 7, releases)
	}
}

// TestFluxSource compares the source with the repository in the topology.
func TestFluxSource(t *testing.T) {
	for _, test := range []struct{ url, revision, kind, want, ref, at string }{
		{"https://git.example.com/mesh.git", "main", "GitRepository", "https://git.example.com/mesh.git", "branch", "main"},
		{"git@git.example.com:platform/mesh.git", "release/1", "GitRepository", "ssh://git@git.example.com/platform/mesh.git", "branch", "release/1"},
		{"git@git.example.com:/platform/mesh.git", "refs/tags/v1.0.0", "GitRepository", "ssh://git@git.example.com/platform/mesh.git", "name", "refs/tags/v1.0.0"},
		{"ssh://git@git.example.com:2222/mesh.git", strings.Repeat("0a", 20), "GitRepository", "ssh://git@git.example.com:2222/mesh.git", "commit", strings.Repeat("0a", 20)},
		{"oci://registry.example.com:5000/mesh", strings.Repeat("0a", 20), "OCIRepository", "oci://registry.example.com:5000/mesh", "tag", strings.Repeat("0a", 20)},
	} {
		top := fluxMesh(t, "secretRef: key", "")
		top.Spec.Delivery.RepoURL, top.Spec.Delivery.Revision = test.url, test.revision
		source := fluxObjects(t, top, render.Kustomize)["source"]
		assert.Equal(t, test.kind, source.Kind)
		assert.Equal(t, test.want, source.Spec.URL)
		assert.Equal(t, map[string]string{test.ref: test.at}, source.Spec.Ref)
		assert.Equal(t, "key", source.Spec.SecretRef.Name)
	}
}

// TestFluxNames shows that long names are shortened and stay different, because
// Flux makes labels from them.
func TestFluxNames(t *testing.T) {
	top := fluxMesh(t, "", "")
	top.Metadata.Name = strings.Repeat("m", 50)
	top.Spec.Clusters[0].Name = strings.Repeat("c", 60) + "-a"
	top.Spec.Clusters[1].Name = strings.Repeat("c", 60) + "-b"
	names := map[string]bool{}
	for i := range top.Spec.Clusters {
		for _, phase := range append(resource.Phases(false), topology.FluxNamespaces) {
			name := top.FluxName(&top.Spec.Clusters[i], string(phase))
			assert.LessOrEqual(t, len(name), 63)
			assert.False(t, names[name], "%s is there twice", name)
			names[name] = true
			assert.LessOrEqual(t, len(top.FluxRelease(string(phase))), 53)
		}
	}
}

// TestFluxTakesNoChartFromARegistry shows the format that is not possible with
// an artifact.
func TestFluxTakesNoChartFromARegistry(t *testing.T) {
	top := fluxMesh(t, "", "")
	top.Spec.Delivery.RepoURL = "oci://registry.example.com/mesh"
	_, err := render.Tree(top, render.SourcesOf(top), render.Helm)
	var refused *finding.Refusal
	require.ErrorAs(t, err, &refused)
	assert.Contains(t, refused.Message, "OCI artifact")
}
