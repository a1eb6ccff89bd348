package topology

import (
	"path"
	"slices"
)

// Folder is the folder of an overlay's files, relative to the directory of the
// topology. An overlay may read only files in this folder.
func (o *Overlay) Folder() string {
	if o.Jsonnet != "" {
		return path.Dir(o.Jsonnet)
	}
	return path.Clean(o.Kustomize)
}

// Matches tells whether the overlay applies to the cluster: all its conditions
// hold.
func (o *Overlay) Matches(c *Cluster) bool {
	if len(o.Match.Names) > 0 && !slices.Contains(o.Match.Names, c.Name) {
		return false
	}
	for key, value := range o.Match.Labels {
		if own, ok := c.Labels[key]; !ok || own != value {
			return false
		}
	}
	return true
}
