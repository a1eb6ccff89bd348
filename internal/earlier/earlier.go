// Package earlier recognizes the files of a tree that an early version wrote.
// That version did not yet write a first line of its own into every file. The
// package has that version's templates and its layout of kustomizations.
//
// A tree of that version is taken over once: files with exactly these bytes are
// ours, although they do not say it. Nothing else depends on this package. When
// nobody comes from a version before v0.2 any more, remove it, together with
// render.Earlier and the Claims of package tree for it.
package earlier

import (
	"bytes"
	"embed"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

//go:embed templates
var files embed.FS

// Templates returns that version's templates. They replace package templates.
func Templates() fs.FS {
	sub, err := fs.Sub(files, "templates")
	if err != nil {
		panic(err) // the name exists
	}
	return sub
}

// Topology returns the topology with that version's constants for values that
// are fields today.
func Topology(t *topology.Topology) *topology.Topology {
	written := t.Spec.Metrics.Thanos.RemoteWrite
	if written == nil {
		return t
	}
	earlier, write := *t, *written
	write.ClusterLabel = "cluster"
	earlier.Spec.Metrics.Thanos.RemoteWrite = &write
	return &earlier
}

// Delivered changes Argo CD's objects back to the form of that version: its
// kustomization, and a project that permits every namespace of every cluster.
func Delivered(files []tree.File) error {
	for i := range files {
		switch f := &files[i]; f.Path {
		case "argocd/" + File:
			f.Content = append(f.Content, "sortOptions:\n  order: fifo\n"...)
		case "argocd/appproject.yaml":
			var err error
			if f.Content, err = inAnyNamespace(f.Content); err != nil {
				return err
			}
		}
	}
	return nil
}

// inAnyNamespace returns the project with whole clusters as destinations.
func inAnyNamespace(project []byte) ([]byte, error) {
	data, err := yaml.YAMLToJSONStrict(project)
	if err != nil {
		return nil, err
	}
	decoded, err := resource.DecodeJSON(data)
	if err != nil {
		return nil, err
	}
	object, _ := decoded.(map[string]any)
	spec, _ := object["spec"].(map[string]any)
	destinations, _ := spec["destinations"].([]any)
	for _, d := range destinations {
		d.(map[string]any)["namespace"] = "*"
	}
	spec["destinations"] = slices.CompactFunc(destinations, func(a, b any) bool { return maps.Equal(a.(map[string]any), b.(map[string]any)) })
	return resource.Encode(nil, object), nil
}

// Wrote tells whether that version could have written a file for another
// topology: the file is at a place where that version wrote such an object, and
// has exactly the bytes that it would print.
func Wrote(p string, content []byte) bool {
	top, rest, _ := strings.Cut(p, "/")
	if path.Ext(p) != ".yaml" {
		return false
	}
	data, err := yaml.YAMLToJSONStrict(content)
	if err != nil {
		return false
	}
	decoded, err := resource.DecodeJSON(data)
	object, ok := decoded.(map[string]any)
	if err != nil || !ok || !bytes.Equal(resource.Encode(nil, object), content) {
		return false
	}
	if path.Base(p) != File {
		metadata, _ := object["metadata"].(map[string]any)
		names, _ := metadata["labels"].(map[string]any)
		return slices.Contains([]string{"argocd", "base", "clusters", "flux"}, top) && names[labels.ManagedBy] == labels.Sightline
	}
	switch top {
	case "argocd", "clusters":
		return object["sortOptions"] != nil
	case "base":
		return bases.MatchString(rest)
	case "namespaces":
		namespace, _, _ := strings.Cut(rest, "/")
		return object["namespace"] == namespace
	case "flux", "overlays":
		return false // somebody else may have written it
	}
	return false
}

// bases matches the folders of base/.
var bases = regexp.MustCompile(`^(cluster-monitoring|istiod|kiali|podmonitor|telemetry|user-workload)[-a-z0-9]*/`)

// WroteChart tells whether that version wrote a file of a topology's chart, or
// the values of a cluster for it. It only compares the beginning of the file,
// because the rest depends on more than this package keeps.
func WroteChart(name, p string, content []byte) bool {
	cluster, _ := strings.CutPrefix(p, "clusters/")
	begins := map[string][]string{
		"chart/Chart.yaml":  {"# Written by sightline; the next render replaces it.\n"},
		"chart/README.md":   {"# " + name + "\n\nWritten by sightline from the topology " + name + ". "},
		"chart/values.yaml": {"# The values of all clusters; clusters/<name>.yaml beside the chart has "},
		"chart/values.schema.json": {"{\n  \"$schema\": \"https://json-schema.org/draft-07/schema#\",\n  \"additionalProperties\": false,\n  " +
			"\"properties\": {\n    \"cluster\": {\n"},
		"chart/templates/NOTES.txt": {"On {{ .Values.cluster.name }}: {{ range $phase, $on := .Values.phases }}"},
		"clusters/" + cluster:       {"# What " + strings.TrimSuffix(cluster, ".yaml") + " has other than the chart says.\n"},
	}[p]
	if strings.HasPrefix(p, "chart/templates/") && path.Ext(p) != ".txt" {
		begins = []string{"{{- if .Values.phases.", "{{- if and .Values.phases.", "{{- define \"" + name + "."}
	}
	return slices.ContainsFunc(begins, func(b string) bool { return bytes.HasPrefix(content, []byte(b)) })
}
