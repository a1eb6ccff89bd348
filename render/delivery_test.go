package render_test

import (
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/delivery"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
)

// deliveredMesh returns a mesh with a delivery, and with more fields in the
// spec.
func deliveredMesh(t *testing.T, delivery, more string) *topology.Topology {
	t.Helper()
	return parsed(t, `mesh: {id: mesh1}
delivery: {repoURL: https://git.example.com/mesh.git, path: a/b, `+delivery+`}
`+more+`
clusters:
- {name: hub, server: https://api.hub.example.com:6443, domain: apps.hub.example.com}
- {name: West_1.eu, server: https://api.west.example.com:6443, argocd: {name: west}}`)
}

// meshOfACM returns the same mesh if Argo CD does not know its clusters.
func meshOfACM(t *testing.T, delivery, more string) *topology.Topology {
	t.Helper()
	return parsed(t, `mesh: {id: mesh1}
delivery: {repoURL: https://git.example.com/mesh.git, path: a/b, `+delivery+`}
`+more+`
clusters:
- {name: hub, server: https://api.hub.example.com:6443, domain: apps.hub.example.com}
- {name: West_1.eu, server: https://api.west.example.com:6443}`)
}

// argoCDMeshes together have every choice that changes the objects of Argo CD.
func argoCDMeshes(t *testing.T) map[string]*topology.Topology {
	t.Helper()
	meshes := map[string]*topology.Topology{}
	for _, generator := range []string{"list", "git", "clusters", "acm, placement: mesh"} {
		for name, with := range map[string]struct{ argocd, operator string }{
			"":                    {},
			", by hand":           {argocd: ", sync: {automated: false}, applicationsSync: sync, namespace: gitops, project: mesh"},
			", pulled":            {argocd: ", applications: {labels: {pulled: 'true'}, annotations: {" + topology.Pulled + ": '{cluster}'}}"},
			", rollout":           {argocd: ", rollout: [{clusters: [West_1.eu], maxUpdate: 25%}, {clusters: [hub], maxUpdate: '1'}]"},
			", operator by chart": {operator: ", operator: {install: helm, chart: {version: 2.27.0}}"},
		} {
			of := deliveredMesh
			if name == ", pulled" {
				of = meshOfACM
			}
			meshes[generator+name] = of(t, "argocd: {generator: "+generator+with.argocd+"}", "kiali: {hub: hub"+with.operator+"}")
		}
	}
	return meshes
}

// delivered returns the delivery objects of a topology by file.
func delivered(t *testing.T, top *topology.Topology, format render.Format) map[string][]byte {
	t.Helper()
	files, err := render.Tree(top, render.SourcesOf(top), format)
	require.NoError(t, err)
	objects := map[string][]byte{}
	for _, f := range files {
		engine, below, _ := strings.Cut(f.Path, "/")
		if slices.Contains([]string{"argocd", "flux"}, engine) && path.Base(below) != kustomize.File && path.Base(below) != tree.Attributes && !strings.HasPrefix(f.Path, "argocd/clusters/") {
			objects[f.Path] = f.Content
		}
	}
	return objects
}

// TestDeliverySchemas shows that an API server accepts the delivery objects.
func TestDeliverySchemas(t *testing.T) {
	topologies := argoCDMeshes(t)
	maps.Copy(topologies, fluxMeshes(t))
	for name, top := range examples(t) {
		if top.Spec.Delivery != nil {
			topologies[name] = top
		}
	}
	for name, top := range topologies {
		for _, format := range render.Formats() {
			if format == render.Helm && strings.HasPrefix(top.Spec.Delivery.RepoURL, "oci://") {
				continue // see TestFluxTakesNoChartFromARegistry
			}
			if format == render.Helm && top.Spec.Kiali.Links.Source == "sops" {
				continue // refused: see seal_sops.txtar of cmd/sightline
			}
			objects := delivered(t, top, format)
			require.NotEmpty(t, objects, name)
			for file, manifest := range objects {
				assert.Empty(t, metadataProblems(t, manifest), "%s: %s", name, file)
				assert.Empty(t, definitionOf(t, kindOf(t, manifest)).problems(t, manifest), "%s: %s", name, file)
			}
		}
	}
}

// permittedBy lists the kinds that the AppProject of a topology permits, with their scope.
func permittedBy(t *testing.T, top *topology.Topology) (kinds map[string]bool, project resource.Object) {
	t.Helper()
	kinds = map[string]bool{}
	project = decode[resource.Object](t, delivered(t, top, render.Kustomize)["argocd/appproject.yaml"])
	for list, scope := range map[string]string{"clusterResourceWhitelist": "cluster", "namespaceResourceWhitelist": "namespace"} {
		for _, kind := range project["spec"].(map[string]any)[list].([]any) {
			kind := kind.(map[string]any)
			kinds[fmt.Sprintf("%s %s/%s", scope, kind["group"], kind["kind"])] = true
		}
	}
	return kinds, project
}

// chartKinds are the kinds that only the operator's chart has.
var chartKinds = []string{
	"cluster /Namespace",
	"cluster apiextensions.k8s.io/CustomResourceDefinition",
	"cluster rbac.authorization.k8s.io/ClusterRole",
	"namespace /ServiceAccount",
	"namespace apps/Deployment",
}

// acmKinds are the kinds on the cluster on which ACM runs, and kinds of its
// rules.
var acmKinds = []string{
	"cluster /Namespace",
	"namespace /ServiceAccount",
	"namespace authentication.open-cluster-management.io/ManagedServiceAccount",
	"namespace cluster.open-cluster-management.io/ManagedClusterSetBinding",
	"namespace cluster.open-cluster-management.io/Placement",
	"namespace monitoring.rhobs/ScrapeConfig",
	"namespace policy.open-cluster-management.io/PlacementBinding",
	"namespace policy.open-cluster-management.io/Policy",
	"namespace rbac.authorization.k8s.io/Role",
	"namespace rbac.authorization.k8s.io/RoleBinding",
	"namespace rbac.open-cluster-management.io/ClusterPermission",
}

// accountKinds are the kinds that only remotes without an operator have.
var accountKinds = []string{
	"cluster oauth.openshift.io/OAuthClient",
	"cluster rbac.authorization.k8s.io/ClusterRole",
	"namespace /ServiceAccount",
}

// TestProjectPermitsEverything compares the kinds that the AppProject permits
// with the kinds of all objects of all topologies. The other permitted kinds
// are for links.
func TestProjectPermitsEverything(t *testing.T) {
	permitted, _ := permittedBy(t, deliveredMesh(t, "argocd: {permit: {acm: true, tracing: true}}", "kiali: {hub: hub}"))
	topologies := examples(t)
	maps.Copy(topologies, argoCDMeshes(t))
	for _, s := range shapes {
		topologies["shape "+s.name] = parsed(t, "mesh: {id: mesh1}\n"+fmt.Sprintf(s.spec, s.since))
	}
	unused := maps.Clone(permitted)
	for name, top := range topologies {
		for key, manifest := range rendered(t, top) {
			kind, scope := kindOf(t, manifest), "namespace"
			if resource.IDOf(decode[resource.Object](t, manifest)).Namespace == "" {
				scope = "cluster"
			}
			id := fmt.Sprintf("%s %s/%s", scope, kind.Group, kind.Kind)
			accounts := top.Spec.Kiali.Operator.Remotes == "none" && slices.Contains(accountKinds, id)
			assert.True(t, permitted[id] || accounts, "%s: %s: the project does not permit %s", name, key, id)
			delete(unused, id)
		}
	}
	assert.Subset(t, []string{"namespace bitnami.com/SealedSecret"}, slices.Sorted(maps.Keys(unused)), "the project permits what no topology gives")

	usual, _ := permittedBy(t, deliveredMesh(t, "argocd: {}", "kiali: {hub: hub}"))
	more := func(argo, kiali string) []string {
		kinds, _ := permittedBy(t, deliveredMesh(t, "argocd: {"+argo+"}", "kiali: {hub: hub, "+kiali+"}"))
		maps.DeleteFunc(kinds, func(kind string, _ bool) bool { return usual[kind] })
		return slices.Sorted(maps.Keys(kinds))
	}
	for name, with := range map[string]string{"operator: {install: helm, chart: {version: 2.27.0}}": "", "operator: {install: none}": "permit: {operatorChart: true}"} {
		assert.Equal(t, chartKinds, more(with, name), name)
	}
	for name, with := range map[string]string{"operator: {remotes: none}": "", "operator: {remotes: same}": "permit: {accounts: true}"} {
		assert.Equal(t, accountKinds, more(with, name), name)
	}
	assert.Equal(t, acmKinds, more("permit: {acm: true}", "operator: {install: none}"))
}

// TestProjectPermitsNamespaces shows that the AppProject permits the namespaces
// with objects of the clusters, the namespaces from which objects must be
// removed, and the namespace of the Applications. It permits no other.
func TestProjectPermitsNamespaces(t *testing.T) {
	for name, top := range argoCDMeshes(t) {
		top.Spec.Delivery.ArgoCD.Permit.Namespaces = []string{"left"}
		_, project := permittedBy(t, top)
		got := map[string]bool{}
		for _, d := range project["spec"].(map[string]any)["destinations"].([]any) {
			d := d.(map[string]any)
			got[fmt.Sprint(d["server"], d["name"], " ", d["namespace"])] = true
		}
		want := map[string]bool{}
		clusters, err := render.Clusters(top, render.SourcesOf(top))
		require.NoError(t, err)
		for i := range clusters {
			server, named := top.ArgoCDKnows(&top.Spec.Clusters[i])
			to := func(namespace string) string {
				if named == "" {
					return server + "<nil> " + namespace
				}
				return "<nil>" + named + " " + namespace
			}
			want[to("left")], want[to(top.Spec.Kiali.Namespace)] = true, true
			if top.OperatorByChart() {
				want[to("kiali-operator")] = true
			}
			for _, r := range clusters[i].Resources {
				for values := range clusters[i].Each(r) {
					if id, err := r.Body.ID(values); err == nil && id.Namespace != "" {
						want[to(id.Namespace)] = true
					}
				}
			}
		}
		assert.Equal(t, want, got, name)
	}

	many := deliveredMesh(t, "argocd: {}", "kiali: {hub: hub}")
	for i := range delivery.MostDestinations / 2 {
		many.Spec.Namespaces = append(many.Spec.Namespaces, fmt.Sprintf("n%d", i))
	}
	_, project := permittedBy(t, many)
	assert.Equal(t, []any{map[string]any{"name": "west", "namespace": "*"}, map[string]any{"server": "https://kubernetes.default.svc", "namespace": "*"}},
		project["spec"].(map[string]any)["destinations"])
}

// TestApplicationsOfACM executes the template of the generator acm as Argo CD
// does, with the decisions of a Placement.
func TestApplicationsOfACM(t *testing.T) {
	of := func(argocd string) resource.Object {
		top := parsed(t, `mesh: {id: mesh1}
delivery: {repoURL: https://git.example.com/mesh.git, argocd: {generator: acm, placement: mesh, `+argocd+`}}
kiali: {hub: hub}
clusters:
- {name: hub, domain: apps.hub.example.com, managedCluster: local-cluster}
- {name: West_1, server: https://api.west.example.com:6443}`)
		return decode[resource.Object](t, delivered(t, top, render.Kustomize)["argocd/applicationset.yaml"])
	}
	set := of("permit: {namespaces: [left]}")
	generator := set["spec"].(map[string]any)["generators"].([]any)[0].(map[string]any)["clusterDecisionResource"].(map[string]any)
	assert.Equal(t, map[string]any{"configMapRef": "acm-placement", "requeueAfterSeconds": 180.0,
		"labelSelector": map[string]any{"matchLabels": map[string]any{"cluster.open-cluster-management.io/placement": "mesh"}}}, generator)
	for acm, name := range map[string]string{"local-cluster": "hub", "West_1": "West_1"} {
		made, err := delivery.Expand(set, map[string]any{"name": acm, "clusterName": acm, "server": "https://" + acm, "reason": ""})
		require.NoError(t, err)
		assert.Equal(t, "test-"+topology.ObjectName(name), made["metadata"].(map[string]any)["name"])
		spec := made["spec"].(map[string]any)
		assert.Equal(t, map[string]any{"name": acm, "namespace": "istio-system"}, spec["destination"])
		assert.Equal(t, "clusters/"+name, spec["source"].(map[string]any)["path"])
	}
}

// TestDocumentedRoles compares the rights that docs/argocd.md gives to Argo
// CD's controller with the kinds that the AppProject permits.
func TestDocumentedRoles(t *testing.T) {
	text, err := os.ReadFile("../docs/argocd.md")
	require.NoError(t, err)
	granted := map[string]bool{}
	for _, block := range regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllSubmatch(text, -1) {
		for _, doc := range strings.Split(string(block[1]), "---\n") {
			require.NoError(t, strictlyDecoded([]byte(doc)))
			if kindOf(t, []byte(doc)).Kind != "ClusterRole" {
				continue
			}
			for _, rule := range decode[resource.Object](t, []byte(doc))["rules"].([]any) {
				rule := rule.(map[string]any)
				if verbs := fmt.Sprint(rule["verbs"]); !strings.Contains(verbs, "get list watch create update patch delete") {
					continue
				}
				for _, plural := range rule["resources"].([]any) {
					if strings.Contains(plural.(string), "/") {
						continue // a subresource, which is no kind
					}
					granted[fmt.Sprintf("%s/%s", rule["apiGroups"].([]any)[0], plural)] = true
				}
			}
		}
	}
	permitted := map[string]bool{}
	everything := deliveredMesh(t, "argocd: {permit: {operatorChart: true, acm: true, accounts: true, tracing: true}}", "kiali: {hub: hub}")
	project := decode[resource.Object](t, delivered(t, everything, render.Kustomize)["argocd/appproject.yaml"])
	for _, list := range []string{"clusterResourceWhitelist", "namespaceResourceWhitelist"} {
		for _, kind := range project["spec"].(map[string]any)[list].([]any) {
			kind := kind.(map[string]any)
			plural, _ := meta.UnsafeGuessKindToResource(runtimeschema.GroupVersionKind{Group: kind["group"].(string), Kind: kind["kind"].(string)})
			permitted[plural.Group+"/"+plural.Resource] = true
		}
	}
	assert.Equal(t, permitted, granted)
}

// TestDeliveryLeavesClustersAlone shows that delivery adds files and changes no
// other file.
func TestDeliveryLeavesClustersAlone(t *testing.T) {
	for _, format := range render.Formats() {
		with := deliveredMesh(t, "argocd: {generator: git}", "kiali: {hub: hub}")
		without := deliveredMesh(t, "argocd: {}", "kiali: {hub: hub}")
		without.Spec.Delivery = nil
		before, err := render.Tree(without, render.SourcesOf(without), format)
		require.NoError(t, err)
		after, err := render.Tree(with, render.SourcesOf(with), format)
		require.NoError(t, err)
		var added []string
		for _, c := range tree.Compare(before, after) {
			assert.Equal(t, tree.Added, c.Kind, c.Path)
			added = append(added, c.Path)
		}
		assert.Equal(t, []string{"argocd/.gitattributes", "argocd/applicationset.yaml", "argocd/appproject.yaml", "argocd/clusters/West_1.eu.yaml", "argocd/clusters/hub.yaml", "argocd/kustomization.yaml"}, added)
	}
}

// TestApplicationSetDoesNotGrow shows the purpose of the generators git and
// clusters: another cluster only adds a file and a destination.
func TestApplicationSetDoesNotGrow(t *testing.T) {
	for generator, grows := range map[string]bool{"list": true, "git": false, "clusters": false} {
		few := deliveredMesh(t, "argocd: {generator: "+generator+"}", "kiali: {hub: hub}")
		before := delivered(t, few, render.Kustomize)
		few.Spec.Clusters = append(few.Spec.Clusters, few.Spec.Clusters[1])
		few.Spec.Clusters[2].Name = "another"
		after := delivered(t, few, render.Kustomize)
		const file = "argocd/applicationset.yaml"
		require.NotEmpty(t, before[file])
		assert.Equal(t, grows, string(before[file]) != string(after[file]), generator)
	}
}

// TestDeliveryKnowsNoOrderOfClusters shows that the order of the clusters in a
// topology does not matter. It changes, for example, if files of a directory
// are renamed.
func TestDeliveryKnowsNoOrderOfClusters(t *testing.T) {
	topologies := argoCDMeshes(t)
	maps.Copy(topologies, fluxMeshes(t))
	for name, top := range topologies {
		before, err := render.Tree(top, render.SourcesOf(top), render.Kustomize)
		require.NoError(t, err)
		slices.Reverse(top.Spec.Clusters)
		after, err := render.Tree(top, render.SourcesOf(top), render.Kustomize)
		require.NoError(t, err)
		assert.Empty(t, tree.Compare(before, after), name)
	}
}

// TestOperatorChartFromARegistry gives both engines the operator's chart from a
// private registry, with values.
func TestOperatorChartFromARegistry(t *testing.T) {
	const chart = "version: 2.28.0, repoURL: 'oci://registry.test/charts', values: {image: {repo: registry.test/kiali-operator}}"
	want := map[string]any{"cr": map[string]any{"create": false}, "image": map[string]any{"repo": "registry.test/kiali-operator"}}
	text := func(engine string) string {
		login := map[string]string{"flux": ", secretRef: login"}[engine] // Argo CD finds the login among its repositories
		return inTopology("mesh: {id: mesh1}\nkiali: {hub: a, version: v2.27, operator: {install: helm, chart: {" + chart + login + "}}}\nclusters: [{name: a, domain: apps.a.test}]\n" +
			"delivery: {repoURL: 'https://git.test/mesh.git', path: rendered, " + engine + ": {}}")
	}
	files := func(engine string) string {
		top, findings := check.Parse("test.yaml", []byte(text(engine)))
		require.Empty(t, findings)
		tree, err := render.Tree(top, render.SourcesOf(top), render.Kustomize)
		require.NoError(t, err)
		var all strings.Builder
		for _, f := range tree {
			if strings.HasPrefix(f.Path, engine+"/") {
				all.Write(f.Content)
				all.WriteString("\n---\n")
			}
		}
		return all.String()
	}
	find := func(text, kind string) map[string]any {
		for _, document := range strings.Split(text, "\n---\n") {
			var object map[string]any
			if yaml.Unmarshal([]byte(document), &object) == nil && object["kind"] == kind {
				return object
			}
		}
		t.Fatal("there is no " + kind)
		return nil
	}
	repository := find(files("flux"), "HelmRepository")["spec"].(map[string]any)
	assert.Equal(t, map[string]any{"interval": repository["interval"], "url": "oci://registry.test/charts", "type": "oci", "secretRef": map[string]any{"name": "login"}}, repository)
	assert.Equal(t, want, find(files("flux"), "HelmRelease")["spec"].(map[string]any)["values"])

	set := files("argocd")
	assert.Contains(t, set, "repoURL: registry.test/charts\n", "Argo CD knows a registry by its host and path")
	assert.NotContains(t, set, "oci://")
	assert.Contains(t, set, "repo: registry.test/kiali-operator\n")
}
