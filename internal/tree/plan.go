package tree

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Plan has the changes that make an output directory equal to a tree.
type Plan struct {
	dir     *Dir
	files   []File
	changes []planned              // sorted by path
	folders map[string]bool        // folders of the tree that are there already
	vanish  []string               // folders at the place of a file; all files in them are ours
	empty   []string               // folders to remove if they are empty
	seen    map[string]fs.FileInfo // of each file that is changed or removed
	kept    []string               // folders that Apply did not remove, because others have files there
}

// planned is a change of a plan: a file of the new tree, or the path of a file to remove.
type planned struct {
	File
	kind Kind
}

// Report counts the files of a plan by what happens to them.
type Report struct {
	Added, Changed, Removed, Unchanged int
}

// Report returns the counts. If the plan changes nothing, all but Unchanged are zero.
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

// RemovedClusters returns the names of the clusters that Apply removes. See the function
// RemovedClusters.
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

// Kept returns the folders from which Apply removed our files. The folders stay, because
// they have other files.
func (p *Plan) Kept() []string { return p.kept }

// record is the content of the marker when the tree is complete.
func (p *Plan) record() record {
	return record{Marker: p.dir.want, copies: copiesIn(p.files)}
}

// markerHolds tells whether the marker can stay. A different version alone is no reason to
// write: people with different versions would write it in turn.
func (p *Plan) markerHolds() bool {
	r := p.dir.found
	return r != nil && r.Version != "" && !r.writing && maps.Equal(r.copies, p.record().copies)
}

// unfinished is the content of the marker while Apply changes the tree. Both old and new
// copies are ours then. The marker has no version until all files have lines.
func (p *Plan) unfinished() record {
	r := p.record()
	r.writing = true
	if p.dir.found != nil {
		maps.Copy(r.copies, p.dir.found.copies)
		r.Version = p.dir.found.Version
	}
	return r
}

// staged is a file with its path in the staging folder.
type staged struct {
	File
	at string
}

// New files wait in the folders of the tree, so that Apply can rename a whole folder.
// Apply renames changed files one by one. They wait in one folder, which is quick.
const (
	unfinishedMarker = "unfinished"
	finishedMarker   = "finished"
)

func stagedNew(p string) string { return "new/" + p }
func stagedChange(i int) string { return fmt.Sprintf("changed/%d", i) }

// staged returns the new and changed files, and the markers for the time before and after
// the exchange.
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

// emptied returns the folders that the tree does not have and that may be empty without the
// removed files, the deepest first.
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

// isCopy tells whether a path can be the path of a copy.
func isCopy(p string) bool { return strings.HasPrefix(p, copies) && p != componentOf(p) }

// componentOf returns our file beside a copy: the kustomization of the overlay.
func componentOf(p string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(p, copies), "/")
	return copies + name + "/kustomization.yaml"
}

// newPart returns the topmost folder of a path that is not on the disk yet, or the path.
func (p *Plan) newPart(file string) string {
	for i, c := range file {
		if c == '/' && !p.folders[file[:i]] {
			return file[:i]
		}
	}
	return file
}

// isFolder tells whether a sorted tree has files below a path.
func isFolder(files []File, p string) bool {
	if p == "" {
		return true
	}
	p += "/"
	i, _ := slices.BinarySearchFunc(files, p, func(f File, p string) int { return strings.Compare(f.Path, p) })
	return i < len(files) && strings.HasPrefix(files[i].Path, p)
}

// stagePrefix is the start of the name of a staging folder in an output directory. A
// random text follows. See also besidePrefix.
const stagePrefix = markerName + "-stage-"

// besidePrefix returns the start of the name of a staging folder beside an output directory
// that does not exist yet. base is the last element of the directory's path.
func besidePrefix(base string) string {
	return "." + base + markerName + "-"
}

// staging tells whether an entry of a folder has exactly such a name and is a folder.
func staging(name string, folder bool, prefix string) bool {
	random, ok := strings.CutPrefix(name, prefix)
	return ok && folder && len(random) == 26 && strings.Trim(random, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}
