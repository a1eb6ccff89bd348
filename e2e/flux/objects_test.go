// Package flux reads the objects for Flux with Flux's own code. It is a
// separate module, because Flux and the product need different versions of the
// Kubernetes libraries.
package flux

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/yaml"
)

// golden yields the objects for Flux, by file. It leaves out kustomizations.
func golden(t *testing.T) map[string][]byte {
	t.Helper()
	manifests := map[string][]byte{}
	dirs, err := filepath.Glob("../../golden/*/*/flux")
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	for _, dir := range dirs {
		require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || d.Name() == "kustomization.yaml" || filepath.Ext(path) != ".yaml" {
				return err
			}
			manifests[path], err = os.ReadFile(path)
			return err
		}))
	}
	return manifests
}

// decoder accepts the kinds of Flux, and refuses unknown fields.
func decoder(t *testing.T) runtime.Decoder {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{kustomizev1.AddToScheme, helmv2.AddToScheme, sourcev1.AddToScheme} {
		require.NoError(t, add(scheme))
	}
	return serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
}

// TestObjectsDecode shows that the controllers read every object, and drop none
// of its fields.
func TestObjectsDecode(t *testing.T) {
	decoder := decoder(t)
	kinds := map[string]int{}
	for file, manifest := range golden(t) {
		object, kind, err := decoder.Decode(manifest, nil, nil)
		if !assert.NoError(t, err, file) {
			continue
		}
		kinds[kind.Kind]++
		written, err := yaml.Marshal(object)
		require.NoError(t, err)
		assert.Empty(t, lost(t, manifest, written), "%s: what is lost on the way through the controller's type", file)
	}
	for _, kind := range []string{"GitRepository", "Kustomization", "HelmRelease"} {
		assert.NotZero(t, kinds[kind], "%s: none is rendered", kind)
	}
}

// TestDecodingFindsMistakes shows that the test above can fail.
func TestDecodingFindsMistakes(t *testing.T) {
	for _, mistake := range []string{"wiat: true", "dependsOn: [{nmae: mesh-hub-operator}]"} {
		_, _, err := decoder(t).Decode([]byte("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec:\n  "+mistake+"\n"), nil, nil)
		assert.ErrorContains(t, err, "unknown field", mistake)
	}
}

// lost lists the values of the first document that the second does not have. A
// false or an empty value may be missing.
func lost(t *testing.T, said, repeated []byte) []string {
	t.Helper()
	var a, b map[string]any
	require.NoError(t, yaml.Unmarshal(said, &a))
	require.NoError(t, yaml.Unmarshal(repeated, &b))
	var paths []string
	missing("", a, b, &paths)
	return paths
}

func missing(path string, a, b any, paths *[]string) {
	switch a := a.(type) {
	case map[string]any:
		b, _ := b.(map[string]any)
		for key, value := range a {
			missing(path+"."+key, value, b[key], paths)
		}
	case []any:
		b, _ := b.([]any)
		if len(a) != len(b) {
			*paths = append(*paths, path)
			return
		}
		for i, value := range a {
			missing(path, value, b[i], paths)
		}
	default:
		durations := []string{".spec.interval", ".spec.retryInterval", ".spec.timeout", ".spec.install.strategy.retryInterval", ".spec.upgrade.strategy.retryInterval"}
		if a != b && !(a == false && b == nil) && !slices.Contains(durations, path) {
			*paths = append(*paths, path)
		}
	}
}
