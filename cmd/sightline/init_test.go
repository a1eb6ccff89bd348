package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/render"
)

// sightline runs a command in this process.
func sightline(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, words bytes.Buffer
	code = run(shared(t.Context()), args, strings.NewReader(""), &out, &words)
	return code, out.String(), words.String()
}

// examplesOf returns all topologies of the repository without findings, by name.
func examplesOf(t testing.TB) map[string]*topology.Topology {
	t.Helper()
	all := map[string]*topology.Topology{}
	entries, err := os.ReadDir("../../topologies")
	require.NoError(t, err)
	for _, e := range entries {
		path := filepath.Join("../../topologies", e.Name())
		if filepath.Ext(path) != ".yaml" && e.Name() != "fleet" {
			continue
		}
		top, findings, err := readTopology(path, nil)
		require.NoError(t, err)
		require.Empty(t, findings)
		all[strings.TrimSuffix(e.Name(), ".yaml")] = top
	}
	return all
}

// linksOf returns the sealed links beside a topology of the repository.
func linksOf(t testing.TB, top *topology.Topology, name string) render.Links {
	t.Helper()
	in := &input{topology: top, arg: filepath.Join("../../topologies", name+".yaml")}
	require.NoError(t, readLinks([]*input{in}))
	return in.links
}

// assertSameObjects compares the objects of each cluster, as they are written.
func assertSameObjects(t testing.TB, want, got map[string][]anObject) bool {
	t.Helper()
	same := true
	texts := func(objects map[string][]anObject) map[string]string {
		all := map[string]string{}
		for cluster, of := range objects {
			for _, o := range of {
				all[cluster+" "+resource.IDOf(o).String()] = string(resource.Encode(nil, o))
			}
		}
		return all
	}
	a, b := texts(want), texts(got)
	for id, text := range a {
		same = assert.Equal(t, text, b[id], id) && same
	}
	for id := range b {
		same = assert.NotEmpty(t, a[id], id) && same
	}
	return same
}

// TestInitRoundTrip renders every example and dumps the objects of its clusters. Then it
// makes a topology from the dumps with init, and renders this topology. The objects of
// each cluster are the same, and verify has no error.
func TestInitRoundTrip(t *testing.T) {
	t.Parallel()
	for name, top := range examplesOf(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			top.Spec.Overlays = nil
			if top.Spec.Kiali.Links.Source == "sops" {
				top.Spec.Kiali.Links.SOPS.SecretRef = "own"
			}
			links := linksOf(t, top, name)
			before := appliedOf(t, top, links)
			dir := dumpMesh(t, top, before)
			file := filepath.Join(t.TempDir(), "mesh.yaml")
			code, _, stderr := sightline(t, "init", "--from", dir, "-o", file)
			text, err := os.ReadFile(file)
			require.NoError(t, err, stderr)
			assert.Equal(t, exitOK, code, "%s\n%s", text, stderr)
			again, findings := check.Parse(file, text)
			require.Empty(t, findings)
			after := appliedOf(t, again, links)
			assertSameObjects(t, before.rendered, after.rendered)
			assertSameObjects(t, before.delivered, after.delivered)
			assertSameObjects(t, map[string][]anObject{"": before.acm}, map[string][]anObject{"": after.acm})
			code, stdout, stderr := sightline(t, "verify", file)
			assert.Equal(t, exitOK, code, "%s%s", stdout, stderr)
		})
	}
}

// TestInitDelivery reads delivery back from the objects of an engine, for the other
// formats.
func TestInitDelivery(t *testing.T) {
	t.Parallel()
	for name, top := range examplesOf(t) {
		if top.Spec.Delivery == nil || top.OnACM() || strings.HasPrefix(top.Spec.Delivery.RepoURL, "oci://") {
			continue
		}
		for _, format := range []render.Format{render.Helm, render.Manifests} {
			t.Run(name+" "+string(format), func(t *testing.T) {
				t.Parallel()
				links := linksOf(t, top, name)
				before := appliedAs(t, top, links, format)
				file := filepath.Join(t.TempDir(), "mesh.yaml")
				code, _, stderr := sightline(t, "init", "--from", dumpMesh(t, top, before), "-o", file)
				require.Equal(t, exitOK, code, stderr)
				again, findings, err := readTopology(file, nil)
				require.NoError(t, err)
				require.Empty(t, findings)
				assertSameObjects(t, before.delivered, appliedAs(t, again, links, format).delivered)
			})
		}
	}
}
