package render

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/topologies"
)

var example = regexp.MustCompile("(?s)\n`([^`\n]+)`:\n\n```[a-z]+\n(.*?)```")

// TestOverlayExamples checks the examples of the documentation: each is a part
// of a file of the project, or an overlay that changes the built-in topology.
func TestOverlayExamples(t *testing.T) {
	doc, err := os.ReadFile("../docs/overlays.md")
	require.NoError(t, err)
	examples := example.FindAllStringSubmatch(string(doc), -1)
	require.Len(t, examples, strings.Count(string(doc), "```")/2, "an example is headed by its file's name")
	for _, e := range examples {
		name, text := e[1], e[2]
		t.Run(name, func(t *testing.T) {
			if data, err := os.ReadFile("../" + name); err == nil {
				assert.Contains(t, string(data), text)
				return
			}
			top, findings := check.Parse(topologies.EastWestFile, topologies.EastWest)
			require.Empty(t, findings)
			before, err := Clusters(top, Sources{Templates: shippedTemplates})
			require.NoError(t, err)
			dir, file := path.Split(name)
			o := topology.Overlay{Name: strings.TrimSuffix(dir, "/"), Kustomize: dir}
			if path.Ext(file) == ".jsonnet" {
				o.Kustomize, o.Jsonnet = "", name
			}
			top.Spec.Overlays = []topology.Overlay{o}
			after, err := Clusters(top, Sources{Templates: shippedTemplates, Overlays: map[string]fs.FS{o.Name: fstest.MapFS{file: {Data: []byte(text)}}}})
			require.NoError(t, err)
			for i := range before {
				assert.NotEqual(t, filledObjects(t, &before[i]), filledObjects(t, &after[i]), "it changes something")
			}
		})
	}
}
