// Package earlier has what is needed to know the files of a tree that the version
// before the first line in every file has written: its templates, and how it laid
// them out as kustomizations.
//
// A tree of that version is taken over once: files with exactly these bytes are
// ours, although they do not say so. Nothing else depends on this package. It can
// go, with render.Earlier and the Claims of package tree that are about it, when
// nobody is expected to come from a version before v0.2 any more.
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

// Templates are that version's, in place of package templates.
func Templates() fs.FS {
	sub, err := fs.Sub(files, "templates")
	if err != nil {
		panic(err) // the name is right
	}
	return sub
}

// Topology returns a topology with the values that later versions made fields.
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

// Delivered gives the objects of Argo CD the kustomization that they had, and the
// project the destinations: every namespace of every cluster.
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

// inAnyNamespace is a project whose destinations are whole clusters.
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

// Wrote says whether a file could be one that the version wrote for another
// topology: it lies where that version wrote such an object, and reads exactly as
// that version printed it.
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
		return false // it could be anybody's
	}
	return false
}

// bases are the folders of base/.
var bases = regexp.MustCompile(`^(cluster-monitoring|istiod|kiali|podmonitor|telemetry|user-workload)[-a-z0-9]*/`)

// WroteChart says whether a file is one of the chart of a topology, or the values of
// a cluster for it, as that version wrote them. It goes by how the file begins: what
// follows depends on more than is kept here.
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
