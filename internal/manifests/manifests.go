// Package manifests writes every object of every cluster in the form in which
// it is applied.
package manifests

import (
	"fmt"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// Tree writes each object to
// clusters/<cluster>/<phase>/<kind>_<namespace>_<name>.yaml. The namespace is
// empty for an object without one. The files are not sorted. The kind of a
// Namespace is 0-namespace: `kubectl apply -f` applies the files of a directory
// in the order of their names, and other objects may be in the namespace.
func Tree(clusters []resource.Cluster) ([]tree.File, error) {
	var files []tree.File
	cluster := OneByOne()
	for i := range clusters {
		own, err := cluster(&clusters[i])
		if err != nil {
			return nil, err
		}
		files = append(files, own...)
	}
	return files, nil
}

// Cluster returns the objects of one cluster in the order in which they are
// applied, with their paths in the tree.
func Cluster(c *resource.Cluster) ([]tree.File, error) { return texts{}.cluster(c) }

// OneByOne returns a function like Cluster for the clusters of one topology.
// They share equal contents, so the contents must not be changed.
func OneByOne() func(c *resource.Cluster) ([]tree.File, error) { return texts{}.cluster }

// texts holds the contents that clusters share, each once.
type texts map[text][]byte

// text identifies a content without a value of a cluster.
type text struct {
	body      *resource.Body
	namespace string
}

func (t texts) cluster(c *resource.Cluster) ([]tree.File, error) {
	files := make([]tree.File, 0, len(c.Resources)+len(c.Namespaces))
	for _, phase := range resource.Phases(c.Hub) {
		for r := range c.In(phase) {
			for values := range c.Each(r) {
				id, err := r.Body.ID(values)
				if err != nil {
					return nil, fmt.Errorf("cluster %s: %s %s: %w", c.Name, phase, r.Name, err)
				}
				content, err := t.of(r, values)
				if err != nil {
					return nil, fmt.Errorf("cluster %s: %s %s: %w", c.Name, phase, r.Name, err)
				}
				files = append(files, tree.File{Path: path(c.Name, phase, id), Content: content})
			}
		}
	}
	return files, nil
}

// of returns the content of a resource with the given values. It must not be
// changed.
func (t texts) of(r resource.Resource, values resource.Values) ([]byte, error) {
	scope := r.Body.Repeated()
	if r.Body.Uses(resource.ScopeCluster) || scope != "" && scope != resource.ScopeNamespace {
		return r.Body.Append(nil, values)
	}
	key := text{r.Body, r.ItemOf(values)}
	if known, ok := t[key]; ok {
		return known, nil
	}
	content, err := r.Body.Append(nil, values)
	t[key] = content
	return content, err
}

// Stream appends files to dst as one YAML stream. A comment before each
// document has its path, which also names the cluster.
func Stream(dst []byte, files []tree.File) []byte {
	for _, f := range files {
		dst = append(append(append(append(dst, "---\n# "...), f.Path...), '\n'), f.Content...)
	}
	return dst
}

func path(cluster string, phase resource.Phase, id resource.ID) string {
	kind := strings.ToLower(id.Kind)
	if id.Kind == "Namespace" {
		kind = "0-" + kind
	}
	return "clusters/" + cluster + "/" + string(phase) + "/" + kind + "_" + id.Namespace + "_" + id.Name + ".yaml"
}
