//go:build linux && amd64

package files

import "golang.org/x/sys/unix"

// The calls that the test is asked about.
var (
	byPath = []int{unix.SYS_OPENAT, unix.SYS_OPENAT2, unix.SYS_MKDIRAT, unix.SYS_UNLINKAT, unix.SYS_LINKAT, unix.SYS_RENAMEAT,
		unix.SYS_RENAMEAT2, unix.SYS_SYMLINKAT}
	byDescriptor = []int{unix.SYS_WRITE, unix.SYS_PWRITE64, unix.SYS_CLOSE, unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_SYNCFS,
		unix.SYS_FLOCK, unix.SYS_FTRUNCATE, unix.SYS_COPY_FILE_RANGE}
	without = []int{unix.SYS_OPEN, unix.SYS_CREAT, unix.SYS_MKDIR, unix.SYS_RMDIR, unix.SYS_UNLINK, unix.SYS_LINK, unix.SYS_RENAME,
		unix.SYS_SYMLINK, unix.SYS_TRUNCATE}
)

var nameOf = map[int]string{
	unix.SYS_OPENAT: "open", unix.SYS_OPENAT2: "open", unix.SYS_MKDIRAT: "mkdir", unix.SYS_UNLINKAT: "unlink", unix.SYS_LINKAT: "link",
	unix.SYS_RENAMEAT: "rename", unix.SYS_RENAMEAT2: "rename", unix.SYS_SYMLINKAT: "symlink",
	unix.SYS_WRITE: "write", unix.SYS_PWRITE64: "write", unix.SYS_CLOSE: "close", unix.SYS_FSYNC: "sync", unix.SYS_FDATASYNC: "sync",
	unix.SYS_SYNCFS: "sync", unix.SYS_FLOCK: "lock", unix.SYS_FTRUNCATE: "truncate", unix.SYS_COPY_FILE_RANGE: "copy",
	unix.SYS_OPEN: "open", unix.SYS_CREAT: "open", unix.SYS_MKDIR: "mkdir", unix.SYS_RMDIR: "unlink", unix.SYS_UNLINK: "unlink",
	unix.SYS_LINK:   "link",
	unix.SYS_RENAME: "rename", unix.SYS_SYMLINK: "symlink", unix.SYS_TRUNCATE: "truncate",
}
