package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/status"
)

const watchedMesh = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  namespaces: [sample]
  kiali: {hub: east, version: v2.27, auth: {strategy: anonymous}, operator: {install: none}}
  metrics: {store: prometheus, prometheus: {url: "http://prometheus.monitoring:9090"}}
  telemetry: {manage: true}
  clusters:
    - {name: east, platform: kubernetes}
    - {name: west, platform: kubernetes, server: "https://west.example.com:6443"}
`

// statusOf runs status with JSON output.
func (f *fleetOf) statusOf(args ...string) (int, statusReport) {
	f.Helper()
	code, stdout, stderr := f.run(append(args, "--output", "json")...)
	var report statusReport
	require.NoError(f, json.Unmarshal([]byte(stdout), &report), stderr)
	return code, report
}

// not returns the results that are not good, such as "ST03 west bad".
func not(report statusReport) []string {
	all := []string{}
	for _, r := range report.Results {
		if r.Mark != status.Good {
			all = append(all, fmt.Sprintf("%s %s %s", r.Check, r.Cluster, r.Mark))
		}
	}
	return all
}

// TestStatusGood reports no problem about a working mesh, with each way to reach Kiali.
func TestStatusGood(t *testing.T) {
	t.Parallel()
	f := newFleet(t, watchedMesh)
	f.store = newStore(t)
	code, stdout, stderr := f.run()
	assert.Equal(t, exitOK, code, stderr)
	assert.Equal(t, `reach
-----
√ ST01 the API server answers: east, west
√ ST02 the platform is as in the topology: east, west

names
-----
√ ST03 Istio has the cluster's name: east, west
√ ST04 Istio has the mesh id: east, west
√ ST06 the revisions in the topology run: east, west

objects
-------
√ ST07 the rendered objects exist: east, west
√ ST08 the objects are as rendered: east, west

kiali
-----
√ ST09 Kiali's operator is installed and knows the release line: east, west
√ ST10 the operator has reconciled the Kiali resource: east, west
√ ST11 a pod of Kiali is ready: east

links
-----
√ ST12 the remote's token is filled and belongs to the right account: west
√ ST13 the hub has the sealed link: west
√ ST14 each cluster is in one Secret: east
√ ST15 Kiali can read the kubeconfig in the link: west
√ ST16 the remote accepts the link's token: west
√ ST17 the link's account has the rights that Kiali needs: west
√ ST18 Kiali restarted after the last change of a link: east

monitoring
----------
√ ST19 a Prometheus reads the monitors: east, west
√ ST20 a Prometheus selects the monitors: east, west
√ ST35 the mesh has one mesh-wide Telemetry: east, west

view
----
√ ST21 Kiali's API answers: east
√ ST22 Kiali reaches each remote now: west
√ ST23 Kiali shows the namespaces of each cluster: east, west
√ ST24 Kiali and Istio have the same name for each control plane: east, west

data
----
√ ST25 each cluster has fresh series: east, west
√ ST26 each namespace of the mesh has series: east, west
√ ST27 series have the mesh id: east, west
√ ST28 series name only clusters of the topology: east
√ ST29 each proxy is scraped once: east
√ ST30 the store deduplicates replicas: east
√ ST31 no target of the mesh is down: east
√ ST32 the graph can show requests between clusters: east

cluster  good  failed  warnings  not checked
east       26       0         0            0
west       23       0         0            0

mesh: 49 good, 0 failed, 0 warnings, 0 not checked
`, stdout)
	assert.Empty(t, stderr)
}

// TestStatusFleet asks 200 clusters. One of them hangs, and one does not exist.
func TestStatusFleet(t *testing.T) {
	t.Parallel()
	text := strings.Split(watchedMesh, "    - {name: west")[0]
	for i := range 200 {
		text += fmt.Sprintf("    - {name: west-%d, platform: kubernetes, server: \"https://west-%d.example.com:6443\"}\n", i, i)
	}
	f := newFleet(t, text)
	f.clusters["west-7"].hang = true
	f.clusters["west-8"].Close()
	start := time.Now()
	code, stdout, stderr := f.run("--only", "reach", "--only", "names", "--only", "objects", "--only", "kiali", "--only", "links", "--only",
		"view")
	took := time.Since(start)
	assert.Equal(t, exitFound, code, stderr)
	assert.Less(t, took, 30*time.Second+90*time.Second) // this machine may be busy; docs/status.md has the usual time
	t.Logf("201 clusters in %v", took.Round(100*time.Millisecond))
	assert.Contains(t, stdout, "√ ST03 Istio has the cluster's name: 199 clusters: east, west-0, west-1")
	assert.Contains(t, stdout, "× ST01 the API server answers: west-7\n")
	assert.Contains(t, stdout, "does not answer: no answer within 10s; nothing else of the cluster was asked\n")
	assert.Contains(t, stdout, "× ST01 the API server answers: west-8\n")
	assert.Contains(t, stdout, "clusters where all is good\n")
}

// TestStatusRights asks as a user with only the rights that --rights prints.
func TestStatusRights(t *testing.T) {
	t.Parallel()
	f := newFleet(t, watchedMesh)
	f.store = newStore(t)
	var want []string
	for name, s := range f.clusters {
		c := f.expected.Topology.Hub()
		if name != c.Name {
			c = &f.expected.Topology.Spec.Clusters[1]
		}
		rules := rulesOf(status.Rights(f.expected, c))
		s.may = func(user, verb, group, plural, namespace, object string) bool {
			return user != "reader" || rules.allow(verb, group, plural, namespace, object)
		}
		want = append(want, name)
	}
	code, report := f.statusOf()
	assert.Empty(t, not(report), "the rights are enough")
	assert.Equal(t, exitOK, code)

	// Each right is needed: without it, a check is not made, and no other check becomes good.
	for _, name := range want {
		s := f.clusters[name]
		all := s.may
		seen := map[string]bool{}
		for _, line := range s.asked {
			seen[line] = true
		}
		for line := range seen {
			s.may = func(user, verb, group, plural, namespace, object string) bool {
				return all(user, verb, group, plural, namespace, object) && (user != "reader" || fmt.Sprintf("%s %s/%s %s/%s", verb, group, plural, namespace, object) != line)
			}
			_, without := f.statusOf("--only", "reach", "--only", "names", "--only", "objects", "--only", "kiali", "--only", "links", "--only",
				"monitoring")
			if !strings.Contains(line, "/configmaps istio-system/istio") { // each of the two has the mesh id
				assert.NotEmpty(t, not(without), "%s: %s", name, line)
			}
			for _, r := range without.Results {
				assert.NotEqual(t, status.Bad, r.Mark, "%s: %s: %s: %s", name, line, r.Check, r.Found)
			}
		}
		s.may = all
	}
	code, stdout, _ := f.run("--rights")
	assert.Equal(t, exitOK, code)
	assert.Contains(t, stdout, "# What sightline status may read on east, for the users of the group sightline-status.\n---\napiVersion: "+
		"rbac.authorization.k8s.io/v1\nkind: ClusterRole\n")
	assert.NotContains(t, stdout, "- '*'")
}

// rules returns the rules of roles, by namespace. A ClusterRole counts for all
// namespaces.
type rulesBy map[string][]map[string]any

func rulesOf(objects []resource.Object) rulesBy {
	all := rulesBy{}
	for _, o := range objects {
		if rules, ok := o["rules"].([]any); ok {
			for _, rule := range rules {
				ns := resource.IDOf(o).Namespace
				all[ns] = append(all[ns], rule.(map[string]any))
			}
		}
	}
	return all
}

func (r rulesBy) allow(verb, group, plural, namespace, name string) bool {
	for ns, rules := range r {
		if ns != "" && ns != namespace {
			continue
		}
		for _, rule := range rules {
			names, named := rule["resourceNames"].([]any)
			if has(rule["verbs"], verb) && has(rule["apiGroups"], group) && has(rule["resources"], plural) && (!named || has(names, name)) {
				return true
			}
		}
	}
	return false
}

func has(list any, text string) bool {
	items, _ := list.([]any)
	for _, item := range items {
		if item == text {
			return true
		}
	}
	return false
}

// TestStatusWait repeats the checks until all are good.
func TestStatusWait(t *testing.T) {
	t.Parallel()
	f := newFleet(t, watchedMesh)
	s := f.clusters["west"]
	id := resource.ID{APIVersion: "v1", Kind: "ServiceAccount", Namespace: "istio-system", Name: "kiali-service-account"}
	account := s.get(id)
	delete(s.objects, simulatedPath(id))
	var once sync.Once
	f.clusters["east"].may = func(string, string, string, string, string, string) bool {
		once.Do(func() {
			time.AfterFunc(time.Second, func() {
				s.mutex.Lock()
				defer s.mutex.Unlock()
				s.put(account)
			})
		})
		return true
	}
	code, _, stderr := f.run("--only", "links", "--wait", "--timeout", "1m")
	assert.Equal(t, exitOK, code, stderr)
	assert.Regexp(t, `^waiting, \d+s of 1m0s: ST12 west\n$`, stderr)

	delete(s.objects, simulatedPath(id))
	code, stdout, _ := f.run("--only", "ST12", "--wait", "--timeout", "1s")
	assert.Equal(t, exitFound, code)
	assert.Contains(t, stdout, "× ST12")
}

// TestStatusReach has no cluster to ask, and wrong flags.
func TestStatusReach(t *testing.T) {
	t.Parallel()
	f := newFleet(t, watchedMesh)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--context", "north=x"}, exitFailure, "sightline: --context north=x names no cluster\nhint: write it as CLUSTER=NAME; the " +
			"clusters are east, west\n"},
		{[]string{"--context", "west=wset"}, exitFailure, "sightline: no context \"wset\" in the kubeconfig\nhint: name one with --context " +
			"CLUSTER=NAME; the contexts are east, west\n"},
		{[]string{"--cluster", "north"}, exitFailure, "sightline: no cluster \"north\" in the topology\nhint: the clusters are east, west\n"},
		{[]string{"--only", "ST99"}, exitFailure, "sightline: \"ST99\" is neither a check nor a group; the groups are reach, names, objects, kiali, " +
			"links, monitoring, acm, view, data, tracing\nhint: sightline explain rules lists the checks, ST01 and on\n"},
		{[]string{"--output", "yaml"}, exitFailure, "sightline: unknown output \"yaml\"\nhint: the outputs are text and json\n"},
		{[]string{"--kiali-token-file", "-", "--prometheus-url", "http://127.0.0.1:1", "--prometheus-token-file", "-"}, exitFailure,
			"sightline: standard input is named twice\nhint: it can be read once\n"},
		{[]string{"--prometheus-token-file", "-"}, exitFailure, "sightline: --prometheus-token-file is for the store at " +
			"--prometheus-url\nhint: add --prometheus-url\n"},
		{[]string{"--timeout", "0s"}, exitFailure, "sightline: --timeout is 0s, expected more than 0\nhint: write it like 10m\n"},
		{[]string{"--timeout", "5s"}, exitFailure, "sightline: --timeout is for --wait\nhint: add --wait, or leave out --timeout\n"},
	} {
		code, _, stderr := f.run(c.args...)
		assert.Equal(t, c.code, code)
		assert.Equal(t, c.want, stderr)
	}
	code, report := f.statusOf("--cluster", "west", "--only", "links")
	assert.Equal(t, exitOK, code)
	assert.Len(t, report.Results, 7, "the hub has the links")
	delete(f.clusters, "west")
	f.writeKubeconfig()
	code, report = f.statusOf("--only", "reach")
	assert.Equal(t, exitOK, code, "what cannot be asked is no failure")
	assert.Equal(t, []string{"ST01 west unchecked"}, not(report))
	code, _ = f.statusOf("--only", "reach", "--strict")
	assert.Equal(t, exitFound, code)
	f.clusters["east"].Close()
	code, _, stderr := f.run("--only", "reach")
	assert.Equal(t, exitFailure, code)
	assert.Equal(t, "sightline: no cluster could be reached\nhint: name their contexts with --hub-context and --context\n", stderr)
}

// TestStatusKiali makes Kiali hang, and then end.
func TestStatusKiali(t *testing.T) {
	t.Parallel()
	f := newFleet(t, watchedMesh)
	f.kiali.Hang = true
	code, report := f.statusOf("--only", "view", "--only", "links")
	assert.Equal(t, exitFound, code)
	assert.Equal(t, []string{"ST21 east bad"}, not(report), "every other answer comes all the same")
	f.kiali.Close()
	code, report = f.statusOf("--only", "view")
	assert.Equal(t, exitFound, code)
	assert.Equal(t, []string{"ST21 east bad"}, not(report))
}

// TestStatusStrategies logs in to Kiali by each of its strategies, and reports checks
// that a program cannot make.
func TestStatusStrategies(t *testing.T) {
	t.Parallel()
	f := newFleet(t, watchedMesh)
	all := f.kiali.Namespaces
	for _, c := range []struct {
		strategy, takes string
		want            []string
		found           string
	}{
		{"anonymous", "", nil, ""},
		{"openid", "", []string{"ST21 east unchecked"}, "Kiali answers, but with the strategy openid it accepts only a " +
			"browser's session, no token"},
		{"openshift", readerToken, []string{"ST23 west unchecked"},
			"with the strategy openshift a token is for the hub only: Kiali shows a program no namespaces of west"},
		{"openshift", "another", []string{"ST21 east unchecked"}, "Kiali refuses the login, with the strategy openshift: Kiali answers " +
			"Unauthorized: User unauthenticated"},
		{"header", readerToken, []string{"ST23 west unchecked"}, ""},
		{"token", readerToken, []string{"ST23 west unchecked"}, ""},
		{"token", "another", []string{"ST21 east unchecked"}, "Kiali refuses the login, with the strategy token: Kiali answers Unauthorized: " +
			"token is not valid or is expired"},
		{"ldap", "", []string{"ST21 east unchecked"}, `does not know how to log in with its strategy "ldap"`},
	} {
		f.kiali.Strategy, f.kiali.Token, f.kiali.Namespaces = c.strategy, c.takes, all
		if c.strategy != "anonymous" { // another cluster does not accept a token of the hub
			f.kiali.Namespaces = map[string][]string{"east": all["east"]}
		}
		code, report := f.statusOf("--only", "view")
		assert.Equal(t, exitOK, code, c.strategy)
		assert.ElementsMatch(t, c.want, not(report), c.strategy)
		assert.Contains(t, allFound(report), c.found, c.strategy)
	}
	// Another token than that of the context, by standard input and by a file.
	f.kiali.Strategy, f.kiali.Token = "token", "a-token-from-elsewhere"
	file := filepath.Join(f.dir, "token")
	require.NoError(t, os.WriteFile(file, []byte("a-token-from-elsewhere\n"), 0o600))
	for _, args := range [][]string{{"--kiali-token-file", "-"}, {"--kiali-token-file", file}} {
		var out, errs strings.Builder
		code := run(shared(t.Context()), append([]string{"status", f.mesh, "--kubeconfig", f.kubeconfig, "--kiali-url", f.kiali.URL + "/kiali", "--only",
			"ST21"}, args...),
			strings.NewReader("a-token-from-elsewhere\n"), &out, &errs)
		assert.Equal(t, exitOK, code, errs.String())
		assert.Contains(t, out.String(), "√ ST21")
		assert.NotContains(t, out.String()+errs.String(), "from-elsewhere")
	}
}

func allFound(report statusReport) string {
	var b strings.Builder
	for _, r := range report.Results {
		fmt.Fprintln(&b, r.Found)
	}
	return b.String()
}

// TestStatusLines asks a Kiali of each release line, with the routes and fields of that
// line: once when it works, and once when it does not show a cluster.
func TestStatusLines(t *testing.T) {
	t.Parallel()
	text := strings.Replace(watchedMesh, "operator: {install: none}",
		"operator: {install: none}, spec: {external_services: {tracing: {enabled: true}}}", 1)
	for _, line := range kiali.LineNames() {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			mesh, sick := strings.Replace(text, "version: v2.27", "version: "+line, 1), "west"
			var old []string // the checks that this release line cannot answer
			want := []string{"ST22 west bad", "ST23 west bad", "ST24 west bad", "ST33 east bad"}
			if line == "v1.73" { // which shows one cluster only
				mesh, sick, old = strings.Split(mesh, "    - {name: west")[0], "east", []string{"ST24 east unchecked"}
				want = []string{"ST23 east bad", "ST24 east unchecked", "ST33 east bad"}
			}
			f := newFleet(t, mesh)
			_, report := f.statusOf("--only", "view", "--only", "tracing")
			assert.ElementsMatch(t, old, not(report), allFound(report))
			f.kiali.Answering, f.kiali.Namespaces[sick], f.kiali.Tracing = []string{"east"}, nil, "Unreachable"
			delete(f.kiali.Planes, sick)
			_, report = f.statusOf("--only", "view", "--only", "tracing")
			assert.Equal(t, want, not(report), allFound(report))
		})
	}
}

// TestStatusTracing checks tracing if the hub's Kiali should show it.
func TestStatusTracing(t *testing.T) {
	t.Parallel()
	f := newFleet(t, strings.Replace(watchedMesh, "operator: {install: none}",
		"operator: {install: none}, spec: {external_services: {tracing: {enabled: true}}}", 1))
	for health, want := range map[string][]string{"Healthy": {}, "Unreachable": {"ST33 east bad"}, "": {"ST33 east unchecked"}} {
		f.kiali.Tracing = health
		_, report := f.statusOf("--only", "tracing")
		assert.Equal(t, want, not(report))
		require.Len(t, report.Results, 1)
	}
	f.kiali.Strategy = "openid"
	code, report := f.statusOf("--only", "tracing")
	assert.Equal(t, exitOK, code)
	assert.Equal(t, []string{"ST21 east unchecked"}, not(report), "what stands in the way of a check is said")
	code, _ = f.statusOf("--only", "tracing", "--strict")
	assert.Equal(t, exitFound, code)
}

// TestStatusPages has a page for each check, and a check for each page.
func TestStatusPages(t *testing.T) {
	t.Parallel()
	var pages, checks []string
	for _, r := range check.Rules() {
		if r.FoundBy == "status" {
			pages = append(pages, r.ID)
		}
	}
	for _, g := range status.Groups() {
		checks = append(checks, g.Checks...)
	}
	assert.Equal(t, pages, checks)
}
