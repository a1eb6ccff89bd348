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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// TestFirstMesh follows docs/first-mesh.md. It uses the topology and the commands that
// render and apply, unchanged, in a shell with kubectl and sightline. In the end, the
// hub has a link that authenticates. TestAdoptPage has the earlier commands of the page,
// which read clusters with a mesh. TestStatusOnRealParts has status, which comes after.
func TestFirstMesh(t *testing.T) {
	rig.NeedDefinitions(t, "that the commands of docs/first-mesh.md work")
	page, err := os.ReadFile("../../docs/first-mesh.md")
	require.NoError(t, err)
	topology := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindSubmatch(page)
	require.NotNil(t, topology)
	section := regexp.MustCompile(`(?ms)^## 4\. Apply the remote\n(.*?)^## 7\. `).FindSubmatch(page)
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
	out := tree{dir: filepath.Join(dir, "rendered"), hub: "cluster1"}
	t.Cleanup(func() {
		for name, cluster := range map[string]*rig.Cluster{"cluster1": east, "cluster2": west} {
			cluster.Delete(t, rig.Objects(t, []byte(rig.Run(t, rig.Kustomize(), "build", filepath.Join(out.dir, "clusters", name))))...)
		}
	})
	t.Log(shell(t, clusters, dir, nil, "sightline render mesh.yaml -o rendered\n"+strings.Join(script, "")))

	link := rig.Objects(t, []byte(rig.Run(t, rig.Kustomize(), "build", filepath.Join(out.dir, "clusters/cluster1/link"))))
	require.Len(t, link, 1)
	opened, err := clientcmd.RESTConfigFromKubeConfig(east.Unsealed(t, link[0]).Data["cluster2"])
	require.NoError(t, err)
	require.Equal(t, kialiAccount, whoIs(t, opened))
}

// TestHelmByHand follows docs/helm.md for a remote, with both Helms. It makes a release
// for each phase, on a cluster where others have made one of the ConfigMaps. In the end,
// it uninstalls all releases, and the ConfigMaps stay.
func TestHelmByHand(t *testing.T) {
	rig.NeedDefinitions(t, "that the commands of docs/helm.md work")
	page, err := os.ReadFile("../../docs/helm.md")
	require.NoError(t, err)
	install := pageCommands(t, string(page), "By hand", "phase() {")
	uninstall := pageCommands(t, string(page), "Uninstalling", "helm -n istio-system uninstall")
	topology, err := os.ReadFile(filepath.Join(topologyDir, "thanos.yaml"))
	require.NoError(t, err)
	for name, helm := range map[string]string{"helm3": rig.Helm3(), "helm4": rig.Helm4()} {
		t.Run(name, func(t *testing.T) {
			clusters := rig.Up(t)
			west := clusters.West
			west.StartOperator(t)
			maps := west.Client.CoreV1().ConfigMaps("openshift-monitoring")
			_, err := maps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "cluster-monitoring-config"}}, metav1.CreateOptions{})
			require.NoError(t, err)
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "mesh.yaml"), topology, 0o644))
			programs := map[string]string{"helm": helm}
			shell(t, clusters, dir, programs, "sightline render mesh.yaml -o manifests --format manifests; sightline render mesh.yaml -o rendered --format helm")
			all := objectsOf(t, tree{dir: filepath.Join(dir, "manifests"), hub: "cluster1"}, "cluster2")
			t.Cleanup(func() { west.Delete(t, all...) })

			refused := try(t, clusters, dir, programs, install)
			require.NotZero(t, refused.Code, "the ConfigMap is not Helm's own")
			require.Contains(t, refused.Stderr, "cluster-monitoring-config")
			require.Contains(t, install, "upgrade --install")
			shell(t, clusters, dir, programs, strings.Replace(install, "upgrade --install", "upgrade --install --take-ownership", 1))
			for _, object := range live(t, west, all) {
				if isToken(object) {
					awaitToken(t, west, object)
				}
			}

			shell(t, clusters, dir, programs, uninstall)
			for _, object := range all {
				_, err := west.Live(t.Context(), object)
				if object.GetKind() == "ConfigMap" {
					require.NoError(t, err, rig.Title(object))
				} else {
					require.True(t, apierrors.IsNotFound(err), "%s: %v", rig.Title(object), err)
				}
			}
		})
	}
}

// pageCommands returns the block of commands below the heading with this start.
func pageCommands(t *testing.T, page, heading, first string) string {
	t.Helper()
	_, section, ok := strings.Cut(page, "\n## "+heading+"\n")
	require.True(t, ok, heading)
	section, _, _ = strings.Cut(section, "\n## ")
	_, block, ok := strings.Cut(section, "\n    "+first)
	require.True(t, ok, first)
	block, _, _ = strings.Cut(block, "\n\n")
	return first + strings.ReplaceAll(block, "\n    ", "\n") + "\n"
}

// shell runs a script in the directory, with kubectl, sightline and the programs. It has
// the contexts cluster1 for east and cluster2 for west; cluster2 is the current one. It
// returns the output of the script.
func shell(t *testing.T, clusters rig.Clusters, dir string, programs map[string]string, script string) string {
	t.Helper()
	result := try(t, clusters, dir, programs, script)
	require.Zero(t, result.Code, "%s\n%s", result.Stdout, result.Stderr)
	return result.Stdout
}

// try is shell, but returns a failure as a result.
func try(t *testing.T, clusters rig.Clusters, dir string, programs map[string]string, script string) rig.Result {
	t.Helper()
	config := clientcmdapi.NewConfig()
	config.CurrentContext = "cluster2"
	for name, cluster := range map[string]*rig.Cluster{"cluster1": clusters.East, "cluster2": clusters.West} {
		loaded, err := clientcmd.LoadFromFile(cluster.Kubeconfig)
		require.NoError(t, err)
		config.Clusters[name], config.AuthInfos[name] = loaded.Clusters[cluster.Name], loaded.AuthInfos[cluster.Name]
		config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	}
	bin := t.TempDir()
	kubeconfig := filepath.Join(bin, "kubeconfig")
	require.NoError(t, clientcmd.WriteToFile(*config, kubeconfig))
	for name, program := range programs {
		require.NoError(t, os.Symlink(program, filepath.Join(bin, name)))
	}
	require.NoError(t, os.Symlink(rig.Kubectl(), filepath.Join(bin, "kubectl")))
	require.NoError(t, os.Symlink(rig.Sightline(), filepath.Join(bin, "sightline")))
	return rig.Try(t, "env", "KUBECONFIG="+kubeconfig, "PATH="+bin+":"+os.Getenv("PATH"), "sh", "-eucx", "cd "+dir+"\n"+script)
}

// kialiDeployment is the Deployment that the operator would make on a hub. It has no
// pods, because there is no node.
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
