// Package tree has the result of a render, a sorted list of files, and writes it to
// an output directory.
//
// A tree is a plain []File. [New] sorts it and refuses paths that a checkout cannot
// have. [Sign] gives each file a first line, so that the next render recognizes the file.
// [Compare] compares two trees. [RemovedClusters] lists the clusters that a change
// removes. These functions are pure. Only the files disk*.go use the disk, in three
// steps:
//
//	dir, err := tree.Lock("out", tree.Marker{Topology: "east-west", Format: "kustomize", Version: "v0.2.0"})
//	plan, err := dir.Compare(ctx, files, tree.Claims{})
//	err = plan.Apply(ctx)
//	dir.Unlock()
//
// Lock keeps other runs out. It refuses a directory with the tree of another topology
// ([finding.Refusal]). Open does the same for a reader. Compare reads the directory and
// changes nothing: `diff` stops here, and `render` asks the plan for RemovedClusters.
// Apply writes the tree to the directory. If Apply fails, the directory stays as it was.
//
// An output directory may have other files too. Sightline replaces and removes only
// files with our line, and copies whose digest is in the marker. The marker is the file
// `.sightline` at the top. It names the topology, and says whether the tree is complete.
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
	Copy    bool   // a copy of a user's file, byte for byte: see Sign
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
// New refuses these paths, and names all of them in one error:
//   - a path that is not clean and local;
//   - a path with a backslash, a control character or broken UTF-8;
//   - a path that is there twice, or that is both a file and a folder;
//   - two paths that differ only in letter case, because macOS and Windows check them
//     out as one file;
//   - the reserved names: `.git` and `.sightline` anywhere, `.sightline-*` at the top.
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

// ordinary tells whether files are sorted and surely have no problems. It is quick. For
// most trees with capitals in their paths it returns false, with or without problems.
func ordinary(files []File) bool {
	var open []string // files whose paths are the start of the path at hand
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

// isOrdinary tells whether a path is clean, local, in ASCII, and without capitals or hidden
// names.
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
	reported map[string]bool // folders with a reported problem: not once for each file
	good     string          // the folder of the last path, which most files share
}

type name struct {
	path string // as first seen
	file bool
}

// add adds the path of a file. The calls are in sorted order: a file comes before all
// paths that have it as a folder.
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

// spell returns the first spelling of a path. That may be this one.
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

// badPath returns the problem of a path, or "".
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

// folderOf returns the folder of a clean path. "" is the top.
func folderOf(p string) string {
	return p[:max(0, strings.LastIndexByte(p, '/'))]
}

// Kind is the kind of a change between two trees.
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

// Compare returns the changes between two trees from New, sorted by path. For equal
// trees, there are none.
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

// RemovedClusters returns the names of the clusters that are in the old tree and not in
// the new one, sorted. changes are the changes between the two trees. A tree has a
// cluster N if it has `clusters/N.yaml` or a file below `clusters/N/`.
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

// clusterOf returns the name of the cluster of a file, or "".
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
