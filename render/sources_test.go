package render

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/templates"
)

// SourcesOf are the templates and what a topology's overlays name, which is
// relative to its file.
func SourcesOf(top *topology.Topology) Sources {
	overlays := map[string]fs.FS{}
	for i := range top.Spec.Overlays {
		o := &top.Spec.Overlays[i]
		dir := filepath.Dir(top.At("spec", "overlays", i).File)
		overlays[o.Name] = os.DirFS(filepath.Join(dir, o.Folder()))
	}
	return Sources{Templates: templates.FS, Overlays: overlays}
}
