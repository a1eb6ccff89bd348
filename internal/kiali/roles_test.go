package kiali

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// operatorSources names a clone of kiali-operator. With -update, the test makes
// testdata/roles.tsv from it. Otherwise it compares both, if the variable is set.
const operatorSources = "SIGHTLINE_KIALI_OPERATOR"

// TestAccountRules compares the permissions in the table with those of the operator's
// roles, one by one.
func TestAccountRules(t *testing.T) {
	t.Parallel()
	file := filepath.Join("testdata", "roles.tsv")
	if clone := os.Getenv(operatorSources); clone != "" {
		made := operatorRoles(t, clone)
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(made), 0o644))
		}
		known, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, made, string(known))
	}
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	want := map[string][]string{}
	for _, row := range strings.Split(strings.TrimSpace(string(data)), "\n")[1:] {
		cells := strings.Split(row, "\t")
		for _, line := range strings.Split(cells[0], ",") {
			key := strings.Join([]string{line, cells[1], cells[2]}, " ")
			for _, verb := range strings.Split(cells[5], ",") {
				want[key] = append(want[key], cells[3]+" "+cells[4]+" "+verb)
			}
		}
	}
	require.Len(t, want, 6*2*2, "lines from v2.4 on, the operator's newest role among them, platforms, roles")
	for _, line := range Lines()[1:] {
		for _, platform := range []string{"openshift", "kubernetes"} {
			for role, edit := range map[string]bool{"view": false, "edit": true} {
				got := permissions(AccountRules(line, platform, edit))
				of := slices.Sorted(slices.Values(want[strings.Join([]string{line.String(), platform, role}, " ")]))
				if line != Default {
					require.Equal(t, of, got, "%s %s %s", line, platform, role)
					continue
				}
				// It may be any line, so all lines are in it.
				for _, other := range Lines()[1:] {
					for _, permission := range want[strings.Join([]string{other.String(), platform, role}, " ")] {
						require.True(t, covers(got, permission), "%s %s %s lacks %s", line, platform, role, permission)
					}
				}
			}
		}
	}
	require.Empty(t, AccountRules(V1_73, "openshift", true))
}

// permissions lists "group resource verb", sorted, each once. "-" is the core group.
func permissions(rules []Rule) []string {
	all := map[string]bool{}
	for _, r := range rules {
		for _, group := range r.Groups {
			if group == "" {
				group = "-"
			}
			for _, resource := range r.Resources {
				for _, verb := range r.Verbs {
					all[group+" "+resource+" "+verb] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func covers(all []string, permission string) bool {
	parts := strings.Split(permission, " ")
	return slices.Contains(all, permission) || slices.Contains(all, parts[0]+" * "+parts[2])
}

var jinja = regexp.MustCompile(`(?m)^\{%.*%\}\n?|^---\n|^  namespace: .*\n|^  labels: .*\n|^kind: .*\n|^  name: .*\n`)

// operatorRoles reads the templates of the roles. It leaves out everything between {%
// and %}, because every feature is on by default.
func operatorRoles(t *testing.T, clone string) string {
	t.Helper()
	lines := map[string][]string{} // by all else that a row has
	for _, line := range Lines()[1:] {
		for _, platform := range []string{"openshift", "kubernetes"} {
			for role, name := range map[string]string{"view": "role-viewer", "edit": "role"} {
				out, err := exec.Command("git", "-C", clone, "show", "HEAD:roles/"+line.String()+"/kiali-deploy/templates/"+platform+"/"+name+".yaml").Output()
				require.NoError(t, err)
				var parsed struct {
					Rules []struct {
						APIGroups []string `json:"apiGroups"`
						Resources []string `json:"resources"`
						Verbs     []string `json:"verbs"`
					} `json:"rules"`
				}
				require.NoError(t, yaml.Unmarshal(jinja.ReplaceAll(out, nil), &parsed))
				var rules []Rule
				for _, r := range parsed.Rules {
					rules = append(rules, Rule{r.APIGroups, r.Resources, r.Verbs})
				}
				verbs := map[string][]string{}
				for _, permission := range permissions(rules) {
					parts := strings.Split(permission, " ")
					key := strings.Join([]string{platform, role, parts[0], parts[1]}, "\t")
					verbs[key] = append(verbs[key], parts[2])
				}
				for key, of := range verbs {
					row := key + "\t" + strings.Join(of, ",")
					lines[row] = append(lines[row], line.String())
				}
			}
		}
	}
	var rows []string
	for row, of := range lines {
		rows = append(rows, strings.Join(of, ",")+"\t"+row)
	}
	slices.Sort(rows)
	return "lines\tplatform\trole\tgroup\tresource\tverbs\n" + strings.Join(rows, "\n") + "\n"
}
