package tree

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// findings collects the differences between an output directory and a tree.
type findings struct {
	files []File  // the new tree
	state []state // of each file; a walk meets each file once, so it needs no lock

	mu      sync.Mutex
	folders map[string]bool        // as in Plan
	seen    map[string]fs.FileInfo // as in Plan
	removed []string               // our files that are not in the tree
	blocked map[string]obstacle    // things that are not ours and are in the way
	strays  map[string]bool        // files that are not ours and are not in the way
	vanish  []string               // folders at a file's place
	others  []string               // folders that the tree does not have

	once  sync.Once
	lower map[string]string // paths and folders of the tree, by their lower-case form
}

type state byte

const (
	missing state = iota
	differs
	same
)

// obstacle is the reason why something is in the way.
type obstacle int

const (
	isFile     obstacle = iota // a file that is not ours
	isLink                     // a symbolic link
	isSpecial                  // a pipe, a socket, a device
	isCheckout                 // a checkout or an output directory
	isInside                   // something that is not ours, in a folder at a file's place
	isSpelled                  // like a path of the tree in other letter case
	isLeft                     // from a version that put no line into its files
)

func newFindings(files []File) *findings {
	return &findings{
		files:   files,
		state:   make([]state, len(files)),
		folders: map[string]bool{},
		seen:    map[string]fs.FileInfo{},
		blocked: map[string]obstacle{},
		strays:  map[string]bool{},
	}
}

// wants returns the index of the file that the tree has at a path, or -1.
func (f *findings) wants(p string) int {
	i, ok := slices.BinarySearchFunc(f.files, p, func(f File, p string) int { return strings.Compare(f.Path, p) })
	if !ok {
		return -1
	}
	return i
}

// clashes tells whether a path that is not in the tree differs only in letter case from a
// path of the tree. macOS and Windows take one for the other.
func (f *findings) clashes(p string) bool {
	f.once.Do(func() {
		f.lower = map[string]string{}
		for _, file := range f.files {
			for p := file.Path; p != ""; p = folderOf(p) {
				f.lower[strings.ToLower(p)] = p
			}
		}
	})
	other, ok := f.lower[strings.ToLower(p)]
	return ok && other != p
}

// folder is for a visitor. In a folder that vanishes, our files are removed, and all
// others are in the way.
func (f *findings) folder(p string, vanish bool) (enter, vanishes bool) {
	switch {
	case vanish || f.wants(p) >= 0:
		vanish = true
	case isFolder(f.files, p):
		f.mu.Lock()
		defer f.mu.Unlock()
		f.folders[p] = true
		return true, false
	default:
		vanish = f.clashes(p)
	}
	if hidden(p) {
		f.stays(p, fs.ModeDir, vanish)
		return false, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if vanish {
		f.vanish = append(f.vanish, p)
	} else {
		f.others = append(f.others, p)
	}
	return true, vanish
}

// hidden tells whether the name of a folder is hidden. We write no such folders.
func hidden(p string) bool { return path.Base(p)[0] == '.' }

// nested is for a visitor.
func (f *findings) nested(p string, vanish bool) {
	if vanish || isFolder(f.files, p) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.blocked[p] = isCheckout
	}
}

// differs notes a regular file at the place of a file of the tree.
func (f *findings) differs(i int, info fs.FileInfo, mine bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !mine {
		f.blocked[f.files[i].Path] = isFile
		return
	}
	f.state[i] = differs
	f.seen[f.files[i].Path] = info
}

// goes notes a file of ours that is not in the tree.
func (f *findings) goes(p string, info fs.FileInfo) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.removed = append(f.removed, p)
	f.seen[p] = info
}

// stays notes something that is not ours.
func (f *findings) stays(p string, what fs.FileMode, vanish bool) {
	why := isFile
	switch {
	case what&fs.ModeSymlink != 0:
		why = isLink
	case what.IsDir():
		why = isInside
	case !what.IsRegular():
		why = isSpecial
	}
	taken := f.wants(p) >= 0 || isFolder(f.files, p)
	if !taken {
		for at := p; at != "" && !taken; at = folderOf(at) {
			if f.clashes(at) {
				p, why, taken = at, isSpelled, true
			}
		}
	}
	if !taken && vanish {
		why, taken = isInside, true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if taken {
		f.blocked[p] = why
	} else if what.IsRegular() {
		f.strays[p] = true
	}
}

// foreign lists the regular files without a proof that they are ours.
func (f *findings) foreign() []string {
	paths := slices.Collect(maps.Keys(f.strays))
	for p, why := range f.blocked {
		if why == isFile {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	return paths
}

// adoptable lists the foreign files that are in the way.
func (f *findings) adoptable() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(f.blocked)),
		func(p string) bool { return f.blocked[p] != isFile && f.blocked[p] != isLeft })
}

// take makes a foreign file ours.
func (f *findings) take(p string, info fs.FileInfo) {
	delete(f.blocked, p)
	delete(f.strays, p)
	if i := f.wants(p); i >= 0 {
		f.differs(i, info, true)
	} else {
		f.goes(p, info)
	}
}

// guard returns a *finding.Refusal if something that is not ours is in the way.
func (f *findings) guard(d *Dir) error {
	if len(f.blocked) == 0 {
		return nil
	}
	paths := slices.Sorted(maps.Keys(f.blocked))
	first, alike, earlier := f.blocked[paths[0]], true, d.unsigned()
	for _, why := range f.blocked {
		alike = alike && why == first
		earlier = earlier && (why == isFile || why == isLeft)
	}
	if len(paths) == 1 && !earlier {
		return first.guard(d.real(paths[0]))
	}
	is := fmt.Sprintf("has %d files or folders in the way that sightline did not write", len(paths))
	hint := "move them elsewhere, or choose another directory with -o"
	switch {
	case earlier:
		is = "is from an earlier version, and has files that this version did not write for this topology"
		hint = "first render the topology as it was at that time, and change it later; or, if nobody edited the files, add --adopt"
	case alike:
		hint = strings.Replace(first.guard("them").Hint, "need it", "need them", 1)
	}
	for i, p := range paths {
		paths[i] = d.real(p)
	}
	return inTheWay(d.path, is, "none", hint, paths...)
}

// guard returns the error for an obstacle at a path.
func (o obstacle) guard(p string) *finding.Refusal {
	switch o {
	case isLink:
		return inTheWay(p, "is a symbolic link", "a file or folder of sightline, or nothing",
			"remove "+p+"; what a link points to is not touched")
	case isSpecial:
		return inTheWay(p, "is neither a file nor a folder", "a file of sightline, or nothing", "move "+p+" elsewhere")
	case isCheckout:
		return inTheWay(p, "is another checkout or output directory", "a folder of this tree, or nothing",
			"move "+p+" elsewhere, or choose another directory with -o")
	case isInside:
		return inTheWay(p, "is in a folder that must go, and sightline did not write it", "only files of sightline",
			"move "+p+" elsewhere")
	case isSpelled:
		return inTheWay(p, "differs from a file or folder of this tree by letter case only, and sightline did not write it",
			"nothing of this name, because macOS and Windows take one for the other", "move "+p+" elsewhere")
	}
	return inTheWay(p, "was not written by sightline", "a file that says in its first line that sightline generated it, or nothing",
		"move "+p+" elsewhere; or, if you do not need it, add --adopt")
}

// plan makes a plan of the findings.
func (f *findings) plan(d *Dir) *Plan {
	p := &Plan{dir: d, files: f.files, changes: f.changes(), folders: f.folders, vanish: f.vanish, seen: f.seen}
	if d.Unfinished() {
		p.empty = f.others // the killed run may have removed their files, and not the folders
	}
	return p
}

// changes returns the changes, sorted by path. No path is there twice: a removed file is
// not in the tree.
func (f *findings) changes() []planned {
	var changes []planned
	for i, file := range f.files {
		switch f.state[i] {
		case missing:
			changes = append(changes, planned{file, Added})
		case differs:
			changes = append(changes, planned{file, Changed})
		}
	}
	for _, p := range f.removed {
		changes = append(changes, planned{File{Path: p}, Removed})
	}
	slices.SortFunc(changes, func(a, b planned) int { return strings.Compare(a.Path, b.Path) })
	return changes
}
