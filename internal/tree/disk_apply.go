package tree

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// Apply writes the tree to the directory. If nothing changes, it writes nothing. Else it
// first writes all new files to a staging folder on the same file system, and then
// renames them into place. ctx ends the work only before the first rename. Apply a plan
// once, to a directory from Lock.
//
// If Apply returns an error, the directory is as it was. In two cases it is not, and the
// error says so: undoing failed too, or all is done but Apply could not remove the
// staging folder. A run that is killed between two renames leaves parts of both trees,
// and a marker that says so. The next Apply completes the new tree and removes the
// staging folder.
func (p *Plan) Apply(ctx context.Context) error {
	if p.dir.lock == nil {
		return fmt.Errorf("write %s: it is not locked", p.dir.path)
	}
	if ctx.Err() != nil {
		return p.dir.interrupted(ctx, "write")
	}
	if err := p.dir.sweep(); err != nil {
		return err
	}
	switch {
	case p.dir.absent:
		return p.create(ctx)
	case len(p.changes) == 0 && p.markerHolds():
		return nil
	default:
		return p.update(ctx)
	}
}

// sweep removes the staging folders of killed runs.
func (d *Dir) sweep() error {
	// A staging folder is beside a directory that was absent. If we may not list the
	// parent, we staged nothing there. So that is no reason to fail.
	parent := filepath.Dir(d.path)
	beside, _ := os.ReadDir(parent)
	for _, e := range beside {
		if staging(e.Name(), e.IsDir(), besidePrefix(filepath.Base(d.path))) {
			if err := os.RemoveAll(filepath.Join(parent, e.Name())); err != nil {
				return err
			}
		}
	}
	if d.absent {
		return nil
	}
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if staging(e.Name(), e.IsDir(), stagePrefix) {
			if err := os.RemoveAll(d.real(e.Name())); err != nil { // follows no links
				return err
			}
		}
	}
	return nil
}

// create writes a directory that was absent. It writes beside the place and then renames
// once, so the directory is there as a whole or not at all.
func (p *Plan) create(ctx context.Context) (err error) {
	above := filepath.Dir(p.dir.path)
	parent, err := os.OpenRoot(above)
	if err != nil {
		return err
	}
	defer parent.Close()
	s, err := newStage(parent, above, besidePrefix(filepath.Base(p.dir.path))+rand.Text())
	if err != nil {
		return err
	}
	defer func() { err = s.end(err) }()
	files := []staged{{File{Path: markerName, Content: p.record().text()}, markerName}}
	for _, f := range p.files {
		files = append(files, staged{f, f.Path})
	}
	if err := s.write(ctx, p.dir, files); err != nil {
		return err
	}
	if err := syncAll(s.root); err != nil {
		return err
	}
	if err := s.check(); err != nil {
		return err
	}
	if err := takePlace(filepath.Join(above, s.name), p.dir.path); err != nil {
		return p.dir.fault("rename to", "", err)
	}
	// Somebody may have put something else there meanwhile.
	opened, err := s.root.Stat(".")
	if err != nil {
		return p.dir.fault("stat", "", err)
	}
	if named, err := os.Lstat(p.dir.path); err != nil || !os.SameFile(opened, named) {
		return p.dir.fault("rename to", "", errors.New("somebody has put something else in the place of the staging folder"))
	}
	s.name = ""
	p.dir.lock.made = nil
	return nil
}

// takePlace renames a folder to the name of an empty one. The call of the system can do
// that, except on Windows; os.Rename cannot.
func takePlace(from, to string) error {
	if syscall.Rename(from, to) == nil {
		return nil
	}
	if err := os.Remove(to); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// update changes an existing directory. The staging folder is inside the directory,
// because the directory may be a mount point.
func (p *Plan) update(ctx context.Context) (err error) {
	root, err := os.OpenRoot(p.dir.path)
	if err != nil {
		return err
	}
	defer root.Close()
	s, err := newStage(root, p.dir.path, stagePrefix+rand.Text())
	if err != nil {
		return err
	}
	done, undone := false, true
	defer func() {
		switch {
		case !undone: // the staging folder has the files that the tree lacks
			s.root.Close()
		case done && err == nil:
			if cleaning := s.end(nil); cleaning != nil {
				err = fmt.Errorf("%s: the new tree is in place, but the old files could not be removed: %w", p.dir.path, cleaning)
			}
		default:
			err = s.end(err)
		}
	}()
	if err := s.root.Mkdir("old", 0o755); err != nil {
		return p.dir.fault("mkdir", s.name+"/old", err)
	}
	if err := s.write(ctx, p.dir, p.staged()); err != nil {
		return err
	}
	if err := s.check(); err != nil {
		return err
	}
	swap := swap{dir: p.dir, root: root, stage: s.name, seen: p.seen}
	if err := p.commit(&swap); err != nil {
		if failed := swap.undo(); failed != nil {
			undone = false
			return fmt.Errorf("%w; undoing failed too: %w; what is missing is in %s",
				err, failed, p.dir.real(s.name+"/old"))
		}
		return err
	}
	done, p.kept = true, swap.kept
	return nil
}

// commit moves the old files out of the tree and the staged files into it.
func (p *Plan) commit(s *swap) error {
	if len(p.changes) > 0 {
		if err := s.mark(unfinishedMarker, p.dir.found != nil); err != nil {
			return err
		}
		if err := syncFolder(s.root); err != nil {
			return err
		}
		if err := p.exchange(s); err != nil {
			return err
		}
		if err := syncAll(s.root); err != nil {
			return err
		}
	}
	if err := s.mark(finishedMarker, len(p.changes) > 0 || p.dir.found != nil); err != nil {
		return err
	}
	for _, at := range slices.SortedFunc(slices.Values(p.empty), deepestFirst) {
		_ = s.root.Remove(at) // not empty: so it stays
	}
	return nil
}

func (p *Plan) exchange(s *swap) error {
	removed := p.Removed()
	// Copies go before the kustomization that shows them to be ours.
	others := slices.DeleteFunc(slices.Clone(removed), isCopy)
	for _, at := range append(slices.DeleteFunc(removed, func(p string) bool { return !isCopy(p) }), others...) {
		if err := s.takeOut(at); err != nil {
			return err
		}
	}
	if err := s.removeFolders(p.emptied(removed)); err != nil {
		return err
	}
	moved := ""
	for i, c := range p.changes {
		var err error
		switch c.kind {
		case Changed:
			err = s.replace(c.Path, s.stage+"/"+stagedChange(i))
		case Added:
			// A folder that is new is moved as one.
			if at := p.newPart(c.Path); at != moved {
				moved, err = at, s.add(s.stage+"/"+stagedNew(at), at, at != c.Path)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// swap is a series of renames inside an output directory. It can undo them.
type swap struct {
	dir   *Dir
	root  *os.Root
	stage string
	seen  map[string]fs.FileInfo
	taken int
	steps []func() error // each undoes one step
	kept  []string
}

func (s *swap) undoBy(step func() error) { s.steps = append(s.steps, step) }

func (s *swap) rename(from, to string) error {
	if err := s.root.Rename(from, to); err != nil {
		return s.dir.fault("rename to", to, err)
	}
	return nil
}

// mark puts a staged marker into the directory. there tells whether it has one already.
func (s *swap) mark(staged string, there bool) error {
	if there {
		return s.replace(markerName, s.stage+"/"+staged)
	}
	return s.add(s.stage+"/"+staged, markerName, false)
}

// add moves a file or a folder to a free place.
func (s *swap) add(from, to string, folder bool) error {
	move := s.root.Link // a rename would replace a file that is there
	if folder {
		move = s.root.Rename // replaces an empty folder at most
	}
	err := move(from, to)
	if err != nil && !folder && !errors.Is(err, fs.ErrExist) {
		// A file system without links.
		if _, there := s.root.Lstat(to); !errors.Is(there, fs.ErrNotExist) {
			return s.dir.fault("rename to", to, fs.ErrExist)
		}
		err = s.root.Rename(from, to)
	}
	if err != nil {
		return s.dir.fault("rename to", to, err)
	}
	s.undoBy(func() error { return s.takeBack(to, from) })
	return nil
}

// takeBack undoes add. It does not rename a file that still has its old name: a rename
// between two names of one file leaves both.
func (s *swap) takeBack(at, to string) error {
	if _, err := s.root.Lstat(to); err == nil {
		if err := s.root.Remove(at); err != nil {
			return s.dir.fault("remove", at, err)
		}
		return nil
	}
	return s.rename(at, to)
}

// takeOut moves a file out of the tree. undo moves it back.
func (s *swap) takeOut(at string) error {
	if err := s.unchanged(at); err != nil {
		return err
	}
	place := s.place()
	if err := s.root.Rename(at, place); err != nil {
		return s.dir.fault("remove", at, err)
	}
	s.undoBy(func() error { return s.rename(place, at) })
	return nil
}

// replace puts a staged file in the place of a file.
func (s *swap) replace(at, from string) error {
	if err := s.unchanged(at); err != nil {
		return err
	}
	// The old file gets a second name, so the path is never empty. On a file system
	// without links, it is empty for a moment.
	place := s.place()
	if err := s.root.Link(at, place); err != nil {
		if err := s.root.Rename(at, place); err != nil {
			return s.dir.fault("replace", at, err)
		}
	}
	s.undoBy(func() error { return s.rename(place, at) })
	return s.rename(from, at)
}

// unchanged makes sure that nobody changed a file since it was compared.
func (s *swap) unchanged(at string) error {
	before, ok := s.seen[at]
	if !ok {
		return nil
	}
	now, err := os.Lstat(s.dir.real(at)) // only reads; changes go by the root
	if err != nil {
		return s.dir.fault("replace", at, err)
	}
	if !os.SameFile(before, now) || before.Size() != now.Size() || !before.ModTime().Equal(now.ModTime()) {
		return s.dir.fault("replace", at, errors.New("somebody has changed it since it was compared; render again"))
	}
	return nil
}

// removeFolders removes the empty ones of some folders, and notes the others as kept. The
// deepest folders come first.
func (s *swap) removeFolders(folders []string) error {
	for _, at := range folders {
		err := s.root.Remove(at)
		if err == nil {
			s.undoBy(func() error { return s.root.Mkdir(at, 0o755) })
			continue
		}
		if inside, reading := fs.ReadDir(s.root.FS(), at); reading != nil || len(inside) == 0 {
			return s.dir.fault("remove", at, err)
		}
		s.kept = append(s.kept, at)
	}
	slices.Sort(s.kept)
	return nil
}

func (s *swap) place() string {
	s.taken++
	return fmt.Sprintf("%s/old/%d", s.stage, s.taken)
}

func (s *swap) undo() error {
	var failed []error
	for _, step := range slices.Backward(s.steps) {
		if err := step(); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}
