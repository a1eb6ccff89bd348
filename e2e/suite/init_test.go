package suite

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// The guide's two Kiali resources, and the remote's token Secret.
const (
	guidesHub = `external_services:
    prometheus:
      auth: {type: bearer, use_kiali_token: true}
      thanos_proxy: {enabled: true}
      url: https://thanos-querier.openshift-monitoring.svc.cluster.local:9091
`
	guidesRemote = `auth: {openshift: {redirect_uris: ["https://{kiali-route-hostname}/api/auth/callback/cluster2"]}}
  deployment: {remote_cluster_resources_only: true}
---
apiVersion: v1
kind: Secret
metadata:
  name: kiali-service-account
  namespace: istio-system
  annotations: {kubernetes.io/service-account.name: kiali-service-account}
type: kubernetes.io/service-account-token
`
)

// corrected has the changes that an apply makes on clusters that follow the guide: the
// object, the field, and the correction in docs/corrections.md. C4 changes nothing on a
// cluster, because the definition of Kiali resources has the same interval as default.
var corrected = []struct{ correction, object, field string }{
	{"C6", "", `^metadata\.labels(\[app\.kubernetes\.io/.*)?$`},
	{"C7", "", `^metadata\.annotations\[argocd\.argoproj\.io/sync-wave\]`},
	{"C8", "", `^metadata\.annotations\[argocd\.argoproj\.io/sync-options\]`},
	{"S12", "ConfigMap", `^metadata\.annotations\[(helm\.sh/resource-policy|kustomize\.toolkit\.fluxcd\.io/prune)\]`},
	{"S4, S13, C2, C10", "PodMonitor", `^spec\.podMetricsEndpoints\[0\]\.relabelings`},
	{"C3", "ServiceMonitor", `^spec\.selector\.matchExpressions`},
	{"S10", "Kiali", `^spec\.kubernetes_config`},
	{"S11", "Kiali", `^spec\.external_services\.prometheus\.query_scope`},
	{"S17", "Kiali", `^spec\.external_services\.grafana`},
	{"C1", "Kiali", `^spec\.auth\.openshift\.redirect_uris`},
	{"C5", "Kiali", `^spec\.deployment(\.instance_name)?$`},
	{"S6", "ClusterRoleBinding", ""},
	{"S9", "Subscription", ""},
}

// TestInit lets init make a topology of two clusters that follow the guide, on real API
// servers. An apply of it would make exactly the changes in docs/corrections.md. After the
// apply, nothing is left to change.
func TestInit(t *testing.T) {
	rig.NeedDefinitions(t, "that init makes a topology of clusters")
	g := newGuided(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "mesh.yaml")
	flags := []string{"--kubeconfig", g.kubeconfig}
	found := rig.Try(t, rig.Sightline(), append([]string{"init", "--context", "east", "--context", "west", "-o", file}, flags...)...)
	require.Zero(t, found.Code, found.Stderr)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	t.Logf("%s%s", text, found.Stderr)
	assert.Contains(t, found.Stderr, "AD08: Kiali istio-system/kiali of cluster2 has the login callback")
	assert.NotContains(t, string(text), "QUESTION")
	for _, line := range []string{
		"name: cluster1 # ISTIO_META_CLUSTER_ID of the proxy of Pod sample/helloworld\n", "server: https://api.west.example.com:6443 # " +
			"Infrastructure cluster, status.apiServerURL\n",
		"domain: apps.east.example.com # Ingress cluster, spec.domain\n", "hub: cluster1 #", "namespaces: [sample] #",
	} {
		assert.Contains(t, string(text), line)
	}
	verified := rig.Try(t, rig.Sightline(), "verify", file)
	require.Zero(t, verified.Code, verified.Stdout)
	assert.Equal(t, string(text), g.readByReader(t), "somebody who has what --rights prints, and no more, gets the same")

	live := append([]string{"diff", file, "--live", "--context", "cluster1=east", "--context", "cluster2=west"}, flags...)
	changed := rig.Try(t, rig.Sightline(), append(live, "--output", "json")...)
	require.Equal(t, 1, changed.Code, changed.Stderr)
	assertCorrected(t, []byte(changed.Stdout))

	// Nobody who reads has changed anything, and nothing of the token was read.
	token := g.token(t)
	for _, said := range []string{string(text), found.Stdout, found.Stderr, changed.Stdout} {
		assert.NotContains(t, said, token)
	}

	out := filepath.Join(dir, "out")
	rig.Run(t, rig.Sightline(), "render", file, "-o", out, "--format", "manifests")
	tree := tree{dir: out, hub: "cluster1"}
	for cluster, on := range map[string]*rig.Cluster{"cluster1": g.clusters.East, "cluster2": g.clusters.West} {
		for _, object := range objectsOf(t, tree, cluster) {
			g.takeOver(t, on, object)
		}
	}
	rig.Wait(t, 30*time.Second, "nothing to be left to change", func() error {
		after := rig.Try(t, rig.Sightline(), live...)
		if after.Code != 0 {
			return &different{after.Stdout + after.Stderr}
		}
		return nil
	})

	// From the clusters as they are now, init makes a topology that changes nothing either: the old one.
	again := filepath.Join(dir, "again.yaml")
	rig.Run(t, rig.Sightline(), append([]string{"init", "--context", "east", "--context", "west", "-o", again}, flags...)...)
	live[1] = again
	after := rig.Try(t, rig.Sightline(), live...)
	assert.Zero(t, after.Code, after.Stdout)
}

type different struct{ text string }

func (d *different) Error() string { return d.text }

// assertCorrected asserts that each change is a correction, and that each correction is
// among the changes.
func assertCorrected(t *testing.T, report []byte) {
	t.Helper()
	var diff struct {
		Groups []struct {
			Op, Kind string
			Fields   []struct{ Path string }
		}
	}
	require.NoError(t, json.Unmarshal(report, &diff), "%s", report)
	require.NotEmpty(t, diff.Groups, "%s", report)
	seen := map[string]bool{}
	for _, group := range diff.Groups {
		fields := []string{""}
		if len(group.Fields) > 0 {
			fields = nil
			for _, f := range group.Fields {
				fields = append(fields, f.Path)
			}
		}
		for _, field := range fields {
			i := slices.IndexFunc(corrected, func(c struct{ correction, object, field string }) bool {
				return (c.object == "" || c.object == group.Kind) && (c.field == "") == (field == "") && regexp.MustCompile(c.field).MatchString(field)
			})
			if assert.GreaterOrEqual(t, i, 0, "no correction: %s %s %s", group.Op, group.Kind, field) {
				seen[corrected[i].correction] = true
			}
		}
	}
	for _, c := range corrected {
		assert.True(t, seen[c.correction], "%s is not among the changes", c.correction)
	}
}

// guided is two clusters that follow the guide.
type guided struct {
	clusters   rig.Clusters
	kubeconfig string
}

func newGuided(t *testing.T) *guided {
	t.Helper()
	g := &guided{clusters: rig.Up(t)}
	g.kubeconfig = kubeconfig(t, g.clusters.East, g.clusters.West)
	definitions, err := os.ReadFile("testdata/init/openshift.yaml")
	require.NoError(t, err)
	for _, on := range []*rig.Cluster{g.clusters.East, g.clusters.West} {
		on.StartOperator(t)
		objects := rig.Objects(t, definitions)
		t.Cleanup(func() { on.Delete(t, objects...) })
		on.Apply(t, objects...)
		own := rig.Objects(t, guide(t, on.Name))
		t.Cleanup(func() { on.Delete(t, own...) })
		for _, object := range own {
			if object.GetKind() == "Secret" { // after its account, or the cluster deletes it: C7
				rig.Wait(t, 20*time.Second, "Kiali's account", func() error {
					_, err := on.Client.CoreV1().ServiceAccounts("istio-system").Get(t.Context(), "kiali-service-account", metav1.GetOptions{})
					return err
				})
			}
			rig.Wait(t, 20*time.Second, "the cluster to take "+rig.Title(object), func() error {
				on.Mapper.Reset()
				return byKubectl(t, on, object)
			})
		}
	}
	return g
}

// guide returns the objects of a cluster, as YAML.
func guide(t *testing.T, direction string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/init/cluster.yaml")
	require.NoError(t, err)
	text := string(data)
	sample := regexp.MustCompile(`(?ms)^apiVersion: monitoring.coreos.com/v1\nkind: PodMonitor.*?^---$`).FindString(text)
	require.NotEmpty(t, sample)
	second := strings.TrimSuffix(strings.Replace(sample, "namespace: sample", "namespace: istio-system", 1), "---")
	name, kiali := "cluster1", guidesHub
	if direction == "west" {
		name, kiali = "cluster2", guidesRemote
	}
	return []byte(strings.NewReplacer("DIRECTION", direction, "NAME", name, "SECOND", second, "KIALI", kiali, "&proxies", "").Replace(text))
}

// byKubectl makes an object like kubectl apply: without server-side apply, and with the
// applied object in an annotation.
func byKubectl(t *testing.T, on *rig.Cluster, object *unstructured.Unstructured) error {
	t.Helper()
	applied, err := json.Marshal(object.Object)
	require.NoError(t, err)
	object = object.DeepCopy()
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations["kubectl.kubernetes.io/last-applied-configuration"] = string(applied)
	object.SetAnnotations(annotations)
	r, err := on.Resource(object)
	if err == nil {
		_, err = r.Create(t.Context(), object, metav1.CreateOptions{FieldManager: "kubectl-client-side-apply"})
	}
	return err
}

// takeOver applies an object like kubectl apply --server-side --force-conflicts.
func (g *guided) takeOver(t *testing.T, on *rig.Cluster, object *unstructured.Unstructured) {
	t.Helper()
	r, err := on.Resource(object)
	require.NoError(t, err)
	t.Cleanup(func() { on.Delete(t, object) })
	_, err = r.Apply(t.Context(), object.GetName(), object, metav1.ApplyOptions{FieldManager: rig.Manager, Force: true})
	require.NoError(t, err, rig.Title(object))
}

// token returns the token of Kiali's account on west.
func (g *guided) token(t *testing.T) string {
	t.Helper()
	token := ""
	rig.Wait(t, 20*time.Second, "the token to be filled", func() error {
		secret, err := g.clusters.West.Client.CoreV1().Secrets("istio-system").Get(t.Context(), "kiali-service-account", metav1.GetOptions{})
		if err == nil {
			token = string(secret.Data["token"])
		}
		if err == nil && token == "" {
			return &different{"the token Secret is empty"}
		}
		return err
	})
	return token
}
