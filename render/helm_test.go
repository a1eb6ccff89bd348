package render

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// TestProgramHelmsRenderWhatKustomizeBuilds renders the chart of every example
// with users' Helm programs, one cluster of each shape.
func TestProgramHelmsRenderWhatKustomizeBuilds(t *testing.T) {
	for version, helm := range helms(t) {
		for name, top := range everyExample(t) {
			if d := top.Spec.Delivery; d != nil && strings.HasPrefix(d.RepoURL, "oci:") {
				top.Spec.Delivery = nil // Flux reads no chart from an artifact; Helm does not ask where the chart is from
			}
			t.Run(version+"/"+name, func(t *testing.T) {
				helm.requireTree(t, top, SourcesOf(top))
			})
		}
	}
}

// requireTree shows that the chart of a topology renders to the objects that
// its tree builds to: for all clusters if they are few, else for one of each
// shape.
func (h helmProgram) requireTree(t *testing.T, top *topology.Topology, from Sources) {
	t.Helper()
	out := writtenFrom(t, top, from, Helm)
	built := writtenFrom(t, top, from, Kustomize)
	l, err := layered(top, from)
	require.NoError(t, err)
	indexes := l.onePerShape()
	if len(l.clusters) <= 3 {
		indexes = indexes[:0]
		for i := range l.clusters {
			indexes = append(indexes, i)
		}
	}
	for _, i := range indexes {
		c := &l.clusters[i]
		values := filepath.Join(out, "clusters", c.Name+".yaml")
		rendered := h.must(t, "template", "x", filepath.Join(out, "chart"), "-f", values)
		require.Equal(t, kustomizeObjects(t, built, c), byID(t, documents(t, rendered)), c.Name)
		h.must(t, "lint", "--strict", filepath.Join(out, "chart"), "-f", values)
	}
}

// TestProgramHelmsPackage shows that the chart can be packed, and that the
// archive renders to the same objects.
func TestProgramHelmsPackage(t *testing.T) {
	top := everyExample(t)["east-west"]
	for version, helm := range helms(t) {
		t.Run(version, func(t *testing.T) {
			out := writtenTree(t, top, Helm)
			packed := t.TempDir()
			helm.must(t, "package", filepath.Join(out, "chart"), "-d", packed)
			archives, err := filepath.Glob(filepath.Join(packed, "east-west-0.1.0-h*.tgz"))
			require.NoError(t, err)
			require.Len(t, archives, 1)
			values := filepath.Join(out, "clusters", "cluster2.yaml")
			assert.Equal(t,
				string(helm.must(t, "template", "x", filepath.Join(out, "chart"), "-f", values)),
				string(helm.must(t, "template", "x", archives[0], "-f", values)))
		})
	}
}

// TestProgramHelmsRefuseWrongValues shows which values the schema refuses.
func TestProgramHelmsRefuseWrongValues(t *testing.T) {
	top := everyExample(t)["east-west"]
	for version, helm := range helms(t) {
		out := writtenTree(t, top, Helm)
		cluster := filepath.Join(out, "clusters", "cluster2.yaml")
		for _, test := range []struct{ name, values, says string }{
			{"a number for a string", "metrics: {interval: 30}", "string"},
			{"a string for a boolean", "phases: {kiali: 'no'}", "boolean"},
			{"a string for a list", "namespaces: sample", "array"},
			{"a number among names", "namespaces: [istio-system, 7]", "string"},
			{"a list for a map", "kiali: {spec: []}", "object"},
			{"a number for a label", "metrics: {labels: {release: 1}}", "string"},
			{"a key that there is not", "metrics: {intervall: 30s}", "intervall"},
			{"a shape that no cluster has", "shape: {hub: true, platform: kubernetes}", "shape"},
		} {
			t.Run(version+"/"+test.name, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "values.yaml")
				require.NoError(t, os.WriteFile(file, []byte(test.values), 0o644))
				_, stderr, err := helm.run("template", "x", filepath.Join(out, "chart"), "-f", cluster, "-f", file)
				require.Error(t, err)
				assert.Contains(t, stderr, test.says)
			})
		}
		t.Run(version+"/no cluster", func(t *testing.T) {
			_, stderr, err := helm.run("template", "x", filepath.Join(out, "chart"))
			require.Error(t, err, "whose objects would it be?")
			assert.Contains(t, stderr, "name")
		})
	}
}

// TestProgramHelmsRenderPhases shows that the releases of all phases together
// have the objects of the cluster, each once.
func TestProgramHelmsRenderPhases(t *testing.T) {
	top := everyExample(t)["east-west"]
	phases := []resource.Phase{resource.Operator, resource.Kiali, resource.Link, resource.Monitoring}
	for version, helm := range helms(t) {
		t.Run(version, func(t *testing.T) {
			out := writtenTree(t, top, Helm)
			clusters, err := Clusters(top, Sources{Templates: shippedTemplates})
			require.NoError(t, err)
			for i := range clusters {
				var parts []resource.Object
				for _, phase := range phases {
					// As in the chart's README.
					only := "phases.operator=false,phases.kiali=false,phases.link=false,phases.monitoring=false,phases." + string(phase) + "=true"
					args := []string{"template", "x", filepath.Join(out, "chart"), "-f", filepath.Join(out, "clusters", clusters[i].Name+".yaml"), "--set", only}
					parts = append(parts, documents(t, helm.must(t, args...))...)
				}
				assert.Equal(t, filledObjects(t, &clusters[i]), byID(t, parts))
			}
		})
	}
}

// TestProgramHelmsKeepHostileValues is FuzzHostileValues for the programs.
func TestProgramHelmsKeepHostileValues(t *testing.T) {
	top := everyExample(t)["east-west"]
	keys := map[string]any{}
	for _, s := range hostile {
		keys[s] = s
	}
	top.Spec.Kiali.Spec = map[string]any{"list": hostile, "keys": keys}
	clusters, err := Clusters(top, Sources{Templates: shippedTemplates})
	require.NoError(t, err)
	for version, helm := range helms(t) {
		t.Run(version, func(t *testing.T) {
			out := writtenTree(t, top, Helm)
			values := filepath.Join(out, "clusters", "cluster1.yaml")
			rendered := helm.must(t, "template", "x", filepath.Join(out, "chart"), "-f", values)
			require.Equal(t, filledObjects(t, &clusters[0]), byID(t, documents(t, rendered)))
		})
	}
}

// helmProgram runs a Helm program without the files of its user.
type helmProgram struct{ file, home string }

// helms returns the programs that make test-programs names. Without any, the
// test is skipped.
func helms(t *testing.T) map[string]helmProgram {
	t.Helper()
	programs := map[string]helmProgram{}
	for version, variable := range map[string]string{"helm3": "SIGHTLINE_HELM3", "helm4": "SIGHTLINE_HELM4"} {
		if file := os.Getenv(variable); file != "" {
			programs[version] = helmProgram{file, t.TempDir()}
		} else {
			t.Logf("%s is not tried: %s names no program (make test-programs sets it)", version, variable)
		}
	}
	if len(programs) == 0 {
		t.Skip("neither Helm 3 nor Helm 4 is tried")
	}
	return programs
}

func (h helmProgram) run(args ...string) (stdout []byte, stderr string, err error) {
	if args[0] != "package" {
		// Built without Helm's own Makefile, Helm 3 assumes a cluster of
		// version 1.20.
		args = append(args, "--kube-version", "v1.30.0")
	}
	cmd := exec.Command(h.file, args...)
	cmd.Env = []string{"HOME=" + h.home, "XDG_CACHE_HOME=" + h.home, "XDG_CONFIG_HOME=" + h.home, "XDG_DATA_HOME=" + h.home}
	var words bytes.Buffer
	cmd.Stderr = &words
	stdout, err = cmd.Output()
	return stdout, words.String(), err
}

func (h helmProgram) must(t *testing.T, args ...string) []byte {
	t.Helper()
	stdout, stderr, err := h.run(args...)
	require.NoError(t, err, "%s\n%s", stderr, stdout)
	return stdout
}

// kustomizeObjects returns the objects that the kustomize program builds from a
// tree. Without the program, it returns the filled objects, which another test
// shows to be equal.
func kustomizeObjects(t *testing.T, out string, c *resource.Cluster) map[resource.ID]resource.Object {
	t.Helper()
	kustomize := os.Getenv("SIGHTLINE_KUSTOMIZE")
	if kustomize == "" {
		return filledObjects(t, c)
	}
	built, err := exec.Command(kustomize, "build", filepath.Join(out, "clusters", c.Name)).Output()
	require.NoError(t, err)
	return byID(t, documents(t, built))
}

// writtenTree writes the tree of a topology and returns its directory.
func writtenTree(t *testing.T, top *topology.Topology, format Format) string {
	t.Helper()
	return writtenFrom(t, top, Sources{Templates: shippedTemplates}, format)
}

func writtenFrom(t *testing.T, top *topology.Topology, from Sources, format Format) string {
	t.Helper()
	files, err := Tree(top, from, format)
	require.NoError(t, err)
	out := filepath.Join(t.TempDir(), "out")
	dir, err := tree.Lock(out, tree.Marker{Topology: top.Metadata.Name, Format: string(format), Version: "test"})
	require.NoError(t, err)
	defer dir.Unlock()
	plan, err := dir.Compare(t.Context(), files, tree.Claims{})
	require.NoError(t, err)
	require.NoError(t, plan.Apply(t.Context()))
	return out
}
