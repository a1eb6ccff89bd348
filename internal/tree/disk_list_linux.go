package tree

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// entriesOf lists a folder, in no order. It reads what the system gives as it is:
// File.ReadDir makes several objects for each name, and a tree has thousands of folders.
func entriesOf(folder string) ([]entry, error) {
	fd, err := retried(func() (int, error) { return unix.Open(folder, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: folder, Err: err}
	}
	defer unix.Close(fd)
	var entries []entry
	var buffer [8 << 10]byte
	for {
		n, err := retried(func() (int, error) { return unix.Getdents(fd, buffer[:]) })
		if err != nil {
			return nil, &os.PathError{Op: "readdirent", Path: folder, Err: err}
		}
		if n <= 0 {
			return entries, nil
		}
		for rest := buffer[:n]; len(rest) > 0; {
			// struct linux_dirent64: the length is at byte 16, the type at 18, the name from 19.
			length := binary.NativeEndian.Uint16(rest[16:])
			name, _, _ := bytes.Cut(rest[19:length], []byte{0})
			e := entry{name: string(name), what: modeOf(rest[18])}
			rest = rest[length:]
			if e.name == "." || e.name == ".." {
				continue
			}
			if e.what == fs.ModeIrregular { // the file system does not say
				info, err := os.Lstat(folder + "/" + e.name)
				if os.IsNotExist(err) {
					continue
				}
				if err != nil {
					return nil, err
				}
				e.what = info.Mode().Type()
			}
			entries = append(entries, e)
		}
	}
}

func modeOf(kind byte) fs.FileMode {
	switch kind {
	case unix.DT_REG:
		return 0
	case unix.DT_DIR:
		return fs.ModeDir
	case unix.DT_LNK:
		return fs.ModeSymlink
	case unix.DT_FIFO:
		return fs.ModeNamedPipe
	case unix.DT_SOCK:
		return fs.ModeSocket
	case unix.DT_CHR, unix.DT_BLK:
		return fs.ModeDevice
	}
	return fs.ModeIrregular
}
