package tree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// GuardError says that an output directory is not ours to write. Nothing has
// been changed.
type GuardError struct {
	Path  string // the directory, or what in it stands in the way
	Found string // "holds topology …": a verb phrase about Path
	Want  string // what was expected instead
	Hint  string // what to do, for the next line; without "hint: "
}

// Error returns the message in one line, without the hint.
func (e *GuardError) Error() string {
	return e.Path + " " + e.Found + ", expected " + e.Want
}

func (d *Dir) marker() File {
	return File{Path: markerName, Content: d.want.text()}
}

func (d *Dir) guard(found string) *GuardError {
	hint := "choose an empty directory with -o"
	if base := filepath.Base(d.path); base != "." && base != ".." && filepath.Dir(d.path) != d.path { // nobody should try to delete those
		hint += fmt.Sprintf(", or delete %s if nothing in it is needed", d.path)
	}
	return &GuardError{
		Path:  d.path,
		Found: found,
		Want:  "an empty directory or " + d.want.String(),
		Hint:  hint,
	}
}

// real returns the path on the disk of a path in the tree.
func (d *Dir) real(p string) string {
	return filepath.Join(d.path, filepath.FromSlash(p))
}

// fault names the real path in an error of os.Root, which knows it from the
// root only, or knows it as staged.
func (d *Dir) fault(op, p string, err error) error {
	return &fs.PathError{Op: op, Path: d.real(p), Err: cause(err)}
}

// cause returns what is below the path of an error.
func cause(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

func (d *Dir) interrupted(ctx context.Context, op string) error {
	return fmt.Errorf("%s %s: %w", op, d.path, ctx.Err())
}
