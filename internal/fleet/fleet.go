// Package fleet reads the objects of every cluster from trees of files in any
// format: from kustomizations, from a chart with the values of each cluster, or
// from files with objects.
//
// It reads two trees together, and decodes only the files that may differ,
// because nearly all files of a fleet are the same before and after a change.
// It reads a kustomization directly if it only lists files and folders. If
// somebody has edited a kustomization, or if it has overlays, it may do more.
// Then the kustomize library builds it, but only if one of its inputs differs.
package fleet

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/chart"
	"github.com/sightline-mesh/sightline/internal/compare"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// Trees returns the objects on the clusters of two trees, without the objects
// that are the same in both. The error names the file that cannot be read.
//
// An edited kustomization may list files that Sightline did not write. Trees
// looks for them in beside, the directory of the old tree. beside is nil if the
// old tree is not in a directory.
func Trees(old, new []tree.File, beside fs.FS) (before, after compare.Fleet, err error) {
	if slices.EqualFunc(old, new, func(a, b tree.File) bool { return a.Path == b.Path && bytes.Equal(a.Content, b.Content) }) {
		return before, after, nil
	}
	texts := texts{}
	a, b := read(texts, old), read(texts, new)
	a.beside = beside
	for _, name := range slices.Sorted(maps.Keys(a.clusters)) {
		if !b.clusters[name] {
			objects, err := a.cluster(name)
			if err != nil {
				return before, after, err
			}
			before.Clusters = append(before.Clusters, compare.Cluster{Name: name, Objects: objects})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.clusters)) {
		was, is, err := differing(a, b, name)
		if err != nil {
			return before, after, err
		}
		if a.clusters[name] {
			before.Clusters = append(before.Clusters, compare.Cluster{Name: name, Objects: was})
		}
		after.Clusters = append(after.Clusters, compare.Cluster{Name: name, Objects: is})
	}
	was, is := minus(a.deliveryLeaves(), b.deliveryLeaves())
	if before.Delivery, err = a.objects(was); err == nil {
		after.Delivery, err = b.objects(is)
	}
	return before, after, err
}

// differing returns the objects of a cluster that differ between the trees.
func differing(a, b *files, name string) (was, is []compare.Object, err error) {
	var old []leaf
	if a.clusters[name] {
		if old, err = a.leaves(name); err != nil {
			return nil, nil, err
		}
	}
	new, err := b.leaves(name)
	if err != nil {
		return nil, nil, err
	}
	old, new = minus(old, new)
	if was, err = a.objects(old); err != nil {
		return nil, nil, err
	}
	is, err = b.objects(new)
	return was, is, err
}

// leaf is a source of objects. Equal leaves have equal objects.
type leaf struct {
	text       *text  // of a file; nil if the objects have to be built or rendered
	namespace  string // the namespace that a kustomization sets; "": the objects keep theirs
	components string // folders of the kustomize components that change the objects, one a line
	build      string // folder of the kustomization to build
	values     *text  // values of a cluster, for the chart
	reads      string // the inputs of the build, the components or the chart
	owner      string // for an object of the delivery: the cluster that it belongs to
}

// minus removes the leaves that both lists have.
func minus(a, b []leaf) (onlyA, onlyB []leaf) {
	if slices.Equal(a, b) {
		return nil, nil
	}
	count := make(map[leaf]int, len(a))
	for _, l := range a {
		count[l]++
	}
	for _, l := range b {
		if count[l] > 0 {
			count[l]--
		} else {
			onlyB = append(onlyB, l)
		}
	}
	for _, l := range a {
		if count[l] > 0 {
			count[l]--
			onlyA = append(onlyA, l)
		}
	}
	return onlyA, onlyB
}

// files is a tree with what has been read of it.
type files struct {
	texts    texts
	tree     []tree.File
	at       map[string]*text
	clusters map[string]bool
	known    map[string][]leaf // leaves by the folder of a kustomization
	built    *kustomize.Built
	made     map[leaf][]compare.Object
	beside   fs.FS
	chart    string // the files of the chart; "": there is no chart
	loaded   *chart.Loaded
}

const clustersDir = "clusters"

func read(texts texts, all []tree.File) *files {
	f := &files{
		texts: texts, tree: all, at: make(map[string]*text, len(all)),
		clusters: map[string]bool{}, known: map[string][]leaf{}, made: map[leaf][]compare.Object{},
	}
	for _, file := range all {
		f.at[file.Path] = texts.of(file.Path, file.Content)
		if below, ok := strings.CutPrefix(file.Path, clustersDir+"/"); ok {
			name, _, folder := strings.Cut(below, "/")
			if !folder {
				name, folder = strings.CutSuffix(name, ".yaml") // the file has the values of a cluster
			}
			if folder {
				f.clusters[name] = true
			}
		}
		if strings.HasPrefix(file.Path, topology.ACMTree+"/") {
			f.clusters[topology.ACMTree] = true
		}
	}
	f.readChart()
	return f
}

// cluster returns all objects of a cluster.
func (f *files) cluster(name string) ([]compare.Object, error) {
	leaves, err := f.leaves(name)
	if err != nil {
		return nil, err
	}
	return f.objects(leaves)
}

// leaves lists the sources of a cluster's objects.
func (f *files) leaves(name string) ([]leaf, error) {
	dir := clustersDir + "/" + name
	if name == topology.ACMTree && len(f.below(name)) > 0 {
		dir = name // it is the tree of an ACM hub outside the topology
	}
	if values := f.at[dir+".yaml"]; values != nil && f.chart != "" {
		return []leaf{{values: values, reads: f.chart}}, nil
	}
	if f.at[dir+"/"+kustomize.File] != nil {
		return f.kustomization(dir, nil)
	}
	var leaves []leaf
	for _, file := range f.below(dir) {
		if path.Base(file.Path) == kustomize.File {
			return nil, fmt.Errorf("%s/%s: there is no such file, but there is %s", dir, kustomize.File, file.Path)
		}
		if isYAML(file.Path) {
			leaves = append(leaves, leaf{text: f.at[file.Path]})
		}
	}
	return leaves, nil
}

// below returns the files below a folder; the tree is sorted.
func (f *files) below(dir string) []tree.File {
	from, _ := slices.BinarySearchFunc(f.tree, dir+"/", func(f tree.File, p string) int { return strings.Compare(f.Path, p) })
	to := from
	for to < len(f.tree) && strings.HasPrefix(f.tree[to].Path, dir+"/") {
		to++
	}
	return f.tree[from:to]
}

// find returns the text of a file in the tree or beside it.
func (f *files) find(p string) *text {
	if known := f.at[p]; known != nil || f.beside == nil || !fs.ValidPath(p) {
		return known
	}
	content, err := fs.ReadFile(f.beside, p)
	if err != nil {
		return nil // it does not exist, or it is a folder
	}
	f.take(tree.File{Path: p, Content: content})
	return f.at[p]
}

// findBelow returns the files below a folder in the tree or beside it.
func (f *files) findBelow(dir string) []tree.File {
	if files := f.below(dir); len(files) > 0 || f.beside == nil || !fs.ValidPath(dir) || dir == "." {
		return files
	}
	_ = fs.WalkDir(f.beside, dir, func(p string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			f.find(p)
		}
		return err // the folder does not exist
	})
	return f.below(dir)
}

// take adds a file to the tree.
func (f *files) take(file tree.File) {
	i, _ := slices.BinarySearchFunc(f.tree, file.Path, func(f tree.File, p string) int { return strings.Compare(f.Path, p) })
	f.tree = slices.Insert(slices.Clip(f.tree), i, file)
	f.at[file.Path] = f.texts.of(file.Path, file.Content)
	f.built = nil // it lacks the new file
}

func isYAML(p string) bool { return path.Ext(p) == ".yaml" || path.Ext(p) == ".yml" }

// deliveryLeaves returns the object files below the engines' folders.
func (f *files) deliveryLeaves() []leaf {
	var leaves []leaf
	for _, dir := range []string{"argocd", "flux"} {
		for _, file := range f.below(dir) {
			if isYAML(file.Path) && path.Base(file.Path) != kustomize.File && hasKind(f.at[file.Path].content) {
				leaves = append(leaves, leaf{text: f.at[file.Path], owner: f.owner(file.Path)})
			}
		}
	}
	return leaves
}

func hasKind(content []byte) bool {
	return bytes.HasPrefix(content, []byte("apiVersion:")) || bytes.Contains(content, []byte("\napiVersion:"))
}

// owner returns the cluster that a Flux object belongs to.
func (f *files) owner(file string) string {
	parts := strings.Split(file, "/")
	for _, name := range parts[1 : len(parts)-1] {
		if f.clusters[name] {
			return name
		}
	}
	return ""
}

// objects returns the objects of leaves.
func (f *files) objects(leaves []leaf) ([]compare.Object, error) {
	var all []compare.Object
	for _, l := range leaves {
		objects, err := f.of(l)
		if err != nil {
			return nil, err
		}
		all = append(all, objects...)
	}
	return all, nil
}

func (f *files) of(l leaf) ([]compare.Object, error) {
	if l.text != nil && l.components == "" {
		return f.placed(l)
	}
	if objects, ok := f.made[l]; ok {
		return objects, nil
	}
	var objects []compare.Object
	var err error
	switch {
	case l.values != nil:
		objects, err = f.render(l)
	case l.build != "":
		objects, err = f.buildAt(l)
	default:
		if objects, err = f.placed(l); err == nil {
			objects, err = f.change(l, objects)
		}
	}
	if err == nil {
		f.made[l] = objects
	}
	return objects, err
}

// placed returns the objects of a file, in their namespace.
func (f *files) placed(l leaf) ([]compare.Object, error) {
	objects, err := l.text.objects()
	if err != nil || l.namespace == "" && l.owner == "" {
		return objects, err
	}
	objects = slices.Clone(objects)
	for i := range objects {
		objects[i].For = l.owner
		if l.namespace != "" {
			objects[i].ID.Namespace = l.namespace
		}
	}
	return objects, nil
}
