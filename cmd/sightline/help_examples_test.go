package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHelpExamples runs every example in the --help of a command. A shell runs it in a
// clone with a rendered topology. The clusters are simulated. Stand-ins replace other
// programs and accept everything.
func TestHelpExamples(t *testing.T) {
	mesh := strings.Replace(watchedMesh, "auth: ", "viewOnly: true, auth: ", 1) +
		"  delivery: {repoURL: \"https://git.example.com/mesh.git\", argocd: {source: plugin}}\n"
	f := newFleet(t, mesh)
	f.store = newStore(t)
	s := newSealing(t)
	r := newHelpRepository(t, mesh, f, s)

	codes := map[string]int{
		// seal did not make the link on the hub.
		"sightline seal --all --topology mesh.yaml --check --live --hub-context east": exitFound,
		// The simulated clusters are on this machine, and no pod reaches them.
		"sightline init --context east --context west --hub east -o mesh.yaml": exitFound,
		"sightline init --context 'admin@*' --hub east --dir mesh":             exitFound,
	}
	// Another test runs these with the program itself.
	elsewhere := map[string]string{"kustomize build --enable-alpha-plugins --enable-exec .": "TestProgramKustomizeRunsFn"}

	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
		if !cmd.HasParent() {
			return
		}
		examples := strings.Split(cmd.Example, "\n")
		assert.GreaterOrEqual(t, len(examples), 3, "%s --help shows fewer than three examples", cmd.CommandPath())
		for _, example := range examples {
			example, indented := strings.CutPrefix(example, "  ")
			require.True(t, indented, "%q is not indented by two", example)
			if elsewhere[example] != "" {
				continue
			}
			r.run("git", "clean", "-qfd")
			r.run("git", "checkout", "-q", ".")
			switch {
			case cmd.Name() == "init":
				require.NoError(t, os.Remove(filepath.Join(r.dir, "mesh.yaml"))) // init writes it
			case cmd.Name() == "render":
				require.NoError(t, os.RemoveAll(filepath.Join(r.dir, "rendered"))) // it has another topology than the example
			case cmd.Name() == "status", strings.HasPrefix(example, "sightline diff mesh.yaml --live"):
				require.NoError(t, os.RemoveAll(filepath.Join(r.dir, "sealed"))) // the simulated hub has another link
			}
			code, _ := r.script(strings.ReplaceAll(example, "sightline status mesh.yaml",
				fmt.Sprintf("sightline status mesh.yaml --kiali-url %s/kiali --prometheus-url %s", f.kiali.URL, f.store.URL)))
			assert.Equal(t, codes[example], code, example)
		}
	}
	visit(newCommand())
}

// newHelpRepository makes the clone, and what the examples name.
func newHelpRepository(t *testing.T, mesh string, f *fleetOf, s *sealing) *ciRepository {
	r := newCIRepository(t)
	for _, dir := range []string{"sealed", "rendered"} {
		require.NoError(t, os.RemoveAll(filepath.Join(r.dir, dir)))
	}
	r.topology = mesh
	r.write("", "")
	write := func(name, content string) {
		path := filepath.Join(r.dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o755))
	}
	certificate := s.read(filepath.Join(s.secrets, "hub.pem"))
	write("hub.pem", certificate)
	write("west.pem", string(f.ca("west")))
	write("token", s.accountToken())
	write("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: sample}\nspec: {containers: [{name: web}]}\nstatus: {podIP: 10.0.0.1}\n")
	write("crds/widgets.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\n"+
		"spec: {group: example.com, scope: Cluster, names: {kind: Widget, plural: widgets}, versions: [{name: v1, served: true, storage: true,\n"+
		"  schema: {openAPIV3Schema: {type: object}}}]}\n")
	write("dumps/east/istiod.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: istiod, namespace: istio-system, labels: {app: istiod}}\n"+
		"spec: {template: {spec: {containers: [{name: discovery, env: [{name: CLUSTER_ID, value: east}]}]}}}\n---\n"+
		"apiVersion: config.openshift.io/v1\nkind: ClusterVersion\nmetadata: {name: version}\n")
	write("resourcelist.yaml", "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nfunctionConfig:\n"+indented(mesh)+"items: []\n")
	for name, script := range map[string]string{
		"less":    "cat >/dev/null",
		"kubectl": "cat >/dev/null",
		"kpt":     `[ "$1 $2 $3 $5" = "fn eval --exec --fn-config" ] && sh -e -c "$4" <resourcelist.yaml`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(r.bin, name), []byte("#!/bin/sh\nset -eu\n"+script+"\n"), 0o755))
	}

	hub := f.clusters["east"]
	hub.put(object("v1", "Service", "kube-system", "sealed-secrets-controller", map[string]any{
		"spec": map[string]any{"ports": []any{map[string]any{"name": "http", "port": 8080}}},
	}))
	hub.logs = map[string]string{
		"/api/v1/namespaces/kube-system/services/http:sealed-secrets-controller:http/proxy/v1/cert.pem": certificate,
	}
	aliases := "contexts:\n"
	for alias, name := range map[string]string{"hub": "east", "admin@east": "east", "admin@west": "west"} {
		aliases += fmt.Sprintf("- {name: %q, context: {cluster: %q, user: %q}}\n", alias, name, name)
	}
	write("kubeconfig", strings.Replace(s.read(f.kubeconfig), "contexts:\n", aliases, 1))
	r.run("sightline", "seal", "west", "--topology", "mesh.yaml", "--cert", "hub.pem", "--token-file", "token", "--ca-file", "west.pem")
	r.commit()
	r.run("git", "push", "-q", "origin", "change:main")
	t.Setenv("KUBECONFIG", filepath.Join(r.dir, "kubeconfig"))
	return r
}

func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
}
