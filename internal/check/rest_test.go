package check_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
)

// TestRest looks at what is left of topologies that have findings: nothing unless
// all that is wrong can be left out.
func TestRest(t *testing.T) {
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
		left           bool
	}{
		{"field that something else sets", "v2.22", field, true},
		{"nothing else in the field's object", "v2.22", "v2.22, spec: {deployment: {namespace: other}}", true},
		{"refused text with a default", "15s", "often", true},
		{"mistyped key", "interval", "intervall", true},
		{"refused text without a default", "https://api", "api", false},
		{"word of a list", "v2.22", "v9", false},
		{"wrong type", "15s", "[15s]", false},
		{"key that does not exist", "15s", "15s, colour: red", false},
		{"hub that does not exist", "hub: east", "hub: north", false},
		{"field, and a hub that does not exist", "hub: east, version: v2.22", "hub: north, version: " + field, false},
		{"field, and a wrong type", "v2.22", "[v2.22], spec: {deployment: {namespace: other}}", false},
		{"credential", "v2.22", field + ", ca: ghp_0123456789abcdefghijklmnopqrstuvwxyz", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			top, findings := check.Parse("mesh.yaml", []byte(strings.Replace(text, c.old, c.new, 1)))
			require.NotEmpty(t, findings)
			rest := check.Rest(top)
			require.Equal(t, c.left, rest != nil, "%v", findings)
			if !c.left {
				return
			}
			assert.Equal(t, top.At("spec", "clusters", 1), rest.At("spec", "clusters", 1))
			assert.False(t, rest.Has("spec", "kiali", "spec", "deployment", "namespace"))
			if c.new == "often" {
				assert.Equal(t, "30s", rest.Spec.Metrics.Interval)
				assert.True(t, rest.Guessed(findings[0].Position))
			}
			assert.False(t, rest.Guessed(rest.At("spec", "metrics")))
		})
	}
	assert.Nil(t, check.Rest(nil))
}
