package render

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/manifests"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// TestWholeLaw shows that the four ways to a cluster's objects make the same set:
// filling the bodies, evaluating the templates with values, building the
// written tree with kustomize, and rendering the chart with Helm. It does so
// for every shape, on clusters that differ in every value.
func TestWholeLaw(t *testing.T) {
	seen := map[shape]bool{}
	for i, pair := range synthetic(t) {
		for n, top := range pair {
			if n > 0 && i%4 > 0 && !all() {
				continue // the sample: other values, and phases alone, in every fourth pair
			}
			clusters, err := Clusters(top, SourcesOf(top))
			require.NoError(t, err)
			files, err := kustomize.Tree(clusters)
			require.NoError(t, err)
			built, err := kustomize.Load(files)
			require.NoError(t, err)
			requireLaw(t, top, SourcesOf(top))
			for k := range clusters {
				c := &clusters[k]
				s := shapeOf(top, &top.Spec.Clusters[k], linksOf(top))
				seen[s] = true
				if n > 0 || i%4 > 0 && !all() {
					continue
				}
				var parts []resource.Object
				for _, phase := range resource.Phases(c.Hub) {
					if dir := "clusters/" + c.Name + "/" + string(phase); hasPhase(c, phase) {
						objects, err := built.Build(dir)
						require.NoError(t, err, "each phase builds alone")
						parts = append(parts, objects...)
					}
				}
				require.Equal(t, filledObjects(t, c), byID(t, parts), "the phases together differ from the whole: %+v", s)
			}
		}
	}
	for _, hub := range []bool{true, false} {
		assertBothWays(t, seen, hub)
	}
}

// TestLawOfExamples shows it for every cluster of the project's topologies.
func TestLawOfExamples(t *testing.T) {
	for name, top := range everyExample(t) {
		t.Run(name, func(t *testing.T) {
			requireLaw(t, top, SourcesOf(top))
		})
	}
}

// requireLaw shows the law for every cluster of a topology.
func requireLaw(t *testing.T, top *topology.Topology, from Sources) {
	t.Helper()
	l, err := layered(top, from)
	require.NoError(t, err)
	require.NoError(t, l.err())
	files, err := charted(top, from, l.overlays)
	require.NoError(t, err)
	every := make([]int, len(l.clusters))
	for i := range every {
		every[i] = i
	}
	require.NoError(t, law(l, from.Templates, every, files))
}

// everyExample returns the topologies of the project for which a chart can be
// made, by name. Topologies that are directories are included.
func everyExample(t *testing.T) map[string]*topology.Topology {
	t.Helper()
	entries, err := os.ReadDir("../topologies")
	require.NoError(t, err)
	parsed := map[string]*topology.Topology{}
	for _, entry := range entries {
		file := filepath.Join("../topologies", entry.Name())
		var top *topology.Topology
		var findings finding.Findings
		switch {
		case entry.Name() == "bad", entry.Name() == "sealed": // broken on purpose, or only used with others
			continue
		case entry.IsDir():
			var sources []topology.Source
			require.NoError(t, filepath.WalkDir(file, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				data, err := os.ReadFile(path)
				sources = append(sources, topology.Source{Name: path, Data: data})
				return err
			}))
			top, findings = check.ParseDirectory(file, sources)
		case filepath.Ext(file) == ".yaml":
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			top, findings = check.Parse(file, data)
		default:
			continue
		}
		require.Empty(t, findings, file)
		if chartable(top) == nil {
			parsed[top.Metadata.Name] = top
		}
	}
	require.NotEmpty(t, parsed)
	return parsed
}

// ofHubs are the fields of shape that have one value on every remote.
var ofHubs = []string{"Alerts", "ACMAccess", "TracingGRPC", "TracingLinks", "TracingConsole", "TracingTenant", "TempoStack", "Receiver",
	"Store", "StoreAuth", "Scope", "CA", "CAFile", "LoginCA", "Retention", "IngressHost", "WebRoot", "IstioNamespace", "Mesh", "Monitors",
	"Links", "SOPS", "ACMLinks", "Fetched", "ExecProvider", "NewPodFirst", "OtherIstiods", "KialiHealth"}

// ofSingles are the fields that only differ on a cluster without remotes.
// TestTelemetryOfOldLine tests them.
var ofSingles = []string{"TelemetryAlpha"}

// ofRemotes are the fields that have one value on every hub.
var ofRemotes = []string{"NoFirstToken", "LaterTokens", "Account", "Pushed", "Subject", "SubjectLogin"}

// assertBothWays checks that a new field of shape is varied here too.
func assertBothWays(t *testing.T, seen map[shape]bool, hub bool) {
	t.Helper()
	for i := range reflect.TypeFor[shape]().NumField() {
		name := reflect.TypeFor[shape]().Field(i).Name
		if name == "Hub" || slices.Contains(ofSingles, name) || !hub && slices.Contains(ofHubs, name) || hub && slices.Contains(ofRemotes, name) {
			continue
		}
		values := map[any]bool{}
		for s := range seen {
			if s.Hub == hub {
				values[reflect.ValueOf(s).Field(i).Interface()] = true
			}
		}
		assert.Greater(t, len(values), 1, "no synthetic cluster with hub=%v varies %s", hub, name)
	}
}

// TestSyntheticDiffersInEveryValue makes sure that the law is not only proven
// on two clusters that happen to agree.
func TestSyntheticDiffersInEveryValue(t *testing.T) {
	for _, pair := range synthetic(t) {
		a, b := topologyValues(pair[0]), topologyValues(pair[1])
		for path := range a {
			assert.NotEqual(t, a[path], b[path], "topology.%s", path)
		}
		for i := range pair[0].Spec.Clusters {
			a := clusterValues(pair[0], &pair[0].Spec.Clusters[i], callback(pair[0]), linksOf(pair[0]))
			for j := range pair[1].Spec.Clusters {
				b := clusterValues(pair[1], &pair[1].Spec.Clusters[j], callback(pair[1]), linksOf(pair[1]))
				for path := range a {
					assert.NotEqual(t, a[path], b[path], "cluster.%s", path)
				}
			}
		}
	}
}

// TestWholeOrderOfClusters shows that a tree depends on the clusters,
// and not on their order in the topology.
func TestWholeOrderOfClusters(t *testing.T) {
	for i, pair := range synthetic(t) {
		if i%4 > 0 && !all() {
			continue // the sample
		}
		top := pair[0]
		before, err := Tree(top, SourcesOf(top), Kustomize)
		require.NoError(t, err)
		reversed := *top
		reversed.Spec.Clusters = nil
		for i := range top.Spec.Clusters {
			reversed.Spec.Clusters = append(reversed.Spec.Clusters, top.Spec.Clusters[len(top.Spec.Clusters)-1-i])
		}
		after, err := Tree(&reversed, SourcesOf(top), Kustomize)
		require.NoError(t, err)
		require.Equal(t, before, after)

		before, err = charted(top, SourcesOf(top), nil)
		require.NoError(t, err)
		after, err = charted(&reversed, SourcesOf(top), nil)
		require.NoError(t, err)
		require.Equal(t, before, after)
	}
}

// all tells whether the tests TestWhole… try all, as tier 1 does (docs/testing.md).
// Else they try a sample.
func all() bool { return os.Getenv("SIGHTLINE_WHOLE") != "" }

// synthetic returns topologies that together make every choice, in pairs that
// differ in every value.
func synthetic(t *testing.T) [][2]*topology.Topology {
	t.Helper()
	var pairs [][2]*topology.Topology
	for _, platform := range []string{"openshift", "kubernetes"} {
		for _, choice := range slices.Sorted(maps.Keys(choices(platform, ""))) {
			var pair [2]*topology.Topology
			for i, x := range []string{"a", "b"} {
				pair[i] = parseSynthetic(t, platform, x, choice)
			}
			pairs = append(pairs, pair)
		}
	}
	return pairs
}

// choices lists what a topology may say except its names, by place. x makes the
// two topologies of a pair different.
func choices(platform, x string) map[string][]string {
	all := map[string][]string{
		"plain":    {},
		"merge":    {"metrics.prometheusMerge=false", "telemetry.manage=false"},
		"ambient":  {"mesh.dataPlane=ambient", "hub.ztunnelNamespace=zt-hub-" + x, "remote.ztunnelNamespace=zt-" + x},
		"both":     {"mesh.dataPlane=ambient", "metrics.prometheusMerge=false", "kiali.viewOnly=true"},
		"labels":   {"metrics.labels={release: prom-" + x + ", app.kubernetes.io/name: own}"},
		"interval": {"hub.metrics={interval: 3" + digit(x) + "s}", "remote.metrics={interval: 4" + digit(x) + "s}"},
		"old":      {"kiali.version=v2." + map[string]string{"a": "11", "b": "4"}[x], "annotations.links=\"" + linked(x, "1", "", "", "") + "\""},
		"spec": {"kiali.spec={" + openid(x) + ", deployment: {replicas: " + digit(x) + "}, istio_labels: {app_label_name: " + x + "}}",
			"hub.kiali={spec: {deployment: {pod_labels: {on: \"" + x + "\"}}}, version: v2.2" + map[string]string{"a": "2", "b": "7"}[x] + "}",
			"remote.kiali={spec: {deployment: {pod_labels: {y: \"1e3" + x + "\"}}}}"},
		"host":      {"hub.kiali={host: kiali." + x + ".test, webRoot: /mesh/" + x + ", spec: {server: {port: 844" + digit(x) + "}}}"},
		"anonymous": {"kiali.auth={strategy: anonymous}", "kiali.links={format: perCluster}"},
		"flux": {"delivery.repoURL=\"https://git-" + x + ".test/mesh.git\"", "delivery.flux={}", "kiali.spec={" + openid(x) +
			", custom_dashboards: [{name: \"${" + x + "}\"}]}"},
		"revisions": {"hub.controlPlane={revisions: [r-" + x + "]}", "remote.controlPlane={revisions: [s-" + x + "]}"},
		"outside":   {"hub.controlPlane={mode: none}", "hub.namespaces=[tools-" + x + "]"},
		"alone":     {"hub.controlPlane={mode: none}"},
		"linked": {"annotations.links=\"" + linked(x, "1,2", "2,3", "2", "1") + "\"", "remote.access={exec: {command: login-" + x +
			", subject: {kind: " + map[string]string{"a": "User", "b": "Group"}[x] + ", name: reader-" + x + "}}}"},
		"each": {"annotations.links=\"" + linked(x, "1,2", "", "2", "1") + "\"", "kiali.links={format: perCluster}",
			"kiali.spec={" + openid(x) + ", deployment: {pod_annotations: {own: " + x + "}}}"},
		"prometheus": {"metrics.store=prometheus",
			"metrics.prometheus={url: \"http://prom-" + x + ".test:9090\", auth: {type: basic, username: \"secret:u-" + x +
				":u\", password: \"secret:p-" + x + ":p\"}}"},
		"fetched": {"kiali.links={source: externalSecrets, externalSecrets: {store: {name: vault-" + x + "}, key: \"mesh-" + x +
			"/{cluster}\", refreshInterval: 1" + digit(x) + "m}}", "remote.access={exec: {command: login-" + x + "}}"},
		"fetched each": {"kiali.links={source: externalSecrets, format: perCluster, externalSecrets: {store: " +
			"{kind: SecretStore, name: vault-" + x + "}, refreshInterval: 1" + digit(x) + "s}}"},
		"encrypted": {"annotations.links=\"" + linked(x, "1,2", "", "2", "1") + "\"", "kiali.links={source: sops, " + recipient[x] + "}"},
		"encrypted each": {"annotations.links=\"" + linked(x, "1,2", "", "2", "1") + "\"",
			"kiali.links={source: sops, format: perCluster, " + recipient[x] + "}"},
		"without": {"kiali.version=v2." + map[string]string{"a": "11", "b": "27"}[x],
			"kiali.operator={remotes: none, " + operator(x) + "}"},
		"alerts": {"metrics.alerts={manage: true}"},
		"health": {"metrics.alerts={manage: true}", "hub.kiali={version: v2.2" + map[string]string{"a": "2", "b": "7"}[x] + "}"},
		"trust":  {"kiali.ca=" + strconv.Quote(authority[x]), "made.namespaces=[made-" + x + ", made2-" + x + "]"},
		"trust of old": {"kiali.ca=" + strconv.Quote(authority[x]), "only.hub=true", "kiali.version=" +
			map[string]string{"a": "v1.73", "b": "v2.4"}[x], "metrics.store=thanos", "metrics.prometheus=", "metrics.retention=1" + digit(x) + "d",
			"metrics.thanos={url: \"https://thanos-" + x + ".test\"}"},
		"kept": {"metrics.store=prometheus", "metrics.prometheus={url: \"http://prom-" + x + ".test:9090\"}", "metrics.retention=1" + digit(x) +
			"d"},
		"second": {"hub.controlPlane={namespace: hub-cp-" + x + ", revisions: [r-" + x + "]}",
			"remote.controlPlane={mode: external, primary: hub." + x + ", namespace: ext-cp-" + x + "}"},
		"jaeger": {"tracing.provider=otel-" + x, "tracing.sampling=0." + digit(x), "tracing.jaeger={url: \"http://jaeger-" + x + ".test:1668" +
			digit(x) + "\"}"},
		"tempo": {"tracing.provider=otel-" + x, "tracing.sampling=" + digit(x), "tracing.tempo={url: \"http://tempo-" + x +
			".test:3200\", tenant: ten-" + x +
			", externalURL: \"https://grafana-" + x + ".test\"}"},
		"scoped": {"metrics.scope={mesh: m-" + x + ", tenant: t-" + x + "}", "metrics.monitors={name: pm-" + x + "}",
			"telemetry.spec={accessLogging: [{providers: [{name: log-" + x + "}]}]}"},
		"others": {"metrics.scope=none", "metrics.monitors={manage: false, name: pm-" + x + "}"},
		"apart":  {"hub.controlPlane={namespace: hub-cp-" + x + "}", "remote.controlPlane={namespace: own-cp-" + x + "}"},
		"serves": {"hub.controlPlane={namespace: ext-cp-" + x + "}", "remote.controlPlane={mode: external, primary: hub." + x +
			", namespace: ext-cp-" + x + "}"},
		"thanos": {"metrics.store=thanos", "metrics.prometheus=", "kiali.operator={install: " + map[string]string{"openshift": "none",
			"kubernetes": "olm"}[platform] + ", channel: ch-" + x + ", source: " + map[string]string{"a": "mirror", "b": "community-operators"}[x] +
			", sourceNamespace: cat-" + x + ", approval: " + map[string]string{"a": "Automatic", "b": "Manual"}[x] + ", package: pkg-" + x + "}",
			"metrics.thanos={url: \"http://thanos-" + x + ".test\", auth: {type: bearer, token: \"secret:t-" + x + ":t\"}, " +
				"remoteWrite: {url: \"https://rx-" + x + ".test\", settings: {tlsConfig: {insecureSkipVerify: true}}, config: {prometheus: " +
				"{retention: 1" + digit(x) + "d}}}}"},
	}
	if platform == "openshift" {
		maps.Copy(all, acmChoices(x))
		all["acting"] = []string{"kiali.auth={impersonation: {enabled: true, users: [user-" + x + "], groups: [group-" + x + "]}}"}
		stack := []string{"tracing.provider=otel-" + x, "tracing.sampling=" + digit(x)}
		tempo := "namespace: tempo-" + x + ", name: stack-" + x + ", tenant: ten-" + x
		all["stack"] = append(stack, "tracing.tempo={"+tempo+", manage: true, storage: {secretName: s3-"+x+", type: "+map[string]string{"a": "s3",
			"b": "azure"}[x]+", size: 1"+digit(x)+"Gi}}",
			"tracing.collectors={receiver: {host: otel-"+x+".test}, certificates: {certManager: {issuer: "+
				"ca-"+x+", kind: "+map[string]string{"a": "Issuer", "b": "ClusterIssuer"}[x]+"}}}")
		all["spans"] = append(stack, "tracing.tempo={"+tempo+"}", "hub.controlPlane={mode: none}", "hub.namespaces=[tools-"+x+"]",
			"tracing.collectors={receiver: {host: otel-"+x+".test}, certificates: {secrets: {server: srv-"+x+", client: cli-"+x+"}}}")
		all["uncollected"] = append(stack, "tracing.tempo={"+tempo+"}", "tracing.collectors={manage: false}",
			"kiali.version=v2."+map[string]string{"a": "11", "b": "4"}[x])
		all["managed"] = []string{"metrics.userWorkloadMonitoring={manage: true, config: {enableUserWorkload: true, note-" + x + ": on}}",
			"remote.userWorkloadMonitoring={manage: true, config: {enableUserWorkload: true, own-" + x + ": {a: [1]}}}"}
		all["unmanaged"] = []string{"metrics.userWorkloadMonitoring={manage: true, config: {enableUserWorkload: true, all-" + x + ": 1}}",
			"remote.userWorkloadMonitoring={manage: false}",
			"hub.userWorkloadMonitoring={manage: true, config: {enableUserWorkload: true, hub-" + x + ": 1}}"}
	}
	return all
}

// linked says which remotes have links, and the generations of their tokens.
func linked(x string, own, far, out, other string) string {
	var links []string
	for i, tokens := range []string{own, far, out, other} {
		if tokens != "" {
			links = append(links, []string{"own-", "far-", "out-", "other-"}[i]+x+"="+tokens)
		}
	}
	return strings.Join(links, " ")
}

func digit(x string) string { return map[string]string{"a": "5", "b": "6"}[x] }

func operator(x string) string {
	return "channel: ch-" + x + ", source: " + map[string]string{"a": "redhat-operators", "b": "community-operators"}[x] +
		", sourceNamespace: cat-" + x + ", approval: " + map[string]string{"a": "Automatic", "b": "Manual"}[x] + ", startingCSV: kiali.v" + x
}

func openid(x string) string {
	return "auth: {openid: {client_id: id-" + x + ", issuer_uri: \"https://login-" + x + ".test\"}}"
}

// parseSynthetic makes a topology of a hub and four remotes. All their names
// end in x.
func parseSynthetic(t *testing.T, platform, x, choice string) *topology.Topology {
	t.Helper()

	tree := map[string]map[string]string{}
	set := func(place, value string) {
		at, key, _ := strings.Cut(place, ".")
		if tree[at] == nil {
			tree[at] = map[string]string{}
		}
		tree[at][key] = value
	}
	set("mesh.id", `"1e3`+x+`"`)
	set("mesh.controlPlaneNamespace", "cp-"+x)
	set("kiali.hub", "hub."+x)
	set("kiali.namespace", "ns-"+x)
	set("kiali.instanceName", "inst-"+x)
	set("kiali.operator", "{"+operator(x)+"}")
	set("kiali.version", map[string]string{"a": "v2.22", "b": "default"}[x])
	set("metrics.interval", "1"+digit(x)+"s")
	set("telemetry.name", "tel-"+x)
	set("metrics.monitors", "{name: pm-"+x+"}")
	set("hub.platform", platform)
	set("hub.domain", "apps.hub-"+x+".test")
	set("remote.platform", platform)
	if platform == "kubernetes" {
		set("kiali.auth", "{strategy: openid}")
		set("metrics.prometheus", "{url: \"http://prom-"+x+".test:9090\"}")
		set("kiali.spec", "{"+openid(x)+"}")
	}
	for _, said := range choices(platform, x)[choice] {
		place, value, _ := strings.Cut(said, "=")
		set(place, value)
	}
	flow := func(at string) string {
		var pairs []string
		for _, key := range slices.Sorted(maps.Keys(tree[at])) {
			if tree[at][key] == "" {
				continue // another choice excludes it
			}
			pairs = append(pairs, key+": "+tree[at][key])
		}
		return strings.Join(pairs, ", ")
	}
	more := ""
	if tree["delivery"] != nil {
		more = "\n  delivery: {" + flow("delivery") + "}"
	}
	if tree["made"] != nil {
		more += "\n  createNamespaces: " + tree["made"]["namespaces"]
	}
	if tree["tracing"] != nil {
		more += "\n  tracing: {" + flow("tracing") + "}"
	}
	text := fmt.Sprintf(`
apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: top-%[1]s, annotations: {%[11]s}}
spec:
  mesh: {%[2]s}
  kiali: {%[3]s}
  metrics: {%[4]s}
  telemetry: {%[5]s}
  namespaces: ["on", "y", "1e3", app-%[1]s]%[10]s
  clusters:
    - {name: hub.%[1]s, %[6]s}
    - {name: own-%[1]s, server: "https://r1-%[1]s.test:6443", gateways: [gw-%[1]s], waypoints: [wp-%[1]s], %[7]s}
    - {name: far-%[1]s, server: "https://r2-%[1]s.test:6443", controlPlane: {mode: remote}, platform: %[8]s}
    - {name: out-%[1]s, server: "https://r3-%[1]s.test:6443", controlPlane: {mode: external}, platform: %[8]s}
    - {name: other-%[1]s, server: "https://r4-%[1]s.test:6443", platform: %[9]s}
`, x, flow("mesh"), flow("kiali"), flow("metrics"), flow("telemetry"), flow("hub"), flow("remote"), platform,
		map[string]string{"openshift": "kubernetes", "kubernetes": "openshift"}[platform], more, flow("annotations"))
	if tree["only"] != nil {
		text, _, _ = strings.Cut(text, "    - {name: own-")
	}
	top, findings := check.Parse("synthetic.yaml", []byte(text))
	require.Empty(t, findings, "%s on %s\n%s", choice, platform, text)
	return top
}

func hasPhase(c *resource.Cluster, phase resource.Phase) bool {
	for range c.In(phase) {
		return true
	}
	return false
}

func filledObjects(t *testing.T, c *resource.Cluster) map[resource.ID]resource.Object {
	t.Helper()
	files, err := manifests.Cluster(c)
	require.NoError(t, err)
	var objects []resource.Object
	for _, f := range files {
		data, err := yaml.YAMLToJSON(f.Content)
		require.NoError(t, err)
		v, err := resource.DecodeJSON(data)
		require.NoError(t, err)
		objects = append(objects, v.(resource.Object))
	}
	return byID(t, objects)
}

func byID(t *testing.T, objects []resource.Object) map[resource.ID]resource.Object {
	t.Helper()
	m := map[resource.ID]resource.Object{}
	for _, o := range objects {
		id := resource.IDOf(o)
		require.NotContains(t, m, id, "the same object twice")
		m[id] = o
	}
	return m
}

// TestFieldsOfKiali shows, for every shape, that kiali.spec may not set a field which
// templates set, except for the shared ones, and that each finding names the field of the
// topology to use. It also shows that templates set each shared field.
func TestFieldsOfKiali(t *testing.T) {
	set, refused := map[string]bool{}, map[string]bool{}
	for _, top := range eachOf(synthetic(t)) {
		clusters, err := Clusters(top, SourcesOf(top))
		require.NoError(t, err)
		for i := range clusters {
			for _, r := range clusters[i].Resources {
				if resource.IDOf(r.Body.Object()).Kind != "Kiali" {
					continue
				}
				spec := r.Body.Object()["spec"]
				if ours, _, merged := resource.MergeOf(spec); merged {
					spec = ours
				}
				fields := map[string]bool{}
				leafPaths(fields, "", spec)
				own := map[string]any{}
				for field := range fields {
					set[field] = true
					resource.Put(own, field, "other")
				}
				top.Spec.Clusters[i].Kiali.Spec = own
			}
		}
		findings, err := check.Find([]check.Input{{Topology: top, Clusters: clusters, Origins: Origins, Decided: Decided}}, check.Options{})
		require.NoError(t, err)
		for _, f := range findings {
			if field, by, ok := strings.Cut(f.Message, " is set by "); ok {
				refused[field] = true
				assert.NotContains(t, by, "sightline", "%s: values or decisions have no row", field)
			}
		}
	}
	assert.Greater(t, len(set), 20)
	shared := check.Exceptions()
	for field := range set {
		isShared := false
		for above := field; above != ""; above = above[:max(0, strings.LastIndex(above, "."))] {
			if _, ok := shared[above]; ok {
				isShared, shared[above] = true, ""
			}
		}
		assert.NotEqual(t, isShared, refused[field], "%s is set by a template: may kiali.spec set it too?", field)
	}
	delete(shared, "clustering.autodetect_secrets.enabled") // the operator's default is right
	for field, reason := range shared {
		assert.Empty(t, reason, "no template sets %s", field)
	}
}

// leafPaths adds the paths of the values that are no objects.
func leafPaths(paths map[string]bool, path string, v any) {
	m, ok := v.(map[string]any)
	if !ok {
		paths[path] = true
	}
	for key, below := range m {
		leafPaths(paths, strings.TrimPrefix(path+"."+key, "."), below)
	}
}
