package tree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// listed is how many paths a message lists.
const listed = 20

// inTheWay refuses to write over what is not ours: a directory or what in it
// stands in the way, what that is ("holds topology …"), what was expected instead
// and what to do. Further lines name the paths that are in the way, as far as there
// is room for them.
func inTheWay(path, found, want, hint string, paths ...string) *finding.Refusal {
	message := path + " " + found + ", expected " + want
	for i, p := range paths {
		if i == listed {
			message += fmt.Sprintf("\n  and %d more", len(paths)-listed)
			break
		}
		message += "\n  " + p
	}
	return &finding.Refusal{Message: message, Hint: hint}
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
