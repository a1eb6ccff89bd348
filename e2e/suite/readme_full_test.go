//go:build full

package suite

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// TestReadme does by hand what the README tells: its topology, and the commands
// of its section on that, as they stand, by a shell with kubectl and sightline.
// In the end the hub has a link that authenticates.
func TestReadme(t *testing.T) {
	rig.NeedDefinitions(t, "that the commands of the README work")
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	topology := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindSubmatch(readme)
	require.NotNil(t, topology)
	section := regexp.MustCompile(`(?ms)^## Applying it by hand\n(.*?)^## `).FindSubmatch(readme)
	require.NotNil(t, section)
	var script []string
	for line := range strings.Lines(string(section[1])) {
		if command, ok := strings.CutPrefix(line, "    "); ok {
			script = append(script, command)
		}
	}
	require.Greater(t, len(script), 15)

	clusters := rig.Up(t)
	east, west := clusters.East, clusters.West
	east.StartSealedSecrets(t)
	east.StartOperator(t)
	west.StartOperator(t)
	kialiDeployment(t, east)

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mesh.yaml"), topology[1], 0o644))
	config := clientcmdapi.NewConfig()
	for name, cluster := range map[string]*rig.Cluster{"cluster1": east, "cluster2": west} {
		loaded, err := clientcmd.LoadFromFile(cluster.Kubeconfig)
		require.NoError(t, err)
		config.Clusters[name], config.AuthInfos[name] = loaded.Clusters[cluster.Name], loaded.AuthInfos[cluster.Name]
		config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	require.NoError(t, clientcmd.WriteToFile(*config, kubeconfig))
	for name, program := range map[string]string{"kubectl": rig.Kubectl(), "sightline": rig.Sightline()} {
		require.NoError(t, os.Symlink(program, filepath.Join(dir, name)))
	}
	out := tree{dir: filepath.Join(dir, "rendered"), hub: "cluster1"}
	t.Cleanup(func() {
		for name, cluster := range map[string]*rig.Cluster{"cluster1": east, "cluster2": west} {
			cluster.Delete(t, rig.Objects(t, []byte(rig.Run(t, rig.Kustomize(), "build", filepath.Join(out.dir, "clusters", name))))...)
		}
	})
	said := rig.Run(t, "env", "KUBECONFIG="+kubeconfig, "PATH="+dir+":"+os.Getenv("PATH"),
		"sh", "-eucx", "cd "+dir+"\nsightline render mesh.yaml -o rendered\n"+strings.Join(script, ""))
	t.Log(said)

	link := rig.Objects(t, []byte(rig.Run(t, rig.Kustomize(), "build", filepath.Join(out.dir, "clusters/cluster1/link"))))
	require.Len(t, link, 1)
	opened, err := clientcmd.RESTConfigFromKubeConfig(east.Unsealed(t, link[0]).Data["cluster2"])
	require.NoError(t, err)
	require.Equal(t, kialiAccount, whoIs(t, opened))
}

// kialiDeployment is what the operator would make on a hub; without pods, for
// which there is no node.
func kialiDeployment(t *testing.T, on *rig.Cluster) {
	t.Helper()
	labels := map[string]string{"app": "kiali"}
	none := int32(0)
	deployments := on.Client.AppsV1().Deployments("istio-system")
	_, err := deployments.Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "kiali"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &none,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "kiali", Image: "example.com/kiali:1"}}},
			},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, deployments.Delete(context.WithoutCancel(t.Context()), "kiali", metav1.DeleteOptions{}))
	})
}
