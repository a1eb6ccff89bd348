package tree

// Only the files disk*.go of this package meet the disk. Four rules hold in them:
//   - No symbolic link leads a change out of the output directory, whoever puts the
//     link in and whenever. So changes go by os.Root, or by folder, which follows none.
//   - Nothing that is not ours is replaced or removed.
//   - Everything is written before anything is changed.
//   - Every error names the real path.

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// workers is the number of goroutines that read or write at one time. More are not
// faster: the work is in the kernel, and four keep two cores busy.
const workers = 4

// Dir is an output directory from Open or Lock.
type Dir struct {
	path   string
	want   Marker
	absent bool
	found  *record // its marker; nil if there is none
	lock   *lock   // nil after Open
}

// Open reads the marker of an output directory for the tree of want. It changes nothing.
// The directory may be absent, and may have other files too. dir itself may be a symbolic
// link to a directory.
//
// If the marker has another topology or format than want, the error is a
// *finding.Refusal.
func Open(dir string, want Marker) (*Dir, error) {
	if dir == "" {
		return nil, errors.New("the output directory has no name")
	}
	if err := want.check(); err != nil {
		return nil, err
	}
	d := &Dir{path: filepath.Clean(dir), want: want}
	info, err := os.Stat(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		// If the path exists now and is no link, another run has just made it.
		if info, err = os.Lstat(d.path); err == nil && info.Mode().Type() == fs.ModeSymlink {
			return nil, fmt.Errorf("%s is a symbolic link to nothing, expected a directory", d.path)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.absent = true
		return d, nil
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("%s is not a directory", d.path)
	}
	if err := d.readMarker(); err != nil {
		return nil, err
	}
	return d, nil
}

// HasMarker tells whether a folder is an output directory.
func HasMarker(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, markerName))
	return err == nil
}

// IsUnfinished tells whether a folder is an output directory of a topology, in any format,
// that a killed run left unfinished. See Unfinished.
func IsUnfinished(dir, topology string) bool {
	text, err := os.ReadFile(filepath.Join(dir, markerName))
	if err != nil {
		return false
	}
	found, err := parseMarker(text)
	return err == nil && found.writing && found.Topology == topology
}

// Unfinished tells whether a run was killed while it changed the directory. Then the
// directory may have parts of two trees. The next Apply completes it.
func (d *Dir) Unfinished() bool { return d.found != nil && d.found.writing }

func (d *Dir) readMarker() error {
	name := d.real(markerName)
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err == nil && info.Size() > markerLimit {
		err = fmt.Errorf("it is larger than %d bytes", markerLimit)
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(name)
	}
	var found record
	if err == nil {
		found, err = parseMarker(text)
	}
	if err != nil {
		return inTheWay(d.path, fmt.Sprintf("has a marker %s that cannot be read: %v", markerName, cause(err)), "the marker of "+d.want.String(),
			fmt.Sprintf("if a merge or something else damaged it, remove %s and render again: "+
				"sightline knows its files by their first line", name))
	}
	if found.Topology != d.want.Topology || found.Format != d.want.Format {
		return inTheWay(d.path, "holds "+found.String(), d.want.String(),
			fmt.Sprintf("choose another directory with -o; to replace that tree, remove %s first", name))
	}
	d.found = &found
	return nil
}

// unsigned tells whether the tree is of a version that put no line into its files.
func (d *Dir) unsigned() bool { return d.found != nil && d.found.Version == "" }
