package check_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
)

// TestMeanings checks the topologies that may have been meant by topologies with
// findings: each can be rendered, each refused value has a possible meaning, and none
// has the refused value.
func TestMeanings(t *testing.T) {
	const text = `
apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  kiali: {hub: east, version: v2.22}
  metrics: {interval: 15s}
  clusters:
    - {name: east, domain: apps.east.example.com}
    - {name: west, server: "https://api.west.example.com:6443"}
`
	const field = "v2.22, spec: {deployment: {namespace: other, replicas: 2}}"
	for _, c := range []struct {
		name, old, new string
		any            bool // else nobody can tell
	}{
		{"field that something else sets", "v2.22", field, true},
		{"nothing else in the field's object", "v2.22", "v2.22, spec: {deployment: {namespace: other}}", true},
		{"refused text with a default", "15s", "often", true},
		{"mistyped key", "interval", "intervall", true},
		{"refused text that is required of remotes", "https://api", "api", true},
		{"missing text that is required of remotes", `, server: "https://api.west.example.com:6443"`, "", true},
		{"word of a list", "v2.22", "v9", true},
		{"wrong type", "15s", "[15s]", true},
		{"two mappings in place of texts", "{interval: 15s}", "[a]", true},
		{"key that does not exist", "15s", "15s, colour: red", true},
		{"key that belongs elsewhere", "15s", "15s, dataPlane: ambient", true},
		{"key that stands twice", "15s", "15s, interval: 1m", true},
		{"hub that does not exist", "hub: east", "hub: north", true},
		{"hub that is missing", "hub: east, ", "", true},
		{"hub whose name is refused", "east", "'east!'", true},
		{"two clusters of a name", "name: west", "name: east", true},
		{"field, and a hub that does not exist", "hub: east, version: v2.22", "hub: north, version: " + field, true},
		{"field, and a wrong type", "v2.22", "[v2.22], spec: {deployment: {namespace: other}}", true},
		{"credential", "v2.22", field + ", ca: ghp_0123456789abcdefghijklmnopqrstuvwxyz", true},
		{"alias", "mesh1}", "&id mesh1}\n  namespaces: [*id]", true},
		{"merge key", "version: v2.22}", "<<: {version: v2.22}}", true},
		{"alias of what it is in", "{interval: 15s}", "&m {interval: 15s, monitors: *m}", false},
		{"no list of clusters", "- {name", "  {name", false},
		{"another kind", "kind: Topology", "kind: Secret", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			top, findings := check.Parse("mesh.yaml", []byte(strings.ReplaceAll(text, c.old, strings.ReplaceAll(c.new, "\\n", "\n"))))
			require.NotEmpty(t, findings)
			all := check.Meanings(top)
			assert.Equal(t, c.any, len(all) > 0, "%v", findings)
			assert.LessOrEqual(t, len(all), 32)
			for _, m := range all {
				assert.NotNil(t, m.Hub())
				assert.Equal(t, top.At("spec", "mesh"), m.At("spec", "mesh"))
				assert.False(t, m.Guessed(m.At("spec", "mesh")))
			}
		})
	}
	assert.Nil(t, check.Meanings(nil))
}
