package chart

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// Loaded is a chart in memory, for Helm's library. The law uses it to prove
// that the chart renders to the filled objects.
type Loaded struct {
	chart     *helm.Chart
	unchecked bool // do not compare values with the chart's schema
}

// Unchecked returns the same chart, but rendering does not compare the values
// with the schema. The comparison takes most of the time, and a reader of a
// written tree does not need it.
func (l *Loaded) Unchecked() *Loaded { return &Loaded{l.chart, true} }

// Load reads the chart in the files of a tree.
func Load(files []tree.File) (*Loaded, error) {
	var buffered []*loader.BufferedFile
	for _, f := range files {
		if name, ok := strings.CutPrefix(f.Path, Dir+"/"); ok {
			buffered = append(buffered, &loader.BufferedFile{Name: name, Data: f.Content})
		}
	}
	c, err := loader.LoadFiles(buffered)
	if err != nil {
		return nil, fmt.Errorf("helm: %w", err)
	}
	return &Loaded{chart: c}, nil
}

// Manifests renders the chart with the values of one file, as `helm template`
// does. But a missing value is an error. The results are keyed by template
// name.
func (l *Loaded) Manifests(values []byte) (map[string]string, error) {
	own, err := chartutil.ReadValues(values)
	if err != nil {
		return nil, fmt.Errorf("helm: values: %w", err)
	}
	release := chartutil.ReleaseOptions{Name: "sightline", Namespace: "default", IsInstall: true, Revision: 1}
	all, err := chartutil.ToRenderValuesWithSchemaValidation(l.chart, own, release, chartutil.DefaultCapabilities, l.unchecked)
	if err != nil {
		return nil, fmt.Errorf("helm: %w", err)
	}
	rendered, err := engine.Engine{Strict: true}.Render(l.chart, all)
	if err != nil {
		return nil, fmt.Errorf("helm: %w", err)
	}
	return rendered, nil
}

// Render returns the objects of the chart with the values of one file.
func (l *Loaded) Render(values []byte) ([]resource.Object, error) {
	rendered, err := l.Manifests(values)
	if err != nil {
		return nil, err
	}
	var objects []resource.Object
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if path.Ext(name) != ".yaml" {
			continue
		}
		manifests := releaseutil.SplitManifests(rendered[name])
		keys := slices.Collect(maps.Keys(manifests))
		slices.SortFunc(keys, func(a, b string) int { // manifest-10 comes after manifest-9
			if len(a) != len(b) {
				return len(a) - len(b)
			}
			return strings.Compare(a, b)
		})
		for _, key := range keys {
			data, err := yaml.YAMLToJSON([]byte(manifests[key]))
			if err != nil {
				return nil, fmt.Errorf("helm: %s: %w", name, err)
			}
			v, err := resource.DecodeJSON(data)
			if err != nil {
				return nil, fmt.Errorf("helm: %s: %w", name, err)
			}
			if v == nil {
				continue // it only has comments
			}
			object, ok := v.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("helm: %s: expected an object, found %T", name, v)
			}
			objects = append(objects, object)
		}
	}
	return objects, nil
}
