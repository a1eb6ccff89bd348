package status_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/status"
)

const mesh = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  kiali: {hub: east, version: v2.22}
  clusters:
    - {name: east, domain: apps.east.example.com, network: one}
    - {name: west, server: "https://api.west.example.com:6443", controlPlane: {revisions: [default, canary]}}
`

func object(apiVersion, kind, name string) resource.Object {
	return resource.Object{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name, "namespace": "istio-system"}}
}

var now = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// good returns the expectations for an OpenShift mesh, and facts that meet
// them.
func good(t *testing.T) (status.Expected, status.Facts) {
	t.Helper()
	topology, findings := check.Parse("mesh.yaml", []byte(mesh))
	require.Empty(t, findings)
	e := status.Expected{Topology: topology, Arg: "mesh.yaml", Objects: map[string][]resource.Object{}, Now: now}
	f := status.Facts{Clusters: map[string]*status.Cluster{}, Links: map[string]*status.Link{}, Stores: map[string]*status.Store{}}
	for _, name := range []string{"east", "west"} {
		monitor, kiali := object("monitoring.coreos.com/v1", "PodMonitor", "istio-proxies-monitor"), object("kiali.io/v1alpha1", "Kiali", "kiali")
		e.Objects[name] = []resource.Object{monitor, kiali}
		live := object("kiali.io/v1alpha1", "Kiali", "kiali")
		live["status"] = map[string]any{"conditions": []any{
			map[string]any{"type": "Running", "status": "True", "reason": "Successful", "lastTransitionTime": "2026-11-27T10:00:00Z"},
			map[string]any{"type": "Successful", "status": "True", "lastTransitionTime": "2026-11-27T10:00:00Z"},
		}}
		f.Clusters[name] = &status.Cluster{
			Context:    name,
			OpenShift:  status.Answer[bool]{Value: true},
			OAuth:      status.Answer[bool]{Value: true},
			Istiods:    status.Answer[[]status.Istiod]{Value: []status.Istiod{{Name: "istiod", ClusterID: name, MeshID: "mesh1"}}},
			Network:    status.Answer[string]{Value: "one"},
			Namespaces: status.Answer[map[string]map[string]string]{Value: map[string]map[string]string{"istio-system": {}}},
			Objects: map[resource.ID]status.Answer[resource.Object]{resource.IDOf(monitor): {Value: monitor},
				resource.IDOf(kiali): {Value: live}},
			Operator:     status.Answer[status.Operator]{Value: status.Operator{Found: true, Version: "2.22.1"}},
			UserWorkload: status.Answer[status.Monitoring]{Value: status.Monitoring{On: true, Ready: 2}},
		}
	}
	west, east := f.Clusters["west"], f.Clusters["east"]
	west.Istiods.Value = append(west.Istiods.Value, status.Istiod{Name: "istiod-canary", Revision: "canary", ClusterID: "west",
		MeshID: "mesh1"})
	west.Tags.Value = map[string]string{"prod": "canary"}
	west.Token = map[string]status.Answer[status.TokenSecret]{topology.TokenSecret(1): {Value: status.TokenSecret{
		Type: "kubernetes.io/service-account-token", Account: topology.Account(), AccountUID: "1", Filled: true,
	}}}
	west.Account.Value = "1"
	east.LinkSecrets.Value = []status.LinkSecret{{Name: "kiali-multi-cluster-secret", Changed: now.Add(-2 * time.Hour),
		Items: []status.LinkItem{{Key: "west", Server: "https://api.west.example.com:6443"}}}}
	east.Pods.Value = []status.Pod{{Name: "kiali-1", Ready: true, Started: now.Add(-time.Hour)}}
	f.Links["west"] = &status.Link{Item: true, User: status.Answer[string]{Value: "system:serviceaccount:istio-system:kiali-service-account"}}
	return e, f
}

// TestJudge changes one fact, and one check must report it. Some facts are only
// tested here, because the real API servers of the other tests do not have
// them: OpenShift, revision tags, and missing answers.
func TestJudge(t *testing.T) {
	t.Parallel()
	denied := &status.Failure{Status: 403, Text: "it is forbidden"}
	for name, c := range map[string]struct {
		change func(e *status.Expected, east, west *status.Cluster, f *status.Facts)
		want   string
		found  string
	}{
		"good": {func(*status.Expected, *status.Cluster, *status.Cluster, *status.Facts) {}, "", ""},
		"no OpenShift": {func(_ *status.Expected, _, w *status.Cluster, _ *status.Facts) { w.OpenShift.Value = false }, "ST02 west bad",
			"the cluster is kubernetes, the topology says openshift"},
		"a provider of its own": {func(_ *status.Expected, _, w *status.Cluster, _ *status.Facts) { w.OAuth.Value = false }, "ST39 west bad",
			"nobody can log in"},
		"a provider, and its strategy": {func(e *status.Expected, _, w *status.Cluster, _ *status.Facts) {
			e.Topology.Spec.Kiali.Auth.Strategy = "openid"
			w.OAuth.Value = false
		}, "", ""},
		"no istiod": {func(_ *status.Expected, _, w *status.Cluster, _ *status.Facts) { w.Istiods.Value = nil }, "ST03 west bad",
			"there is no istiod"},
		"istiods not to be read": {func(_ *status.Expected, _, w *status.Cluster, _ *status.Facts) { w.Istiods.Err = denied },
			"ST03 west unchecked", "it is forbidden"},
		"no mesh id": {func(_ *status.Expected, _, w *status.Cluster, _ *status.Facts) { w.Istiods.Value[0].MeshID = "" },
			"ST04 west unchecked", "names no mesh id"},
		"no network": {func(_ *status.Expected, e, _ *status.Cluster, _ *status.Facts) { e.Network.Value = "" }, "ST05 east bad",
			"Istio has no network for the cluster"},
		"two networks": {func(_ *status.Expected, e, _ *status.Cluster, _ *status.Facts) { e.Istiods.Value[0].Networks = "two" },
			"ST05 east bad", `Istio's network of the cluster is "one", "two"`},
		"a tag that leads nowhere": {func(_ *status.Expected, _, w *status.Cluster, _ *status.Facts) { w.Tags.Value["prod"] = "gone" },
			"ST06 west bad", "the revision tag prod leads to gone, but no istiod of this revision runs"},
		"a revision less": {func(_ *status.Expected, _, w *status.Cluster, _ *status.Facts) {
			w.Istiods.Value = w.Istiods.Value[:1]
			w.Tags.Value = nil
		}, "ST06 west bad", "the revisions default run"},
		"objects not to be read": {func(e *status.Expected, _, w *status.Cluster, _ *status.Facts) {
			w.Objects[resource.IDOf(e.Objects["west"][0])] = status.Answer[resource.Object]{Err: denied}
		}, "ST07 west unchecked, ST08 west unchecked", "it is forbidden"},
		"nothing installed": {func(_ *status.Expected, _, w *status.Cluster, _ *status.Facts) {
			w.Operator.Value = status.Operator{Problem: "the Subscription has installed nothing: constraints not satisfiable"}
		}, "ST09 west bad", "constraints not satisfiable"},
		"an older operator": {func(_ *status.Expected, _, w *status.Cluster, _ *status.Facts) { w.Operator.Value.Version = "2.22.0" },
			"ST09 west bad", "Kiali's operator is 2.22.0, but 2.22.1 is the first that knows the release line v2.22"},
		"no pod of Kiali": {func(_ *status.Expected, e, _ *status.Cluster, _ *status.Facts) { e.Pods.Value = nil }, "ST11 east bad",
			"there is no pod of Kiali"},
		"an account made anew": {func(_ *status.Expected, _, w *status.Cluster, _ *status.Facts) { w.Account.Value = "2" }, "ST12 west bad",
			"was deleted and created again"},
		"Secrets not to be read": {func(_ *status.Expected, e, _ *status.Cluster, _ *status.Facts) { e.LinkSecrets.Err = denied },
			"ST13 east unchecked", "it is forbidden"},
		"a program for a token": {func(_ *status.Expected, _, _ *status.Cluster, f *status.Facts) {
			f.Links["west"] = &status.Link{Item: true, Exec: true}
		}, "ST16 west unchecked", "which is not run here"},
		"the token of another": {func(_ *status.Expected, _, _ *status.Cluster, f *status.Facts) { f.Links["west"].User.Value = "admin" },
			"ST16 west bad", `the token in the link belongs to "admin"`},
		"monitoring is off": {func(_ *status.Expected, _, w *status.Cluster, _ *status.Facts) {
			w.UserWorkload.Value = status.Monitoring{}
		}, "ST19 west bad", "user workload monitoring is off"},
		"monitoring has no pod": {func(_ *status.Expected, _, w *status.Cluster, _ *status.Facts) { w.UserWorkload.Value.Ready = 0 },
			"ST19 west bad", "no pod of its Prometheus is ready"},
		"a label against it": {func(_ *status.Expected, _, w *status.Cluster, _ *status.Facts) {
			w.Namespaces.Value["istio-system"]["openshift.io/user-monitoring"] = "false"
		}, "ST20 west bad", "a label of the namespace"},
		"no context": {func(_ *status.Expected, _, w *status.Cluster, _ *status.Facts) {
			*w = status.Cluster{NoAccess: "no context"}
		}, "ST01 west unchecked", "no context; nothing of the cluster was asked"},
		"not logged in": {func(_ *status.Expected, _, w *status.Cluster, _ *status.Facts) {
			*w = status.Cluster{Failure: &status.Failure{Status: 401, Text: "Unauthorized"}}
		},
			"ST01 west bad", "Unauthorized; nothing else of the cluster was asked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, f := good(t)
			c.change(&e, f.Clusters["east"], f.Clusters["west"], &f)
			var not, texts []string
			for _, r := range status.Judge(e, f) {
				assert.Equal(t, status.GroupOf(r.Check), r.Group)
				if r.Mark != status.Good {
					not = append(not, fmt.Sprintf("%s %s %s", r.Check, r.Cluster, r.Mark))
					texts = append(texts, r.Found)
				}
				if r.Mark == status.Bad {
					assert.NotEmpty(t, r.Next)
				}
			}
			assert.Equal(t, c.want, strings.Join(not, ", "))
			assert.Contains(t, strings.Join(texts, "\n"), c.found)
		})
	}
}

// TestStores looks for requests between clusters in the store of each cluster.
func TestStores(t *testing.T) {
	t.Parallel()
	series := func(reporter, source, destination string) status.Series {
		return status.Series{MeshID: "mesh1", Reporter: reporter, Source: source, Destination: destination, Newest: now}
	}
	store := func(all ...status.Series) *status.Store {
		return &status.Store{Series: status.Answer[[]status.Series]{Value: all}}
	}
	east, west := series("source", "east", "east"), series("destination", "west", "west")
	for name, c := range map[string]struct {
		stores map[string]*status.Store
		want   string
	}{
		"both report of one": {map[string]*status.Store{"east": store(east, series("source", "east", "west")), "west": store(west)}, "ST32 east good "},
		"there is none": {map[string]*status.Store{"east": store(east), "west": store(west)},
			"ST32 east warning no request between clusters was seen in the last minutes"},
		"one does not answer": {map[string]*status.Store{"east": store(east), "west": {NoAccess: "no token"}},
			"ST32 east unchecked no request between clusters was seen, and the store of west did not answer"},
		"the other tells": {map[string]*status.Store{"east": {NoAccess: "no token"}, "west": store(west, series("destination", "east", "west"))},
			"ST32 east good "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, f := good(t)
			f.Stores = c.stores
			var got []string
			for _, r := range status.Judge(e, f) {
				if r.Check == "ST32" {
					got = append(got, fmt.Sprintf("%s %s %s %s", r.Check, r.Cluster, r.Mark, r.Found))
				}
			}
			assert.Equal(t, []string{c.want}, got)
		})
	}
	e, f := good(t)
	f.Stores = map[string]*status.Store{"west": store(west)}
	delete(f.Clusters, "east")
	for _, r := range status.Judge(e, f) {
		assert.NotEqual(t, "ST32", r.Check, "only west was asked")
	}
}

// TestChosen keeps, beside the selected results, each result that says why a
// selected one is missing.
func TestChosen(t *testing.T) {
	t.Parallel()
	e, f := good(t)
	f.Clusters["west"] = &status.Cluster{Context: "west", Failure: &status.Failure{Text: "no answer"}}
	f.Kiali = &status.Kiali{NoAccess: "only a browser can log in", Strategy: status.Answer[string]{Value: "openid"}}
	f.Stores[""] = &status.Store{NoAccess: "it asks for a login"}
	for only, want := range map[string][]string{
		"ST03":    {"ST01 west", "ST03 east"},
		"ST12":    {"ST01 west"},
		"ST15":    {"ST15 west"},
		"tracing": {"ST01 west", "ST21 east"},
		"ST29":    {"ST25 east"},
		"ST11":    {"ST01 west", "ST11 east"},
		"reach":   {"ST01 east", "ST01 west", "ST02 east"},
	} {
		var got []string
		for _, r := range status.Chosen(status.Judge(e, f), []string{only}) {
			got = append(got, r.Check+" "+r.Cluster)
		}
		assert.Equal(t, want, got, only)
	}
}
