package appset

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDiffNamesApplications compares the Applications that a diff calls new or
// no longer made with the difference between two runs of Argo CD's own
// generators.
func TestDiffNamesApplications(t *testing.T) {
	for _, generator := range []string{"list", "git"} {
		for _, format := range []string{"kustomize", "helm"} {
			t.Run(generator+"/"+format, func(t *testing.T) {
				old := mesh{argocd: "generator: " + generator, without: "south"}
				new := mesh{argocd: "generator: " + generator, without: "West_1.eu"}
				before, after := started(t, old, format), started(t, new, format)
				was, is := slices.Sorted(maps.Keys(before.applications())), slices.Sorted(maps.Keys(after.applications()))
				require.Len(t, was, 2)
				require.Len(t, is, 2)

				file := filepath.Join(t.TempDir(), "mesh.yaml")
				require.NoError(t, os.WriteFile(file, []byte(new.String()), 0o644))
				out, err := exec.Command(sightline, "diff", file, "-o", filepath.Join(before.repository.root, before.repository.path), "--output", "json").Output()
				var exit *exec.ExitError
				require.ErrorAs(t, err, &exit)
				require.Equal(t, 1, exit.ExitCode(), "%s", exit.Stderr)
				var report struct {
					Effects []struct{ Rule, Text string }
				}
				require.NoError(t, json.Unmarshal(out, &report))
				var said []string
				for _, e := range report.Effects {
					if e.Rule == "EF10" {
						said = append(said, e.Text)
					}
				}
				minus := func(a, b []string) []string {
					return slices.DeleteFunc(slices.Clone(a), func(name string) bool { return slices.Contains(b, name) })
				}
				assert.ElementsMatch(t, []string{
					"1 Application is new in Argo CD: " + strings.Join(minus(is, was), ", "),
					"1 Application is no longer made: " + strings.Join(minus(was, is), ", "),
				}, said)
			})
		}
	}
}
