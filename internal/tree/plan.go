package tree

import (
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Plan is what makes an output directory equal to a tree.
type Plan struct {
	dir     *Dir
	files   []File
	changes []Change        // sorted by path, without Old
	folders map[string]bool // folders of the tree that are there already
	stale   []string        // files and whole folders that the tree has no place for
}

// Report counts the files of a plan by what happens to them.
type Report struct {
	Added, Changed, Removed, Unchanged int
}

// Report returns the counts. A plan that changes nothing has none but Unchanged.
func (p *Plan) Report() Report {
	var r Report
	for _, c := range p.changes {
		switch c.Kind {
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
	return RemovedClusters(p.changes, p.files)
}

// staged is a file and where in the staging folder it waits.
type staged struct {
	File
	at string
}

// New files wait in the folders of the tree, so that a whole folder is renamed
// at once. Changed ones are renamed one by one and wait where that is quick.
func stagedNew(p string) string { return "new/" + p }
func stagedChange(i int) string { return fmt.Sprintf("changed/%d", i) }

// staged returns the files that are not there as they should be. The marker is
// written once and then left alone.
func (p *Plan) staged() []staged {
	var files []staged
	if !p.dir.marked {
		files = append(files, staged{p.dir.marker(), stagedNew(markerName)})
	}
	for i, c := range p.changes {
		f := File{Path: c.Path, Content: c.New}
		switch c.Kind {
		case Added:
			files = append(files, staged{f, stagedNew(c.Path)})
		case Changed:
			files = append(files, staged{f, stagedChange(i)})
		}
	}
	return files
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

// findings is what a walk through an output directory learns for a tree.
type findings struct {
	files []File  // the new tree
	state []state // of each file; every one is met once, so no lock is needed

	mu      sync.Mutex
	folders map[string]bool // as in Plan
	stale   []string        // as in Plan
	removed []string        // each file that is there and not in the tree
	links   []string        // symbolic links where the tree has a folder
	foreign []string        // folders with a marker or a .git of their own
}

type state byte

const (
	missing state = iota
	differs
	same
)

// meet takes note of what is at a path. Only where it returns true is it for the
// caller to compare the contents and to say that file i is the same.
func (f *findings) meet(p string, what fs.FileMode) (i int, compare bool) {
	i, wanted := slices.BinarySearchFunc(f.files, p, func(f File, p string) int { return strings.Compare(f.Path, p) })
	if wanted && !what.IsDir() {
		f.state[i] = differs
		return i, what.IsRegular()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if name := path.Base(p); strings.EqualFold(name, ".git") || name == markerName {
		f.foreign = append(f.foreign, folderOf(p))
	}
	if isFolder(f.files, p) {
		if what.IsDir() {
			f.folders[p] = true
			return 0, false
		}
		if what&fs.ModeSymlink != 0 {
			f.links = append(f.links, p)
			return 0, false
		}
	}
	if !what.IsDir() {
		f.removed = append(f.removed, p)
	}
	if isFolder(f.files, folderOf(p)) { // what is deeper goes with its folder
		f.stale = append(f.stale, p)
	}
	return 0, false
}

// guard returns a *GuardError if the directory holds what we must not touch.
func (f *findings) guard(dir string) error {
	if len(f.links) > 0 {
		link := filepath.Join(dir, filepath.FromSlash(slices.Min(f.links)))
		return &GuardError{
			Path:  link,
			Found: "is a symbolic link",
			Want:  "a folder, or nothing",
			Hint:  fmt.Sprintf("remove the link %s; what it points to is not touched", link),
		}
	}
	if len(f.foreign) > 0 {
		folder := filepath.Join(dir, filepath.FromSlash(slices.Min(f.foreign)))
		return &GuardError{
			Path:  folder,
			Found: "is a checkout or an output directory of its own",
			Want:  "only what was rendered into " + dir,
			Hint:  fmt.Sprintf("move %s elsewhere, or delete it if nothing in it is needed", folder),
		}
	}
	return nil
}

// changes returns the changes in order. No path is there twice: a file is
// removed only where the tree has none.
func (f *findings) changes() []Change {
	var changes []Change
	for i, file := range f.files {
		switch f.state[i] {
		case missing:
			changes = append(changes, Change{Path: file.Path, Kind: Added, New: file.Content})
		case differs:
			changes = append(changes, Change{Path: file.Path, Kind: Changed, New: file.Content})
		}
	}
	for _, p := range f.removed {
		changes = append(changes, Change{Path: p, Kind: Removed})
	}
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return changes
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

// staging says whether an entry is named exactly as we name staging folders.
func staging(e fs.DirEntry, prefix string) bool {
	random, ok := strings.CutPrefix(e.Name(), prefix)
	return ok && e.IsDir() && len(random) == 26 && strings.Trim(random, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// notContent says whether an entry at the top is left out of every comparison.
func notContent(e fs.DirEntry) bool {
	return strings.EqualFold(e.Name(), ".git") || staging(e, stagePrefix)
}
