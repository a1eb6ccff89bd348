package tree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// listed is the highest number of paths in a message.
const listed = 20

// inTheWay refuses to write over things that are not ours. path is the directory or the
// thing in the way, found describes it ("holds topology …"), want is the expected thing,
// and hint says what to do. Further lines list the first of the paths in the way.
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

// fault puts the real path into an error of os.Root or of a folder. Their errors have no
// path, or a path below the root or the stage.
func (d *Dir) fault(op, p string, err error) error {
	return &fs.PathError{Op: op, Path: d.real(p), Err: cause(err)}
}

// cause returns an error without its path.
func cause(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

func (d *Dir) interrupted(ctx context.Context, op string) error {
	return fmt.Errorf("%s %s: %w", op, d.path, ctx.Err())
}
