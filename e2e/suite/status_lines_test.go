package suite

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
	"github.com/sightline-mesh/sightline/internal/kiali/kialitest"
)

// TestStatusOfEachLine asks a Kiali of each release line, with the routes and fields of
// this line, through a port-forward of a real API server: first a healthy one, then one
// that misses a cluster.
func TestStatusOfEachLine(t *testing.T) {
	rig.NeedDefinitions(t, "what status reads of each release line of Kiali")
	w := newWatched(t)
	lines, err := kialitest.Lines()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(lines), 7)
	topology := filepath.Join(t.TempDir(), "mesh.yaml")
	for _, line := range lines {
		t.Run(line, func(t *testing.T) {
			text := strings.Replace(statusTopology, "version: v2.27", "version: "+line, 1)
			sick, answering := "cluster2", []string{"cluster1"}
			var well []string // what the line does not tell
			want := []string{"ST22 cluster2 bad", "ST23 cluster2 bad", "ST24 cluster2 bad", "ST33 cluster1 bad"}
			if line == "v1.73" { // it shows one cluster only, and knows no control planes
				text, _, _ = strings.Cut(text, "    - {name: cluster2")
				sick, well = "cluster1", []string{"ST24 cluster1 unchecked"}
				want = []string{"ST23 cluster1 bad", "ST24 cluster1 unchecked", "ST33 cluster1 bad"}
			}
			require.NoError(t, os.WriteFile(topology, []byte(text), 0o644))
			require.NoError(t, w.kiali.Become(line))
			w.truth()
			not := viewOf(t, topology, "--kubeconfig", w.config, "--hub-context", "east")
			require.Equal(t, well, not)
			w.kiali.Change(func() {
				w.kiali.Answering, w.kiali.Tracing = answering, "Unreachable"
				w.kiali.Namespaces = map[string][]string{"cluster1": {"istio-system", "sample"}}
				delete(w.kiali.Namespaces, sick)
				delete(w.kiali.Planes, sick)
			})
			not = viewOf(t, topology, "--kubeconfig", w.config, "--hub-context", "east")
			require.Equal(t, want, not)
		})
	}
}

// viewOf returns the results about Kiali's view that are not good.
func viewOf(t *testing.T, topology string, args ...string) []string {
	t.Helper()
	result := rig.Try(t, rig.Sightline(), append([]string{"status", topology, "--only", "view", "--only", "tracing", "--output",
		"json"}, args...)...)
	var report struct {
		Results []struct{ Check, Group, Cluster, Mark, Found string }
	}
	require.NoError(t, json.Unmarshal([]byte(result.Stdout), &report), result.Stderr)
	var not []string
	for _, r := range report.Results {
		if r.Mark != "good" && r.Group != "reach" && r.Check != "ST34" { // west is not asked
			not = append(not, fmt.Sprintf("%s %s %s", r.Check, r.Cluster, r.Mark))
		}
	}
	slices.Sort(not)
	return not
}
