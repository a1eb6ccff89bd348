package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// TestProgramKustomizeRunsFn makes the real kustomize run the function as a generator. It
// builds the same objects of a cluster as a build of the tree.
func TestProgramKustomizeRunsFn(t *testing.T) {
	kustomize := os.Getenv("SIGHTLINE_KUSTOMIZE")
	if kustomize == "" {
		t.Skip("SIGHTLINE_KUSTOMIZE names no program (make test-programs sets it), so it is not shown that kustomize runs the function")
	}
	dir := t.TempDir()
	here, err := os.Executable()
	require.NoError(t, err)
	// The test binary is the program when it has the program's name.
	require.NoError(t, os.Symlink(here, filepath.Join(dir, "sightline")))
	for name, content := range map[string]string{
		"mesh.yaml":          fnTopology,
		"function.sh":        "#!/bin/sh\nexec \"$(dirname \"$0\")/sightline\" fn\n",
		"kustomization.yaml": "generators: [generator.yaml]\n",
		"generator.yaml": `apiVersion: v1
kind: ConfigMap
metadata:
  name: mesh
  annotations:
    config.kubernetes.io/function: "exec: {path: ./function.sh}"
data: {topology: mesh.yaml, cluster: cluster2}
`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755))
	}
	build := func(args ...string) []string {
		cmd := exec.Command(kustomize, append([]string{"build"}, args...)...)
		cmd.Dir = dir
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		require.NoError(t, err, stderr.String())
		return objectNames(t, string(out))
	}
	render := exec.Command(filepath.Join(dir, "sightline"), "render", "mesh.yaml", "-o", "rendered")
	render.Dir = dir
	text, err := render.CombinedOutput()
	require.NoError(t, err, string(text))
	want := build("rendered/clusters/cluster2")
	assert.NotEmpty(t, want)
	assert.ElementsMatch(t, want, build("--enable-alpha-plugins", "--enable-exec", "."))
}

const fnTopology = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  kiali: {hub: cluster1}
  namespaces: [sample]
  clusters:
  - {name: cluster1, domain: apps.east.example.com}
  - {name: cluster2, server: "https://api.west.example.com:6443"}
`

// objectNames lists the objects of a YAML stream by kind, namespace and name.
func objectNames(t *testing.T, stream string) []string {
	var names []string
	for doc := range strings.SplitSeq(stream, "\n---\n") {
		node, err := yaml.Parse(doc)
		require.NoError(t, err)
		names = append(names, node.GetKind()+" "+node.GetNamespace()+"/"+node.GetName())
	}
	return names
}
