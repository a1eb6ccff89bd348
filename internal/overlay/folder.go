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

// maxFile bounds what a file of an overlay may take.
const maxFile = 4 << 20

// folder is what an overlay may read: regular files of its own folder that are
// not hidden and have no credentials in them.
type folder struct{ root fs.FS }

// Open implements fs.FS. To open a pipe would wait for somebody to write.
func (f folder) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: errors.ErrUnsupported}
}

// Stat implements fs.StatFS.
func (f folder) Stat(name string) (fs.FileInfo, error) { return fs.Stat(f.root, name) }

// refusal is why a file is not read, in words that follow its name.
type refusal struct{ message, hint string }

func (r *refusal) Error() string { return "it " + r.message }

// leak is a credential in a file.
type leak struct {
	line int
	what string
}

func (l *leak) Error() string {
	return fmt.Sprintf("line %d has %s in it, which would stand in Git", l.line, l.what)
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
		return nil, &refusal{fmt.Sprintf("is larger than %d MiB, the most that a file of an overlay may have", maxFile>>20), ""}
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

// visible makes sure that no part of a path is hidden, nor of what a link on it
// leads to: what begins with a dot is Git's, or a tool's, and may have
// credentials in it.
func (f folder) visible(name string) error {
	const mostLinks = 40
	for range mostLinks {
		if hidden(name) {
			return &refusal{"is hidden, or in a hidden folder", "an overlay reads nothing that begins with a dot; give the file another name"}
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

// link finds the first link on a path, and what follows it.
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
