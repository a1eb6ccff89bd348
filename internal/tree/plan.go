package tree

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Plan is what makes an output directory equal to a tree.
type Plan struct {
	dir     *Dir
	files   []File
	changes []planned              // sorted by path
	folders map[string]bool        // folders of the tree that are there already
	vanish  []string               // folders at the place of a file, in which all is ours
	empty   []string               // folders to remove if there is nothing in them
	seen    map[string]fs.FileInfo // of each file that is changed or removed
	kept    []string               // folders that Apply has left because there is more in them
}

// planned is a change of a plan: a file of the new tree, or the path of one that goes.
type planned struct {
	File
	kind Kind
}

// Report counts the files of a plan by what happens to them.
type Report struct {
	Added, Changed, Removed, Unchanged int
}

// Report returns the counts. A plan that changes nothing has none but Unchanged.
func (p *Plan) Report() Report {
	var r Report
	for _, c := range p.changes {
		switch c.kind {
		case Added:
			r.Added++
		case Changed:
			r.Changed++
		case Removed:
			r.Removed++
		}
	}
	r.Unchanged = len(p.files) - r.Added - r.Changed
	return r
}

// RemovedClusters returns the names of the clusters that Apply would remove; see
// the function of that name.
func (p *Plan) RemovedClusters() []string {
	var changes []Change
	for _, at := range p.Removed() {
		changes = append(changes, Change{Path: at, Kind: Removed})
	}
	return RemovedClusters(changes, p.files)
}

// Removed returns the paths of the files that Apply removes, sorted.
func (p *Plan) Removed() []string {
	var paths []string
	for _, c := range p.changes {
		if c.kind == Removed {
			paths = append(paths, c.Path)
		}
	}
	return paths
}

// Kept returns the folders that Apply has emptied of our files and not removed,
// because there is something else in them.
func (p *Plan) Kept() []string { return p.kept }

// record is what the marker says when the tree is complete.
func (p *Plan) record() record {
	return record{Marker: p.dir.want, copies: copiesIn(p.files)}
}

// markerHolds says whether the marker can stay. Another version alone is no reason
// to write: people with different versions would write it in turn.
func (p *Plan) markerHolds() bool {
	r := p.dir.found
	return r != nil && r.Version != "" && !r.writing && maps.Equal(r.copies, p.record().copies)
}

// unfinished is what the marker says while the tree is being changed: both old
// and new copies are ours. Until all files have lines, it has no version.
func (p *Plan) unfinished() record {
	r := p.record()
	r.writing = true
	if p.dir.found != nil {
		maps.Copy(r.copies, p.dir.found.copies)
		r.Version = p.dir.found.Version
	}
	return r
}

// staged is a file and where in the staging folder it waits.
type staged struct {
	File
	at string
}

// New files wait in the folders of the tree, so that a whole folder is renamed
// at once. Changed ones are renamed one by one and wait where that is quick.
const (
	unfinishedMarker = "unfinished"
	finishedMarker   = "finished"
)

func stagedNew(p string) string { return "new/" + p }
func stagedChange(i int) string { return fmt.Sprintf("changed/%d", i) }

// staged returns the files that are not there as they should be, and a marker for
// before and after.
func (p *Plan) staged() []staged {
	files := []staged{
		{File{Path: markerName, Content: p.unfinished().text()}, unfinishedMarker},
		{File{Path: markerName, Content: p.record().text()}, finishedMarker},
	}
	for i, c := range p.changes {
		switch c.kind {
		case Added:
			files = append(files, staged{c.File, stagedNew(c.Path)})
		case Changed:
			files = append(files, staged{c.File, stagedChange(i)})
		}
	}
	return files
}

// emptied returns the folders that have no place in the tree and may be empty when
// files have been removed, the deepest first.
func (p *Plan) emptied(removed []string) []string {
	folders := map[string]bool{}
	for _, f := range removed {
		for at := folderOf(f); at != "" && !folders[at] && !isFolder(p.files, at); at = folderOf(at) {
			folders[at] = true
		}
	}
	for _, at := range p.vanish {
		folders[at] = true
	}
	return slices.SortedFunc(maps.Keys(folders), deepestFirst)
}

func deepestFirst(a, b string) int {
	return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
}

// isCopy says whether a path could be one of a copy.
func isCopy(p string) bool { return strings.HasPrefix(p, copies) && p != componentOf(p) }

// componentOf returns the file of ours beside a copy: the kustomization of its
// overlay.
func componentOf(p string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(p, copies), "/")
	return copies + name + "/kustomization.yaml"
}

// newPart returns the topmost part of a path that is not there yet.
func (p *Plan) newPart(file string) string {
	for i, c := range file {
		if c == '/' && !p.folders[file[:i]] {
			return file[:i]
		}
	}
	return file
}

// isFolder says whether a sorted tree has files below a path.
func isFolder(files []File, p string) bool {
	if p == "" {
		return true
	}
	p += "/"
	i, _ := slices.BinarySearchFunc(files, p, func(f File, p string) int { return strings.Compare(f.Path, p) })
	return i < len(files) && strings.HasPrefix(files[i].Path, p)
}

// stagePrefix and a random text name the staging folder inside an output
// directory. See also besidePrefix.
const stagePrefix = markerName + "-stage-"

// besidePrefix and a random text name the staging directory beside an output
// directory that is absent; base is the last element of that one's path.
func besidePrefix(base string) string {
	return "." + base + markerName + "-"
}

// staging says whether an entry of a folder is named exactly as we name staging folders.
func staging(name string, folder bool, prefix string) bool {
	random, ok := strings.CutPrefix(name, prefix)
	return ok && folder && len(random) == 26 && strings.Trim(random, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}
