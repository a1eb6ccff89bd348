package kustomize

import (
	"fmt"
	"sync"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// Built is a written tree in memory, as the kustomize library sees it. It is
// what proves that the tree builds to what was filled.
type Built struct{ fs filesys.FileSystem }

// Load puts the files of a tree where Build finds them.
func Load(files []tree.File) (*Built, error) {
	fs := filesys.MakeFsInMemory()
	for _, f := range files {
		if err := fs.WriteFile("/"+f.Path, f.Content); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	return &Built{fs}, nil
}

// building is held while the library builds: it keeps the schemas of Kubernetes'
// types in variables of its own, without a lock.
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
