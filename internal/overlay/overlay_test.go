package overlay_test

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/overlay"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// files makes a file system of texts by their names.
func files(texts map[string]string) fs.FS {
	m := fstest.MapFS{}
	for name, text := range texts {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

// read reads one overlay, called own, of a topology in mesh/.
func read(t *testing.T, entry string, folder fs.FS) (*overlay.Overlay, finding.Findings) {
	t.Helper()
	top, findings := topology.Parse("mesh/topology.yaml", []byte(`
apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  kiali: {hub: east}
  overlays:
    - {name: own, `+entry+`}
  clusters:
    - {name: east, domain: apps.east.example.com}
`))
	require.Empty(t, findings)
	folders := map[string]fs.FS{}
	if folder != nil {
		folders["own"] = folder
	}
	overlays, findings, err := overlay.Read(top, folders, overlay.Host{})
	require.NoError(t, err)
	require.Len(t, overlays, 1)
	return &overlays[0], findings
}

// kustomization reads a kustomize overlay.
func kustomization(t *testing.T, text string, more ...string) (*overlay.Component, finding.Findings) {
	t.Helper()
	texts := map[string]string{"kustomization.yaml": text}
	for i := 0; i+1 < len(more); i += 2 {
		texts[more[i]] = more[i+1]
	}
	o, findings := read(t, "kustomize: own", files(texts))
	return o.Component, findings
}

func lines(findings finding.Findings) string {
	var all []string
	for _, f := range findings.Sorted() {
		all = append(all, f.String())
	}
	return strings.Join(all, "\n")
}

// TestComponent shows what of a kustomization reaches the tree: a component
// whose patches all have a target.
func TestComponent(t *testing.T) {
	c, findings := kustomization(t, `
kind: Kustomization
apiVersion: kustomize.config.k8s.io/v1beta1
metadata: {name: left out}
resources: []
labels:
  - pairs: {team: mesh, on: "1"}
    includeSelectors: false
commonAnnotations: {note: "a: b"}
images:
  - {name: istio/pilot, newName: mirror.test/pilot, newTag: "1.0"}
patches:
  - path: patches/kiali.yaml
  - path: patches/kiali.yaml
    target: {kind: Kiali, labelSelector: a=b}
  - path: several.yaml
  - path: operations.json
    target: {kind: .*Monitor}
  - patch: "{kind: Secret, metadata: {name: x}}"
    target: {name: a.*}
`,
		"patches/kiali.yaml", "# why\nkind: Kiali\nmetadata: {name: kiali}\nspec: {x: 1}\n",
		"several.yaml", "---\n# first\nkind: Secret\nmetadata: {name: a.b, namespace: c}\n--- # second\napiVersion: kiali.io/v1alpha1\nkind: Kiali\nmetadata: {name: kiali}\n---\n# nothing\n",
		"operations.json", "[\n\t{\"op\": \"remove\", \"path\": \"/metadata/labels/x\"}\n]\n",
		"README.md", "not named by anything",
	)
	require.Empty(t, lines(findings))
	got := map[string]string{}
	for _, f := range c.Files() {
		got[f.Path] = string(f.Content)
	}
	assert.Equal(t, map[string]string{
		"overlays/own/patches/kiali.yaml": "# why\nkind: Kiali\nmetadata: {name: kiali}\nspec: {x: 1}\n",
		"overlays/own/operations.json":    "[\n\t{\"op\": \"remove\", \"path\": \"/metadata/labels/x\"}\n]\n",
		"overlays/own/kustomization.yaml": `apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
labels:
- pairs:
    "on": "1"
    team: mesh
commonAnnotations:
  note: "a: b"
images:
- name: istio/pilot
  newName: mirror.test/pilot
  newTag: "1.0"
patches:
- path: patches/kiali.yaml
  target:
    kind: Kiali
    name: kiali
- path: patches/kiali.yaml
  target:
    kind: Kiali
    labelSelector: a=b
- patch: |
    # first
    kind: Secret
    metadata: {name: a.b, namespace: c}
  target:
    kind: Secret
    name: a\.b
    namespace: c
- patch: |
    # second
    apiVersion: kiali.io/v1alpha1
    kind: Kiali
    metadata: {name: kiali}
  target:
    kind: Kiali
    name: kiali
    group: kiali\.io
    version: v1alpha1
- path: operations.json
  target:
    kind: .*Monitor
- patch: "{kind: Secret, metadata: {name: x}}"
  target:
    name: a.*
`,
	}, got)
}

func TestTargets(t *testing.T) {
	kiali := resource.ID{APIVersion: "kiali.io/v1alpha1", Kind: "Kiali", Namespace: "istio-system", Name: "kiali"}
	binding := resource.ID{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRoleBinding", Name: "kiali"}
	monitor := resource.ID{APIVersion: "monitoring.coreos.com/v1", Kind: "PodMonitor", Namespace: "shop", Name: "m"}
	for _, test := range []struct {
		target   string
		selected []resource.ID
	}{
		{"{}", []resource.ID{kiali, binding, monitor}},
		{"{kind: Kiali}", []resource.ID{kiali}},
		{"{kind: Kia}", nil},
		{"{name: kiali}", []resource.ID{kiali, binding}},
		{"{group: monitoring.coreos.com, version: v1}", []resource.ID{monitor}},
		{"{namespace: shop|default}", []resource.ID{monitor}},
		{"{namespace: default}", nil},
		{"{namespace: .*, labelSelector: nobody=knows}", []resource.ID{kiali, binding, monitor}},
	} {
		t.Run(test.target, func(t *testing.T) {
			c, findings := kustomization(t, "patches: [{target: "+test.target+", patch: '[{\"op\": \"remove\", \"path\": \"/spec/x\"}]'}]")
			require.Empty(t, lines(findings))
			for _, id := range []resource.ID{kiali, binding, monitor} {
				assert.Equal(t, slices.Contains(test.selected, id), c.Concerns(id), "%s", id)
			}
		})
	}
	c, findings := kustomization(t, "labels: [{pairs: {a: b}}]")
	require.Empty(t, lines(findings))
	assert.True(t, c.Concerns(kiali), "labels are for every object")
	assert.False(t, c.Patched(kiali))
}

// TestRefusedFields shows that each field is refused by its name and that the
// documentation has it.
func TestRefusedFields(t *testing.T) {
	doc, err := os.ReadFile("../../docs/overlays.md")
	require.NoError(t, err)
	for _, field := range overlay.RefusedFields() {
		_, findings := kustomization(t, field+": {a: b}\n")
		if assert.Len(t, findings, 1, field) {
			f := findings[0]
			assert.Equal(t, "mesh/own/kustomization.yaml:1:1", f.Position.String())
			assert.Equal(t, overlay.RuleField, f.Rule)
			assert.Contains(t, f.Message, "an overlay must not have "+field+": ")
			assert.NotEmpty(t, f.Hint, field)
		}
		assert.Contains(t, string(doc), "`"+field+"`")
	}
}

// TestFindings breaks the files of an overlay in one way at a time.
func TestFindings(t *testing.T) {
	const kiali = "kind: Kiali\nmetadata: {name: kiali}\n"
	inline := func(patch string) string {
		return "patches:\n  - target: {kind: Kiali}\n    patch: |-\n      " + strings.ReplaceAll(patch, "\n", "\n      ")
	}
	for _, test := range []struct{ name, text, want string }{
		{"not YAML", "labels: [\n", "1:1: error: SY01: the file is not YAML: did not find expected node content\nhint: close the bracket that opens here"},
		{"not UTF-8", "a: \xff", "1:4: error: SY01: found the byte 0xFF, which is not UTF-8\nhint: save the file as UTF-8"},
		{"two documents", "labels: []\n---\nlabels: []", "1:1: error: SY01: found 2 documents, expected one kustomization\nhint: a kustomize overlay is a folder with a kustomization.yaml"},
		{"a list", "- a", "1:1: error: SY05: a kustomization must be an object, found a list"},
		{"nothing in it", "kind: Component\npatches: []\n", "1:1: error: SY07: the overlay changes nothing; expected patches, labels, commonAnnotations or images"},
		{"another kind", "kind: Deployment\nlabels: [{pairs: {a: b}}]", "1:7: error: SY02: kind must be Component or Kustomization, found the string \"Deployment\"\nhint: write kind: Component and apiVersion: kustomize.config.k8s.io/v1alpha1"},
		{"unknown field", "patchs: []\nlabels: [{pairs: {a: b}}]", "1:1: error: SY03: unknown field patchs\nhint: an overlay has patches, labels, commonAnnotations, images, metadata, kind, apiVersion"},
		{"a key twice", "labels: [{pairs: {a: b, a: c}}]", "1:25: error: SY04: the key a is there twice; first at 1:19\nhint: keep one of the two"},
		{"label that is no text", "labels: [{pairs: {a: 1}}]", "1:22: error: SY05: labels[0].pairs.a must be a string, found the number 1\nhint: put it in quotes: \"1\""},
		{"label too long", "labels: [{pairs: {a: " + strings.Repeat("b", 64) + "}}]", "1:22: error: SY06: \"a\": \"" + strings.Repeat("b", 64) + "\" is not a valid label\nhint: use an annotation for free text"},
		{"prefix with upper case", "labels: [{pairs: {A.b/c: d}}]", "1:26: error: SY06: \"A.b/c\": \"d\" is not a valid label\nhint: use an annotation for free text"},
		{"label without a name", "labels: [{pairs: {a/: d}}]", "1:23: error: SY06: \"a/\": \"d\" is not a valid label\nhint: use an annotation for free text"},
		{"label with spaces", "labels: [{pairs: {a: b c}}]", "1:22: error: SY06: \"a\": \"b c\" is not a valid label\nhint: use an annotation for free text"},
		{"label on selectors", "labels: [{pairs: {a: b}, includeSelectors: true}]", "1:26: error: OV01: labels of an overlay must not have includeSelectors: a selector with another label selects nothing\nhint: remove it; labels on the objects themselves need only pairs"},
		{"label on templates", "labels: [{pairs: {a: b}, includeTemplates: true}]", "1:26: error: OV01: labels of an overlay must not have includeTemplates: a selector with another label selects nothing\nhint: remove it; labels on the objects themselves need only pairs"},
		{"label elsewhere", "labels: [{pairs: {a: b}, fields: [{path: spec}]}]", "1:26: error: OV01: labels of an overlay must not have fields: a selector with another label selects nothing\nhint: remove it; labels on the objects themselves need only pairs"},
		{"annotation that is no text", "commonAnnotations: {a: true}", "1:24: error: SY05: commonAnnotations.a must be a string, found the boolean true\nhint: put it in quotes: \"true\""},
		{"image without name", "images: [{newTag: \"1\"}]", "1:10: error: SY07: images[0].name is missing"},
		{"image with a typo", "images: [{name: a, tag: b}]", "1:20: error: SY03: unknown field tag\nhint: an image has name, newName, newTag, digest, tagSuffix"},
		{"neither path nor patch", "patches: [{target: {kind: Kiali}}]", "1:11: error: SY07: patches[0] must have either path or patch\nhint: name a file with path, or write the patch after patch: |"},
		{"both", "patches: [{path: a, patch: b}]", "1:11: error: SY07: patches[0] must have either path or patch\nhint: name a file with path, or write the patch after patch: |"},
		{"path out of the folder", "patches: [{path: ../a.yaml}]", "1:18: error: SY06: patches[0].path is the string \"../a.yaml\", expected a file with patches in the folder of the overlay\nhint: copy the file into the folder of the overlay"},
		{"absolute path", "patches: [{path: /a.yaml}]", "1:18: error: SY06: patches[0].path is the string \"/a.yaml\", expected a file with patches in the folder of the overlay\nhint: copy the file into the folder of the overlay"},
		{"URL", "patches: [{path: 'https://a.test/b.yaml'}]", "1:18: error: SY06: patches[0].path is the string \"https://a.test/b.yaml\", expected a file with patches in the folder of the overlay\nhint: copy the file into the folder of the overlay"},
		{"the kustomization", "patches: [{path: ./kustomization.yaml}]", "1:18: error: SY06: patches[0].path is the string \"./kustomization.yaml\", expected a file with patches in the folder of the overlay\nhint: copy the file into the folder of the overlay"},
		{"hidden file", "patches: [{path: .git/x.yaml}]", "1:18: error: SY06: patches[0].path is the string \".git/x.yaml\", which not every file system accepts as a name\nhint: rename it: letters, digits, '-', '_' and '.', not beginning with '.' or '-'"},
		{"missing file", "patches: [{path: a.yaml}]", "1:18: error: SY06: there is no file mesh/own/a.yaml"},
		{"a folder", "patches: [{path: folder}]", "1:18: error: SY06: mesh/own/folder is not a file"},
		{"options", "patches: [{patch: x, options: {allowNameChange: true}}]", "1:22: error: OV01: a patch of an overlay must not have options: it renames objects, but the hub, the remotes, accounts and sealed Secrets refer to each other by name\nhint: remove it; without it, a patch cannot rename"},
		{"target with a typo", "patches: [{patch: '[{\"op\": \"remove\", \"path\": \"/a\"}]', target: {kinds: a}}]", "1:64: error: SY03: unknown field kinds\nhint: a target has group, version, kind, name, namespace, labelSelector, annotationSelector"},
		{"target that is no regular expression", "patches: [{patch: '[{\"op\": \"remove\", \"path\": \"/a\"}]', target: {name: (}}]", "1:63: error: SY06: the target cannot be read: error parsing regexp: missing closing ): `^(?:()$`\nhint: the fields of a target are regular expressions"},
		{"operations without target", "patches: [{patch: '[{\"op\": \"remove\", \"path\": \"/a\"}]'}]", "1:19: error: SY07: a JSON patch does not name its target, and its entry in patches has no target\nhint: add target: {kind: …, name: …} to the entry in patches"},
		{"patch without name", "patches: [{patch: 'kind: Kiali'}]", "1:19: error: SY07: a patch must have kind and metadata.name\nhint: write apiVersion, kind and metadata.name of the object"},
		{"patch with target and without name", inline("kind: Kiali"), "4:7: error: SY07: a patch must have kind and metadata.name\nhint: kustomize requires both, also with a target; any value will do"},
		{"empty patch", "patches: [{patch: '# nothing'}]", "1:11: error: SY07: the patch is empty"},
		{"patch that is a text", inline("a"), "4:7: error: SY05: a patch must be an object (a part of an object) or a list (operations), found the string \"a\""},
		{"two patches and a target", inline(kiali + "---\n" + kiali), "2:13: error: SY06: found 2 patches in one text; a target is for one patch only\nhint: give each patch a separate entry in patches"},
		{"removal", inline(kiali + "$patch: delete"), "6:15: error: OV02: an overlay must not remove an object, but this patch does\nhint: the topology decides which objects exist, and their names"},
		{"patch with a key twice", inline(kiali + "spec: {a: 1, a: 2}"), "6:20: error: SY04: the key a is there twice; first at 6:14\nhint: keep one of the two"},
		{"renaming operation", inline("- op: test\n  path: /metadata/name\n  value: a\n- {op: replace, path: /metadata/name, value: b}"), "7:29: error: OV02: an overlay must not change /metadata/name: it renames objects, but the hub, the remotes, accounts and sealed Secrets refer to each other by name\nhint: the names and namespaces come from the topology"},
		{"moving operation", inline("- {op: move, from: /metadata, path: /spec/x}"), "4:26: error: OV02: an overlay must not change /metadata: it renames objects, but the hub, the remotes, accounts and sealed Secrets refer to each other by name\nhint: the names and namespaces come from the topology"},
		{"replacing all", inline("- {op: add, path: '', value: {}}"), "4:25: error: OV02: an overlay must not change the whole object: it renames objects, but the hub, the remotes, accounts and sealed Secrets refer to each other by name\nhint: the names and namespaces come from the topology"},
		{"unknown operation", inline("- {op: set, path: /a}"), "4:9: error: SY06: operation 1 has the op \"set\"\nhint: the operations are add, remove, replace, move, copy and test"},
		{"YAML in brackets", inline("[{op: remove, path: /a}]"), "4:7: error: SY01: found YAML in brackets, which kustomize reads as JSON\nhint: start each operation on a new line with - op:"},
		{"operation without value", inline("- {op: add, path: /a}"), "4:9: error: SY07: operation 1 (add) has no value"},
		{"pointer without slash", inline("- {op: remove, path: spec.a}"), "4:28: error: SY06: operation 1 has the path \"spec.a\", expected a slash at the start\nhint: write it like /spec/deployment"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, findings := kustomization(t, test.text, "folder/x", "")
			assert.Equal(t, "mesh/own/kustomization.yaml:"+test.want, lines(findings))
		})
	}
}

func TestPositionsInPatchFiles(t *testing.T) {
	_, findings := kustomization(t, "patches: [{path: a/b.yaml, target: {kind: Kiali}}]", "a/b.yaml", "# x\n- op: remove\n  path: /kind\n")
	assert.Contains(t, lines(findings), "mesh/own/a/b.yaml:3:9: error: OV02: ")

	_, findings = kustomization(t, "patches: [{path: b.yaml}]", "b.yaml", "---\nkind: A\nmetadata: {name: a}\n---\nkind: B\n")
	assert.Contains(t, lines(findings), "mesh/own/b.yaml:5:1: error: SY07: ")
}

func TestMissing(t *testing.T) {
	for _, test := range []struct {
		name, entry string
		folder      fs.FS
		want        string
	}{
		{"no folder", "kustomize: ../own", nil, "mesh/topology.yaml:9:30: error: SY06: overlay \"own\": there is no folder own\nhint: a path is relative to the topology's file"},
		{"absolute", "kustomize: /own", nil, "mesh/topology.yaml:9:30: error: SY06: overlay \"own\": found the absolute path /own\nhint: write it relative to the topology's file, so that it means the same on every machine"},
		{"no kustomization", "kustomize: own", files(map[string]string{"x": ""}), "mesh/topology.yaml:9:30: error: SY06: overlay \"own\": mesh/own has no kustomization.yaml\nhint: a kustomize overlay is a folder with a kustomization.yaml"},
		{"two kustomizations", "kustomize: own", files(map[string]string{"kustomization.yml": "", "Kustomization": ""}), "mesh/topology.yaml:9:30: error: SY06: overlay \"own\": mesh/own has kustomization.yml and Kustomization, but kustomize reads only one\nhint: a kustomize overlay is a folder with a kustomization.yaml"},
		{"no script", "jsonnet: own/x.jsonnet", files(nil), "mesh/topology.yaml:9:28: error: SY06: there is no file mesh/own/x.jsonnet\nhint: a Jsonnet overlay is a file with function(resource, cluster) resource"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, findings := read(t, test.entry, test.folder)
			assert.Equal(t, test.want, lines(findings))
		})
	}
}

// TestLinksStayInside shows that a link is followed inside the folder only.
func TestLinksStayInside(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"secret": "kind: Kiali\nmetadata: {name: kiali}\n", "o/inside.yaml": "kind: Kiali\nmetadata: {name: kiali}\n"} {
		require.NoError(t, os.MkdirAll(dir+"/o", 0o755))
		require.NoError(t, os.WriteFile(dir+"/"+name, []byte(text), 0o644))
	}
	require.NoError(t, os.Symlink("../secret", dir+"/o/out.yaml"))
	require.NoError(t, os.Symlink("inside.yaml", dir+"/o/in.yaml"))
	require.NoError(t, os.WriteFile(dir+"/o/kustomization.yaml", []byte("patches: [{path: in.yaml}, {path: out.yaml}]"), 0o644))
	require.NoError(t, os.WriteFile(dir+"/o/x.jsonnet", []byte("importstr 'out.yaml'"), 0o644))
	root, err := os.OpenRoot(dir + "/o")
	require.NoError(t, err)
	defer root.Close()

	_, findings := read(t, "kustomize: o", root.FS())
	assert.Equal(t, "mesh/o/kustomization.yaml:1:35: error: SY06: mesh/o/out.yaml cannot be read: path escapes from parent\n"+
		"hint: an overlay reads only files in its own folder, and follows no link out of it", lines(findings))
	_, findings = read(t, "jsonnet: o/x.jsonnet", root.FS())
	assert.Contains(t, lines(findings), "path escapes from parent")
}

func TestScript(t *testing.T) {
	object := func() resource.Object {
		return resource.Object{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "a", "namespace": "b"}, "data": map[string]string{"x": "y"}}
	}
	cluster := map[string]any{"name": "east", "labels": map[string]string{"env": "prod"}}
	script := func(t *testing.T, text string, more ...string) (*overlay.Script, finding.Findings) {
		texts := map[string]string{"x.jsonnet": text}
		for i := 0; i+1 < len(more); i += 2 {
			texts[more[i]] = more[i+1]
		}
		o, findings := read(t, "jsonnet: own/x.jsonnet", files(texts))
		return o.Script, findings
	}

	s, findings := script(t, "local lib = import 'lib/l.libsonnet'; function(resource, cluster) lib(resource, cluster)",
		"lib/l.libsonnet", "function(r, c) r { metadata+: { labels: { env: c.labels.env } } }")
	require.Empty(t, findings)
	apply := func(s *overlay.Script, cluster map[string]any) (result resource.Object, changed bool, err error) {
		input, err := s.Object(object())
		require.NoError(t, err)
		made, err := s.Apply(input, overlay.NewCluster(cluster))
		if err != nil {
			return nil, false, err
		}
		again, err := s.Apply(input, overlay.NewCluster(cluster))
		require.NoError(t, err)
		assert.Same(t, made, again, "equal clusters have one object")
		content, err := made.Content()
		require.NoError(t, err)
		return content, made != input, nil
	}
	got, changed, err := apply(s, cluster)
	require.NoError(t, err)
	assert.True(t, changed)
	want := resource.Object{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "a", "namespace": "b", "labels": map[string]any{"env": "prod"}}, "data": map[string]any{"x": "y"}}
	assert.Equal(t, want, got)

	s, _ = script(t, "function(cluster, resource) resource")
	for range 2 {
		_, changed, err = apply(s, cluster)
		require.NoError(t, err)
		assert.False(t, changed, "an object that is returned is not changed")
	}

	s, _ = script(t, "function(resource, cluster) resource { data: cluster.labels }")
	for _, env := range []string{"prod", "dev"} {
		got, _, err := apply(s, map[string]any{"labels": map[string]any{"env": env}})
		require.NoError(t, err)
		assert.Equal(t, map[string]any{"env": env}, got["data"], "what looks at the labels depends on them")
	}

	for _, test := range []struct{ name, text, want string }{
		{"no object", "[resource]", "it returned an array, expected the resource"},
		{"nothing", "null", "it returned null, expected the resource"},
		{"another name", "resource { metadata+: { name: 'z' } }", `it changed metadata.name from "a" to "z", but the resources of several clusters refer to each other by name`},
		{"another namespace", "resource { metadata+: { namespace: 'z' } }", `it changed metadata.namespace from "b" to "z", but the resources of several clusters refer to each other by name`},
		{"another kind", "resource { kind: 'ConfigMap' }", `it changed kind from "Secret" to "ConfigMap", but the resources of several clusters refer to each other by name`},
		{"a part", "{ data: {} }", `it returned an object without the apiVersion "v1"`},
		{"a null", "resource { data: { x: [{ y: null }] } }", "it set data.x[0].y to null, which programs read in different ways"},
		{"a label that is no string", "resource { metadata+: { labels: { a: 1 } } }", `it set metadata.labels["a"] to a number, expected a string`},
		{"labels that are none", "resource { metadata+: { labels: [] } }", "it made metadata.labels an array, expected an object"},
		{"failure", "\n  resource { x: cluster.labels.size }", "Field does not exist: size\n    at mesh/own/x.jsonnet:2:17 object <anonymous>"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, findings := script(t, "function(resource, cluster) "+test.text)
			require.Empty(t, findings)
			_, _, err := apply(s, cluster)
			require.Error(t, err)
			assert.Contains(t, err.Error(), test.want)
		})
	}
	for _, test := range []struct{ name, text, want string }{
		{"no function", "{}", "mesh/topology.yaml:9:28: error: OV05: overlay \"own\": mesh/own/x.jsonnet is of the type object, expected function(resource, cluster) resource\nhint: write function(resource, cluster) resource { … }"},
		{"no Jsonnet", "function(", "mesh/topology.yaml:9:28: error: OV05: overlay \"own\": mesh/own/x.jsonnet:1:10 Expected token IDENTIFIER but got end of file while parsing parameter"},
		{"import of a parent", "import '../x.libsonnet'", "mesh/topology.yaml:9:28: error: OV05: overlay \"own\": import \"../x.libsonnet\": a file may only import files below its root\n    at mesh/own/x.jsonnet:1:1"},
		{"absolute import", "importstr '/etc/passwd'", "mesh/topology.yaml:9:28: error: OV05: overlay \"own\": import \"/etc/passwd\": a file may only import files below its root\n    at mesh/own/x.jsonnet:1:1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, findings := script(t, test.text)
			assert.Equal(t, test.want, lines(findings))
		})
	}
}

// FuzzComponent makes sure that no text makes a panic, that a finding has a
// place, and that what has none can be written.
func FuzzComponent(f *testing.F) {
	f.Add("patches: [{path: p.yaml}, {target: {kind: Kiali}, path: p.yaml}]", "kind: Kiali\nmetadata: {name: kiali}\n")
	f.Add("patches:\n- target: &t {kind: Kiali}\n  patch: |-\n    - op: add\n      path: /a\n      value: 1\n- {target: *t, path: p.yaml}", "--- # a\n[{\"op\": \"remove\", \"path\": \"/b\"}]\n...\n")
	f.Add("labels: [{pairs: {a: b}}]\nimages: [{name: a}]\ncommonAnnotations: {c: d}\nmetadata: {}\nnamespace: x", "kind: A\n---\nkind: B\nmetadata: {name: b}")
	f.Add("<<: {patches: []}", "\ufeff$patch: delete")
	f.Fuzz(func(t *testing.T, text, patch string) {
		c, findings := kustomization(t, text, "p.yaml", patch)
		for _, finding := range findings {
			assert.NotEmpty(t, finding.File)
			assert.Positive(t, finding.Line)
			assert.Positive(t, finding.Col)
			assert.NotEmpty(t, finding.Message)
		}
		if len(findings) == 0 {
			_, err := tree.New(c.Files())
			assert.NoError(t, err)
		}
	})
}

func ExampleRead() {
	top, _ := topology.Parse("topology.yaml", []byte(`
apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  kiali: {hub: east}
  overlays:
    - {name: prefix, kustomize: prefix}
  clusters:
    - {name: east, domain: apps.east.example.com}
`))
	_, findings, _ := overlay.Read(top, map[string]fs.FS{"prefix": files(map[string]string{"kustomization.yaml": "namePrefix: my-"})}, overlay.Host{})
	fmt.Println(findings[0].Message)
	// Output: an overlay must not have namePrefix: it renames objects, but the hub, the remotes, accounts and sealed Secrets refer to each other by name
}

func TestScriptWithoutCluster(t *testing.T) {
	object := func(kind string) resource.Object {
		return resource.Object{"apiVersion": "v1", "kind": kind, "metadata": map[string]any{
			"name": resource.Hole("topology.name"), "labels": resource.MergeHole(map[string]any{"a": "1"}, resource.Hole("topology.labels")),
		}}
	}
	o, findings := read(t, "jsonnet: own/x.jsonnet", files(map[string]string{"x.jsonnet": `
function(resource, cluster)
  if resource.kind == 'Same' then resource
  else if resource.kind == 'Text' then resource { metadata+: { labels: {} } } + { metadata+: { name: 'other' } }
  else if resource.kind == 'Fails' then error 'after a look: ' + cluster
  else if resource.kind == 'Looks' then resource { name: cluster.name }
  else resource { metadata+: { labels+: { b: resource.metadata.name } } }`}))
	require.Empty(t, findings)
	s := o.Script

	got, err := s.ApplyBlind(object("Same"))
	require.NoError(t, err)
	assert.Equal(t, object("Same"), got)
	got, err = s.ApplyBlind(object("Other"))
	require.NoError(t, err)
	assert.Equal(t, map[string]any{
		"name":   resource.Hole("topology.name"),
		"labels": resource.MergeHole(map[string]any{"a": "1", "b": resource.Hole("topology.name")}, resource.Hole("topology.labels")),
	}, got["metadata"])
	for _, kind := range []string{"Looks", "Fails"} {
		_, err = s.ApplyBlind(object(kind))
		require.ErrorIs(t, err, overlay.ErrLooked)
	}
	_, err = s.ApplyBlind(object("Text"))
	require.ErrorContains(t, err, "it changed metadata.name from")
}
