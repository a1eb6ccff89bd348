package render_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// TestReference shows that the manifests of the published guide, with the
// corrections of testdata/corrections.yaml, are exactly the rendered objects,
// and that no correction can be left out.
func TestReference(t *testing.T) {
	guide := guide(t)
	all := corrections(t)
	for _, merge := range []bool{true, false} {
		t.Run(fmt.Sprintf("prometheusMerge=%v", merge), func(t *testing.T) {
			want := objectsOf(t, rendered(t, eastWest(t, prometheusMerge(merge))))
			table := slices.DeleteFunc(slices.Clone(all), func(c correction) bool {
				return c.PrometheusMerge != nil && *c.PrometheusMerge != merge
			})
			got, unused := corrected(t, guide, table)
			assert.Empty(t, unused, "patterns that match no object")
			require.Equal(t, want, got)

			for i, c := range table {
				t.Run(c.ID, func(t *testing.T) {
					for j := range c.Changes {
						without := slices.Clone(table)
						without[i].Changes = slices.Delete(slices.Clone(c.Changes), j, j+1)
						got, _ := corrected(t, guide, without)
						assert.NotEqual(t, want, got, "change %d is not needed", j)
					}
				})
			}
		})
	}
}

// TestCorrectionsAreExplained compares the ids of the table with the headings
// of docs/corrections.md.
func TestCorrectionsAreExplained(t *testing.T) {
	doc, err := os.ReadFile("../docs/corrections.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(doc), "\n## Checked by a test\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	var explained, ids []string
	for _, heading := range regexp.MustCompile(`(?m)^### (\w+): `).FindAllStringSubmatch(section, -1) {
		explained = append(explained, heading[1])
	}
	for _, c := range corrections(t) {
		ids = append(ids, c.ID)
	}
	assert.Equal(t, ids, explained)
}

// correction is one entry of testdata/corrections.yaml, which explains it.
type correction struct {
	ID              string   `json:"id"`
	PrometheusMerge *bool    `json:"prometheusMerge"`
	Changes         []change `json:"changes"`
}

type change struct {
	Objects []string        `json:"objects"`
	Merge   json.RawMessage `json:"merge"`
	Patch   jsonpatch.Patch `json:"patch"`

	Clusters []string        `json:"clusters"`
	Add      json.RawMessage `json:"add"`
}

func corrections(t *testing.T) []correction {
	t.Helper()
	data, err := os.ReadFile("testdata/corrections.yaml")
	require.NoError(t, err)
	return decode[[]correction](t, data)
}

// guide returns the objects of testdata/guide.yaml, with the cluster names of
// the built-in topology.
func guide(t *testing.T) map[string][]byte {
	t.Helper()
	data, err := os.ReadFile("testdata/guide.yaml")
	require.NoError(t, err)
	objects := map[string][]byte{}
	for _, entry := range decode[[]struct {
		Clusters, Namespaces []string
		Object               resource.Object
	}](t, data) {
		for _, cluster := range entry.Clusters {
			metadata := entry.Object["metadata"].(map[string]any)
			if entry.Namespaces == nil {
				entry.Namespaces = []string{metadata["namespace"].(string)}
			}
			for _, namespace := range entry.Namespaces {
				metadata["namespace"] = namespace
				manifest, err := yaml.Marshal(entry.Object)
				require.NoError(t, err)
				add(t, objects, cluster, manifest)
			}
		}
	}
	return objects
}

// TestGuide shows that testdata/guide.yaml has the objects of the guide's own files.
func TestGuide(t *testing.T) {
	dir := shared(t, "reference", "that testdata/guide.yaml has the objects of the guide's own files")
	objects := map[string][]byte{}
	for from, cluster := range map[string]string{"east": "cluster1", "west": "cluster2"} {
		files, err := filepath.Glob(filepath.Join(dir, from, "*.yaml"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			manifest, err := os.ReadFile(file)
			require.NoError(t, err)
			add(t, objects, cluster, manifest)
		}
	}
	assert.Equal(t, objectsOf(t, objects), objectsOf(t, guide(t)))
}

// corrected applies the corrections in order. It also returns the patterns
// that matched nothing.
func corrected(t *testing.T, guide map[string][]byte, table []correction) (result map[string]resource.Object, unused []string) {
	t.Helper()
	objects := map[string][]byte{}
	for key, manifest := range guide {
		data, err := yaml.YAMLToJSON(manifest)
		require.NoError(t, err)
		objects[key] = data
	}
	for _, c := range table {
		for _, change := range c.Changes {
			for _, cluster := range change.Clusters {
				add(t, objects, cluster, change.Add)
			}
			for _, pattern := range change.Objects {
				if change.apply(t, objects, pattern) == 0 {
					unused = append(unused, c.ID+": "+pattern)
				}
			}
		}
	}
	return objectsOf(t, objects), unused
}

// apply patches the objects that the pattern matches, and counts them.
func (c change) apply(t *testing.T, objects map[string][]byte, pattern string) (matched int) {
	t.Helper()
	for key, data := range objects {
		ok, err := path.Match(pattern, key)
		require.NoError(t, err)
		if !ok {
			continue
		}
		matched++
		if c.Merge != nil {
			data, err = jsonpatch.MergePatch(data, c.Merge)
			require.NoError(t, err, key)
		}
		objects[key], err = c.Patch.Apply(data)
		require.NoError(t, err, key)
	}
	return matched
}

func objectsOf(t *testing.T, manifests map[string][]byte) map[string]resource.Object {
	t.Helper()
	objects := make(map[string]resource.Object, len(manifests))
	for key, manifest := range manifests {
		objects[key] = decode[resource.Object](t, manifest)
	}
	return objects
}
