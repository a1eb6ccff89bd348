package tree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// lock keeps other runs out of an output directory. It is on the directory itself, so
// it needs no file. It ends with the process.
type lock struct {
	file *os.File
	none bool     // the file system has no locks
	made []string // folders that were made only for the lock, the deepest first
}

// Lock is Open for a writer: nobody else can lock the directory until Unlock. Lock makes
// an absent directory. Unlock removes it again if nothing was written.
//
// If another run has the lock, the error is a *finding.Refusal.
func Lock(dir string, want Marker) (*Dir, error) {
	// First the errors that need no lock.
	d, err := Open(dir, want)
	if err != nil {
		return nil, err
	}
	l, err := lockFolder(d.path)
	if err != nil {
		return nil, err
	}
	// Another run may have changed the directory before the lock.
	if d, err = Open(dir, want); err != nil {
		l.end()
		return nil, err
	}
	d.lock = l
	d.absent = len(l.made) > 0 && l.made[0] == d.path
	return d, nil
}

func lockFolder(name string) (*lock, error) {
	l := &lock{}
	var last error
	for range 100 { // it ends if somebody makes and removes the directory all the time
		made, err := makeFolders(name)
		l.made = append(made, l.made...)
		if err == nil {
			l.file, err = os.Open(name)
		}
		if err == nil {
			l.none, err = lockFile(l.file)
		}
		if err == nil {
			var locked, named fs.FileInfo
			if locked, err = l.file.Stat(); err == nil {
				named, err = os.Stat(name)
			}
			if err == nil && os.SameFile(locked, named) {
				return l, nil
			}
		}
		// The first run of another sightline may have replaced the directory.
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			if errors.Is(err, errLocked) {
				l.made = nil // the other run has the directory now
				err = inTheWay(name, "is being written by another sightline", "one at a time", "wait until it is done, and render again")
			}
			l.end()
			return nil, err
		}
		if l.file != nil {
			l.file.Close()
		}
		last = err
		l = &lock{}
	}
	if last != nil { // no folder can be made here, such as in /proc
		return nil, last
	}
	return nil, &os.PathError{Op: "lock", Path: name, Err: errors.New("it is replaced all the time")}
}

// makeFolders makes a folder and all folders above it. It returns the folders that it
// made, the deepest first, also with an error.
func makeFolders(name string) ([]string, error) {
	var missing []string
	for f := name; ; f = filepath.Dir(f) {
		if _, err := os.Stat(f); !errors.Is(err, fs.ErrNotExist) || f == filepath.Dir(f) {
			break
		}
		missing = append(missing, f)
	}
	var made []string
	for i := len(missing) - 1; i >= 0; i-- {
		if err := os.Mkdir(missing[i], 0o755); err == nil {
			made = append([]string{missing[i]}, made...)
		} else if !errors.Is(err, fs.ErrExist) {
			return made, err
		}
	}
	return made, nil
}

// end gives the lock back, and removes the folders that were made only for it.
func (l *lock) end() {
	for _, folder := range l.made {
		if os.Remove(folder) != nil {
			break // not empty: somebody else uses it now
		}
	}
	if l.file != nil {
		l.file.Close()
	}
}

// Unlock lets others write the directory. You can call it more than once.
func (d *Dir) Unlock() {
	if d.lock != nil {
		d.lock.end()
		d.lock = nil
	}
}

// Locked tells whether other runs are kept out. Some network file systems have no locks.
func (d *Dir) Locked() bool { return d.lock != nil && !d.lock.none }

// errLocked is the error of lockFile if somebody else has the lock.
var errLocked = errors.New("it is locked")
