package tree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// GuardError says that something is not ours to write over. Nothing has been
// changed.
type GuardError struct {
	Path  string   // the directory, or what in it stands in the way
	Found string   // "holds topology …": a verb phrase about Path
	Want  string   // what was expected instead
	Hint  string   // what to do, for the next line; without "hint: "
	Paths []string // what is in the way, if it is more than Path
}

// listed is how many paths a message lists.
const listed = 20

// Error returns the message without the hint: one line, and one for each of
// Paths as far as there is room for them.
func (e *GuardError) Error() string {
	message := e.Path + " " + e.Found + ", expected " + e.Want
	for i, p := range e.Paths {
		if i == listed {
			return fmt.Sprintf("%s\n  and %d more", message, len(e.Paths)-listed)
		}
		message += "\n  " + p
	}
	return message
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
