package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/kiali"
)

// dice chooses the parts of a random topology.
type dice struct{ *rand.Rand }

func (d dice) maybe(text string) string {
	if d.IntN(2) == 0 {
		return ""
	}
	return text
}

func (d dice) of(texts ...string) string { return texts[d.IntN(len(texts))] }

// topology returns a random topology: its model, platforms, control planes, stores,
// strategies, and settings of single clusters.
func (d dice) topology() string {
	hub := d.of("openshift", "kubernetes")
	line := d.of(kiali.LineNames()[2:]...)
	clusters := 1 + d.IntN(4)
	ambient := d.IntN(3) == 0
	var b strings.Builder
	write := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	write("apiVersion: sightline.dev/v1alpha1\nkind: Topology\nmetadata: {name: mesh-%d}\nspec:", d.IntN(100))
	write("  mesh: {id: mesh%d%s%s}", d.IntN(9), d.maybe(", controlPlaneNamespace: istio-control"),
		map[bool]string{true: ", dataPlane: ambient"}[ambient])
	write("  kiali:\n    hub: c0\n    version: %s", line)
	for _, part := range []string{"namespace: kiali", "instanceName: watch", "viewOnly: true"} {
		if text := d.maybe("    " + part + "\n"); text != "" {
			b.WriteString(text)
		}
	}
	strategy := d.of("openid", "anonymous", "openshift")
	if hub == "kubernetes" && strategy == "openshift" {
		strategy = "anonymous"
	}
	write("    auth: {strategy: %s}", strategy)
	spec := d.maybe("deployment: {replicas: 3, logger: {log_level: debug}}")
	if strategy == "openid" {
		spec = strings.TrimSuffix("auth: {openid: {client_id: kiali, issuer_uri: 'https://login.example.com'}}, "+spec, ", ")
	}
	if spec != "" {
		write("    spec: {%s}", spec)
	}
	if hub == "openshift" {
		write("    operator: {%s}", d.of("", "install: none", "approval: Manual, channel: candidate", "source: community-operators",
			"source: mirror, package: kiali-mirrored"))
	}
	d.metrics(write, hub)
	if text := d.of("", "manage: false", "name: mesh-wide", "spec: {accessLogging: [{providers: [{name: envoy}]}]}"); text != "" {
		write("  telemetry: {%s}", text)
	}
	if text := d.maybe("  namespaces: [sample, shop]"); text != "" {
		write("%s", text)
	}
	write("  clusters:")
	for i := range clusters {
		d.cluster(write, i, hub, ambient, clusters > 1)
	}
	return b.String()
}

func (d dice) metrics(write func(string, ...any), hub string) {
	write("  metrics:")
	switch store := d.of("own", "prometheus", "thanos"); {
	case store == "own" && hub == "openshift":
	case store == "thanos":
		write("    store: thanos\n    thanos: {url: 'https://thanos.example.com'%s}",
			d.maybe(", auth: {type: bearer, token: 'secret:store:token'}"))
	default:
		write("    store: prometheus\n    prometheus: {url: 'http://prometheus.monitoring:9090'%s}",
			d.maybe(", auth: {type: basic, username: 'secret:a:b', password: 'secret:a:c'}"))
	}
	write("    interval: %s", d.of("30s", "15s", "1m"))
	written := map[string]bool{}
	for _, part := range []string{"scope: none", "scope: {mesh: own}", "labels: {release: stack}", "prometheusMerge: false",
		"monitors: {name: proxies}",
		"monitors: {manage: false}", "alerts: {manage: true}"} {
		if key, _, _ := strings.Cut(part, ":"); d.IntN(4) == 0 && !written[key] {
			written[key] = true
			write("    %s", part)
		}
	}
	if text := d.maybe("    userWorkloadMonitoring: {manage: true, config: {enableUserWorkload: true, prometheusK8s: {retention: " +
		"15d}}}"); text != "" && hub == "openshift" {
		write("%s", text)
	}
}

func (d dice) cluster(write func(string, ...any), i int, hub string, ambient, several bool) {
	platform := hub
	if i > 0 {
		platform = d.of("openshift", "kubernetes")
	}
	write("  - name: c%d\n    platform: %s\n    server: https://api.c%[1]d.example.com:6443", i, platform)
	if platform == "openshift" {
		write("    domain: apps.c%d.example.com", i)
	} else if i == 0 {
		write("    kiali: {host: kiali.example.com}")
	}
	control := d.of("", "revisions: [1-27-3, canary]", "namespace: istio-own", "mode: none")
	if control == "mode: none" && !several { // otherwise there would be no mesh
		control = ""
	}
	if i > 0 {
		control = d.of("", "mode: remote, primary: c0", "mode: external", "revisions: [a, default]", "namespace: istio-other")
	}
	if control == "mode: none" {
		write("    controlPlane: {%s}", control)
		return
	}
	gateways := d.maybe("gateways: [gates]")
	if strings.HasPrefix(control, "mode: ") { // without a proxy, no object has the name of the cluster
		gateways = "gateways: [gates]"
	}
	write("    controlPlane: {%s}", control)
	if gateways != "" {
		write("    %s", gateways)
	}
	for _, part := range []string{"namespaces: [own, more]", "network: net-a", "metrics: {interval: 45s}"} {
		if text := d.maybe(part); text != "" {
			write("    %s", text)
		}
	}
	if ambient {
		if text := d.maybe("    waypoints: [points]\n    ztunnelNamespace: mesh-node"); text != "" {
			write("%s", text)
		}
	}
}

// madeTopologies returns random topologies of every model that have no finding, by their
// seeds.
func madeTopologies() map[uint64][]byte {
	const most = 40
	made := map[uint64][]byte{}
	for seed := uint64(0); seed < 400 && len(made) < most; seed++ {
		text := []byte(dice{rand.New(rand.NewPCG(seed, 7))}.topology())
		if _, findings := check.Parse("made.yaml", text); len(findings) == 0 {
			made[seed] = text
		}
	}
	return made
}

// TestInitProperty renders topologies of every model, dumps the objects of their
// clusters, and makes topologies from the dumps with init. These topologies render to the
// same objects.
func TestInitProperty(t *testing.T) {
	t.Parallel()
	made := madeTopologies()
	assert.Len(t, made, 40, "too few of the topologies are valid")
	for seed, text := range made {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			assertComesBack(t, text)
		})
	}
}

// assertComesBack makes a topology from the dumps of another with init, and compares the
// rendered objects of both.
func assertComesBack(t *testing.T, text []byte) {
	t.Helper()
	top, findings := check.Parse("made.yaml", text)
	require.Empty(t, findings, "%s", text)
	before := appliedOf(t, top, nil)
	file := filepath.Join(t.TempDir(), "mesh.yaml")
	code, _, stderr := sightline(t, "init", "--from", dumpMesh(t, top, before), "-o", file)
	made, err := os.ReadFile(file)
	require.NoError(t, err, "%s\n%s", stderr, text)
	again, findings := check.Parse(file, made)
	require.Empty(t, findings, "%s\n%s\n%s", text, made, stderr)
	after := appliedOf(t, again, nil)
	same := assertSameObjects(t, before.rendered, after.rendered)
	same = assertSameObjects(t, before.delivered, after.delivered) && same
	same = assertSameObjects(t, map[string][]anObject{"": before.acm}, map[string][]anObject{"": after.acm}) && same
	if !assert.Equal(t, exitOK, code) || !same {
		t.Fatalf("%s\n%s\n%s", text, made, stderr)
	}
}
