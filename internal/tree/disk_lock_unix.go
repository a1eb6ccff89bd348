//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package tree

import (
	"os"
	"slices"
	"syscall"
)

// withoutLocks are the errors of file systems without locks, or without locks for a folder
// that is open for reading (NFS).
var withoutLocks = []error{syscall.EBADF, syscall.EINVAL, syscall.ENOLCK, syscall.ENOSYS, syscall.ENOTSUP, syscall.EOPNOTSUPP}

// lockFile locks an open folder until it is closed. none tells that there are no locks.
func lockFile(f *os.File) (none bool, err error) {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case err == nil:
			return false, nil
		case err == syscall.EINTR:
		case err == syscall.EWOULDBLOCK:
			return false, errLocked
		case slices.Contains(withoutLocks, err):
			return true, nil
		default:
			return false, &os.PathError{Op: "lock", Path: f.Name(), Err: err}
		}
	}
}
