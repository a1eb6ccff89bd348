package render

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/delivery"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// forFlux are strings that Flux's substitution replaces, or for which it fails.
var forFlux = []string{"${X}", "$${X}", "a$$b", "${1}${2}", "${X:-${Y}}", "${", `\${X}`, "${}"}

// forOthers are strings that Flux does not change, but other programs might.
var forOthers = []string{"$", "$1$2", "{{ .X }}", `\\"`, "a$\n$\nb", "<<EOF"}

// FuzzFlux shows that Flux applies the rendered objects if a platform turns on
// variable substitution, with any string from the topology or an overlay. If an
// overlay removes the annotation that prevents the substitution, the rules name
// the field.
func FuzzFlux(f *testing.F) {
	for _, s := range slices.Concat(forFlux, forOthers) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || s == "<<" || strings.Contains(s, "⟦") {
			t.Skip("the topology reader refuses this text, or it is a mark")
		}
		text, err := json.Marshal(s)
		require.NoError(t, err)
		kept := "function(resource, cluster) resource { metadata+: { annotations+: { note: " + string(text) + " } } }"
		changed := false
		for _, o := range builtForFlux(t, s, kept) {
			require.Equal(t, o, applied(t, o), "Flux applies something else")
			delete(o["metadata"].(map[string]any), "annotations")
			changed = changed || delivery.Substitutes(o) && replaced(t, o)
		}
		if slices.Contains(forFlux, s) {
			assert.True(t, changed || replaced(t, s), "Flux replaces nothing in %q, so this shows nothing", s)
		}

		lost := "function(resource, cluster) resource { metadata+: { annotations: { note: " + string(text) + " } } }"
		findings := foundForFlux(t, lost)
		named := slices.ContainsFunc(findings, func(f finding.Finding) bool {
			return slices.Contains([]string{"DL01", "IN10"}, f.Rule) && strings.Contains(f.Message, "metadata.annotations.note") && f.Line > 0
		})
		assert.Equal(t, replaced(t, map[string]any{"note": s}), named && !onlyForShells(s), "%q: %s", s, findings)
	})
}

// TestFluxFindingsAreGrouped removes the annotation from the monitors of all
// namespaces and clusters. The result is one line.
func TestFluxFindingsAreGrouped(t *testing.T) {
	t.Parallel()
	overlay := "function(resource, cluster) if resource.kind != 'PodMonitor' then resource else resource { metadata+: { annotations: { a: 'x$$y', b: 'x$$y' } } }"
	findings := foundForFlux(t, overlay)
	var found []string
	for _, f := range findings {
		if f.Rule == "DL01" {
			found = append(found, f.Message)
		}
	}
	require.Len(t, found, 1)
	assert.Contains(t, found[0], `metadata.annotations.a, metadata.annotations.b of the PodMonitor istio-proxies-monitor in several namespaces have "$$"; in a Kustomization with a postBuild, Flux replaces it`)
}

// onlyForShells tells whether a string has something that a shell would replace
// and Flux would not. Another rule is about that.
func onlyForShells(s string) bool {
	return !strings.Contains(s, "${") && !strings.Contains(s, "$$")
}

// applied returns an object as kustomize-controller applies it if its
// Kustomization has a postBuild.
func applied(t *testing.T, o resource.Object) any {
	t.Helper()
	if !delivery.Substitutes(o) {
		return o
	}
	for _, strict := range []bool{true, false} {
		after, changed, err := delivery.Substituted(o, strict)
		require.NoError(t, err)
		if changed {
			return after
		}
	}
	return o
}

func replaced(t *testing.T, v any) bool {
	t.Helper()
	_, changed, err := delivery.Substituted(v, false)
	return changed || err != nil
}

// builtForFlux returns the objects of all clusters as Flux builds them, with a
// string in every free field of the topology, and with an overlay.
func builtForFlux(t *testing.T, s, overlay string) []resource.Object {
	t.Helper()
	top, from := over(overlay).parse(t)
	top.Spec.Delivery = &topology.Delivery{RepoURL: "https://git.test/mesh.git", Revision: "main", Path: ".", Flux: &topology.Flux{Namespace: "flux-system", Mode: "hub", Cluster: "hub", Interval: "10m", Timeout: "10m"}}
	top.Spec.Kiali.Spec = map[string]any{"free": []any{s, map[string]any{"key-" + s: s}}}
	top.Spec.Metrics.UserWorkloadMonitoring = topology.UserWorkloadMonitoring{Manage: true, Config: map[string]any{"text": s}}
	top.Spec.Metrics.Labels = map[string]string{"release": s}
	files, err := Tree(top, from, Kustomize)
	require.NoError(t, err)
	built, err := kustomize.Load(files)
	require.NoError(t, err)
	var all []resource.Object
	for _, c := range top.Spec.Clusters {
		objects, err := built.Build("clusters/" + c.Name)
		require.NoError(t, err)
		require.NotEmpty(t, objects)
		all = append(all, objects...)
	}
	return all
}

// foundForFlux returns the findings of the rules if an overlay changes all
// objects.
func foundForFlux(t *testing.T, overlay string) finding.Findings {
	t.Helper()
	top, from := over(overlay).parse(t)
	top.Spec.Delivery = &topology.Delivery{RepoURL: "https://git.test/mesh.git", Revision: "main", Path: ".", Flux: &topology.Flux{Namespace: "flux-system", Mode: "hub", Cluster: "hub", Interval: "10m", Timeout: "10m"}}
	clusters, err := Clusters(top, from)
	require.NoError(t, err)
	findings, err := check.Find([]check.Input{{Topology: top, Clusters: clusters}}, check.Options{})
	require.NoError(t, err)
	return findings
}
