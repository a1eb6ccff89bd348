package suite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// readByReader returns the topology that init makes for a user with only the rights that
// --rights prints.
func (g *guided) readByReader(t *testing.T) string {
	t.Helper()
	roles := rig.Objects(t, []byte(rig.Run(t, rig.Sightline(), "init", "--rights")))
	for _, on := range []*rig.Cluster{g.clusters.East, g.clusters.West} {
		t.Cleanup(func() { on.Delete(t, roles...) })
		on.Apply(t, roles...)
	}
	text, err := os.ReadFile(g.kubeconfig)
	require.NoError(t, err)
	config := filepath.Join(t.TempDir(), "reader.kubeconfig")
	reader := strings.ReplaceAll(string(text), "    client-certificate-data:",
		"    as: a-reader\n    as-groups: [sightline-init, \"system:authenticated\"]\n    client-certificate-data:")
	require.NotEqual(t, string(text), reader)
	require.NoError(t, os.WriteFile(config, []byte(reader), 0o600))
	made := ""
	rig.Wait(t, 30*time.Second, "the rights to be enough", func() error {
		file := filepath.Join(t.TempDir(), "mesh.yaml")
		found := rig.Try(t, rig.Sightline(), "init", "--context", "east", "--context", "west", "--kubeconfig", config, "-o", file)
		if strings.Contains(found.Stderr, "AD11") || found.Code != 0 {
			return &different{found.Stderr}
		}
		text, err := os.ReadFile(file)
		made = string(text)
		return err
	})
	return made
}

// TestInitExternal lets init make a topology of a cluster whose istiod runs on another
// one, on real API servers. The istiod has the name of the served cluster.
func TestInitExternal(t *testing.T) {
	rig.NeedDefinitions(t, "that init finds an external control plane")
	clusters := rig.Up(t)
	config := kubeconfig(t, clusters.East, clusters.West)
	definitions, err := os.ReadFile("testdata/init/openshift.yaml")
	require.NoError(t, err)
	for _, on := range []*rig.Cluster{clusters.East, clusters.West} {
		on.Namespaces(t, "external-istiod")
		objects := rig.Objects(t, definitions)
		t.Cleanup(func() { on.Delete(t, objects...) })
		on.Apply(t, objects...)
		text, err := os.ReadFile("testdata/init/external-" + on.Name + ".yaml")
		require.NoError(t, err)
		own := rig.Objects(t, text)
		t.Cleanup(func() { on.Delete(t, own...) })
		for _, object := range own {
			rig.Wait(t, 20*time.Second, "the cluster to take "+rig.Title(object), func() error {
				on.Mapper.Reset()
				_, err := on.TryApply(t.Context(), object)
				return err
			})
		}
	}
	file := filepath.Join(t.TempDir(), "mesh.yaml")
	found := rig.Try(t, rig.Sightline(), "init", "--context", "east", "--context", "west", "--kubeconfig", config, "-o", file)
	require.Zero(t, found.Code, found.Stderr)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, part := range []string{
		"name: management # Kiali istio-system/kiali, kubernetes_config.cluster_name\n",
		"name: workloads # ISTIO_META_CLUSTER_ID of the proxy of Pod sample/helloworld\n",
		"controlPlaneNamespace: external-istiod # the namespace of istiod\n",
		"mode: external # Deployment external-istiod/istiod on management has its CLUSTER_ID\n        primary: management\n",
		"id: mesh1 # ConfigMap external-istiod/istio, defaultConfig.meshId\n",
	} {
		assert.Contains(t, string(text), part)
	}
	verified := rig.Try(t, rig.Sightline(), "verify", file)
	assert.Zero(t, verified.Code, verified.Stdout)
	if t.Failed() {
		t.Logf("%s%s", text, found.Stderr)
	}
}
