package overlay_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/overlay"
	"github.com/sightline-mesh/sightline/internal/resource"

	"github.com/sightline-mesh/sightline/internal/credential"
	"github.com/sightline-mesh/sightline/internal/credential/corpus"
)

// TestCredentials puts more than 200 credentials at every place of an overlay:
// each is found, and no message repeats it.
func TestCredentials(t *testing.T) {
	t.Parallel()
	places := map[string]map[string]string{
		"annotation":    {"kustomization.yaml": "commonAnnotations: {a: @}"},
		"label":         {"kustomization.yaml": "labels: [{pairs: {a: @}}]"},
		"key":           {"kustomization.yaml": "commonAnnotations: {@: a}"},
		"comment":       {"kustomization.yaml": "# @\ncommonAnnotations: {a: b}"},
		"image":         {"kustomization.yaml": "images: [{name: a, newName: @}]"},
		"patch":         {"kustomization.yaml": "patches: [{path: a.yaml}]", "a.yaml": "kind: Kiali\nmetadata: {name: kiali}\nspec: {a: @}"},
		"operation":     {"kustomization.yaml": "patches: [{path: a.yaml, target: {kind: Kiali}}]", "a.yaml": "- {op: add, path: /spec/a, value: @}"},
		"inline patch":  {"kustomization.yaml": "patches:\n- patch: |\n    kind: Kiali\n    metadata: {name: kiali}\n    spec: {a: @}"},
		"script":        {"kustomization.yaml": "", "own.jsonnet": "function(resource, cluster) resource + {a: @}"},
		"script's part": {"kustomization.yaml": "", "own.jsonnet": "function(resource, cluster) resource + import 'a.libsonnet'", "a.libsonnet": "{a: @}"},
		"text":          {"kustomization.yaml": "", "own.jsonnet": "function(resource, cluster) resource + {a: importstr 'a.txt'}", "a.txt": "@"},
		"unknown field": {"kustomization.yaml": "a: @"},
		"target":        {"kustomization.yaml": "patches: [{patch: x, target: {name: @}}]"},
	}
	for name, texts := range places {
		for _, c := range corpus.Credentials() {
			if texts["own.jsonnet"] != "" && credential.Find(c.Text) == "" || strings.Contains(c.Text, "\n") && (name == "comment" || name == "text") {
				continue // a setting in a program, which is found in what it renders; a text of several lines in one
			}
			placed := map[string]string{}
			for file, text := range texts {
				placed[file] = strings.ReplaceAll(text, "@", strconv.Quote(c.Text))
			}
			entry := "kustomize: own"
			if texts["own.jsonnet"] != "" {
				entry = "jsonnet: own/own.jsonnet"
			}
			o, findings := read(t, entry, files(placed))
			said := fmt.Sprint(findings)
			if o.Script != nil { // it imports when it is called
				object, err := o.Script.Object(resource.Object{"kind": "Kiali"})
				require.NoError(t, err)
				_, err = o.Script.Apply(object, overlay.NewCluster(nil))
				require.Error(t, err, "%s: %s", name, c.Text)
				require.NotContains(t, err.Error(), c.Secret)
				continue
			}
			require.NotEmpty(t, findings, "%s: %s", name, c.Text)
			require.NotContains(t, said, c.Secret, name)
		}
	}
}
