package check_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/delivery"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/render"
)

// setup is an entry of testdata/setups.yaml, which explains it.
type setup struct {
	Name, Source string
	Spec         map[string]any
	Overlays     map[string]map[string]string // files by the name of the overlay
	Renders      map[string]any
	Found        []struct {
		Name, Rule string
		Change     map[string]any
	}
	Tried []struct {
		Name, Says string
		Change     map[string]any
	}
}

// TestSetups renders set-ups of other people and finds the mistakes that were made
// with them. It also checks that a finding names the right field for people who try
// another way.
func TestSetups(t *testing.T) {
	data, err := os.ReadFile("testdata/setups.yaml")
	require.NoError(t, err)
	var setups []setup
	require.NoError(t, yaml.UnmarshalStrict(data, &setups))
	for _, s := range setups {
		t.Run(s.Name, func(t *testing.T) {
			assert.NotEmpty(t, s.Source)
			objects, findings := s.look(t, nil)
			for _, f := range findings {
				assert.NotEqual(t, finding.Error, f.Severity, "%s", f)
			}
			for where, want := range s.Renders {
				assertRendered(t, objects, where, want)
			}
			for _, mistake := range s.Found {
				_, changed := s.look(t, mistake.Change)
				changed = since(changed, findings)
				assert.True(t, has(changed, mistake.Rule), "%s: not found by %s:\n%s", mistake.Name, mistake.Rule, text(changed))
			}
			for _, try := range s.Tried {
				_, changed := s.look(t, try.Change)
				said := ""
				for _, f := range since(changed, findings) {
					said += f.Message + "\n" + f.Hint + "\n"
				}
				assert.NotEmpty(t, try.Says, try.Name)
				assert.Contains(t, said, try.Says, try.Name)
			}
		})
	}
}

// since returns the new findings, at any position.
func since(findings, before finding.Findings) finding.Findings {
	return slices.DeleteFunc(slices.Clone(findings), func(f finding.Finding) bool {
		return slices.ContainsFunc(before, func(b finding.Finding) bool { return b.Rule == f.Rule && b.Message == f.Message })
	})
}

// look renders and checks the set-up with a change.
func (s *setup) look(t *testing.T, change map[string]any) (map[string][]resource.Object, finding.Findings) {
	t.Helper()
	spec, err := json.Marshal(s.Spec)
	require.NoError(t, err)
	if change != nil {
		patch, err := json.Marshal(change)
		require.NoError(t, err)
		spec, err = jsonpatch.MergePatch(spec, patch)
		require.NoError(t, err)
		spec = bytes.ReplaceAll(spec, []byte(`"<null>"`), []byte("null"))
	}
	top, findings := check.Parse("setup.yaml", fmt.Appendf(nil, `{"apiVersion": %q, "kind": "Topology", "metadata": {"name": "setup"}, "spec": %s}`, topology.APIVersion, spec))
	if len(findings) > 0 {
		return nil, findings
	}
	overlays := map[string]fs.FS{}
	for _, o := range top.Spec.Overlays {
		files := fstest.MapFS{}
		for name, content := range s.Overlays[o.Name] {
			files[name] = &fstest.MapFile{Data: []byte(content)}
		}
		overlays[o.Name] = files
	}
	rendering, err := render.Open(top, render.Sources{Templates: shippedTemplates, Overlays: overlays})
	var clusters []resource.Cluster
	if err == nil {
		clusters, err = rendering.Clusters()
	}
	var wrong *render.OverlayError
	if errors.As(err, &wrong) {
		return nil, wrong.Findings
	}
	require.NoError(t, err)
	objects := map[string][]resource.Object{}
	for i := range clusters {
		c := &clusters[i]
		for _, r := range c.Resources {
			for values := range c.Each(r) {
				object, err := r.Body.Fill(values)
				require.NoError(t, err)
				key := c.Name + " " + resource.IDOf(object).Kind
				objects[key] = append(objects[key], object)
			}
		}
	}
	delivered, err := rendering.Delivery(render.Kustomize)
	require.NoError(t, err)
	for _, f := range delivered.Files {
		engine, _, _ := strings.Cut(f.Path, "/")
		var object resource.Object
		require.NoError(t, yaml.Unmarshal(f.Content, &object), f.Path)
		if kind := resource.IDOf(object).Kind; path.Base(f.Path) != kustomize.File {
			objects[engine+" "+kind] = append(objects[engine+" "+kind], object)
		}
	}
	applications, err := delivery.Applications(delivered.Files)
	require.NoError(t, err)
	for _, a := range applications {
		require.NoError(t, a.Err)
		objects[a.Cluster+" Application"] = append(objects[a.Cluster+" Application"], a.Object)
	}
	findings, err = check.Find([]check.Input{{Topology: top, Clusters: clusters, Delivery: delivered, Arg: "setup.yaml", Stage: rendering.Stage, Origins: render.Origins, Decided: render.Decided}}, check.Options{})
	require.NoError(t, err)
	return objects, findings
}

// assertRendered checks "CLUSTER KIND [PATH]": a value or a part of a string that
// some object has, or null for a value that no object has. For delivery objects, the
// name of the engine replaces the cluster.
func assertRendered(t *testing.T, objects map[string][]resource.Object, where string, want any) {
	t.Helper()
	part := strings.SplitN(where, " ", 3)
	of := objects[part[0]+" "+part[1]]
	if len(part) == 2 {
		assert.Equal(t, want == nil, len(of) == 0, where)
		return
	}
	require.NotEmpty(t, of, where)
	var got []any
	for _, object := range of {
		data, err := json.Marshal(object)
		require.NoError(t, err)
		var v any
		require.NoError(t, json.Unmarshal(data, &v))
		for step := range strings.SplitSeq(part[2], ".") {
			if list, ok := v.([]any); ok {
				i, err := strconv.Atoi(step)
				require.NoError(t, err, where)
				require.Less(t, i, len(list), where)
				v = list[i]
				continue
			}
			m, _ := v.(map[string]any)
			v = m[step]
		}
		if texts, ok := want.(map[string]any); ok && len(texts) == 1 && v != nil {
			for key, contains := range texts {
				if rest, ok := strings.CutPrefix(fmt.Sprint(contains), "contains "); ok {
					for part := range strings.SplitSeq(rest, " and ") {
						assert.Contains(t, v.(map[string]any)[key], part, where)
					}
					return
				}
			}
		}
		got = append(got, v)
	}
	if want == nil {
		assert.Empty(t, slices.DeleteFunc(got, func(v any) bool { return v == nil }), where)
		return
	}
	assert.Contains(t, got, want, where)
}

// TestTwoKialisOfOneMesh shows that if two topologies describe one mesh and only one
// has the monitors, both have no findings.
func TestTwoKialisOfOneMesh(t *testing.T) {
	other := edits{
		"metadata.name": "two", "spec.kiali.instanceName": "kiali2", "spec.kiali.namespace": "kiali2", "spec.kiali.operator": "{install: none}",
		"spec.telemetry": "{manage: false}", "spec.metrics.monitors": "{manage: false}", "spec.metrics.scope": "meshID",
	}
	assert.Empty(t, text(find(t, nil, nil, nil, other, true)))
	delete(other, "spec.metrics.monitors")
	assert.True(t, has(find(t, nil, nil, nil, other, true), "IN12"), "both own the monitors")
}
