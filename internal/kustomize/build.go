package kustomize

import (
	"fmt"
	"sync"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// Built is a written tree in memory, for the kustomize library. The law uses it
// to prove that the tree builds to the filled objects.
type Built struct{ fs filesys.FileSystem }

// Load puts the files of a tree into memory for Build.
func Load(files []tree.File) (*Built, error) {
	fs := filesys.MakeFsInMemory()
	for _, f := range files {
		if err := fs.WriteFile("/"+f.Path, f.Content); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	return &Built{fs}, nil
}

// building is held during a build, because the library keeps the schemas of
// Kubernetes' types in its own variables without a lock.
var building sync.Mutex

// Build builds the kustomization in a folder of the tree, in the order in
// which the kustomizations list its objects.
func (b *Built) Build(dir string) ([]resource.Object, error) {
	building.Lock()
	defer building.Unlock()
	options := krusty.MakeDefaultOptions()
	built, err := krusty.MakeKustomizer(options).Run(b.fs, "/"+dir)
	if err != nil {
		return nil, fmt.Errorf("kustomize build %s: %w", dir, err)
	}
	objects := make([]resource.Object, 0, built.Size())
	for _, r := range built.Resources() {
		data, err := r.MarshalJSON()
		if err != nil {
			return nil, err
		}
		v, err := resource.DecodeJSON(data)
		if err != nil {
			return nil, err
		}
		objects = append(objects, v.(resource.Object))
	}
	return objects, nil
}
