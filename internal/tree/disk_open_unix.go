//go:build unix

package tree

import (
	"os"

	"golang.org/x/sys/unix"
)

// open opens a file or a folder to read. os.Open makes five more calls of the system
// to find out that it cannot wait for a regular file. A tree has thousands of files.
func open(name string) (*os.File, error) {
	fd, err := retried(func() (int, error) { return unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// retried repeats a call of the system that a signal has interrupted.
func retried[T any](call func() (T, error)) (T, error) {
	for {
		if result, err := call(); err != unix.EINTR {
			return result, err
		}
	}
}
