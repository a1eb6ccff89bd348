package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bare has the objects of a cluster with only Istio.
const bare = `apiVersion: v1
kind: List
items:
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod, namespace: istio-system, labels: {app: istiod}}, spec: {template: {spec: {containers: [{env: [{name: CLUSTER_ID, value: NAME}]}]}}}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: istio, namespace: istio-system}, data: {mesh: "defaultConfig: {meshId: MESH}"}}
- {apiVersion: v1, kind: Pod, metadata: {name: app, namespace: sample, annotations: {sidecar.istio.io/status: "{}"}}}
`

const openShiftObjects = `---
{apiVersion: config.openshift.io/v1, kind: ClusterVersion, metadata: {name: version}}
---
{apiVersion: config.openshift.io/v1, kind: Infrastructure, metadata: {name: cluster}, status: {apiServerURL: "https://api.NAME.example.com:6443"}}
---
{apiVersion: config.openshift.io/v1, kind: Ingress, metadata: {name: cluster}, spec: {domain: apps.NAME.example.com}}
`

// TestInitQuestions shows the effect of questions. A question about a required value is
// an error of init, and verify has no other error. After an answer, or without a required
// value, the topology has no error.
func TestInitQuestions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		east, west, more string
		answers          []string // the first becomes the second, and so on
		errors           int
	}{
		"OpenShift": {east: bare + openShiftObjects, west: bare + openShiftObjects},
		"Kubernetes": {east: bare, west: bare, errors: 3, answers: []string{
			"    hub: east", "    hub: east\n    viewOnly: true\n    auth: {strategy: anonymous}",
			"  clusters:\n", "  metrics: {prometheus: {url: 'http://prometheus.monitoring:9090'}, scope: meshID}\n  clusters:\n",
			"    - name: west", "    - server: https://api.west.example.com:6443\n      name: west",
		}},
		"two meshes": {east: bare + openShiftObjects, west: strings.ReplaceAll(bare+openShiftObjects, "MESH", "other"), errors: 1,
			answers: []string{"  kiali:\n", "  mesh: {id: mesh1}\n  kiali:\n"}},
		"no ingress": {east: bare + openShiftObjects[:strings.LastIndex(openShiftObjects, "---")], west: bare + openShiftObjects, errors: 1,
			answers: []string{"      platform: openshift", "      domain: apps.east.example.com\n      platform: openshift"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for cluster, text := range map[string]string{"east": c.east, "west": c.west} {
				require.NoError(t, os.MkdirAll(filepath.Join(dir, "dumps", cluster), 0o755))
				text = strings.NewReplacer("NAME", cluster, "MESH", "mesh1").Replace(text)
				require.NoError(t, os.WriteFile(filepath.Join(dir, "dumps", cluster, "all.yaml"), []byte(text), 0o644))
			}
			file := filepath.Join(dir, "mesh.yaml")
			code, _, said := sightline(t, "init", "--from", filepath.Join(dir, "dumps"), "--hub", "east", "-o", file)
			assert.Equal(t, c.errors > 0, code == exitFound, said)
			assert.Equal(t, c.errors, strings.Count(said, ": error: "), said)
			for _, line := range errorLines(t, file) {
				assert.Contains(t, said, file+":"+line+":", "verify has an error that init has not said")
			}
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			answered := string(text)
			for i := 0; i < len(c.answers); i += 2 {
				require.Contains(t, answered, c.answers[i])
				answered = strings.Replace(answered, c.answers[i], c.answers[i+1], 1)
			}
			require.NoError(t, os.WriteFile(file, []byte(answered), 0o644))
			assert.Empty(t, errorLines(t, file), "%s", answered)
		})
	}
}

// errorLines returns the lines of a topology with an error of verify.
func errorLines(t *testing.T, file string) []string {
	t.Helper()
	_, stdout, _ := sightline(t, "verify", file, "--output", "json")
	var found []struct {
		Severity string
		Line     json.Number
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &found), stdout)
	var lines []string
	for _, f := range found {
		if f.Severity == "error" {
			lines = append(lines, f.Line.String())
		}
	}
	return lines
}
