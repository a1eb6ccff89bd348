package discover_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/discover"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// TestPods shows that only the needed parts of pods are read, in YAML and in JSON,
// and all parts of every other object.
func TestPods(t *testing.T) {
	t.Parallel()
	const list = `apiVersion: v1
items:
- apiVersion: v1
  kind: Pod
  metadata:
    annotations:
      note: |
        kind: Pod
        spec:
          not: this
    name: plain
    namespace: a
  spec:
    containers:
    - name: app

  status:
    phase: Running
- apiVersion: v1
  kind: Pod
  metadata:
    name: proxy
    namespace: a
  spec:
    containers:
    - env:
      - name: ISTIO_META_CLUSTER_ID
        value: one
      name: istio-proxy
  status:
    phase: Running
- apiVersion: config.openshift.io/v1
  kind: Infrastructure
  metadata:
    name: cluster
  status:
    apiServerURL: https://api.example.com:6443
- apiVersion: v1
  kind: Pod
  metadata:
    name: other
    namespace: a
  spec:
    containers:
    - env:
      - name: ISTIO_META_CLUSTER_ID
        value: one
kind: List
`
	var printed bytes.Buffer // as kubectl get -o json prints it
	data, err := yaml.YAMLToJSON([]byte(list))
	require.NoError(t, err)
	require.NoError(t, json.Indent(&printed, data, "", "    "))
	for name, text := range map[string]string{"pods.yaml": list, "pods.json": printed.String(), "one-line.json": string(data)} {
		s, findings := discover.Dump("west", []discover.Source{{Name: name, Data: []byte(text)}})
		require.Empty(t, findings)
		require.Len(t, s.Objects, 4, name)
		by := map[string]resource.Object{}
		for _, o := range s.Objects {
			by[resource.IDOf(o).Name] = o
		}
		assert.Contains(t, by["proxy"], "spec", name)
		for _, pod := range []string{"plain", "other"} {
			if name != "one-line.json" { // which nothing is left out of
				assert.Nil(t, by[pod]["spec"], name)
				assert.Nil(t, by[pod]["status"], name)
			}
		}
		assert.Equal(t, "kind: Pod\nspec:\n  not: this\n", by["plain"]["metadata"].(map[string]any)["annotations"].(map[string]any)["note"], name)
		assert.Equal(t, "https://api.example.com:6443", by["cluster"]["status"].(map[string]any)["apiServerURL"], name)
	}
}
