package tree

// The only file of the package that meets the disk. Three rules hold in it:
// what is inside the output directory is changed by os.Root only, so that no
// symbolic link leads out of it, whoever puts one in and whenever; everything is
// written before anything is changed; and every error names the real path.

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// workers is the number of files or folders in hand at one time. More does not
// pay: the work is in the kernel, and two cores are already full with four.
const workers = 4

// Dir is an output directory as Open found it.
type Dir struct {
	path   string
	want   Marker
	absent bool
	marked bool
}

// Open looks at an output directory that is, or is to become, the home of want,
// and changes nothing. The directory may be absent or empty; a `.git` at the top
// and the leavings of a killed run do not count. dir itself may be a symbolic
// link to a directory.
//
// A directory with anything else in it that does not carry the marker want is
// refused with a *GuardError.
func Open(dir string, want Marker) (*Dir, error) {
	if dir == "" {
		return nil, errors.New("the output directory has no name")
	}
	if err := want.check(); err != nil {
		return nil, err
	}
	d := &Dir{path: filepath.Clean(dir), want: want}
	switch info, err := os.Stat(d.path); {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(d.path); err == nil {
			return nil, fmt.Errorf("%s is a symbolic link to nothing, expected a directory", d.path)
		}
		d.absent = true
		return d, nil
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("%s is not a directory", d.path)
	}
	if err := d.readMarker(); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *Dir) readMarker() error {
	info, err := os.Lstat(d.real(markerName))
	if errors.Is(err, fs.ErrNotExist) {
		return d.checkEmpty()
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err == nil && info.Size() > markerLimit {
		err = fmt.Errorf("it is larger than %d bytes", markerLimit)
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(d.real(markerName))
	}
	var found Marker
	if err == nil {
		found, err = parseMarker(text)
	}
	if err != nil {
		return d.guard(fmt.Sprintf("has a marker %s that cannot be read: %v", markerName, cause(err)))
	}
	if found != d.want {
		return d.guard("holds " + found.String())
	}
	d.marked = true
	return nil
}

func (d *Dir) checkEmpty() error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		if !notContent(e) {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return nil
	}
	found := fmt.Sprintf("holds %q", slices.Min(names))
	if len(names) > 1 {
		found += fmt.Sprintf(" and %d more", len(names)-1)
	}
	return d.guard(found + " and no marker " + markerName)
}

// Files returns the regular files that are there now, read in full and sorted:
// the tree of the last Apply if nobody has touched it. Anything else, such as a
// symbolic link, is left out.
func (d *Dir) Files(ctx context.Context) ([]File, error) {
	var mu sync.Mutex
	var files []File
	err := d.walk(ctx, func(p, real string, what fs.FileMode) error {
		if !what.IsRegular() {
			return nil
		}
		content, err := os.ReadFile(real)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		files = append(files, File{Path: p, Content: content})
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}

// walk calls visit for everything in the directory that is not ours to skip, a
// folder before what is in it, otherwise in no order and from several
// goroutines. p is the path in the tree and real the one on the disk.
//
// Reading goes by plain paths: that takes two thirds of the time of os.Root,
// which opens every element of a path by itself. A link that is there is seen
// as a link and not followed. One that is put there during the walk could lend
// us a file to compare with, and no more.
func (d *Dir) walk(ctx context.Context, visit func(p, real string, what fs.FileMode) error) error {
	if d.absent {
		return nil
	}
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	var enter func(folder, real string) error
	enter = func(folder, real string) error {
		if within.Err() != nil {
			return d.interrupted(within, "read")
		}
		entries, err := os.ReadDir(real)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if folder == "" && (notContent(e) || e.Name() == markerName) {
				continue
			}
			p, real := e.Name(), real+string(os.PathSeparator)+e.Name()
			if folder != "" {
				p = folder + "/" + p
			}
			if err := visit(p, real, e.Type()); err != nil {
				return err
			}
			if !e.IsDir() {
				continue
			}
			next := func() error { return enter(p, real) }
			if !g.TryGo(next) {
				if err := next(); err != nil {
					return err
				}
			}
		}
		return nil
	}
	g.Go(func() error { return enter("", d.path) })
	return g.Wait()
}

// Compare compares what is there with a new tree, file by file, and changes
// nothing. The files are given to New first; ctx ends the comparison early.
//
// Two things are refused with a *GuardError: a symbolic link where the tree needs
// a folder, since writing through it would leave the directory, and a checkout
// or another output directory inside this one. Everything else that is not a
// regular file is replaced or removed as itself.
func (d *Dir) Compare(ctx context.Context, files []File) (*Plan, error) {
	files, err := New(files)
	if err != nil {
		return nil, err
	}
	found := findings{files: files, state: make([]state, len(files)), folders: map[string]bool{}}
	buffers := sync.Pool{New: func() any { return new([32 << 10]byte) }}
	err = d.walk(ctx, func(p, real string, what fs.FileMode) error {
		i, compare := found.meet(p, what)
		if !compare {
			return nil
		}
		buffer := buffers.Get().(*[32 << 10]byte)
		defer buffers.Put(buffer)
		equal, err := holds(real, files[i].Content, buffer[:])
		if equal {
			found.state[i] = same
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := found.guard(d.path); err != nil {
		return nil, err
	}
	slices.Sort(found.stale)
	return &Plan{dir: d, files: files, changes: found.changes(), folders: found.folders, stale: found.stale}, nil
}

// holds says whether a regular file has exactly this content. It stops at the
// first difference, of which the size is one.
func holds(name string, content, buffer []byte) (bool, error) {
	f, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() != int64(len(content)) {
		return false, err
	}
	for len(content) > 0 {
		n, err := io.ReadFull(f, buffer[:min(len(buffer), len(content))])
		if err != nil || !bytes.Equal(buffer[:n], content[:n]) {
			return false, err
		}
		content = content[n:]
	}
	return true, nil
}

// Changes returns what Apply would change, sorted by path. It reads the old
// content of what is changed or removed from the disk, so call it before Apply.
// Old is nil for what is there but is not a regular file.
func (p *Plan) Changes(ctx context.Context) ([]Change, error) {
	changes := slices.Clone(p.changes)
	if len(changes) == 0 || p.dir.absent {
		return changes, nil
	}
	root, err := os.OpenRoot(p.dir.path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	for i, c := range changes {
		if ctx.Err() != nil {
			return nil, p.dir.interrupted(ctx, "read")
		}
		if c.Kind == Added {
			continue
		}
		info, err := root.Lstat(c.Path)
		if err == nil && info.Mode().IsRegular() {
			changes[i].Old, err = root.ReadFile(c.Path)
		}
		if err != nil {
			return nil, p.dir.fault("read", c.Path, err)
		}
	}
	return changes, nil
}

// Apply makes the directory equal to the tree. With nothing to change it writes
// nothing. Otherwise all that is new is first written to a staging folder on the
// same file system and then renamed into place; until then ctx ends the work,
// and from then on it does not. A plan is applied once.
//
// When Apply returns an error, the directory is as it was, except where the error
// says otherwise: that undoing failed too, or that all is done but the old files
// could not be removed. A run that is killed between two renames leaves a part of
// both trees and the marker; the next Apply completes the new one and removes the
// staging folder. Two runs at a time on one directory fail or undo each other.
func (p *Plan) Apply(ctx context.Context) error {
	if ctx.Err() != nil {
		return p.dir.interrupted(ctx, "write")
	}
	if err := p.dir.sweep(); err != nil {
		return err
	}
	switch {
	case p.dir.absent:
		return p.create(ctx)
	case len(p.changes) == 0 && p.dir.marked:
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
		if staging(e, besidePrefix(filepath.Base(d.path))) {
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
		if staging(e, stagePrefix) {
			if err := os.RemoveAll(d.real(e.Name())); err != nil { // follows no links
				return err
			}
		}
	}
	return nil
}

// create writes a directory that is not there: beside its place, and then into
// it by one rename.
func (p *Plan) create(ctx context.Context) (err error) {
	parent := filepath.Dir(p.dir.path)
	made, err := makeParents(parent)
	stage := filepath.Join(parent, besidePrefix(filepath.Base(p.dir.path))+rand.Text())
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(stage))
			for _, folder := range made {
				_ = os.Remove(folder) // not empty: somebody else uses it by now
			}
		}
	}()
	if err != nil {
		return err
	}
	if err := os.Mkdir(stage, 0o755); err != nil {
		return err
	}
	files := []staged{{p.dir.marker(), markerName}}
	for _, f := range p.files {
		files = append(files, staged{f, f.Path})
	}
	if err := p.dir.write(ctx, stage, files); err != nil {
		return err
	}
	return os.Rename(stage, p.dir.path)
}

// makeParents makes a folder and all above it. It returns those that it made,
// the deepest first, also with an error.
func makeParents(folder string) ([]string, error) {
	var made []string
	for f := folder; ; f = filepath.Dir(f) {
		if _, err := os.Stat(f); !errors.Is(err, fs.ErrNotExist) || f == filepath.Dir(f) {
			break
		}
		made = append(made, f)
	}
	return made, os.MkdirAll(folder, 0o755)
}

// update changes a directory that is there. The staging folder is inside it and
// not beside it, because the directory may be a mount point.
func (p *Plan) update(ctx context.Context) (err error) {
	root, err := os.OpenRoot(p.dir.path)
	if err != nil {
		return err
	}
	defer root.Close()
	stage, keep := stagePrefix+rand.Text(), false
	defer func() {
		if keep {
			return
		}
		cleaning := root.RemoveAll(stage)
		if cleaning == nil {
			return
		}
		cleaning = p.dir.fault("remove", stage, cleaning)
		if err == nil {
			cleaning = fmt.Errorf("%s is written, but what was in its place could not be removed: %w", p.dir.path, cleaning)
		}
		err = errors.Join(err, cleaning)
	}()
	for _, folder := range []string{stage, stage + "/old"} {
		if err := root.Mkdir(folder, 0o755); err != nil {
			return p.dir.fault("mkdir", folder, err)
		}
	}
	if err := p.dir.write(ctx, p.dir.real(stage), p.staged()); err != nil {
		return err
	}
	swap := swap{dir: p.dir, root: root, stage: stage}
	if err := p.commit(&swap); err != nil {
		if undone := swap.undo(); undone != nil {
			keep = true
			return fmt.Errorf("%w; undoing failed too: %w; what is missing is in %s",
				err, undone, p.dir.real(stage+"/old"))
		}
		return err
	}
	return nil
}

// commit moves what is stale out of the tree and what is staged into it.
func (p *Plan) commit(s *swap) error {
	if !p.dir.marked {
		// First: a run that is killed now must find its own directory again.
		if err := s.move(s.stage+"/"+stagedNew(markerName), markerName); err != nil {
			return err
		}
	}
	for _, at := range p.stale {
		if err := s.takeOut(at); err != nil {
			return err
		}
	}
	moved := ""
	for i, c := range p.changes {
		var err error
		switch c.Kind {
		case Changed:
			err = s.replace(c.Path, s.stage+"/"+stagedChange(i))
		case Added:
			// A folder that is new is moved as one.
			if at := p.newPart(c.Path); at != moved {
				moved, err = at, s.move(s.stage+"/"+stagedNew(at), at)
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
	taken int
	done  [][2]string // from, to
}

func (s *swap) move(from, to string) error {
	if err := s.root.Rename(from, to); err != nil {
		return s.dir.fault("rename to", to, err)
	}
	s.done = append(s.done, [2]string{from, to})
	return nil
}

// takeOut moves a file or folder to a place where undo finds it.
func (s *swap) takeOut(at string) error {
	if err := s.root.Rename(at, s.place()); err != nil {
		return s.dir.fault("remove", at, err)
	}
	s.done = append(s.done, [2]string{at, s.place()})
	s.taken++
	return nil
}

// replace puts the staged file in the place of one that is there.
func (s *swap) replace(at, from string) error {
	// A second name keeps the old file without a moment in which the path is
	// empty. Where the file system has no links, there is such a moment.
	if err := s.root.Link(at, s.place()); err == nil {
		s.done = append(s.done, [2]string{at, s.place()})
		s.taken++
	} else if err := s.takeOut(at); err != nil {
		return err
	}
	return s.move(from, at)
}

func (s *swap) place() string {
	return fmt.Sprintf("%s/old/%d", s.stage, s.taken)
}

func (s *swap) undo() error {
	var failed []error
	for _, step := range slices.Backward(s.done) {
		if err := s.root.Rename(step[1], step[0]); err != nil {
			failed = append(failed, s.dir.fault("rename to", step[0], err))
		}
	}
	return errors.Join(failed...)
}

// write writes files to a staging folder, and returns when all are written or
// ctx ended it. Plain paths will do: nobody else knows the folder's name, so no
// link can be in it, and they spare the kernel half of the work.
func (d *Dir) write(ctx context.Context, stage string, files []staged) error {
	made := map[string]bool{"": true}
	for _, f := range files {
		if err := makeFolder(stage, folderOf(f.at), made); err != nil {
			return d.fault("write", f.Path, err)
		}
	}
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for _, f := range files {
		if within.Err() != nil {
			break
		}
		g.Go(func() error {
			if ctx.Err() != nil {
				return d.interrupted(ctx, "write")
			}
			if err := writeFile(filepath.Join(stage, f.at), f.Content); err != nil {
				return d.fault("write", f.Path, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return d.interrupted(ctx, "write")
	}
	return nil
}

func makeFolder(stage, folder string, made map[string]bool) error {
	if made[folder] {
		return nil
	}
	if err := makeFolder(stage, folderOf(folder), made); err != nil {
		return err
	}
	made[folder] = true
	return os.Mkdir(filepath.Join(stage, folder), 0o755)
}

func writeFile(name string, content []byte) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := file.Write(content); err != nil {
		file.Close()
		return err
	}
	return file.Close() // some file systems say "full" only here
}
