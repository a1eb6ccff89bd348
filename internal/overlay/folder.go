package overlay

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/sightline-mesh/sightline/internal/credential"
)

// maxFile is the maximum size of a file of an overlay, in bytes.
const maxFile = 4 << 20

// folder has the files that an overlay may read: regular files in its own folder
// that are not hidden and contain no credentials.
type folder struct{ root fs.FS }

// Open implements fs.FS. It always fails, because opening a pipe would wait for a
// writer. Use ReadFile.
func (f folder) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: errors.ErrUnsupported}
}

// Stat implements fs.StatFS.
func (f folder) Stat(name string) (fs.FileInfo, error) { return fs.Stat(f.root, name) }

// refusal is the reason why a file is not read. The message follows the name of
// the file.
type refusal struct{ message, hint string }

func (r *refusal) Error() string { return "it " + r.message }

// leak is a credential in a file.
type leak struct {
	line int
	what string
}

func (l *leak) Error() string {
	return fmt.Sprintf("line %d contains %s, which would be in Git", l.line, l.what)
}

// ReadFile implements fs.ReadFileFS.
func (f folder) ReadFile(name string) ([]byte, error) {
	if err := f.visible(name); err != nil {
		return nil, err
	}
	switch info, err := fs.Stat(f.root, name); {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, &refusal{"is not a file", ""}
	case info.Size() > maxFile:
		return nil, &refusal{fmt.Sprintf("is larger than %d MiB, the maximum for a file of an overlay", maxFile>>20), ""}
	}
	data, err := fs.ReadFile(f.root, name)
	if err != nil {
		return nil, err
	}
	n := 0
	for line := range bytes.Lines(data) {
		n++
		if what := credential.Find(string(line)); what != "" {
			return data, &leak{n, what}
		}
	}
	return data, nil
}

// visible returns an error if a part of a path is hidden, or a part of the target
// of a link on the path. A name with a dot at its start belongs to Git or to a
// tool, and its file may contain credentials.
func (f folder) visible(name string) error {
	const mostLinks = 40
	for range mostLinks {
		if hidden(name) {
			return &refusal{"is hidden, or in a hidden folder",
				"an overlay reads no file or folder whose name begins with a dot; give it another name"}
		}
		link, rest := f.link(name)
		if link == "" {
			return nil
		}
		target, err := fs.ReadLink(f.root, link)
		if err != nil {
			return err
		}
		name = path.Join(path.Dir(link), target, rest)
	}
	return errors.New("too many links")
}

// link returns the first link on a path, and the rest of the path.
func (f folder) link(name string) (link, rest string) {
	parts := strings.Split(name, "/")
	for i := range parts {
		link := path.Join(parts[:i+1]...)
		if info, err := fs.Lstat(f.root, link); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return link, path.Join(parts[i+1:]...)
		}
	}
	return "", ""
}

func hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") && part != "." && part != ".." {
			return true
		}
	}
	return false
}
