package appset

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/argoproj/argo-cd/v3/cmpserver"
	"github.com/argoproj/argo-cd/v3/cmpserver/plugin"
	"github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	repoclient "github.com/argoproj/argo-cd/v3/reposerver/apiclient"
	"github.com/argoproj/argo-cd/v3/reposerver/cache"
	"github.com/argoproj/argo-cd/v3/reposerver/metrics"
	reposerver "github.com/argoproj/argo-cd/v3/reposerver/repository"
	cacheutil "github.com/argoproj/argo-cd/v3/util/cache"
	"github.com/argoproj/argo-cd/v3/util/git"
)

const pluginMesh = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  namespaces: [sample]
  kiali: {hub: east}
  delivery:
    repoURL: https://git.example.com/mesh.git
    revision: main
    path: fleet
    argocd: {namespace: openshift-gitops, source: plugin, plugin: {topology: mesh.yaml}}
  clusters:
    - {name: east, domain: apps.east.example.com}
    - {name: west, server: "https://api.west.example.com:6443"}
`

// TestPlugin lets Argo CD's repo-server render from a Git repository with the
// plugin. Argo CD's own server for plugins runs the plugin in a separate
// process. The ApplicationSet makes the Applications for the same topology.
func TestPlugin(t *testing.T) {
	servePlugin(t)
	r := newPluginRepository(t)
	e := newEngine(&repository{t: t, root: r.root}, "openshift-gitops",
		registered{"in-cluster", "https://kubernetes.default.svc", nil}, registered{"west", "https://api.west.example.com:6443", nil})
	delivery := r.output(sightline, "plugin", "generate", "--topology", "fleet/mesh.yaml", "--objects", "delivery")
	var project v1alpha1.AppProject
	var set v1alpha1.ApplicationSet
	for document := range strings.SplitSeq(string(delivery), "\n---\n") {
		if strings.Contains(document, "kind: AppProject") {
			require.NoError(t, yaml.UnmarshalStrict([]byte(document), &project))
		} else {
			require.NoError(t, yaml.UnmarshalStrict([]byte(document), &set))
		}
	}
	e.put(&project, &v1alpha1.AppProject{})
	e.put(&set, &v1alpha1.ApplicationSet{})
	e.name = set.Name
	e.reconcile()
	require.Empty(t, e.problem())

	service := reposerver.NewService(metrics.NewMetricsServer(),
		cache.NewCache(cacheutil.NewCache(cacheutil.NewInMemoryCache(time.Hour)), time.Hour, time.Hour, time.Second),
		reposerver.RepoServerInitConstants{ParallelismLimit: 1, EnableBuiltinGitConfig: true}, git.NoopCredsStore{}, t.TempDir())
	require.NoError(t, service.Init())
	generate := func(app v1alpha1.Application) ([]string, error) {
		source := app.Spec.GetSource()
		source.RepoURL = "file://" + r.root
		answer, err := service.GenerateManifest(t.Context(), &repoclient.ManifestRequest{
			Repo: &v1alpha1.Repository{Repo: source.RepoURL}, Revision: "main", ApplicationSource: &source,
			AppName: app.Name, ProjectName: app.Spec.Project, ProjectSourceRepos: []string{"*"}, KubeVersion: "v1.33.0",
			NoRevisionCache: true, NoCache: true,
		})
		if err != nil {
			return nil, err
		}
		return answer.Manifests, nil
	}

	apps := e.applications()
	require.Len(t, apps, 2)
	for _, cluster := range []string{"east", "west"} {
		got, err := generate(apps["mesh-"+cluster])
		require.NoError(t, err)
		want := r.output(sightline, "render", "fleet/mesh.yaml", "-o", "-", "--cluster", cluster)
		assert.ElementsMatch(t, plain(t, strings.Split(string(want), "\n---\n")), plain(t, got), cluster)
	}

	// A mistake in the topology gives no objects. Argo CD shows the finding.
	r.commit(strings.Replace(pluginMesh, "hub: east", "hub: est", 1))
	_, err := generate(apps["mesh-west"])
	require.Error(t, err)
	assert.Contains(t, err.Error(), `mesh.yaml:7:16: error: `)
	assert.Contains(t, err.Error(), `did you mean "east"?`)

	// The plugin does not render an Application that does not name it.
	other := apps["mesh-west"]
	r.commit(pluginMesh)
	source := other.Spec.GetSource()
	source.Plugin = nil
	other.Spec.Source = &source
	got, err := generate(other)
	assert.True(t, err != nil || len(got) <= 1, "%s", got) // only the topology itself is YAML there
}

// servePlugin starts Argo CD's server for plugins with the configuration that
// `sightline plugin config` prints.
func servePlugin(t *testing.T) {
	dir := t.TempDir()
	for name, value := range map[string]string{
		common.EnvPluginSockFilePath: dir,
		common.EnvCMPWorkDir:         filepath.Join(dir, "work"),
		"PATH":                       filepath.Dir(sightline) + string(os.PathListSeparator) + os.Getenv("PATH"),
	} {
		t.Setenv(name, value)
	}
	config, err := exec.Command(sightline, "plugin", "config").Output()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, common.PluginConfigFileName), config, 0o644))
	read, err := plugin.ReadPluginConfig(dir)
	require.NoError(t, err)
	server, err := cmpserver.NewServer(plugin.CMPServerInitConstants{PluginConfig: *read})
	require.NoError(t, err)
	rpc, err := server.CreateGRPC()
	require.NoError(t, err)
	listener, err := net.Listen("unix", read.Address())
	require.NoError(t, err)
	go func() { _ = rpc.Serve(listener) }()
	t.Cleanup(rpc.Stop)
}

// pluginRepository is a Git repository with a topology, and without rendered
// files.
type pluginRepository struct {
	*testing.T
	root string
}

func newPluginRepository(t *testing.T) *pluginRepository {
	r := &pluginRepository{t, t.TempDir()}
	require.NoError(t, os.MkdirAll(filepath.Join(r.root, "fleet"), 0o755))
	r.output("git", "init", "--quiet", "-b", "main")
	r.commit(pluginMesh)
	return r
}

func (r *pluginRepository) commit(topology string) {
	r.Helper()
	require.NoError(r, os.WriteFile(filepath.Join(r.root, "fleet", "mesh.yaml"), []byte(topology), 0o644))
	r.output("git", "add", "--all")
	r.output("git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "change")
}

func (r *pluginRepository) output(name string, args ...string) []byte {
	r.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = r.root
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(r, err, stderr.String())
	return out
}

// plain returns documents in one form, whatever their form was.
func plain(t *testing.T, documents []string) []string {
	t.Helper()
	var all []string
	for _, document := range documents {
		var o map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(document), &o))
		if o == nil {
			continue
		}
		text, err := yaml.Marshal(o)
		require.NoError(t, err)
		all = append(all, string(text))
	}
	return all
}
