package tree

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncAll has the whole file system of a folder written to the disk, once. A sync
// of each file would cost ten times a render.
func syncAll(root *os.Root) error {
	return withFolder(root, func(f *os.File) error {
		err := unix.Syncfs(int(f.Fd()))
		if errors.Is(err, errors.ErrUnsupported) {
			return nil
		}
		if err != nil {
			return &os.PathError{Op: "sync", Path: root.Name(), Err: err}
		}
		return nil
	})
}
