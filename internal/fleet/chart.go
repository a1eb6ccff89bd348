package fleet

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/chart"
	"github.com/sightline-mesh/sightline/internal/compare"
)

// readChart records the files of a tree's chart.
func (f *files) readChart() {
	if f.at[chart.Dir+"/Chart.yaml"] == nil {
		return
	}
	var b strings.Builder
	for _, file := range f.below(chart.Dir) {
		if path.Ext(file.Path) != ".md" && path.Ext(file.Path) != ".txt" { // no object depends on these
			fmt.Fprintf(&b, "%s %p\n", file.Path, f.at[file.Path])
		}
	}
	f.chart = b.String()
}

// render renders the chart with the values of a cluster. Clusters share equal
// documents.
func (f *files) render(l leaf) ([]compare.Object, error) {
	if f.loaded == nil {
		loaded, err := chart.Load(f.tree)
		if err != nil {
			return nil, err
		}
		f.loaded = loaded.Unchecked()
	}
	manifests, err := f.loaded.Manifests(l.values.content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.values.file, err)
	}
	var all []compare.Object
	for _, name := range slices.Sorted(maps.Keys(manifests)) {
		if !isYAML(name) {
			continue
		}
		for _, document := range documents([]byte(strings.TrimSpace(manifests[name]) + "\n")) {
			objects, err := f.texts.of(name, document).objects()
			if err != nil {
				return nil, err
			}
			all = append(all, objects...)
		}
	}
	return all, nil
}
