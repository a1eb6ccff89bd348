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

// Apply makes the directory hold the tree. With nothing to change it writes
// nothing. Otherwise all that is new is first written to a staging folder on the
// same file system and then renamed into place; until then ctx ends the work,
// and from then on it does not. A plan is applied once, to a directory from Lock.
//
// When Apply returns an error, the directory is as it was, except where the error
// says otherwise: that undoing failed too, or that all is done but the staging
// folder could not be removed. A run that is killed between two renames leaves
// parts of both trees and a marker that says so; the next Apply completes the new
// one and removes the staging folder.
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
	// Only a directory that was absent has been staged beside, and whoever may
	// not list the parent has staged nothing there: no reason to fail.
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

// create writes a directory that was not there: beside its place, and then into
// it by one rename. So it is there as a whole or not at all.
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
	// It is the tree now, unless somebody has been quicker.
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

// takePlace renames a folder to the name of an empty one. Unlike os.Rename, the
// call of the system can do that, but for Windows.
func takePlace(from, to string) error {
	if syscall.Rename(from, to) == nil {
		return nil
	}
	if err := os.Remove(to); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// update changes a directory that is there. The staging folder is inside it and
// not beside it, because the directory may be a mount point.
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
		case !undone: // what is missing in the tree is in the staging folder
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

// commit moves what is stale out of the tree and what is staged into it.
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

// swap is a series of renames inside an output directory that can be undone.
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

// mark puts a staged marker in the place of the one that is there, if one is.
func (s *swap) mark(staged string, there bool) error {
	if there {
		return s.replace(markerName, s.stage+"/"+staged)
	}
	return s.add(s.stage+"/"+staged, markerName, false)
}

// add moves a file or a folder to where nothing is.
func (s *swap) add(from, to string, folder bool) error {
	move := s.root.Link // unlike a rename, it takes nobody's place
	if folder {
		move = s.root.Rename // which takes that of an empty folder only
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

// takeBack undoes add. Renaming one name of a file to another of its names would
// leave both.
func (s *swap) takeBack(at, to string) error {
	if _, err := s.root.Lstat(to); err == nil {
		if err := s.root.Remove(at); err != nil {
			return s.dir.fault("remove", at, err)
		}
		return nil
	}
	return s.rename(at, to)
}

// takeOut moves a file to a place where undo finds it.
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

// replace puts the staged file in the place of one that is there.
func (s *swap) replace(at, from string) error {
	if err := s.unchanged(at); err != nil {
		return err
	}
	// A second name keeps the old file without a moment in which the path is
	// empty. Where the file system has no links, there is such a moment.
	place := s.place()
	if err := s.root.Link(at, place); err != nil {
		if err := s.root.Rename(at, place); err != nil {
			return s.dir.fault("replace", at, err)
		}
	}
	s.undoBy(func() error { return s.rename(place, at) })
	return s.rename(from, at)
}

// unchanged makes sure that a file is still the one that was compared.
func (s *swap) unchanged(at string) error {
	before, ok := s.seen[at]
	if !ok {
		return nil
	}
	now, err := os.Lstat(s.dir.real(at)) // a look only: what is done goes by the root
	if err != nil {
		return s.dir.fault("replace", at, err)
	}
	if !os.SameFile(before, now) || before.Size() != now.Size() || !before.ModTime().Equal(now.ModTime()) {
		return s.dir.fault("replace", at, errors.New("somebody has changed it since it was compared; render again"))
	}
	return nil
}

// removeFolders removes folders, the deepest first, as far as they are empty.
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
