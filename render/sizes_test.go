package render_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/render"
)

// TestSizeOfApplicationSet shows that kubectl cannot apply a list of 2,000
// clusters, and that an API server does not keep a list of 5,000. The finding
// says so and names the way out, and the way out works.
func TestSizeOfApplicationSet(t *testing.T) {
	for _, test := range []struct {
		generator string
		clusters  int
		rule      string
		severity  finding.Severity
		says      []string
	}{
		{"list", 1000, "", 0, nil},
		{"list", 2000, "DL04", finding.Warning, []string{"for each of 2000 clusters", "more than the 262144", "generator: git"}},
		{"list", 5000, "DL05", finding.Error, []string{"for each of 5000 clusters", "more than the 1572864", "generator: git"}},
		{"git", 2000, "", 0, nil},
	} {
		t.Run(fmt.Sprint(test.generator, test.clusters), func(t *testing.T) {
			var said finding.Findings
			for _, f := range foundIn(t, fleetBy(test.generator, test.clusters)) {
				if slices.Contains([]string{"DL04", "DL05"}, f.Rule) && strings.Contains(f.Message, "ApplicationSet") {
					said = append(said, f)
				}
			}
			if test.rule == "" {
				assert.Empty(t, said)
				return
			}
			require.Len(t, said, 1, "one defect, one finding")
			assert.Equal(t, test.rule, said[0].Rule)
			assert.Equal(t, test.severity, said[0].Severity)
			for _, text := range test.says {
				assert.Contains(t, said[0].String(), text)
			}
		})
	}
}

// fleetBy returns a topology of many clusters that Argo CD delivers.
func fleetBy(generator string, clusters int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `mesh: {id: mesh1}
kiali: {hub: cluster-1}
delivery:
  repoURL: https://git.example.com/platform/mesh.git
  argocd: {generator: %s}
clusters:
- {name: cluster-1, domain: apps.cluster-1.example.com}
`, generator)
	for i := 2; i <= clusters; i++ {
		fmt.Fprintf(&b, "- {name: cluster-%d, server: 'https://api.cluster-%d.region-%d.example.com:6443'}\n", i, i, i%10)
	}
	return b.String()
}

// foundIn returns the findings of the rules about a topology.
func foundIn(t *testing.T, spec string) finding.Findings {
	t.Helper()
	top := parsed(t, spec)
	from := render.SourcesOf(top)
	clusters, err := render.Clusters(top, from)
	require.NoError(t, err)
	out, err := render.Delivery(top, from, render.Kustomize, clusters)
	require.NoError(t, err)
	findings, err := check.Find([]check.Input{{Topology: top, Clusters: clusters, Delivery: out}}, check.Options{})
	require.NoError(t, err)
	return findings
}
