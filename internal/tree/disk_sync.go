package tree

import (
	"errors"
	"os"
	"syscall"
)

// syncFolder writes the names in a folder to the disk. If the file system cannot do that,
// there is no error.
func syncFolder(root *os.Root) error {
	return withFolder(root, func(f *os.File) error {
		err := f.Sync()
		if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
			return nil
		}
		return err
	})
}

func withFolder(root *os.Root, do func(*os.File) error) error {
	f, err := root.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	return do(f)
}
