package tree

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncAll writes the whole file system of a folder to the disk, once. A sync of each file
// would take ten times as long as a render.
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
