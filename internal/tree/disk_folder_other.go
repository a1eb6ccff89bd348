//go:build !unix

package tree

import "os"

// folder is an open folder of the stage. Its methods take a single name.
type folder struct{ root *os.Root }

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

func (f folder) close() { f.root.Close() }
