package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/credential/corpus"
)

const overlaid = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  kiali: {hub: east, version: v2.27}
  namespaces: [shop]
  delivery: {repoURL: "https://git.example.com/mesh.git", argocd: {}}
  overlays: [{name: own, jsonnet: own/own.jsonnet}]
  clusters: [{name: east, domain: apps.east.example.com}]
`

// TestCredentialsOfOverlays has a Jsonnet overlay that composes more than 200
// credentials. The file of the overlay contains none of them. The rules find each one in
// the rendered objects, and verify and render neither print nor write one.
func TestCredentialsOfOverlays(t *testing.T) {
	dir := t.TempDir()
	var fields, passwords strings.Builder
	all := corpus.Credentials()
	for i, c := range all {
		fmt.Fprintf(&fields, "a%d: std.join('', std.map(std.char, %s)),\n", i, codes(c.Text))
	}
	for i, c := range corpus.Passwords() {
		fmt.Fprintf(&passwords, "a%d: {password: %s, headers: {'X-API-Key': %[2]s}},\n", i, strconv.Quote(c.Text))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "own"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mesh.yaml"), []byte(overlaid), 0o644))
	script := "function(resource, cluster) if resource.kind == 'PodMonitor' then resource + {metadata+: {annotations+: {" + fields.String() + "}}}\n" +
		"else if resource.kind == 'Telemetry' then resource + {spec+: {" + passwords.String() + "}} else resource"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "own", "own.jsonnet"), []byte(script), 0o644))

	var verified, rendered, stderr bytes.Buffer
	run(shared(context.Background()), []string{"verify", "--output", "json", filepath.Join(dir, "mesh.yaml")}, nil, &verified, &stderr)
	for i := range all {
		assert.Contains(t, verified.String(), fmt.Sprintf("metadata.annotations.a%d of the PodMonitor", i), "%s", all[i].Text)
	}
	for i := range corpus.Passwords() {
		assert.Contains(t, verified.String(), fmt.Sprintf("spec.a%d.password of the Telemetry", i))
		assert.Contains(t, verified.String(), fmt.Sprintf("spec.a%d.headers.X-API-Key of the Telemetry", i))
	}
	require.Equal(t, exitInvalid, run(shared(context.Background()), []string{"render", filepath.Join(dir, "mesh.yaml"), "-o", filepath.Join(dir, "out")}, nil, &rendered, &stderr))
	assert.NoDirExists(t, filepath.Join(dir, "out"))
	for _, c := range append(all, corpus.Passwords()...) {
		for _, stream := range []*bytes.Buffer{&verified, &rendered, &stderr} {
			assert.NotContains(t, stream.String(), c.Secret)
		}
	}
}

// codes returns the characters of a text as a list of numbers in Jsonnet.
func codes(text string) string {
	var list []string
	for _, r := range text {
		list = append(list, strconv.Itoa(int(r)))
	}
	return "[" + strings.Join(list, ", ") + "]"
}
