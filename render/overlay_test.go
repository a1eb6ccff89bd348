package render

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/manifests"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// laid is a topology of a hub and two remotes, with overlays of one file each,
// by name. The text is Jsonnet if it begins with "function", else a
// kustomization.
type laid struct {
	names []string
	texts map[string]string
	match map[string]string
}

func (l laid) parse(t *testing.T) (*topology.Topology, Sources) {
	t.Helper()
	var overlays strings.Builder
	folders := map[string]fs.FS{}
	for _, name := range l.names {
		file, key := "kustomization.yaml", "kustomize: overlays/"+name
		if strings.HasPrefix(l.texts[name], "function") {
			file = "x.jsonnet"
			key = "jsonnet: overlays/" + name + "/" + file
		}
		fmt.Fprintf(&overlays, "    - {name: %s, match: {%s}, %s}\n", name, l.match[name], key)
		folders[name] = fstest.MapFS{file: {Data: []byte(l.texts[name])}}
	}
	text := `
apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  kiali: {hub: hub}
  namespaces: [default, shop]
  overlays:
` + overlays.String() + `  clusters:
    - {name: hub, domain: apps.hub.test, labels: {env: prod}}
    - {name: one, server: "https://one.test:6443", labels: {env: prod, size: small}}
    - {name: two, server: "https://two.test:6443", namespaces: [two]}
`
	top, findings := check.Parse("mesh.yaml", []byte(text))
	require.Empty(t, findings, "%s", text)
	return top, Sources{Templates: shippedTemplates, Overlays: folders}
}

func over(texts ...string) laid {
	l := laid{texts: map[string]string{}, match: map[string]string{}}
	for i, text := range texts {
		name := fmt.Sprintf("o%d", i+1)
		l.names = append(l.names, name)
		l.texts[name] = text
	}
	return l
}

func (l laid) matching(name, match string) laid {
	l.match = maps.Clone(l.match)
	l.match[name] = match
	return l
}

// objects renders both formats, checks that they agree about every cluster and
// phase, and returns the objects of each cluster by kind/namespace/name.
func (l laid) objects(t *testing.T) map[string]map[string]resource.Object {
	t.Helper()
	top, from := l.parse(t)
	clusters, err := Clusters(top, from)
	require.NoError(t, err)
	files, err := Tree(top, from, Kustomize)
	require.NoError(t, err)
	built, err := kustomize.Load(files)
	require.NoError(t, err)
	bareClusters, err := bare(top, Sources{Templates: shippedTemplates})
	require.NoError(t, err)
	result := map[string]map[string]resource.Object{}
	for i := range clusters {
		c := &clusters[i]
		filled := filledObjects(t, c)
		whole, err := built.Build("clusters/" + c.Name)
		require.NoError(t, err)
		require.Equal(t, filled, byID(t, whole), "%s: applied and built differ", c.Name)
		require.Equal(t, paths(t, &bareClusters[i]), paths(t, c), "%s: the objects and their order are those without overlays", c.Name)
		for _, phase := range resource.Phases(c.Hub) {
			if hasPhase(c, phase) {
				_, err := built.Build("clusters/" + c.Name + "/" + string(phase))
				require.NoError(t, err, "each phase builds alone")
			}
		}
		result[c.Name] = map[string]resource.Object{}
		for id, o := range filled {
			result[c.Name][id.Kind+"/"+id.Namespace+"/"+id.Name] = o
		}
	}
	return result
}

func paths(t *testing.T, c *resource.Cluster) []string {
	t.Helper()
	files, err := manifests.Cluster(c)
	require.NoError(t, err)
	var paths []string
	for _, f := range files {
		paths = append(paths, f.Path)
	}
	return paths
}

// findings renders both formats, which must fail in the same way, and returns
// their messages.
func (l laid) findings(t *testing.T) string {
	t.Helper()
	top, from := l.parse(t)
	var said []string
	for _, format := range []Format{Kustomize, Manifests} {
		files, err := Tree(top, from, format)
		require.Error(t, err)
		assert.Nil(t, files)
		var wrong *OverlayError
		require.True(t, errors.As(err, &wrong), "%v", err)
		said = append(said, wrong.Error())
	}
	require.Equal(t, said[0], said[1], "the formats differ")
	return said[0]
}

func at(o resource.Object, path ...string) any {
	var v any = o
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

const (
	podMonitor = "PodMonitor/%s/istio-proxies-monitor"
	ourKiali   = "Kiali/istio-system/kiali"
	aKiali     = "apiVersion: kiali.io/v1alpha1\n      kind: Kiali\n      metadata: {name: kiali}\n"
)

func TestLabelsAreOnEveryObject(t *testing.T) {
	objects := over("labels: [{pairs: {team: mesh}}]\ncommonAnnotations: {note: 'a: b'}").objects(t)
	require.Len(t, objects, 3)
	for cluster, byKey := range objects {
		for key, o := range byKey {
			assert.Equal(t, "mesh", at(o, "metadata", "labels", "team"), "%s %s", cluster, key)
			assert.Equal(t, "a: b", at(o, "metadata", "annotations", "note"), "%s %s", cluster, key)
			assert.Equal(t, "sightline", at(o, "metadata", "labels", "app.kubernetes.io/managed-by"), "%s %s", cluster, key)
		}
	}
	assert.NotContains(t, fmt.Sprint(at(objects["one"][fmt.Sprintf(podMonitor, "shop")], "spec", "selector")), "team")
}

func TestOverlaysMatch(t *testing.T) {
	labelled := func(match string) []string {
		var clusters []string
		for cluster, byKey := range over("labels: [{pairs: {team: mesh}}]").matching("o1", match).objects(t) {
			if at(byKey[ourKiali], "metadata", "labels", "team") != nil {
				clusters = append(clusters, cluster)
			}
		}
		slices.Sort(clusters)
		return clusters
	}
	for match, want := range map[string][]string{
		"":                                    {"hub", "one", "two"},
		"names: [one, two]":                   {"one", "two"},
		"labels: {env: prod}":                 {"hub", "one"},
		"labels: {env: prod, size: small}":    {"one"},
		"labels: {env: prod}, names: [hub]":   {"hub"},
		"labels: {env: test}":                 nil,
		"labels: {size: ''}":                  nil,
		"names: [two], labels: {size: small}": nil,
		"names: [], labels: {}":               {"hub", "one", "two"},
		"names: [two, one, hub]":              {"hub", "one", "two"},
	} {
		assert.Equal(t, want, labelled(match), "%q", match)
	}
}

// TestPatchesFindTheirPhase shows that a patch needs no target, and that the
// other phases neither fail nor have the component.
func TestPatchesFindTheirPhase(t *testing.T) {
	l := over("patches:\n  - patch: |-\n      "+aKiali+"      spec: {deployment: {replicas: 2}}\n  - target: {kind: Subscription}\n    patch: '[{\"op\": \"replace\", \"path\": \"/spec/installPlanApproval\", \"value\": \"Manual\"}]'",
		"patches: [{target: {kind: Kiali}, patch: '[{\"op\": \"replace\", \"path\": \"/spec/deployment/replicas\", \"value\": 3}]'}]").matching("o2", "names: [two]")
	objects := l.objects(t)
	for cluster, want := range map[string]string{"hub": "2", "one": "2", "two": "3"} {
		assert.EqualValues(t, want, at(objects[cluster][ourKiali], "spec", "deployment", "replicas"), "%s: overlays apply in order", cluster)
		assert.Equal(t, "Manual", at(objects[cluster]["Subscription/openshift-operators/kiali-ossm"], "spec", "installPlanApproval"))
	}
	top, from := l.parse(t)
	files, err := Tree(top, from, Kustomize)
	require.NoError(t, err)
	attached := map[string]bool{}
	for _, f := range files {
		attached[f.Path] = strings.Contains(string(f.Content), "../../../overlays/o1")
	}
	assert.True(t, attached["clusters/one/kiali/kustomization.yaml"])
	assert.True(t, attached["clusters/one/operator/kustomization.yaml"])
	assert.False(t, attached["clusters/one/monitoring/kustomization.yaml"], "no patch is for it")
	assert.False(t, attached["clusters/one/link/kustomization.yaml"], "no patch is for it")
}

// TestPatchOfOneNamespace shows that a patch finds a monitor by its namespace,
// and that "default" is a namespace like any other.
func TestPatchOfOneNamespace(t *testing.T) {
	for _, patched := range []string{"shop", "default"} {
		objects := over("patches: [{target: {kind: PodMonitor, namespace: " + patched + "}, patch: '[{\"op\": \"replace\", \"path\": \"/spec/podMetricsEndpoints/0/interval\", \"value\": \"15s\"}]'}]").objects(t)
		for _, ns := range []string{"shop", "istio-system", "default"} {
			endpoints, _ := at(objects["one"][fmt.Sprintf(podMonitor, ns)], "spec", "podMetricsEndpoints").([]any)
			require.Len(t, endpoints, 1)
			want := map[bool]string{true: "15s", false: "30s"}[ns == patched]
			assert.Equal(t, want, at(endpoints[0].(map[string]any), "interval"), "%s, where %s is patched", ns, patched)
		}
	}
}

func TestImages(t *testing.T) {
	l := over("images: [{name: proxy, newName: mirror.test/proxy, newTag: '1'}]")
	top, from := l.parse(t)
	top.Spec.Kiali.Spec = map[string]any{"deployment": map[string]any{"extra": map[string]any{"containers": []any{map[string]any{"name": "a", "image": "proxy:0"}}}}}
	clusters, err := Clusters(top, from)
	require.NoError(t, err)
	for id, o := range filledObjects(t, &clusters[0]) {
		if id.Kind == "Kiali" {
			assert.Equal(t, []any{map[string]any{"name": "a", "image": "mirror.test/proxy:1"}}, at(o, "spec", "deployment", "extra", "containers"))
		}
	}
}

// TestScripts shows where the objects go that a Jsonnet overlay changes, and
// that the others stay shared.
func TestScripts(t *testing.T) {
	l := over(
		"function(resource, cluster) if resource.kind == 'PodMonitor' && resource.metadata.namespace != 'istio-system' then resource { spec+: { sampleLimit: std.length(cluster.namespaces) } } else resource",
		"function(resource, cluster) if resource.kind == 'Kiali' then resource { spec+: { note: [cluster.name, cluster.hub, cluster.platform, cluster.labels, cluster.domain, cluster.server, cluster.network, cluster.controlPlane, cluster.version] } } else resource",
		"patches: [{target: {kind: Kiali}, patch: '[{\"op\": \"add\", \"path\": \"/spec/note/0\", \"value\": \"patched\"}]'}]",
	).matching("o1", "names: [two]")
	objects := l.objects(t)
	assert.EqualValues(t, "4", at(objects["two"][fmt.Sprintf(podMonitor, "shop")], "spec", "sampleLimit"))
	assert.Nil(t, at(objects["two"][fmt.Sprintf(podMonitor, "istio-system")], "spec", "sampleLimit"))
	assert.Nil(t, at(objects["one"][fmt.Sprintf(podMonitor, "shop")], "spec", "sampleLimit"))
	assert.Equal(t, []any{"patched", "hub", true, "openshift", map[string]any{"env": "prod"}, "apps.hub.test", "", "", "local", "default"}, at(objects["hub"][ourKiali], "spec", "note"),
		"kustomize overlays come after Jsonnet overlays")
	assert.Equal(t, []any{"patched", "two", false, "openshift", map[string]any{}, "", "https://two.test:6443", "", "local", "default"}, at(objects["two"][ourKiali], "spec", "note"))

	top, from := l.parse(t)
	files, err := Tree(top, from, Kustomize)
	require.NoError(t, err)
	assert.Equal(t, `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- ../../../base/istiod-servicemonitor
- podmonitor.yaml
- ../../../base/telemetry
`, content(files, "clusters/two/monitoring/kustomization.yaml"))
	assert.Equal(t, 4, strings.Count(content(files, "clusters/two/monitoring/podmonitor.yaml"), "kind: PodMonitor"), "the one that the overlay leaves alone is beside the others of its set")
	assert.Empty(t, content(files, "namespaces/two/podmonitor/kustomization.yaml"), "nobody needs it any more")
	assert.NotEmpty(t, content(files, "base/podmonitor/kustomization.yaml"))
}

// TestScriptOfOneSet shows that a set of namespaces that an overlay does not
// change stays shared.
func TestScriptOfOneSet(t *testing.T) {
	top, from := over("function(resource, cluster) if resource.kind == 'PodMonitor' && resource.metadata.namespace == 'two' then resource { spec+: { sampleLimit: 1 } } else resource").parse(t)
	files, err := Tree(top, from, Kustomize)
	require.NoError(t, err)
	assert.Contains(t, content(files, "clusters/two/monitoring/kustomization.yaml"), "\n- ../../../base/podmonitor\n- podmonitor.yaml\n")
	assert.Equal(t, 1, strings.Count(content(files, "clusters/two/monitoring/podmonitor.yaml"), "kind: PodMonitor"))
}

func content(files []tree.File, path string) string {
	for _, f := range files {
		if f.Path == path {
			return string(f.Content)
		}
	}
	return ""
}

// TestScriptThatChangesNothing shows that such a script does not change the
// tree.
func TestScriptThatChangesNothing(t *testing.T) {
	l := over("function(resource, cluster) resource { metadata+: { labels+: {} } }")
	top, from := l.parse(t)
	with, err := Tree(top, from, Kustomize)
	require.NoError(t, err)
	top.Spec.Overlays = nil
	without, err := Tree(top, from, Kustomize)
	require.NoError(t, err)
	assert.Equal(t, without, with)
}

// TestMarksInOverlays shows that the output of an overlay is plain text, also
// if a template would read it as a value.
func TestMarksInOverlays(t *testing.T) {
	objects := over(
		"function(resource, cluster) resource { metadata+: { annotations+: { a: '⟦cluster.name⟧' } } }",
		"commonAnnotations: {b: ⟦cluster.name⟧}",
	).objects(t)
	for _, key := range []string{"a", "b"} {
		assert.Equal(t, "⟦cluster.name⟧", at(objects["one"][ourKiali], "metadata", "annotations", key))
	}
	objects = over("commonAnnotations: {b: ⟦cluster.name⟧}").objects(t)
	assert.Equal(t, "⟦cluster.name⟧", at(objects["one"][ourKiali], "metadata", "annotations", "b"))
}

// TestBodiesWithMarks shows which bodies get labels and annotations with their
// marks: all bodies that no patch can target. objects compares them with
// kustomize's build of the tree.
func TestBodiesWithMarks(t *testing.T) {
	const labels = "labels: [{pairs: {team: mesh}}]\ncommonAnnotations: {note: x}\n"
	for overlay, literal := range map[string][]string{
		labels: nil,
		labels + "patches:\n  - target: {kind: PodMonitor, namespace: shop}\n    patch: '[{\"op\": \"add\", \"path\": \"/spec/a\", \"value\": 1}]'\n":           {"PodMonitor"},
		labels + "patches:\n  - target: {name: kiali, kind: Kiali}\n    patch: '[{\"op\": \"add\", \"path\": \"/spec/a\", \"value\": 1}]'\n":                    nil,
		labels + "patches:\n  - target: {name: kiali, kind: Kiali}\n    patch: '[{\"op\": \"test\", \"path\": \"/kind\", \"value\": \"Kiali\"}]'\n":             {"Kiali"},
		labels + "patches:\n  - target: {name: kiali, kind: Kiali}\n    patch: '[{\"op\": \"copy\", \"from\": \"/metadata/labels\", \"path\": \"/spec/b\"}]'\n": {"Kiali"},
		"patches:\n  - patch: |\n      " + aKiali + "      spec: {kubernetes_config: {cluster_name: x}}\n":                                                      nil,
		"patches:\n  - target: {labelSelector: a=b}\n    patch: '[{\"op\": \"add\", \"path\": \"/metadata/labels/a\", \"value\": \"b\"}]'\n":                    {"PodMonitor"},
		labels + "images: [{name: a, newTag: b}]\n": {"Kiali", "PodMonitor", "Secret", "ServiceMonitor", "Subscription", "Telemetry"},
	} {
		l := over(overlay)
		l.objects(t)
		top, from := l.parse(t)
		clusters, err := Clusters(top, from)
		require.NoError(t, err)
		kinds := map[string]bool{}
		for _, r := range clusters[1].Resources {
			id, err := r.Body.ID(clusters[1].Values)
			if r.Body.IsLiteral() {
				require.NoError(t, err)
				kinds[id.Kind] = true
			}
		}
		assert.Equal(t, literal, slices.Sorted(maps.Keys(kinds)), "%s", overlay)
	}
}

func TestOverlayFindings(t *testing.T) {
	const add = "patches:\n  - target: {kind: Kiali}\n    patch: '[{\"op\": \"add\", \"path\": \"/spec/a\", \"value\": {}}]'\n"
	for _, test := range []struct {
		name string
		laid laid
		want string
	}{
		{"target that is nowhere", over("patches: [{target: {kind: Kialli}, patch: '[{\"op\": \"remove\", \"path\": \"/spec\"}]'}]"),
			`overlays/o1/kustomization.yaml:1:43: error: OV03: no object of the clusters that overlay "o1" matches is the target of this patch (kind Kialli)
hint: render -o - --cluster NAME prints the objects of a cluster`},
		{"target on another cluster", over("patches: [{target: {kind: ClusterRoleBinding}, patch: '[{\"op\": \"remove\", \"path\": \"/roleRef\"}]'}]").matching("o1", "names: [one, two]"),
			`overlays/o1/kustomization.yaml:1:55: error: OV03: no object of the clusters that overlay "o1" matches is the target of this patch (kind ClusterRoleBinding)
hint: render -o - --cluster NAME prints the objects of a cluster`},
		{"second patch of the second overlay", over(add, "patches:\n  - target: {kind: Kiali}\n    patch: '[{\"op\": \"add\", \"path\": \"/spec/a/b\", \"value\": 1}]'\n  - target: {kind: Kiali}\n    patch: '[{\"op\": \"remove\", \"path\": \"/spec/gone\"}]'\n"),
			`overlays/o2/kustomization.yaml:5:12: error: OV04: overlay "o2", cluster "hub", phase kiali: the patch of kind Kiali: error in remove for path: '/spec/gone': Unable to remove nonexistent key: gone: missing value`},
		{"on one cluster only", over("patches: [{target: {kind: PodMonitor, namespace: two}, patch: '[{\"op\": \"test\", \"path\": \"/kind\", \"value\": \"Secret\"}]'}]"),
			`overlays/o1/kustomization.yaml:1:63: error: OV04: overlay "o1", cluster "two", phase monitoring: the patch of kind PodMonitor, namespace two: testing value /kind failed: test failed`},
		{"selector that is none", over("patches: [{target: {kind: Kiali, labelSelector: 'a=='}, patch: '[{\"op\": \"remove\", \"path\": \"/spec\"}]'}, {target: {labelSelector: '=='}, patch: '[{\"op\": \"remove\", \"path\": \"/spec\"}]'}]"),
			`overlays/o1/kustomization.yaml:1:143: error: OV04: overlay "o1", cluster "hub", phase operator: the patch of labelSelector ==: found '==', expected: !, identifier, or 'end of string'`},
		{"merge of a list into a mapping", over("patches:\n  - patch: |-\n      " + aKiali + "      spec: [a]\n"),
			`overlays/o1/kustomization.yaml:3:7: error: OV04: overlay "o1", cluster "hub", phase kiali: the patch of group kiali.io, version v1alpha1, kind Kiali, name kiali: wrong node kind: expected MappingNode but got SequenceNode: node contents: [a]`},
		{"null", over("patches: [{target: {kind: Kiali}, patch: '[{\"op\": \"add\", \"path\": \"/spec/a\", \"value\": [{\"b\": null}]}]'}]"),
			`overlays/o1/kustomization.yaml:1:42: error: OV04: overlay "o1", cluster "hub", phase kiali: the patch of kind Kiali: spec.a[0].b of kiali.io/v1alpha1 Kiali istio-system/kiali would be null, which programs read in different ways
hint: remove the field instead`},
		{"script that fails", over("function(resource, cluster) resource { x: cluster.labels.env }"),
			`mesh.yaml:10:38: error: OV05: overlay "o1" on cluster "two", operators.coreos.com/v1alpha1 Subscription openshift-operators/kiali-ossm: Field does not exist: env
    at overlays/o1/x.jsonnet:1:43 object <anonymous>`},
		{"script that renames", over("function(resource, cluster) resource { metadata+: { name: cluster.name } }"),
			`mesh.yaml:10:38: error: OV05: overlay "o1" on cluster "hub", operators.coreos.com/v1alpha1 Subscription openshift-operators/kiali-ossm: it changed metadata.name from "kiali-ossm" to "hub", but the resources of several clusters refer to each other by name
hint: kiali.operator in the topology decides how the operator is installed (install: none)`},
		{"two scripts and a patch", over("function(resource, cluster) 1", "function(resource, cluster) resource", "function(resource, cluster) null", "patches: [{target: {kind: A}, patch: '[{\"op\": \"remove\", \"path\": \"/spec\"}]'}]"),
			`mesh.yaml:10:38: error: OV05: overlay "o1" on cluster "hub", operators.coreos.com/v1alpha1 Subscription openshift-operators/kiali-ossm: it returned a number, expected the resource
hint: return the resource itself if there is nothing to change; kiali.operator in the topology decides how the operator is installed (install: none)
mesh.yaml:12:38: error: OV05: overlay "o3" on cluster "hub", operators.coreos.com/v1alpha1 Subscription openshift-operators/kiali-ossm: it returned null, expected the resource
hint: return the resource itself if there is nothing to change; kiali.operator in the topology decides how the operator is installed (install: none)
overlays/o4/kustomization.yaml:1:38: error: OV03: no object of the clusters that overlay "o4" matches is the target of this patch (kind A)
hint: render -o - --cluster NAME prints the objects of a cluster`},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, test.laid.findings(t))
		})
	}
}

// TestPatchesCannotMakeOtherObjects tries patches whose text does not show that
// they make another object.
func TestPatchesCannotMakeOtherObjects(t *testing.T) {
	for _, patch := range []string{
		"{kind: Other, metadata: {name: other, namespace: other}, apiVersion: v9}",
		"{kind: Kiali, metadata: {name: kiali}, apiVersion: kiali.io/v1alpha1, $patch: replace}",
		"{kind: Kiali, metadata: {name: kiali, $patch: delete}}",
		"{kind: Kiali, metadata: {name: kiali, $patch: replace}}",
	} {
		over("patches: [{target: {kind: Kiali}, patch: '" + patch + "'}]").objects(t)
	}

	a := resource.Object{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "a"}}
	b := resource.Object{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "b"}}
	objects := []object{{id: resource.IDOf(a)}, {id: resource.IDOf(b)}}
	wrong := func(objects []object, built ...resource.Object) string {
		_, wrong := matched(objects, built)
		require.NotNil(t, wrong)
		return wrong.message
	}
	made, none := matched(objects, []resource.Object{b, a})
	assert.Nil(t, none)
	assert.Equal(t, []resource.Object{a, b}, made, "in the order of the objects")
	assert.Equal(t, "there would be no v1 Secret a any more", wrong(objects, b))
	assert.Equal(t, "there would be no v1 Secret b any more", wrong(objects, a))
	assert.Equal(t, "there would be a v1 Secret b, which is not rendered", wrong(objects[:1], b))
}

// TestOthersKeepTheFastWay shows that an unmatched cluster shares its resources
// with its shape, in a fleet in which an overlay changes one cluster.
func TestOthersKeepTheFastWay(t *testing.T) {
	l := over("labels: [{pairs: {team: mesh}}]", "function(resource, cluster) resource { metadata+: { labels+: { x: 'y' } } }").
		matching("o1", "names: [one]").matching("o2", "names: [one]")
	top, from := l.parse(t)
	for i := range 200 {
		top.Spec.Clusters = append(top.Spec.Clusters, top.Spec.Clusters[2])
		top.Spec.Clusters[i+3].Name = fmt.Sprintf("c%d", i)
	}
	without, err := bare(top, Sources{Templates: shippedTemplates})
	require.NoError(t, err)
	clusters, err := Clusters(top, from)
	require.NoError(t, err)
	two := &clusters[2]
	for i := range clusters {
		c := &clusters[i]
		switch {
		case c.Name == "one":
			for _, r := range c.Resources {
				assert.True(t, r.Body.IsLiteral(), "%s", r.Name)
			}
		case !c.Hub:
			assert.Same(t, &two.Resources[0], &c.Resources[0], "%s", c.Name)
			assert.Equal(t, without[i].Resources, c.Resources)
		}
		assert.Empty(t, c.Components, "what is applied has no components any more")
	}
}
