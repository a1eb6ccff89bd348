package tree

import (
	"bytes"
	"encoding/binary"
	"io/fs"

	"golang.org/x/sys/unix"
)

// entries lists the folder, in no order. It reads what the system gives as it is:
// File.ReadDir makes several objects for each name, and a tree has thousands of folders.
func (f folder) entries() ([]entry, error) {
	var entries []entry
	var buffer [4 << 10]byte
	for {
		n, err := retried(func() (int, error) { return unix.Getdents(f.fd, buffer[:]) })
		if err != nil || n <= 0 {
			return entries, err
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
				var info unix.Stat_t
				if err := unix.Fstatat(f.fd, e.name, &info, unix.AT_SYMLINK_NOFOLLOW); err == unix.ENOENT {
					continue
				} else if err != nil {
					return nil, err
				}
				e.what = modeOf(byte(info.Mode & unix.S_IFMT >> 12)) // DT_REG is S_IFREG >> 12, and so on
			}
			entries = append(entries, e)
		}
	}
}

// modeOf translates the type of an entry.
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
