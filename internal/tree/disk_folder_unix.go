//go:build unix

package tree

import (
	"os"

	"golang.org/x/sys/unix"
)

// folder is an open folder. Its methods take a single name and follow no link, so they
// never leave the folder. os.Root promises the same for whole paths, and makes twice as
// many calls of the system for each file. Errors come from the system, without a path.
type folder struct{ fd int }

// openPath opens the folder at a path of the disk.
func openPath(name string) (folder, error) {
	fd, err := retried(func() (int, error) { return unix.Open(name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0) })
	return folder{fd}, err
}

// openFolder opens the folder of a root.
func openFolder(root *os.Root) (folder, error) {
	f, err := root.Open(".")
	if err != nil {
		return folder{}, err
	}
	defer f.Close()
	return folder{int(f.Fd())}.enter(".")
}

func (f folder) enter(name string) (folder, error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := retried(func() (int, error) { return unix.Openat(f.fd, name, flags, 0) })
	return folder{fd}, err
}

// make makes a folder in this one and opens it.
func (f folder) make(name string) (folder, error) {
	if err := unix.Mkdirat(f.fd, name, 0o755); err != nil {
		return folder{}, err
	}
	return f.enter(name)
}

// write makes a file. With sync, the content is on the disk when write returns.
func (f folder) write(name string, content []byte, sync bool) error {
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := retried(func() (int, error) { return unix.Openat(f.fd, name, flags, 0o644) })
	if err != nil {
		return err
	}
	for err == nil && len(content) > 0 {
		var n int
		n, err = retried(func() (int, error) { return unix.Write(fd, content) })
		content = content[max(n, 0):]
	}
	if err == nil && sync {
		_, err = retried(func() (struct{}, error) { return struct{}{}, unix.Fsync(fd) })
	}
	if err != nil {
		unix.Close(fd)
		return err
	}
	if err = unix.Close(fd); err == unix.EINTR {
		return nil // closed all the same
	}
	return err // some file systems say "full" only here
}

// same fills dst with a file, if the file is as long as dst.
func (f folder) same(name string, dst []byte) (bool, error) {
	fd, err := retried(func() (int, error) { return unix.Openat(f.fd, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0) })
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil || info.Size != int64(len(dst)) {
		return false, err
	}
	for len(dst) > 0 {
		n, err := retried(func() (int, error) { return unix.Read(fd, dst) })
		if err != nil || n == 0 { // somebody has made the file shorter
			return false, err
		}
		dst = dst[n:]
	}
	return true, nil
}

func (f folder) close() { unix.Close(f.fd) }
