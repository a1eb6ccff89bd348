// Package tree holds what a render returns, a sorted list of files, and writes
// it to the directory that is its home.
//
// A tree is a plain []File. [New] sorts it and refuses what no checkout could
// hold; [Sign] puts a line at the top of each file by which the next render knows
// it again; [Compare] says how two trees differ; [RemovedClusters] says which
// clusters a change would take away. These are pure. The disk is met in
// the files disk*.go only, in three steps:
//
//	dir, err := tree.Lock("out", tree.Marker{Topology: "east-west", Format: "kustomize", Version: "v0.2.0"})
//	plan, err := dir.Compare(ctx, files, tree.Claims{})
//	err = plan.Apply(ctx)
//	dir.Unlock()
//
// Lock keeps other runs out, and refuses a directory that another topology is
// rendered into ([finding.Refusal]). Open does the same for those who only read. Compare
// reads what is there and changes nothing: `diff` stops here, and `render` asks the
// plan for RemovedClusters. Apply makes the directory hold the tree, or fails and
// leaves it as it was.
//
// An output directory may hold other things as well: only files with our line, and
// copies that the marker has a digest of, are replaced or removed. The marker is the
// file `.sightline` at the top; it says which topology the tree is of, and whether
// it is complete.
package tree

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// File is one file of a tree.
type File struct {
	Path    string // relative, slash-separated, clean
	Content []byte // without the line of Sign
	Copy    bool   // the content is the user's, byte for byte: see Sign
	signed  bool   // Sign has seen the file
}

// Text returns the whole text of the file: for a file from Sign, its line and its
// content. The caller must not change it.
func (f File) Text() []byte {
	if !f.signed {
		return f.Content
	}
	return f.appendText(nil)
}

// appendText appends the whole text of the file to dst. Equal contents of files stay
// one text in memory, because their lines exist only where a text is written or compared.
func (f File) appendText(dst []byte) []byte {
	if !f.signed {
		return append(dst, f.Content...)
	}
	return append(appendLine(dst, f.Path), f.belowLine()...)
}

// New returns the files sorted by path. The contents are shared with the
// argument, the list is not.
//
// It refuses, all at once and each by name: a path that is not clean and local
// or that holds a backslash, a control character or broken UTF-8; a path twice;
// a path that is both a file and a folder; two paths that differ by letter case
// only, because macOS and Windows would check them out as one; and the names
// that are not the render's to give, `.git` and `.sightline` anywhere and
// `.sightline-*` at the top.
func New(files []File) ([]File, error) {
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	if ordinary(files) {
		return files, nil
	}
	if err := problems(files); err != nil {
		return nil, err
	}
	return files, nil
}

// problems returns all that New refuses about sorted files.
func problems(files []File) error {
	seen := names{seen: make(map[string]name, len(files)), reported: map[string]bool{}}
	var problems []error
	for i, f := range files {
		switch problem := badPath(f.Path); {
		case problem != "":
			problems = append(problems, fmt.Errorf("path %q %s", f.Path, problem))
		case i > 0 && files[i-1].Path == f.Path:
			if i == 1 || files[i-2].Path != f.Path { // three of a kind are one problem
				problems = append(problems, fmt.Errorf("path %q is there twice", f.Path))
			}
		default:
			if err := seen.add(f.Path); err != nil {
				problems = append(problems, err)
			}
		}
	}
	return errors.Join(problems...)
}

// ordinary says that files are sorted and have no problems. It is quick, and says no of
// most trees with capitals in their paths, which may have problems or none.
func ordinary(files []File) bool {
	var open []string // paths of files that the path at hand begins with
	for i, f := range files {
		p := f.Path
		if i > 0 && files[i-1].Path >= p || !isOrdinary(p) && (badPath(p) != "" || strings.ToLower(p) != p) {
			return false
		}
		for len(open) > 0 && !strings.HasPrefix(p, open[len(open)-1]) {
			open = open[:len(open)-1]
		}
		for _, file := range open {
			if p[len(file)] == '/' {
				return false
			}
		}
		open = append(open, p)
	}
	return true
}

// isOrdinary says of a path that it is clean, local, in ASCII, without capitals and without
// hidden names.
func isOrdinary(p string) bool {
	before := byte('/')
	for i := range len(p) {
		c := p[i]
		if c < ' ' || c > '~' || c == '\\' || 'A' <= c && c <= 'Z' || before == '/' && (c == '/' || c == '.') {
			return false
		}
		before = c
	}
	return before != '/'
}

// names remembers the paths of a tree and of all their folders.
type names struct {
	seen     map[string]name // by path in lower case
	reported map[string]bool // a folder's problem is said once, not for every file in it
	good     string          // folder of the path before: most files share theirs
}

type name struct {
	path string // as first seen
	file bool
}

// add takes the files in sorted order, in which a file comes before everything
// that would have it as a folder.
func (n *names) add(file string) error {
	if folder := folderOf(file); folder != n.good {
		for i, c := range file {
			if c != '/' {
				continue
			}
			f := file[:i]
			first, err := n.spell(f, false)
			if err == nil && first.file {
				err = fmt.Errorf("path %q is a file and also the folder of %q", f, file)
			}
			if err != nil && n.reported[f] {
				return nil
			}
			if err != nil {
				n.reported[f] = true
				return err
			}
		}
		n.good = folder
	}
	_, err := n.spell(file, true)
	return err
}

// spell returns how a path has been seen first, which may be now.
func (n *names) spell(p string, file bool) (name, error) {
	lower := strings.ToLower(p)
	first, ok := n.seen[lower]
	if !ok {
		first = name{p, file}
		n.seen[lower] = first
	}
	if first.path != p {
		return first, fmt.Errorf("paths %q and %q differ by letter case only", first.path, p)
	}
	return first, nil
}

// badPath says what is wrong with a path, or nothing.
func badPath(p string) string {
	clean := path.Clean(p)
	switch {
	case p == "":
		return "is empty"
	case !utf8.ValidString(p):
		return "is not valid UTF-8"
	case strings.ContainsFunc(p, unicode.IsControl):
		return "holds a control character"
	case strings.Contains(p, `\`):
		return "holds a backslash, which is a separator on Windows"
	case path.IsAbs(p):
		return "is absolute, expected one below the output directory"
	case clean == ".." || strings.HasPrefix(clean, "../"):
		return "leaves the output directory"
	case clean == ".":
		return "is the output directory itself"
	case clean != p:
		return fmt.Sprintf("is not clean, expected %q", clean)
	}
	if p[0] != '.' && !strings.Contains(p, "/.") {
		return "" // nearly every path
	}
	for i, name := range strings.Split(p, "/") {
		lower := strings.ToLower(name)
		if lower == ".git" || lower == markerName || i == 0 && strings.HasPrefix(lower, markerName+"-") {
			return fmt.Sprintf("uses the reserved name %q", name)
		}
	}
	return ""
}

// folderOf returns the path of the folder that holds a clean path; "" is the top.
func folderOf(p string) string {
	return p[:max(0, strings.LastIndexByte(p, '/'))]
}

// Kind says what happens to a file between two trees.
type Kind int

// The three kinds of change.
const (
	Added Kind = iota
	Removed
	Changed
)

// String returns the kind as a lower-case word.
func (k Kind) String() string {
	switch k {
	case Added:
		return "added"
	case Removed:
		return "removed"
	case Changed:
		return "changed"
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

// Change is one file that differs between two trees.
type Change struct {
	Path     string
	Kind     Kind
	Old, New []byte // Old is nil for an added file, New for a removed one
}

// Compare returns what differs between two trees that New has sorted, sorted by
// path; nothing for equal trees.
func Compare(old, new []File) []Change {
	var changes []Change
	for len(old) > 0 || len(new) > 0 {
		switch {
		case len(new) == 0 || len(old) > 0 && old[0].Path < new[0].Path:
			changes = append(changes, Change{Path: old[0].Path, Kind: Removed, Old: old[0].Text()})
			old = old[1:]
		case len(old) == 0 || new[0].Path < old[0].Path:
			changes = append(changes, Change{Path: new[0].Path, Kind: Added, New: new[0].Text()})
			new = new[1:]
		default:
			if before, after := old[0].Text(), new[0].Text(); !bytes.Equal(before, after) {
				changes = append(changes, Change{Path: new[0].Path, Kind: Changed, Old: before, New: after})
			}
			old, new = old[1:], new[1:]
		}
	}
	return changes
}

// RemovedClusters returns, sorted, the names of the clusters that the old tree
// has and the new one has not. changes is the difference of the two and new the
// new tree. A cluster N is there when `clusters/N.yaml` or anything below
// `clusters/N/` is.
func RemovedClusters(changes []Change, new []File) []string {
	gone := map[string]bool{}
	for _, c := range changes {
		if name := clusterOf(c.Path); name != "" && c.Kind == Removed {
			gone[name] = true
		}
	}
	if len(gone) == 0 {
		return nil
	}
	for _, f := range new {
		delete(gone, clusterOf(f.Path))
	}
	var names []string
	for name := range gone {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// clusterOf returns the name of the cluster that a file belongs to, or nothing.
func clusterOf(p string) string {
	rest, ok := strings.CutPrefix(p, "clusters/")
	if !ok {
		return ""
	}
	if name, _, below := strings.Cut(rest, "/"); below {
		return name
	}
	name, ok := strings.CutSuffix(rest, ".yaml")
	if !ok {
		return ""
	}
	return name
}
