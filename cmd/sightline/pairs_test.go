package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/render"
)

// pairBase is a topology without findings; each mistake changes other lines of it.
const pairBase = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata:
  name: mesh
  annotations: {sightline.dev/suppress: "PM13, RS18"}
spec:
  mesh:
    id: mesh1
    controlPlaneNamespace: istio-system
    dataPlane: sidecar
  kiali:
    hub: east
    version: v2.27
    viewOnly: false
    instanceName: kiali
    auth: {strategy: openshift}
    links: {format: single}
    spec:
      deployment: {replicas: 2}
      server: {}
      kiali_feature_flags: {}
  metrics:
    interval: 30s
    labels: {team: mesh}
    monitors: {manage: true}
  telemetry: {manage: true}
  namespaces:
    - shop
    - bookinfo
  delivery: {repoURL: "https://git.example.com/mesh.git", path: rendered, argocd: {}}
  clusters:
    - name: east
      domain: apps.east.example.com
      server: https://api.east.example.com:6443
      labels: {env: prod}
      network: network1
      gateways: [ingress]
    - name: west
      server: https://api.west.example.com:6443
      network: network2
      domain: apps.west.example.com
      gateways: [ingress]
    - name: north
      server: https://api.north.example.com:6443
      network: network3
      domain: apps.north.example.com
      gateways: [ingress]
`

// edit is a mistake.
type edit struct{ name, old, new string }

// formMistakes returns a mistake of every kind that the first pass finds.
var formMistakes = []edit{
	{"wrong word", "dataPlane: sidecar", "dataPlane: sidecars"},
	{"line that is none", "version: v2.27", "version: v9"},
	{"text for a boolean", "viewOnly: false", "viewOnly: 'yes'"},
	{"list for a text", "instanceName: kiali", "instanceName: [kiali]"},
	{"text for a list", "namespaces:\n    - shop\n    - bookinfo", "namespaces: shop\n    #\n    #"},
	{"list for a mapping", "monitors: {manage: true}", "monitors: [x]"},
	{"number for a text", "domain: apps.west.example.com", "domain: 2"},
	{"nothing", "domain: apps.west.example.com", "domain:"},
	{"refused name", "controlPlaneNamespace: istio-system", "controlPlaneNamespace: Istio_System"},
	{"refused text with a default", "interval: 30s", "interval: often"},
	{"refused text without a default", "server: https://api.west.example.com:6443", "server: api.west.example.com"},
	{"refused entry", "- bookinfo", "- Book_Info"},
	{"entry that stands twice", "- bookinfo", "- shop"},
	{"unknown key", "domain: apps.west.example.com", "colour: red"},
	{"mistyped key", "interval: 30s", "intervall: 30s"},
	{"key that belongs elsewhere", "interval: 30s", "prune: true"},
	{"key that stands twice", "labels: {team: mesh}", "labels: {team: mesh, team: other}"},
	{"key of a label", "labels: {team: mesh}", "labels: {'te am': mesh}"},
	{"missing value", "    id: mesh1\n", "    # \n"},
	{"missing server", "server: https://api.west.example.com:6443", "# server"},
	{"anchor and alias", "labels: {team: mesh}", "labels: {team: &n mesh, other: *n}"},
	{"merge key", "labels: {team: mesh}", "labels: {<<: {team: mesh}}"},
	{"tag", "domain: apps.west.example.com", "domain: !x apps.west.example.com"},
	{"hub that is none", "hub: east", "hub: south"},
	{"credential", "labels: {env: prod}", "labels: {env: ghp_0123456789abcdefghijklmnopqrstuvwxyz}"},
	{"contradiction", "deployment: {replicas: 2}", "deployment: {replicas: 2, namespace: other}"},
	{"no effect", "network: network3", "network: network3\n      ztunnelNamespace: ztunnel"},
	{"server of another", "server: https://api.west.example.com:6443", "server: https://api.east.example.com:6443"},
	{"two clusters of a name", "name: north", "name: west"},
	{"strategy that does not fit", "strategy: openshift", "strategy: token"},
}

// ruleMistakes returns mistakes that the second pass finds.
var ruleMistakes = []edit{
	{"ID11", "domain: apps.north.example.com\n      gateways: [ingress]", "domain: apps.north.example.com\n"},
	{"RS02", "api.north", "api-int.north"},
	{"KC13", "server: {}", "server: {prot: 1}"},
	{"KC25", "kiali_feature_flags: {}", "kiali_feature_flags: {disabled_features: x}"},
	{"DL08", "argocd: {}", "argocd: {}, flux: {}"},
	{"suppressed error", `"PM13, `, `"RS05, PM13, `},
}

func (e edit) apply(t *testing.T, text string) string {
	require.Contains(t, text, e.old, e.name)
	return strings.Replace(text, e.old, e.new, 1)
}

// found returns all findings of verify about a topology, as lines without their numbers.
func foundIn(t *testing.T, text string) []string {
	file := filepath.Join(t.TempDir(), "mesh.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	inputs, err := readInputs([]string{file}, &bytes.Buffer{})
	sets := [][]*input{inputs}
	var all finding.Findings
	if wrong := (*invalid)(nil); errors.As(err, &wrong) {
		all, sets = wrong.findings, wrong.meanings
	} else {
		require.NoError(t, err)
	}
	e, err := new(ruleFlags).examine(shared(t.Context()), sets, len(all) > 0, render.Kustomize, check.Options{})
	require.NoError(t, err)
	defer e.close()
	var said []string
	lines := strings.Split(text, "\n")
	for _, f := range append(all, e.findings()...) {
		said = append(said, fmt.Sprintf("%s: %s at %q", f.Rule, f.Message, lines[f.Line-1]))
	}
	slices.Sort(said)
	return said
}

// depend has pairs whose second finding depends on the first mistake: it needs the hub,
// or the cluster of a line.
var depend = map[[2]string]bool{
	{"hub that is none", "RS02"}: true, {"hub that is none", "KC13"}: true, {"hub that is none", "KC25"}: true,
	{"two clusters of a name", "RS02"}: true, {"two clusters of a name", "ID11"}: true,
}

// TestPairsOfMistakes makes two mistakes in one topology: one for the first pass and one
// for the second. verify finds both. It finds nothing else than in topologies with one of
// the mistakes.
func TestPairsOfMistakes(t *testing.T) {
	require.Empty(t, foundIn(t, pairBase))
	single := map[string][]string{}
	for _, e := range append(slices.Clone(formMistakes), ruleMistakes...) {
		single[e.name] = foundIn(t, e.apply(t, pairBase))
		require.NotEmpty(t, single[e.name], e.name)
	}
	for _, form := range formMistakes {
		for _, rule := range ruleMistakes {
			t.Run(form.name+" and "+rule.name, func(t *testing.T) {
				t.Parallel()
				both := foundIn(t, rule.apply(t, form.apply(t, pairBase)))
				for _, said := range single[form.name] {
					assert.Contains(t, both, said)
				}
				for _, said := range single[rule.name] {
					if !slices.Contains(both, said) && !depend[[2]string{form.name, rule.name}] {
						t.Errorf("hidden: %s", said)
					}
				}
				for _, said := range both {
					if !slices.Contains(single[form.name], said) && !slices.Contains(single[rule.name], said) {
						t.Errorf("invented: %s", said)
					}
				}
			})
		}
	}
}
