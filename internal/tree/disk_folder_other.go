//go:build !unix

package tree

import (
	"io"
	"io/fs"
	"os"
)

// folder is an open folder. Its methods take a single name.
type folder struct{ root *os.Root }

// openPath opens the folder at a path of the disk.
func openPath(name string) (folder, error) {
	root, err := os.OpenRoot(name)
	return folder{root}, err
}

// openFolder opens the folder of a root.
func openFolder(root *os.Root) (folder, error) {
	return folder{root}.enter(".")
}

func (f folder) enter(name string) (folder, error) {
	inner, err := f.root.OpenRoot(name)
	return folder{inner}, err
}

// make makes a folder in this one and opens it.
func (f folder) make(name string) (folder, error) {
	if err := f.root.Mkdir(name, 0o755); err != nil {
		return folder{}, err
	}
	return f.enter(name)
}

// write makes a file. With sync, the content is on the disk when write returns.
func (f folder) write(name string, content []byte, sync bool) error {
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil && sync {
		err = file.Sync()
	}
	if err != nil {
		file.Close()
		return err
	}
	return file.Close() // some file systems say "full" only here
}

// entries lists the folder, in no order.
func (f folder) entries() ([]entry, error) {
	there, err := fs.ReadDir(f.root.FS(), ".")
	entries := make([]entry, len(there))
	for i, e := range there {
		entries[i] = entry{e.Name(), e.Type()}
	}
	return entries, err
}

// same fills dst with a file, if the file is as long as dst.
func (f folder) same(name string, dst []byte) (bool, error) {
	file, err := f.root.Open(name)
	if err != nil {
		return false, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || info.Size() != int64(len(dst)) {
		return false, err
	}
	if _, err = io.ReadFull(file, dst); err == io.EOF || err == io.ErrUnexpectedEOF {
		return false, nil // somebody has made the file shorter
	}
	return err == nil, err
}

func (f folder) close() { f.root.Close() }
