package main

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"
)

// immutableRegistry is a registry on loopback that never replaces a tag.
func immutableRegistry(t *testing.T) (host string) {
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if at := r.URL.Path; r.Method == http.MethodPut && strings.Contains(at, "/manifests/") && !strings.Contains(at, "sha256:") {
			known := httptest.NewRecorder()
			inner.ServeHTTP(known, httptest.NewRequest(http.MethodHead, at, nil))
			if known.Code == http.StatusOK {
				http.Error(w, `{"errors":[{"code":"DENIED","message":"the tag is there and is never replaced"}]}`, http.StatusForbidden)
				return
			}
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// tryRegistry pushes a chart, the same chart again, and a changed one, with Helm,
// to a registry that never replaces a tag, and reads one back by its version as
// Argo CD and Flux name it. It pushes the image as the release workflow does.
func tryRegistry(t *testing.T, unpacked, out string) {
	host := immutableRegistry(t)
	index, err := layout.ImageIndexFromPath(filepath.Join(out, imageFolder))
	require.NoError(t, err)
	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	inner, err := index.ImageIndex(manifest.Manifests[0].Digest)
	require.NoError(t, err)
	require.NoError(t, pushIndex(host+"/sightline:v0.0.0-test", inner))
	_, err = crane.Digest(host+"/sightline:v0.0.0-test", crane.Insecure)
	require.NoError(t, err)

	helm := os.Getenv("SIGHTLINE_HELM3")
	if helm == "" {
		t.Skip("SIGHTLINE_HELM3 names no program (make release-check sets it), so it is not shown that charts can be pushed")
	}
	r := newRepository(t, unpacked)
	pack := func(topology string) (archive, version string) {
		dir := t.TempDir()
		r.write("mesh.yaml", topology)
		r.must("sightline", "render", "mesh.yaml", "--format", "helm", "-o", filepath.Join(dir, "tree"))
		r.must(helm, "package", filepath.Join(dir, "tree", "chart"), "--destination", dir)
		archives, err := filepath.Glob(filepath.Join(dir, "mesh-*.tgz"))
		require.NoError(t, err)
		require.Len(t, archives, 1)
		return archives[0], strings.TrimSuffix(strings.TrimPrefix(filepath.Base(archives[0]), "mesh-"), ".tgz")
	}
	push := func(archive string) (string, error) {
		return r.run(helm, "push", archive, "oci://"+host+"/charts", "--plain-http")
	}
	first, one := pack(before)
	text, err := push(first)
	require.NoError(t, err, text)
	_, same := pack(before)
	require.Equal(t, one, same, "an equal chart has an equal version")
	_, err = push(first)
	require.Error(t, err, "the registry replaces a tag")
	second, other := pack(strings.Replace(before, "hub: east", "viewOnly: true, hub: east", 1))
	require.NotEqual(t, one, other)
	text, err = push(second)
	require.NoError(t, err, text)
	tags, err := crane.ListTags(host+"/charts/mesh", crane.Insecure)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{one, other}, tags, "an OCIRepository of Flux names a tag")
	r.must(helm, "pull", "oci://"+host+"/charts/mesh", "--version", one, "--plain-http", "--destination", t.TempDir())
}

func pushIndex(to string, index v1.ImageIndex) error {
	ref, err := name.ParseReference(to, name.Insecure)
	if err != nil {
		return err
	}
	return remote.WriteIndex(ref, index)
}
