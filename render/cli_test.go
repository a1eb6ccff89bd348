package render

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	k8syaml "sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// TestProgramsBuildWhatWasFilled writes the tree of every example, and builds
// it with the programs that users run.
func TestProgramsBuildWhatWasFilled(t *testing.T) {
	kustomize := os.Getenv("SIGHTLINE_KUSTOMIZE")
	if kustomize == "" {
		t.Skip("neither kustomize nor kubectl is tried: SIGHTLINE_KUSTOMIZE names no program (make test-programs sets it)")
	}
	programs := map[string][]string{"kustomize": {kustomize, "build"}}
	if kubectl, err := exec.LookPath("kubectl"); err == nil {
		programs["kubectl"] = []string{kubectl, "kustomize"}
	} else {
		t.Log("kubectl is not tried: it is not installed")
	}
	files, err := filepath.Glob("../topologies/*.yaml")
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		top, findings := check.Parse(file, data)
		require.Empty(t, findings)
		clusters, err := Clusters(top, SourcesOf(top))
		require.NoError(t, err)
		written, err := Tree(top, SourcesOf(top), Kustomize)
		require.NoError(t, err)
		out := filepath.Join(t.TempDir(), "out")
		dir, err := tree.Lock(out, tree.Marker{Topology: top.Metadata.Name, Format: string(Kustomize), Version: "test"})
		require.NoError(t, err)
		defer dir.Unlock()
		plan, err := dir.Compare(t.Context(), written, tree.Claims{})
		require.NoError(t, err)
		require.NoError(t, plan.Apply(t.Context()))

		for name, program := range programs {
			for i := range clusters {
				c := &clusters[i]
				t.Run(name+"/"+top.Metadata.Name+"/"+c.Name, func(t *testing.T) {
					cmd := exec.Command(program[0], program[1], filepath.Join(out, "clusters", c.Name))
					var stderr bytes.Buffer
					cmd.Stderr = &stderr
					built, err := cmd.Output()
					require.NoError(t, err, "%s", &stderr)
					require.Empty(t, stderr.String(), "a build says nothing but its result")
					require.Equal(t, filledObjects(t, c), byID(t, documents(t, built)))
				})
			}
		}
	}
}

// documents reads a YAML stream as kubectl would.
func documents(t *testing.T, stream []byte) []resource.Object {
	t.Helper()
	var objects []resource.Object
	dec := yaml.NewDecoder(bytes.NewReader(stream))
	for {
		var doc yaml.Node
		if err := dec.Decode(&doc); err != nil {
			require.ErrorContains(t, err, "EOF")
			return objects
		}
		text, err := yaml.Marshal(&doc)
		require.NoError(t, err)
		data, err := k8syaml.YAMLToJSON(text)
		require.NoError(t, err)
		v, err := resource.DecodeJSON(data)
		require.NoError(t, err)
		objects = append(objects, v.(resource.Object))
	}
}
